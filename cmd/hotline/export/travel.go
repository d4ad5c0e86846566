package export

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"pulang/flows"
	"pulang/flows/casework"
)

// last is at which place among the milestones a stage was reached last; -1 for never. A stage that is set again (a new
// application, another flight) stands behind what came of the one before.
func last(c *casework.Case, stage casework.Stage) int {
	for i := len(c.Milestones) - 1; i >= 0; i-- {
		if c.Milestones[i].Stage == stage {
			return i
		}
	}
	return -1
}

// needsSPLP reports whether a travel document in lieu of a passport is applied for and not issued, or is needed: no
// passport that is good and in the person's own hand. Who does not know what became of it has not said so, and one who
// is not Indonesian gets none.
func needsSPLP(c *casework.Case) bool {
	asked, issued := last(c, casework.StageSPLPApplied), last(c, casework.StageSPLPIssued)
	if !counts(c) || max(last(c, casework.StageDeparted), last(c, casework.StageArrivedID)) >= 0 || c.Answers[flows.StepNationality].Value() == "other" {
		return false
	}
	status := c.Answers[flows.StepPassportStatus]
	switch {
	case status.Value() == "splp_in_hand" && (asked < 0 || !status.At.Before(c.Milestones[asked].At)):
		return false
	case asked >= 0:
		return asked > issued
	}
	switch status.Value() {
	case "", flows.Unknown, "with_me_valid":
		return false
	}
	return issued < 0
}

// splp is the batch for those who issue the document: who the person is, what shows it, what became of the passport.
// Nothing of where they are, how they are, or how they can be reached.
func (s *Set) splp(all []*casework.Case) *Table {
	t := s.table("no", "name", "sex", "birth", "nik", "home_area", "old_passport", "passport_status", "proofs", "citizenship", "entry", "applied", "code")
	return s.handedOn(t, filter(all, needsSPLP), func(n int, c *casework.Case) []Cell {
		_, applied, _ := detail(c, casework.StageSPLPApplied)
		verified, at, _ := detail(c, casework.StageVerified)
		if verified != "" {
			verified = s.t("detail."+verified) + ", "
		}
		return []Cell{
			Number(n), Text(name(c)), Text(s.value(flows.StepSex, c.Answers[flows.StepSex].Value())), Text(birth(c)), Text(nik(c)),
			Text(words(c, flows.StepHomeArea)), Text(passport(c)), Text(s.value(flows.StepPassportStatus, c.Answers[flows.StepPassportStatus].Value())),
			Text(s.values(flows.StepIDProof, c.Answers[flows.StepIDProof].Values)), Text(verified + s.day(at)), Text(entry(c)), Text(s.day(applied)), Text(c.Code),
		}
	})
}

// flies reports whether the person has a confirmed ticket and has not arrived: also who left already, until then.
func flies(c *casework.Case) bool {
	ticket := last(c, casework.StageTicketConfirmed)
	return counts(c) && ticket >= 0 && ticket > last(c, casework.StageArrivedID)
}

// manifest is who flies, flight by flight, who needs help first, with what those who receive them have to know.
func (s *Set) manifest(all []*casework.Case) *Table {
	t := s.table("no", "flight", "code", "name", "sex", "birth", "age", "document", "home_area", "first", "health", "family", "handover")
	there := filter(all, flies)
	slices.SortStableFunc(there, func(a, b *casework.Case) int {
		return cmp.Or(strings.Compare(sameFlight(a), sameFlight(b)), s.rank(a)-s.rank(b), cmp.Compare(casework.Effective(a, s.Now), casework.Effective(b, s.Now)))
	})
	s.handedOn(t, there, func(n int, c *casework.Case) []Cell {
		d, _, _ := detail(c, casework.StageTicketConfirmed)
		return []Cell{
			Number(n), Text(flight(d)), Text(c.Code), Text(name(c)), Text(s.value(flows.StepSex, c.Answers[flows.StepSex].Value())), Text(birth(c)), Text(s.age(c)),
			Text(document(c)), Text(words(c, flows.StepHomeArea)), Text(s.first(c)), Text(s.health(c)), Text(s.family(c)), Text(s.handover(c)),
		}
	})
	unseen := filter(there, func(c *casework.Case) bool { return !agreed(c) && s.rank(c) == 0 })
	if len(unseen) > 0 {
		t.Notes = append(t.Notes, s.t("export.note.unseen_first", "N", len(unseen)))
	}
	t.Notes = append(t.Notes, s.t("export.note.handover"))
	return t
}

// rank is 0 for whoever is looked after first.
func (s *Set) rank(c *casework.Case) int {
	if casework.Vulnerable(c) || casework.Minor(c) || casework.Effective(c, s.Now) == casework.P1 {
		return 0
	}
	return 1
}

