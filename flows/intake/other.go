package intake

import "pulang/flows"

var otherQuestions = []question{
	{id: flows.StepRelation, part: optional, when: is(otherPerson), cond: "who_for=other_person"},
	{id: flows.StepSubjectName, part: optional, open: true, when: is(otherPerson), cond: "who_for=other_person", read: readName},
	{id: flows.StepSubjectContact, part: optional, open: true, free: true, when: is(otherPerson), cond: "who_for=other_person", read: withPhone},
	{
		id: flows.StepSubjectSafe, part: optional, cond: "subject_contact given",
		when: func(t *turn) bool { return is(otherPerson)(t) && t.told(flows.StepSubjectContact) },
	},
	{id: flows.StepLastContact, part: optional, open: true, free: true, when: is(otherPerson), cond: "who_for=other_person", read: words},
	{
		id: flows.StepRansomAsked, part: optional, when: is(otherPerson), cond: "who_for=other_person",
		pick: func(t *turn, v flows.Value) {
			t.record(flows.StepRansomAsked, flows.Answer{Values: []flows.Value{v}})
			if v == flows.Yes {
				t.signal("ransom_asked", t.in.Text)
			}
		},
	},
	{
		id: flows.StepRansomAmount, part: optional, open: true, free: true, media: true, cond: "ransom_asked=yes", read: words,
		when: func(t *turn) bool {
			return is(otherPerson)(t) && t.value(flows.StepRansomAsked) == flows.Yes
		},
	},
	{
		id: flows.StepDocsAvailable, part: optional, open: true, free: true, media: true, when: is(otherPerson),
		cond: "who_for=other_person", read: words,
	},
}

// withPhone takes any words, and the number in them.
func withPhone(t *turn, text string) (flows.Answer, bool) {
	a, ok := words(t, text)
	if t.r.Phone != "" && t.r.Phone != string(ambiguous) {
		a.Norm = t.r.Phone
	}
	return a, ok
}
