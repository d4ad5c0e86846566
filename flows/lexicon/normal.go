package lexicon

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"pulang/flows/places"
)

// gap says what stands between a word and the one before it.
type gap uint8

const (
	space gap = iota
	comma     // a comma, a colon, a dash, a bracket
	stop      // the end of a sentence or a line
)

// token is one word of a message.
type token struct {
	raw        string // folded: lower case, ASCII, repeats and leetspeak still in it
	id         word   // what the word lists make of it; 0 when they do not know it
	num        int    // the value of a number, -1 for any other word
	start, end int    // byte offsets into the message
	gap        gap    // what stands before it
	quoted     bool   // inside quotation marks
	mine       bool   // with -ku: mine
	its        bool   // with -nya: his, hers, the
	approx     bool   // a number with -an: about
	owner      bool   // only says whose: paspor saya, hp kami
	filler     bool   // a particle or a form of address: passed over by the phrases
	fuzzy      bool   // a spelling error was tolerated
}

// doc is a message as words.
type doc struct {
	text     string
	all      []token // every word
	toks     []token // without fillers: what phrases are matched against
	exclaims int
	asks     bool // ends with, or contains, a question mark
	long     bool // a letter was drawn out: toloooong
	digits   bool
}

// fold brings a message to lower-case ASCII where that is possible, with other scripts and emoji kept, and returns
// for each byte of the result the offset of its rune in the text; at is nil when nothing moved.
func fold(text string) (folded string, at []int) {
	simple := true
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || c == '\'' || c == '`' {
			simple = false
			break
		}
	}
	if simple {
		return strings.ToLower(text), nil
	}
	b := make([]byte, 0, len(text)+8)
	at = make([]int, 0, len(text)+8)
	put := func(s string, i int) {
		for range len(s) {
			at = append(at, i)
		}
		b = append(b, s...)
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch s := places.FoldRune(r); {
		case r == 0x20E3: // the frame of a keycap emoji: the digit stands before it
			put(" ", i)
		case r == 0xFE0F || r == 0x200D || r == 0x200B || r == 0x2060 || r == 0xFEFF || r >= 0x200E && r <= 0x200F || r >= 0x202A && r <= 0x202E || unicode.Is(unicode.Mn, r) && r < 0x0900:
		case r >= 0x1F3FB && r <= 0x1F3FF: // skin tones
		case r == 0x1F51F:
			put(" 10 ", i)
		case s != "":
			put(s, i)
		case r == '\'' || r == '’' || r == '‘' || r == '`' || r == '´':
			// inside a word it is dropped (assalamu'alaikum, iye'), around words it is a quotation mark
			if !(i > 0 && letter(text[i-1]) && (i+n >= len(text) || letter(text[i+n]))) {
				put("'", i)
			}
		case r == '“' || r == '”' || r == '«' || r == '»':
			put("\"", i)
		case r == '…':
			put(".", i)
		case r == '，' || r == '、':
			put(",", i)
		case r == '。' || r == '！' || r == '？':
			put(".", i)
		case r == '–' || r == '—' || r == '−':
			put("-", i)
		case r < 128:
			put(string(r), i)
		case r >= 0x2190:
			put(string(r), i)
		default:
			put(" ", i)
		}
		i += n
	}
	return string(b), at
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}
func digit(c byte) bool { return c >= '0' && c <= '9' }
func alnum(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// words splits a message into words that the lists were asked about.
func (l *Lexicon) words(text string) *doc {
	folded, at := fold(text)
	d := &doc{text: text, all: make([]token, 0, 4+len(text)/5)}
	offset := func(i int) int {
		if at == nil {
			return i
		}
		if i >= len(at) {
			return len(text)
		}
		return at[i]
	}
	before, single, double := space, false, false
	for i := 0; i < len(folded); {
		c := folded[i]
		switch {
		case alnum(c):
			j := i
			for j < len(folded) && alnum(folded[j]) {
				j++
			}
			n := len(d.all)
			l.take(d, folded[i:j])
			from := i
			for k := n; k < len(d.all); k++ {
				to := j
				if k+1 < len(d.all) {
					to = min(j, from+len(d.all[k].raw))
				}
				d.all[k].start, d.all[k].end = offset(from), offset(to)
				from = to
				d.all[k].quoted = single || double
				if k == n {
					d.all[k].gap = before
				}
			}
			before = space
			i = j
			continue
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(folded[i:])
			if unicode.IsLetter(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r) {
				// another script: the gazetteer reads it from the text itself
			} else if id := l.surface[string(r)]; id != 0 {
				if k := len(d.all); k == 0 || d.all[k-1].id != id {
					d.all = append(d.all, token{raw: string(r), id: id, num: -1, start: offset(i), end: offset(i + n), gap: before})
				} else {
					d.exclaims++
				}
			}
			i += n
			continue
		case c == '\n' || c == ';':
			before = stop
		case c == '?':
			d.asks = true
			before = stop
		case c == '!':
			d.exclaims++
			before = stop
		case c == '.':
			// a point between digits or letters without a space belongs to a number or an abbreviation
			if i+1 >= len(folded) || !alnum(folded[i+1]) {
				before = stop
			} else {
				before = max(before, comma)
			}
		case c == '"':
			double = !double
			before = max(before, comma)
		case c == '\'':
			single = !single
			before = max(before, comma)
		case c == ',' || c == ':' || c == '(' || c == ')' || c == '/' || c == '|' || c == '>' || c == '=':
			before = max(before, comma)
		case c == '-':
			if i == 0 || i+1 == len(folded) || !alnum(folded[i-1]) || !alnum(folded[i+1]) {
				before = max(before, comma)
			}
		}
		i++
	}
	l.join(d)
	return d
}

// take appends the word or words that one run of letters and digits stands for.
func (l *Lexicon) take(d *doc, s string) {
	if digit(s[0]) {
		j := 0
		for j < len(s) && digit(s[j]) {
			j++
		}
		d.digits = true
		if j == len(s) {
			d.all = append(d.all, token{raw: s, id: l.number, num: small(s)})
			return
		}
		rest := s[j:]
		if rest == "an" || rest == "anlah" {
			d.all = append(d.all, token{raw: s[:j], id: l.number, num: small(s[:j]), approx: true})
			return
		}
		if t, ok := l.look(rest, d); ok || len(rest) > 3 && !hasLeet(rest) {
			d.all = append(d.all, token{raw: s[:j], id: l.number, num: small(s[:j])}, t)
			return
		}
	} else if j := strings.IndexAny(s, "0123456789"); j > 0 {
		tail := s[j:]
		if t, ok := l.look(s, d); ok { // in the lists as it stands, or leetspeak
			d.all = append(d.all, t)
			return
		}
		head := s[:j]
		if strings.Trim(tail, "0123456789") == "" {
			d.digits = true
			t, known := l.look(head, d)
			if tail == "2" && head != "ber" && (known && t.id != l.nomor && len(head) > 2 || len(head) >= 4) { // orang2
				d.all = append(d.all, t)
				return
			}
			d.all = append(d.all, t, token{raw: tail, id: l.number, num: small(tail)})
			return
		}
		if k := strings.TrimLeft(tail, "2"); len(tail)-len(k) == 1 && (k == "nya" || k == "an" || k == "in" || k == "lah") { // ibu2nya
			t, _ := l.look(head, d)
			t.its = k == "nya"
			d.all = append(d.all, t)
			return
		}
	}
	t, ok := l.look(s, d)
	if n := l.glued(s); !ok && n > 0 { // dijalan, dibavet, kebandara
		head, _ := l.look(s[:n], d)
		tail, _ := l.look(s[n:], d)
		d.all = append(d.all, head, tail)
		return
	}
	d.all = append(d.all, t)
}

// glued says how long a preposition is that was written together with its noun: "dijalan", "dibavet", "kekamboja".
// 0 for a word that is none: the noun must be one of the lists, or a place.
func (l *Lexicon) glued(s string) int {
	if len(s) < 6 || s[:2] != "di" && s[:2] != "ke" || l.common[s] {
		return 0
	}
	rest := s[2:]
	var t token
	if id, ok := l.surface[rest]; ok && l.value[id] < 0 && l.glue.has(id) || l.ending(rest, &t) && l.glue.has(t.id) {
		return 2
	}
	if len(rest) >= 4 && !l.common[rest] {
		if m := l.gazetteer.FindWords([]string{rest}, nil); len(m) == 1 && m[0].Exact && !m[0].Weak {
			return 2
		}
	}
	return 0
}

// small is the value of a run of digits; -1 for one too long to count anything.
func small(s string) int {
	if len(s) > 6 {
		return -1
	}
	v := 0
	for i := range len(s) {
		v = v*10 + int(s[i]-'0')
	}
	return v
}

// join merges words that the lists write as one ("orang cina"), drops the second of a doubled word ("sakit sakit")
// and leaves the fillers out.
func (l *Lexicon) join(d *doc) {
	d.toks = make([]token, 0, len(d.all))
	pending := space
	for _, t := range d.all {
		if t.filler {
			pending = max(pending, t.gap)
			continue
		}
		t.gap = max(t.gap, pending)
		pending = space
		n := len(d.toks)
		if n > 0 && t.gap == space && t.id != 0 && t.id == d.toks[n-1].id && t.num < 0 {
			d.toks[n-1].end = t.end
			continue
		}
		t.owner = n > 0 && t.gap == space && l.kind[t.id]&meNoun != 0 && l.kind[d.toks[n-1].id]&^(meNoun|personNoun) != 0
		d.toks = append(d.toks, t)
		for l.merge(d) {
		}
	}
}

// merge joins the last two or three words when the lists know them as one.
func (l *Lexicon) merge(d *doc) bool {
	n := len(d.toks)
	if n >= 2 && d.toks[n-1].gap == space && d.toks[n-1].id == 0 && l.names[d.toks[n-2].id] == "di" {
		if id := l.doneTo(d.toks[n-1].raw); id != 0 {
			l.squash(d, 2, id)
			d.toks[n-2].fuzzy = true
			return true
		}
	}
	if n >= 3 && d.toks[n-1].gap == space && d.toks[n-2].gap == space {
		if id := l.triples[[3]word{d.toks[n-3].id, d.toks[n-2].id, d.toks[n-1].id}]; id != 0 {
			l.squash(d, 3, id)
			return true
		}
	}
	if n >= 2 && d.toks[n-1].gap == space {
		if id := l.pairs[[2]word{d.toks[n-2].id, d.toks[n-1].id}]; id != 0 {
			l.squash(d, 2, id)
			return true
		}
	}
	return false
}

// doneTo is the word that "di" and a root with its vowels left out are together: "d skap", "di pkul". 0 for none.
func (l *Lexicon) doneTo(root string) word {
	if len(root) < 4 || l.common[root] {
		return 0
	}
	if m := l.gazetteer.FindWords([]string{root}, nil); len(m) > 0 {
		return 0
	}
	w := "di" + root
	id, ok := l.surface[w]
	if !ok {
		id = l.near(w)
	}
	if !strings.HasSuffix(l.names[id], "-ed") {
		return 0
	}
	return id
}

func (l *Lexicon) squash(d *doc, k int, id word) {
	n := len(d.toks)
	t := d.toks[n-k]
	t.id, t.num = id, -1
	t.end = d.toks[n-1].end
	t.its = t.its || d.toks[n-1].its
	t.mine = t.mine || d.toks[n-1].mine || l.on.Me.has(d.toks[n-1].id)
	d.toks = append(d.toks[:n-k], t)
}
