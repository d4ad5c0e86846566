package casework

import (
	"encoding/json"
	"flag"
	"fmt"
	"reflect"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pulang/flows"
)

// life is a random case: a person and officers act on it in turn while time passes. What must hold at every moment is
// checked after every act, against a model that knows nothing of the code's own fields.
type life struct {
	*rapid.T
	c   *Case
	r   Rules
	now time.Time

	permission bool        // a call was allowed by the last word on it, and neither danger nor watched came since
	rings      []time.Time // calls that no supervisor forced
	attempts   int
	worst      flows.Value // the highest safety level since an officer last set it
	muted      bool
	had        Class // the class before this act
	checked    bool  // an officer looked at the facts in this act: the class may fall
}

func liveCases(t *testing.T, checks ...func(l *life)) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		l := &life{T: rt, r: testRules(), now: t0}
		l.c = New("01", "K7M4-692Q", "kh", "kh", "telegram", t0)
		l.c.LastIn = t0
		l.c.Rescore(t0, l.r)
		for range rapid.IntRange(1, 25).Draw(rt, "acts") {
			l.now = l.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 5, 16, 61, 300, 1500}).Draw(rt, "minutes")) * time.Minute)
			l.act()
			for _, check := range checks {
				check(l)
			}
		}
	})
}

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

// act does one thing, in the way Handle, the desk and the timers do.
func (l *life) act() {
	l.had, l.checked = l.c.Triage.Class, false
	switch rapid.IntRange(0, 9).Draw(l.T, "who") {
	case 0, 1, 2, 3, 4:
		l.citizen()
	case 5, 6:
		l.call()
	case 7:
		l.officer()
	case 8:
		l.timers()
	}
	l.c.Rescore(l.now, l.r)
	if rapid.IntRange(0, 7).Draw(l.T, "store") == 0 {
		l.store()
	}
}

// store takes the case through its stored form: what is decided must not depend on anything that is not stored.
func (l *life) store() {
	b, err := json.Marshal(l.c)
	if err != nil {
		l.Fatal(err)
	}
	var back Case
	if err := json.Unmarshal(b, &back); err != nil {
		l.Fatal(err)
	}
	if got, want := Timers(&back, l.now, l.r), Timers(l.c, l.now, l.r); !sameTimers(got, want) {
		l.Fatalf("timers after storing %v, before %v", got, want)
	}
	l.c = &back
}

func sameTimers(a, b []TimerAt) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !a[i].At.Equal(b[i].At) {
			return false
		}
	}
	return true
}

var steps = []flows.StepID{
	flows.StepUrgentNeeds, flows.StepPassportStatus, flows.StepPlaceKind, flows.StepImmigration, flows.StepWhoFor,
	flows.StepRansomAsked, flows.StepTrustedAdult,
}

var signals = []string{"medical_emergency", "self_harm", "threatened", "minor", "pregnant_late", "nationality_other", "officer_wanted"}

func (l *life) citizen() {
	for _, e := range l.effects() {
		l.c.Apply(e, l.now, l.r)
		l.model(e)
	}
	l.c.LastIn = l.now
}

// effects is what one message leads to.
func (l *life) effects() []flows.Effect {
	pick := func(step flows.StepID) flows.Effect {
		return say(step, l.now, rapid.SampledFrom(flows.Menus[step]).Draw(l.T, string(step)))
	}
	switch rapid.IntRange(0, 9).Draw(l.T, "effect") {
	case 0, 1:
		return []flows.Effect{pick(flows.StepSafetyNow)}
	case 2, 3:
		return []flows.Effect{pick(flows.StepContactPref)}
	case 4:
		norm := rapid.SampledFrom([]string{"", "21:00-22:00", "08:00-12:00,13:00-17:00", "23:00-05:00", "00:00-24:00"}).Draw(l.T, "hours")
		return []flows.Effect{say(flows.StepSafeTime, l.now, flows.Value("="+norm))}
	case 5, 6:
		return []flows.Effect{pick(rapid.SampledFrom(steps).Draw(l.T, "step"))}
	case 7:
		return []flows.Effect{flows.Signal{Name: rapid.SampledFrom(append(signals, SignalDuress)).Draw(l.T, "signal")}}
	case 8:
		return []flows.Effect{flows.Mute{On: rapid.Bool().Draw(l.T, "mute")}}
	}
	return nil // words that say nothing
}

