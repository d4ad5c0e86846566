package lexicon

import "strings"

func hasLeet(s string) bool { return strings.ContainsAny(s, "0134") }

// look finds a word in the lists: as it stands, then with repeats collapsed, leetspeak read, endings taken off,
// and at last with a spelling error tolerated.
func (l *Lexicon) look(s string, d *doc) (token, bool) {
	t := token{raw: s, num: -1}
	if l.known(s, &t) {
		return t, true
	}
	if c := collapse(s, 2); c != s {
		if len(s)-len(c) >= 2 {
			d.long = true
		}
		if l.known(c, &t) || l.known(collapse(s, 1), &t) {
			return t, true
		}
		s = collapse(s, 1)
	} else if c := collapse(s, 1); c != s && len(c) >= 3 && l.known(c, &t) {
		return t, true
	}
	if strings.ContainsAny(s, "01345") {
		if c := leet(s); c != s && l.known(c, &t) {
			return t, true
		}
	}
	if l.ending(s, &t) {
		return t, true
	}
	if l.glued(s) > 0 {
		return t, false
	}
	if l.common[s] {
		return t, false
	}
	if id := l.heard(s); id != 0 {
		t.id, t.fuzzy = id, true
		return t, true
	}
	if id := l.near(s); id != 0 {
		t.id, t.fuzzy = id, true
		t.num = l.value[id]
		return t, true
	}
	return t, false
}

// heard finds the word of the lists that s is as it is spoken: the last vowel is an o for a u, an e for an i or an a
// ("jatoh", "naek", "laper"). 0 for none.
func (l *Lexicon) heard(s string) word {
	if len(s) < 4 || len(s) > 8 {
		return 0
	}
	i := strings.LastIndexAny(s, "aeiou")
	if i < 1 {
		return 0
	}
	written := ""
	switch s[i] {
	case 'o':
		written = "u"
	case 'e':
		written = "ia"
	}
	for j := range len(written) {
		if id, ok := l.surface[s[:i]+written[j:j+1]+s[i+1:]]; ok && l.value[id] < 0 && !l.filler[id] {
			return id
		}
	}
	return 0
}

func (l *Lexicon) known(s string, t *token) bool {
	id, ok := l.surface[s]
	if ok {
		t.id, t.num = id, l.value[id]
		t.filler = l.filler[id]
	}
	return ok
}

// ending takes off -nya, -ku, -mu, -lah and the like, also the -ki, -mi, -ji of Makassar.
func (l *Lexicon) ending(s string, t *token) bool {
	for _, e := range []string{"nyalah", "nya", "ny", "ku", "mu", "lah", "kah", "pun", "mah", "ne", "na", "an", "in", "kan", "ki", "mi", "ji", "i", "e"} {
		stem, ok := strings.CutSuffix(s, e)
		if !ok || len(stem) < 2 || len(stem) == 2 && e != "nya" && e != "ku" || len(e) < 3 && e != "ku" && e != "mu" && e != "ny" && len(stem) < 4 {
			continue
		}
		if l.known(stem, t) && !t.filler {
			switch e {
			case "nya", "nyalah", "ny", "ne", "na", "e":
				t.its = true
			case "ku":
				t.mine = true
			}
			return true
		}
		t.filler = false
	}
	return false
}

// collapse shortens every run of one letter to at most n; runs of two are ordinary spelling only for n = 2.
func collapse(s string, n int) string {
	run := 0
	for i := 1; i < len(s); i++ {
		if s[i] == s[i-1] {
			if run++; run >= n {
				goto repeats
			}
		} else {
			run = 0
		}
	}
	return s
repeats:
	b := make([]byte, 0, len(s))
	run = 0
	for i := range len(s) {
		if i > 0 && s[i] == s[i-1] {
			run++
		} else {
			run = 0
		}
		if run == 0 || n == 2 && run == 1 && !(i+1 < len(s) && s[i+1] == s[i]) && !(i > 1 && s[i-2] == s[i]) {
			b = append(b, s[i])
		}
	}
	return string(b)
}

var leetLetters = [...]byte{'0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's'}

func leet(s string) string {
	b := []byte(s)
	for i, c := range b {
		if int(c) < len(leetLetters) && leetLetters[c] != 0 {
			b[i] = leetLetters[c]
		}
	}
	return string(b)
}
