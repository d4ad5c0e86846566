package casework

import (
	"slices"
	"testing"
	"time"

	"pulang/flows"
)

// The rescue packet is an officer's decision for somebody who is held, threatened, watched, in danger or P1, with the
// person's consent in words; a packet is for nobody else.
func TestRescueIsAnOfficersDecision(t *testing.T) {
	r := testRules()
	for name, x := range map[string]struct {
		c  *Case
		ok bool
	}{
		"safe":      {newCase(t, safe()), false},
		"safe, ill": {newCase(t, safe(), needs("sick")), false},
		"watched":   {newCase(t, watched()), true},
		"danger":    {newCase(t, say(flows.StepSafetyNow, t0, flows.Danger)), true},
		"held":      {newCase(t, safe(), needs("held_or_threatened")), true},
		"injured":   {newCase(t, safe(), needs("injured")), true},
		"compound":  {newCase(t, safe(), say(flows.StepPlaceKind, t0, "in_compound")), true},
		"reported":  {newCase(t, safe(), say(flows.StepWhoFor, t0, "other_person"), flows.Signal{Name: "held"}), true},
	} {
		if got := MayRescue(x.c, t0); got != x.ok {
			t.Errorf("%s: %v", name, got)
		}
		_, err := StartRescue(x.c, "setuju", "officer.a", clock(10, 0))
		if (err == nil) != x.ok || err != nil && refusal(err) != RefusedNoRescue {
			t.Errorf("%s: %v", name, err)
		}
		if got := len(View(x.c).Rescue) > 0; got != x.ok {
			t.Errorf("%s: the conversation asks: %v", name, got)
		}
	}
	c := newCase(t, watched())
	if RescueList(c) != nil || len(View(c).Rescue) != 0 {
		t.Error("items without an officer's decision")
	}
	if _, err := StartRescue(c, "", "officer.a", clock(10, 0)); refusal(err) != RefusedNoConsent || c.Rescue != nil {
		t.Errorf("without consent: %v", err)
	}
	events, err := StartRescue(c, "setuju lewat chat", "officer.a", clock(10, 0))
	if err != nil || len(events) != 1 || !slices.Equal(c.RescueWanted(), flows.RescueSteps) {
		t.Fatalf("%v, %v, wants %v", events, err, c.RescueWanted())
	}
	c.Apply(say(flows.StepRescueRoom, clock(10, 5), "="), clock(10, 5), r)
	c.Apply(flows.Record{Step: flows.StepRescuePhoto, Answer: flows.Answer{Skipped: true}}, clock(10, 6), r)
	if w := View(c).Rescue; len(w) != 4 || slices.Contains(w, flows.StepRescuePhoto) {
		t.Errorf("wants %v", w)
	}
	// Asked again: what was passed over, not what is there.
	if _, err := StartRescue(c, "masih setuju", "officer.b", clock(11, 0)); err != nil {
		t.Fatal(err)
	}
	if w := c.RescueWanted(); len(w) != 5 || !slices.Contains(w, flows.StepRescuePhoto) || slices.Contains(w, flows.StepRescueRoom) {
		t.Errorf("asked again wants %v", w)
	}
	EndRescue(c, clock(12, 0))
	if len(View(c).Rescue) != 0 || len(RescueList(c)) != 6 || len(EndRescue(c, clock(12, 1))) != 0 {
		t.Error("an ended packet is still asked, or its answers are gone")
	}
	if _, err := Close(c, "returned", "officer.a", clock(13, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := StartRescue(c, "setuju", "officer.a", clock(13, 1)); refusal(err) != RefusedClosed {
		t.Errorf("on a closed case: %v", err)
	}
}

// Whoever reported another person learns nothing of the case: not by changing the answer in chat, only by consent that
// an officer recorded, or when an officer found that the answer was a slip.
func TestReporterNeedsConsent(t *testing.T) {
	r := testRules()
	about := func(v flows.Value, by string) flows.Record {
		return flows.Record{Step: flows.StepWhoFor, Answer: flows.Answer{Values: []flows.Value{v}, At: t0, By: by}}
	}
	consent := func(v flows.Value, by string) flows.Record {
		return flows.Record{Step: flows.StepSubjectConsent, Answer: flows.Answer{Values: []flows.Value{v}, At: t0, By: by}}
	}
	for i, x := range []struct {
		effects []flows.Effect
		told    bool
	}{
		{[]flows.Effect{safe()}, true},
		{[]flows.Effect{safe(), about("self", "")}, true},
		{[]flows.Effect{safe(), about("other_person", "")}, false},
		{[]flows.Effect{safe(), about("other_person", ""), about("self", "")}, false},
		{[]flows.Effect{safe(), about("other_person", "officer.a")}, false},
		{[]flows.Effect{safe(), about("other_person", ""), about("self", "officer.a")}, true},
		{[]flows.Effect{safe(), about("other_person", ""), consent(flows.Yes, "")}, false},
		{[]flows.Effect{safe(), about("other_person", ""), consent(flows.No, "officer.a")}, false},
		{[]flows.Effect{safe(), about("other_person", ""), consent(flows.Yes, "officer.a")}, true},
	} {
		c := newCase(t, x.effects...)
		if View(c).Reporter == x.told {
			t.Errorf("%d: the reporter is told: %v", i, !x.told)
		}
		v := MaySend(Message{Kind: KindStage, CreatedAt: clock(10, 0)}, c, clock(9, 59), clock(10, 0), r)
		if v.OK != x.told || !x.told && v.Why != HoldNoConsent {
			t.Errorf("%d: news of a stage: %+v", i, v)
		}
	}
}

// The conversation knows when a permission ended, so that it asks again; an answer that came with the same message as the
// danger still holds.
func TestWithdrawnIsTold(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	if !View(c).Withdrawn.IsZero() {
		t.Fatal("withdrawn without a reason")
	}
	at := clock(10, 0)
	c.Apply(say(flows.StepSafetyNow, at, flows.Danger), at, r)
	if !View(c).Withdrawn.Equal(at) || c.Permission != "" {
		t.Errorf("danger: %v, %q", View(c).Withdrawn, c.Permission)
	}
	c.Apply(say(flows.StepContactPref, clock(10, 5), flows.CallAnytime), clock(10, 5), r)
	c.Apply(say(flows.StepSafetyNow, clock(10, 10), flows.Watched), clock(10, 10), r)
	if !View(c).Withdrawn.Equal(clock(10, 10)) || c.Permission != "" || c.Safety != flows.Danger {
		t.Errorf("watched after danger: %v, %q, %s", View(c).Withdrawn, c.Permission, c.Safety)
	}
	if err := c.ConfirmSafety(flows.Watched, "officer.a", clock(11, 0)); err != nil || !View(c).Withdrawn.Equal(clock(11, 0)) {
		t.Errorf("an officer's check: %v, %v", View(c).Withdrawn, err)
	}
	c.Apply(say(flows.StepContactPref, clock(11, 5), flows.CallAnytime), clock(11, 5), r)
	if err := StartAttempt(c, "a1", ViaPhone, "officer.a", clock(11, 10), r, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := EndAttempt(c, "a1", WrongPerson, "", time.Time{}, clock(11, 12), r); err != nil || !View(c).Withdrawn.Equal(clock(11, 12)) {
		t.Errorf("a stranger answered: %v, %v", View(c).Withdrawn, err)
	}
}

// In a group the leader stands first, then whoever needs care, then by class; names are split, and only the leader's
// case has them.
func TestGroupOrder(t *testing.T) {
	const code = "K7M-689-6A9"
	at := func(c *Case, code string) *Case { c.Code = code; return c }
	leader := at(newCase(t, safe()), "A")
	leader.Leads = code
	held := at(newCase(t, watched(), say(flows.StepPassportStatus, t0, "held_by_employer")), "B")
	pregnant := at(newCase(t, safe(), needs("pregnant")), "C")
	fine := at(newCase(t, safe()), "D")
	child := at(newCase(t, safe(), say(flows.StepBirthDate, t0, "=15"), say(flows.StepTrustedAdult, t0, flows.No)), "E")
	for _, c := range []*Case{held, pregnant, fine, child} {
		c.Apply(flows.JoinGroup{Code: code}, t0, testRules())
	}
	all := []*Case{fine, held, pregnant, child, leader}
	slices.SortFunc(all, ByNeed(code))
	got := ""
	for _, c := range all {
		got += c.Code
	}
	if got != "AECBD" {
		t.Errorf("order %s", got)
	}
	if child.Triage.Class != P1 || !Vulnerable(child) || Vulnerable(fine) {
		t.Errorf("an unaccompanied child is %s", child.Triage.Class)
	}
	names := say(flows.StepGroupMembers, t0, "=Budi\n Siti \n\n")
	leader.Apply(names, t0, testRules())
	fine.Apply(names, t0, testRules())
	if !slices.Equal(Unconfirmed(leader), []string{"Budi", "Siti"}) || len(Unconfirmed(fine)) != 0 {
		t.Errorf("%q, %q", Unconfirmed(leader), Unconfirmed(fine))
	}
	leader.Group = "K7M-689-6B7"
	if got := Groups(leader); !slices.Equal(got, []string{code, "K7M-689-6B7"}) {
		t.Errorf("groups %v", got)
	}
}

// The country of a case is the newest that was said: by a place, or by the answer to "which country".
func TestCountry(t *testing.T) {
	place := func(country string, at time.Time) flows.Record {
		return flows.Record{Step: flows.StepLocation, Answer: flows.Answer{At: at, Location: &flows.Location{Kind: "place_text", Country: country, At: at}}}
	}
	later := clock(12, 0)
	for i, x := range []struct {
		effects []flows.Effect
		want    string
	}{
		{nil, ""},
		{[]flows.Effect{place("", t0)}, ""},
		{[]flows.Effect{place("KH", t0)}, "KH"},
		{[]flows.Effect{place("", t0), say(flows.StepCountry, later, "MM")}, "MM"},
		{[]flows.Effect{place("KH", t0), say(flows.StepCountry, later, "MM")}, "MM"},
		{[]flows.Effect{say(flows.StepCountry, t0, "MM"), place("KH", later)}, "KH"},
		{[]flows.Effect{place("", t0), say(flows.StepCountry, later, "other")}, ""},
	} {
		if got := Country(newCase(t, x.effects...)); got != x.want {
			t.Errorf("%d: %q, want %q", i, got, x.want)
		}
	}
}
