package casework

import (
	"fmt"
	"time"

	"pulang/flows"
)

// p1Rest is the longest time for which a P1 leaves the queue: only closing it or lowering its class ends it.
const p1Rest = 60 * time.Minute

// StartAttempt records an attempt; it has to be stored before the link that rings opens, so that a crash cannot lose
// it. A call that MayCall refuses needs a supervisor's override, the reason in words; nothing overrides a missing
// outcome or a closed case. The same id again changes nothing.
func StartAttempt(c *Case, id, via, by string, now time.Time, r Rules, override string) error {
	for _, a := range c.Attempts {
		if a.ID == id {
			return nil
		}
	}
	switch via {
	case ViaPhone, ViaChat, ViaInPerson:
	default:
		return &Refused{Why: RefusedUnknownValue}
	}
	if c.Closed() {
		return &Refused{Why: RefusedClosed}
	}
	if c.openAttempt() != nil {
		return &Refused{Why: RefusedOpenAttempt}
	}
	a := Attempt{ID: id, At: now, By: by, Via: via}
	if a.rang() {
		if v := MayCall(c, now, r); !v.OK {
			if override == "" {
				return &Refused{Why: v.Why, Call: true}
			}
			a.Override = override
		}
	}
	c.Attempts = append(c.Attempts, a)
	return nil
}

func (c *Case) openAttempt() *Attempt {
	for i := range c.Attempts {
		if c.Attempts[i].Outcome == "" {
			return &c.Attempts[i]
		}
	}
	return nil
}

// OpenAttempt returns the attempt whose outcome is still to be told; false when there is none.
func OpenAttempt(c *Case) (Attempt, bool) {
	if a := c.openAttempt(); a != nil {
		return *a, true
	}
	return Attempt{}, false
}

// EndAttempt tells the outcome of an attempt and draws its consequences. nextAt is the officer's choice for the next
// one; zero leaves it to SuggestNext. It rescores the case and returns what happened for the timeline. The same
// outcome for the same attempt again changes nothing; a different one is refused.
func EndAttempt(c *Case, id string, o Outcome, note string, nextAt, now time.Time, r Rules) ([]Event, error) {
	a, err := c.endable(id, o, nextAt, now, r)
	if a == nil || err != nil {
		return nil, err
	}
	rule := Outcomes[o]
	a.Outcome, a.Note, a.EndedAt = o, note, now
	by := a.By
	c.MarkRead(by, now)

	var events []Event
	if rule.Withdraws {
		if c.Permission != "" {
			events = append(events, Event{ID: EventWithdrawn})
		}
		c.withdraw(now)
	}
	for _, s := range rule.Signals {
		c.signal(s, "", now)
	}
	switch o {
	case InDanger:
		c.setSafety(flows.Danger, now)
		events = append(events, Event{ID: EventDanger, Alert: true})
	case ReachedWantsText:
		c.Permission, c.PermissionAt, c.Windows = flows.TextOnly, now, nil
	case UnsafeDoNotContact:
		// Held rows stay held and nothing unprompted leaves until the person writes.
		c.Permission, c.PermissionAt = flows.WaitForMe, now
	case ReachedCutOff:
		if safetyRank(c.Safety) > 0 {
			c.signal(SignalContactLost, "", now)
		}
	case WrongPerson, SuspectedImpostor:
		events = append(events, Event{ID: EventReview, Alert: true})
	case CameInPerson:
		events = append(events, c.reach(StageContacted, "", by, now)...)
		events = append(events, c.reach(StageArrived, "", by, now)...)
	}
	if rule.Spoken {
		c.Peak, c.DormantAt, c.CheckIns, c.CheckInAt = "", time.Time{}, 0, time.Time{}
		c.done(SignalContactLost, by, now)
		c.done(SignalExhausted, by, now)
		events = append(events, c.reach(StageContacted, "", by, now)...)
	}
	if rule.Suggest != "" {
		events = append(events, Event{ID: EventSuggestClose, Args: flows.Args{"Reason": rule.Suggest}})
	}
	events = append(events, c.Rescore(now, r)...)
	return append(events, c.whatNext(rule, o, nextAt, now, r)...), nil
}

// endable finds the attempt and checks the outcome. A nil attempt without an error is a repeat.
func (c *Case) endable(id string, o Outcome, nextAt, now time.Time, r Rules) (*Attempt, error) {
	rule, known := Outcomes[o]
	if !known {
		return nil, &Refused{Why: RefusedUnknownValue}
	}
	var a *Attempt
	for i := range c.Attempts {
		if c.Attempts[i].ID == id {
			a = &c.Attempts[i]
		}
	}
	switch {
	case a == nil:
		return nil, &Refused{Why: RefusedNoAttempt}
	case a.Outcome == o:
		return nil, nil
	case a.Outcome != "":
		return nil, &Refused{Why: RefusedEnded}
	case rule.NeedsNext && nextAt.IsZero():
		return nil, &Refused{Why: RefusedNoTime}
	case o == MessageLeft && c.Permission != flows.CallAnytime && c.Permission != flows.CallWindow:
		return nil, &Refused{Why: RefusedNotAgreed}
	}
	if err := c.checkNext(rule, nextAt, now, r); err != nil {
		return nil, fmt.Errorf("outcome %s: %w", o, err)
	}
	return a, nil
}

