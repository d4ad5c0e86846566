package casework

import (
	"flag"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulang/flows"
)

// fully tries the properties of this test on at least 10,000 cases, in every run.
func fully(t *testing.T) {
	t.Helper()
	checks := flag.Lookup("rapid.checks").Value
	was := checks.String()
	if n, _ := strconv.Atoi(was); n >= 10000 {
		return
	}
	t.Cleanup(func() { _ = checks.Set(was) })
	if err := checks.Set("10000"); err != nil {
		t.Fatal(err)
	}
}

// The gates MayCall and MaySend hold, and nobody is forgotten, whatever happens to a case.
func TestGates(t *testing.T) {
	fully(t)
	liveCases(t, noRingWithoutPermission, onlyOfficersLower, nothingUnprompted, nobodyIsForgotten)
}

// Never a ring without a permission that was given and not withdrawn by danger or watched; none after BERHENTI; never
// more than four in 24 hours, nor closer than 15 minutes.
func noRingWithoutPermission(l *life) {
	v := MayCall(l.c, l.now, l.r)
	if v.OK && (!l.permission || l.muted || l.c.Closed()) {
		l.Fatalf("may ring: permission %v, muted %v, closed %v", l.permission, l.muted, l.c.Closed())
	}
	if v.OK != (v.Why == "") {
		l.Fatalf("verdict %+v", v)
	}
	if !v.Opens.IsZero() {
		if v.OK || !v.Opens.After(l.now) {
			l.Fatalf("opens at %v, now %v: %+v", v.Opens, l.now, v)
		}
		if later := MayCall(l.c, v.Opens, l.r); !later.OK {
			l.Fatalf("promised for %v, but then: %+v", v.Opens, later)
		}
	}
	for i, at := range l.rings {
		if i > 0 && at.Sub(l.rings[i-1]) < 0 {
			l.Fatal("rings out of order")
		}
		if i >= 4 && at.Sub(l.rings[i-4]) < capSpan {
			l.Fatalf("five rings within %v", at.Sub(l.rings[i-4]))
		}
	}
	if len(l.c.Windows) > 0 && v.OK {
		if _, open := OpenSpan(l.c.Windows, indochina, l.now); !open && (l.now.Before(l.c.PromisedAt) || !l.now.Before(l.c.PromisedAt.Add(agreedFor))) {
			l.Fatalf("may ring outside the hours %v at %v", l.c.Windows, l.now.In(indochina))
		}
	}
}

// A lower safety answer lowers neither level, class nor gate; only an officer does.
func onlyOfficersLower(l *life) {
	if safetyRank(l.c.Safety) < safetyRank(l.worst) {
		l.Fatalf("safety %q in force, %q was reported", l.c.Safety, l.worst)
	}
	if class := l.c.Triage.Class; !l.checked && l.had.Above(class) {
		l.Fatalf("the class fell from %s to %s without an officer", l.had, class)
	}
	for _, kind := range []string{KindNudge, KindStage, KindBroadcast} {
		if MaySend(Message{Kind: kind, CreatedAt: l.now}, l.c, l.now, l.now, l.r).OK && (l.worst != flows.Safe || l.muted) {
			l.Fatalf("a %s leaves to somebody who is %q (muted %v)", kind, l.worst, l.muted)
		}
	}
}

// Unprompted, nothing leaves to anybody who is not known to be safe, or who said wait, outside the hours that were
// stated; after BERHENTI nothing at all. What is held says when it may go.
func nothingUnprompted(l *life) {
	for _, kind := range []string{KindReply, KindOfficer, KindNudge, KindStage, KindSafety, KindAgain, KindBroadcast} {
		v := MaySend(Message{Kind: kind, CreatedAt: l.now}, l.c, l.now.Add(-PromptedFor-time.Second), l.now, l.r)
		_, open := OpenSpan(l.c.Windows, indochina, l.now)
		careful := l.worst != flows.Safe || l.c.Permission == flows.WaitForMe
		if v.OK && (l.muted || careful && !open) {
			l.Fatalf("%s leaves: safety %q, permission %q, hours %v, muted %v", kind, l.worst, l.c.Permission, l.c.Windows, l.muted)
		}
		if v.OK == (v.Why != "") || v.OK && !v.NotBefore.IsZero() {
			l.Fatalf("verdict %+v", v)
		}
		if !v.NotBefore.IsZero() {
			if !v.NotBefore.After(l.now) {
				l.Fatalf("held until %v, now %v", v.NotBefore, l.now)
			}
			if then := MaySend(Message{Kind: kind, CreatedAt: l.now}, l.c, time.Time{}, v.NotBefore, l.r); !then.OK {
				l.Fatalf("held until %v, but then %+v", v.NotBefore, then)
			}
		}
	}
	if !l.muted && !MaySend(Message{Kind: KindReply, CreatedAt: l.now}, l.c, l.now, l.now, l.r).OK {
		l.Fatal("the answer to what was just written is held")
	}
}