// first says that somebody is looked after first, and of a child why. What makes it so of others is not in the file, but
// where health says it.
func (s *Set) first(c *casework.Case) string {
	switch {
	case casework.Minor(c):
		return s.t("export.first.minor")
	case casework.WithChild(c):
		return s.t("export.first.child")
	case s.rank(c) == 0:
		return s.yes(true)
	}
	return ""
}

// health is what whoever travels with the person has to know, and only where there is something to be cared for now:
// words about an illness that the person did not call urgent are not handed on. That the person agreed to be in the file
// at all was found out before.
func (s *Set) health(c *casework.Case) string {
	care := casework.Care(c)
	if len(care) == 0 {
		return ""
	}
	text := s.values(flows.StepUrgentNeeds, care)
	if d := words(c, flows.StepHealthDetail); d != "" {
		text += ": " + d
	}
	return text
}

var e164 = regexp.MustCompile(`^\+\d{7,15}$`)

// family is whom the person lets know that they are safe; the number by the same gate as the person's own.
func (s *Set) family(c *casework.Case) string {
	a := c.Answers[flows.StepFamilyContact]
	if a.Skipped || a.Value() == flows.None || c.Answers[flows.StepFamilyConsent].Value() != "may_tell_safe" {
		return ""
	}
	text := words(c, flows.StepFamilyContact)
	if e164.MatchString(a.Norm) && casework.MayCall(c, s.Now, s.Mission.Rules()).OK {
		text = strings.TrimSpace(text + " " + strings.TrimPrefix(a.Norm, "+"))
	}
	return text
}

// handover is what else those who receive the person have to see to.
func (s *Set) handover(c *casework.Case) string {
	var out []string
	if casework.Unaccompanied(c) {
		out = append(out, s.t("export.alone"))
	}
	if c.Answers[flows.StepUrgentNeeds].Has("female_officer") {
		out = append(out, s.value(flows.StepUrgentNeeds, "female_officer"))
	}
	if g := c.Answers[flows.StepGroupSize].Norm; g != "" && c.Answers[flows.StepWhoFor].Value() == "group" {
		out = append(out, s.t("export.group_of", "N", g))
	}
	if gone := last(c, casework.StageDeparted); gone > last(c, casework.StageTicketConfirmed) {
		out = append(out, s.t("stage."+string(casework.StageDeparted))+" "+s.minute(c.Milestones[gone].At))
	}
	return strings.Join(out, "; ")
}

// sameFlight is the flight by which rows stand together, however it was typed.
func sameFlight(c *casework.Case) string {
	d, _, _ := detail(c, casework.StageTicketConfirmed)
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, d)
}

// when are the days and the hours of a flight, as officers type them: digits that nobody can ring, though beside others
// they look as if. They stand alone, or a number could be told in pieces.
var when = regexp.MustCompile(`(?i)(^|[\s,;(])(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]20\d\d|\d{1,2}[ -]?(?:jan|feb|mar|apr|mei|may|jun|jul|agu|aug|sep|okt|oct|nov|des|dec)[a-z]*(?:[ -]?20\d\d)?|(?:[01]?\d|2[0-3])[.:][0-5]\d)`)

// flight is the flight as the officer noted it, without what might be rung.
func flight(d string) string {
	var b strings.Builder
	rest := d
	for {
		m := when.FindStringSubmatchIndex(rest)
		if m == nil {
			break
		}
		b.WriteString(noNumbers(rest[:m[4]]))
		word := rest[m[4]:m[5]]
		rest = rest[m[5]:]
		if rest != "" && !strings.ContainsRune(" ,;)", rune(rest[0])) || !dayOrHour(word) {
			// Part of something longer: with it, it is judged as everything else is.
			cut := strings.IndexAny(rest, " ,;)")
			if cut < 0 {
				cut = len(rest)
			}
			b.WriteString(noNumbers(word + rest[:cut]))
			rest = rest[cut:]
			continue
		}
		b.WriteString(word)
	}
	b.WriteString(noNumbers(rest))
	return b.String()
}

// dayOrHour reports whether digits that look like a day are one: no month after the twelfth, no day after the 31st.
func dayOrHour(s string) bool {
	parts := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsDigit(r) })
	if len(parts) < 3 {
		return true
	}
	if len(parts[0]) == 4 {
		slices.Reverse(parts)
	}
	day, _ := strconv.Atoi(parts[0])
	month, _ := strconv.Atoi(parts[1])
	year, _ := strconv.Atoi(parts[2])
	return day >= 1 && day <= 31 && month >= 1 && month <= 12 && year >= 2020 && year < 2100
}
