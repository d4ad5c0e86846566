package intake

import "pulang/flows"

// gap is the first question that waits for an answer; "" when none does.
func (t *turn) gap() flows.StepID {
	if t.s.Ask != "" && t.f.byID[t.s.Ask] != nil {
		return t.s.Ask
	}
	if t.closed() {
		return ""
	}
	if !t.answered(flows.StepSafetyNow) {
		return flows.StepSafetyNow
	}
	if id := t.rescueGap(); id != "" {
		return id
	}
	if t.danger() {
		return ""
	}
	if id := t.coreGap(); id != "" {
		return id
	}
	if t.s.Optional && !t.silent() {
		for _, q := range t.f.list {
			if q.part == optional && q.gap(t) {
				return q.id
			}
		}
	}
	return ""
}

// coreGap is the first gap up to the confirmation; what was missed comes back before it.
func (t *turn) coreGap() flows.StepID {
	for _, q := range t.f.list {
		if q.part == core && (q.silent || !t.silent()) && q.gap(t) {
			if q.id == flows.StepConfirm {
				break
			}
			return q.id
		}
	}
	if id := t.comesBack(); id != "" {
		return id
	}
	if q := t.byID(flows.StepConfirm); q.gap(t) {
		return q.id
	}
	return ""
}

// reply ends a message of the person: the next question, or asking again when nothing was understood.
func (t *turn) reply() {
	if !t.known && len(t.parts) == 0 {
		t.miss()
		return
	}
	t.goOn()
}

// goOn asks the next question, after the greeting where it was never said.
func (t *turn) goOn() {
	if t.s.Paused || t.closed() && t.s.Ask == "" {
		t.aside()
		return
	}
	if t.alarmed || t.halt {
		return
	}
	if t.away && t.s.Ask == "" && t.answered(flows.StepSafetyNow) && t.answer(flows.StepSafetyNow).At.Before(t.in.At) {
		t.s.Ask = flows.StepSafetyNow
	}
	if t.memo(memoAgain) != "" {
		t.note(memoAgain, "")
		if !t.silent() || len(t.parts) == 0 { // a watched person gets a few words
			t.parts = append([]flows.Text{t.text(t.againNote())}, t.parts...)
		}
	}
	if t.fresh && !t.silent() && !t.danger() {
		t.fresh = false
		parts := []flows.Text{t.text("welcome")}
		switch {
		case t.memo(memoHarm) != "": // who spoke of dying was answered already, and answers
			parts[0] = t.text("plea")
		case t.content:
			parts = append(parts, t.text("welcome.heard"))
		}
		t.parts = append(parts, t.parts...)
	}
	q := t.byID(t.gap())
	t.tellJoin(q)
	if q == nil {
		t.s.Shown = nil
		t.idle()
		return
	}
	back := t.s.Ask == "" && q.id == t.comesBack()
	if back && !t.asks(q.id) && !t.silent() {
		t.say("missed.again")
	}
	t.show(q)
	if back { // once only: the next words are kept whatever they are
		t.s.Shown.Misses = 1
	}
	t.shown(q)
}

// idle answers when no question is left.
func (t *turn) idle() {
	open := !t.danger() && !t.silent() && !t.closed()
	switch {
	case open && t.s.Optional && t.memo(memoFinished) == "":
		t.note(memoFinished, "1")
		t.say("finished")
	case len(t.parts) > 0:
	case t.danger():
		t.say("danger.noted")
		t.urgent = true
	case t.silent():
		t.say("silent.ok")
	default:
		t.say("noted")
	}
}

// greet answers a bare greeting: nothing was said yet that a case could hold.
func (t *turn) greet() bool {
	if t.s.Case == "" && len(t.heard) == 0 && !t.content {
		t.wake(timerIncomplete, t.in.At.Add(incompleteAfter))
	}
	t.known = true
	t.goOn()
	return true
}
