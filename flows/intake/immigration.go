package intake

import (
	"pulang/flows"
	"pulang/flows/lexicon"
)

var permitQuestions = []question{{
	id: flows.StepImmigration, when: not(minor), cond: "not under age", other: true, group: true,
	take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) { return one(r.Permit) },
}}
