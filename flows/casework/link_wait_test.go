package casework

import (
	"testing"
	"time"

	"pulang/flows"
)

// pair are two cases of one line with a contact each.
func pair(t testing.TB, effects ...flows.Effect) (a, b *Case) {
	a, b = newCase(t, effects...), newCase(t, effects...)
	for _, c := range []*Case{a, b} {
		id := map[bool]string{true: "a", false: "b"}[c == a]
		c.ID, c.Code, c.Contacts = id, id, []Contact{{Channel: id, Address: id, LastIn: t0}}
	}
	return a, b
}

func linkNow(t testing.TB, c, x *Case, now time.Time) {
	t.Helper()
	if _, err := Link(c, x, "o", now); err != nil {
		t.Fatal(err)
	}
	c.Rescore(now, testRules())
}

// Whoever waits on either of two cases waits on the one that goes on: a link into a case that is settled, dormant or put off
// forgets nobody, a due time does not move back, a promised call stays promised.
func TestLinkForgetsNobodyWhoWaits(t *testing.T) {
	r := testRules()
	now := clock(12, 0)
	t.Run("settled", func(t *testing.T) {
		a, b := pair(t, safe(), anytime())
		if _, err := Settle(a, now, r); err != nil {
			t.Fatal(err)
		}
		a.Rescore(now, r)
		due := b.DueAt
		linkNow(t, a, b, now.Add(time.Hour))
		if !a.SettledAt.IsZero() || !a.DueAt.Equal(due) || !a.WaitSince.Equal(t0) {
			t.Errorf("settled %v, due %v, which was %v", a.SettledAt, a.DueAt, due)
		}
	})
	t.Run("both settled", func(t *testing.T) {
		a, b := pair(t, safe(), anytime())
		for _, c := range []*Case{a, b} {
			if _, err := Settle(c, now, r); err != nil {
				t.Fatal(err)
			}
		}
		linkNow(t, a, b, now)
		if a.SettledAt.IsZero() {
			t.Error("a case on which nobody waits came back")
		}
	})
	t.Run("put off", func(t *testing.T) {
		a, b := pair(t, safe(), anytime())
		if _, err := Schedule(a, clock(20, 0), false, now, r); err != nil {
			t.Fatal(err)
		}
		linkNow(t, a, b, now)
		if !a.LaterUntil.IsZero() || a.DueAt.After(clock(20, 0)) {
			t.Errorf("rests until %v, due %v", a.LaterUntil, a.DueAt)
		}
	})
	t.Run("due", func(t *testing.T) {
		a, b := pair(t, safe(), anytime())
		a.WaitSince, a.DueAt = t0.Add(20*time.Hour), t0.Add(44*time.Hour)
		linkNow(t, a, b, t0.Add(21*time.Hour))
		if !a.DueAt.Equal(t0.Add(24*time.Hour)) || !a.WaitSince.Equal(t0) {
			t.Errorf("due %v, waits since %v", a.DueAt, a.WaitSince)
		}
	})
	t.Run("promise", func(t *testing.T) {
		a, b := pair(t, safe(), anytime())
		if _, err := Settle(a, now, r); err != nil {
			t.Fatal(err)
		}
		if _, err := Schedule(b, clock(18, 0), true, now, r); err != nil {
			t.Fatal(err)
		}
		linkNow(t, a, b, now)
		if !a.PromisedAt.Equal(clock(18, 0)) || !a.LaterUntil.Equal(clock(18, 0)) {
			t.Errorf("promised %v, rests until %v", a.PromisedAt, a.LaterUntil)
		}
		if _, err := Settle(a, now, r); err != nil || !a.SettledAt.IsZero() || !a.LaterUntil.Equal(clock(18, 0)) {
			t.Errorf("settling breaks the promise: %v, %v, %v", err, a.SettledAt, a.LaterUntil)
		}
	})
	t.Run("officer's class", func(t *testing.T) {
		a, b := pair(t, safe(), anytime())
		if _, err := SetOverride(b, P1, "alasan", "o", now, r); err != nil {
			t.Fatal(err)
		}
		if _, err := SetOverride(a, P4, "alasan", "o", now, r); err != nil {
			t.Fatal(err)
		}
		linkNow(t, a, b, now)
		if Effective(a, now) != P1 || a.Override.Reason != "alasan" {
			t.Errorf("class %s", Effective(a, now))
		}
	})
}