// checkNext: a time that the person agreed to by voice is safe by that; one that an officer chose has to lie in the
// stated hours.
func (c *Case) checkNext(rule OutcomeRule, nextAt, now time.Time, r Rules) error {
	if nextAt.IsZero() {
		return nil
	}
	if !nextAt.After(now) {
		return &Refused{Why: RefusedTimePast}
	}
	if len(c.Windows) > 0 && !rule.Promise {
		if _, open := callSpan(c, r, nextAt); !open {
			return &Refused{Why: RefusedTimeUnsafe}
		}
	}
	return nil
}

// whatNext decides when the case is offered again.
func (c *Case) whatNext(rule OutcomeRule, o Outcome, nextAt, now time.Time, r Rules) []Event {
	if rule.Promise || !nextAt.IsZero() {
		c.PromisedAt = time.Time{} // the promise was kept, or a new one takes its place
	}
	switch {
	case !nextAt.IsZero():
		if rule.Promise {
			c.PromisedAt = nextAt
		}
		return c.later(nextAt, now)
	case rule.Settles:
		return c.settle(now)
	case !rule.Again:
		// Somebody has to go on with it now, by chat or in another way.
		c.LaterUntil, c.SeenIn = time.Time{}, c.LastIn
		c.DueAt = now.Add(r.Target(Effective(c, now)))
		return nil
	}
	if Exhausted(c, now, r) {
		return c.exhausted(now, r)
	}
	if at, ok := SuggestNext(c, now, r); ok {
		return c.later(at, now)
	}
	return c.later(now.Add(max(p1Rest, r.Target(Effective(c, now)))), now)
}

// later takes the case off the queue until at; a P1 for an hour at most.
func (c *Case) later(at, now time.Time) []Event {
	if rest := now.Add(p1Rest); Effective(c, now) == P1 && at.After(rest) {
		at = rest
	}
	c.SettledAt, c.LaterUntil, c.SeenIn, c.DueAt = time.Time{}, at, c.LastIn, at
	return []Event{{ID: EventLater, At: at}}
}

func (c *Case) settle(now time.Time) []Event {
	if Effective(c, now) == P1 {
		return c.later(now.Add(p1Rest), now)
	}
	c.SettledAt, c.SeenIn, c.LaterUntil, c.LiftAt = now, c.LastIn, time.Time{}, nil
	return []Event{{ID: EventSettled}}
}

// exhausted: a P1, and whoever fell silent after danger or watched, goes to the supervisor's list and comes back to
// the queue; the others become dormant, which is not closed, and are asked a neutral question once a week.
func (c *Case) exhausted(now time.Time, r Rules) []Event {
	if Effective(c, now) == P1 || safetyRank(c.Safety) > 0 {
		c.signal(SignalExhausted, "", now)
		if safetyRank(c.Safety) > 0 {
			c.signal(SignalContactLost, "", now)
		}
		events := append([]Event{{ID: EventExhausted, Alert: true}}, c.Rescore(now, r)...)
		at, _ := earliestRing(c, now, r)
		if !at.After(now) {
			at = now.Add(r.Target(Effective(c, now)))
		}
		return append(events, c.later(at, now)...)
	}
	c.DormantAt, c.SettledAt, c.SeenIn = now, now, c.LastIn
	c.LaterUntil, c.LiftAt = time.Time{}, nil
	c.CheckIns = 0
	return append([]Event{{ID: EventDormant}}, c.checkIn(now)...)
}

// Schedule puts the next attempt off to at, by an officer's choice outside an attempt. promised means that the
// person was told the time.
func Schedule(c *Case, at time.Time, promised bool, now time.Time, r Rules) ([]Event, error) {
	if c.Closed() {
		return nil, &Refused{Why: RefusedClosed}
	}
	if at.IsZero() {
		return nil, &Refused{Why: RefusedNoTime}
	}
	if err := c.checkNext(OutcomeRule{Promise: promised}, at, now, r); err != nil {
		return nil, err
	}
	if promised {
		c.PromisedAt = at
	}
	return c.later(at, now), nil
}

// Settle notes that an officer dealt with what the person wrote and that nobody waits: the case leaves the queue
// until the next message. A P1 comes back after an hour.
func Settle(c *Case, now time.Time, r Rules) ([]Event, error) {
	switch {
	case c.Closed():
		return nil, &Refused{Why: RefusedClosed}
	case c.openAttempt() != nil:
		return nil, &Refused{Why: RefusedOpenAttempt}
	case c.PromisedAt.After(now):
		return c.later(c.PromisedAt, now), nil
	}
	return c.settle(now), nil
}
