package intake

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"pulang/flows"
	"pulang/flows/lexicon"
)

const ambiguous flows.Value = "ambiguous"

var contactQuestions = []question{
	{
		id: flows.StepContactPref, silent: true, silentMenu: []flows.Value{flows.TextOnly, flows.CallWindow, flows.WaitForMe},
		take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) { return one(r.Contact) },
	},
	{
		id: flows.StepSafeTime, open: true, silent: true,
		when: func(t *turn) bool {
			return t.value(flows.StepContactPref) == flows.CallWindow && t.answered(flows.StepContactPref)
		},
		cond: "contact_pref=call_window",
		take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) { return hours(r) },
		read: func(t *turn, _ string) (flows.Answer, bool) { return hours(&t.r) },
		keep: keepHours,
	},
	safeTimePart,
	{
		id: flows.StepCallbackNumber, open: true, silent: true, when: mayRing, cond: "contact_pref=call_anytime|call_window",
		askContact: true,
		take: func(t *turn, r *lexicon.Reading) (flows.Answer, bool) {
			if r.Phone == "" || t.value(flows.StepWhoFor) == otherPerson && !t.asks(flows.StepCallbackNumber) && !t.ownNumberWrong() {
				return flows.Answer{}, false
			}
			return number(r), true
		},
		read: func(t *turn, _ string) (flows.Answer, bool) { return number(&t.r), t.r.Phone != "" },
		keep: func(t *turn, a flows.Answer) {
			if a.Has(ambiguous) {
				raw := t.r.PhoneRaw
				if raw == "" {
					raw = t.in.Text
				}
				t.note(memoPhone, raw)
			} else {
				t.note(memoPhone, "")
			}
			t.setNumber(a)
		},
	},
	{
		// 08… may be a number of this country or an Indonesian one: it is never guessed.
		id: flows.StepNumberCountry, silent: true, cond: "callback_number is of two countries", forget: memoPhone,
		dynamic: func(t *turn) []flows.Value { return []flows.Value{flows.Value(t.f.cfg.Country), "ID"} },
		due:     func(t *turn) bool { return t.memo(memoPhone) != "" },
		label: func(t *turn, v flows.Value) flows.Text {
			if v == flows.Value(t.f.cfg.Country) && v != "ID" {
				return t.text("choice.number_country.here")
			}
			return t.text("choice.number_country.ID")
		},
		read: func(t *turn, _ string) (flows.Answer, bool) {
			if l := t.r.Location; l != nil && (l.Country == "ID" || l.Country == t.f.cfg.Country) {
				return one(flows.Value(l.Country))
			}
			if t.r.Phone != "" && t.r.Phone != string(ambiguous) { // written again in full
				a := number(&t.r)
				a.Text = t.in.Text
				return a, true
			}
			return flows.Answer{}, false
		},
		keep: resolveNumber,
	},
}

// mayRing reports whether the person allowed a call.
func mayRing(t *turn) bool {
	if !t.answered(flows.StepContactPref) {
		return false
	}
	v := t.value(flows.StepContactPref)
	return v == flows.CallAnytime || v == flows.CallWindow
}

// number is the answer that holds a telephone number: E.164, or both countries still possible.
func number(r *lexicon.Reading) flows.Answer {
	if r.Phone == string(ambiguous) {
		return flows.Answer{Values: []flows.Value{ambiguous}, Review: true}
	}
	return flows.Answer{Norm: r.Phone}
}

// resolveNumber puts the number on the case once its country is known.
func resolveNumber(t *turn, a flows.Answer) {
	raw := t.memo(memoPhone)
	t.note(memoPhone, "")
	v := a.Value()
	if a.Norm == "" {
		if v == "" {
			return
		}
		t.record(flows.StepNumberCountry, flows.Answer{Values: []flows.Value{v}})
		n, err := phonenumbers.Parse(raw, string(v))
		if err != nil {
			t.record(flows.StepCallbackNumber, flows.Answer{Text: raw, Review: true})
			return
		}
		a.Norm = phonenumbers.Format(n, phonenumbers.E164)
	}
	if a.Text != "" {
		raw = a.Text
	}
	t.setNumber(flows.Answer{Text: raw, Norm: a.Norm})
}

// carded handles a contact card. Only a number that the messenger vouches for, or one that was asked for, is taken as
// the person's own.
func (t *turn) carded() {
	t.content = true
	c := t.in.Contact
	if t.closed() || t.s.Paused || c == nil {
		t.aside()
		return
	}
	q := t.current()
	norm := ""
	if n, err := phonenumbers.Parse(c.Phone, t.f.cfg.Country); err == nil && strings.HasPrefix(c.Phone, "+") || err == nil && c.Own {
		norm = phonenumbers.Format(n, phonenumbers.E164)
	}
	if !strings.HasPrefix(c.Phone, "+") { // messengers give the number in full, with or without the plus
		if n, err := phonenumbers.Parse("+"+c.Phone, ""); err == nil && phonenumbers.IsValidNumber(n) {
			norm = phonenumbers.Format(n, phonenumbers.E164)
		}
	}
	a := flows.Answer{Text: c.Phone, Norm: norm, Review: norm == ""}
	switch {
	case q != nil && (q.id == flows.StepFamilyContact || q.id == flows.StepSubjectContact || q.id == flows.StepExtra):
		a.Text = strings.TrimSpace(c.Name + " " + c.Phone)
		t.accept(q, a)
	case c.Own || q != nil && q.id == flows.StepCallbackNumber:
		t.note(memoPhone, "")
		t.setNumber(a)
	default:
		t.sayKept("media.contact")
		t.known = true
	}
	t.goOn()
}
