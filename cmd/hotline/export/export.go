package export

import (
	"errors"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
	"pulang/locales"
)

// Kind is what a file holds.
type Kind string

// The kinds.
const (
	Statistics  Kind = "statistics"  // figures of each day
	Operational Kind = "operational" // the queue
	Nominal     Kind = "nominal"     // daftar nominatif
	SPLP        Kind = "splp"        // who needs a travel document in lieu of a passport
	Waiver      Kind = "waiver"      // for the waiver of overstay fines
	Shelter     Kind = "shelter"     // who sleeps where
	Manifest    Kind = "manifest"    // who flies, with what the other end needs to receive them
)

// Kinds are all of them.
var Kinds = []Kind{Statistics, Operational, Nominal, SPLP, Waiver, Shelter, Manifest}

// Names reports whether a set of that kind always names people. Operational does so only where it is asked for.
func (k Kind) Names() bool {
	return slices.Contains(Kinds, k) && k != Statistics && k != Operational
}

// MostRows bounds a file.
const MostRows = bot.ExportMostRows

// ErrRows is a set that is too long for one file: nothing of it is written.
var ErrRows = errors.New("more than 10,000 rows: narrow it with --from and --to")

// Set says of whom a file is and for whom.
type Set struct {
	Kind     Kind
	Personal bool
	Mission  *bot.Mission
	Lang     string
	Texts    *locales.Catalogue
	Now      time.Time
	// By made the file, Second allowed it under the number ID; both empty where no second person is needed.
	By, Second, ID string
	Reason         string
	// From and To are the first and the last day, by the mission's calendar, on which a case began; zero for no bound.
	From, To time.Time

	// Cutoff is at which minute of the mission's day a day of figures ends, AsOf until when they count. Internal are
	// figures that are not published: small numbers are not hidden.
	Cutoff   int
	AsOf     time.Time
	Internal bool
}

func (s *Set) t(key string, args ...any) string {
	a := flows.Args{}
	for i := 0; i+1 < len(args); i += 2 {
		name, _ := args[i].(string)
		a[name] = args[i+1]
	}
	return s.Texts.Text(s.Lang, flows.TextID(key), a)
}

// value is an answer of a menu in words.
func (s *Set) value(step flows.StepID, v flows.Value) string {
	if v == "" {
		return ""
	}
	if text := s.Texts.Value(s.Lang, step, v); text != "" {
		return text
	}
	return strings.ReplaceAll(string(v), "_", " ")
}

func (s *Set) values(step flows.StepID, all []flows.Value) string {
	var out []string
	for _, v := range all {
		if v != flows.None {
			out = append(out, s.value(step, v))
		}
	}
	return strings.Join(out, ", ")
}

func (s *Set) yes(b bool) string {
	if b {
		return s.t("desk.v.yes")
	}
	return s.t("desk.v.no")
}

func (s *Set) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(s.Mission.Location()).Format(time.DateOnly)
}

// today is the mission's date, as a date without hours (in UTC): the days between two such are whole at any hour.
func (s *Set) today() time.Time {
	y, m, d := s.Now.In(s.Mission.Location()).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func (s *Set) minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(s.Mission.Location()).Format("2006-01-02 15:04 MST")
}

// within reports whether a case began within the days that were asked for.
func (s *Set) within(c *casework.Case) bool {
	d := s.day(c.CreatedAt)
	return (s.From.IsZero() || d >= s.From.Format(time.DateOnly)) && (s.To.IsZero() || d <= s.To.Format(time.DateOnly))
}

// table makes an empty table with the heads of these columns.
func (s *Set) table(columns ...string) *Table {
	t := &Table{Title: s.t("export.kind." + string(s.Kind))}
	for _, c := range columns {
		t.Heads = append(t.Heads, s.t("export.col."+c))
	}
	return t
}

// sign puts under the table who made it, when and why; simulated says that it holds invented cases.
func (s *Set) sign(t *Table, simulated bool) {
	if simulated {
		t.Notes = append(t.Notes, s.t("export.note.simulated"))
	}
	if s.Personal {
		t.Notes = append(t.Notes, s.t("export.note.confidential"))
	}
	t.Notes = append(t.Notes, s.t("export.note.by", "Who", s.By, "At", s.minute(s.Now), "N", len(t.Rows), "Reason", s.Reason))
	if s.Second != "" {
		t.Notes = append(t.Notes, s.t("export.note.allowed", "Who", s.Second, "Id", s.ID))
	}
}

// Cases makes the table of a set from all cases of the mission.
func (s *Set) Cases(all []*casework.Case) (*Table, error) {
	all = slices.Clone(all)
	if s.Kind != Statistics { // figures count what happened on a day, whenever the case began
		all = slices.DeleteFunc(all, func(c *casework.Case) bool { return !s.within(c) })
	}
	slices.SortFunc(all, func(a, b *casework.Case) int {
		if d := a.CreatedAt.Compare(b.CreatedAt); d != 0 {
			return d
		}
		return strings.Compare(a.Code, b.Code)
	})
	var t *Table
	switch s.Kind {
	case Statistics:
		t = s.figures(all)
	case Nominal:
		t = s.nominal(all)
	case SPLP:
		t = s.splp(all)
	case Waiver:
		t = s.waiver(all)
	case Shelter:
		t = s.shelter(all)
	case Manifest:
		t = s.manifest(all)
	default:
		return nil, errors.New("the queue is not made of all cases")
	}
	if len(t.Rows) > MostRows {
		return nil, ErrRows
	}
	s.sign(t, slices.ContainsFunc(all, func(c *casework.Case) bool { return c.Simulated }))
	return t, nil
}
