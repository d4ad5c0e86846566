package export

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// callable are digits that might be rung: seven or more, whatever people put between them.
var callable = regexp.MustCompile(`[+＋]?\p{Nd}(?:[\p{Zs}.\-–—/()_*·]{0,3}\p{Nd}){6,}`)

// dated are digits that nobody can ring.
var dated = regexp.MustCompile(`^\p{Nd}{1,2}[.\-/ ]\p{Nd}{1,2}[.\-/ ]\p{Nd}{4}$|^\p{Nd}{4}[.\-/]\p{Nd}{1,2}[.\-/]\p{Nd}{1,2}$`)

// noNumbers takes out of somebody's words what might be rung, and with it whatever else has that many digits.
func noNumbers(s string) string {
	return callable.ReplaceAllStringFunc(s, func(m string) string {
		if dated.MatchString(strings.TrimSpace(m)) {
			return m
		}
		return "•••"
	})
}

// noNumbersButNIK leaves a NIK in: sixteen digits with a day and a month in their places, which nobody can ring.
func noNumbersButNIK(s string) string {
	return callable.ReplaceAllStringFunc(s, func(m string) string {
		d := nonDigit.ReplaceAllString(m, "")
		if len(d) == 16 {
			day, _ := strconv.Atoi(d[6:8])
			month, _ := strconv.Atoi(d[8:10])
			if day%40 >= 1 && day%40 <= 31 && day <= 71 && month >= 1 && month <= 12 {
				return m
			}
		}
		return noNumbers(m)
	})
}

var nonDigit = regexp.MustCompile(`[^0-9]`)

// name is that of the person whom the case is about; empty while it is not known.
func name(c *casework.Case) string {
	step := flows.StepFullName
	if c.Answers[flows.StepWhoFor].Value() == "other_person" {
		step = flows.StepSubjectName
	}
	return noNumbers(said(c, step))
}

// said is a free answer, as it was understood where that is known.
func said(c *casework.Case, step flows.StepID) string {
	a := c.Answers[step]
	switch {
	case a.Skipped:
		return ""
	case a.Norm != "":
		return a.Norm
	}
	return a.Text
}

// words is a free answer as the person gave it, without what might be rung.
func words(c *casework.Case, step flows.StepID) string {
	a := c.Answers[step]
	if a.Skipped {
		return ""
	}
	return noNumbers(a.Text)
}

// phone is the number to ring, without +, where the gate lets it ring now; otherwise it is in no file.
func phone(c *casework.Case, now time.Time, r casework.Rules) string {
	if !casework.MayCall(c, now, r).OK {
		return ""
	}
	return strings.TrimPrefix(c.Answers[flows.StepCallbackNumber].Norm, "+")
}

