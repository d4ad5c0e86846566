package lexicon

import (
	"math/bits"
	"strings"

	"github.com/agnivade/levenshtein"
)

// entry is a word that a misspelling may be taken for.
type entry struct {
	text string
	mask uint32
	id   word
}

// near finds the one word of the lists that s is a misspelling of: one wrong letter from six letters on, two from
// ten. Nothing when two different words are equally near.
func (l *Lexicon) near(s string) word {
	if len(s) < 5 || len(s) > 24 {
		return 0
	}
	allowed := 1
	if len(s) >= 10 {
		allowed = 2
	}
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return 0
		}
	}
	m := letters(s)
	best, id := allowed+1, word(0)
	for size := len(s) - allowed; size <= len(s)+allowed; size++ {
		if size < 6 || size >= len(l.byLength) {
			continue
		}
		for i := range l.byLength[size] {
			e := &l.byLength[size][i]
			if bits.OnesCount32(e.mask^m) > 2*allowed || e.text[0] != s[0] {
				continue
			}
			d := levenshtein.ComputeDistance(s, e.text)
			if d == 2 && e.mask == m && swapped(s, e.text) {
				d = 1
			} else if d > allowed || size < 10 && d > 1 || d == 1 && !slip(s, e.text) {
				continue
			}
			switch {
			case d < best:
				best, id = d, e.id
			case d == best && id != e.id && id != 0 && l.value[id] >= 0 && l.value[e.id] < 0:
				id = e.id // numbers are seldom misspelled
			case d == best && id != e.id && !(l.value[e.id] >= 0 && id != 0 && l.value[id] < 0):
				id = 0
			}
		}
	}
	return id
}

// slip says whether two spellings, one letter apart, differ as fingers and ears err: a vowel dropped, added or taken
// for another, a letter doubled, an h or a final sound lost, a neighbouring key, a voiced consonant for its twin. Other
// differences mostly make another word.
func slip(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	switch {
	case len(a) == len(b):
		return vowel(a[i]) && vowel(b[i]) || strings.IndexByte(beside[a[i]-'a'], b[i]) >= 0
	case len(a) < len(b):
		a, b = b, a
	}
	// a has one letter more, at i
	c := a[i]
	return vowel(c) || c == 'h' || i > 0 && a[i-1] == c || i+1 < len(a) && a[i+1] == c
}

// swapped says whether two neighbouring letters changed places.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

func vowel(c byte) bool { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' }

// beside are the keys next to a key, and the consonants that sound like it.
var beside = [26]string{"qwsz", "vghnp", "xdfvkj", "serfcxt", "wrsd", "drtgcvp", "ftyhbvk", "gyujnb", "uojk", "huiknmcz", "jiolmgcq", "kop", "njk", "bhjm", "ipkl", "olbf", "wak", "etdf", "awedxzc", "rygfd", "yihj", "cfgbwp", "qesav", "zsdc", "tughi", "asxj"}

func letters(s string) (m uint32) {
	for i := range len(s) {
		if c := s[i]; c >= 'a' && c <= 'z' {
			m |= 1 << (c - 'a')
		} else {
			m |= 1 << 26
		}
	}
	return m
}
