package intake

import (
	"pulang/flows"
	"pulang/flows/lexicon"
)

var papersQuestions = []question{{
	id: flows.StepIDProof, part: optional, when: all(not(minor), not(is(otherPerson))), cond: "not under age, not other_person",
	take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) {
		return flows.Answer{Values: []flows.Value{"knows_nik"}, Norm: r.NIK}, r.NIK != ""
	},
	text: func(t *turn) []flows.Text {
		if len(t.picked(flows.StepIDProof)) > 0 {
			return []flows.Text{t.text("multi.more")}
		}
		return t.wording(t.byID(flows.StepIDProof))
	},
}}
