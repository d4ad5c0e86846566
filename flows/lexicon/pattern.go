package lexicon

import (
	"fmt"
	"strings"
)

// word numbers a word of the lists; 0 is any word that they do not know.
type word int32

// set is a set of words.
type set []uint64

func (s set) has(w word) bool { return int(w>>6) < len(s) && s[w>>6]&(1<<(w&63)) != 0 }

func (s *set) put(w word) {
	for int(w>>6) >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[w>>6] |= 1 << (w & 63)
}

// element is one step of a phrase.
type element struct {
	one      word // a single word, when set is nil
	set      set
	gap      int // more than 0: up to so many words of any kind
	optional bool
}

func (e *element) fits(t *token) bool {
	if e.set != nil {
		return e.set.has(t.id)
	}
	return e.one == t.id
}

// phrase is one line of a list, compiled.
type phrase struct {
	section  int
	text     string // as it stands in the list
	elements []element
	begin    bool // only at the beginning of the message
	finish   bool // only at its end
}

// hit is a phrase found in a message.
type hit struct {
	section    int
	start, end int // tokens
}

// compile reads one phrase: words; a/b for either; <list> for a word of a list; (x) optional; .. for up to three
// words of any kind without a comma between them, ... for up to six; # for a number; ^ at the front and $ at the end for the edges of the message,
// = for the whole message.
func (l *Lexicon) compile(line string, section int) error {
	p := phrase{section: section, text: strings.Join(strings.Fields(line), " ")}
	if rest, ok := strings.CutPrefix(line, "="); ok {
		p.begin, p.finish, line = true, true, rest
	}
	if rest, ok := strings.CutPrefix(line, "^"); ok {
		p.begin, line = true, rest
	}
	if rest, ok := strings.CutSuffix(line, "$"); ok {
		p.finish, line = true, rest
	}
	for f := range strings.FieldsSeq(line) {
		var e element
		if len(f) > 2 && f[0] == '(' && f[len(f)-1] == ')' {
			e.optional = true
			f = f[1 : len(f)-1]
		}
		switch {
		case f == "..":
			e.gap = 3
		case f == "...":
			e.gap = 6
		case f == "#":
			e.one = l.number
		case strings.ContainsAny(f, "/<"):
			e.set = set{}
			for alt := range strings.SplitSeq(f, "/") {
				if name, ok := strings.CutPrefix(alt, "<"); ok {
					list, ok := l.lists[strings.TrimSuffix(name, ">")]
					if !ok {
						return fmt.Errorf("there is no list %s", alt)
					}
					for i, b := range list {
						for i >= len(e.set) {
							e.set = append(e.set, 0)
						}
						e.set[i] |= b
					}
					continue
				}
				e.set.put(l.intern(alt))
			}
		default:
			e.one = l.intern(f)
			if l.filler[e.one] {
				continue // passed over in messages, so in phrases too
			}
		}
		p.elements = append(p.elements, e)
		for l.mergeElements(&p) {
		}
	}
	if len(p.elements) == 0 || p.elements[0].gap > 0 || p.elements[len(p.elements)-1].gap > 0 {
		return fmt.Errorf("phrase %q begins or ends with nothing in particular", line)
	}
	l.phrases = append(l.phrases, p)
	return nil
}

// indexPhrases lists the phrases by the words that they may begin with.
func (l *Lexicon) indexPhrases() {
	l.first = make([][]int32, len(l.names)+1)
	for i := range l.phrases {
		p := &l.phrases[i]
		for _, e := range p.elements {
			if e.set != nil {
				for w := range word(len(l.names)) {
					if e.set.has(w) {
						l.first[w] = append(l.first[w], int32(i))
					}
				}
			} else if e.gap == 0 {
				l.first[e.one] = append(l.first[e.one], int32(i))
			}
			if !e.optional {
				break
			}
		}
	}
}

// match finds every phrase in a message. A phrase inside a longer one of the same topic is left out.
func (l *Lexicon) match(d *doc) []hit {
	hits := make([]hit, 0, 16)
	for i := range d.toks {
		id := d.toks[i].id
		if int(id) >= len(l.first) {
			continue
		}
		for _, n := range l.first[id] {
			p := &l.phrases[n]
			if p.begin && i != 0 {
				continue
			}
			if end := run(p.elements, d.toks, i, i); end > i && (!p.finish || end == len(d.toks)) && !l.answeredFirst(d, i, end) {
				hits = append(hits, hit{p.section, i, end})
			}
		}
		if d.toks[i].num >= 0 && id != l.number {
			for _, n := range l.first[l.number] {
				p := &l.phrases[n]
				if p.begin && i != 0 || p.elements[0].one != l.number {
					continue
				}
				if end := run(p.elements, d.toks, i, i); end > i && (!p.finish || end == len(d.toks)) {
					hits = append(hits, hit{p.section, i, end})
				}
			}
		}
	}
	return l.longest(hits)
}

// answeredFirst says whether a phrase begins with a refusal that stands by itself: "tidak, sehat" is healthy.
func (l *Lexicon) answeredFirst(d *doc, i, end int) bool {
	return i+1 < end && d.toks[i+1].gap == comma && l.on.Negator.has(d.toks[i].id)
}

// longest drops a hit that lies inside a longer one of the same topic.
func (l *Lexicon) longest(hits []hit) []hit {
	out := make([]hit, 0, len(hits))
	for i, h := range hits {
		covered := false
		for j, o := range hits {
			if i != j && l.topicOf[o.section] == l.topicOf[h.section] && o.start <= h.start && o.end >= h.end &&
				(o.end-o.start > h.end-h.start || o.section == h.section && j < i) {
				covered = true
				break
			}
		}
		if !covered {
			out = append(out, h)
		}
	}
	return out
}

// run matches elements against the words from i on and returns the word after the match, or -1. A gap never
// crosses the end of a sentence.
func run(es []element, toks []token, i, from int) int {
	if len(es) == 0 {
		return i
	}
	e := &es[0]
	if e.gap > 0 {
		for n := 0; n <= e.gap && i+n < len(toks); n++ {
			if i+n > from && (toks[i+n].gap == stop || toks[i+n].gap == comma && e.gap <= 3) {
				return -1
			}
			if end := run(es[1:], toks, i+n, from); end >= 0 {
				return end
			}
		}
		return -1
	}
	if i < len(toks) && (i == from || toks[i].gap != stop) && (e.fits(&toks[i]) || e.set == nil && e.one == numberWord && toks[i].num >= 0) {
		if end := run(es[1:], toks, i+1, from); end >= 0 {
			return end
		}
	}
	if e.optional {
		if end := run(es[1:], toks, i, from); end >= 0 {
			return end
		}
	}
	if i > from && i < len(toks) && toks[i].owner { // paspor saya ada
		return run(es, toks, i+1, from)
	}
	return -1
}

// mergeElements joins the last words of a phrase when the lists know them as one, as join does with a message.
func (l *Lexicon) mergeElements(p *phrase) bool {
	plain := func(i int) word {
		if i < 0 || p.elements[i].set != nil || p.elements[i].gap > 0 || p.elements[i].optional {
			return 0
		}
		return p.elements[i].one
	}
	n := len(p.elements)
	a, b, c := plain(n-3), plain(n-2), plain(n-1)
	if b == 0 || c == 0 {
		return false
	}
	if id := l.triples[[3]word{a, b, c}]; a != 0 && id != 0 {
		p.elements = append(p.elements[:n-3], element{one: id})
		return true
	}
	if id := l.pairs[[2]word{b, c}]; id != 0 {
		p.elements = append(p.elements[:n-2], element{one: id})
		return true
	}
	return false
}
