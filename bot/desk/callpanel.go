package desk

import (
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// callPanel is everything round the telephone. Number is set only while an attempt is on that this officer
// recorded, so that no page holds a number that may not ring.
type callPanel struct {
	OK       bool
	Text     string // the verdict in words
	Left     int    // rings that remain of the cap
	HasPhone bool
	Masked   string
	// Override offers a supervisor to go against the gate, with a reason.
	Override bool
	// Attempt is the attempt without outcome; Mine says that this officer began it.
	Attempt  *casework.Attempt
	Mine     bool
	Number   string // E.164, only while dialing
	WhatsApp string
	Word     string // the code word, while dialing
	Outcomes []option
	Purposes []option
	History  []attemptView
	Script   bool
	Safe     bool
}

// attemptView is one attempt of the past.
type attemptView struct {
	At       time.Time
	By       string
	Via      string
	Outcome  string
	Note     words
	Override words
}

func (q *request) callPanel(c *casework.Case, now time.Time, see shown) callPanel {
	v := casework.MayCall(c, now, q.mission.rules)
	number := dialNumber(c)
	p := callPanel{OK: v.OK, Text: q.call(c, now).Text, Left: v.Left, HasPhone: number != "", Safe: c.Safety == flows.Safe}
	if number != "" {
		p.Masked = maskNumber(number)
	}
	p.Override = !v.OK && v.Why != casework.CallClosed && v.Why != casework.CallOutcomeFirst && q.may(casework.ActOverrideCall)
	if a, ok := casework.OpenAttempt(c); ok {
		p.Attempt, p.Mine = &a, a.By == q.user.Name
	}
	if _, ok := casework.Dialing(c, q.user.Name, now); ok {
		p.Number, p.Script = number, true
		if number != "" {
			p.WhatsApp = number[1:]
		}
		p.Word = cleanLine(casework.CodeWord(c)).Text
	}
	for _, o := range casework.OutcomeOrder {
		if o == casework.MessageLeft && c.Permission != flows.CallAnytime && c.Permission != flows.CallWindow {
			continue
		}
		p.Outcomes = append(p.Outcomes, option{Value: string(o), Label: q.t("outcome." + string(o))})
	}
	for _, s := range purposes {
		p.Purposes = append(p.Purposes, option{Value: s, Label: q.t("desk.purpose." + s)})
	}
	for i := len(c.Attempts) - 1; i >= 0; i-- {
		a := c.Attempts[i]
		h := attemptView{At: a.At, By: a.By, Via: q.t("desk.via." + a.Via), Outcome: q.t("desk.attempt.open"), Note: masked(a.Note, see), Override: masked(a.Override, see)}
		if a.Outcome != "" {
			h.Outcome = q.t("outcome." + string(a.Outcome))
		}
		p.History = append(p.History, h)
	}
	return p
}
