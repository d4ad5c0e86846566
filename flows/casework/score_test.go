package casework

import (
	"strings"
	"testing"

	"pulang/flows"
)

func kind(v flows.Value) flows.Effect     { return say(flows.StepPlaceKind, t0, v) }
func passport(v flows.Value) flows.Effect { return say(flows.StepPassportStatus, t0, v) }
func permit(v flows.Value) flows.Effect   { return say(flows.StepImmigration, t0, v) }
func found(name string) flows.Effect      { return flows.Signal{Name: name} }
func at(province string) flows.Effect {
	return flows.Record{Step: flows.StepLocation, Answer: flows.Answer{
		Location: &flows.Location{Kind: "place_text", Province: province, Country: "KH", At: t0}, At: t0,
	}}
}

// The triage table line by line, and the combinations that have to come out as stated.
func TestScore(t *testing.T) {
	danger := say(flows.StepSafetyNow, t0, flows.Danger)
	group := func(n string) flows.Effect { return say(flows.StepGroupSize, t0, flows.Value("="+n)) }
	born := func(d string) flows.Effect { return say(flows.StepBirthDate, t0, flows.Value("="+d)) }
	health := func(words string) flows.Effect {
		return flows.Record{Step: flows.StepHealthDetail, Answer: flows.Answer{Text: words, At: t0}}
	}
	for _, x := range []struct {
		name    string
		effects []flows.Effect
		class   Class
		score   int
		reasons string
	}{
		{"nothing known", nil, P4, 0, ""},
		{"safe", []flows.Effect{safe()}, P4, 0, ""},

		{"danger", []flows.Effect{danger}, P1, 100, "danger!"},
		{"duress word", []flows.Effect{safe(), found(SignalDuress)}, P1, 100, "duress!"},
		{"words of danger", []flows.Effect{found(SignalDanger)}, P1, 100, "danger!"},
		{"injured alone", []flows.Effect{needs("injured")}, P1, 80, "injured!"},
		{"medical emergency", []flows.Effect{safe(), found("medical_emergency")}, P1, 80, "medical_emergency!"},
		{"self-harm", []flows.Effect{safe(), found("self_harm")}, P1, 80, "self_harm!"},
		{"held alone", []flows.Effect{needs("held_or_threatened")}, P1, 80, "held_or_threatened!"},
		{"threatened in words", []flows.Effect{found("threatened")}, P1, 80, "held_or_threatened!"},
		{"ransom asked", []flows.Effect{say(flows.StepRansomAsked, t0, flows.Yes)}, P1, 80, "ransom_asked!"},
		{"ransom in words", []flows.Effect{found("ransom_asked")}, P1, 80, "ransom_asked!"},
		{"sexual violence", []flows.Effect{found("sexual_violence")}, P1, 80, "sexual_violence!"},
		{"watched, boss has passport", []flows.Effect{watched(), passport("held_by_employer")}, P1, 140, "watched_papers_held! watched no_passport"},
		{"watched, agent has passport", []flows.Effect{watched(), passport("held_by_other")}, P1, 140, "watched_papers_held! watched no_passport"},
		{"watched, police have passport", []flows.Effect{watched(), passport("held_by_authority")}, P2, 60, "watched no_passport"},
		{"watched in compound", []flows.Effect{watched(), kind("in_compound")}, P1, 170, "watched_in_compound! watched in_compound"},
		{"unaccompanied minor", []flows.Effect{born("16"), say(flows.StepTrustedAdult, t0, flows.No)}, P1, 120, "minor_alone! minor"},
		{"child without an adult", []flows.Effect{needs("child"), say(flows.StepTrustedAdult, t0, flows.No)}, P1, 110, "minor_alone! child"},

		{"wrong person", []flows.Effect{found(SignalWrongPerson)}, P2, 60, "wrong_person"},
		{"wrong person, to review", []flows.Effect{found(SignalWrongPerson), found(SignalReview)}, P1, 60, "p1_review! wrong_person"},
		{"contact lost", []flows.Effect{found(SignalContactLost)}, P2, 60, "contact_lost"},
		{"watched alone", []flows.Effect{watched()}, P2, 50, "watched"},
		{"watched and sick", []flows.Effect{watched(), needs("sick")}, P2, 75, "watched sick"},
		{"in compound", []flows.Effect{kind("in_compound")}, P3, 40, "in_compound"},
		{"detained", []flows.Effect{needs("detained")}, P3, 30, "detained"},
		{"at a police station", []flows.Effect{kind("police")}, P3, 30, "detained"},
		{"immigration detention", []flows.Effect{kind("immigration_detention")}, P3, 30, "detained"},
		{"detained, said twice", []flows.Effect{needs("detained"), kind("police")}, P3, 30, "detained"},
		{"pregnant", []flows.Effect{needs("pregnant")}, P3, 30, "pregnant"},
		{"eighth month", []flows.Effect{needs("pregnant"), health("Hamil 8 bulan, perut sakit")}, P2, 50, "pregnant_late"},
		{"third month", []flows.Effect{needs("pregnant"), health("hamil 3 bln")}, P3, 30, "pregnant"},
		{"ill for eight months", []flows.Effect{needs("sick"), health("batuk 8 bulan")}, P3, 25, "sick"},
		{"pregnant and no shelter", []flows.Effect{needs("pregnant", "no_shelter")}, P2, 50, "pregnant no_shelter"},
		{"child", []flows.Effect{needs("child")}, P3, 30, "child"},
		{"minor by age", []flows.Effect{born("17")}, P3, 40, "minor"},
		{"minor by date", []flows.Effect{born("2009-03-01")}, P3, 40, "minor"},
		{"minor with child ticked", []flows.Effect{born("2009-03-01"), needs("child")}, P3, 40, "minor"},
		{"of age", []flows.Effect{born("2008-01-19")}, P4, 0, ""},
		{"sick", []flows.Effect{needs("sick")}, P3, 25, "sick"},
		{"no food", []flows.Effect{needs("no_food_water")}, P4, 20, "no_food_water"},
		{"no food, no shelter", []flows.Effect{needs("no_food_water", "no_shelter")}, P3, 40, "no_food_water no_shelter"},
		{"outdoors counts as no shelter, once", []flows.Effect{needs("no_shelter"), kind("outdoors")}, P4, 20, "no_shelter"},
		{"conflict zone", []flows.Effect{at("Banteay Meanchey")}, P4, 15, "conflict_zone"},
		{"border in the conflict zone, once", []flows.Effect{at("Banteay Meanchey"), kind("border")}, P4, 15, "conflict_zone"},
		{"border", []flows.Effect{at("Svay Rieng"), kind("border")}, P4, 15, "border_or_moving"},
		{"moving", []flows.Effect{kind("moving")}, P4, 15, "border_or_moving"},
		{"moved out of the zone", []flows.Effect{at("Banteay Meanchey"), at("Phnom Penh")}, P4, 0, ""},
		{"no passport", []flows.Effect{passport("lost_stolen")}, P4, 10, "no_passport"},
		{"never had a passport", []flows.Effect{passport("never_had")}, P4, 10, "no_passport"},
		{"expired passport", []flows.Effect{passport("with_me_expired")}, P4, 0, ""},
		{"passport unknown", []flows.Effect{passport(flows.Unknown)}, P4, 0, ""},
		{"no passport, overstay, no shelter", []flows.Effect{passport("lost_stolen"), permit("overstay"), needs("no_shelter")}, P3, 35, "no_shelter no_passport overstay"},
		{"safe, no passport, overstay", []flows.Effect{safe(), passport("lost_stolen"), permit("overstay")}, P4, 15, "no_passport overstay"},
		{"group of 4", []flows.Effect{group("4")}, P4, 0, ""},
		{"group of 5", []flows.Effect{group("5")}, P4, 10, "group_5"},
		{"group of 20", []flows.Effect{group("20")}, P4, 20, "group_20"},
		{"group of 50", []flows.Effect{group("50")}, P3, 30, "group_50"},
		{"sum reaches P1 without a floor", []flows.Effect{kind("in_compound"), needs("detained", "sick")}, P1, 95, "in_compound detained sick"},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := Score(newCase(t, x.effects...), testRules())
			var ids []string
			for _, r := range got.Reasons {
				id := r.ID
				if r.Floor {
					id += "!"
				}
				ids = append(ids, id)
			}
			if got.Class != x.class || got.Score != x.score || strings.Join(ids, " ") != x.reasons {
				t.Errorf("%s, %d points, %v; want %s, %d, [%s]", got.Class, got.Score, ids, x.class, x.score, x.reasons)
			}
		})
	}
}

