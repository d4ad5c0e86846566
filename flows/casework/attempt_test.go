package casework

import (
	"errors"
	"testing"
	"time"

	"pulang/flows"
)

// end makes one call at 10:00 and tells its outcome five minutes later.
func end(t *testing.T, c *Case, o Outcome, nextAt time.Time) []Event {
	t.Helper()
	r := testRules()
	if err := StartAttempt(c, "1", ViaPhone, "officer.a", clock(10, 0), r, ""); err != nil {
		t.Fatal(err)
	}
	events, err := EndAttempt(c, "1", o, "catatan", nextAt, clock(10, 5), r)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func has(events []Event, id string) bool {
	for _, e := range events {
		if e.ID == id {
			return true
		}
	}
	return false
}

// Every outcome with its consequences, on the case of somebody safe who may be called at any time (P4).
func TestOutcomes(t *testing.T) {
	r := testRules()
	now := clock(10, 5)
	for _, x := range []struct {
		o          Outcome
		nextAt     time.Time
		settled    bool
		later      time.Time // zero: on the queue or settled
		permission flows.Value
		stage      Stage
		class      Class
		signal     string
		event      string
	}{
		{o: ReachedOK, settled: true, permission: flows.CallAnytime, stage: StageContacted, class: P4, event: EventSettled},
		{o: ReachedOK, nextAt: clock(16, 0), later: clock(16, 0), permission: flows.CallAnytime, stage: StageContacted, class: P4, event: EventLater},
		{o: ReachedCutOff, later: clock(18+24, 0), permission: flows.CallAnytime, stage: StageReported, class: P4, event: EventLater},
		{o: ReachedWantsText, permission: flows.TextOnly, stage: StageContacted, class: P4},
		{o: Rescheduled, nextAt: clock(19, 0), later: clock(19, 0), permission: flows.CallAnytime, stage: StageContacted, class: P4, event: EventLater},
		{o: NoAnswer, later: clock(18+24, 0), permission: flows.CallAnytime, stage: StageReported, class: P4, event: EventLater},
		{o: NoAnswer, nextAt: clock(12, 0), later: clock(12, 0), permission: flows.CallAnytime, stage: StageReported, class: P4, event: EventLater},
		{o: Unreachable, later: clock(18+24, 0), permission: flows.CallAnytime, stage: StageReported, class: P4, event: EventLater},
		{o: MessageLeft, later: clock(18+24, 0), permission: flows.CallAnytime, stage: StageReported, class: P4, event: EventLater},
		{o: WrongNumber, permission: flows.CallAnytime, stage: StageReported, class: P4, signal: SignalWrongNumber},
		{o: WrongPerson, permission: "", stage: StageReported, class: P1, signal: SignalWrongPerson, event: EventReview},
		{o: DeclinedHelp, settled: true, permission: flows.CallAnytime, stage: StageContacted, class: P4, signal: SignalDeclined, event: EventSuggestClose},
		{o: CameInPerson, settled: true, permission: flows.CallAnytime, stage: StageArrived, class: P4, event: EventStage},
		{o: UnsafeDoNotContact, permission: flows.WaitForMe, stage: StageReported, class: P4, event: EventWithdrawn},
		{o: IsDuplicate, settled: true, permission: flows.CallAnytime, stage: StageReported, class: P4, event: EventSuggestClose},
		{o: NotWNI, settled: true, permission: flows.CallAnytime, stage: StageReported, class: P4, event: EventSuggestClose},
		{o: SuspectedImpostor, permission: "", stage: StageReported, class: P1, signal: SignalImpostor, event: EventReview},
		{o: InDanger, permission: "", stage: StageReported, class: P1, signal: SignalReview, event: EventDanger},
	} {
		t.Run(string(x.o), func(t *testing.T) {
			c := newCase(t, safe(), anytime())
			events := end(t, c, x.o, x.nextAt)
			if a := c.Attempts[0]; a.Outcome != x.o || a.Note != "catatan" || !a.EndedAt.Equal(now) {
				t.Errorf("attempt %+v", a)
			}
			if got := !c.SettledAt.IsZero(); got != x.settled {
				t.Errorf("settled: %v", got)
			}
			if !c.LaterUntil.Equal(x.later) {
				t.Errorf("later until %v, want %v", c.LaterUntil.In(indochina), x.later)
			}
			if c.Permission != x.permission || c.Stage != x.stage {
				t.Errorf("permission %q, stage %s", c.Permission, c.Stage)
			}
			if got := Effective(c, now); got != x.class {
				t.Errorf("class %s", got)
			}
			if x.signal != "" && !c.open(x.signal) {
				t.Errorf("signal %s is missing: %v", x.signal, c.Signals)
			}
			if x.event != "" && !has(events, x.event) {
				t.Errorf("event %s is missing: %v", x.event, events)
			}
			if x.permission != flows.CallAnytime && MayCall(c, clock(23, 0), r).OK {
				t.Error("may still be called")
			}
			// The same again changes nothing; another outcome for the same attempt is refused.
			if again, err := EndAttempt(c, "1", x.o, "catatan", x.nextAt, now, r); err != nil || again != nil {
				t.Errorf("told again: %v, %v", again, err)
			}
			other := NoAnswer
			if x.o == other {
				other = Unreachable
			}
			if _, err := EndAttempt(c, "1", other, "", time.Time{}, now, r); refusal(err) != RefusedEnded {
				t.Errorf("another outcome: %v", err)
			}
		})
	}
	if len(OutcomeOrder) != len(Outcomes) {
		t.Errorf("%d outcomes in the form, %d in the table", len(OutcomeOrder), len(Outcomes))
	}
	for _, o := range OutcomeOrder {
		if _, ok := Outcomes[o]; !ok {
			t.Errorf("outcome %s has no rule", o)
		}
	}
}

func refusal(err error) string {
	if r := (*Refused)(nil); errors.As(err, &r) {
		return r.Why
	}
	return ""
}

func TestOutcomesThatAreRefused(t *testing.T) {
	r := testRules()
	start := func(effects ...flows.Effect) *Case {
		c := newCase(t, effects...)
		if err := StartAttempt(c, "1", ViaPhone, "s", clock(10, 0), r, "alasan"); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, x := range map[string]struct {
		c      *Case
		id     string
		o      Outcome
		nextAt time.Time
		why    string
	}{
		"no such attempt":        {start(), "9", NoAnswer, time.Time{}, RefusedNoAttempt},
		"no such outcome":        {start(), "1", "vanished", time.Time{}, RefusedUnknownValue},
		"rescheduled to nowhere": {start(), "1", Rescheduled, time.Time{}, RefusedNoTime},
		"next in the past":       {start(), "1", NoAnswer, clock(9, 0), RefusedTimePast},
		"next outside the hours": {start(hours("09:00-11:00")...), "1", NoAnswer, clock(15, 0), RefusedTimeUnsafe},
		"message not agreed":     {start(safe()), "1", MessageLeft, time.Time{}, RefusedNotAgreed},
	} {
		if _, err := EndAttempt(x.c, x.id, x.o, "", x.nextAt, clock(10, 5), r); refusal(err) != x.why {
			t.Errorf("%s: %v", name, err)
		}
		if x.c.Attempts[0].Outcome != "" {
			t.Errorf("%s: the refused outcome was written", name)
		}
	}
}

// A time that the person agreed to by voice is a safe hour of its own, once.
func TestRescheduledOutsideTheHours(t *testing.T) {
	r := testRules()
	c := newCase(t, hours("09:00-11:00")...)
	end(t, c, Rescheduled, clock(15, 0))
	for _, x := range []struct {
		at time.Time
		ok bool
	}{{clock(14, 59), false}, {clock(15, 0), true}, {clock(15, 29), true}, {clock(15, 30), false}, {clock(15+24, 10), false}} {
		if v := MayCall(c, x.at, r); v.OK != x.ok {
			t.Errorf("%s: %+v", x.at.Format("2 15:04"), v)
		}
	}
	c.Apply(watched(), clock(12, 0), r)
	if MayCall(c, clock(15, 10), r).OK {
		t.Error("the appointment outlived the news of being watched")
	}
}

// A P1 leaves the queue for an hour at most, whatever the outcome.
func TestP1ComesBackWithinTheHour(t *testing.T) {
	for _, o := range []Outcome{ReachedOK, NoAnswer, CameInPerson, IsDuplicate, NotWNI} {
		c := newCase(t, safe(), anytime(), needs("injured"))
		next := time.Time{}
		if o == ReachedOK {
			next = clock(20, 0)
		}
		end(t, c, o, next)
		if !Queued(c) {
			t.Errorf("%s: a P1 is settled", o)
		}
		if k := CandidateOf(c); !k.Waiting(clock(11, 6)) {
			t.Errorf("%s: rests until %v", o, c.LaterUntil.In(indochina))
		}
	}
}

func TestDormantAfterThreeAttempts(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime(), needs("sick"))
	at := clock(9, 0)
	var events []Event
	for i := range 3 {
		id := string(rune('a' + i))
		if err := StartAttempt(c, id, ViaPhone, "officer.a", at, r, ""); err != nil {
			t.Fatalf("attempt %d at %v: %v", i+1, at.In(indochina), err)
		}
		var err error
		if events, err = EndAttempt(c, id, NoAnswer, "", time.Time{}, at.Add(time.Minute), r); err != nil {
			t.Fatal(err)
		}
		if i < 2 {
			if has(events, EventDormant) {
				t.Fatalf("dormant after %d attempts", i+1)
			}
			at = c.LaterUntil
		}
	}
	if !has(events, EventDormant) || c.DormantAt.IsZero() || Queued(c) || c.Closed() {
		t.Fatalf("after three attempts: %v, %+v", events, c)
	}
	if !has(events, EventCheckIn) || c.CheckIns != 1 {
		t.Fatalf("no neutral question: %v", events)
	}
	// One a week, four in all, and none that would reach somebody who is watched.
	now, asked := at, 1
	for range 6 {
		now = now.Add(checkInEvery + time.Minute)
		for _, e := range OnTimer(c, TimerCheckIn, now, r) {
			if e.Nudge {
				asked++
			}
		}
	}
	if asked != 4 {
		t.Errorf("asked %d times", asked)
	}
	// A message wakes the case with a new wait.
	c.LastIn = now
	if events := c.Rescore(now, r); !has(events, EventBack) || !Queued(c) || !c.DueAt.Equal(now.Add(r.Target(P3))) {
		t.Errorf("after a message: %v, due %v", events, c.DueAt)
	}
}

func TestExhaustedP1GoesToTheSupervisor(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime(), needs("injured"))
	at := clock(6, 0)
	var events []Event
	for i := range 4 {
		v := MayCall(c, at, r)
		if !v.OK {
			at = v.Opens
		}
		id := string(rune('a' + i))
		if err := StartAttempt(c, id, ViaPhone, "officer.a", at, r, ""); err != nil {
			t.Fatal(err)
		}
		events, _ = EndAttempt(c, id, NoAnswer, "", time.Time{}, at, r)
	}
	if !has(events, EventExhausted) || !c.open(SignalExhausted) || !c.DormantAt.IsZero() || !Queued(c) {
		t.Errorf("events %v, signals %v, dormant %v", events, c.Signals, c.DormantAt)
	}
}

