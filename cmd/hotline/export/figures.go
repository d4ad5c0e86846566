package export

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"pulang/flows"
	"pulang/flows/casework"
)

// fewest is the smallest number of people that a published figure may be of.
const fewest = 5

// counted are the milestones that are counted by day.
var counted = []casework.Stage{
	casework.StageContacted, casework.StageArrived, casework.StageSheltered, casework.StageSPLPIssued, casework.StageWaiverGranted,
	casework.StageDeparted, casework.StageArrivedID,
}

// dayFigures are the figures of one day.
type dayFigures struct {
	day              string // empty for days that are told together
	reports, persons int
	late             int // of the reports: recorded after the day's figures were closed
	stages           map[casework.Stage]int
}

func (d dayFigures) small() bool { return few(d.persons) || few(d.reports) }

func few(n int) bool { return n > 0 && n < fewest }

// figures is the table of the days with a sum, then who these people are. Published figures hide none that could be
// reckoned back: days and groups of fewer than five people are told together, and sums are of what is shown.
func (s *Set) figures(all []*casework.Case) *Table {
	columns := []string{"section", "item", "reports", "persons", "reports_so_far", "persons_so_far", "late"}
	t := s.table(columns...)
	for _, st := range counted {
		t.Heads = append(t.Heads, s.t("stage."+string(st)))
	}
	days, people := s.days(all)
	if !s.Internal {
		days = together(days)
	}
	total := dayFigures{stages: map[casework.Stage]int{}}
	for _, d := range days {
		label := d.day
		if label == "" {
			label = s.t("export.few_days", "N", fewest)
		}
		total.reports, total.persons = total.reports+s.shown(d.reports), total.persons+s.shown(d.persons)
		row := []Cell{Text(s.t("export.section.day")), Text(label), s.cell(d.reports), s.cell(d.persons), s.cell(total.reports), s.cell(total.persons), s.cell(d.late)}
		total.late += s.shown(d.late)
		for _, st := range counted {
			row = append(row, s.cell(d.stages[st]))
			total.stages[st] += s.shown(d.stages[st])
		}
		t.Rows = append(t.Rows, row)
	}
	row := []Cell{Text(s.t("export.section.total")), {}, s.cell(total.reports), s.cell(total.persons), {}, {}, s.cell(total.late)}
	for _, st := range counted {
		row = append(row, s.cell(total.stages[st]))
	}
	t.Rows = append(t.Rows, row)
	s.groups(t, "sex", people, func(c *casework.Case) string { return s.value(flows.StepSex, c.Answers[flows.StepSex].Value()) })
	s.groups(t, "passport", people, func(c *casework.Case) string {
		return s.value(flows.StepPassportStatus, c.Answers[flows.StepPassportStatus].Value())
	})
	s.groups(t, "province", people, func(c *casework.Case) string {
		for i := len(c.Locations) - 1; i >= 0; i-- {
			if l := c.Locations[i]; l.Province != "" {
				return l.Province + ", " + l.Country
			}
		}
		return ""
	})
	t.Notes = append(t.Notes, s.t("export.note.as_of", "At", s.minute(s.AsOf), "Cutoff", fmt.Sprintf("%02d:%02d", s.Cutoff/60, s.Cutoff%60)),
		s.t("export.note.persons"), s.t("export.note.late"))
	if s.Internal {
		t.Notes = append(t.Notes, s.t("export.note.internal"))
	} else {
		t.Notes = append(t.Notes, s.t("export.note.small", "N", fewest))
	}
	return t
}

// cell is a figure; one of fewer than five is not told.
func (s *Set) cell(n int) Cell {
	if !s.Internal && few(n) {
		return Text(fmt.Sprintf("<%d", fewest))
	}
	return Number(n)
}

// shown is what a figure adds to a sum: nothing where it is not told.
func (s *Set) shown(n int) int {
	if !s.Internal && few(n) {
		return 0
	}
	return n
}

