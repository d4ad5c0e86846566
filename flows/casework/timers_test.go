package casework

import (
	"slices"
	"testing"
	"time"

	"pulang/flows"
)

func timerNames(c *Case, now time.Time) []string {
	var names []string
	for _, x := range Timers(c, now, testRules()) {
		names = append(names, x.Name)
	}
	slices.Sort(names)
	return names
}

func timerAt(c *Case, name string, now time.Time) time.Time {
	for _, x := range Timers(c, now, testRules()) {
		if x.Name == name {
			return x.At
		}
	}
	return time.Time{}
}

// A P1 that nobody has opened is told after 1, 5 and 10 minutes, each once, without personal data.
func TestEscalation(t *testing.T) {
	r := testRules()
	c := newCase(t, needs("injured"))
	if got := timerNames(c, t0); !slices.Equal(got, []string{TimerEscalate1, TimerEscalate10, TimerEscalate5}) {
		t.Fatalf("timers %v", got)
	}
	if got := OnTimer(c, TimerEscalate1, t0.Add(59*time.Second), r); got != nil {
		t.Errorf("told early: %v", got)
	}
	for _, x := range escalation {
		now := t0.Add(time.Duration(x.minutes) * time.Minute)
		if at := timerAt(c, x.timer, now); !at.Equal(now) {
			t.Errorf("%s is set for %v", x.timer, at)
		}
		events := OnTimer(c, x.timer, now, r)
		if len(events) != 1 || !events[0].Alert || events[0].ID != EventP1Waiting || events[0].Args["Minutes"] != x.minutes || len(events[0].Args) != 1 {
			t.Errorf("after %d minutes: %+v", x.minutes, events)
		}
		if again := OnTimer(c, x.timer, now, r); again != nil {
			t.Errorf("told twice: %v", again)
		}
	}
	if got := timerNames(c, t0.Add(time.Hour)); len(got) != 0 {
		t.Errorf("timers left: %v", got)
	}
}

func TestReadingStopsTheEscalation(t *testing.T) {
	r := testRules()
	c := newCase(t, needs("injured"))
	c.MarkRead("officer.a", t0.Add(30*time.Second))
	if got := timerNames(c, t0.Add(30*time.Second)); len(got) != 0 {
		t.Errorf("timers %v", got)
	}
	if got := OnTimer(c, TimerEscalate1, t0.Add(time.Minute), r); got != nil {
		t.Errorf("told although it was read: %v", got)
	}
	// New danger after that starts the clock anew.
	c.Apply(say(flows.StepSafetyNow, clock(10, 0), flows.Danger), clock(10, 0), r)
	c.Rescore(clock(10, 0), r)
	if at := timerAt(c, TimerEscalate1, clock(10, 0)); !at.Equal(clock(10, 1)) {
		t.Errorf("after new danger escalate1 is set for %v", at)
	}
	// And so does the same cry for help, once the last one was read.
	c.MarkRead("officer.a", clock(10, 2))
	c.Apply(say(flows.StepSafetyNow, clock(11, 0), flows.Danger), clock(11, 0), r)
	c.Rescore(clock(11, 0), r)
	if at := timerAt(c, TimerEscalate1, clock(11, 0)); !at.Equal(clock(11, 1)) {
		t.Errorf("after BAHAYA once more escalate1 is set for %v", at)
	}
	// While nobody has read, the older clock runs on.
	c.Apply(say(flows.StepSafetyNow, clock(11, 3), flows.Danger), clock(11, 3), r)
	c.Rescore(clock(11, 3), r)
	if !c.P1Since.Equal(clock(11, 0)) {
		t.Errorf("waits since %v", c.P1Since)
	}
}

