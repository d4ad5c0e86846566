package casework

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"pulang/flows"
)

// rule is one line of the triage table. A rule that is met adds its points and stands among the visible reasons; a
// floor puts the case into P1 whatever the sum. Where somebody reports from (a place named in connection with
// scams), doubt about nationality and a report by a third person have no rule: nothing of that kind counts against
// anybody.
type rule struct {
	id     string
	points int
	floor  bool
	met    func(f *facts) bool
}

// table is the whole triage, additive. Waiting has no points: it lifts a class at two stored times, see Effective.
var table = []rule{
	{"duress", 100, true, func(f *facts) bool { return f.safety == flows.Danger && f.open(SignalDuress) }},
	{"danger", 100, true, func(f *facts) bool { return f.safety == flows.Danger && !f.open(SignalDuress) }},
	{"injured", 80, true, func(f *facts) bool { return f.needs("injured") }},
	{"medical_emergency", 80, true, func(f *facts) bool { return f.open("medical_emergency") }},
	{"self_harm", 80, true, func(f *facts) bool { return f.open("self_harm") }},
	{"held_or_threatened", 80, true, func(f *facts) bool { return f.needs("held_or_threatened") || f.open("threatened") || f.open("held") }},
	{"ransom_asked", 80, true, func(f *facts) bool { return f.open("ransom_asked") || f.value(flows.StepRansomAsked) == flows.Yes }},
	{"sexual_violence", 80, true, func(f *facts) bool { return f.open("sexual_violence") }},
	{"watched_papers_held", 80, true, func(f *facts) bool { return f.safety == flows.Watched && f.papersHeld() }},
	{"watched_in_compound", 80, true, func(f *facts) bool { return f.safety == flows.Watched && f.inCompound() }},
	{"minor_alone", 80, true, func(f *facts) bool {
		return (f.minor || f.child()) && f.value(flows.StepTrustedAdult) == flows.No || f.open("minor_alone")
	}},
	{SignalReview, 0, true, func(f *facts) bool { return f.open(SignalReview) }},
	{SignalWrongPerson, 60, false, func(f *facts) bool { return f.open(SignalWrongPerson) }},
	{SignalContactLost, 60, false, func(f *facts) bool { return f.open(SignalContactLost) }},
	{"watched", 50, false, func(f *facts) bool { return f.safety == flows.Watched }},
	{"pregnant_late", 50, false, func(f *facts) bool { return f.pregnant() && f.late }},
	{"pregnant", 30, false, func(f *facts) bool { return f.pregnant() && !f.late }},
	{"in_compound", 40, false, func(f *facts) bool { return f.inCompound() }},
	{"minor", 40, false, func(f *facts) bool { return f.minor }},
	{"child", 30, false, func(f *facts) bool { return f.child() && !f.minor }},
	{"detained", 30, false, func(f *facts) bool {
		k := f.value(flows.StepPlaceKind)
		return f.needs("detained") || f.open("detained") || k == "police" || k == "immigration_detention"
	}},
	{"sick", 25, false, func(f *facts) bool { return f.needs("sick") }},
	{"no_food_water", 20, false, func(f *facts) bool { return f.needs("no_food_water") }},
	{"no_shelter", 20, false, func(f *facts) bool { return f.needs("no_shelter") || f.value(flows.StepPlaceKind) == "outdoors" }},
	{"conflict_zone", 15, false, func(f *facts) bool { return f.conflict }},
	{"border_or_moving", 15, false, func(f *facts) bool {
		k := f.value(flows.StepPlaceKind)
		return !f.conflict && (k == "border" || k == "moving")
	}},
	{"no_passport", 10, false, func(f *facts) bool { return f.noPassport() }},
	{"overstay", 5, false, func(f *facts) bool { return f.value(flows.StepImmigration) == "overstay" }},
	{"group_50", 30, false, func(f *facts) bool { return f.group >= 50 }},
	{"group_20", 20, false, func(f *facts) bool { return f.group >= 20 && f.group < 50 }},
	{"group_5", 10, false, func(f *facts) bool { return f.group >= 5 && f.group < 20 }},
}

