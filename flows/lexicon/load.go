package lexicon

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"pulang/flows"
	"pulang/flows/places"
)

// Lexicon reads messages by the word lists it was made from. It is never changed and may be used from many
// goroutines.
type Lexicon struct {
	gazetteer *places.Gazetteer

	names    []string        // the words, by number
	surface  map[string]word // every spelling
	value    map[word]int    // numbers; -1 for every other word
	filler   map[word]bool
	common   map[string]bool // ordinary words that mean nothing here and are no misspelling of anything
	lists    map[string]set
	pairs    map[[2]word]word
	triples  map[[3]word]word
	byLength [][]entry

	phrases  []phrase
	first    [][]int32
	sections []string // "topic.value"
	topicOf  []int    // section -> topic
	topics   []string
	stepOf   []flows.StepID // section -> the only step at which it counts; empty for all
	valueOf  []flows.Value

	includes map[string][]string // list -> the lists that it is a part of
	own      bool                // reading an Extension's line

	number, nomor word
	glue          set           // nouns of place, which a preposition may be glued to
	kind          map[word]noun // what sort of thing a word names
	on            wordLists
}

// numberWord is the word that stands for any number.
const numberWord word = 1

// listFiles are the word lists in the order in which they are read; topic_*.txt come last.
var listFiles = []string{"numbers.txt", "words.txt", "verbs.txt", "fillers.txt", "lists.txt", "common.txt"}

// New reads the word lists of dir (data/README.md describes them), each followed by the list of the same name in every
// further directory, which extends and overrides it. An error names the file and line that cannot be read.
func New(dir fs.FS, g *places.Gazetteer, more ...Extension) (*Lexicon, error) {
	l := &Lexicon{gazetteer: g, names: []string{"", "#"}, surface: map[string]word{"#": numberWord}, value: map[word]int{0: -1, numberWord: -1},
		filler: map[word]bool{}, common: map[string]bool{}, lists: map[string]set{}, pairs: map[[2]word]word{}, triples: map[[3]word]word{},
		number: numberWord, includes: map[string][]string{}}
	for _, x := range more {
		if err := x.check(); err != nil {
			return nil, err
		}
	}
	type reader struct {
		file string
		read func(section, line string) error
	}
	for _, r := range []reader{{"numbers.txt", l.addNumber}, {"words.txt", l.addWord}, {"verbs.txt", l.addVerb}, {"words.txt", l.addApart}, {"fillers.txt", l.addFiller}, {"lists.txt", l.addToList}, {"common.txt", l.addCommon}} {
		if err := l.eachLayer(dir, more, r.file, r.read); err != nil {
			return nil, err
		}
	}
	files, err := fs.Glob(dir, "topic_*.txt")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("word lists: there is no topic_*.txt")
	}
	for _, read := range []func(section, line string) error{l.addJoined, l.addPhrase} { // words written apart are to be known before the first phrase is read
		for _, f := range files {
			if err := eachLine(dir, "", f, read); err != nil {
				return nil, err
			}
		}
		if err := l.eachTopic(more, read); err != nil {
			return nil, err
		}
	}
	l.nomor = l.surface["nomor"]
	l.glue = l.lists["glue"]
	l.indexPhrases()
	l.indexSpelling()
	if err := l.resolve(); err != nil {
		return nil, err
	}
	return l, nil
}

// eachLine calls f with every line of a list and the [section] it stands in; // starts a comment. In errors the list is
// called by its path: in and the name.
func eachLine(dir fs.FS, in, name string, f func(section, line string) error) error {
	b, err := fs.ReadFile(dir, name)
	title := path.Join(in, name)
	if err != nil {
		return fmt.Errorf("word list %s: %w", title, err)
	}
	section, n := "", 0
	for line := range strings.Lines(strings.TrimPrefix(string(b), "\ufeff")) {
		n++
		if !utf8.ValidString(line) {
			return fmt.Errorf("word list %s, line %d: not UTF-8: save the file as UTF-8", title, n)
		}
		if i := strings.Index(line, "//"); i == 0 || i > 0 && line[i-1] == ' ' {
			line = line[:i]
		}
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if line[0] == '[' && line[len(line)-1] == ']' {
			section = line[1 : len(line)-1]
			continue
		}
		if err := f(section, line); err != nil {
			return fmt.Errorf("word list %s, line %d: %w", title, n, err)
		}
	}
	return nil
}

