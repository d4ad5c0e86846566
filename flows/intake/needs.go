package intake

import (
	"slices"

	"pulang/flows"
	"pulang/flows/lexicon"
)

const (
	sick             flows.Value = "sick"
	child            flows.Value = "child"
	heldOrThreatened flows.Value = "held_or_threatened"
	// both is what a watched person chooses with one digit: ill, and locked up.
	both flows.Value = "both"
)

var needsQuestions = []question{{
	id: flows.StepUrgentNeeds, silent: true, silentMenu: []flows.Value{sick, heldOrThreatened, both, flows.None},
	when: not(minor), cond: "not under age", other: true,
	take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) {
		return flows.Answer{Values: inOrder(flows.Menus[flows.StepUrgentNeeds], r.Needs)}, len(r.Needs) > 0
	},
	text: func(t *turn) []flows.Text {
		if len(t.picked(flows.StepUrgentNeeds)) > 0 && !t.silent() {
			return []flows.Text{t.text("multi.more")}
		}
		return t.wording(t.byID(flows.StepUrgentNeeds))
	},
}}

// moreNeeds adds what was told later; nothing that was told before is taken back.
func (t *turn) moreNeeds(a flows.Answer) {
	old := t.answer(flows.StepUrgentNeeds)
	vs := slices.Clone(old.Values)
	for _, v := range a.Values {
		if v != flows.None && !slices.Contains(vs, v) {
			vs = append(vs, v)
		}
	}
	vs = inOrder(flows.Menus[flows.StepUrgentNeeds], vs)
	if slices.Equal(vs, old.Values) {
		return
	}
	t.record(flows.StepUrgentNeeds, flows.Answer{Values: vs})
}

// expand replaces what one digit stood for.
func expand(vs []flows.Value) []flows.Value {
	if i := slices.Index(vs, both); i >= 0 {
		vs = append(slices.Delete(vs, i, i+1), sick, heldOrThreatened)
	}
	return vs
}
