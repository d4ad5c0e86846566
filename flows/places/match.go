package places

import (
	"math/bits"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Match is a place (or a country alone) found in a text.
type Match struct {
	// Place is the best place; for a country alone only Place.Country is set.
	Place Place
	// Others are further places with the same spelling: ask which one is meant.
	Others []Place
	// From and To are the first word and the word after the last one; for Find also see Start and End.
	From, To int
	// Start and End are byte offsets into the text given to Find.
	Start, End int
	// Exact is false when a spelling error was tolerated: ask for confirmation.
	Exact bool
	// Weak marks names that are also ordinary words, and abbreviations: they count only where the text says that
	// somebody is there ("di pp"), or as the whole answer to the question where.
	Weak bool
	// CountryOnly is true when only a country was named.
	CountryOnly bool
}

type key struct {
	text  string // spaceless, folded
	mask  uint32 // which letters occur
	place int
}

type script struct {
	text    string
	place   int
	country string
}

// add registers one spelling of a place.
func (g *Gazetteer) add(name string, place int) {
	name = strings.TrimSpace(name)
	if name == "" {
		return
	}
	if !isLatin(name) {
		g.scripts = append(g.scripts, script{text: name, place: place})
		return
	}
	ws := Words(name)
	if len(ws) > 1 {
		g.heads[ws[0].Text] = true
		for _, kind := range []string{"airport", "market", "border"} { // an Indonesian puts it in front: airport techo
			if first, ok := strings.CutSuffix(strings.ToLower(name), " "+kind); ok {
				g.add(kind+" "+first, place)
			}
		}
	}
	k := spaceless(name)
	for _, i := range g.exact[k] {
		if g.keys[i].place == place {
			return
		}
	}
	g.longest = max(g.longest, len(ws))
	g.keys = append(g.keys, key{text: k, mask: mask(k), place: place})
	g.exact[k] = append(g.exact[k], len(g.keys)-1)
	if s := sound(k); len(s) >= 5 {
		g.sounds[s] = append(g.sounds[s], len(g.keys)-1)
	}
}

func (g *Gazetteer) index() {
	sort.SliceStable(g.scripts, func(i, j int) bool { return len(g.scripts[i].text) > len(g.scripts[j].text) })
	g.longest++ // a name may be written apart: "sihanouk ville", "poi pet"
}

// Find returns the places named in a text, in the order in which they stand.
func (g *Gazetteer) Find(text string) []Match {
	words := Words(text)
	ws := make([]string, len(words))
	for i, w := range words {
		ws[i] = w.Text
	}
	found := g.FindWords(ws, nil)
	for i := range found {
		found[i].Start, found[i].End = words[found[i].From].Start, words[found[i].To-1].End
	}
	return append(found, g.FindScripts(text)...)
}

// FindWords returns the places named by folded words. known (which may be nil) says which words are ordinary
// words that must not be taken for misspelled places. A word "" separates what stands before from what follows.
func (g *Gazetteer) FindWords(words []string, known []bool) []Match {
	var found []Match
	var buf [64]byte
	for i := 0; i < len(words); {
		m, ok := g.at(words, known, i, buf[:0])
		if !ok {
			i++
			continue
		}
		found = append(found, m)
		i = m.To
	}
	return found
}

// at finds the longest place that begins at word i; an exact one is preferred to a misspelled one.
func (g *Gazetteer) at(words []string, known []bool, i int, buf []byte) (Match, bool) {
	if words[i] == "" {
		return Match{}, false
	}
	for tolerant := range 2 {
		limit := g.longest
		if tolerant == 1 {
			limit = min(limit, 3)
		}
		ends := 0
		buf = buf[:0]
		var lens [8]int
		for n := 0; n < limit && n < len(lens) && i+n < len(words) && words[i+n] != "" && len(buf)+len(words[i+n]) <= cap(buf); n++ {
			buf = append(buf, words[i+n]...)
			lens[n] = len(buf)
			ends++
		}
		for n := ends; n >= 1; n-- {
			k := buf[:lens[n-1]]
			if n > 1 && !(tolerant == 0 && isDigit(k[len(k)-1])) && (len(k) < 5 || tolerant == 1 && len(words[i]) == 1 && len(k) < 6) {
				continue
			}
			if tolerant == 0 {
				if m, ok := g.exactly(k); ok {
					m.From, m.To = i, i+n
					return m, true
				}
				continue
			}
			if n > 1 && ordinary(g, words[i:i+n], known, i) || n == 1 && (g.words[words[i]] || known != nil && known[i]) {
				continue
			}
			if m, ok := g.nearly(string(k), n); ok {
				m.From, m.To = i, i+n
				return m, true
			}
		}
	}
	return Match{}, false
}

// ordinary says whether any of the words is an ordinary one, other than the first word of a place's name.
func ordinary(g *Gazetteer, words []string, known []bool, at int) bool {
	for j, w := range words {
		if (g.words[w] || known != nil && known[at+j]) && !(j == 0 && (w == "kampung" || g.heads[w])) {
			return true
		}
	}
	return false
}

func (g *Gazetteer) exactly(k []byte) (Match, bool) {
	if is, ok := g.exact[string(k)]; ok {
		m := g.match(is)
		m.Exact = true
		m.Weak = len(k) <= 3 || g.homonyms[string(k)]
		return m, true
	}
	if c, ok := g.names[string(k)]; ok {
		return Match{Place: Place{Country: c}, Exact: true, CountryOnly: true, Weak: g.homonyms[string(k)] || len(k) <= 3}, true
	}
	return Match{}, false
}

// nearly tolerates one wrong letter in names of six letters or more and two from nine, or a spelling that sounds
// the same to an Indonesian ear.
func (g *Gazetteer) nearly(k string, words int) (Match, bool) {
	if len(k) < 5 || len(k) > 40 || hasDigit(k) {
		return Match{}, false
	}
	if is, ok := g.sounds[sound(k)]; ok {
		var near []int
		for _, i := range is {
			if levenshtein.ComputeDistance(k, g.keys[i].text) <= 1+len(k)/5 {
				near = append(near, i)
			}
		}
		if len(near) > 0 {
			return g.match(near), true
		}
	}
	if len(k) < 6 {
		return Match{}, false
	}
	allowed := 1
	if len(k) >= 9 {
		allowed = 2
	}
	mk, best := mask(k), allowed+1
	var is []int
	for i, c := range g.keys {
		a := allowed
		if len(c.text) < 6 || abs(len(c.text)-len(k)) > a || bits.OnesCount32(c.mask^mk) > 2*a {
			continue
		}
		if len(c.text) < 9 {
			a = 1
		}
		// a first letter is seldom mistyped, and ordinary words differ from names there most often
		if c.text[0] != k[0] && (len(k) < 8 || sound(c.text[:1]) != sound(k[:1])) {
			continue
		}
		d := levenshtein.ComputeDistance(k, c.text)
		if d > a || d > best {
			continue
		}
		if d < best {
			is = is[:0]
		}
		best = d
		is = append(is, i)
	}
	if len(is) == 0 {
		return Match{}, false
	}
	return g.match(is), true
}

// match turns spellings into a Match; the first place of the file is the best one.
func (g *Gazetteer) match(is []int) Match {
	m := Match{Place: g.places[g.keys[is[0]].place]}
	for _, i := range is[1:] {
		if p := g.places[g.keys[i].place]; p.Name != m.Place.Name && !hasPlace(m.Others, p.Name) {
			m.Others = append(m.Others, p)
		}
	}
	return m
}

// FindScripts finds names written in Chinese, Khmer, Thai and other scripts; a longer name covers a shorter one.
func (g *Gazetteer) FindScripts(text string) []Match {
	if isLatin(text) {
		return nil
	}
	var found []Match
	taken := make([]bool, len(text))
	for _, s := range g.scripts {
		for from := 0; ; {
			i := strings.Index(text[from:], s.text)
			if i < 0 {
				break
			}
			i += from
			from = i + len(s.text)
			if taken[i] {
				continue
			}
			for j := i; j < from; j++ {
				taken[j] = true
			}
			m := Match{Start: i, End: from, Exact: true}
			if s.country != "" {
				m.Place, m.CountryOnly = Place{Country: s.country}, true
			} else {
				m.Place = g.places[s.place]
			}
			found = append(found, m)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Start < found[j].Start })
	return found
}

func hasPlace(ps []Place, name string) bool {
	for _, p := range ps {
		if p.Name == name {
			return true
		}
	}
	return false
}

func mask(s string) (m uint32) {
	for i := range len(s) {
		if c := s[i]; c >= 'a' && c <= 'z' {
			m |= 1 << (c - 'a')
		} else {
			m |= 1 << 26
		}
	}
	return m
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

func abs(n int) int { return max(n, -n) }

// isLatin says whether a text has no letters beyond the Latin, Greek and Cyrillic blocks.
func isLatin(s string) bool {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r >= 0x0900 && r < 0x1E00 || r >= 0x2E80 && r < 0xF900 || r >= 0x20000 && r < 0x30000 {
			return false
		}
		i += n
	}
	return true
}