// model keeps the test's own account of permission, safety and silence.
func (l *life) model(e flows.Effect) {
	switch e := e.(type) {
	case flows.Record:
		switch v := e.Answer.Value(); e.Step {
		case flows.StepSafetyNow:
			if v != flows.Safe {
				l.permission = false
			}
			if safetyRank(v) > safetyRank(l.worst) || l.worst == "" {
				l.worst = v
			}
		case flows.StepContactPref:
			l.permission = v == flows.CallAnytime || v == flows.CallWindow
		}
	case flows.Signal:
		if e.Name == SignalDuress {
			l.permission, l.worst = false, flows.Danger
		}
	case flows.Mute:
		l.muted = e.On
	}
}

// call makes an attempt, or ends the one that is open.
func (l *life) call() {
	if a, open := OpenAttempt(l.c); open {
		o := rapid.SampledFrom(OutcomeOrder).Draw(l.T, "outcome")
		next := time.Time{}
		if o == Rescheduled || rapid.IntRange(0, 3).Draw(l.T, "next") == 0 {
			next = l.now.Add(time.Duration(rapid.IntRange(1, 3000).Draw(l.T, "in")) * time.Minute)
		}
		if _, err := EndAttempt(l.c, a.ID, o, "", next, l.now, l.r); err != nil {
			return
		}
		rule := Outcomes[o]
		l.checked = l.checked || rule.Spoken
		switch {
		case rule.Withdraws, o == ReachedWantsText:
			l.permission = false
		}
		if o == InDanger {
			l.worst = flows.Danger
		}
		return
	}
	force := ""
	if rapid.IntRange(0, 9).Draw(l.T, "force") == 0 {
		force = "alasan"
	}
	allowed := MayCall(l.c, l.now, l.r).OK
	l.attempts++
	err := StartAttempt(l.c, fmt.Sprint(l.attempts), ViaPhone, "officer.a", l.now, l.r, force)
	switch {
	case err == nil && force == "" && !allowed:
		l.Fatal("an attempt began although MayCall says no")
	case err == nil && allowed:
		l.rings = append(l.rings, l.now)
	case err != nil && allowed:
		l.Fatalf("MayCall says yes, StartAttempt %v", err)
	}
}

func (l *life) officer() {
	switch rapid.IntRange(0, 6).Draw(l.T, "officer") {
	case 0:
		l.c.MarkRead("officer.a", l.now)
	case 1:
		level := rapid.SampledFrom(flows.Menus[flows.StepSafetyNow]).Draw(l.T, "level")
		if level != flows.Safe && level != l.c.Safety {
			l.permission = false
		}
		_ = l.c.ConfirmSafety(level, "officer.a", l.now)
		l.worst, l.checked = level, true
	case 2:
		class := rapid.SampledFrom(Classes).Draw(l.T, "class")
		if _, err := SetOverride(l.c, class, "alasan", "officer.a", l.now, l.r); err == nil {
			l.checked = true
		}
	case 3:
		_, _ = Settle(l.c, l.now, l.r)
	case 4:
		at := l.now.Add(time.Duration(rapid.IntRange(1, 3000).Draw(l.T, "in")) * time.Minute)
		_, _ = Schedule(l.c, at, rapid.Bool().Draw(l.T, "promised"), l.now, l.r)
	case 5:
		_, _ = Close(l.c, rapid.SampledFrom(CloseReasons).Draw(l.T, "reason"), "officer.a", l.now)
	case 6:
		_, _ = Reopen(l.c, "officer.a", l.now, l.r)
	}
}

