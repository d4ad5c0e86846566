package intake

import (
	"slices"

	"pulang/flows"
)

// editQuestions: UBAH lists what was answered; the chosen question is asked again.
var editQuestions = []question{{
	id: flows.StepEdit, part: aside, dynamic: func(t *turn) []flows.Value { return append(t.editable(), flows.None) },
	label: func(t *turn, v flows.Value) flows.Text { return t.text(flows.TextID("choice.edit." + string(v))) },
	pick: func(t *turn, v flows.Value) {
		t.s.Ask = ""
		t.s.Shown = nil
		if q := t.byID(flows.StepID(v)); q != nil && v != flows.None {
			t.s.Ask = q.id
		}
	},
}}

// editable are the answered questions, in order. In silent mode only those that are asked there.
func (t *turn) editable() []flows.Value {
	var vs []flows.Value
	for _, q := range t.f.list {
		if q.part == aside || q.due != nil || q.id == flows.StepConfirm || t.silent() && !q.silent {
			continue
		}
		if _, ok := t.s.Answers[q.id]; ok && q.applies(t) && !slices.Contains(vs, flows.Value(q.id)) {
			vs = append(vs, flows.Value(q.id))
		}
	}
	return vs
}

// back is KEMBALI: the question answered before the open one comes again.
func (t *turn) back() bool {
	now := t.gap()
	if sh := t.s.Shown; sh != nil {
		now = sh.Step
	}
	if q := t.byID(now); q != nil && q.part == aside {
		t.cancel(q)
		return t.complete()
	}
	before := t.editable()
	if i := slices.Index(before, flows.Value(now)); i >= 0 {
		before = before[:i]
	} else {
		before = slices.DeleteFunc(before, func(v flows.Value) bool { return t.f.order(flows.StepID(v)) > t.f.order(now) })
	}
	if len(before) > 0 {
		t.s.Ask = flows.StepID(before[len(before)-1])
		t.s.Shown = nil
	}
	return t.complete()
}

// order is the place of a step in the table of contents; a step that is not in it comes last.
func (f *Flow) order(id flows.StepID) int {
	for i, q := range f.list {
		if q.id == id {
			return i
		}
	}
	return len(f.list)
}