// After an outage one alert tells the longest wait; the earlier ones are not told on top.
func TestEscalationAfterAnOutage(t *testing.T) {
	c := newCase(t, needs("injured"))
	late := t0.Add(7 * time.Minute)
	told := 0
	for _, name := range []string{TimerEscalate1, TimerEscalate5} {
		for _, e := range OnTimer(c, name, late, testRules()) {
			told++
			if e.Args["Minutes"] != 5 {
				t.Errorf("%s tells %v minutes", name, e.Args["Minutes"])
			}
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	if got := timerNames(c, late); !slices.Equal(got, []string{TimerEscalate10}) {
		t.Errorf("timers %v", got)
	}
}

func TestLiftTimers(t *testing.T) {
	r := testRules()
	c := newCase(t, safe())
	if a, b := timerAt(c, TimerLift1, t0), timerAt(c, TimerLift2, t0); !a.Equal(t0.Add(24*time.Hour)) || !b.Equal(t0.Add(48*time.Hour)) {
		t.Errorf("lifts at %v and %v", a, b)
	}
	now := t0.Add(24 * time.Hour)
	events := OnTimer(c, TimerLift1, now, r)
	if len(events) != 1 || events[0].ID != EventLifted || events[0].Args["To"] != "P3" {
		t.Errorf("first lift: %+v", events)
	}
	c.Rescore(now, r)
	if got := timerNames(c, now); !slices.Equal(got, []string{TimerLift2}) {
		t.Errorf("timers %v", got)
	}
	now = t0.Add(48 * time.Hour)
	if events := OnTimer(c, TimerLift2, now, r); len(events) != 1 || events[0].Args["To"] != "P2" {
		t.Errorf("second lift: %+v", events)
	}
	if again := OnTimer(c, TimerLift2, now, r); again != nil {
		t.Errorf("lifted again: %v", again)
	}
	// Nobody who was dealt with waits.
	if _, err := Settle(c, now, r); err != nil {
		t.Fatal(err)
	}
	c.Rescore(now, r)
	if got := timerNames(c, now); len(got) != 0 {
		t.Errorf("a settled case has timers %v", got)
	}
}

func TestRestingCaseReturns(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	end(t, c, ReachedOK, clock(15, 0))
	if at := timerAt(c, TimerLater, clock(10, 5)); !at.Equal(clock(15, 0)) {
		t.Fatalf("later at %v", at)
	}
	if events := OnTimer(c, TimerLater, clock(14, 59), r); events != nil {
		t.Errorf("returned early: %v", events)
	}
	if events := OnTimer(c, TimerLater, clock(15, 0), r); !has(events, EventBack) {
		t.Errorf("events %v", events)
	}
	c.Rescore(clock(15, 0), r)
	if k := CandidateOf(c); !k.Waiting(clock(15, 0)) || Because(k, clock(15, 0), r) != BecausePromise {
		t.Errorf("offered because %s", Because(k, clock(15, 0), r))
	}
}

func TestMissingOutcomeIsAskedForOnce(t *testing.T) {
	r := testRules()
	c := newCase(t, safe(), anytime())
	if err := StartAttempt(c, "1", ViaPhone, "officer.a", clock(10, 0), r, ""); err != nil {
		t.Fatal(err)
	}
	if at := timerAt(c, TimerAttempt, clock(10, 0)); !at.Equal(clock(10, 30)) {
		t.Errorf("asked at %v", at)
	}
	if events := OnTimer(c, TimerAttempt, clock(10, 30), r); !has(events, EventNoOutcome) {
		t.Errorf("events %v", events)
	}
	if at := timerAt(c, TimerAttempt, clock(10, 31)); !at.IsZero() {
		t.Error("asked for ever")
	}
}

func TestWindowTimer(t *testing.T) {
	r := testRules()
	c := newCase(t, hours("13:00-14:00")...)
	if at := timerAt(c, TimerWindow, clock(10, 0)); !at.Equal(clock(13, 0)) {
		t.Errorf("opens at %v", at)
	}
	if events := OnTimer(c, TimerWindow, clock(13, 0), r); !has(events, EventWindowOpen) {
		t.Errorf("events %v", events)
	}
	if at := timerAt(c, TimerWindow, clock(13, 0)); !at.Equal(clock(24+13, 0)) {
		t.Errorf("and next at %v", at)
	}
}

// What is written on a closed case must not lie unread when the question "same matter?" stays unanswered.
func TestMessageAfterClosing(t *testing.T) {
	r := testRules()
	c := newCase(t, safe())
	if _, err := Close(c, "self_resolved", "officer.a", clock(10, 0)); err != nil {
		t.Fatal(err)
	}
	if got := timerNames(c, clock(10, 0)); !slices.Equal(got, []string{TimerRetain}) {
		t.Errorf("a closed case has timers %v", got)
	}
	c.LastIn = clock(11, 0)
	c.Rescore(clock(11, 0), r)
	if at := timerAt(c, TimerReopen, clock(11, 0)); !at.Equal(clock(11, 10)) {
		t.Fatalf("reopens at %v", at)
	}
	answered := *c
	answered.Left()
	if got := OnTimer(&answered, TimerReopen, clock(11, 10), r); got != nil {
		t.Errorf("reopened although it is a new matter: %v", got)
	}
	if got := OnTimer(c, TimerReopen, clock(11, 10), r); !has(got, EventReopened) {
		t.Fatalf("events %v", got)
	}
	c.Rescore(clock(11, 10), r)
	if !Queued(c) || !c.DueAt.Equal(clock(11, 10).Add(24*time.Hour)) {
		t.Errorf("queued %v, due %v", Queued(c), c.DueAt)
	}
}

// The person's word that the matter goes on opens the case at once.
func TestSameMatterReopens(t *testing.T) {
	r := testRules()
	c := newCase(t, safe())
	if _, err := Close(c, "self_resolved", "officer.a", clock(10, 0)); err != nil {
		t.Fatal(err)
	}
	c.LastIn = clock(11, 0)
	c.Apply(flows.Signal{Name: SignalReopened, Words: "masih belum"}, clock(11, 0), r)
	if events := c.Rescore(clock(11, 0), r); !has(events, EventReopened) || !Queued(c) {
		t.Errorf("events %v", events)
	}
}

func TestTimersOfAClosedCaseDoNothing(t *testing.T) {
	c := newCase(t, needs("injured"), anytime())
	if _, err := Close(c, "deceased", "officer.a", t0); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(slices.Clone(TimerNames), "unknown") {
		if got := OnTimer(c, name, t0.Add(100*24*time.Hour), testRules()); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
