package intake

import (
	"strconv"
	"time"

	"pulang/flows"
)

// A person under age is asked where they are, whether they are safe, whether an adult they trust is with them, and how
// they may be reached; nothing about papers.
var minorQuestions = []question{{
	id: flows.StepTrustedAdult, when: minor, cond: "under age", other: true,
}}

// alone is what memoMinor holds once it was said that no adult is there.
const alone = "alone"

// minor reports whether the person concerned is known to be under 18.
func minor(t *turn) bool {
	if t.memo(memoMinor) != "" {
		return true
	}
	a := t.answer(flows.StepBirthDate)
	if a.Norm == "" {
		return false
	}
	if n, err := strconv.Atoi(a.Norm); err == nil {
		return n < 18
	}
	born, err := time.Parse(time.DateOnly, a.Norm)
	return err == nil && born.AddDate(18, 0, 0).After(t.in.At)
}