// The members of a group hold the leader's join code: it goes with the leader's case, and comes back with it.
func TestLinkTakesTheGroupAlong(t *testing.T) {
	a, b := pair(t, safe())
	b.Leads, b.Group = "K7M-689-6A9", "K7M-111-111"
	linkNow(t, a, b, t0)
	if a.Leads != "K7M-689-6A9" || a.Group != "K7M-111-111" || len(Groups(b)) != 0 {
		t.Errorf("leads %q, member of %q; the other one %v", a.Leads, a.Group, Groups(b))
	}
	if _, err := Part(a, b, t0); err != nil || a.Leads != "" || a.Group != "" || b.Leads != "K7M-689-6A9" || b.Group != "K7M-111-111" {
		t.Errorf("%v: %q %q, %q %q", err, a.Leads, a.Group, b.Leads, b.Group)
	}
	a.Leads = "own"
	linkNow(t, a, b, t0)
	if a.Leads != "own" || b.Leads != "K7M-689-6A9" {
		t.Errorf("two groups: %q, %q", a.Leads, b.Leads)
	}
	if _, err := Part(a, b, t0); err != nil || a.Leads != "own" {
		t.Errorf("%v: %q", err, a.Leads)
	}
}

// Whoever reported somebody else learns nothing more by the other's case being made one with theirs.
func TestLinkWithAReportAboutSomebodyElse(t *testing.T) {
	a, b := pair(t, safe())
	b.Apply(say(flows.StepWhoFor, t0, otherPerson), t0, testRules())
	a.Apply(say(flows.StepWhoFor, t0, "self"), t0, testRules())
	linkNow(t, a, b, t0)
	if !Reporter(a) || !View(a).Reporter {
		t.Error("the reporter is told how far the person's case is")
	}
}

// What either contact refused while two cases were one is refused on both once they are parted: BERHENTI, no calls, other
// hours, a report about somebody else. A legal hold that was put on both stays on both.
func TestPartingKeepsWhatWasRefusedMeanwhile(t *testing.T) {
	r := testRules()
	later := clock(14, 0)
	for name, x := range map[string]struct {
		does func(c *Case)
		is   func(c *Case) bool
	}{
		"BERHENTI":    {func(c *Case) { c.Apply(flows.Mute{On: true}, clock(11, 0), r) }, func(c *Case) bool { return c.Muted }},
		"no calls":    {func(c *Case) { c.Apply(say(flows.StepContactPref, clock(11, 0), flows.WaitForMe), clock(11, 0), r) }, func(c *Case) bool { return !MayCall(c, later, r).OK }},
		"other hours": {func(c *Case) { c.Apply(say(flows.StepSafeTime, clock(11, 0), "=21:00-22:00"), clock(11, 0), r) }, func(c *Case) bool { return !MayCall(c, later, r).OK }},
		"stranger": {func(c *Case) {
			if err := StartAttempt(c, "x", ViaPhone, "o", clock(11, 30), r, "perlu"); err != nil {
				t.Fatal(err)
			}
			if _, err := EndAttempt(c, "x", WrongPerson, "", time.Time{}, clock(11, 31), r); err != nil {
				t.Fatal(err)
			}
		}, func(c *Case) bool { return !MayCall(c, later, r).OK }},
		"for another": {func(c *Case) { c.Apply(say(flows.StepWhoFor, clock(11, 0), otherPerson), clock(11, 0), r) }, Reporter},
		"hold": {func(c *Case) {
			if _, err := SetHold(c, "perkara", "o", clock(13, 0)); err != nil {
				t.Fatal(err)
			}
		}, func(c *Case) bool { return c.Hold != nil }},
	} {
		a, b := pair(t, append(hours("08:00-20:00"), safe())...)
		if !MayCall(a, later, r).OK || !MayCall(b, later, r).OK {
			t.Fatal("no ring to begin with")
		}
		linkNow(t, a, b, clock(12, 0)) // what is written before may be heard after it
		x.does(a)
		a.Rescore(clock(13, 0), r)
		if _, err := Part(a, b, clock(13, 30)); err != nil {
			t.Fatal(err)
		}
		if !x.is(a) || !x.is(b) {
			t.Errorf("%s: after parting %v and %v", name, x.is(a), x.is(b))
		}
	}
	a, b := pair(t, append(hours("08:00-20:00"), safe())...)
	linkNow(t, a, b, clock(12, 0))
	if _, err := Part(a, b, clock(13, 0)); err != nil || !MayCall(a, later, r).OK || !MayCall(b, later, r).OK || a.Muted || b.Muted || b.Hold != nil {
		t.Errorf("nothing was refused, and something is (%v)", err)
	}
}
