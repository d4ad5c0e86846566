package casework

import (
	"testing"
	"time"

	"pulang/flows"
)

// Danger or watched ends an earlier permission, with the stated hours, until it is given again.
func TestDangerWithdrawsPermission(t *testing.T) {
	for _, level := range []flows.Value{flows.Watched, flows.Danger} {
		r := testRules()
		c := newCase(t, append([]flows.Effect{safe()}, hours("08:00-20:00")...)...)
		if v := MayCall(c, clock(10, 0), r); !v.OK {
			t.Fatalf("permission was given, but: %s", v.Why)
		}
		c.Apply(say(flows.StepSafetyNow, clock(10, 0), level), clock(10, 0), r)
		c.Rescore(clock(10, 0), r)
		if v := MayCall(c, clock(10, 1), r); v.OK || v.Why != CallWithdrawn || !v.Opens.IsZero() {
			t.Errorf("after %s: %+v", level, v)
		}
		if len(c.Windows) != 0 {
			t.Errorf("after %s the hours %v are still trusted", level, c.Windows)
		}
		if !c.Answers[flows.StepContactPref].Has(flows.CallWindow) {
			t.Error("the answer itself was lost")
		}
		// An older statement that arrives late gives nothing back; a new one does.
		c.Apply(say(flows.StepContactPref, clock(9, 59), flows.CallAnytime), clock(9, 59), r)
		if v := MayCall(c, clock(10, 1), r); v.OK {
			t.Errorf("an answer from before %s gave the permission back", level)
		}
		c.Apply(say(flows.StepContactPref, clock(10, 5), flows.CallAnytime), clock(10, 5), r)
		if v := MayCall(c, clock(10, 6), r); !v.OK {
			t.Errorf("given again after %s, but: %s", level, v.Why)
		}
	}
}

// A lower answer is recorded and asks for a check. Class and gates stay, whoever wrote it.
func TestLowerSafetyIsOnlyRecorded(t *testing.T) {
	r := testRules()
	c := newCase(t, say(flows.StepSafetyNow, t0, flows.Danger))
	c.Apply(say(flows.StepSafetyNow, clock(10, 0), flows.Safe), clock(10, 0), r)
	c.Rescore(clock(10, 0), r)
	if c.Safety != flows.Danger || Effective(c, clock(10, 0)) != P1 {
		t.Errorf("safety %s, class %s", c.Safety, Effective(c, clock(10, 0)))
	}
	if c.Answers[flows.StepSafetyNow].Value() != flows.Safe {
		t.Error("what the person answered was not recorded")
	}
	if !c.open(SignalSafetyLowered) {
		t.Error("nobody is asked to check")
	}
	if v := MaySend(Message{Kind: KindStage, CreatedAt: clock(10, 0)}, c, clock(10, 0), clock(10, 1), r); v.OK {
		t.Error("the gate opened by the lower answer")
	}
	if got := View(c).Safety; got != flows.Danger {
		t.Errorf("the conversation sees %s", got)
	}

	if err := c.ConfirmSafety(flows.Safe, "officer.a", clock(11, 0)); err != nil {
		t.Fatal(err)
	}
	c.Rescore(clock(11, 0), r)
	if c.Safety != flows.Safe || Effective(c, clock(11, 0)) != P4 || c.open(SignalSafetyLowered) {
		t.Errorf("after the officer's check: safety %s, class %s", c.Safety, Effective(c, clock(11, 0)))
	}
	if v := MayCall(c, clock(11, 1), r); v.OK {
		t.Error("the check gave a permission that the person never gave")
	}
	if err := c.ConfirmSafety("fine", "officer.a", clock(11, 0)); err == nil {
		t.Error("an unknown level was accepted")
	}
}

func TestSafetyOfWatchedIsRaisedAndKept(t *testing.T) {
	r := testRules()
	c := newCase(t, safe())
	c.Apply(say(flows.StepSafetyNow, clock(10, 0), flows.Watched), clock(10, 0), r)
	c.Apply(say(flows.StepSafetyNow, clock(10, 1), flows.Danger), clock(10, 1), r)
	c.Apply(say(flows.StepSafetyNow, clock(10, 2), flows.Watched), clock(10, 2), r)
	if c.Safety != flows.Danger || !c.open(SignalSafetyLowered) {
		t.Errorf("safety %s", c.Safety)
	}
}

// The duress word works silently: danger for the desk, also after a permission, until an officer has checked.
func TestDuress(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	c.Apply(flows.Signal{Name: SignalDuress, Words: "durian"}, clock(10, 0), r)
	c.Rescore(clock(10, 0), r)
	if c.Safety != flows.Danger || Effective(c, clock(10, 0)) != P1 || MayCall(c, clock(10, 1), r).OK {
		t.Errorf("safety %s, class %s", c.Safety, Effective(c, clock(10, 0)))
	}
	_ = c.ConfirmSafety(flows.Safe, "officer.a", clock(12, 0))
	c.Rescore(clock(12, 0), r)
	if c.Triage.Class != P4 {
		t.Errorf("after the check: %+v", c.Triage)
	}
	c.Apply(flows.Signal{Name: SignalDuress, Words: "durian"}, clock(13, 0), r)
	c.Rescore(clock(13, 0), r)
	if c.Triage.Class != P1 {
		t.Error("the word did not work a second time")
	}
}

