package lexicon

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"pulang/flows"
)

// run of digits as people write a number: with spaces, dashes, dots, brackets and a plus.
type digits struct {
	text       string // digits only
	plus       bool
	start, end int
}

// prefixes are the country codes of the region that are recognised without a plus, longest first.
var prefixes = []struct{ code, country string }{{"855", "KH"}, {"856", "LA"}, {"62", "ID"}, {"66", "TH"}, {"95", "MM"}, {"84", "VN"}, {"63", "PH"}, {"60", "MY"}, {"65", "SG"}}

// Ambiguous is the callback number that could be Indonesian as well as of the mission's country.
const Ambiguous = "ambiguous"

// phones reads the number to call. A number that begins 08 may be Indonesian or Cambodian: ten digits and less
// cannot be told apart and are asked about. Sixteen digits are an identity card, never a telephone.
func (s *reader) phones() {
	if s.r.Location != nil && s.r.Location.Lat != nil && s.c.Step != flows.StepCallbackNumber {
		return
	}
	runs := digitRuns(s.text)
	atStep := s.c.Step == flows.StepCallbackNumber || s.c.Step == flows.StepNumberCountry || s.c.Step == flows.StepSubjectContact || s.c.Step == flows.StepFamilyContact
	if len(runs) == 0 && atStep || len(runs) == 0 && s.says("phone", "talk") {
		if t := s.spoken(); len(t) >= 8 {
			runs = append(runs, digits{text: t})
		}
	}
	hint := ""
	for _, h := range s.hits {
		switch s.sections[h.section] {
		case "phone.KH", "phone.ID":
			hint = string(s.valueOf[h.section])
		}
	}
	for i, d := range runs {
		if len(d.text) == 16 || s.r.PassportNo != "" && strings.HasSuffix(s.r.PassportNo, d.text) {
			continue
		}
		if i > 0 && len(d.text) <= 4 {
			continue
		}
		if len(d.text) < 8 || len(d.text) > 15 || s.dateLike(d) || s.othersNumber(d) {
			continue
		}
		// "… depannya kasih +855"
		prefix := ""
		for j, o := range runs {
			if j != i && len(o.text) <= 3 {
				for _, p := range prefixes {
					if p.code == o.text && (o.plus || hint != "" || s.says("phone", "prefix")) {
						prefix = p.code
					}
				}
			}
		}
		if e164 := s.number164(d, prefix, hint, atStep); e164 != "" {
			s.r.Phone = e164
			s.r.PhoneRaw = strings.TrimSpace(s.text[d.start:d.end])
			return
		}
	}
}

// othersNumber says whether a number is told to be somebody else's: "nomor bos 0812…", "kabari ibu saya 0813…". To ring
// the boss of a person who is held could cost a life; a number of the family's is taken where it is asked for. What is
// dropped here stays in the message on the case, and the question for the number still comes.
func (s *reader) othersNumber(d digits) bool {
	switch s.c.Step {
	case flows.StepSubjectContact, flows.StepFamilyContact, flows.StepRescueContact:
		return false
	}
	atStep := s.c.Step == flows.StepCallbackNumber || s.c.Step == flows.StepNumberCountry
	last := s.at(d.start) - 1
	if last > 1 && s.names[s.toks[last].id] == "saja" && s.kind[s.toks[last-1].id]&meNoun != 0 && s.names[s.toks[last-2].id] == "ke" {
		return false // jangan telepon suami, ke saya saja 0813…
	}
	for i := 1; i <= last && !atStep; i++ { // kabari ibu saya kalau saya sehat? 0813…
		if s.on.Reach.has(s.toks[i-1].id) && s.toks[i].gap == space && s.on.Relative.has(s.toks[i].id) && s.names[s.toks[i].id] != "teman" && !s.ownNumber() {
			return true
		}
	}
	if !atStep && last > 1 && s.on.From.has(s.toks[last].id) && !s.ownNumber() {
		for _, t := range s.before(last, 3) {
			if n := s.names[t.id]; n == "dapat" || n == "telepon" || n == "sms" || n == "wa" || n == "chat" || n == "pesan" {
				return true // dapat sms dari 0855…
			}
		}
	}
	for i := last; i >= 0 && last-i < 6; i-- {
		if i < last && s.toks[i+1].gap == stop {
			break
		}
		id := s.toks[i].id
		if s.on.Employer.has(id) || s.on.Authority.has(id) || s.names[id] == "agen" {
			return true
		}
		k := s.kind[id]
		if k&meNoun != 0 && !(i > 0 && s.toks[i].gap == space && (s.someone(s.toks[i-1].id) || s.on.Keeper.has(s.toks[i-1].id))) {
			return false
		}
		if (k&personNoun != 0 || s.on.Keeper.has(id)) && !atStep {
			for j := max(0, i-3); j <= i; j++ {
				if s.on.Borrowed.has(s.toks[j].id) {
					return false // pakai hp teman saya
				}
			}
			return true
		}
	}
	return false
}

