package bot_test

import (
	"testing"
	"time"

	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows/casework"
)

// The store keeps a timer's time in milliseconds, a case in nanoseconds. A timer that is looked at inside the millisecond in
// which it is due, just before its time, still does what it stands for, then or later.
func TestTimerInsideItsMillisecond(t *testing.T) {
	clk := &clock{}
	noon := time.Date(2026, 1, 19, 5, 0, 0, 0, time.UTC)
	clk.stop(noon.Add(900 * time.Microsecond))
	s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
	l := newLine(t, s, clk)
	l.say("1", "u1", "tolong saya disekap di bavet, saya dalam bahaya")
	c := l.file("1").Case
	if c.P1Since.Nanosecond() == 0 || casework.Effective(c, l.now()) != casework.P1 {
		t.Fatalf("P1 since %v", c.P1Since)
	}
	l.settled("1")
	// the last look before it is due, in the same millisecond, and the looks after it
	clk.stop(c.P1Since.Add(time.Minute - 500*time.Microsecond))
	for range 3 {
		if err := l.hot.FireTimers(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.forward(40 * time.Second) // past the end of the timer's lease
	}
	until(t, "the alert after one minute", func() bool { return len(l.phone.got("staff")) == 1 })
}