func (l *life) timers() {
	for _, x := range Timers(l.c, l.now, l.r) {
		if !x.At.After(l.now) {
			OnTimer(l.c, x.Name, l.now, l.r)
		}
	}
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
	for _, kind := range []string{KindNudge, KindStage} {
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

// drawCandidates is a queue as it may stand at noon.
func drawCandidates(rt *rapid.T) []Candidate {
	var all []Candidate
	for i := range rapid.IntRange(0, 30).Draw(rt, "cases") {
		minutes := func(name string, from, to int) time.Time {
			return noon.Add(time.Duration(rapid.IntRange(from, to).Draw(rt, name)) * time.Minute)
		}
		k := Candidate{
			Code: fmt.Sprintf("%02d", i), Base: rapid.SampledFrom(Classes).Draw(rt, "class"),
			DueAt: minutes("due", -3000, 3000), CreatedAt: minutes("created", -5000, 0), Female: rapid.IntRange(0, 4).Draw(rt, "female") == 0,
		}
		if k.Base == P3 || k.Base == P4 {
			first := minutes("lift", -2000, 2000)
			k.LiftAt = []time.Time{first, first.Add(24 * time.Hour)}
		}
		if rapid.IntRange(0, 3).Draw(rt, "later") == 0 {
			k.LaterUntil = minutes("until", -100, 100)
		}
		if rapid.IntRange(0, 3).Draw(rt, "windows") == 0 {
			k.Windows = ParseWindows(rapid.SampledFrom([]string{"10:00-12:10", "11:00-15:00", "20:00-22:00"}).Draw(rt, "hours"))
		}
		if rapid.IntRange(0, 3).Draw(rt, "promise") == 0 {
			k.PromisedAt = minutes("promised", -500, 500)
		}
		all = append(all, k)
	}
	return all
}

// No P2 or below is offered while a P1 waits, callable or not, skipped or not; a case that rests is never offered; a
// lower class is offered before a higher one only by the rule of the fifth turn.
func TestPickNeverPassesAP1(t *testing.T) {
	fully(t)
	rapid.Check(t, func(rt *rapid.T) {
		all := drawCandidates(rt)
		turn := int64(rapid.IntRange(1, 20).Draw(rt, "turn"))
		officer := Officer{Name: "a", Female: rapid.Bool().Draw(rt, "woman")}
		var skip []string
		for _, k := range all {
			if rapid.IntRange(0, 3).Draw(rt, "skip") == 0 {
				skip = append(skip, k.Code)
			}
		}
		skipped := map[string]bool{}
		for _, s := range skip {
			skipped[s] = true
		}
		i, because, ok := Pick(all, turn, officer, skip, noon, testRules())
		for _, k := range all {
			waits := !k.LaterUntil.After(noon)
			class := k.Class(noon)
			mine := officer.Female || !k.Female || k.DueAt.Before(noon) || class == P1
			switch {
			case !waits || !mine:
			case !ok && (class == P1 || !skipped[k.Code]):
				rt.Fatalf("%+v waits and nothing is offered", k)
			case ok && class == P1 && all[i].Class(noon) != P1:
				rt.Fatalf("%s is offered while a P1 waits", all[i].Class(noon))
			case ok && because != BecauseFifth && !skipped[k.Code] && class.Above(all[i].Class(noon)):
				rt.Fatalf("%s is offered (%s) while a %s waits", all[i].Class(noon), because, class)
			case ok && because == BecauseFifth && (class == P3 || class == P4) && !skipped[k.Code] && k.DueAt.Before(all[i].DueAt):
				rt.Fatalf("the fifth turn takes one due %v, another is due %v", all[i].DueAt, k.DueAt)
			}
		}
		if !ok {
			return
		}
		chosen := all[i]
		if chosen.LaterUntil.After(noon) {
			rt.Fatal("a resting case is offered")
		}
		if chosen.Female && !officer.Female && !chosen.DueAt.Before(noon) && chosen.Class(noon) != P1 {
			rt.Fatal("a case that asks for a woman officer is offered to a man too early")
		}
		if because == BecauseFifth {
			if class := chosen.Class(noon); turn%5 != 0 || class != P3 && class != P4 || !chosen.DueAt.Before(noon) {
				rt.Fatalf("turn %d: %s due %v by the rule of the fifth", turn, class, chosen.DueAt)
			}
		}
	})
}

// Pick without a fifth turn, a skip list or women's cases offers what stands first in the order of the queue page.
func TestPickTakesTheHeadOfTheOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := drawCandidates(rt)
		for i := range all {
			all[i].Female = false
		}
		i, _, ok := Pick(all, 1, Officer{}, nil, noon, testRules())
		var code string
		if ok {
			code = all[i].Code
		}
		Order(all, noon, testRules())
		if ok != (len(all) > 0 && all[0].Waiting(noon)) || ok && all[0].Code != code {
			rt.Fatalf("Next offers %q, the page shows %v", code, codes(all))
		}
		sorted := append([]Candidate(nil), all...)
		Order(sorted, noon, testRules())
		if !reflect.DeepEqual(sorted, all) {
			rt.Fatal("ordering twice changes the order")
		}
	})
}
