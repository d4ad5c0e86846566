package intake

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

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
	{id: flows.StepGroupSamePlace, part: optional, when: is(group), cond: "who_for=group"},
	{
		id: flows.StepGroupMembers, part: optional, open: true, free: true, cond: "who_for=group, group_consent not no",
		when: func(t *turn) bool { return is(group)(t) && t.value(flows.StepGroupConsent) != flows.No },
		read: func(t *turn, text string) (flows.Answer, bool) {
			if t.r.YesNo == flows.No {
				return flows.Answer{Skipped: true}, true
			}
			names := namesIn(text)
			return flows.Answer{Norm: strings.Join(names, "\n")}, len(names) > 0 && !t.r.Greeting
		},
	},
}

// The names that a leader may type, and how long each may be.
const (
	mostNames = 100
	longName  = 60
)

// namesIn takes the names from a list as people type it: one a line, or with commas between them, numbered or not.
// They are names only: who bears them has agreed to nothing yet.
func namesIn(text string) []string {
	var names []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\n\r,;•", r) }) {
		name := strings.TrimLeft(strings.TrimSpace(part), "0123456789.)-*– ")
		name = strings.Join(strings.Fields(name), " ")
		if strings.IndexFunc(name, unicode.IsLetter) < 0 || len(names) == mostNames {
			continue
		}
		if r := []rune(name); len(r) > longName {
			name = string(r[:longName])
		}
		names = append(names, name)
	}
	return names
}

// groupSteps are the questions about the group.
var groupSteps = []flows.StepID{
	flows.StepGroupSize, flows.StepGroupVulnerable, flows.StepGroupConsent, flows.StepGroupSamePlace, flows.StepGroupMembers,
}

// tellJoin tells the leader the join code once no question about the group is left, answered or passed over, or when
// the leader goes on later. next is the question that follows; nil for none.
func (t *turn) tellJoin(next *question) {
	c := t.env.Case
	if c == nil || c.JoinCode == "" || t.mode() != flows.Safe || t.s.Ask != "" || t.memo(memoJoin) == c.JoinCode ||
		t.value(flows.StepWhoFor) != group || !t.answered(flows.StepConfirm) ||
		next != nil && (next.part != optional || slices.Contains(groupSteps, next.id)) {
		return
	}
	t.tell(c.JoinCode)
}

// tell says the group's own join code; the leader's case code opens STATUS and is nobody else's.
func (t *turn) tell(code string) {
	t.note(memoJoin, code)
	t.say("group.join", "JoinCode", code)
}
