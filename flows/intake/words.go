package intake

import (
	"slices"
	"strings"
	"unicode/utf8"

	"pulang/flows"
)

// The secret words. The officer says the person's word first; the second word, said anywhere, silently means danger.
var wordQuestions = []question{
	{
		id: flows.StepCodeWord, open: true, silent: true, free: true, when: needsWord, cond: "watched or in_compound",
		read: secret,
	},
	{
		id: flows.StepDuressWord, open: true, silent: true, free: true, cond: "code_word given, watched or in_compound",
		when: func(t *turn) bool { return needsWord(t) && t.answer(flows.StepCodeWord).Norm != "" },
		read: func(t *turn, text string) (flows.Answer, bool) {
			a, ok := secret(t, text)
			return a, ok && a.Norm != t.answer(flows.StepCodeWord).Norm
		},
	},
}

// laterQuestions offer the code word to everybody else, after the confirmation.
var laterQuestions = []question{{
	id: flows.StepCodeWord, part: optional, open: true, free: true, when: not(needsWord), cond: "everybody else", read: secret,
}}

// needsWord reports whether a stranger may answer the person's phone.
func needsWord(t *turn) bool {
	return t.silent() || t.value(flows.StepPlaceKind) == "in_compound" && t.value(flows.StepWhoFor) != otherPerson
}

// secretNumber reads the silent form: four digits, and not those that anybody would try first.
func secretNumber(w string) (flows.Answer, bool) {
	w = strings.ReplaceAll(w, " ", "")
	if len(w) != 4 || strings.Trim(w, "0123456789") != "" || w == "1234" || strings.Count(w, w[:1]) == 4 {
		return flows.Answer{}, false
	}
	return flows.Answer{Norm: w}, true
}

// examples are the words in our own texts: everybody could guess them.
var examples = []string{"mangga", "mango"}

// secret reads a secret word: one or two words, up to thirty characters, not the example, not a yes or no. "No" or
// "later" means that the person does not want one now.
func secret(t *turn, text string) (flows.Answer, bool) {
	w := fold(text)
	if t.r.YesNo == flows.No || t.silent() && w == "0" || putsOff(text) {
		return flows.Answer{Skipped: true}, true
	}
	if t.silent() {
		return secretNumber(w)
	}
	if n := utf8.RuneCountInString(w); n < 2 || n > 30 || strings.Count(w, " ") > 1 || slices.Contains(examples, w) || t.r.YesNo != "" {
		return flows.Answer{}, false
	}
	return flows.Answer{Norm: w}, true
}
