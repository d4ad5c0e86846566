package store

import (
	"context"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// A page with many broadcasts asks Redis for what may still change, not for everybody who ever got one; and what it
// shows is what a process that has just started would show.
func TestBroadcastCountsOfWhatIsOpen(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	const people = 40
	for n := range people {
		store1(t, s, safeCase(n+1, nil))
	}
	begun(t, s, "b1", casework.Audience{})
	b := &bot.Broadcaster{Store: s}
	must(t, b.Do(ctx, "kh", deskNow))
	counts := func() bot.BroadcastRows {
		t.Helper()
		got, err := s.Broadcasts(ctx, "kh")
		must(t, err)
		fresh, err := s.on(s.rdb).Broadcasts(ctx, "kh")
		must(t, err)
		if got[0].Sent != fresh[0].Sent {
			t.Errorf("%+v, by a new process %+v", got[0].Sent, fresh[0].Sent)
		}
		return got[0].Sent
	}
	if got, want := counts(), (bot.BroadcastRows{Queued: people}); got != want {
		t.Errorf("before: %+v", got)
	}
	taken, err := s.Take(ctx, "kh", "7000001", deskNow, people-2, bot.LaneBroadcast, time.Minute)
	must(t, err)
	for i, l := range taken {
		r := l.Row
		r.State, r.ProviderID = bot.RowSent, "p1"
		if i == 0 {
			r.State, r.ProviderID, r.Why = bot.RowFailed, "", "bad_request"
		}
		_, err := s.Finish(ctx, "kh", deskNow, []bot.Sent{{Row: r}}, 0)
		must(t, err)
	}
	want := bot.BroadcastRows{Queued: 2, Sent: people - 3, Failed: 1}
	if got := counts(); got != want {
		t.Errorf("after: %+v, want %+v", got, want)
	}
	before := workOf(t, s)
	_, err = s.Broadcasts(ctx, "kh")
	must(t, err)
	if n := workOf(t, s).commands - before.commands; n > 10 {
		t.Errorf("%v commands for three rows that may change", n)
	}
}
