package intake

import "pulang/flows"

var healthQuestions = []question{{
	id: flows.StepHealthDetail, part: optional, open: true, free: true, media: true, other: true, read: words,
	cond: "injured|sick|pregnant",
	when: func(t *turn) bool {
		a := t.answer(flows.StepUrgentNeeds)
		return !minor(t) && (a.Has("injured") || a.Has(sick) || a.Has("pregnant"))
	},
}}
