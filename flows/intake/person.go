package intake

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"pulang/flows"
	"pulang/flows/lexicon"
)

var personQuestions = []question{
	{
		id: flows.StepFullName, part: optional, open: true, when: not(is(otherPerson)), cond: "not other_person", read: readName,
		take: func(t *turn, r *lexicon.Reading) (flows.Answer, bool) {
			return flows.Answer{Text: r.FullName, Norm: r.FullName}, r.FullName != "" && !is(otherPerson)(t)
		},
	},
	{id: flows.StepSex, part: optional, other: true},
	{
		id: flows.StepBirthDate, part: optional, open: true, other: true,
		take: birth, read: func(t *turn, text string) (flows.Answer, bool) {
			if a, ok := birth(t, &t.r); ok {
				return a, true
			}
			n, err := strconv.Atoi(strings.TrimSpace(text))
			return flows.Answer{Norm: strconv.Itoa(n)}, err == nil && n >= 0 && n <= 100
		},
	},
	{
		// A child who is with the person: is somebody looking after it? A person under age was asked before.
		id: flows.StepTrustedAdult, part: optional, cond: "a child is there",
		when: func(t *turn) bool { return !minor(t) && t.answer(flows.StepUrgentNeeds).Has(child) },
		text: func(t *turn) []flows.Text { return []flows.Text{t.text("ask.trusted_adult.child")} },
	},
	{id: flows.StepHomeArea, part: optional, open: true, free: true, when: not(minor), cond: "not under age", other: true, read: words},
	{
		// A foreign spouse or child is listened to all the same; an officer names who is in charge.
		id: flows.StepNationality, part: optional, other: true,
		pick: func(t *turn, v flows.Value) {
			t.record(flows.StepNationality, flows.Answer{Values: []flows.Value{v}})
			if v == "other" {
				t.signal(foreigner, t.in.Text)
				t.foreign()
			}
		},
	},
}

// foreigner is the signal for somebody who is not an Indonesian citizen.
const foreigner = "nationality_other"

// foreign says once what this service can do for nationals of other countries.
func (t *turn) foreign() {
	if t.silent() || t.danger() || t.s.Paused || t.memo(memoForeign) != "" {
		return
	}
	t.note(memoForeign, "1")
	t.say("nationality.noted")
}

// birth reads a date of birth, or an age in years.
func birth(_ *turn, r *lexicon.Reading) (flows.Answer, bool) {
	switch {
	case r.BirthDate != "":
		return flows.Answer{Norm: r.BirthDate}, true
	case r.Age > 0:
		return flows.Answer{Norm: strconv.Itoa(r.Age)}, true
	}
	return flows.Answer{}, false
}

// readName takes a name of up to sixty characters; one word is normal. Only digits or pictures are asked about again.
func readName(t *turn, text string) (flows.Answer, bool) {
	if t.r.FullName != "" {
		return flows.Answer{Norm: t.r.FullName}, !sentence(t.r.FullName)
	}
	letters := strings.IndexFunc(text, unicode.IsLetter) >= 0
	if !letters || utf8.RuneCountInString(text) > 60 || strings.IndexFunc(text, unicode.IsDigit) >= 0 || t.r.Greeting ||
		sentence(text) {
		return flows.Answer{}, false
	}
	return flows.Answer{Norm: strings.Join(strings.Fields(text), " ")}, true
}
