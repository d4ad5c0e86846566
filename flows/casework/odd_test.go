package casework

import (
	"testing"
	"time"

	"pulang/flows"
)

// A case that a newer program wrote, read by this one after it was put back: what it does not know forgets nobody and allows
// nothing.
func TestUnknownValuesInAStoredCase(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	c.Override = &Override{Class: "P0", Reason: "alasan", By: "o", At: t0}
	c.Triage.Class, c.Peak, c.DueFor, c.Stage = "P0", "P0", "P0", "beyond"
	c.Safety, c.Permission = "captive", "call_relay"
	c.Signals = map[string]Signal{"unheard_of": {At: t0}}
	c.Attempts = []Attempt{{ID: "x", At: t0, Via: "satellite", Outcome: "unheard_of"}}
	if k := CandidateOf(c); !k.Base.Valid() {
		t.Errorf("before anything happens it stands in class %q, which no queue has", k.Base)
	}
	c.Rescore(t0.Add(time.Hour), r)
	if k := CandidateOf(c); !k.Base.Valid() || !k.Class(t0.Add(99*time.Hour)).Valid() || !Queued(c) {
		t.Errorf("class %q", k.Base)
	}
	if v := MayCall(c, t0.Add(2*time.Hour), r); v.OK {
		t.Error("an unknown permission allows a ring")
	}
	if v := MaySend(Message{Kind: KindOfficer, CreatedAt: t0}, c, time.Time{}, t0.Add(2*time.Hour), r); v.OK {
		t.Error("an unknown safety lets a message leave unprompted")
	}
	c.Apply(say(flows.StepSafetyNow, t0.Add(3*time.Hour), flows.Danger), t0.Add(3*time.Hour), r)
	if c.Rescore(t0.Add(3*time.Hour), r); Effective(c, t0.Add(3*time.Hour)) != P1 {
		t.Error("danger counts for nothing")
	}
}

// The machine's clock is set back by an hour: a P1 that came by the clock ahead, and one that was read by it, sound again by
// the new one.
func TestClockSetBackUnderAP1(t *testing.T) {
	r := testRules()
	ahead := t0.Add(time.Hour)
	waits := func(c *Case, now time.Time) bool {
		for _, x := range Timers(c, now, r) {
			if x.Name == TimerEscalate1 && !x.At.After(now.Add(time.Minute)) {
				return true
			}
		}
		return false
	}
	c := newCase(t)
	c.Apply(say(flows.StepSafetyNow, t0, flows.Danger), t0, r)
	c.Rescore(ahead, r)
	c.Heard(t0.Add(time.Minute))
	c.Rescore(t0.Add(time.Minute), r)
	if !waits(c, t0.Add(time.Minute)) {
		t.Error("a P1 of the clock that was ahead is told of an hour late")
	}
	c.MarkRead("o", ahead)
	c.Rescore(t0.Add(2*time.Minute), r)
	if waits(c, t0.Add(2*time.Minute)) {
		t.Error("a P1 that was read sounds")
	}
	c.Apply(needs("injured"), t0.Add(3*time.Minute), r)
	c.Rescore(t0.Add(3*time.Minute), r)
	if !waits(c, t0.Add(3*time.Minute)) {
		t.Error("what came after the clock was set back counts as read by the one ahead")
	}
}
