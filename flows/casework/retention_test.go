package casework

import (
	"testing"
	"time"
)

// What goes of a closed case goes to the day, in its order; an open one, one that is held and one that goes on in another
// keep everything; what was reopened begins anew when it is closed again.
func TestFades(t *testing.T) {
	const day = 24 * time.Hour
	c := newCase(t, safe())
	at := clock(10, 0)
	is := func(now time.Time, want Fade, due time.Duration) {
		t.Helper()
		if got, when := c.Fades(now); got != want || want != FadeNone && !when.Equal(c.ClosedAt.Add(due)) {
			t.Errorf("%v %v, want %v", got, when, want)
		}
	}
	is(at.Add(4000*day), FadeNone, 0)
	if _, err := Close(c, "self_resolved", "sari", at); err != nil {
		t.Fatal(err)
	}
	is(at, FadeFiles, 30*day)
	is(at.Add(30*day), FadeFiles, 30*day)
	is(at.Add(180*day-1), FadeFiles, 30*day)
	is(at.Add(180*day), FadeChat, 180*day) // nobody was there in between: the files go with the words
	is(at.Add(730*day), FadeCase, 730*day)
	c.Faded = FadeFiles
	is(at.Add(31*day), FadeChat, 180*day)
	c.Faded = FadeChat
	is(at.Add(181*day), FadeCase, 730*day)
	if events, err := SetHold(c, "perkara di pengadilan", "sari", at.Add(200*day)); err != nil || len(events) != 1 || c.Hold == nil || c.Hold.Reason == "" {
		t.Fatal("not held", err)
	}
	is(at.Add(4000*day), FadeNone, 0)
	if events, err := SetHold(c, "lagi", "budi", at); err != nil || len(events) != 0 || c.Hold.By != "sari" {
		t.Error("a hold was put in the place of another")
	}
	if _, err := SetHold(c, "", "sari", at.Add(4000*day)); err != nil {
		t.Fatal(err)
	}
	is(at.Add(4000*day), FadeCase, 730*day)
	if _, err := Reopen(c, "sari", at.Add(200*day), testRules()); err != nil {
		t.Fatal(err)
	}
	is(at.Add(4000*day), FadeNone, 0)
	if _, err := Close(c, "self_resolved", "sari", at.Add(300*day)); err != nil {
		t.Fatal(err)
	}
	is(at.Add(300*day), FadeFiles, 30*day)
	c.Into = &Into{}
	is(at.Add(4000*day), FadeNone, 0)
}

// A legal hold goes with a case into the one in which it goes on, and is set and lifted there.
func TestHoldGoesIntoTheOtherCase(t *testing.T) {
	main, other := newCase(t, safe()), newCase(t, safe())
	main.ID, other.ID = "a", "b"
	if _, err := SetHold(other, "perkara", "sari", t0); err != nil {
		t.Fatal(err)
	}
	if _, err := Link(main, other, "sari", t0); err != nil {
		t.Fatal(err)
	}
	if main.Hold == nil || main.Hold.Reason != "perkara" || other.Hold != nil {
		t.Errorf("held: %v, %v", main.Hold, other.Hold)
	}
	if _, err := SetHold(other, "perkara", "sari", t0); refusal(err) != RefusedLinked {
		t.Errorf("a hold on a case that goes on in another: %v", err)
	}
}