// ReasonKept is the reason shown for a class that the facts alone would no longer give (Triage.Kept).
const ReasonKept = "kept"

// ReasonIDs lists every Reason.ID, for the catalogue's test.
func ReasonIDs() []string {
	var ids []string
	for _, r := range table {
		ids = append(ids, r.id)
	}
	return append(ids, ReasonKept)
}

// The bands of the score.
const (
	bandP1 = 80
	bandP2 = 50
	bandP3 = 25
)

// Score computes class, score and reasons from the facts on the case alone, without override, waiting or what an
// officer has yet to check.
func Score(c *Case, r Rules) Triage {
	f := gather(c, r)
	t := Triage{Class: P4}
	floor := false
	for i := range table {
		if x := &table[i]; x.met(&f) {
			t.Score += x.points
			t.Reasons = append(t.Reasons, Reason{ID: x.id, Points: x.points, Floor: x.floor})
			floor = floor || x.floor
		}
	}
	switch {
	case floor || t.Score >= bandP1:
		t.Class = P1
	case t.Score >= bandP2:
		t.Class = P2
	case t.Score >= bandP3:
		t.Class = P3
	}
	return t
}

// facts are what the table looks at.
type facts struct {
	c        *Case
	safety   flows.Value
	urgent   flows.Answer
	minor    bool // the person the report is about is under 18
	late     bool // seven months pregnant or more
	group    int
	conflict bool
}

func gather(c *Case, r Rules) facts {
	f := facts{c: c, safety: c.Safety, urgent: c.Answers[flows.StepUrgentNeeds]}
	f.group, _ = strconv.Atoi(c.Answers[flows.StepGroupSize].Norm)
	f.minor = f.open("minor") || underAge(c)
	f.late = f.open("pregnant_late") || lateMonth(c.Answers[flows.StepHealthDetail].Text)
	for i := len(c.Locations) - 1; i >= 0; i-- {
		if p := c.Locations[i].Province; p != "" {
			f.conflict = r.conflict(p)
			break
		}
	}
	return f
}

func (f *facts) open(signal string) bool             { return f.c.open(signal) }
func (f *facts) needs(v flows.Value) bool            { return f.urgent.Has(v) }
func (f *facts) value(step flows.StepID) flows.Value { return f.c.Answers[step].Value() }
func (f *facts) pregnant() bool {
	return f.needs("pregnant") || f.open("pregnant") || f.open("pregnant_late")
}
func (f *facts) child() bool      { return f.needs("child") || f.open("child") }
func (f *facts) inCompound() bool { return f.value(flows.StepPlaceKind) == "in_compound" }

func (f *facts) papersHeld() bool {
	v := f.value(flows.StepPassportStatus)
	return v == "held_by_employer" || v == "held_by_other"
}

// noPassport: none in the person's own hand. A person who does not know has not said so.
func (f *facts) noPassport() bool {
	switch f.value(flows.StepPassportStatus) {
	case "held_by_employer", "held_by_other", "held_by_authority", "lost_stolen", "never_had":
		return true
	}
	return false
}

// underAge reads the birth date or age, at the time it was stated: a score does not change by a birthday.
func underAge(c *Case) bool {
	a := c.Answers[flows.StepBirthDate]
	if len(a.Norm) <= 3 {
		age, err := strconv.Atoi(a.Norm)
		return err == nil && age >= 0 && age < 18
	}
	born, err := time.Parse(time.DateOnly, a.Norm)
	if err != nil {
		return false
	}
	at := a.At
	if at.IsZero() {
		at = c.CreatedAt
	}
	return born.AddDate(18, 0, 0).After(at)
}

var months = regexp.MustCompile(`(\d{1,2})\s*(?:bulan|bln|bl|months?|mo)\b`)

// lateMonth finds the seventh or a later month in the words about health ("hamil 8 bulan").
func lateMonth(words string) bool {
	if words == "" {
		return false
	}
	for _, m := range months.FindAllStringSubmatch(strings.ToLower(words), -1) {
		if n, _ := strconv.Atoi(m[1]); n >= 7 && n <= 10 {
			return true
		}
	}
	return false
}
