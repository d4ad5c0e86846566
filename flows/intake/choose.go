package intake

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"pulang/flows"
)

// chosen reads a typed number, value or label against the prompt as it was shown.
func (t *turn) chosen(q *question, text string) ([]flows.Value, bool) {
	choices := t.s.Shown.Choices
	if len(choices) == 0 {
		return nil, false
	}
	if ns, ok := numbers(text); ok {
		vs := make([]flows.Value, 0, len(ns))
		for _, n := range ns {
			v, ok := q.byNumber(choices, n)
			if !ok {
				return nil, false
			}
			vs = append(vs, v)
		}
		switch {
		case len(vs) == 1 || flows.Multi[q.id]:
			return vs, true
		case q.id == flows.StepSafetyNow:
			return []flows.Value{slices.MaxFunc(vs, func(a, b flows.Value) int { return rank(a) - rank(b) })}, true
		}
		return nil, false
	}
	key := fold(text)
	if v, ok := t.labelled(q, choices, key); ok {
		return []flows.Value{v}, true
	}
	if n, rest, ok := strings.Cut(key, " "); ok { // the whole line, copied: "1. Aman"
		v, ok := t.labelled(q, choices, rest)
		i := slices.Index(choices, v)
		if ok && i >= 0 && q.number(choices, i) == n {
			return []flows.Value{v}, true
		}
	}
	return nil, false
}

// labelled finds the choice that is called key: its value, or its label in any language.
func (t *turn) labelled(q *question, choices []flows.Value, key string) (flows.Value, bool) {
	for _, v := range choices {
		if strings.EqualFold(key, string(v)) || key == strings.ReplaceAll(string(v), "_", " ") {
			return v, true
		}
	}
	if v := t.f.labels[q.id][key]; v != "" && slices.Contains(choices, v) {
		return v, true
	}
	if q.dynamic != nil && t.f.cfg.Text != nil { // these labels are known only now
		for _, v := range choices {
			if fold(string(v)) == key {
				return v, true
			}
			if l := q.labelOf(t, v); fold(t.f.cfg.Text(t.s.Lang, l.ID, l.Args)) == key {
				return v, true
			}
		}
	}
	return "", false
}

// choose acts on values that were chosen by number, word or tap at the question that is asked now. In a multi-select
// everything chosen counts and the conversation goes on.
func (t *turn) choose(q *question, vs []flows.Value) {
	t.content, t.known = t.content || q.id != flows.StepLanguage, true
	switch {
	case slices.Contains(vs, flows.Skip):
		t.skip(q)
	case flows.Multi[q.id]:
		vs = append(slices.Clone(t.picked(q.id)), vs...)
		vs = slices.DeleteFunc(vs, func(v flows.Value) bool { return v == flows.Done })
		if len(vs) == 0 {
			vs = []flows.Value{flows.None}
		}
		t.accept(q, flows.Answer{Values: inOrder(t.menuOf(q), expand(vs))})
	default:
		t.accept(q, flows.Answer{Values: vs})
	}
}

// menuOf is the full menu of a question, whatever mode it was asked in.
func (t *turn) menuOf(q *question) []flows.Value {
	if q.dynamic != nil {
		return q.dynamic(t)
	}
	return q.menu
}

// picked are the values toggled so far in a multi-select. They are kept beside the prompt, because another message
// may come between two taps.
func (t *turn) picked(step flows.StepID) []flows.Value {
	if !flows.Multi[step] {
		return nil
	}
	raw := t.memo(memoPick + string(step))
	if raw == "" {
		return nil
	}
	parts := strings.Split(raw, ",")
	vs := make([]flows.Value, len(parts))
	for i, p := range parts {
		vs[i] = flows.Value(p)
	}
	return vs
}

// toggle switches one value of a multi-select on or off.
func (t *turn) toggle(q *question, v flows.Value) {
	vs := t.picked(q.id)
	if i := slices.Index(vs, v); i >= 0 {
		vs = slices.Delete(vs, i, i+1)
	} else {
		vs = append(vs, v)
	}
	vs = inOrder(q.menu, vs)
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = string(v)
	}
	t.note(memoPick+string(q.id), strings.Join(parts, ","))
}

// indexLabels makes the labels of all menus typable, in every language at once.
func (f *Flow) indexLabels() map[flows.StepID]map[string]flows.Value {
	if f.cfg.Text == nil {
		return nil
	}
	index := map[flows.StepID]map[string]flows.Value{}
	for _, q := range f.list {
		words := map[string]flows.Value{}
		for _, lang := range f.cfg.Langs {
			t := &turn{f: f, s: flows.State{Lang: lang}}
			var vs []flows.Value
			vs = append(vs, q.menu...)
			vs = append(vs, q.silentMenu...)
			if q.dynamic != nil {
				vs = append(vs, q.dynamic(t)...)
			}
			if q.part == optional {
				vs = append(vs, flows.Skip)
			}
			if flows.Multi[q.id] {
				vs = append(vs, flows.Done)
			}
			for _, v := range vs {
				l := q.labelOf(t, v)
				if key := fold(f.cfg.Text(lang, l.ID, l.Args)); key != "" && words[key] == "" {
					words[key] = v
				}
			}
		}
		if len(words) > 0 && index[q.id] == nil {
			index[q.id] = words
		}
	}
	return index
}

// numbers reads text that consists of small numbers only: "3", "3.", "1,4", "1 dan 4", "2️⃣", "３".
func numbers(text string) ([]int, bool) {
	var ns []int
	n, digits := 0, 0
	word := 0 // length of the word being read
	flush := func() bool {
		if digits > 2 {
			return false
		}
		if digits > 0 {
			ns = append(ns, n)
		}
		n, digits = 0, 0
		return true
	}
	letters := [4]rune{}
	endWord := func() bool {
		if word == 0 {
			return true
		}
		w := string(letters[:min(word, 4)])
		word = 0
		return w == "dan" || w == "and" || w == "n"
	}
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9', r >= '０' && r <= '９':
			if !endWord() {
				return nil, false
			}
			if r >= '０' {
				r -= '０' - '0'
			}
			n = n*10 + int(r-'0')
			digits++
			if digits > 2 {
				return nil, false
			}
		case r == '\ufe0f' || r == '\u20e3':
			if r == '\u20e3' && !flush() {
				return nil, false
			}
		case r == '🔟':
			if !flush() {
				return nil, false
			}
			ns = append(ns, 10)
		case unicode.IsLetter(r):
			if digits > 0 {
				if !flush() {
					return nil, false
				}
			}
			if word < 4 {
				letters[word] = unicode.ToLower(r)
			}
			word++
			if word > 3 {
				return nil, false
			}
		case unicode.IsSpace(r) || strings.ContainsRune(",.;:/+&()!#", r):
			if !flush() || !endWord() {
				return nil, false
			}
		default:
			return nil, false
		}
	}
	if word > 0 || !flush() {
		return nil, false
	}
	return ns, len(ns) > 0 && len(ns) <= 12
}

// fold makes two writings of the same words equal: case, width, punctuation and spaces do not count.
func fold(s string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFKC.String(s) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || r == '_':
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(unicode.ToLower(r))
		default:
			space = true
		}
	}
	return b.String()
}
