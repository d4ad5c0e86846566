package intake

import (
	"time"

	"pulang/flows"
)

// Timers that the conversation sets for a contact.
const (
	timerIncomplete = "incomplete"      // a greeting without more becomes a case
	timerNudge      = "nudge"           // one reminder to a safe person in the middle of the questions
	timerRescue     = flows.TimerRescue // set at the desk when an officer starts the rescue packet
	timerAgain      = "again"           // set from outside after an outage in which taps were lost
)

const (
	incompleteAfter = 10 * time.Minute
	nudgeAfter      = 30 * time.Minute
)

// timer handles a timer that is due.
func (t *turn) timer() {
	t.quiet = "timer"
	switch t.in.Timer {
	case timerIncomplete:
		if t.s.Case == "" && len(t.heard) > 0 {
			t.open()
		}
	case timerNudge:
		if t.memo(memoNudge) != "set" {
			return
		}
		if t.in.At.Sub(t.s.LastAt) < nudgeAfter { // written meanwhile: later
			t.wake(timerNudge, t.s.LastAt.Add(nudgeAfter))
			return
		}
		t.note(memoNudge, "")
		if !t.unfinished() {
			return
		}
		t.note(memoNudge, "sent")
		if q := t.byID(t.s.Ask); q != nil && q.part == aside {
			t.cancel(q)
		}
		t.say("nudge")
		t.show(t.byID(t.gap()))
	case timerRescue:
		t.askRescue()
	case timerAgain:
		if t.s.Shown == nil || t.s.Paused || t.closed() {
			return
		}
		if q := t.current(); q != nil && t.mode() == flows.Safe {
			t.say("again.note")
			t.show(q)
			return
		}
		t.note(memoAgain, "1")
	}
}

// unfinished reports whether a safe person stands in the middle of the core questions.
func (t *turn) unfinished() bool {
	gap := flows.StepID("")
	if t.mode() == flows.Safe {
		gap = t.coreGap()
	}
	return gap != "" && gap != flows.StepConfirm && t.s.Case != "" && !t.s.Paused && !t.mutedOrClosed()
}

// mutedOrClosed reports what officers and BERHENTI on another contact say against reminders.
func (t *turn) mutedOrClosed() bool {
	return t.env.Case != nil && (t.env.Case.Muted || t.env.Case.Closed)
}

// nudge sets, moves or removes the timer of the one reminder.
func (t *turn) nudge() {
	switch {
	case t.memo(memoNudge) == "sent":
	case t.unfinished():
		if t.memo(memoNudge) == "set" {
			return // when it is due, it looks how long the person has been silent
		}
		t.note(memoNudge, "set")
		t.wake(timerNudge, t.in.At.Add(nudgeAfter))
	case t.memo(memoNudge) == "set":
		t.note(memoNudge, "")
		t.wake(timerNudge, time.Time{})
	}
}

// unblocked welcomes back a person who had blocked the bot: is it safe to write?
func (t *turn) unblocked() {
	t.known = true
	if t.first || t.s.Case == "" {
		t.greet()
		return
	}
	t.s.Shown = nil
	if t.s.Paused {
		t.aside()
		return
	}
	t.s.Ask = flows.StepSafetyNow
	t.goOn()
}

// againNote says that a tap may have been lost, in the words that the person's phone may show.
func (t *turn) againNote() flows.TextID {
	if t.mode() == flows.Safe {
		return "again.note"
	}
	return "again.note.silent"
}