// intern returns the number of a word, and makes one for a new word. Parts joined by _ are words that stand side
// by side and are read as one.
func (l *Lexicon) intern(s string) word {
	if id, ok := l.surface[s]; ok {
		return id
	}
	id := l.newWord(s)
	l.apart(s, id)
	return id
}

func (l *Lexicon) newWord(s string) word {
	id := word(len(l.names))
	l.names = append(l.names, s)
	l.value[id] = -1
	l.surface[s] = id
	return id
}

// spell registers one more spelling of a word; the first list that claims a spelling keeps it.
func (l *Lexicon) spell(s string, id word) {
	if _, ok := l.surface[s]; ok {
		return
	}
	l.surface[s] = id
	l.apart(s, id)
}

// apart registers the words that a word joined by _ is made of.
func (l *Lexicon) apart(s string, id word) {
	parts := strings.Split(s, "_")
	switch len(parts) {
	case 1:
	case 2:
		l.pairs[[2]word{l.intern(parts[0]), l.intern(parts[1])}] = id
	case 3:
		l.triples[[3]word{l.intern(parts[0]), l.intern(parts[1]), l.intern(parts[2])}] = id
	}
}

// addWord reads "canonical: spelling spelling …".
func (l *Lexicon) addWord(_, line string) error {
	name, rest, ok := strings.Cut(line, ":")
	if !ok || name == "" {
		return fmt.Errorf("%q has no colon", line)
	}
	name = strings.TrimSpace(name)
	id, ok := l.surface[name]
	if !ok {
		id = l.newWord(name)
	}
	for s := range strings.FieldsSeq(rest) {
		if strings.Contains(s, "_") {
			continue
		}
		if other, ok := l.surface[s]; ok && other != id && l.own {
			if err := l.move(s, id); err != nil {
				return err
			}
			continue
		} else if ok && other != id && l.value[other] < 0 {
			return fmt.Errorf("%q is already a spelling of %q", s, l.names[other])
		}
		l.spell(s, id)
	}
	return nil
}

// addApart reads the spellings of several words, once every single word is known.
func (l *Lexicon) addApart(_, line string) error {
	name, rest, _ := strings.Cut(line, ":")
	l.apart(strings.TrimSpace(name), l.surface[strings.TrimSpace(name)])
	for s := range strings.FieldsSeq(rest) {
		if strings.Contains(s, "_") {
			id := l.intern(strings.TrimSpace(name))
			if other, ok := l.surface[s]; ok && other != id && l.own {
				if err := l.move(s, id); err != nil {
					return err
				}
			}
			l.spell(s, id)
		}
	}
	return nil
}

// addNumber reads "12: selusin dua_belas".
func (l *Lexicon) addNumber(_, line string) error {
	name, rest, ok := strings.Cut(line, ":")
	n, err := strconv.Atoi(strings.TrimSpace(name))
	if !ok || err != nil {
		return fmt.Errorf("%q is not a number with its words", line)
	}
	for s := range strings.FieldsSeq(rest) {
		id := l.intern(s)
		l.value[id] = n
	}
	return nil
}

func (l *Lexicon) addFiller(_, line string) error {
	for s := range strings.FieldsSeq(line) {
		if gone, ok := l.removed(s); ok {
			if id := l.surface[gone]; !l.filler[id] {
				return fmt.Errorf("%q is no filler", gone)
			}
			delete(l.filler, l.surface[gone])
			continue
		}
		id := l.intern(s)
		if l.names[id] != s {
			return fmt.Errorf("%q is a spelling of %q", s, l.names[id])
		}
		l.filler[id] = true
	}
	return nil
}

