package casework

import (
	"testing"
	"time"

	"pulang/flows"
)

// Waiting lifts P4 to P3 to P2 at two stored times, P3 to P2 at one, and never into P1.
func TestWaitingLifts(t *testing.T) {
	r := testRules()
	day := 24 * time.Hour
	for _, x := range []struct {
		name    string
		effects []flows.Effect
		after   map[time.Duration]Class
	}{
		{"P4", []flows.Effect{safe()}, map[time.Duration]Class{0: P4, day - 1: P4, day: P3, 2*day - 1: P3, 2 * day: P2, 365 * day: P2}},
		{"P3", []flows.Effect{needs("sick")}, map[time.Duration]Class{0: P3, day - 1: P3, day: P2, 365 * day: P2}},
		{"P2", []flows.Effect{watched()}, map[time.Duration]Class{0: P2, 365 * day: P2}},
		{"P1", []flows.Effect{needs("injured")}, map[time.Duration]Class{0: P1, 365 * day: P1}},
	} {
		c := newCase(t, x.effects...)
		for d, want := range x.after {
			if got := Effective(c, t0.Add(d)); got != want {
				t.Errorf("%s after %v: %s, want %s", x.name, d, got, want)
			}
			if got := CandidateOf(c).Class(t0.Add(d)); got != want {
				t.Errorf("%s after %v as a candidate: %s, want %s", x.name, d, got, want)
			}
		}
		c.Rescore(t0.Add(3*day), r)
		if got := Effective(c, t0.Add(3*day)); x.name == "P4" && got != P2 {
			t.Errorf("rescoring undid the lift: %s", got)
		}
	}
}

// The due time starts at the first message, comes earlier when the class rises, and stays when the case changes hands.
func TestDueAt(t *testing.T) {
	r := testRules()
	c := newCase(t, safe())
	if !c.DueAt.Equal(t0.Add(24 * time.Hour)) {
		t.Fatalf("P4 is due %v", c.DueAt)
	}
	c.MarkRead("officer.a", clock(10, 0))
	c.Rescore(clock(10, 0), r)
	c.MarkRead("officer.b", clock(12, 0))
	c.Rescore(clock(12, 0), r)
	if !c.DueAt.Equal(t0.Add(24 * time.Hour)) {
		t.Errorf("changing hands moved it to %v", c.DueAt)
	}
	c.Apply(needs("sick"), clock(13, 0), r)
	c.Rescore(clock(13, 0), r)
	if want := clock(13, 0).Add(12 * time.Hour); !c.DueAt.Equal(want) {
		t.Errorf("P3 is due %v, want %v", c.DueAt, want)
	}
	c.Apply(say(flows.StepSafetyNow, clock(14, 0), flows.Danger), clock(14, 0), r)
	c.Rescore(clock(14, 0), r)
	if want := clock(14, 15); !c.DueAt.Equal(want) {
		t.Errorf("P1 is due %v, want %v", c.DueAt, want)
	}
	// A case that is nearly due keeps its time when the class rises.
	late := newCase(t, needs("sick"))
	late.Apply(watched(), clock(20, 30), r)
	late.Rescore(clock(20, 30), r)
	if want := t0.Add(12 * time.Hour); !late.DueAt.Equal(want) {
		t.Errorf("the rise moved it from %v to %v", want, late.DueAt)
	}
	// An officer who lowers the class gives it more time, counted from the first message.
	if _, err := SetOverride(c, P3, "sudah dicek", "officer.a", clock(14, 5), r); err != nil {
		t.Fatal(err)
	}
	if want := t0.Add(12 * time.Hour); !c.DueAt.Equal(want) {
		t.Errorf("lowered by an officer: %v, want %v", c.DueAt, want)
	}
}

