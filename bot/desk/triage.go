package desk

import (
	"cmp"
	"slices"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// setClass puts an officer's class beside the computed one, with a reason; "auto" goes back to the computed one. An
// officer needs the lease, a supervisor does not.
func setClass(q *request) error {
	to := q.r.PostFormValue("class")
	e := edit{form: "class", audit: q.audit("class"), hold: !q.may(casework.ActTakeOver), gate: true}
	e.audit.Field = to
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		if to == "auto" {
			ch.Entries = append(ch.Entries, q.event("event.class_auto", nil, now))
			return casework.ClearOverride(c, now, q.mission.rules), nil
		}
		reason, err := q.need("reason", maxReason, "desk.bad.reason")
		if err != nil {
			return nil, err
		}
		events, err := casework.SetOverride(c, casework.Class(to), reason, q.user.Name, now, q.mission.rules)
		if err != nil {
			return nil, err
		}
		ch.Entries = append(q.eventEntries(events, now), q.noteEntry(reason, now))
		return nil, nil
	}
	return q.apply(e, "desk.flash.class")
}

// setSafety is the officer's check: the only thing that lowers danger or watched.
func setSafety(q *request) error {
	level := flows.Value(q.r.PostFormValue("level"))
	e := edit{form: "safety", audit: q.audit("safety"), hold: true, gate: true}
	e.audit.Field = string(level)
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		reason, err := q.need("reason", maxReason, "desk.bad.reason")
		if err != nil {
			return nil, err
		}
		if err := c.ConfirmSafety(level, q.user.Name, now); err != nil {
			return nil, err
		}
		ch.Entries = append(ch.Entries, q.event("event.safety_set", flows.Args{"Safety": string(level)}, now), q.noteEntry(reason, now))
		return nil, nil
	}
	return q.apply(e, "desk.flash.safety")
}

// signalDone notes that a signal was dealt with: it stops to count.
func signalDone(q *request) error {
	name := q.r.PostFormValue("signal")
	e := edit{form: "signal", audit: q.audit("signal_done"), hold: true}
	e.audit.Field = name
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		if s, ok := c.Signals[name]; !ok || !s.Done.IsZero() {
			return nil, &bad{Key: "desk.bad.signal"}
		}
		c.SignalDone(name, q.user.Name, now)
		ch.Entries = append(ch.Entries, q.event("event.signal_done", flows.Args{"Signal": name}, now))
		return nil, nil
	}
	return q.apply(e, "desk.flash.signal")
}

// reasonView is one contribution to the score.
type reasonView struct {
	Text   string
	Points int
	Floor  bool
}

// signalView is a fact read from words, with the button that says it was dealt with.
type signalView struct {
	Name, Text string
	Words      words
	At, Done   time.Time
	DoneBy     string
	Risk       bool
}

func (q *request) signals(c *casework.Case, see shown) []signalView {
	var out []signalView
	for name, s := range c.Signals {
		w := clean(s.Words)
		w.Text = mask(w.Text, see)
		if name == casework.SignalImpostorCheck || name == casework.SignalDuress {
			w = words{} // an officer's code, a secret word
		}
		out = append(out, signalView{name, q.signalText(name), w, s.At, s.Done, s.DoneBy, riskySignal[name]})
	}
	slices.SortFunc(out, func(a, b signalView) int {
		return cmp.Or(a.Done.Compare(b.Done), a.At.Compare(b.At), cmp.Compare(a.Name, b.Name))
	})
	return out
}