func (l *Lexicon) addCommon(_, line string) error {
	for s := range strings.FieldsSeq(line) {
		if gone, ok := l.removed(s); ok {
			if !l.common[gone] {
				return fmt.Errorf("%q is not among the ordinary words", gone)
			}
			delete(l.common, gone)
			continue
		}
		if _, ok := l.surface[s]; !ok {
			l.common[s] = true
		}
	}
	return nil
}

func (l *Lexicon) addToList(section, line string) error {
	if section == "" {
		return fmt.Errorf("%q stands in no [list]", line)
	}
	s := l.lists[section]
	if l.own {
		return l.changeList(section, line)
	}
	for w := range strings.FieldsSeq(line) {
		if name, ok := strings.CutPrefix(w, "<"); ok { // another list is part of this one
			name = strings.TrimSuffix(name, ">")
			if l.lists[name] != nil {
				l.includes[name] = append(l.includes[name], section)
			}
			for i, b := range l.lists[name] {
				for i >= len(s) {
					s = append(s, 0)
				}
				s[i] |= b
			}
			continue
		}
		s.put(l.intern(w))
	}
	l.lists[section] = s
	return nil
}

// addJoined makes the words of a phrase that are joined by _ known.
func (l *Lexicon) addJoined(_, line string) error {
	for f := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ' ' || r == '/' || r == '(' || r == ')' }) {
		if strings.Contains(f, "_") && !strings.Contains(f, "<") {
			l.intern(strings.Trim(f, "=^$"))
		}
	}
	return nil
}

// addPhrase reads one phrase of a [topic.value], or of an [@step.value] that counts only as the answer to that step.
func (l *Lexicon) addPhrase(section, line string) error {
	if section == "" {
		return fmt.Errorf("%q stands in no [topic.value]", line)
	}
	at := slices.Index(l.sections, section)
	if at < 0 && l.own {
		return fmt.Errorf("there is no section [%s]; those that there are stand in the built-in lists", section)
	}
	if at < 0 {
		topic, value, ok := strings.Cut(section, ".")
		if !ok {
			return fmt.Errorf("section [%s] has no value", section)
		}
		step := flows.StepID("")
		if s, ok := strings.CutPrefix(topic, "@"); ok {
			step = flows.StepID(s)
			if !KnownStep(step) {
				return fmt.Errorf("there is no step %q", step)
			}
		}
		t := slices.Index(l.topics, topic)
		if t < 0 {
			t = len(l.topics)
			l.topics = append(l.topics, topic)
		}
		at = len(l.sections)
		l.sections = append(l.sections, section)
		l.topicOf = append(l.topicOf, t)
		l.stepOf = append(l.stepOf, step)
		l.valueOf = append(l.valueOf, flows.Value(value))
	}
	for p := range strings.SplitSeq(line, " | ") {
		if gone, ok := l.removed(strings.TrimSpace(p)); ok {
			if err := l.dropPhrase(gone, at); err != nil {
				return err
			}
			continue
		}
		if err := l.compile(strings.TrimSpace(p), at); err != nil {
			return err
		}
	}
	return nil
}

// indexSpelling lists the words that a misspelling may be taken for.
func (l *Lexicon) indexSpelling() {
	l.byLength = make([][]entry, 24)
	keys := make([]string, 0, len(l.surface))
	for s := range l.surface {
		keys = append(keys, s)
	}
	slices.Sort(keys)
	for _, s := range keys {
		if n := len(s); n >= 6 && n < len(l.byLength) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == "" {
			l.byLength[n] = append(l.byLength[n], entry{s, letters(s), l.surface[s]})
		}
	}
}
