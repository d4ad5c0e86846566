package export

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// handedOn keeps those who agreed that their name and passport are given to others, and says how many did not.
func (s *Set) handedOn(t *Table, all []*casework.Case, row func(n int, c *casework.Case) []Cell) *Table {
	without := 0
	for _, c := range all {
		if !agreed(c) {
			without++
			continue
		}
		t.Rows = append(t.Rows, row(len(t.Rows)+1, c))
	}
	if without > 0 {
		t.Notes = append(t.Notes, s.t("export.note.no_consent", "N", without))
	}
	return t
}

// nominal is the daftar nominatif: who is to go home, for those who issue papers and permits.
func (s *Set) nominal(all []*casework.Case) *Table {
	t := s.table("no", "name", "sex", "home_area", "birth", "nik", "document", "entry", "immigration", "place", "remark")
	return s.handedOn(t, filter(all, counts), func(n int, c *casework.Case) []Cell {
		remark := s.t("stage." + string(c.Stage))
		if g := c.Answers[flows.StepGroupSize].Norm; g != "" && c.Answers[flows.StepWhoFor].Value() == "group" {
			remark += "; " + s.t("export.group_of", "N", g)
		}
		return []Cell{
			Number(n), Text(name(c)), Text(s.value(flows.StepSex, c.Answers[flows.StepSex].Value())), Text(words(c, flows.StepHomeArea)),
			Text(birth(c)), Text(nik(c)), Text(document(c)), Text(entry(c)), Text(s.value(flows.StepImmigration, c.Answers[flows.StepImmigration].Value())),
			Text(s.place(c)), Text(remark),
		}
	})
}

// waiver is the list for the immigration office of the country: those whose permit has run out and whose fine was not
// yet waived.
func (s *Set) waiver(all []*casework.Case) *Table {
	t := s.table("no", "name", "sex", "birth", "document", "entry", "overstay_since", "overstay_days", "code")
	due := filter(all, func(c *casework.Case) bool {
		_, _, granted := detail(c, casework.StageWaiverGranted)
		_, _, gone := detail(c, casework.StageDeparted)
		_, _, asked := detail(c, casework.StageWaiverSubmitted)
		return counts(c) && !granted && !gone && (asked || c.Answers[flows.StepImmigration].Value() == "overstay")
	})
	return s.handedOn(t, due, func(n int, c *casework.Case) []Cell {
		days := Text("")
		if since, err := time.Parse(time.DateOnly, c.Answers[flows.StepOverstaySince].Norm); err == nil && !since.After(s.today()) {
			days = Number(int(s.today().Sub(since) / (24 * time.Hour)))
		}
		return []Cell{
			Number(n), Text(name(c)), Text(s.value(flows.StepSex, c.Answers[flows.StepSex].Value())), Text(birth(c)), Text(document(c)),
			Text(entry(c)), Text(sinceOr(c, flows.StepOverstaySince)), days, Text(c.Code),
		}
	})
}

// shelter is who is lodged where, for the mission itself: by lodging, then by how long.
func (s *Set) shelter(all []*casework.Case) *Table {
	t := s.table("no", "lodging", "since", "code", "name", "sex", "age", "stage", "phone")
	there := filter(all, func(c *casework.Case) bool {
		_, _, ok := detail(c, casework.StageSheltered)
		_, _, gone := detail(c, casework.StageDeparted)
		return counts(c) && ok && !gone
	})
	for _, where := range append(lodgings(), "") {
		for _, c := range there {
			d, at, _ := detail(c, casework.StageSheltered)
			if known := slices.Contains(lodgings(), d); d != where && (known || where != "") {
				continue
			}
			lodging := s.t("detail." + d)
			if !slices.Contains(lodgings(), d) {
				lodging = noNumbers(d)
			}
			t.Rows = append(t.Rows, []Cell{
				Number(len(t.Rows) + 1), Text(lodging), Text(s.day(at)), Text(c.Code), Text(name(c)), Text(s.value(flows.StepSex, c.Answers[flows.StepSex].Value())),
				Text(s.age(c)), Text(s.t("stage." + string(c.Stage))), Text(phone(c, s.Now, s.Mission.Rules())),
			})
		}
	}
	return t
}

func lodgings() []string {
	for _, r := range casework.Stages {
		if r.Stage == casework.StageSheltered {
			return r.Details
		}
	}
	return nil
}

func filter(all []*casework.Case, keep func(*casework.Case) bool) (out []*casework.Case) {
	for _, c := range all {
		if keep(c) {
			out = append(out, c)
		}
	}
	return out
}

// entry is when the person entered the country and where, as far as they said.
func entry(c *casework.Case) string {
	parts := []string{sinceOr(c, flows.StepEntryDate), words(c, flows.StepEntryPoint)}
	if parts[1] == "" {
		parts = parts[:1]
	}
	return strings.Join(parts, ", ")
}

// sinceOr is a day where one was understood, otherwise the person's own words.
func sinceOr(c *casework.Case, step flows.StepID) string {
	a := c.Answers[step]
	if _, err := time.Parse(time.DateOnly, a.Norm); err == nil {
		return a.Norm
	}
	if n, err := strconv.Atoi(a.Norm); err == nil && n > 1900 {
		return a.Norm
	}
	return words(c, step)
}