// days counts by day, oldest first, and gives the people behind the reports of those days.
func (s *Set) days(all []*casework.Case) (days []dayFigures, people []*casework.Case) {
	byDay := map[string]*dayFigures{}
	of := func(at time.Time) *dayFigures {
		day := s.dayOf(at)
		if at.After(s.AsOf) || !s.From.IsZero() && day < s.From.Format(time.DateOnly) || !s.To.IsZero() && day > s.To.Format(time.DateOnly) {
			return &dayFigures{stages: map[casework.Stage]int{}} // of no interest
		}
		if byDay[day] == nil {
			byDay[day] = &dayFigures{day: day, stages: map[casework.Stage]int{}}
		}
		return byDay[day]
	}
	for _, c := range all {
		recorded := recordedAt(c)
		if recorded.After(s.AsOf) {
			continue
		}
		d := of(c.CreatedAt)
		d.reports++
		if recorded.After(s.endOf(c.CreatedAt)) {
			d.late++
		}
		if c.Into != nil || c.ClosedAs == "duplicate" || c.ClosedAs == "not_wni" {
			continue // not another person to bring home
		}
		d.persons++
		if d.day != "" {
			people = append(people, c)
		}
		first := map[casework.Stage]bool{}
		for _, m := range c.Milestones {
			if slices.Contains(counted, m.Stage) && !first[m.Stage] {
				first[m.Stage] = true
				of(m.At).stages[m.Stage]++
			}
		}
	}
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		days = append(days, *byDay[day])
	}
	return days, people
}

// recordedAt is when a case came into the store: after an outage that is later than the message.
func recordedAt(c *casework.Case) time.Time {
	if id, err := ulid.Parse(c.ID); err == nil {
		if at := id.Timestamp(); at.After(c.CreatedAt) {
			return at
		}
	}
	return c.CreatedAt
}

// dayOf is the day to whose figures a time belongs; endOf is when that day's figures are closed.
func (s *Set) dayOf(at time.Time) string { return s.endOf(at).Add(-time.Minute).Format(time.DateOnly) }

func (s *Set) endOf(at time.Time) time.Time {
	at = at.In(s.Mission.Location())
	end := time.Date(at.Year(), at.Month(), at.Day(), 0, s.Cutoff, 0, 0, at.Location())
	if !at.Before(end) {
		end = time.Date(at.Year(), at.Month(), at.Day()+1, 0, s.Cutoff, 0, 0, at.Location())
	}
	return end
}

// together puts days of fewer than five people or reports into one row at the end; where that would still be of too few,
// the smallest other day goes in as well.
func together(days []dayFigures) []dayFigures {
	rest := dayFigures{stages: map[casework.Stage]int{}}
	var keep []dayFigures
	hide := func(d dayFigures) {
		rest.reports, rest.persons, rest.late = rest.reports+d.reports, rest.persons+d.persons, rest.late+d.late
		for st, n := range d.stages {
			rest.stages[st] += n
		}
	}
	for _, d := range days {
		if d.small() {
			hide(d)
		} else {
			keep = append(keep, d)
		}
	}
	for rest.small() {
		at := -1
		for i, d := range keep {
			if d.persons > 0 && (at < 0 || d.persons < keep[at].persons) {
				at = i
			}
		}
		if at < 0 {
			break // fewer than five in all: the row itself says no more than that
		}
		hide(keep[at])
		keep = slices.Delete(keep, at, at+1)
	}
	if rest.reports > 0 {
		keep = append(keep, rest)
	}
	return keep
}

// groups adds how many people are in each group of a kind; groups that are too small are told together.
func (s *Set) groups(t *Table, section string, people []*casework.Case, of func(*casework.Case) string) {
	n := map[string]int{}
	for _, c := range people {
		g := of(c)
		if g == "" {
			g = s.t("export.not_said")
		}
		n[g]++
	}
	names := slices.SortedFunc(maps.Keys(n), func(a, b string) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
	rest := 0
	for !s.Internal && len(names) > 0 {
		last := n[names[len(names)-1]]
		if !few(last) && !few(rest) {
			break
		}
		rest += last
		names = names[:len(names)-1]
	}
	add := func(item string, n int) {
		row := make([]Cell, len(t.Heads))
		row[0], row[1], row[3] = Text(s.t("export.section."+section)), Text(item), s.cell(n)
		t.Rows = append(t.Rows, row)
	}
	for _, name := range names {
		add(name, n[name])
	}
	if rest > 0 {
		add(s.t("export.few_groups", "N", fewest), rest)
	}
}
