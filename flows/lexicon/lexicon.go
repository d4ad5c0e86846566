package lexicon

import (
	"embed"
	"io/fs"
	"strings"
	"sync"
	"unicode/utf8"

	"pulang/flows"
	"pulang/flows/places"
)

//go:embed data
var embedded embed.FS

// Default is the lexicon built into the program, over the built-in gazetteer.
var Default = sync.OnceValue(func() *Lexicon {
	sub, err := fs.Sub(embedded, "data")
	if err == nil {
		var l *Lexicon
		if l, err = New(sub, places.Default()); err == nil {
			return l
		}
	}
	panic(err) // the embedded files are checked by a test
})

// A message longer than longestText bytes is read for answers at its beginning and at its end, lastPart bytes: a wall
// of words must not hide the cry behind it. All of it is kept on the case. Telegram's longest has 4,096 characters.
const (
	longestText = 6000
	lastPart    = 1500
)

// ends leaves out the middle of a long message, at whole characters.
func ends(text string) string {
	if len(text) <= longestText {
		return text
	}
	head, tail := longestText-lastPart, len(text)-lastPart
	for head > 0 && !utf8.RuneStart(text[head]) {
		head--
	}
	for tail < len(text) && !utf8.RuneStart(text[tail]) {
		tail++
	}
	return text[:head] + ". " + text[tail:]
}

// reader is the reading of one message.
type reader struct {
	*Lexicon
	*doc
	c       Context
	hits    []hit
	clause  []int // token -> clause
	times   []when
	r       Reading
	spans   []places.Match // places, by tokens of doc.all
	placed  bool           // spans are filled
	counted bool           // a number of people was named as such
}

// Read takes from a message what it says. It never fails: what it does not understand it leaves out.
func (l *Lexicon) Read(text string, c Context) Reading {
	text = strings.Map(plainDash, ends(text))
	if strings.TrimSpace(text) == "" {
		return Reading{}
	}
	s := reader{Lexicon: l, doc: l.words(text), c: c}
	for _, h := range l.match(s.doc) {
		if st := l.stepOf[h.section]; st == "" || st == c.Step {
			s.hits = append(s.hits, h)
		}
	}
	s.scope()
	s.links()
	s.identifiers()
	s.phones()
	s.who()
	s.needs()
	s.safety()
	s.passport()
	s.permit()
	s.location()
	s.placeKind()
	s.contact()
	s.hours()
	s.group()
	s.nationality()
	s.personal()
	s.language()
	s.yesNo()
	s.harm()
	s.nobody()
	s.commands()
	s.choices()
	s.agree()
	return s.r
}

// plainDash makes hyphens and spaces that do not break, and dashes, those of a keyboard: what is read by its characters,
// numbers before all, knows no others.
func plainDash(r rune) rune {
	switch {
	case r < 0xA0:
		return r
	case r >= 0x2010 && r <= 0x2015, r == 0x2212:
		return '-'
	case r == 0xA0, r == 0x2007, r == 0x202F:
		return ' '
	}
	return r
}

// topic returns the hits of one topic that count at this step.
func (s *reader) topic(name string) []hit {
	var out []hit
	for _, h := range s.hits {
		if s.topics[s.topicOf[h.section]] == name {
			out = append(out, h)
		}
	}
	return out
}

// says returns whether a topic has this value somewhere, not denied.
func (s *reader) says(topic, value string) bool {
	for _, h := range s.topic(topic) {
		if string(s.valueOf[h.section]) == value && !s.denied(h) {
			return true
		}
	}
	return false
}

func (s *reader) signal(name string) {
	for _, x := range s.r.Signals {
		if x == name {
			return
		}
	}
	s.r.Signals = append(s.r.Signals, name)
}

func (s *reader) need(v flows.Value) {
	for _, x := range s.r.Needs {
		if x == v {
			return
		}
	}
	s.r.Needs = append(s.r.Needs, v)
}