// Where somebody reports from, doubt about nationality and a report by a third person never lower a score.
func TestNothingCountsAgainstAnybody(t *testing.T) {
	facts := []flows.Effect{watched(), needs("sick"), passport("lost_stolen")}
	plain := Score(newCase(t, facts...), testRules())
	for name, e := range map[string]flows.Effect{
		"nationality in doubt": found("nationality_other"),
		"third person":         say(flows.StepWhoFor, t0, "other_person"),
		"reported place":       at("Svay Rieng"),
		"impostor suspected":   found(SignalImpostor),
	} {
		with := Score(newCase(t, append([]flows.Effect{e}, facts...)...), testRules())
		if with.Score < plain.Score || plain.Class.Above(with.Class) {
			t.Errorf("%s: %s %d, without it %s %d", name, with.Class, with.Score, plain.Class, plain.Score)
		}
	}
}

func TestReasonIDsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, id := range ReasonIDs() {
		if seen[id] {
			t.Errorf("reason %s stands twice", id)
		}
		seen[id] = true
	}
}

func BenchmarkScore(b *testing.B) {
	c := newCase(b, watched(), needs("sick", "pregnant", "no_shelter"), kind("in_compound"), passport("held_by_employer"),
		permit("overstay"), at("Banteay Meanchey"), say(flows.StepGroupSize, t0, "=12"), say(flows.StepBirthDate, t0, "=2001-08-17"))
	r := testRules()
	for b.Loop() {
		Score(c, r)
	}
}
