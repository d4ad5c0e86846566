package intake

import (
	"pulang/flows"
)

// ownPlans: the way home of a grown-up who speaks for himself.
var ownPlans = all(not(minor), not(is(otherPerson)))

var homeQuestions = []question{
	{id: flows.StepReturnPlan, part: optional, when: ownPlans, cond: "not under age, not other_person"},
	{
		id: flows.StepFamilyContact, part: optional, open: true, free: true, when: ownPlans, cond: "not under age, not other_person",
		read: func(t *turn, text string) (flows.Answer, bool) {
			if t.r.YesNo == flows.No && t.r.Phone == "" {
				return one(flows.None)
			}
			return withPhone(t, text)
		},
	},
	{
		id: flows.StepFamilyConsent, part: optional, cond: "family_contact given",
		when: func(t *turn) bool {
			return ownPlans(t) && t.told(flows.StepFamilyContact) && t.value(flows.StepFamilyContact) != flows.None
		},
	},
	{id: flows.StepConsentShare, part: optional, when: ownPlans, cond: "not under age, not other_person"},
}
