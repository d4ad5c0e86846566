package casework

import (
	"time"

	"pulang/flows"
)

// Event is something that happened to a case by the rules, for its timeline.
type Event struct {
	// ID is a catalogue key below "event."; Args never hold personal data.
	ID   string
	Args flows.Args
	// At is the time the event speaks of (until when the case rests); zero when it speaks of none.
	At time.Time
	// Alert sends the event to the mission's alert targets (catalogue key "alert."+ID) and sounds at the desk.
	Alert bool
	// For are the missions whose targets are told of an Alert; empty means the case's own.
	For []string
	// Nudge asks for one neutral message of kind KindNudge to the person: a check-in of a dormant case.
	Nudge bool
}

// The events.
const (
	EventP1Waiting    = "p1_waiting"         // Args Minutes: nobody has opened a P1 for so long
	EventDanger       = "danger_outcome"     // an officer reports danger
	EventReview       = "p1_review"          // a stranger answered, or somebody plays a part
	EventExhausted    = "attempts_exhausted" // the cap is reached: chat only, supervisor's list
	EventDormant      = "dormant"
	EventCheckIn      = "check_in"
	EventWithdrawn    = "permission_withdrawn"
	EventRaised       = "class_raised" // Args From, To
	EventClass        = "class_set"    // Args From, To
	EventLifted       = "lifted"       // Args To: by waiting
	EventBack         = "back_on_queue"
	EventLater        = "later" // At
	EventSettled      = "settled"
	EventStage        = "stage_reached" // Args Stage
	EventClosed       = "closed"        // Args Reason
	EventReopened     = "reopened"
	EventSuggestClose = "suggest_close"   // Args Reason
	EventNoOutcome    = "outcome_missing" // an attempt has no outcome after half an hour
	EventWindowOpen   = "window_open"     // the stated hours have begun
	EventRescue       = "rescue_started"  // an officer asks for the rescue packet
	EventRescueEnded  = "rescue_ended"
	EventLinked       = "cases_linked" // Args Code: of the case that goes on in this one
	EventParted       = "cases_parted" // Args Code
	// The other missions are named by their codes in Args From and To.
	EventOffered        = "handover_offered"
	EventAccepted       = "handover_accepted"
	EventReturned       = "handover_returned"
	EventUnanswered     = "handover_unanswered"
	EventWithdrawnOffer = "handover_withdrawn"
	EventMoved          = "mission_moved" // by the person's place, before anybody had read the case
	EventHeld           = "legal_hold"
	EventHoldLifted     = "legal_hold_lifted"
)

// EventIDs lists every Event.ID, AlertIDs those that may be alerts, for the catalogue's test.
var (
	EventIDs = []string{
		EventP1Waiting, EventDanger, EventReview, EventExhausted, EventDormant, EventCheckIn, EventWithdrawn, EventRaised,
		EventClass, EventLifted, EventBack, EventLater, EventSettled, EventStage, EventClosed, EventReopened,
		EventSuggestClose, EventNoOutcome, EventWindowOpen, EventRescue,
		EventRescueEnded, EventLinked, EventParted, EventOffered, EventAccepted, EventReturned, EventUnanswered, EventWithdrawnOffer,
		EventMoved, EventHeld, EventHoldLifted,
	}
	AlertIDs = []string{EventP1Waiting, EventDanger, EventReview, EventExhausted, EventOffered, EventReturned, EventUnanswered}
)

// The timers of a case.
const (
	TimerLift1      = "lift1"
	TimerLift2      = "lift2"
	TimerLater      = "later"
	TimerWindow     = "window"
	TimerEscalate1  = "escalate1"
	TimerEscalate5  = "escalate5"
	TimerEscalate10 = "escalate10"
	TimerAttempt    = "attempt"
	TimerCheckIn    = "checkin"
	TimerReopen     = "reopen"
	TimerHandover   = "handover"
)

// TimerNames lists every timer that a case may have.
var TimerNames = []string{
	TimerLift1, TimerLift2, TimerLater, TimerWindow, TimerEscalate1, TimerEscalate5, TimerEscalate10, TimerAttempt,
	TimerCheckIn, TimerReopen, TimerHandover, TimerRetain,
}

// The escalation of a P1 that nobody has opened.
var escalation = []struct {
	timer   string
	minutes int
}{{TimerEscalate1, 1}, {TimerEscalate5, 5}, {TimerEscalate10, 10}}

const (
	// outcomeAfter is when the outcome of an attempt is asked for.
	outcomeAfter = 30 * time.Minute
	// A dormant case is asked once a week, four times.
	checkInEvery = 7 * 24 * time.Hour
	checkInTimes = 4
	// reopenAfter is how long the question "same matter or new?" may stay unanswered before a closed case is put
	// back on the queue: what was written on it must not lie unread.
	reopenAfter = 10 * time.Minute
)

// TimerAt is one timer that a case should have. A time in the past is due now.
type TimerAt struct {
	Name string
	At   time.Time
}

