package intake

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"pulang/flows"
)

// understood says in one line what was taken from the person's words, so that a misreading can be corrected. It is
// for people who are safe: on another phone's screen it would be a confession. Secret words and numbers are never in
// it, and neither is what was not understood.
func (t *turn) understood() string {
	if t.mode() != flows.Safe || t.f.cfg.Text == nil {
		return ""
	}
	var facts []string
	put := func(x flows.Text) { facts = append(facts, t.f.cfg.Text(t.s.Lang, x.ID, x.Args)) }
	label := func(step flows.StepID, v flows.Value) string {
		l := t.byID(step).labelOf(t, v)
		return lower(t.f.cfg.Text(t.s.Lang, l.ID, l.Args))
	}
	sure := func(step flows.StepID) (flows.Answer, bool) {
		a := t.answer(step)
		return a, t.told(step) && !a.Review && len(a.Values) > 0
	}
	if n := t.answer(flows.StepGroupSize).Norm; n != "" && t.value(flows.StepWhoFor) == group {
		put(t.text("understood.people", "N", n))
	}
	if l := t.answer(flows.StepLocation).Location; l != nil {
		switch {
		case l.Place != "" && l.Province != "" && l.Province != l.Place:
			facts = append(facts, l.Place+", "+l.Province)
		case l.Place != "":
			facts = append(facts, l.Place)
		case l.Country != "":
			facts = append(facts, t.f.countryName(t.s.Lang, l.Country))
		case l.HasPoint:
			put(t.text("understood.point"))
		}
	}
	if a, ok := sure(flows.StepUrgentNeeds); ok {
		for _, v := range a.Values {
			if v != flows.None {
				facts = append(facts, label(flows.StepUrgentNeeds, v))
			}
		}
	}
	if a, ok := sure(flows.StepPassportStatus); ok && a.Value() != splpInHand && a.Value() != flows.Unknown {
		put(t.text("understood.passport", "What", label(flows.StepPassportStatus, a.Value())))
	}
	if a, ok := sure(flows.StepImmigration); ok && a.Value() != flows.Unknown {
		put(t.text("understood.permit", "What", label(flows.StepImmigration, a.Value())))
	}
	if a, ok := sure(flows.StepContactPref); ok {
		how := label(flows.StepContactPref, a.Value())
		if h := t.answer(flows.StepSafeTime); a.Value() == flows.CallWindow && h.Norm != "" && !h.Review {
			how += " (" + strings.ReplaceAll(h.Norm, ",", ", ") + ")" // a phone that rings at another hour can be heard by others
		}
		facts = append(facts, how)
	}
	return strings.Join(facts, "; ")
}

// lower writes the first letter small, unless the word is an abbreviation.
func lower(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if second, _ := utf8.DecodeRuneInString(s[n:]); unicode.IsUpper(second) || second == ' ' {
		return s
	}
	return string(unicode.ToLower(first)) + s[n:]
}
