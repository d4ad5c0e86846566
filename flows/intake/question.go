package intake

import (
	"slices"
	"strconv"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// part says when a question is asked.
type part int

const (
	core     part = iota // before the confirmation
	optional             // after it, for those who go on
	aside                // only when State.Ask names it
)

// question is one step. The zero value of a field is the usual case.
type question struct {
	id   flows.StepID
	part part
	// when says whether the question applies; nil: always. cond says the same in a few words, for the graph.
	when func(*turn) bool
	cond string
	// due replaces the rule "not answered yet" by a rule of its own.
	due func(*turn) bool
	// menu are the choices in order, flows.Menus of the step when nil; dynamic computes them. open: no choices.
	menu    []flows.Value
	dynamic func(*turn) []flows.Value
	open    bool
	// silent: also asked of a person who is watched. silentMenu replaces the menu there.
	silent     bool
	silentMenu []flows.Value
	// other and group: there is a wording of its own (ask.<step>.other) when the report is for somebody else.
	other, group bool
	// read takes the answer from the person's words when the question was asked; nil reads a menu.
	read func(t *turn, text string) (flows.Answer, bool)
	// take finds the answer in words said at any step; nil: only when asked.
	take func(t *turn, r *lexicon.Reading) (flows.Answer, bool)
	// pick replaces recording the value of a menu.
	pick func(t *turn, v flows.Value)
	// keep replaces recording an answer that read or take found.
	keep func(t *turn, a flows.Answer)
	// free: any words are the answer, so nothing else is looked for in them.
	free bool
	// media: a photo, voice or document answers it, with this value (empty: none).
	media      bool
	mediaValue flows.Value
	// forget is the memo that makes the question due: leaving the question ends it.
	forget string
	// text replaces the wording: parts of the prompt.
	text func(t *turn) []flows.Text
	// rescue marks the items of the rescue packet: each may be passed over by 0, in every mode.
	rescue bool
	// askPlace and askContact want the channel's own button.
	askPlace, askContact bool
	// label replaces choice.<step>.<value>.
	label func(t *turn, v flows.Value) flows.Text
}

// is reports whether the report is for w; an unanswered who_for counts as self.
func is(w flows.Value) func(*turn) bool {
	return func(t *turn) bool {
		v := t.value(flows.StepWhoFor)
		return v == w || v == "" && w == self
	}
}

// not turns a condition round.
func not(f func(*turn) bool) func(*turn) bool { return func(t *turn) bool { return !f(t) } }

// all joins conditions.
func all(fs ...func(*turn) bool) func(*turn) bool {
	return func(t *turn) bool {
		for _, f := range fs {
			if !f(t) {
				return false
			}
		}
		return true
	}
}

// applies reports whether the question is for this person at all.
func (q *question) applies(t *turn) bool { return q.when == nil || q.when(t) }

// gap reports whether the question waits for an answer.
func (q *question) gap(t *turn) bool {
	if q.due != nil {
		return q.due(t)
	}
	return q.applies(t) && !t.answered(q.id)
}

// choices are the values of the prompt as it is shown now, in the order of their numbers.
func (q *question) choices(t *turn) []flows.Value {
	menu := q.values(t)
	if q.rescue {
		return []flows.Value{flows.Skip}
	}
	if t.silent() {
		return menu
	}
	switch {
	case flows.Multi[q.id] && len(t.picked(q.id)) > 0:
		menu = append(slices.Clone(menu), flows.Done)
	}
	if q.part == optional {
		menu = append(slices.Clone(menu), flows.Skip)
	}
	return menu
}

// values are the answers a person may choose.
func (q *question) values(t *turn) []flows.Value {
	switch {
	case q.dynamic != nil:
		return q.dynamic(t)
	case q.silentMenu != nil && t.silent():
		return q.silentMenu
	}
	return q.menu
}

// zero reports whether v is typed as 0 in this menu.
func (q *question) zero(v flows.Value) bool {
	return v == flows.Skip || v == flows.None && (flows.ZeroIsNone[q.id] || q.part == aside)
}

// number is what a person types for the i-th choice; Done has none, because typed numbers go on by themselves.
func (q *question) number(choices []flows.Value, i int) string {
	if q.zero(choices[i]) {
		return "0"
	}
	if choices[i] == flows.Done {
		return ""
	}
	n := 1
	for _, v := range choices[:i] {
		if !q.zero(v) && v != flows.Done {
			n++
		}
	}
	return strconv.Itoa(n)
}

// byNumber finds the choice with this number.
func (q *question) byNumber(choices []flows.Value, n int) (flows.Value, bool) {
	want := strconv.Itoa(n)
	for i := range choices {
		if q.number(choices, i) == want {
			return choices[i], true
		}
	}
	return "", false
}

// ask is the wording of the question for this person.
func (q *question) ask(t *turn) []flows.Text {
	if q.text != nil {
		return q.text(t)
	}
	return t.wording(q)
}

// wording is ask.<step>, in the variant for a watched person, another person or a group.
func (t *turn) wording(q *question) []flows.Text {
	id := "ask." + string(q.id)
	switch who := t.value(flows.StepWhoFor); {
	case t.silent() && (q.silent || q.part == aside):
		id += ".silent"
	case who == otherPerson && q.other:
		id += ".other"
	case who == group && q.group:
		id += ".group"
	}
	return []flows.Text{t.text(flows.TextID(id))}
}

// labelOf is the label of one choice.
func (q *question) labelOf(t *turn, v flows.Value) flows.Text {
	switch {
	case v == flows.Skip:
		return t.text("choice.skip")
	case v == flows.Done:
		return t.text("choice.done")
	case q.label != nil:
		return q.label(t, v)
	}
	return t.text(flows.TextID("choice." + string(q.id) + "." + string(v)))
}

// answerOf reads a closed question from words: the values that the reader found for this step.
func (q *question) answerOf(t *turn) (flows.Answer, bool) {
	menu := q.values(t)
	var vs []flows.Value
	for _, v := range t.r.Chosen {
		if slices.Contains(menu, v) && !slices.Contains(vs, v) {
			vs = append(vs, v)
		}
	}
	if len(vs) == 0 && q.take != nil {
		if a, ok := q.take(t, &t.r); ok {
			return a, true
		}
	}
	if len(vs) == 0 && t.r.YesNo != "" && slices.Contains(menu, t.r.YesNo) && slices.Contains(menu, flows.Yes) {
		vs = append(vs, t.r.YesNo)
	}
	if len(vs) == 0 || len(vs) > 1 && !flows.Multi[q.id] {
		return flows.Answer{}, false
	}
	return flows.Answer{Values: inOrder(menu, vs)}, true
}

// splpInHand is the one answer that no menu offers: who types it has the travel document already.
const splpInHand flows.Value = "splp_in_hand"

// known reports whether the answer's values are ones that the step has: stored values are for ever, so nothing that a
// reader makes up gets in.
func (q *question) known(a flows.Answer) bool {
	if q.open || q.dynamic != nil {
		return true
	}
	for _, v := range a.Values {
		if !slices.Contains(q.menu, v) && (q.id != flows.StepPassportStatus || v != splpInHand) {
			return false
		}
	}
	return true
}

// inOrder sorts values by the menu and drops what excludes itself: "none" beside anything else.
func inOrder(menu, vs []flows.Value) []flows.Value {
	out := make([]flows.Value, 0, len(vs))
	for _, m := range menu {
		if slices.Contains(vs, m) && (m != flows.None || len(vs) == 1) {
			out = append(out, m)
		}
	}
	for _, v := range vs { // a value outside the menu ("splp_in_hand") stays
		if !slices.Contains(menu, v) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// one reads a single value that was found in a field of the reading.
func one(v flows.Value) (flows.Answer, bool) {
	return flows.Answer{Values: []flows.Value{v}}, v != ""
}
