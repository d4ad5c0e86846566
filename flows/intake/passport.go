package intake

import (
	"pulang/flows"
	"pulang/flows/lexicon"
)

const (
	withMeValid flows.Value = "with_me_valid"
	lostStolen  flows.Value = "lost_stolen"
	heldByOther flows.Value = "held_by_other"
)

var passportQuestions = []question{
	{
		id: flows.StepPassportStatus, silent: true, silentMenu: []flows.Value{withMeValid, lostStolen, heldByOther},
		when: not(minor), cond: "not under age", other: true, group: true,
		take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) { return one(r.Passport) },
		keep: func(t *turn, a flows.Answer) {
			// One digit of a watched person says less than the question: an officer looks at it again.
			if t.silent() && len(t.r.Passport) == 0 {
				a.Review = true
			}
			t.record(flows.StepPassportStatus, a)
		},
	},
	{
		id: flows.StepPassportCopy, when: all(not(minor), passportAway), cond: "passport not at hand", other: true,
		media: true, mediaValue: "photo",
		take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) {
			return flows.Answer{Values: []flows.Value{"number"}, Norm: r.PassportNo}, r.PassportNo != ""
		},
		read: func(t *turn, _ string) (flows.Answer, bool) {
			q := t.byID(flows.StepPassportCopy)
			a, ok := q.answerOf(t)
			if !ok && t.r.YesNo == flows.No {
				return one(flows.None)
			}
			return a, ok
		},
	},
}

// passportAway reports whether the person had a passport and does not have it at hand.
func passportAway(t *turn) bool {
	switch t.value(flows.StepPassportStatus) {
	case "held_by_employer", heldByOther, "held_by_authority", lostStolen, "damaged":
		return true
	}
	return false
}
