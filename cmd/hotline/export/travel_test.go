package export

import (
	"strings"
	"testing"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

func value(vs ...flows.Value) flows.Answer { return flows.Answer{Values: vs, At: now} }

func stage(c *casework.Case, s casework.Stage, detail string, at time.Time) {
	c.Milestones = append(c.Milestones, casework.Milestone{Stage: s, Detail: detail, At: at})
}

// rowsOf makes the table of a kind from one case and tells how many rows it has.
func rowsOf(t *testing.T, kind Kind, c *casework.Case) int {
	t.Helper()
	table, err := set(t, kind).Cases([]*casework.Case{c})
	if err != nil {
		t.Fatal(err)
	}
	return len(table.Rows)
}

// The SPLP batch is whoever needs the document and has none: by what they said of the passport, or by the stage.
func TestWhoNeedsSPLP(t *testing.T) {
	for _, x := range []struct {
		name string
		make func(c *casework.Case)
		want bool
	}{
		{"lost", func(*casework.Case) {}, true},
		{"held by the employer", func(c *casework.Case) { c.Answers[flows.StepPassportStatus] = value("held_by_employer") }, true},
		{"expired", func(c *casework.Case) { c.Answers[flows.StepPassportStatus] = value("with_me_expired") }, true},
		{"never had one", func(c *casework.Case) { c.Answers[flows.StepPassportStatus] = value("never_had") }, true},
		{"valid", func(c *casework.Case) { c.Answers[flows.StepPassportStatus] = value("with_me_valid") }, false},
		{"not known", func(c *casework.Case) { c.Answers[flows.StepPassportStatus] = value(flows.Unknown) }, false},
		{"not answered", func(c *casework.Case) { delete(c.Answers, flows.StepPassportStatus) }, false},
		{"not answered, applied for", func(c *casework.Case) {
			delete(c.Answers, flows.StepPassportStatus)
			stage(c, casework.StageSPLPApplied, "", now)
		}, true},
		{"applied for and issued", func(c *casework.Case) {
			stage(c, casework.StageSPLPApplied, "", now)
			stage(c, casework.StageSPLPIssued, "XD123456", now)
		}, false},
		{"issued, lost again, applied for again", func(c *casework.Case) {
			stage(c, casework.StageSPLPApplied, "", now)
			stage(c, casework.StageSPLPIssued, "XD123456", now)
			stage(c, casework.StageSPLPApplied, "", now)
		}, true},
		{"applied for, then in hand", func(c *casework.Case) {
			stage(c, casework.StageSPLPApplied, "", now.Add(-time.Hour))
			c.Answers[flows.StepPassportStatus] = value("splp_in_hand")
		}, false},
		{"in hand, then applied for", func(c *casework.Case) {
			c.Answers[flows.StepPassportStatus] = value("splp_in_hand")
			stage(c, casework.StageSPLPApplied, "", now.Add(time.Hour))
		}, true},
		{"of another country", func(c *casework.Case) { c.Answers[flows.StepNationality] = value("other") }, false},
		{"gone", func(c *casework.Case) { stage(c, casework.StageDeparted, "", now) }, false},
		{"closed", func(c *casework.Case) { c.ClosedAs = "returned" }, false},
		{"told twice", func(c *casework.Case) { c.Into = &casework.Into{} }, false},
		{"has not agreed", func(c *casework.Case) { c.Answers[flows.StepConsentShare] = value("mission_only") }, false},
		{"reported by another person", func(c *casework.Case) { c.Reported = true }, false},
	} {
		c := person(1)
		x.make(c)
		if got := rowsOf(t, SPLP, c) == 1; got != x.want {
			t.Errorf("%s: in the batch %v", x.name, got)
		}
	}
}

// The batch holds what the document is made of and nothing else: no word on where people are, how they are, how they can
// be reached, and of whoever has not agreed only that there is one.
func TestSPLPColumns(t *testing.T) {
	c, other := person(1), person(2)
	c.Answers[flows.StepUrgentNeeds], c.Answers[flows.StepHealthDetail] = value("sick"), flows.Answer{Text: "asma-rahasia"}
	c.Answers[flows.StepFamilyContact], c.Answers[flows.StepFamilyConsent] = flows.Answer{Text: "ibu-rahasia"}, value("may_tell_safe")
	other.Answers[flows.StepConsentShare] = value("ask_officer")
	stage(c, casework.StageVerified, "document", now)
	stage(c, casework.StageSPLPApplied, "catatan-rahasia", now.Add(24*time.Hour))
	for _, lang := range []string{"id", "en"} {
		s := set(t, SPLP)
		s.Lang = lang
		table, err := s.Cases([]*casework.Case{other, c})
		if err != nil || len(table.Rows) != 1 || len(table.Heads) != 13 {
			t.Fatalf("%d rows, %d columns, %v", len(table.Rows), len(table.Heads), err)
		}
		text := all(table)
		for _, want := range []string{"=Siti 1", "3174011203456789", "B1234567", "1990-05-01", "Wonosobo", "maret 2025", "2026-01-21", ", 2026-01-20", "hafal NIK|knows the NIK", "hilang/dicuri|lost/stolen", "sari", "budi", "ABC234", "uji coba", c.Code} {
			found := false
			for w := range strings.SplitSeq(want, "|") {
				found = found || strings.Contains(text, w)
			}
			if !found {
				t.Errorf("%s: no %q in\n%s", lang, want, text)
			}
		}
		for _, leak := range []string{"rahasia", "Poipet", "85512345678", "Siti 2", other.Code, "export."} {
			if strings.Contains(text, leak) {
				t.Errorf("%s: %q in\n%s", lang, leak, text)
			}
		}
		if !strings.Contains(text, map[string]string{"id": "1 orang tidak dimuat", "en": "1 people are left out"}[lang]) {
			t.Errorf("%s: who is left out is not counted:\n%s", lang, text)
		}
	}
}

// The manifest is whoever has a ticket and has not arrived, flight by flight however it was typed, in each of them who
// needs help first.
func TestManifestOrder(t *testing.T) {
	flying := func(n int, detail string, do func(c *casework.Case)) *casework.Case {
		c := person(n)
		stage(c, casework.StageTicketConfirmed, detail, now)
		if do != nil {
			do(c)
		}
		return c
	}
	cases := []*casework.Case{
		flying(9, "GA 870, 20 Jan", nil),
		flying(8, "ga870 20 jan", func(c *casework.Case) { c.Answers[flows.StepBirthDate] = flows.Answer{Norm: "2012-02-01", At: now} }),
		flying(7, "GA870 20 Jan", func(c *casework.Case) { c.Triage.Class = casework.P1 }),
		flying(6, "GA870 20 Jan", func(c *casework.Case) { c.Triage.Class = casework.P2 }),
		flying(5, "AK 535", nil),
		flying(4, "AK 535", func(c *casework.Case) { c.Answers[flows.StepUrgentNeeds] = value("pregnant") }),
		flying(3, "AK 535", func(c *casework.Case) { stage(c, casework.StageDeparted, "", now) }),
		flying(2, "AK 535", func(c *casework.Case) { stage(c, casework.StageArrivedID, "", now) }),
		flying(1, "AK 535", func(c *casework.Case) { c.ClosedAs = "returned" }),
		person(10),
	}
	table, err := set(t, Manifest).Cases(cases)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, r := range table.Rows {
		if r[0].text != Number(i+1).text {
			t.Errorf("row %d has the number %s", i, r[0].text)
		}
		got = append(got, r[3].text)
	}
	if want := "=Siti 4 =Siti 5 =Siti 3 =Siti 7 =Siti 8 =Siti 6 =Siti 9"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
	// Another ticket after the first one was used: the way home begins again.
	c := flying(1, "GA 870", func(c *casework.Case) {
		stage(c, casework.StageDeparted, "", now)
		stage(c, casework.StageArrivedID, "", now)
	})
	if n := rowsOf(t, Manifest, c); n != 0 {
		t.Errorf("arrived: %d rows", n)
	}
	stage(c, casework.StageTicketConfirmed, "QZ 123", now)
	if n := rowsOf(t, Manifest, c); n != 1 {
		t.Errorf("another ticket: %d rows", n)
	}
}

// Health, family and what makes somebody come first are handed on only where there is a basis for each.
func TestManifestHandover(t *testing.T) {
	for _, x := range []struct {
		name   string
		do     func(c *casework.Case)
		has    []string
		lacks  []string
		absent bool
	}{
		{name: "in need of care", do: func(c *casework.Case) { c.Answers[flows.StepUrgentNeeds] = value("sick", "female_officer") },
			has: []string{"\tya\tsakit: asma, inhaler habis\t", "minta petugas perempuan"}},
		{name: "no care needed now", do: func(*casework.Case) {}, lacks: []string{"asma", "\tya\t"}},
		{name: "words of an emergency that an officer dealt with", do: func(c *casework.Case) {
			c.Signals = map[string]casework.Signal{"medical_emergency": {At: now, Done: now}}
		}, lacks: []string{"asma", "\tya\t"}},
		{name: "an emergency", do: func(c *casework.Case) { c.Signals = map[string]casework.Signal{"medical_emergency": {At: now}} }, has: []string{"\tya\tsakit: asma"}},
		{name: "words of harm are nobody else's", do: func(c *casework.Case) {
			c.Signals = map[string]casework.Signal{"self_harm": {At: now, Words: "kata-rahasia"}, "sexual_violence": {At: now, Words: "kata-rahasia"}}
		}, has: []string{"\tya\t\t"}, lacks: []string{"menyakiti", "kekerasan"}},
		{name: "has not agreed", do: func(c *casework.Case) {
			c.Answers[flows.StepUrgentNeeds], c.Answers[flows.StepConsentShare] = value("sick"), value("mission_only")
		}, absent: true, has: []string{"1 orang tidak dimuat", "1 orang perlu didahulukan"}, lacks: []string{"asma"}},
		{name: "has not agreed, comes after others", do: func(c *casework.Case) { c.Answers[flows.StepConsentShare] = value("mission_only") },
			absent: true, has: []string{"1 orang tidak dimuat"}, lacks: []string{"orang perlu didahulukan"}},
		{name: "family may be told", do: func(c *casework.Case) { c.Answers[flows.StepFamilyConsent] = value("may_tell_safe") }, has: []string{"ibu Aminah", "6281234567890"}, lacks: []string{"+62", "0812"}},
		{name: "family may be told, nobody may ring", do: func(c *casework.Case) {
			c.Answers[flows.StepFamilyConsent] = value("may_tell_safe")
			doNotCall(c)
		}, has: []string{"ibu Aminah"}, lacks: []string{"6281234567890", "0812"}},
		{name: "family may only be asked", do: func(c *casework.Case) { c.Answers[flows.StepFamilyConsent] = value("may_ask_documents") }, lacks: []string{"Aminah", "81234567890"}},
		{name: "no word to the family", do: func(c *casework.Case) { c.Answers[flows.StepFamilyConsent] = value("no_contact") }, lacks: []string{"Aminah", "81234567890"}},
		{name: "the family was not agreed on", do: func(*casework.Case) {}, lacks: []string{"Aminah", "81234567890"}},
		{name: "a child alone", do: func(c *casework.Case) {
			c.Answers[flows.StepBirthDate], c.Answers[flows.StepTrustedAdult] = flows.Answer{Norm: "14", At: now}, value(flows.No)
		}, has: []string{"\t\t14\t", "di bawah 18 tahun", "tanpa orang dewasa tepercaya"}},
		{name: "with a child", do: func(c *casework.Case) { c.Answers[flows.StepUrgentNeeds] = value("child") }, has: []string{"bersama anak"}, lacks: []string{"tanpa orang dewasa", "asma"}},
		{name: "left", do: func(c *casework.Case) { stage(c, casework.StageDeparted, "", now) }, has: []string{"berangkat 2026-01-20 12:00"}},
		{name: "a group", do: func(c *casework.Case) {
			c.Answers[flows.StepWhoFor], c.Answers[flows.StepGroupSize] = value("group"), flows.Answer{Norm: "7"}
		}, has: []string{"rombongan 7 orang"}},
	} {
		c := person(1)
		c.Answers[flows.StepHealthDetail] = flows.Answer{Text: "asma, inhaler habis", At: now}
		c.Answers[flows.StepFamilyContact] = flows.Answer{Text: "ibu Aminah 0812-3456-7890", Norm: "+6281234567890", At: now}
		stage(c, casework.StageTicketConfirmed, "GA 870, 20-01-2026 14.30", now)
		x.do(c)
		table, err := set(t, Manifest).Cases([]*casework.Case{c})
		if err != nil || len(table.Heads) != 13 {
			t.Fatal(len(table.Heads), err)
		}
		rows := &Table{Heads: table.Heads, Rows: table.Rows, Notes: table.Notes[:len(table.Notes)-3]} // without what stands in every file
		text := all(rows)
		if (len(table.Rows) == 0) != x.absent {
			t.Errorf("%s: %d rows", x.name, len(table.Rows))
		}
		if !x.absent && !strings.Contains(text, "GA 870, 20-01-2026 14.30") {
			t.Errorf("%s: no flight in\n%s", x.name, text)
		}
		for _, w := range x.has {
			if !strings.Contains(all(table), w) {
				t.Errorf("%s: no %q in\n%s", x.name, w, all(table))
			}
		}
		for _, l := range append(x.lacks, "rahasia", "Poipet", "export.") {
			if strings.Contains(text, l) {
				t.Errorf("%s: %q in\n%s", x.name, l, text)
			}
		}
	}
}

// A flight keeps its number, day and hour, and loses what might be rung.
func TestFlight(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "",
		"GA 870, 20 Jan 2026 14.30":          "GA 870, 20 Jan 2026 14.30",
		"GA870 2026-01-20 14:30 PNH-CGK":     "GA870 2026-01-20 14:30 PNH-CGK",
		"QZ 8123 20/01/2026 1430":            "QZ 8123 20/01/2026 1430",
		"AK535 (20-1-2026), dibayar sendiri": "AK535 (20-1-2026), dibayar sendiri",
		"8 mei 2026 TR 301":                  "8 mei 2026 TR 301",
		"GA 870 tlp 012-345-678":             "GA 870 tlp •••",
		"GA 870 20-01-2026 0812 3456 7890":   "GA 870 20-01-2026 •••",
		"GA 870, hp 012345678, 20 Jan":       "GA 870, hp •••, 20 Jan",
		"+855 12 345 678":                    "•••",
		"08.12.34.56.78":                     "•••",
		"20-01-2026-5678":                    "•••",
		"12.30-456-789":                      "•••",
		"GA 870 ٠١٢٣٤٥٦٧٨":                   "GA •••",
	} {
		if got := flight(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// An age grows on the birthday, in a leap year and beside one, by the mission's calendar.
func TestAge(t *testing.T) {
	for _, x := range []struct{ born, today, want string }{
		{"1990-05-01", "2026-04-30", "35"}, {"1990-05-01", "2026-05-01", "36"},
		{"1991-03-01", "2024-02-29", "32"}, {"1991-03-01", "2024-03-01", "33"}, // the 61st day of a leap year, the 60th of others
		{"1992-12-31", "2025-12-30", "32"}, {"1992-12-31", "2025-12-31", "33"}, {"1991-12-31", "2024-12-30", "32"},
		{"2000-02-29", "2025-02-28", "24"}, {"2000-02-29", "2025-03-01", "25"}, {"2000-02-29", "2028-02-28", "27"}, {"2000-02-29", "2028-02-29", "28"},
		{"2026-01-01", "2025-12-31", "0"}, {"17", "2026-01-01", "17"}, {"", "2026-01-01", ""}, {"200", "2026-01-01", ""}, {"kemarin", "2026-01-01", ""},
	} {
		today, err := time.Parse(time.DateOnly, x.today)
		if err != nil {
			t.Fatal(err)
		}
		c := person(1)
		c.Answers[flows.StepBirthDate] = flows.Answer{Norm: x.born}
		if got := age(c, today); got != x.want {
			t.Errorf("born %s, on %s: %q, want %q", x.born, x.today, got, x.want)
		}
	}
	// Every day of four years: the age is that of the last birthday.
	for _, born := range []time.Time{time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(1999, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2000, 12, 31, 0, 0, 0, 0, time.UTC)} {
		c := person(1)
		c.Answers[flows.StepBirthDate] = flows.Answer{Norm: born.Format(time.DateOnly)}
		for day := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2027; day = day.AddDate(0, 0, 1) {
			n := 0
			for !born.AddDate(n+1, 0, 0).After(day) {
				n++
			}
			if got := age(c, day); got != Number(n).text {
				t.Fatalf("born %s, on %s: %s, want %d", born.Format(time.DateOnly), day.Format(time.DateOnly), got, n)
			}
		}
	}
	s := set(t, Shelter)
	s.Now = time.Date(2026, 4, 30, 18, 0, 0, 0, time.UTC) // 1 May in Phnom Penh
	if got := s.age(person(1)); got != "36" {
		t.Error(got)
	}
}
