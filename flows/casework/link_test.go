package casework

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulang/flows"
)

// twoCases are two random cases of one line, as two people, or one, may have brought them about.
func twoCases(rt *rapid.T) (c, x *Case) {
	r := testRules()
	effects := func(label string) *Case {
		c := New(label, NewCode("K7", [5]byte{byte(len(label)), label[0], 3, 4, 5}), "kh", "kh", "telegram", t0)
		c.LastIn = t0
		c.Contacts = []Contact{{Channel: label, Account: "1", Address: label, LastIn: t0}}
		for i := range rapid.IntRange(0, 6).Draw(rt, label) {
			at := t0.Add(time.Duration(i) * time.Minute)
			e := rapid.SampledFrom([]flows.Effect{
				say(flows.StepSafetyNow, at, flows.Safe), say(flows.StepSafetyNow, at, flows.Watched), say(flows.StepSafetyNow, at, flows.Danger),
				say(flows.StepContactPref, at, flows.CallAnytime), say(flows.StepContactPref, at, flows.CallWindow),
				say(flows.StepContactPref, at, flows.TextOnly), say(flows.StepContactPref, at, flows.WaitForMe),
				say(flows.StepSafeTime, at, "=08:00-10:00"), say(flows.StepSafeTime, at, "=09:00-20:00"), flows.Mute{On: true},
				say(flows.StepFullName, at, "=Orang "+flows.Value(label)), say(flows.StepUrgentNeeds, at, "injured"),
				flows.Signal{Name: "held", Words: label}, say(flows.StepCallbackNumber, at, "=+8551234567"),
				flows.Record{Step: flows.StepLocation, Answer: flows.Answer{At: at, Text: label}},
			}).Draw(rt, label+" says")
			c.Apply(e, at, r)
		}
		c.Rescore(t0.Add(10*time.Minute), r)
		if rapid.Bool().Draw(rt, label+" rang") && StartAttempt(c, label+" call", ViaPhone, "officer.a", t0.Add(11*time.Minute), r, "x") == nil {
			if _, err := EndAttempt(c, label+" call", NoAnswer, "catatan", time.Time{}, t0.Add(12*time.Minute), r); err != nil {
				rt.Fatal(err)
			}
		}
		return c
	}
	return effects("one"), effects("second")
}

func asStored(rt *rapid.T, c *Case) *Case {
	b, err := json.Marshal(c)
	if err != nil {
		rt.Fatal(err)
	}
	out := new(Case)
	if err := json.Unmarshal(b, out); err != nil {
		rt.Fatal(err)
	}
	return out
}

