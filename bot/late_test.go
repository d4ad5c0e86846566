package bot_test

import (
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

// A message comes in long after it was written: a messenger was out of reach, or the person's other one was quicker. An
// officer had dealt with what was there by then. It is new all the same: nobody has read it.
func TestLateWordsAreNew(t *testing.T) {
	for name, deal := range map[string]func(c *casework.Case, now time.Time, r casework.Rules) error{
		"settled": func(c *casework.Case, now time.Time, r casework.Rules) error {
			_, err := casework.Settle(c, now, r)
			return err
		},
		"put off": func(c *casework.Case, now time.Time, r casework.Rules) error {
			_, err := casework.Schedule(c, now.Add(72*time.Hour), false, now, r)
			return err
		},
		"closed": func(c *casework.Case, now time.Time, r casework.Rules) error {
			_, err := casework.Close(c, "self_resolved", "sri", now)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			clk := &clock{}
			s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
			l := newLine(t, s, clk)
			rules := l.hot.Lines["kh"].Mission.Rules()
			l.say("1", "u1", "aman, saya di bavet, paspor hilang")
			l.settled("1")
			written := l.now()
			l.forward(time.Minute)
			l.say("1", "u2", "tidak ada")
			l.settled("1")
			l.forward(time.Minute)
			l.act("1", func(c *casework.Case, ch *bot.Change) {
				c.MarkRead("sri", l.now())
				if err := deal(c, l.now(), rules); err != nil {
					t.Fatal(err)
				}
				ch.Timers = timersOf(c, l.now(), rules)
			})
			if c := l.file("1").Case; c.Unread() || casework.Queued(c) && c.LaterUntil.IsZero() {
				t.Fatal("not dealt with")
			}
			l.forward(time.Hour)
			in := flows.Input{Kind: flows.KindText, Text: "saya sudah keluar, tolong dijemput", At: written.Add(time.Second)}
			if err := l.hot.Handle(t.Context(), l.message("1", "u1b", in)); err != nil {
				t.Fatal(err)
			}
			l.forward(11 * time.Minute) // nobody answers whether it is the same matter
			if err := l.hot.FireTimers(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c := l.file("1").Case; !casework.Queued(c) || !c.LaterUntil.IsZero() || !c.Unread() {
				t.Errorf("closed %q, settled %v, rests until %v, unread %v", c.ClosedAs, c.SettledAt, c.LaterUntil, c.Unread())
			}
		})
	}
}

// timersOf are all timers of a case as they have to be at now.
func timersOf(c *casework.Case, now time.Time, r casework.Rules) []bot.Timer {
	c.Rescore(now, r)
	var out []bot.Timer
	for _, name := range casework.TimerNames {
		out = append(out, bot.Timer{Line: c.Line, Name: name, CaseID: c.ID})
	}
	for _, x := range casework.Timers(c, now, r) {
		out = append(out, bot.Timer{Line: c.Line, Name: x.Name, CaseID: c.ID, At: x.At})
	}
	return out
}
