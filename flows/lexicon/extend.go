package lexicon

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"pulang/flows/places"
)

// Extension is a directory of word lists that extend the built-in ones, and override them: a spelling listed there
// belongs to that word, whatever the built-in lists say, and "-" before a phrase or a word of a list takes it out.
type Extension struct {
	Dir fs.FS
	// Path stands before the file's name in errors.
	Path string
}

// Extended is the built-in lexicon with the lists of these directories. Default() when there are none.
func Extended(more ...Extension) (*Lexicon, error) {
	if len(more) == 0 {
		return Default(), nil
	}
	sub, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, err
	}
	return New(sub, places.Default(), more...)
}

// Size counts the lists of the directory and the lines in them that say something.
func (x Extension) Size() (files, lines int, err error) {
	names, err := x.files()
	for _, name := range names {
		files++
		if e := eachLine(x.Dir, x.Path, name, func(string, string) error { lines++; return nil }); e != nil && err == nil {
			err = e
		}
	}
	return files, lines, err
}

func (x Extension) files() ([]string, error) {
	entries, err := fs.ReadDir(x.Dir, ".")
	if err != nil {
		return nil, fmt.Errorf("word lists in %s: %w", x.Path, err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && path.Ext(e.Name()) == ".txt" {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// check refuses a directory with nothing in it, and a list that nobody would read because its name is wrong.
func (x Extension) check() error {
	names, err := x.files()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("there is no word list in %s: name them like the built-in ones, such as words.txt", x.Path)
	}
	for _, n := range names {
		if !slices.Contains(listFiles, n) && !isTopic(n) {
			return fmt.Errorf("word list %s: no list is called so: there are %s and topic_*.txt", path.Join(x.Path, n), strings.Join(listFiles, ", "))
		}
	}
	return nil
}

func isTopic(name string) bool { ok, _ := path.Match("topic_*.txt", name); return ok }

// eachLayer reads a list of dir, then the one of that name in each further directory that has one.
func (l *Lexicon) eachLayer(dir fs.FS, more []Extension, name string, f func(section, line string) error) error {
	if err := eachLine(dir, "", name, f); err != nil {
		return err
	}
	for _, x := range more {
		names, err := x.files()
		if err != nil {
			return err
		}
		if slices.Contains(names, name) {
			if err := l.ownLines(x, name, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachTopic reads the topics of the further directories.
func (l *Lexicon) eachTopic(more []Extension, f func(section, line string) error) error {
	for _, x := range more {
		names, err := x.files()
		if err != nil {
			return err
		}
		for _, name := range names {
			if isTopic(name) {
				if err := l.ownLines(x, name, f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ownLines reads one list of an extension. Messages are read in small letters, so the lists are.
func (l *Lexicon) ownLines(x Extension, name string, f func(section, line string) error) error {
	l.own = true
	defer func() { l.own = false }()
	return eachLine(x.Dir, x.Path, name, func(section, line string) error { return f(section, strings.ToLower(line)) })
}

// removed says that an extension takes out what stands behind the minus sign.
func (l *Lexicon) removed(s string) (string, bool) {
	rest, ok := strings.CutPrefix(s, "-")
	return strings.TrimSpace(rest), ok && l.own && strings.TrimSpace(rest) != ""
}

// move gives a spelling to another word. A word that phrases go by stays what it is.
func (l *Lexicon) move(s string, to word) error {
	from := l.surface[s]
	switch {
	case l.names[from] == s:
		return fmt.Errorf("%q is a word of its own: it cannot be a spelling of %q", s, l.names[to])
	case l.value[from] >= 0:
		return fmt.Errorf("%q is a number", s)
	}
	l.surface[s] = to
	l.apart(s, to)
	return nil
}

// changeList adds words to a list and to those that it is a part of, or takes them out.
func (l *Lexicon) changeList(section, line string) error {
	if l.lists[section] == nil {
		return fmt.Errorf("there is no list [%s]; those that there are stand in the built-in lists.txt", section)
	}
	for w := range strings.FieldsSeq(line) {
		gone, out := l.removed(w)
		if strings.HasPrefix(w, "<") {
			return fmt.Errorf("%q: only the built-in lists may be made of others", w)
		}
		if out && (l.surface[gone] == 0 || !l.lists[section].has(l.surface[gone])) {
			return fmt.Errorf("%q does not stand in [%s]", gone, section)
		}
		for _, name := range l.partOf(section) {
			s := l.lists[name]
			if out {
				s[l.surface[gone]>>6] &^= 1 << (l.surface[gone] & 63)
			} else {
				s.put(l.intern(w))
			}
			l.lists[name] = s
		}
	}
	return nil
}

// partOf is a list and every list that it is a part of.
func (l *Lexicon) partOf(name string) []string {
	all := []string{name}
	for i := 0; i < len(all); i++ {
		for _, up := range l.includes[all[i]] {
			if !slices.Contains(all, up) {
				all = append(all, up)
			}
		}
	}
	return all
}

// dropPhrase takes a phrase out of a section.
func (l *Lexicon) dropPhrase(text string, section int) error {
	text = strings.Join(strings.Fields(text), " ")
	n := len(l.phrases)
	l.phrases = slices.DeleteFunc(l.phrases, func(p phrase) bool { return p.section == section && p.text == text })
	if len(l.phrases) == n {
		return fmt.Errorf("[%s] has no phrase %q", l.sections[section], text)
	}
	return nil
}
