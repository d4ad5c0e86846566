package lexicon

import (
	"math/bits"

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
			if d > allowed || size < 10 && d > 1 {
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
