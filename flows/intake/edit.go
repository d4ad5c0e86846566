package intake

import (
	"slices"
	"strings"

	"pulang/flows"
)

// editQuestions: UBAH lists what was answered; the chosen question is asked again.
var editQuestions = []question{{
	id: flows.StepEdit, part: aside, dynamic: func(t *turn) []flows.Value { return append(t.editable(), flows.None) },
	label: func(t *turn, v flows.Value) flows.Text { return t.text(flows.TextID("choice.edit." + string(v))) },
	read: func(t *turn, text string) (flows.Answer, bool) {
		if v := t.named(text); v != "" {
			return one(v)
		}
		return flows.Answer{}, false
	},
	pick: func(t *turn, v flows.Value) {
		t.s.Ask = ""
		t.s.Shown = nil
		if q := t.byID(flows.StepID(v)); q != nil && v != flows.None {
			t.s.Ask = q.id
		}
	},
}}

// named is the answer that the words call by its name in the list, or by another one that people give it; "" when it is
// not clear which. The names are in the catalogue: edit.words.<step>, with commas between them.
func (t *turn) named(text string) flows.Value {
	key := fold(text)
	if t.f.cfg.Text == nil || len(strings.Fields(key)) > 6 {
		return ""
	}
	best, long := flows.Value(""), 0
	steps := t.editable()
	if number := flows.Value(flows.StepCallbackNumber); t.told(flows.StepCallbackNumber) && !slices.Contains(steps, number) {
		steps = append(steps, number) // told before there was leave to ring it
	}
	for _, v := range steps {
		for _, lang := range t.f.cfg.Langs {
			for _, name := range t.f.editNames(lang, v) {
				switch n := len(name); {
				case n == 0 || n < long || !containsWord(key, name):
				case n > long:
					best, long = v, n
				case best != v:
					best = "" // two answers of that name
				}
			}
		}
	}
	return best
}

// editNames are what an answer is called in a language, folded.
func (f *Flow) editNames(lang string, v flows.Value) []string {
	names := []string{fold(f.cfg.Text(lang, flows.TextID("choice.edit."+string(v)), f.base[lang]))}
	id := flows.TextID(editWords + string(v))
	if words := f.cfg.Text(lang, id, nil); words != string(id) {
		for name := range strings.SplitSeq(words, ",") {
			names = append(names, fold(name))
		}
	}
	return names
}

// editWords begins the catalogue keys of the names.
const editWords = "edit.words."

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
