package desk

import (
	"cmp"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// bannerView stands above everything else on the case: what must not be done wrong.
type bannerView struct {
	Colour string // red, amber, green
	Items  []badge
	First  string
	Call   callView
}

func (q *request) banner(c *casework.Case, now time.Time) bannerView {
	b := bannerView{Call: q.call(c, now), First: q.t("desk.banner." + cmp.Or(string(c.Safety), "none"))}
	switch c.Safety {
	case flows.Danger:
		b.Colour = "red"
	case flows.Safe:
		b.Colour = "green"
	default:
		b.Colour = "amber"
	}
	aboutAnother := c.Answers[flows.StepSubjectSafe].Value() != flows.Yes && c.Answers[flows.StepWhoFor].Value() == "other_person"
	if c.Safety == flows.Safe && aboutAnother { // the answer was the reporter's own
		b.First = q.t("desk.banner.safe_reporter")
	}
	// Green is for a case in which nothing stands against ringing and nobody's life is at stake.
	if b.Colour == "green" && (b.Call.State == "no" || casework.Effective(c, now) == casework.P1) {
		b.Colour = "amber"
	}
	add := func(risk bool, key string, args ...any) { b.Items = append(b.Items, badge{q.t(key, args...), risk}) }
	switch {
	case casework.CodeWord(c) != "":
		add(false, "desk.banner.code_word")
	case c.Safety != flows.Safe:
		add(false, "desk.banner.no_code_word")
	}
	if len(c.Windows) > 0 {
		text := ""
		for i, w := range c.Windows {
			if i > 0 {
				text += ", "
			}
			text += q.windowText(w.From, w.To)
		}
		add(false, "desk.banner.windows", "Hours", text, "Zone", zoneName(now.In(q.zone())))
	}
	if c.Permission != flows.CallAnytime && c.Permission != flows.CallWindow || c.Safety != flows.Safe {
		add(true, "desk.banner.no_voicemail")
	}
	if aboutAnother {
		add(true, "desk.banner.reporter_only")
	}
	blocked := 0
	for _, k := range c.Contacts {
		if k.Blocked {
			blocked++
		}
	}
	if blocked > 0 && blocked == len(c.Contacts) {
		add(true, "desk.banner.blocked")
	}
	for _, f := range q.flags(c) {
		if f.Text != q.t("desk.safety."+string(c.Safety)) {
			b.Items = append(b.Items, f)
		}
	}
	return b
}
