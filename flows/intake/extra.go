package intake

import "pulang/flows"

var extraQuestions = []question{{
	id: flows.StepExtra, part: optional, open: true, free: true, media: true, other: true,
	read: func(t *turn, text string) (flows.Answer, bool) {
		return flows.Answer{Text: t.in.Text}, text != ""
	},
}}