// Timers is the complete set of timers that the case should have at now; all other names of TimerNames are to be
// removed.
func Timers(c *Case, now time.Time, r Rules) []TimerAt {
	var out []TimerAt
	add := func(name string, at time.Time) { out = append(out, TimerAt{Name: name, At: at}) }
	if c.Closed() {
		if c.wroteAfterClosing() {
			add(TimerReopen, c.LastIn.Add(reopenAfter))
		}
		if next, at := c.Fades(now); next != FadeNone {
			add(TimerRetain, at)
		}
		return out
	}
	if !c.P1Since.IsZero() && !c.readP1() {
		for _, e := range escalation {
			if e.minutes > c.P1Told {
				add(e.timer, c.P1Since.Add(time.Duration(e.minutes)*time.Minute))
			}
		}
	}
	if len(c.LiftAt) == 2 {
		if c.Lifted < 1 {
			add(TimerLift1, c.LiftAt[0])
		}
		if c.Lifted < 2 {
			add(TimerLift2, c.LiftAt[1])
		}
	}
	if !c.LaterUntil.IsZero() {
		add(TimerLater, c.LaterUntil)
	}
	if a := c.openAttempt(); a != nil && !a.Reminded {
		add(TimerAttempt, a.At.Add(outcomeAfter))
	}
	if !c.CheckInAt.IsZero() {
		add(TimerCheckIn, c.CheckInAt)
	}
	if at := OfferEnds(c, r); !at.IsZero() {
		add(TimerHandover, at)
	}
	if c.SettledAt.IsZero() {
		if s, ok := NextSpan(c.Windows, r.zone(), now); ok {
			add(TimerWindow, s.From)
		}
	}
	return out
}

// wroteAfterClosing: a message came after the case was closed, and the person has not said that it was about a new
// matter.
func (c *Case) wroteAfterClosing() bool { return c.LastIn.After(c.SeenIn) }

// Left notes that the person turned to another matter (BARU): a closed case does not come back for what was written
// before that. Of an open case every message stays to be read.
func (c *Case) Left() {
	if c.Closed() {
		c.SeenIn = c.LastIn
	}
}

// OnTimer does what a due timer stands for and returns what happened. A timer that has lost its reason meanwhile
// (the P1 was read, the case closed) does nothing. Rescore and Timers have to follow.
func OnTimer(c *Case, name string, now time.Time, r Rules) []Event {
	if name == TimerReopen {
		if c.Closed() && c.wroteAfterClosing() {
			c.reopen(now)
			return []Event{{ID: EventReopened}}
		}
		return nil
	}
	if c.Closed() {
		return nil
	}
	for _, e := range escalation {
		if e.timer == name {
			return c.escalate(e.minutes, now)
		}
	}
	switch name {
	case TimerLift1, TimerLift2:
		return c.lifted(now)
	case TimerLater:
		if !c.LaterUntil.IsZero() && !now.Before(c.LaterUntil) {
			return c.back()
		}
	case TimerWindow:
		if _, open := OpenSpan(c.Windows, r.zone(), now); open && c.SettledAt.IsZero() {
			return []Event{{ID: EventWindowOpen}}
		}
	case TimerAttempt:
		if a := c.openAttempt(); a != nil && !a.Reminded && !now.Before(a.At.Add(outcomeAfter)) {
			a.Reminded = true
			return []Event{{ID: EventNoOutcome}}
		}
	case TimerHandover:
		if at := OfferEnds(c, r); !at.IsZero() && !now.Before(at) {
			return c.unanswered(now, r)
		}
	case TimerCheckIn:
		if !c.CheckInAt.IsZero() && !now.Before(c.CheckInAt) {
			return c.checkIn(now)
		}
	}
	return nil
}

// escalate tells that a P1 waits. After an outage the alerts that were missed are told once, by the longest.
func (c *Case) escalate(minutes int, now time.Time) []Event {
	if c.P1Since.IsZero() || c.readP1() || minutes <= c.P1Told ||
		now.Before(c.P1Since.Add(time.Duration(minutes)*time.Minute)) {
		return nil
	}
	waited := minutes
	for _, e := range escalation {
		if !now.Before(c.P1Since.Add(time.Duration(e.minutes) * time.Minute)) {
			waited = max(waited, e.minutes)
		}
	}
	c.P1Told = waited
	return []Event{{ID: EventP1Waiting, Args: flows.Args{"Minutes": waited}, Alert: true}}
}

func (c *Case) lifted(now time.Time) []Event {
	if len(c.LiftAt) != 2 {
		return nil
	}
	n := 0
	for _, at := range c.LiftAt {
		if !now.Before(at) {
			n++
		}
	}
	if n <= c.Lifted {
		return nil
	}
	c.Lifted = n
	return []Event{{ID: EventLifted, Args: flows.Args{"To": string(Effective(c, now))}}}
}

// checkIn asks a dormant person once, and sets the time of the next question. Only people who said that they are
// safe are asked; the gate MaySend sees to it as well.
func (c *Case) checkIn(now time.Time) []Event {
	c.CheckInAt = time.Time{}
	if c.DormantAt.IsZero() || c.Safety != flows.Safe || c.Muted || c.CheckIns >= checkInTimes {
		return nil
	}
	c.CheckIns++
	if c.CheckIns < checkInTimes {
		c.CheckInAt = now.Add(checkInEvery)
	}
	return []Event{{ID: EventCheckIn, Nudge: true}}
}