// ownNumber says whether the message calls a number the writer's: "nomor saya".
func (s *reader) ownNumber() bool {
	for i := 1; i < len(s.toks); i++ {
		if s.kind[s.toks[i].id]&meNoun != 0 && s.toks[i].gap == space && s.on.Number.has(s.toks[i-1].id) {
			return true
		}
	}
	return false
}

// number164 turns digits into E.164, Ambiguous, or "" for what is no telephone number.
func (s *reader) number164(d digits, prefix, hint string, atStep bool) string {
	t := d.text
	if prefix != "" && !d.plus {
		return valid("+" + prefix + strings.TrimPrefix(t, "0"))
	}
	if rest, ok := strings.CutPrefix(t, "00"); ok && !d.plus {
		t, d.plus = rest, true
	}
	if d.plus {
		return valid("+" + t)
	}
	if t[0] != '0' {
		for _, p := range prefixes {
			if rest, ok := strings.CutPrefix(t, p.code); ok && len(rest) >= 8 {
				return valid("+" + p.code + strings.TrimPrefix(rest, "0"))
			}
		}
		if t[0] == '8' && atStep && len(t) >= 9 && len(t) <= 12 && hint != "KH" { // 812… without its zero
			if len(t) == 9 && hint == "" {
				return Ambiguous
			}
			return valid("+62" + t)
		}
		if hint == "KH" {
			return valid("+855" + t)
		}
		return ""
	}
	home := s.c.Country
	if home == "" {
		home = "KH"
	}
	if strings.HasPrefix(t, "08") {
		switch hint {
		case "ID":
			return valid("+62" + t[1:])
		case "KH":
			return valid("+855" + t[1:])
		}
		if len(t) >= 11 {
			return valid("+62" + t[1:])
		}
		if home == "KH" && (strings.HasPrefix(t, "081") || t >= "085" && t < "09") || home != "KH" {
			return Ambiguous
		}
		return Ambiguous
	}
	if strings.HasPrefix(t, "02") && hint == "ID" {
		return valid("+62" + t[1:])
	}
	for _, p := range prefixes {
		if p.country == home {
			return valid("+" + p.code + t[1:])
		}
	}
	return ""
}

// valid returns the number when libphonenumber holds it possible in its country, and "" otherwise.
func valid(e164 string) string {
	n, err := phonenumbers.Parse(e164, "")
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return ""
	}
	e164 = phonenumbers.Format(n, phonenumbers.E164)
	if len(e164) > 16 { // ITU-T E.164: at most 15 digits
		return ""
	}
	return e164
}

// digitRuns finds the runs of digits that may be one number: single spaces, dashes, dots and brackets inside.
func digitRuns(text string) []digits {
	var out []digits
	for i := 0; i < len(text); {
		if !digit(text[i]) {
			i++
			continue
		}
		if i > 0 && (alnum(text[i-1]|0x20) && letter(text[i-1])) {
			for i < len(text) && digit(text[i]) {
				i++
			}
			continue
		}
		d := digits{start: i}
		for k := i - 1; k >= 0 && (text[k] == '+' || text[k] == ' ' || text[k] == '('); k-- {
			if text[k] == '+' {
				d.plus, d.start = true, k
				break
			}
		}
		j := i
		var b strings.Builder
		for j < len(text) {
			if digit(text[j]) {
				b.WriteByte(text[j])
				j++
				continue
			}
			k := j
			for k < len(text) && k-j < 3 && strings.IndexByte(" -.()/", text[k]) >= 0 {
				k++
			}
			if k == j || k >= len(text) || !digit(text[k]) {
				break
			}
			j = k
		}
		d.text, d.end = b.String(), j
		out = append(out, d)
		i = j
	}
	return out
}

// dateLike says whether a run is a date or an amount of money rather than a number to call.
func (s *reader) dateLike(d digits) bool {
	if d.plus || d.text[0] == '0' && len(d.text) >= 9 {
		return false
	}
	raw := s.text[d.start:d.end]
	if len(d.text) == 8 && strings.Count(raw, "-")+strings.Count(raw, "/")+strings.Count(raw, ".")+strings.Count(raw, " ") == 2 {
		return true
	}
	return strings.Count(raw, ".") >= 2 && len(d.text) < 10
}

// spoken reads digits that were written as words: "nol delapan satu dua".
func (s *reader) spoken() string {
	var b strings.Builder
	for i, t := range s.toks {
		switch {
		case t.num >= 0 && t.num <= 9 && t.id != s.number:
			b.WriteByte(byte('0' + t.num))
		case t.num >= 0 && t.id == s.number:
			b.WriteString(t.raw)
		case s.names[t.id] == "dobel" && i+1 < len(s.toks) && s.toks[i+1].num >= 0 && s.toks[i+1].num <= 9:
			b.WriteByte(byte('0' + s.toks[i+1].num))
		case b.Len() > 0 && b.Len() < 8:
			b.Reset()
		case b.Len() >= 8:
			return b.String()
		}
	}
	return b.String()
}
