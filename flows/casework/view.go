package casework

import (
	"strings"

	"pulang/flows"
)

// View is what the conversation may know of the case.
func View(c *Case) *flows.CaseView {
	if c == nil {
		return nil
	}
	return &flows.CaseView{
		Code: c.Code, Safety: c.Safety, Stage: string(c.Stage), Closed: c.Closed(), Muted: c.Muted,
		CodeWord: normalWord(c.Answers[flows.StepCodeWord]), JoinCode: c.Group,
	}
}

// normalWord is a secret word as it is compared: lower case, single spaces.
func normalWord(a flows.Answer) string {
	w := a.Norm
	if w == "" {
		w = a.Text
	}
	return strings.Join(strings.Fields(strings.ToLower(w)), " ")
}
