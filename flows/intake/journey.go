package intake

import "pulang/flows"

var journeyQuestions = []question{
	{
		id: flows.StepOverstaySince, part: optional, open: true, free: true, other: true, cond: "immigration_status=overstay",
		when: func(t *turn) bool { return !minor(t) && t.value(flows.StepImmigration) == "overstay" }, read: words,
	},
	{
		id: flows.StepEntryDate, part: optional, open: true, free: true, when: not(minor), cond: "not under age", other: true,
		read: dated,
	},
	{id: flows.StepEntryPoint, part: optional, open: true, free: true, when: not(minor), cond: "not under age", other: true, read: words},
}

// dated takes any words, and the day in them.
func dated(t *turn, text string) (flows.Answer, bool) {
	a, ok := words(t, text)
	a.Norm = t.r.BirthDate // the reader calls every date that
	return a, ok
}
