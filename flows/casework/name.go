package casework

import (
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"pulang/flows"
)

// NamedLike reports whether a name on the case resembles what was typed: each typed word is a word of one name, or its
// beginning, or differs from it by one letter where it is long. Names are compared in memory, on cases that are open
// anyway: an index of them, blinded or not, would tell from how often a value occurs which one is Siti.
func NamedLike(c *Case, typed string) bool {
	want := nameWords(typed)
	if len(want) == 0 {
		return false
	}
	for _, step := range []flows.StepID{flows.StepFullName, flows.StepSubjectName} {
		a := c.Answers[step]
		if a.Skipped {
			continue
		}
		if likeName(want, nameWords(a.Text)) || likeName(want, nameWords(a.Norm)) {
			return true
		}
	}
	return false
}

func likeName(want, have []string) bool {
	for _, w := range want {
		found := false
		for _, h := range have {
			n := len([]rune(w))
			found = found || w == h || n >= 3 && strings.HasPrefix(h, w) || n >= 5 && levenshtein.ComputeDistance(w, h) <= 1
		}
		if !found {
			return false
		}
	}
	return len(have) > 0
}

// nameWords are the words of a name as they are compared: lower case, without accents and punctuation.
func nameWords(s string) []string {
	plain, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), strings.ToLower(s))
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
