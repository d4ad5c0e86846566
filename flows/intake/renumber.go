package intake

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// wrongNumber is the signal, known to casework, that the number on the case must not be rung; a new number ends it.
const wrongNumber = "wrong_number"

// renumber takes a number that was told after there was one: the latest is the one to ring. One that may be of two
// countries replaces the old one as well, for who gives a number does not mean the one before.
func (t *turn) renumber(a flows.Answer) {
	old := t.answer(flows.StepCallbackNumber)
	if t.asking() || a.Norm != "" && a.Norm == old.Norm || a.Has(ambiguous) && sameNumber(old.Norm, t.r.PhoneRaw) {
		return
	}
	t.accept(t.byID(flows.StepCallbackNumber), a)
}

// setNumber puts the number to ring on the case. One that takes another's place, or comes after the report was complete,
// is read back: what it begins and ends with, no more, for the screen may be seen.
func (t *turn) setNumber(a flows.Answer) {
	old := t.answer(flows.StepCallbackNumber).Norm
	if a.Norm != "" && a.Norm != old && (old != "" || t.told(flows.StepConfirm)) && !t.s.Paused && !t.closed() {
		t.say("number.noted", "Phone", shortNumber(a.Norm))
	}
	t.record(flows.StepCallbackNumber, a)
}

// shortNumber is "+855…2222".
func shortNumber(e164 string) string {
	n, err := phonenumbers.Parse(e164, "")
	if err != nil || len(e164) < 8 {
		return "…" + e164[max(0, len(e164)-4):]
	}
	code, _, _ := strings.Cut(phonenumbers.Format(n, phonenumbers.INTERNATIONAL), " ")
	return code + "…" + e164[len(e164)-4:]
}

// countryOfNumber takes the one word that settles of which country a number is, where the question is not asked: whoever
// is in danger is asked nothing.
func (t *turn) countryOfNumber() {
	if !t.danger() || t.memo(memoPhone) == "" || t.r.Phone != "" || t.r.Location == nil || t.r.Location.Place != "" ||
		len(strings.Fields(t.in.Text)) > 2 {
		return
	}
	q := t.byID(flows.StepNumberCountry)
	if a, ok := q.read(t, t.in.Text); ok {
		t.accept(q, a)
	}
}

// sameNumber reports whether digits as typed, a nought before them, are the end of a number in full.
func sameNumber(e164, raw string) bool {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, raw)
	digits = strings.TrimLeft(digits, "0")
	return len(digits) >= 7 && strings.HasSuffix(e164, digits)
}

// numberGone acts on words by which the number on the case is not to be rung any more: it was changed, the telephone
// was taken. It is off the case at once, whether or not a new one was given with it, and asked for anew.
func (t *turn) numberGone(text string) {
	if t.r.Phone != "" || !mayRing(t) || t.value(flows.StepWhoFor) == otherPerson || !lostNumber(fold(text)) {
		return
	}
	t.record(flows.StepCallbackNumber, flows.Answer{Review: true})
	t.note(memoPhone, "")
	t.signal(wrongNumber, t.in.Text)
	t.known = true
	t.say("number.gone")
	if !t.danger() {
		t.s.Ask = flows.StepCallbackNumber
	}
}

// ownNumberWrong reports whether somebody who reported another person says that the number told was wrong: theirs, the only
// one there is.
func (t *turn) ownNumberWrong() bool {
	text := fold(t.in.Text)
	return t.told(flows.StepCallbackNumber) && !t.told(flows.StepSubjectContact) && lostNumber(text) && t.has(wrongWords)
}

// The words of both languages by which a person says that a number or a telephone is gone.
var (
	phoneWords = lexicon.Plain("phone")
	phoneFill  = lexicon.Plain("phone_fill")
	phoneGone  = lexicon.Plain("phone_gone")
	phoneNot   = lexicon.Plain("phone_not")
	phoneUse   = lexicon.Plain("phone_use")
	phonePairs = lexicon.Plain("phone_pairs")
	wrongWords = lexicon.Plain("wrong")
)

// lostNumber reports whether the folded words say that a number or a telephone of the person's own is gone.
func lostNumber(text string) bool {
	for p := range phonePairs {
		if containsWord(text, p) {
			return true
		}
	}
	words := strings.Fields(text)
	for i, w := range words {
		if !phoneWords[w] {
			continue
		}
		j := i + 1
		for j < len(words) && phoneFill[words[j]] {
			j++
		}
		switch {
		case j == len(words):
		case phoneGone[words[j]]:
			return true
		case phoneNot[words[j]] && slices.ContainsFunc(words[j+1:min(len(words), j+4)], func(w string) bool { return phoneUse[w] }):
			return true
		}
	}
	return false
}
