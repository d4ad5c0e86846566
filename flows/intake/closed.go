package intake

import (
	"slices"
	"strings"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// closedQuestions: a message after the case was closed may be about the same matter or a new one.
var closedQuestions = []question{{
	id: flows.StepSameMatter, part: aside, menu: []flows.Value{"same", "new"},
	pick: func(t *turn, v flows.Value) {
		t.s.Ask, t.s.Shown = "", nil
		if v == "new" {
			t.after = cmdNew
			return
		}
		told := t.s.Heard
		t.reopen()
		t.note(memoSame, "1")
		t.retell(told)
		t.sayKept("same.noted")
		t.halt = true // what the person came to say is heard first
	},
}}

// closed reports whether the case is closed and the person has not said that it is still the same matter.
func (t *turn) closed() bool {
	return t.env.Case != nil && t.env.Case.Closed && t.memo(memoSame) == ""
}

// reopen tells the desk that a closed case has news.
func (t *turn) reopen() {
	if t.env.Case != nil && t.env.Case.Closed {
		words := t.in.Text
		if len(t.s.Heard) > 0 {
			words = t.s.Heard[0].Input.Text
		}
		t.signal("reopened", words)
	}
	if t.s.Case != "" {
		t.s.Heard = nil // the words belong to the case that there is
	}
}

// unsorted keeps what is written after the case was closed until it is known whose matter it is: it goes along into a new
// case. When nobody answers (a phone goes flat), casework puts the closed one back on the queue.
func (t *turn) unsorted() {
	if !t.closed() || !t.asks(flows.StepSameMatter) {
		return
	}
	t.s.Heard = append(slices.Clone(t.s.Heard), flows.Heard{Input: t.in})
	if n := len(t.s.Heard); n > mostUnsorted {
		t.s.Heard = t.s.Heard[n-mostUnsorted:]
	}
}

// mostUnsorted bounds what is kept for a new case.
const mostUnsorted = 10

// retell takes the facts from what was said before it was known whose matter it is. That it was safe then is asked anew.
func (t *turn) retell(told []flows.Heard) {
	in := t.in
	for _, h := range told {
		text := strings.TrimSpace(h.Input.Text)
		if text == "" {
			continue
		}
		t.in = h.Input
		t.r = t.f.read(text, t.context(nil))
		switch t.r.SafetyNow {
		case flows.Safe:
			t.r.SafetyNow = ""
		case flows.Danger:
			t.othersDanger()
		}
		t.signals(text)
		t.fill(nil)
	}
	t.in, t.r = in, lexicon.Reading{}
}

// aside answers a message that is kept without going on: after BERHENTI, or on a closed case. It always returns true.
func (t *turn) aside() bool {
	t.content, t.known = true, true
	switch {
	case t.s.Paused:
		t.parts = t.parts[:0]
		if t.memo(memoPaused) != "" {
			t.quiet = "paused"
			return true
		}
		t.note(memoPaused, "1")
		if t.silent() || t.danger() {
			t.say("paused.silent")
		} else {
			t.say("paused.offer")
		}
	case t.closed():
		return t.out(flows.StepSameMatter, true)
	}
	return true
}

// renew is BARU: another report from the same phone. Nothing of the old one is carried over or echoed.
func (t *turn) renew() bool {
	if t.s.Case == "" {
		t.content = true // nothing was reported yet: this is the new one
		return t.complete()
	}
	old := t.s
	t.s = flows.State{
		Flow: flows.Version, Scope: t.env.NewScope, Lang: old.Lang, FirstAt: t.in.At,
		Older: append(append([]string(nil), old.Older...), old.Case),
	}
	t.ownAnswers, t.ownMemo = false, false
	t.note(memoWrong, old.Memo[memoWrong])                               // wrong codes are counted by contact, not by report
	t.env.Case, t.heard, t.content, t.parts = nil, old.Heard, false, nil // what was said since the old one was closed
	t.away, t.fresh, t.r.SafetyNow = false, false, ""
	t.effects = append(t.effects, flows.Wake{Timer: timerNudge})
	t.say("new.started")
	t.retell(old.Heard)
	if !t.content {
		t.wake(timerIncomplete, t.in.At.Add(incompleteAfter))
	}
	t.known = true
	t.goOn()
	return true
}
