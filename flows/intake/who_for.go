package intake

import (
	"pulang/flows"
	"pulang/flows/lexicon"
)

// Values of who_for.
const (
	self        flows.Value = "self"
	group       flows.Value = "group"
	otherPerson flows.Value = "other_person"
)

var whoQuestions = []question{{
	id: flows.StepWhoFor,
	take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) {
		if r.WhoFor == "" && r.GroupSize > 1 {
			return one(group)
		}
		return one(r.WhoFor)
	},
}}
