package casework

import (
	"testing"
	"time"

	"pulang/flows"
)

func TestMayCallNeedsPermission(t *testing.T) {
	r := testRules()
	muted := flows.Mute{On: true}
	for _, x := range []struct {
		name    string
		effects []flows.Effect
		why     string
	}{
		{"nothing answered", []flows.Effect{safe()}, CallNeverAsked},
		{"any time", []flows.Effect{safe(), anytime()}, ""},
		{"safety unknown, any time", []flows.Effect{anytime()}, ""},
		{"chat only", []flows.Effect{safe(), say(flows.StepContactPref, t0, flows.TextOnly)}, CallTextOnly},
		{"wait for me", []flows.Effect{safe(), say(flows.StepContactPref, t0, flows.WaitForMe)}, CallWaitForMe},
		{"hours not understood", []flows.Effect{say(flows.StepContactPref, t0, flows.CallWindow), say(flows.StepSafeTime, t0, "=")}, CallNoHours},
		{"inside the hours", hours("09:00-11:00"), ""},
		{"before the hours", hours("13:00-14:00"), CallWindowClosed},
		{"hours across midnight", hours("21:00-09:30"), ""},
		{"BERHENTI", []flows.Effect{safe(), anytime(), muted}, CallMuted},
		{"LANJUT", []flows.Effect{safe(), anytime(), muted, flows.Mute{On: false}}, ""},
		{"watched, then any time", []flows.Effect{watched(), anytime()}, ""},
		{"any time, then watched", []flows.Effect{anytime(), watched()}, CallWithdrawn},
		{"the number is somebody else's", []flows.Effect{safe(), anytime(), flows.Signal{Name: SignalWrongNumber}}, CallNumberWrong},
		{"another number since", []flows.Effect{safe(), anytime(), flows.Signal{Name: SignalWrongNumber}, say(flows.StepCallbackNumber, t0, "=+85512345678")}, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			v := MayCall(newCase(t, x.effects...), clock(9, 0), r)
			if v.OK != (x.why == "") || v.Why != x.why {
				t.Errorf("%+v, want %q", v, x.why)
			}
		})
	}
	c := newCase(t, safe(), anytime())
	if _, err := Close(c, "returned", "officer.a", t0); err != nil {
		t.Fatal(err)
	}
	if v := MayCall(c, clock(10, 0), r); v.Why != CallClosed {
		t.Errorf("closed: %+v", v)
	}
}

func TestMayCallTellsTheWindow(t *testing.T) {
	r := testRules()
	c := newCase(t, hours("09:00-10:00,10:00-11:00,20:00-21:00")...)
	v := MayCall(c, clock(9, 30), r)
	if !v.OK || !v.Closes.Equal(clock(11, 0)) || v.Left != 4 {
		t.Errorf("inside: %+v", v)
	}
	v = MayCall(c, clock(12, 0), r)
	if v.OK || v.Why != CallWindowClosed || !v.Opens.Equal(clock(20, 0)) || !v.Closes.IsZero() {
		t.Errorf("outside: %+v", v)
	}
	// The end of a window is outside it.
	if v := MayCall(c, clock(11, 0), r); v.OK {
		t.Error("rings at the very end of the window")
	}
}

// ring makes one unanswered call.
func ring(t *testing.T, c *Case, at time.Time) {
	t.Helper()
	r := testRules()
	id := at.String()
	if err := StartAttempt(c, id, ViaPhone, "officer.a", at, r, ""); err != nil {
		t.Fatalf("ring at %v: %v", at.In(indochina), err)
	}
	if _, err := EndAttempt(c, id, NoAnswer, "", time.Time{}, at.Add(time.Minute), r); err != nil {
		t.Fatal(err)
	}
}

// Rings: at once, 15 minutes later, 60 minutes later, then one per window, and never more than four in 24 hours.
func TestRingSchedule(t *testing.T) {
	r := testRules()
	c := newCase(t, hours("09:00-13:00,15:00-19:00,20:00-22:00")...)
	refuse := func(at time.Time, why string, opens time.Time) {
		t.Helper()
		v := MayCall(c, at, r)
		if v.OK || v.Why != why || !v.Opens.Equal(opens) {
			t.Errorf("at %s: %+v, want %s until %s", at.Format("15:04"), v, why, opens.Format("15:04"))
		}
	}
	ring(t, c, clock(9, 0))
	refuse(clock(9, 14), CallTooSoon, clock(9, 15))
	ring(t, c, clock(9, 15))
	refuse(clock(10, 14), CallTooSoon, clock(10, 15))
	ring(t, c, clock(10, 15))
	refuse(clock(12, 30), CallOncePerWindow, clock(15, 0))
	ring(t, c, clock(15, 30))
	refuse(clock(16, 0), CallCapReached, clock(9, 0).Add(capSpan))
	refuse(clock(20, 30), CallCapReached, clock(9, 0).Add(capSpan))
	if v := MayCall(c, clock(20, 30), r); v.Left != 0 {
		t.Errorf("%d rings left", v.Left)
	}
	// The next day: the first of the four is 24 hours ago, and a new window is open.
	ring(t, c, clock(9, 0).Add(capSpan))
}