// What the chat takes back keeps the class until an officer has looked.
func TestTakingBackKeepsTheClass(t *testing.T) {
	r := testRules()
	c := newCase(t, needs("held_or_threatened"))
	c.Apply(say(flows.StepUrgentNeeds, clock(10, 0), flows.None), clock(10, 0), r)
	c.Rescore(clock(10, 0), r)
	if c.Triage.Class != P1 || !c.Triage.Kept {
		t.Fatalf("triage %+v", c.Triage)
	}
	if last := c.Triage.Reasons[len(c.Triage.Reasons)-1]; last.ID != ReasonKept {
		t.Errorf("the reason is not shown: %+v", c.Triage.Reasons)
	}
	before := len(c.Triage.Reasons)
	c.Rescore(clock(10, 1), r)
	if len(c.Triage.Reasons) != before {
		t.Error("rescoring again changed the reasons")
	}
	// The same answer entered by an officer counts.
	e := say(flows.StepUrgentNeeds, clock(11, 0), flows.None)
	e.Answer.By = "officer.a"
	c.Apply(e, clock(11, 0), r)
	c.Rescore(clock(11, 0), r)
	if c.Triage.Class != P4 || c.Triage.Kept {
		t.Errorf("after the officer's answer: %+v", c.Triage)
	}
}

func TestLocationsAreAHistory(t *testing.T) {
	c := newCase(t, at("Svay Rieng"), at("Kandal"), at("Kandal"))
	if len(c.Locations) != 2 || c.Locations[0].Province != "Svay Rieng" || c.Locations[1].Province != "Kandal" {
		t.Errorf("locations %+v", c.Locations)
	}
	for i := range 2000 {
		c.Apply(flows.Record{Step: flows.StepLocation, Answer: flows.Answer{
			Location: &flows.Location{Kind: "live", HasPoint: true, Lat: 11 + float64(i)/1000, Lon: 105, At: t0.Add(time.Duration(i) * time.Second)},
		}}, t0, testRules())
	}
	if n := len(c.Locations); n > 500 {
		t.Errorf("a live location left %d entries", n)
	}
	if c.Locations[0].Province != "Svay Rieng" || c.Locations[len(c.Locations)-1].Lat != 11+1999.0/1000 {
		t.Error("the first or the last place was lost")
	}
}

// An answer to contact_pref that nobody understood may have been a no.
func TestUnclearPermissionEndsIt(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	c.Apply(flows.Record{Step: flows.StepContactPref, Answer: flows.Answer{Text: "jgn dlu", Review: true, At: clock(10, 0)}}, clock(10, 0), r)
	if v := MayCall(c, clock(10, 1), r); v.OK {
		t.Error("rings after words that were not understood")
	}
	c = newCase(t, safe(), anytime())
	c.Apply(flows.Record{Step: flows.StepContactPref, Answer: flows.Answer{Skipped: true, At: clock(10, 0)}}, clock(10, 0), r)
	if v := MayCall(c, clock(10, 1), r); !v.OK {
		t.Errorf("a skip took the permission back: %s", v.Why)
	}
}

func TestOpeningStartsAtTheFirstMessage(t *testing.T) {
	c := New("01", "K7M4-692Q", "kh", "kh", "telegram", t0)
	first := t0.Add(-10 * time.Minute)
	c.Apply(flows.OpenCase{Heard: []flows.Heard{{Input: flows.Input{At: first}}, {Input: flows.Input{At: t0}}}}, t0, testRules())
	c.Rescore(t0, testRules())
	if !c.CreatedAt.Equal(first) || !c.DueAt.Equal(first.Add(24*time.Hour)) {
		t.Errorf("created %v, due %v", c.CreatedAt, c.DueAt)
	}
}

func TestBlockedAfterWatchedIsContactLost(t *testing.T) {
	c := newCase(t, watched())
	c.Contacts = []Contact{{Channel: "telegram", Address: "1"}, {Channel: "webchat", Address: "2"}}
	c.Blocked("telegram", "", "1", clock(10, 0))
	if c.open(SignalContactLost) {
		t.Error("lost, although another contact is left")
	}
	c.Blocked("webchat", "", "2", clock(10, 0))
	if !c.open(SignalContactLost) {
		t.Error("the last contact is gone and nobody is told")
	}
	// The same when it was only marked, and once: an officer who dealt with it is not asked again.
	c = newCase(t, watched())
	c.Contacts = []Contact{{Channel: "telegram", Address: "1", Blocked: true}}
	c.Rescore(clock(10, 0), testRules())
	if !c.open(SignalContactLost) || c.Triage.Class != P1 {
		t.Errorf("signals %v, class %s", c.Signals, c.Triage.Class)
	}
	c.SignalDone(SignalContactLost, "officer.a", clock(11, 0))
	c.Rescore(clock(11, 0), testRules())
	if c.open(SignalContactLost) || c.Triage.Class != P2 {
		t.Errorf("after the officer: signals %v, class %s", c.Signals, c.Triage.Class)
	}
}
