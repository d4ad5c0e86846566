package casework

import (
	"encoding/json"
	"fmt"
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