func TestRingsAtAnyTimeFallIntoDifferentParts(t *testing.T) {
	c := newCase(t, safe(), anytime(), needs("injured"))
	ring(t, c, clock(9, 0))
	ring(t, c, clock(9, 15))
	ring(t, c, clock(10, 15))
	v := MayCall(c, clock(11, 30), testRules())
	if v.OK || v.Why != CallOncePerWindow || !v.Opens.Equal(clock(12, 0)) {
		t.Errorf("the fourth ring: %+v", v)
	}
	ring(t, c, clock(12, 0))
}

// Somebody who was reached starts a new row; the cap of the day still counts every ring.
func TestReachedStartsANewRow(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	ring(t, c, clock(9, 0))
	ring(t, c, clock(9, 15))
	if err := StartAttempt(c, "3", ViaPhone, "officer.a", clock(10, 15), r, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := EndAttempt(c, "3", ReachedOK, "", time.Time{}, clock(10, 20), r); err != nil {
		t.Fatal(err)
	}
	if v := MayCall(c, clock(10, 21), r); !v.OK || v.Left != 1 {
		t.Errorf("after reaching the person: %+v", v)
	}
}

func TestSupervisorOverride(t *testing.T) {
	r := testRules()
	c := newCase(t, safe())
	err := StartAttempt(c, "1", ViaPhone, "officer.a", clock(10, 0), r, "")
	refused, ok := err.(*Refused)
	if !ok || refused.Key() != "call.never_asked" || len(c.Attempts) != 0 {
		t.Fatalf("without permission: %v, %d attempts", err, len(c.Attempts))
	}
	if err := StartAttempt(c, "1", ViaPhone, "super", clock(10, 0), r, "keluarga minta"); err != nil {
		t.Fatal(err)
	}
	if c.Attempts[0].Override != "keluarga minta" {
		t.Errorf("the reason is not on record: %+v", c.Attempts[0])
	}
	if err := StartAttempt(c, "1", ViaPhone, "super", clock(10, 0), r, "keluarga minta"); err != nil || len(c.Attempts) != 1 {
		t.Errorf("the same id again: %v, %d attempts", err, len(c.Attempts))
	}
	if err := StartAttempt(c, "2", ViaPhone, "super", clock(11, 0), r, "lagi"); err == nil {
		t.Error("a second call while the first has no outcome")
	}
	if _, err := EndAttempt(c, "1", NoAnswer, "", time.Time{}, clock(11, 0), r); err != nil {
		t.Fatal(err)
	}
	if _, err := Close(c, "withdrawn", "super", clock(11, 0)); err != nil {
		t.Fatal(err)
	}
	if err := StartAttempt(c, "3", ViaPhone, "super", clock(12, 0), r, "lagi"); err == nil {
		t.Error("a call on a closed case")
	}
}

// A chat or a meeting makes no phone ring: no gate, no place in the row of rings.
func TestOtherWaysAreNoRings(t *testing.T) {
	r := testRules()
	c := newCase(t, safe())
	for i, via := range []string{ViaChat, ViaInPerson} {
		id := string(rune('a' + i))
		if err := StartAttempt(c, id, via, "officer.a", clock(10, i), r, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := EndAttempt(c, id, NoAnswer, "", time.Time{}, clock(10, i), r); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.rings()); n != 0 {
		t.Errorf("%d rings", n)
	}
	if err := StartAttempt(c, "z", "pigeon", "officer.a", clock(11, 0), r, ""); err == nil {
		t.Error("an unknown way was accepted")
	}
}

// While the officer's own attempt is open the number may be seen, though MayCall counts that attempt.
func TestDialing(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	if _, ok := Dialing(c, "officer.a", clock(10, 0)); ok {
		t.Error("a number without an attempt")
	}
	if err := StartAttempt(c, "1", ViaPhone, "officer.a", clock(10, 0), r, ""); err != nil {
		t.Fatal(err)
	}
	if v := MayCall(c, clock(10, 1), r); v.Why != CallOutcomeFirst {
		t.Errorf("%+v", v)
	}
	if a, ok := Dialing(c, "officer.a", clock(10, 1)); !ok || a.ID != "1" {
		t.Error("the officer cannot dial")
	}
	if _, ok := Dialing(c, "officer.b", clock(10, 1)); ok {
		t.Error("somebody else sees the number")
	}
	if _, ok := Dialing(c, "officer.a", clock(10, 10)); ok {
		t.Error("the number is still shown after ten minutes")
	}
	c.Apply(say(flows.StepSafetyNow, clock(10, 2), flows.Danger), clock(10, 2), r)
	if _, ok := Dialing(c, "officer.a", clock(10, 3)); ok {
		t.Error("the number is still shown after danger")
	}
}

func TestSuggestNext(t *testing.T) {
	r := testRules()
	suggest := func(c *Case, now time.Time) string {
		t.Helper()
		at, ok := SuggestNext(c, now, r)
		if !ok {
			return "none"
		}
		if s, open := OpenSpan(c.Windows, indochina, at); len(c.Windows) > 0 && !open {
			t.Errorf("%v is outside the windows (%v)", at, s)
		}
		return at.In(indochina).Format("2 15:04")
	}
	p1 := newCase(t, safe(), anytime(), needs("injured"))
	ring(t, p1, clock(9, 0))
	if got := suggest(p1, clock(9, 1)); got != "19 09:15" {
		t.Errorf("P1, second ring: %s", got)
	}
	p3 := newCase(t, append(hours("09:00-10:00,19:00-20:00"), needs("sick"))...)
	ring(t, p3, clock(9, 0))
	if got := suggest(p3, clock(9, 5)); got != "20 19:00" {
		t.Errorf("P3, the next day at another hour: %s", got)
	}
	if got := suggest(newCase(t, safe()), clock(9, 0)); got != "none" {
		t.Errorf("without permission: %s", got)
	}
	p4 := newCase(t, safe(), anytime())
	ring(t, p4, clock(9, 0))
	first, _ := SuggestNext(p4, clock(9, 5), r)
	if h := first.In(indochina).Hour(); h > 6 && h < 12 || first.Before(clock(24, 0)) {
		t.Errorf("P4: %v is not on another day at another hour", first.In(indochina))
	}
	ring(t, p4, first)
	second, _ := SuggestNext(p4, first.Add(time.Hour), r)
	ring(t, p4, second)
	if got := suggest(p4, second.Add(time.Hour)); got != "none" {
		t.Errorf("P4 after three: %s", got)
	}
}

func TestParseWindows(t *testing.T) {
	for norm, want := range map[string]int{
		"21:00-22:00": 1, "21:00-22:00,13:00-14:00": 2, " 21:00-22:00 , 13:00-14:00": 2, "22:00-02:00": 1, "00:00-24:00": 1,
		"": 0, "malam": 0, "25:00-26:00": 0, "10:00-10:00": 0, "10:61-11:00": 0, "-1:00-02:00": 0, "21:00-22:00,habis isya": 1,
	} {
		if got := ParseWindows(norm); len(got) != want {
			t.Errorf("ParseWindows(%q) = %v", norm, got)
		}
	}
}

func TestWindowAcrossMidnight(t *testing.T) {
	ws := ParseWindows("22:00-02:00")
	for _, x := range []struct {
		at   time.Time
		open bool
	}{{clock(21, 59), false}, {clock(22, 0), true}, {clock(23, 59), true}, {clock(1, 59), true}, {clock(2, 0), false}} {
		s, open := OpenSpan(ws, indochina, x.at)
		if open != x.open {
			t.Errorf("%s: open %v", x.at.Format("15:04"), open)
		}
		if open && s.To.Sub(s.From) != 4*time.Hour {
			t.Errorf("%s: span %v", x.at.Format("15:04"), s)
		}
	}
	all := ParseWindows("00:00-24:00")
	if s, open := OpenSpan(all, indochina, clock(12, 0)); !open || s.To.Sub(clock(12, 0)) < 24*time.Hour {
		t.Errorf("the whole day: %v %v", s, open)
	}
	// Hours are those of the wall clock, also on the night it changes.
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zone database")
	}
	s, ok := NextSpan(ParseWindows("08:00-09:00"), berlin, time.Date(2026, 3, 28, 12, 0, 0, 0, berlin))
	if !ok || s.From.Hour() != 8 || s.From.Day() != 29 {
		t.Errorf("the morning after the change: %v", s)
	}
}
