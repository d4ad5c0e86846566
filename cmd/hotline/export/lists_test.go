package export

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
	"pulang/locales"
)

var now = time.Date(2026, 1, 20, 5, 0, 0, 0, time.UTC)

func set(t testing.TB, kind Kind) *Set {
	t.Helper()
	cat, err := locales.New()
	if err != nil {
		t.Fatal(err)
	}
	ms, err := bot.ParseMission([]byte(bot.ExampleMission()))
	if err != nil {
		t.Fatal(err)
	}
	return &Set{Kind: kind, Personal: kind.Names(), Mission: ms, Lang: "id", Texts: cat, Now: now, AsOf: now, By: "sari", Second: "budi",
		ID: "ABC234", Reason: "uji coba", Cutoff: 24 * 60}
}

// person is a case of somebody who may be called, has agreed, and has told everything.
func person(n int) *casework.Case {
	at := now.Add(-time.Duration(n) * time.Hour)
	a := func(text, norm string, values ...flows.Value) flows.Answer {
		return flows.Answer{Text: text, Norm: norm, Values: values, At: at}
	}
	return &casework.Case{
		ID: ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String(), Code: casework.NewCode("K7", [5]byte{byte(n), byte(n >> 5), 1, 2, 3}),
		Line: "kh", Mission: "kh", Origin: "telegram", Lang: "id", CreatedAt: at, Stage: casework.StageReported, Safety: flows.Safe,
		Permission: flows.CallAnytime, PermissionAt: at, Triage: casework.Triage{Class: casework.P3, Reasons: []casework.Reason{{ID: "overstay", Points: 10}}},
		Answers: map[flows.StepID]flows.Answer{
			flows.StepWhoFor: a("", "", "self"), flows.StepFullName: a(fmt.Sprintf("=Siti %d", n), ""), flows.StepSex: a("", "", "female"),
			flows.StepBirthDate: a("1 mei 1990", "1990-05-01"), flows.StepIDProof: a("3174 0112 0345 6789", "3174011203456789", "knows_nik"),
			flows.StepPassportCopy: a("b 1234567", "B1234567", "number"), flows.StepPassportStatus: a("", "", "lost_stolen"),
			flows.StepImmigration: a("", "", "overstay"), flows.StepOverstaySince: a("sejak 1 nov", "2025-11-01"), flows.StepEntryDate: a("maret 2025", ""),
			flows.StepHomeArea: a("Wonosobo, hubungi 0812 3456 7890", ""), flows.StepContactPref: a("", "", flows.CallAnytime),
			flows.StepCallbackNumber: a("012 345 678", "+85512345678"), flows.StepConsentShare: a("", "", "agree"),
			flows.StepCodeWord: a("nasi goreng", "nasi goreng"),
		},
		Locations: []flows.Location{{Kind: "place_text", Text: "dekat 012 345 678", Place: "Poipet", Province: "Banteay Meanchey", Country: "KH", At: at}},
		Contacts:  []casework.Contact{{Channel: "telegram", Address: "4711"}},
	}
}

func doNotCall(c *casework.Case) *casework.Case {
	c.Permission, c.Safety = "", flows.Watched
	return c
}

