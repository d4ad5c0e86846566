package intake

import (
	"slices"

	"pulang/flows"
)

// tapped handles a button. Buttons stay below old messages for ever: one of another conversation does nothing but
// raise the alarm, one of an older question changes that question's answer only.
func (t *turn) tapped() {
	tap := t.in.Tap
	if tap == nil {
		t.miss()
		return
	}
	q := t.byID(tap.Step)
	isDanger := tap.Value == flows.Danger && (tap.Step == flows.StepSafetyNow || tap.Step == flows.StepMenu)
	if isDanger {
		t.reopen()
		t.command(cmdDanger, "")
		return
	}
	if tap.Scope != t.s.Scope || q == nil {
		t.stale()
		return
	}
	current := t.s.Shown != nil && t.s.Shown.Step == q.id
	if q.part == aside {
		t.tapAside(q, tap.Value, current)
		return
	}
	if !t.takes(q, tap.Value) {
		t.stale()
		return
	}
	t.content, t.known = true, true
	switch {
	case t.closed():
		t.aside()
		return
	case q.due != nil && !q.due(t):
		t.stale()
		return
	}
	t.press(q, tap.Value)
	if t.s.Paused {
		t.aside()
		return
	}
	if flows.Multi[q.id] && len(t.picked(q.id)) > 0 && t.gap() == q.id && !t.away {
		t.show(q) // toggled: the same question, with what is chosen
		return
	}
	t.goOn()
}

// takes reports whether v is a value of the question, whenever it was shown and in whatever mode.
func (t *turn) takes(q *question, v flows.Value) bool {
	switch {
	case v == flows.Skip:
		return q.part == optional || q.part == core
	case v == flows.Done:
		return flows.Multi[q.id]
	case q.dynamic != nil:
		return slices.Contains(q.dynamic(t), v)
	}
	return slices.Contains(q.menu, v) || slices.Contains(q.silentMenu, v)
}

// press puts the tapped value on its own question.
func (t *turn) press(q *question, v flows.Value) {
	switch {
	case v == flows.Skip:
		t.skip(q)
	case !flows.Multi[q.id]:
		t.accept(q, flows.Answer{Values: []flows.Value{v}})
	case v == both:
		t.choose(q, []flows.Value{v})
	case t.answered(q.id) && t.s.Ask != q.id && v != flows.Done:
		t.retoggle(q, v)
	case v == flows.Done && t.answered(q.id) && len(t.picked(q.id)) == 0:
		t.done(q)
	case v == flows.Done, v == flows.None:
		if v == flows.None {
			t.note(memoPick+string(q.id), "")
		}
		t.choose(q, []flows.Value{v})
	case t.silent():
		t.choose(q, []flows.Value{v})
	default:
		if t.s.Ask == q.id && len(t.picked(q.id)) == 0 { // UBAH: the old answer is what the person changes
			for _, old := range t.answer(q.id).Values {
				if old != flows.None {
					t.toggle(q, old)
				}
			}
		}
		t.toggle(q, v)
	}
}

// retoggle changes the answer of a multi-select that was finished before.
func (t *turn) retoggle(q *question, v flows.Value) {
	a := t.answer(q.id)
	vs := slices.Clone(a.Values)
	switch i := slices.Index(vs, v); {
	case v == flows.None:
		vs = []flows.Value{flows.None}
	case i >= 0:
		vs = slices.Delete(vs, i, i+1)
	default:
		vs = append(vs, v)
	}
	if len(vs) == 0 {
		vs = []flows.Value{flows.None}
	}
	t.record(q.id, flows.Answer{Values: inOrder(q.menu, vs), Norm: a.Norm})
}

// tapAside handles a button below a question out of order. What could do harm acts only while it is asked.
func (t *turn) tapAside(q *question, v flows.Value, current bool) {
	harmless := q.id == flows.StepLanguage ||
		q.id == flows.StepMenu && v != "stop" && v != "delete" && v != "new" && v != flows.None
	if !t.takes(q, v) || !current && !harmless {
		t.stale()
		return
	}
	t.known = true
	t.content = t.content || q.id != flows.StepLanguage
	if t.s.Paused && current {
		t.s.Shown = nil
	}
	t.accept(q, flows.Answer{Values: []flows.Value{v}})
	if t.then() {
		return
	}
	t.goOn()
}

// stale answers a button that no longer means anything, with the open question.
func (t *turn) stale() {
	t.known = true
	if t.s.Paused {
		t.quiet = "paused"
		return
	}
	if t.first {
		t.content = true // a button of a conversation that is gone: somebody is there
		t.greet()
		return
	}
	if t.danger() {
		t.goOn() // no question, only that it came in
		return
	}
	if !t.silent() {
		t.say("tap.old")
	}
	if q := t.current(); q != nil && t.mayAsk(q) {
		t.show(q)
		return
	}
	t.goOn()
}