// Silence after watched is not dormancy: it weighs, and somebody has to look.
func TestSilenceAfterWatchedIsContactLost(t *testing.T) {
	r := testRules()
	c := newCase(t, watched(), anytime())
	at := clock(9, 0)
	for i := range 3 {
		if v := MayCall(c, at, r); !v.OK {
			at = v.Opens
		}
		id := string(rune('a' + i))
		if err := StartAttempt(c, id, ViaPhone, "officer.a", at, r, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := EndAttempt(c, id, NoAnswer, "", time.Time{}, at, r); err != nil {
			t.Fatal(err)
		}
	}
	if !c.open(SignalContactLost) || !c.DormantAt.IsZero() || c.CheckIns != 0 || !Queued(c) {
		t.Errorf("signals %v, dormant %v, %d check-ins", c.Signals, c.DormantAt, c.CheckIns)
	}
	if got := Effective(c, at); got != P1 { // 50 and 60
		t.Errorf("class %s", got)
	}
}

// A message while the case rests brings it back where the answer would come too late otherwise.
func TestMessageBringsARestingCaseBack(t *testing.T) {
	r := testRules()
	for _, x := range []struct {
		name    string
		effects []flows.Effect
		back    bool
	}{
		{"P1 at once", []flows.Effect{safe(), anytime(), needs("injured")}, true},
		{"P2 before its target", []flows.Effect{safe(), anytime(), needs("pregnant", "no_shelter")}, true},
		{"P4 can wait for the appointment", []flows.Effect{safe(), anytime()}, false},
	} {
		c := newCase(t, x.effects...)
		end(t, c, ReachedOK, clock(15, 0))
		c.Rescore(clock(10, 10), r)
		if CandidateOf(c).Waiting(clock(10, 10)) {
			t.Errorf("%s: does not rest", x.name)
		}
		c.LastIn = clock(10, 20)
		c.Rescore(clock(10, 20), r)
		if got := CandidateOf(c).Waiting(clock(10, 21)); got != x.back {
			t.Errorf("%s: offered %v", x.name, got)
		}
		if got := c.PromisedAt; !got.Equal(clock(15, 0)) {
			t.Errorf("%s: the promise was forgotten", x.name)
		}
	}
}

func TestSettleAndSchedule(t *testing.T) {
	r := testRules()
	c := newCase(t, append([]flows.Effect{safe()}, hours("09:00-11:00")...)...)
	if _, err := Schedule(c, clock(15, 0), false, clock(10, 0), r); refusal(err) != RefusedTimeUnsafe {
		t.Errorf("outside the hours: %v", err)
	}
	if _, err := Schedule(c, time.Time{}, false, clock(10, 0), r); refusal(err) != RefusedNoTime {
		t.Errorf("without a time: %v", err)
	}
	if _, err := Schedule(c, clock(10, 30), true, clock(10, 0), r); err != nil || !c.LaterUntil.Equal(clock(10, 30)) {
		t.Errorf("%v, later until %v", err, c.LaterUntil)
	}
	if _, err := Settle(c, clock(10, 5), r); err != nil || !c.LaterUntil.Equal(clock(10, 30)) || !Queued(c) {
		t.Errorf("settling forgot the promise: %v, %v", err, c.LaterUntil)
	}
	c = newCase(t, safe())
	if _, err := Settle(c, clock(10, 5), r); err != nil || Queued(c) {
		t.Errorf("%v, still queued", err)
	}
	// A message that was sent before, and comes after: it is not lost.
	c.LastIn = clock(10, 4)
	c.Rescore(clock(10, 6), r)
	if !Queued(c) {
		t.Error("a message that crossed with the settling lies unread")
	}
}