func all(table *Table) string {
	var b strings.Builder
	for row := range table.lines {
		for _, c := range row {
			b.WriteString(c.text + "\t")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// The lists hold what they are for, in the forms in which they are read back; who has not agreed is in none that is
// handed on, and is counted.
func TestLists(t *testing.T) {
	agrees, refuses, closed, second := person(1), person(2), person(3), person(4)
	refuses.Answers[flows.StepConsentShare] = flows.Answer{Values: []flows.Value{"mission_only"}}
	closed.ClosedAs, second.Into = "returned", &casework.Into{}
	for _, c := range []*casework.Case{agrees, refuses} {
		c.Milestones = append(c.Milestones, casework.Milestone{Stage: casework.StageSheltered, Detail: "own_guesthouse", At: now})
	}
	agrees.Milestones = append(agrees.Milestones, casework.Milestone{Stage: casework.StageSPLPIssued, Detail: "XD123456", At: now})
	cases := []*casework.Case{refuses, agrees, closed, second}
	for kind, want := range map[Kind]struct {
		rows int
		has  []string
	}{
		Nominal: {1, []string{"=Siti 1", "3174011203456789", "XD123456", "Poipet, Banteay Meanchey, KH", "1 orang tidak dimuat", "Diekspor oleh sari", "Disetujui oleh budi", "perempuan"}},
		Waiver:  {1, []string{"=Siti 1", "2025-11-01", "\t80\t", "1990-05-01", "maret 2025", "RAHASIA"}},
		Shelter: {2, []string{"=Siti 2", "penginapan sendiri", "85512345678", "\t35\t"}},
	} {
		table, err := set(t, kind).Cases(cases)
		if err != nil || len(table.Rows) != want.rows {
			t.Fatalf("%s: %d rows, %v", kind, len(table.Rows), err)
		}
		text := all(table)
		for _, w := range want.has {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q:\n%s", kind, w, text)
			}
		}
		if strings.Contains(text, "+855") || strings.Contains(text, "3456 7890") {
			t.Errorf("%s: a number with its +, or one out of somebody's words:\n%s", kind, text)
		}
		for _, f := range []Format{CSV, XLSX} {
			var rows [][]string
			if b := written(t, table, f); f == CSV {
				rows = readCSV(t, b, ',')
			} else {
				rows, _, _ = readXLSX(t, b)
			}
			if len(rows) != 1+want.rows+len(table.Notes) || !strings.Contains(strings.Join(rows[1], "|"), "'=Siti") {
				t.Errorf("%s as %s read back: %q", kind, f, rows)
			}
		}
	}
}

// No file holds a number of somebody who may not be rung, whoever wrote it where; whoever may be rung is there with one.
func TestDoNotCall(t *testing.T) {
	for _, may := range []bool{true, false} {
		c := person(1)
		if !may {
			c = doNotCall(c)
		}
		c.Answers[flows.StepFullName] = flows.Answer{Text: "Siti ٠١٢٣٤٥٦٧٨ 012-345-678"}
		c.Milestones = []casework.Milestone{{Stage: casework.StageSheltered, Detail: "kamar 2, tlp 012345678", At: now}}
		c.Milestones = append(c.Milestones, casework.Milestone{Stage: casework.StageTicketConfirmed, Detail: "GA 870, tlp 012-345-678", At: now})
		for _, kind := range []Kind{Nominal, SPLP, Waiver, Shelter, Manifest, Operational} {
			s := set(t, kind)
			s.Personal = true
			var table *Table
			var err error
			if kind == Operational {
				table, err = s.Queue([]bot.QueueItem{{Case: c}})
			} else {
				table, err = s.Cases([]*casework.Case{c})
			}
			if err != nil || len(table.Rows) != 1 {
				t.Fatal(kind, err)
			}
			text := all(table)
			for _, leak := range []string{"012345678", "012-345-678", "012 345 678", "٠١٢٣٤٥٦٧٨"} {
				if strings.Contains(text, leak) {
					t.Errorf("%s, may call %v: %q in\n%s", kind, may, leak, text)
				}
			}
			if got := strings.Contains(text, "85512345678"); got != (may && (kind == Shelter || kind == Operational)) {
				t.Errorf("%s, may call %v: the number is there: %v", kind, may, got)
			}
		}
	}
	// Without names the queue has no name, no number and no word of anybody.
	table, err := set(t, Operational).Queue([]bot.QueueItem{{Case: person(1), Claim: &bot.Claim{Officer: "laras"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range []string{"Siti", "85512345678", "B1234567", "3174011203456789", "dekat", "laras", "Wonosobo"} {
		if strings.Contains(all(table), leak) {
			t.Errorf("the operational set holds %q", leak)
		}
	}
}

// A fine is reckoned by the day: the days are those of the mission's calendar, at whatever hour the list is made.
func TestOverstayDaysByTheMissionsDate(t *testing.T) {
	for at, want := range map[string]string{
		"2025-10-31T16:59:00Z": "", "2025-10-31T17:00:00Z": "0", "2025-11-01T16:59:00Z": "0", "2025-11-01T17:00:00Z": "1", "2026-02-28T23:00:00Z": "120",
		"2028-02-28T17:00:00Z": "850", "2028-02-29T17:00:00Z": "851",
	} {
		s := set(t, Waiver)
		var err error
		if s.Now, err = time.Parse(time.RFC3339, at); err != nil {
			t.Fatal(err)
		}
		table, err := s.Cases([]*casework.Case{person(1)}) // since 1 November 2025
		if err != nil {
			t.Fatal(err)
		}
		if got := table.Rows[0][len(table.Rows[0])-2].text; got != want {
			t.Errorf("at %s: %q days, want %q", at, got, want)
		}
	}
}

// Ten thousand rows are a file, one more is none.
func TestMostRows(t *testing.T) {
	cases := make([]*casework.Case, MostRows+1)
	one := person(1)
	for i := range cases {
		cases[i] = one
	}
	s := set(t, Nominal)
	if table, err := s.Cases(cases[:MostRows]); err != nil || len(table.Rows) != MostRows {
		t.Fatal(err)
	}
	if _, err := s.Cases(cases); err != ErrRows {
		t.Fatal(err)
	}
	s.From = now.AddDate(0, 0, 1)
	if table, err := s.Cases(cases); err != nil || len(table.Rows) != 0 {
		t.Fatal("outside its days:", err)
	}
}

// P4. Published figures hold no number from 1 to 4, and none can be reckoned back from a sum; the internal ones hold all.
func TestSmallCells(t *testing.T) {
	s := set(t, Statistics)
	sexes := []flows.Value{"male", "female", ""}
	rapid.Check(t, func(t *rapid.T) {
		var cases []*casework.Case
		perDay := rapid.SliceOfN(rapid.IntRange(0, 12), 1, 6).Draw(t, "days")
		for day, n := range perDay {
			for i := range n {
				c := person(24*day + i%5)
				c.Answers[flows.StepSex] = flows.Answer{Values: []flows.Value{rapid.SampledFrom(sexes).Draw(t, "sex")}}
				if rapid.IntRange(0, 5).Draw(t, "second") == 0 {
					c.Into = &casework.Into{}
				}
				if rapid.Bool().Draw(t, "left") {
					c.Milestones = []casework.Milestone{{Stage: casework.StageDeparted, At: c.CreatedAt.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "h")) * time.Hour)}}
				}
				cases = append(cases, c)
			}
		}
		s.Internal = false
		table, err := s.Cases(cases)
		if err != nil {
			t.Fatal(err)
		}
		numbers := func(c Cell) (int, bool) { n, err := strconv.Atoi(c.text); return n, err == nil && c.number }
		width := len(table.Heads)
		sums := make([]int, width)
		groups := map[string]int{}
		var total []Cell
		for _, r := range table.Rows {
			for i, c := range r {
				n, ok := numbers(c)
				if ok && n > 0 && n < fewest {
					t.Fatalf("%d in column %s:\n%s", n, table.Heads[i], all(table))
				}
				if r[0].text == "hari" {
					sums[i] += n
				}
			}
			switch n, _ := numbers(r[3]); r[0].text {
			case "hari":
			case "jumlah":
				total = r
			default:
				groups[r[0].text] += n
			}
		}
		for i := range width {
			if i == 4 || i == 5 {
				continue // so far
			}
			if n, ok := numbers(total[i]); ok && n != sums[i] {
				t.Fatalf("column %s sums to %d, shown are %d: the difference tells what is hidden\n%s", table.Heads[i], n, sums[i], all(table))
			}
		}
		if people, ok := numbers(total[3]); ok {
			for g, n := range groups {
				if n != people && n != 0 {
					t.Fatalf("%s: %d of %d people\n%s", g, n, people, all(table))
				}
			}
		}
		s.Internal = true
		inside, err := s.Cases(cases)
		if err != nil || strings.Contains(all(inside), "<5") {
			t.Fatal("internal figures hide something", err)
		}
		got := 0
		for _, r := range inside.Rows {
			if r[0].text == "hari" {
				n, _ := numbers(r[2])
				got += n
			}
		}
		if got != len(cases) {
			t.Fatalf("%d reports of %d", got, len(cases))
		}
	})
}

// Figures of one time stay the same: what came later is not in them, and what was recorded after the day had closed is
// named as late.
func TestFiguresAsOf(t *testing.T) {
	s := set(t, Statistics)
	s.Internal, s.Cutoff = true, 17*60
	zone := s.Mission.Location()
	at := func(day, hour int) time.Time { return time.Date(2026, 1, day, hour, 0, 0, 0, zone) }
	report := func(sent, recorded time.Time) *casework.Case {
		c := person(1)
		c.CreatedAt, c.ID = sent, ulid.MustNew(ulid.Timestamp(recorded), ulid.DefaultEntropy()).String()
		return c
	}
	cases := []*casework.Case{
		report(at(18, 10), at(18, 10)), report(at(18, 18), at(18, 18)), // the second belongs to the 19th
		report(at(18, 11), at(19, 9)),  // sent during an outage
		report(at(19, 10), at(19, 12)), // known late, but before the day closed
	}
	figures := func() (out []string) {
		table, err := s.Cases(cases)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range table.Rows {
			if r[0].text == "hari" {
				out = append(out, r[1].text+" "+r[2].text+" "+r[4].text+" late "+r[6].text)
			}
		}
		return out
	}
	s.AsOf = at(19, 17)
	want := []string{"2026-01-18 2 2 late 1", "2026-01-19 2 4 late 0"}
	if got := figures(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	cases = append(cases, report(at(19, 16), at(20, 1)))
	if got := figures(); !slices.Equal(got, want) {
		t.Errorf("later: %q, want %q", got, want)
	}
	s.AsOf = at(18, 17)
	if got := figures(); !slices.Equal(got, []string{"2026-01-18 1 1 late 0"}) {
		t.Errorf("the day before: %q", got)
	}
}

// P7. One case for its person: what was written is read again, the text holds all of it, and neither holds an officer's
// notes, the secret words, or a number that may not be rung.
func TestCopyRoundTrip(t *testing.T) {
	for _, lang := range []string{"id", "en"} {
		c := doNotCall(person(1))
		c.Windows = []casework.Window{{From: 21 * 60, To: 22 * 60}}
		c.Signals = map[string]casework.Signal{"held": {Words: "disekap bos", At: now}}
		c.Attempts = []casework.Attempt{{ID: "1", At: now, By: "laras", Via: casework.ViaChat, Outcome: casework.ReachedOK, Note: "catatan-rahasia"}}
		c.Milestones = []casework.Milestone{{Stage: casework.StageSheltered, Detail: "own_guesthouse", At: now, By: "laras"}}
		c.Locations[0].HasPoint, c.Locations[0].Lat, c.Locations[0].Lon = true, 13.659123, 102.563456
		file := bot.CaseFile{Case: c, Entries: []bot.Entry{
			{Kind: "in", At: now, Input: &flows.Input{Text: "tolong <b>saya</b> & teman di Poipet"}},
			{Kind: "in", At: now, Input: &flows.Input{Text: "nomor 012 345 678"}}, {Kind: "in", At: now, Input: &flows.Input{Text: "Nasi  goreng"}},
			{Kind: "in", At: now, Input: &flows.Input{Media: &flows.Media{Kind: "photo", Ref: "ref"}}},
			{Kind: "out", At: now, Text: "Pesan tersimpan"}, {Kind: "out", At: now, Text: "Kami baca", By: "laras"},
			{Kind: "note", At: now, Text: "catatan-rahasia", By: "laras"}, {Kind: "event", At: now, Text: "event.stage"},
		}}
		s := set(t, "")
		s.Lang = lang
		p := CopyOf(file, "KBRI", now, s.Mission.Rules())
		var js, text bytes.Buffer
		if err := p.WriteJSON(&js); err != nil {
			t.Fatal(err)
		}
		if err := p.WriteText(&text, s); err != nil {
			t.Fatal(err)
		}
		again, err := ReadCopy(bytes.NewReader(js.Bytes()))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%v\n%+v\n%+v", err, again, p)
		}
		for _, out := range []string{js.String(), text.String()} {
			for _, want := range []string{"tolong <b>saya</b> & teman di Poipet", "=Siti 1", "3174011203456789", "13.659123", "disekap bos", "21:00-22:00", "Kami baca", c.Code, "Wonosobo"} {
				if !strings.Contains(out, want) {
					t.Errorf("%s: no %q in\n%s", lang, want, out)
				}
			}
			for _, leak := range []string{"catatan-rahasia", "laras", "asi  goreng", "asi goreng", "012 345 678", "85512345678", "4711", "0812"} {
				if strings.Contains(out, leak) {
					t.Errorf("%s: %q in\n%s", lang, leak, out)
				}
			}
		}
		if p.NotesLeftOut != 1 || !p.WordsLeftOut || !p.NumbersLeftOut {
			t.Errorf("%+v", p)
		}
		for _, key := range regexp.MustCompile(`\b(?:export|desk|stage|signal|reason|outcome|detail|closed)\.[a-z_.]+\b`).FindAllString(text.String(), -1) {
			t.Errorf("%s: the text shows the key %s", lang, key)
		}
	}
	// Whoever may be called gets the number as well.
	p := CopyOf(bot.CaseFile{Case: person(1)}, "KBRI", now, set(t, "").Mission.Rules())
	var b bytes.Buffer
	if err := p.WriteJSON(&b); err != nil || p.NumbersLeftOut || !strings.Contains(b.String(), "+85512345678") {
		t.Error(err, b.String())
	}
}

// Both languages have every text that the files ask for, and none that no file does.
func TestTexts(t *testing.T) {
	used := map[string]bool{}
	literal := regexp.MustCompile(`"(export\.[a-z_.]*[a-z_])"`)
	sections := regexp.MustCompile(`s\.groups\(t, "(\w+)"`)
	heads := regexp.MustCompile(`\bhead\("(\w+)"\)`)
	columns := regexp.MustCompile(`(?s)(?:s\.table\(|columns := \[\]string\{|append\(columns, )("[^)}]*")`)
	names, _ := fs.Glob(os.DirFS("."), "*.go")
	for _, n := range names {
		if strings.HasSuffix(n, "_test.go") {
			continue
		}
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
		}
		for _, m := range sections.FindAllStringSubmatch(string(b), -1) {
			used["export.section."+m[1]] = true
		}
		for _, m := range heads.FindAllStringSubmatch(string(b), -1) {
			used["export.copy."+m[1]] = true
		}
		for _, m := range columns.FindAllStringSubmatch(string(b), -1) {
			for _, c := range regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(m[1], -1) {
				used["export.col."+c[1]] = true
			}
		}
	}
	for _, k := range Kinds {
		used["export.kind."+string(k)] = true
	}
	for _, from := range []string{"person", "bot", "officer"} {
		used["export.copy."+from] = true
	}
	for _, lang := range []string{"id", "en"} {
		texts := map[string]string{}
		if _, err := toml.DecodeFile("../../../locales/active."+lang+".toml", &texts); err != nil {
			t.Fatal(err)
		}
		for _, k := range slices.Sorted(maps.Keys(used)) {
			if texts[k] == "" {
				t.Errorf("%s: no text %q", lang, k)
			}
		}
		for k := range texts {
			if strings.HasPrefix(k, "export.") && !used[k] {
				t.Errorf("%s: nobody asks for %q", lang, k)
			}
		}
	}
}
