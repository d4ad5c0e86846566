package casework

import (
	"strings"
	"time"

	"pulang/flows"
)

// View is what the conversation may know of the case.
func View(c *Case) *flows.CaseView {
	if c == nil {
		return nil
	}
	v := &flows.CaseView{
		Code: c.Code, Safety: c.Safety, Stage: string(c.Stage), Closed: c.Closed(), Muted: c.Muted,
		Read:     !c.LastRead.IsZero(),
		CodeWord: normalWord(c.Answers[flows.StepCodeWord]), JoinCode: c.Leads, Withdrawn: c.WithdrawnAt,
		Reporter: Reporter(c),
	}
	if v.Rescue = c.RescueWanted(); len(v.Rescue) > 0 {
		v.RescueAt = c.Rescue.At
	}
	return v
}

// normalWord is a secret word as it is compared: lower case, single spaces. Words that were only kept for an officer,
// or that passed over the question, are none.
func normalWord(a flows.Answer) string {
	w := a.Norm
	if w == "" && !a.Skipped && !a.Review {
		w = a.Text
	}
	return strings.Join(strings.Fields(strings.ToLower(w)), " ")
}

// CodeWord is the secret word as the person wrote it, which an officer says first; "" when none was set. Words that
// were refused, or that passed over the question, are none.
func CodeWord(c *Case) string {
	a := c.Answers[flows.StepCodeWord]
	if a.Skipped || a.Review {
		return ""
	}
	return a.Text
}

const otherPerson flows.Value = "other_person"

// Reporter reports whether the case is written by somebody else than the person it is about, who has not agreed, in
// an officer's record, that the writer is told of them. A person of age may want no contact with the family.
func Reporter(c *Case) bool {
	about := c.Answers[flows.StepWhoFor]
	if about.By != "" && about.Value() != otherPerson {
		return false // an officer found out that it was a slip
	}
	if !c.Reported && about.Value() != otherPerson {
		return false
	}
	consent := c.Answers[flows.StepSubjectConsent]
	return consent.By == "" || consent.Value() != flows.Yes
}

// Country is the country of the newest statement of where the person is, the answer to "which country" included; ""
// when none names one.
func Country(c *Case) string {
	at, country := time.Time{}, ""
	for i := len(c.Locations) - 1; i >= 0; i-- {
		if l := c.Locations[i]; l.Country != "" {
			at, country = l.At, l.Country
			break
		}
	}
	if a := c.Answers[flows.StepCountry]; len(a.Value()) == 2 && !a.At.Before(at) {
		country = string(a.Value())
	}
	return country
}
