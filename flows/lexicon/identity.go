package lexicon

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"pulang/flows"
)

// identifiers finds passport and NIK numbers. They are offered to an officer and never refused for their form.
func (s *reader) identifiers() {
	for _, d := range digitRuns(s.text) {
		if len(d.text) == 16 && !d.plus {
			if _, ok := ParseNIK(d.text); ok && s.r.NIK == "" && !s.says("paper", "family_card") {
				s.r.NIK = d.text
			}
		}
	}
	if !s.digits {
		return
	}
	for f := range strings.FieldsFuncSeq(s.text, func(r rune) bool {
		return r == ' ' || r == ',' || r == '\n' || r == ':' || r == '.' || r == '(' || r == ')'
	}) {
		if len(f) < 7 || !strings.ContainsAny(f[:1], "ABCEXabcex") || !strings.ContainsAny(f, "0123456789") {
			continue
		}
		if p, ok := ParsePassport(f); ok && len(f) >= 7 {
			s.r.PassportNo = p
			return
		}
	}
}

var (
	unspaced     = strings.NewReplacer(" ", "", ".", "", "-", "")
	digitLetters = strings.NewReplacer("O", "0", "I", "1")
)

// NIKParts is what a NIK says about its holder at the time of first registration; none of it is ever corrected
// later, so it is a suggestion and a reason to ask, never proof.
type NIKParts struct {
	Province, Regency, District string
	Day, Month, Year            int // Year is the two digits as written
	Female                      bool
}

// ParseNIK reads a NIK of 16 digits (spaces, dots and dashes are passed over): province, regency and district of
// the first registration, date of birth with 40 added to the day for women, and a serial number. False when it is
// none; a family card number (KK) has 16 digits too, so ask which card it is.
func ParseNIK(text string) (NIKParts, bool) {
	t := unspaced.Replace(strings.TrimSpace(text))
	if len(t) != 16 || strings.Trim(t, "0123456789") != "" {
		return NIKParts{}, false
	}
	n := func(i int) int { v, _ := strconv.Atoi(t[i : i+2]); return v }
	p := NIKParts{Province: t[:2], Regency: t[2:4], District: t[4:6], Day: n(6), Month: n(8), Year: n(10)}
	if p.Day > 40 {
		p.Day, p.Female = p.Day-40, true
	}
	pr := n(0)
	known := pr >= 11 && pr <= 21 || pr >= 31 && pr <= 36 || pr >= 51 && pr <= 53 || pr >= 61 && pr <= 65 || pr >= 71 && pr <= 76 || pr == 81 || pr == 82 || pr >= 91 && pr <= 96
	return p, known && p.Day >= 1 && p.Day <= 31 && p.Month >= 1 && p.Month <= 12
}

// ParsePassport brings a passport number to its written form: one or two letters and six or seven digits, with O
// read as 0 and I as 1 among the digits. False for anything else: keep it as it came and let an officer read it.
func ParsePassport(text string) (string, bool) {
	t := strings.ToUpper(unspaced.Replace(strings.TrimSpace(text)))
	if len(t) < 7 || len(t) > 9 || t[0] < 'A' || t[0] > 'Z' {
		return "", false
	}
	letters := 1
	if t[1] >= 'A' && t[1] <= 'Z' && t[1] != 'O' && t[1] != 'I' {
		letters = 2
	}
	num := digitLetters.Replace(t[letters:])
	if len(num) < 6 || len(num) > 7 || strings.Trim(num, "0123456789") != "" || len(t) > letters+7 {
		return "", false
	}
	if strings.Trim(t[letters:], "0123456789") == t[letters:] {
		return "", false
	}
	return t[:letters] + num, true
}

// personal reads name, date of birth and age.
func (s *reader) personal() {
	switch s.c.Step {
	case flows.StepFullName, flows.StepSubjectName:
		s.r.FullName = s.name(true)
	case "", flows.StepConfirm, flows.StepExtra:
		s.r.FullName = s.name(false)
	}
	s.born()
}

// name reads a name: the whole answer at the question for it, and otherwise what follows "nama saya".
func (s *reader) name(asked bool) string {
	from := -1
	for _, h := range s.hits {
		if s.sections[h.section] == "name.lead" {
			from = s.toks[h.end-1].end
			break
		}
		if asked && s.sections[h.section] == "name.weak" && h.start == 0 && s.toks[0].raw != "i" {
			from = s.toks[h.end-1].end
		}
	}
	if from < 0 {
		if !asked {
			return ""
		}
		for _, h := range s.hits {
			if s.topics[s.topicOf[h.section]] == "name" && s.valueOf[h.section] == "refused" {
				return ""
			}
		}
		from = 0
	}
	for _, t := range s.all { // panggil aja Siti
		if t.start >= from && (t.filler || s.names[t.id] == "saja") && strings.TrimSpace(s.text[from:t.start]) == "" {
			from = t.end
		}
	}
	rest := strings.TrimLeft(s.text[from:], " :=-,.\t")
	base := len(s.text) - len(rest)
	end := len(rest)
	for i, r := range rest {
		if r == ',' || r == '\n' || r == ';' || r == '(' || r == '!' || r == '?' || r == ':' || r == '/' || r == '.' && (i+1 >= len(rest) || i > 3 && rest[i+1] == ' ') {
			end = i
			break
		}
	}
	for _, t := range s.all {
		if t.start >= base && t.start < base+end && (s.on.NameStop.has(t.id) && t.raw != "i" || t.num >= 0 && t.id == s.number || t.filler && t.start > base) {
			end = t.start - base
			break
		}
	}
	name := strings.TrimSpace(strings.TrimFunc(rest[:end], func(r rune) bool {
		return !unicode.IsLetter(r) && r != '.' && r != '\''
	}))
	if name == "" || utf8.RuneCountInString(name) > 60 || strings.IndexFunc(name, unicode.IsLetter) < 0 || strings.ContainsAny(name, "0123456789@#<>{}") {
		return ""
	}
	words, ordinary := 0, 0
	for _, t := range s.all {
		if t.start >= base && t.start < base+end {
			words++
			if s.on.NotName.has(t.id) && !(t.fuzzy && len(t.raw) < 5) || s.on.Negator.has(t.id) || s.on.Me.has(t.id) && t.raw != "i" {
				ordinary += 2
			} else if t.id != 0 && !t.fuzzy && s.spelledSmall(t) || s.common[t.raw] {
				ordinary++
			}
		}
	}
	if words == 0 || words > 7 || ordinary*2 > words {
		return ""
	}
	return name
}

// spelledSmall says whether a word stands in small letters: a name is mostly written with a capital, but tired
// people do not.
func (s *reader) spelledSmall(t token) bool {
	r, _ := utf8.DecodeRuneInString(s.text[t.start:])
	return !unicode.IsUpper(r)
}
