package intake

import "pulang/flows"

// closedQuestions: a message after the case was closed may be about the same matter or a new one.
var closedQuestions = []question{{
	id: flows.StepSameMatter, part: aside, menu: []flows.Value{"same", "new"},
	pick: func(t *turn, v flows.Value) {
		t.s.Ask, t.s.Shown = "", nil
		if v == "new" {
			t.after = cmdNew
			return
		}
		t.reopen()
		t.note(memoSame, "1")
		t.say("same.noted")
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
		t.signal("reopened", t.in.Text)
	}
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
	t.env.Case, t.heard, t.content, t.parts = nil, nil, false, nil
	t.away, t.fresh, t.r.SafetyNow = false, false, ""
	t.effects = append(t.effects, flows.Wake{Timer: timerNudge}, flows.Wake{Timer: timerIncomplete, At: t.in.At.Add(incompleteAfter)})
	t.say("new.started")
	t.known = true
	t.goOn()
	return true
}