// No case falls off the queue: a P1 is always on it and rests for an hour at most, a message brings everybody back in
// time, and waiting alone lifts no further than P2.
func nobodyIsForgotten(l *life) {
	class := Effective(l.c, l.now)
	if l.c.Closed() {
		return
	}
	if class == P1 && (!Queued(l.c) || l.c.LaterUntil.After(l.now.Add(p1Rest))) {
		l.Fatalf("a P1 rests until %v, settled %v, now %v", l.c.LaterUntil, l.c.SettledAt, l.now)
	}
	if class == P1 && l.c.P1Since.IsZero() {
		l.Fatal("a P1 without a clock")
	}
	if l.c.LastIn.After(l.c.SeenIn) && (!Queued(l.c) || l.c.LaterUntil.After(l.now.Add(l.r.Target(class)))) {
		l.Fatalf("an unread message rests until %v (%s), settled %v", l.c.LaterUntil, class, l.c.SettledAt)
	}
	if Queued(l.c) && l.c.DueAt.IsZero() {
		l.Fatal("on the queue without a due time")
	}
	for _, d := range []time.Duration{time.Hour, 24 * time.Hour, 1000 * time.Hour} {
		later := Effective(l.c, l.now.Add(d))
		if class.Above(later) || later == P1 && class != P1 {
			l.Fatalf("waiting %v turned %s into %s", d, class, later)
		}
	}
}

// Every timer that is due does its work and is gone, or stands at a later time: none fires for ever.
func TestTimersComeToRest(t *testing.T) {
	liveCases(t, func(l *life) {
		at := l.now.Add(100 * 24 * time.Hour)
		c := *l.c
		for round := 0; ; round++ {
			due := 0
			for _, x := range Timers(&c, at, l.r) {
				if !x.At.After(at) {
					due++
					OnTimer(&c, x.Name, at, l.r)
					if x.Name == TimerRetain { // the caller removes what goes and notes it
						c.Faded, _ = c.Fades(at)
					}
				}
			}
			if due == 0 {
				break
			}
			if round > 10 {
				l.Fatalf("timers never end: %v", Timers(&c, at, l.r))
			}
			c.Rescore(at, l.r)
		}
	})
}

// Adding a fact never lowers the computed class.
func TestAddingAFactNeverLowers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := testRules()
		c := New("01", "K7M4-692Q", "kh", "kh", "telegram", t0)
		var needed []flows.Value
		for range rapid.IntRange(1, 12).Draw(rt, "facts") {
			before := Score(c, r)
			switch rapid.IntRange(0, 3).Draw(rt, "fact") {
			case 0: // a further need
				needed = append(needed, rapid.SampledFrom(flows.Menus[flows.StepUrgentNeeds]).Draw(rt, "need"))
				c.Apply(say(flows.StepUrgentNeeds, t0, needed...), t0, r)
			case 1:
				c.Apply(flows.Signal{Name: rapid.SampledFrom(signals).Draw(rt, "signal")}, t0, r)
			case 2: // an answer to a question that had none
				step := rapid.SampledFrom(steps[1:]).Draw(rt, "step")
				if _, answered := c.Answers[step]; !answered {
					c.Apply(say(step, t0, rapid.SampledFrom(flows.Menus[step]).Draw(rt, "value")), t0, r)
				}
			case 3:
				c.Apply(say(flows.StepSafetyNow, t0, rapid.SampledFrom(flows.Menus[flows.StepSafetyNow]).Draw(rt, "level")), t0, r)
			}
			if after := Score(c, r); before.Class.Above(after.Class) {
				rt.Fatalf("from %+v to %+v", before, after)
			}
		}
	})
}
