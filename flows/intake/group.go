package intake

import (
	"strconv"
	"strings"

	"pulang/flows"
	"pulang/flows/lexicon"
)

var groupQuestions = []question{
	{
		id: flows.StepGroupSize, part: optional, open: true, when: is(group), cond: "who_for=group",
		take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) {
			if r.GroupSize < 2 {
				return flows.Answer{}, false
			}
			a := flows.Answer{Norm: strconv.Itoa(r.GroupSize)}
			if r.Approx {
				a.Values = []flows.Value{"approx"}
			}
			return a, true
		},
		read: func(t *turn, text string) (flows.Answer, bool) {
			if t.r.GroupSize > 0 {
				a := flows.Answer{Norm: strconv.Itoa(t.r.GroupSize)}
				if t.r.Approx {
					a.Values = []flows.Value{"approx"}
				}
				return a, true
			}
			n, err := strconv.Atoi(strings.TrimSpace(text))
			return flows.Answer{Norm: strconv.Itoa(n)}, err == nil && n >= 1 && n <= 500
		},
	},
	{id: flows.StepGroupVulnerable, part: optional, open: true, free: true, when: is(group), cond: "who_for=group", read: words},
	{id: flows.StepGroupConsent, part: optional, when: is(group), cond: "who_for=group"},
	{
		id: flows.StepGroupSamePlace, part: optional, when: is(group), cond: "who_for=group",
		pick: func(t *turn, v flows.Value) {
			t.record(flows.StepGroupSamePlace, flows.Answer{Values: []flows.Value{v}})
			if c := t.env.Case; c != nil && c.JoinCode != "" {
				t.say("group.join", "JoinCode", c.JoinCode)
			}
		},
	},
}