func TestOverride(t *testing.T) {
	r := testRules()
	c := newCase(t, needs("injured"))
	for _, x := range []struct {
		class  Class
		reason string
		why    string
	}{{P3, "", RefusedNoReason}, {"P9", "x", RefusedUnknownValue}, {"", "x", RefusedUnknownValue}} {
		if _, err := SetOverride(c, x.class, x.reason, "officer.a", clock(10, 0), r); refusal(err) != x.why {
			t.Errorf("%q for %q: %v", x.class, x.reason, err)
		}
	}
	events, err := SetOverride(c, P3, "luka kecil", "officer.a", clock(10, 0), r)
	if err != nil || !has(events, EventClass) {
		t.Fatal(err, events)
	}
	if Effective(c, clock(10, 1)) != P3 || c.Triage.Class != P1 {
		t.Errorf("effective %s, computed %s", Effective(c, clock(10, 1)), c.Triage.Class)
	}
	if !c.P1Since.IsZero() {
		t.Error("the escalation goes on")
	}
	// A fact that weighs nothing new, or one the officer knew, changes nothing.
	c.Apply(needs("injured", "female_officer"), clock(11, 0), r)
	c.Rescore(clock(11, 0), r)
	if Effective(c, clock(11, 0)) != P3 {
		t.Error("the override ended without a new fact")
	}
	// A new fact that weighs ends it.
	c.Apply(needs("injured", "held_or_threatened"), clock(12, 0), r)
	c.Rescore(clock(12, 0), r)
	if Effective(c, clock(12, 0)) != P1 || c.Override == nil || c.Override.Ended.IsZero() {
		t.Errorf("held: %s, override %+v", Effective(c, clock(12, 0)), c.Override)
	}
}

// Danger after an override raises again, even if danger was what the officer had looked at.
func TestDangerAfterOverride(t *testing.T) {
	r := testRules()
	c := newCase(t, say(flows.StepSafetyNow, t0, flows.Danger))
	if _, err := SetOverride(c, P4, "salah tekan", "officer.a", clock(10, 0), r); err != nil {
		t.Fatal(err)
	}
	c.Apply(say(flows.StepSafetyNow, clock(11, 0), flows.Danger), clock(11, 0), r)
	events := c.Rescore(clock(11, 0), r)
	if Effective(c, clock(11, 0)) != P1 || !has(events, EventRaised) || !c.P1Since.Equal(clock(11, 0)) {
		t.Errorf("class %s, events %v", Effective(c, clock(11, 0)), events)
	}
	// An officer may raise as well, and go back.
	c = newCase(t, safe())
	if _, err := SetOverride(c, P1, "suara ketakutan", "officer.a", clock(10, 0), r); err != nil || Effective(c, clock(10, 0)) != P1 {
		t.Error(err, Effective(c, clock(10, 0)))
	}
	ClearOverride(c, clock(10, 5), r)
	if Effective(c, clock(10, 5)) != P4 {
		t.Error("the computed class did not come back")
	}
}

// A fact that raises the class brings a settled or resting case back.
func TestRiseBringsBack(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	if _, err := Settle(c, clock(10, 0), r); err != nil {
		t.Fatal(err)
	}
	c.Apply(flows.Signal{Name: "medical_emergency"}, clock(11, 0), r)
	if events := c.Rescore(clock(11, 0), r); !Queued(c) || !has(events, EventBack) || !c.DueAt.Equal(clock(11, 15)) {
		t.Errorf("events %v, due %v", events, c.DueAt)
	}
}