var (
	nikForm      = regexp.MustCompile(`(?:^|\D)(\d(?:[ .\-]?\d){15})(?:\D|$)`)
	passportForm = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])([a-z]{1,2}[ .\-]?\d{6,7})(?:[^a-z0-9]|$)`)
)

// nik and passport are the numbers of the person's papers, where somebody wrote them down; digits and letters only.
func nik(c *casework.Case) string {
	return paper(c, nikForm, flows.StepIDProof, flows.StepPassportCopy)
}

func passport(c *casework.Case) string {
	return paper(c, passportForm, flows.StepPassportCopy, flows.StepPassportStatus, flows.StepIDProof)
}

func paper(c *casework.Case, form *regexp.Regexp, steps ...flows.StepID) string {
	for _, step := range steps {
		a := c.Answers[step]
		for _, text := range []string{a.Norm, a.Text} {
			if m := form.FindStringSubmatch(text); m != nil {
				return strings.ToUpper(strings.NewReplacer(" ", "", ".", "", "-", "").Replace(m[1]))
			}
		}
	}
	return ""
}

// detail is what was noted with the last milestone of that stage; ok is false when it was not reached.
func detail(c *casework.Case, s casework.Stage) (d string, at time.Time, ok bool) {
	for _, m := range c.Milestones {
		if m.Stage == s {
			d, at, ok = m.Detail, m.At, true
		}
	}
	return d, at, ok
}

// document is the number of the passport or, once it was issued, of the SPLP.
func document(c *casework.Case) string {
	if d, _, ok := detail(c, casework.StageSPLPIssued); ok && d != "" {
		return d
	}
	return passport(c)
}

// birth is the date of birth, YYYY-MM-DD; empty where only an age is known.
func birth(c *casework.Case) string {
	if b := c.Answers[flows.StepBirthDate].Norm; len(b) == len(time.DateOnly) {
		return b
	}
	return ""
}

// age is the age in years on the day that now is where it is told; empty where it is not known. It grows by month and
// day, not by the day of the year, which a leap year moves; who was born on 29 February is a year older on 1 March.
func age(c *casework.Case, now time.Time) string {
	norm := c.Answers[flows.StepBirthDate].Norm
	if b, err := time.Parse(time.DateOnly, norm); err == nil {
		n := now.Year() - b.Year()
		if now.Month() < b.Month() || now.Month() == b.Month() && now.Day() < b.Day() {
			n--
		}
		return strconv.Itoa(max(n, 0))
	}
	if n, err := strconv.Atoi(norm); err == nil && n >= 0 && n < 130 {
		return norm
	}
	return ""
}

// age is that by the mission's calendar.
func (s *Set) age(c *casework.Case) string { return age(c, s.today()) }

// place is where the person is, as coarse as the gazetteer: never a pin, never their own words.
func (s *Set) place(c *casework.Case) string {
	var parts []string
	for i := len(c.Locations) - 1; i >= 0; i-- {
		l := c.Locations[i]
		if l.Place == "" && l.Province == "" && l.Country == "" {
			continue
		}
		for _, p := range []string{l.Place, l.Province, l.Country} {
			if p != "" && (len(parts) == 0 || parts[len(parts)-1] != p) {
				parts = append(parts, p)
			}
		}
		break
	}
	if v := c.Answers[flows.StepPlaceKind].Value(); v != "" {
		parts = append(parts, s.value(flows.StepPlaceKind, v))
	}
	return strings.Join(parts, ", ")
}

// agreed reports whether the person agreed that the file is handed on outside the mission.
func agreed(c *casework.Case) bool {
	return c.Answers[flows.StepConsentShare].Value() == "agree" && !casework.Reporter(c)
}

// counts reports whether a case stands for a person who is still to go home: not a second report, not closed.
func counts(c *casework.Case) bool { return c.Into == nil && !c.Closed() }

// item is a case of the queue for the operational set.
func (s *Set) item(it bot.QueueItem) []Cell {
	v := bot.QueueJSON(it, s.Now, s.Mission.Rules())
	c := it.Case
	row := []Cell{
		Text(v.Code), Text(string(v.Class)), Text(s.t("stage." + string(v.Stage))), Text(s.minute(v.CreatedAt)), Text(s.minute(v.DueAt)),
		Number(v.Attempts), Text(s.value(flows.StepSafetyNow, v.SafetyNow)), Text(s.value(flows.StepWhoFor, v.WhoFor)),
		Text(s.value(flows.StepPassportStatus, v.PassportStatus)), Text(s.value(flows.StepImmigration, v.ImmigrationStatus)),
		Text(s.place(c)), Text(s.values(flows.StepUrgentNeeds, v.UrgentNeeds)), Text(s.yes(v.MayCall)), Text(s.yes(v.ClaimedBy != "")),
		Text(v.Channel), Text(v.Language),
	}
	if s.Personal {
		row = append(row, Text(name(c)), Text(phone(c, s.Now, s.Mission.Rules())))
	}
	return row
}

// Queue makes the operational set: the columns of the queue, and with Personal the name and the number as well.
func (s *Set) Queue(items []bot.QueueItem) (*Table, error) {
	columns := []string{"code", "class", "stage", "created", "due", "attempts", "safety", "who_for", "passport_status", "immigration", "place",
		"needs", "may_call", "claimed", "channel", "language"}
	if s.Personal {
		columns = append(columns, "name", "phone")
	}
	t, simulated := s.table(columns...), false
	for _, it := range items {
		if s.within(it.Case) {
			t.Rows = append(t.Rows, s.item(it))
			simulated = simulated || it.Case.Simulated
		}
	}
	if len(t.Rows) > MostRows {
		return nil, ErrRows
	}
	s.sign(t, simulated)
	return t, nil
}