// Two cases made one allow nothing that either of them refused: no ring, no unprompted message; the more dangerous
// safety and the more urgent class count; and parting them gives each back what it was.
func TestLinkedCasesAreTheStricterOfBoth(t *testing.T) {
	r := testRules()
	rapid.Check(t, func(rt *rapid.T) {
		c, x := twoCases(rt)
		c0, x0 := asStored(rt, c), asStored(rt, x)
		now := t0.Add(20 * time.Minute)
		if _, err := Link(c, x, "officer.a", now); err != nil {
			rt.Fatal(err)
		}
		c.Rescore(now, r)
		if want := max(safetyRank(c0.Safety), safetyRank(x0.Safety)); safetyRank(c.Safety) != want {
			rt.Fatalf("safety %q of %q and %q", c.Safety, c0.Safety, x0.Safety)
		}
		if x0.Triage.Class.Above(c.Triage.Class) || c0.Triage.Class.Above(c.Triage.Class) {
			rt.Fatalf("class %s of %s and %s", c.Triage.Class, c0.Triage.Class, x0.Triage.Class)
		}
		if !x.Closed() || Queued(x) || x.Into == nil || len(c.Contacts) != 2 {
			rt.Fatal("the other case is still on the queue, or its contact has not come over")
		}
		for hour := range 24 {
			at := t0.Add(time.Duration(hour)*time.Hour + 25*time.Minute)
			if v := MayCall(c, at, r); v.OK && (!MayCall(c0, at, r).OK || x0.Permission == flows.TextOnly || x0.Permission == flows.WaitForMe || x0.Muted) {
				rt.Fatalf("may ring at %v: %q of %q and %q", at, c.Permission, c0.Permission, x0.Permission)
			}
			if c0.Safety == "" || x0.Safety == "" {
				continue // who never answered is known by the other's answer
			}
			m := Message{Kind: KindOfficer, CreatedAt: at}
			if MaySend(m, c, time.Time{}, at, r).OK && (!MaySend(m, c0, time.Time{}, at, r).OK || !MaySend(m, x0, time.Time{}, at, r).OK) {
				rt.Fatalf("unprompted at %v: %q %q %v of %q %q %v and %q %q %v", at, c.Safety, c.Permission, c.Windows, c0.Safety, c0.Permission, c0.Windows,
					x0.Safety, x0.Permission, x0.Windows)
			}
		}
		// As stored and read again.
		c, x = asStored(rt, c), asStored(rt, x)
		if _, err := Part(c, x, now.Add(time.Hour)); err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(asStored(rt, x), x0) {
			rt.Fatalf("the other case became\n%+v\nand was\n%+v", x, x0)
		}
		back := asStored(rt, c)
		for _, p := range []struct {
			what      string
			now, then any
		}{
			{"answers", len(back.Answers), len(c0.Answers)}, {"contacts", back.Contacts, c0.Contacts}, {"places", len(back.Locations), len(c0.Locations)},
			{"signals", len(back.Signals), len(c0.Signals)}, {"attempts", len(back.Attempts), len(c0.Attempts)}, {"links", len(back.Linked), 0},
		} {
			if !reflect.DeepEqual(p.now, p.then) {
				rt.Fatalf("%s: %v, before %v", p.what, p.now, p.then)
			}
		}
		for s, a := range c0.Answers {
			if !reflect.DeepEqual(back.Answers[s], a) {
				rt.Fatalf("answer %s: %+v, before %+v", s, back.Answers[s], a)
			}
		}
		if safetyRank(back.Safety) < max(safetyRank(c0.Safety), safetyRank(x0.Safety)) {
			rt.Fatal("parting lowered the safety in force")
		}
	})
}

// What cannot be linked is refused, and danger that comes in while two cases are one stays with both.
func TestLinkRefusals(t *testing.T) {
	mk := func(id string) *Case {
		c := newCase(t, safe())
		c.ID, c.Code, c.Contacts = id, id, []Contact{{Channel: id, Address: id}}
		return c
	}
	a, b, d := mk("a"), mk("b"), mk("d")
	if _, err := Link(a, a, "o", t0); refusal(err) != RefusedSameCase {
		t.Error(err)
	}
	if _, err := Link(a, b, "o", t0); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]*Case{{a, b}, {d, a}, {d, b}, {b, d}} {
		if _, err := Link(pair[0], pair[1], "o", t0); refusal(err) != RefusedLinked {
			t.Errorf("%s and %s: %v", pair[0].ID, pair[1].ID, err)
		}
	}
	if _, err := Reopen(b, "o", t0, testRules()); refusal(err) != RefusedLinked {
		t.Errorf("reopened: %v", err)
	}
	if _, err := Part(a, d, t0); refusal(err) != RefusedNotLinked {
		t.Error(err)
	}
	a.Apply(say(flows.StepSafetyNow, clock(10, 0), flows.Danger), clock(10, 0), testRules())
	if _, err := Part(a, b, clock(11, 0)); err != nil || a.Safety != flows.Danger || b.Safety != flows.Danger {
		t.Errorf("%v: %s and %s", err, a.Safety, b.Safety)
	}
	d.ClosedAs = "returned"
	if _, err := Link(d, b, "o", t0); refusal(err) != RefusedClosed {
		t.Error(err)
	}
}