// Danger on a closed case opens it without asking whether it is the same matter.
func TestDangerReopens(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	if _, err := SetStage(c, StageArrived, "", "officer.a", clock(10, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := Close(c, "self_resolved", "officer.a", clock(11, 0)); err != nil {
		t.Fatal(err)
	}
	if Queued(c) || c.Stage != StageClosed {
		t.Fatal("not closed")
	}
	c.Apply(say(flows.StepSafetyNow, clock(12, 0), flows.Danger), clock(12, 0), r)
	if events := c.Rescore(clock(12, 0), r); !has(events, EventReopened) || c.Closed() || c.Stage != StageArrived ||
		Effective(c, clock(12, 0)) != P1 || !c.DueAt.Equal(clock(12, 15)) {
		t.Errorf("events %v, stage %s, class %s, due %v", events, c.Stage, Effective(c, clock(12, 0)), c.DueAt)
	}
}

func TestRescoreTwiceChangesNothing(t *testing.T) {
	r := testRules()
	c := newCase(t, watched(), needs("sick"), kind("in_compound"))
	before := *c
	if events := c.Rescore(t0, r); len(events) != 0 {
		t.Errorf("events %v", events)
	}
	if c.DueAt != before.DueAt || c.P1Since != before.P1Since || len(c.Triage.Reasons) != len(before.Triage.Reasons) {
		t.Error("rescoring again changed the case")
	}
}

func TestStages(t *testing.T) {
	r := testRules()
	set := func(c *Case, s Stage, detail string) string {
		_, err := SetStage(c, s, detail, "officer.a", clock(10, 0))
		return refusal(err)
	}
	c := newCase(t, safe())
	for _, x := range []struct {
		stage  Stage
		detail string
		why    string
	}{
		{StageSPLPIssued, "XE123456", RefusedStageOrder}, // never applied for
		{StageWaiverGranted, "full", RefusedStageOrder},  // never submitted
		{StageArrived, "", ""},
		{StageSheltered, "castle", RefusedStageDetail},
		{StageSheltered, "kbri_shelter", ""},
		{StageSheltered, "hospital", ""}, // moved: the same stage again
		{StageVerified, "document", ""},
		{StageContacted, "", ""}, // caught up later
		{StageExitPermit, "", ""},
		{StageSPLPApplied, "", ""}, // papers arrive in any order
		{StageSPLPIssued, "XE123456", ""},
		{StageReported, "", RefusedStageOrder},
		{StageClosed, "", RefusedStageClosing},
		{"flown", "", RefusedUnknownValue},
	} {
		if got := set(c, x.stage, x.detail); got != x.why {
			t.Errorf("%s %s: %q, want %q", x.stage, x.detail, got, x.why)
		}
	}
	if c.Stage != StageExitPermit {
		t.Errorf("the furthest stage is %s", c.Stage)
	}
	n := len(c.Milestones)
	if set(c, StageSPLPIssued, "XE123456") != "" || len(c.Milestones) != n {
		t.Error("a second click wrote a second milestone")
	}
	for _, next := range NextStages(c) {
		if next.Stage == StageClosed || next.Stage == StageWaiverGranted || next.Stage == StageReported {
			t.Errorf("%s is offered", next.Stage)
		}
	}

	if _, err := Close(c, "bored", "officer.a", clock(11, 0)); refusal(err) != RefusedUnknownValue {
		t.Errorf("an unknown reason: %v", err)
	}
	if _, err := Close(c, "returned", "officer.a", clock(11, 0)); err != nil {
		t.Fatal(err)
	}
	if again, err := Close(c, "returned", "officer.a", clock(11, 0)); err != nil || again != nil {
		t.Errorf("closing twice: %v, %v", again, err)
	}
	if _, err := Close(c, "deceased", "officer.a", clock(11, 0)); refusal(err) != RefusedClosed {
		t.Errorf("closing for another reason: %v", err)
	}
	if set(c, StageDeparted, "") != RefusedClosed || len(NextStages(c)) != 0 {
		t.Error("a closed case takes a stage")
	}
	if _, err := Reopen(c, "officer.a", clock(12, 0), r); err != nil || c.Stage != StageExitPermit || !Queued(c) {
		t.Errorf("%v, stage %s", err, c.Stage)
	}
	if _, err := Reopen(c, "officer.a", clock(12, 0), r); refusal(err) != RefusedNotClosed {
		t.Errorf("reopening twice: %v", err)
	}
}

func TestView(t *testing.T) {
	if View(nil) != nil {
		t.Error("a view of no case")
	}
	c := newCase(t, watched(), flows.Mute{On: true}, flows.JoinGroup{Code: "K7M-469-2XQ"},
		flows.Record{Step: flows.StepCodeWord, Answer: flows.Answer{Text: "  Nasi   GORENG "}})
	v := View(c)
	if v.Code != c.Code || v.Safety != flows.Watched || v.Stage != "reported" || v.Closed || !v.Muted || v.CodeWord != "nasi goreng" {
		t.Errorf("%+v", v)
	}
	if v.JoinCode != "" {
		t.Error("a member is shown as the leader of the group")
	}
	c.Leads = "K7M-469-2XQ"
	if v := View(c); v.JoinCode != c.Leads {
		t.Errorf("the leader does not know the code: %+v", v)
	}
	for _, a := range []flows.Answer{{Skipped: true, Text: "lewati"}, {Review: true, Text: "hmm gitu"}} {
		c.Answers[flows.StepCodeWord] = a
		if w := View(c).CodeWord + CodeWord(c); w != "" {
			t.Errorf("%q became the code word", w)
		}
	}
}
