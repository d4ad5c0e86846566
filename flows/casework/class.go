package casework

import (
	"slices"
	"time"
)

// rank orders the classes, 1 for P1; an unknown class stands behind P4.
func (c Class) rank() int {
	switch c {
	case P1:
		return 1
	case P2:
		return 2
	case P3:
		return 3
	case P4:
		return 4
	}
	return 5
}

// Above reports whether c is more urgent than d.
func (c Class) Above(d Class) bool { return c.rank() < d.rank() }

// Valid reports whether c is one of P1 to P4.
func (c Class) Valid() bool { return c.rank() <= 4 }

// Classes lists the classes, most urgent first.
var Classes = []Class{P1, P2, P3, P4}

// base is the class without waiting: the officer's, while it binds, or the computed one.
func base(c *Case) Class {
	if o := c.Override; o != nil && o.Ended.IsZero() && o.Class.Valid() {
		return o.Class
	}
	if !c.Triage.Class.Valid() { // none yet, or one that only a newer program knows: no queue has it
		return P4
	}
	return c.Triage.Class
}

// Effective is the class in which the case stands at now: the officer's or the computed one, lifted by waiting. A P4
// is lifted to P3 and P2, a P3 to P2, nothing ever into P1.
func Effective(c *Case, now time.Time) Class { return lift(base(c), c.LiftAt, now) }

func lift(b Class, at []time.Time, now time.Time) Class {
	if len(at) != 2 || b != P3 && b != P4 {
		return b
	}
	switch {
	case !now.Before(at[1]):
		return P2
	case !now.Before(at[0]):
		return P3
	}
	return b
}

// SetOverride puts an officer's own class in force, with its reason in words. It binds until the person reports
// danger or a new fact weighs more than the officer knew.
func SetOverride(c *Case, class Class, reason, by string, now time.Time, r Rules) ([]Event, error) {
	switch {
	case c.Closed():
		return nil, &Refused{Why: RefusedClosed}
	case !class.Valid():
		return nil, &Refused{Why: RefusedUnknownValue}
	case reason == "":
		return nil, &Refused{Why: RefusedNoReason}
	}
	had := Effective(c, now)
	o := &Override{Class: class, Reason: reason, By: by, At: now}
	for _, x := range Score(c, r).Reasons {
		o.Seen = append(o.Seen, x.ID)
	}
	c.Override = o
	c.rescore(now, r, had)
	return []Event{{ID: EventClass, Args: map[string]any{"From": string(had), "To": string(class)}}}, nil
}

// ClearOverride goes back to the computed class.
func ClearOverride(c *Case, now time.Time, r Rules) []Event {
	if c.Override == nil {
		return nil
	}
	c.Override = nil
	return c.Rescore(now, r)
}

// Rescore computes what follows from the facts: class and reasons, the escalation clock of a P1, due time, lifting
// times, and whether the case comes back to the queue. It has to be called after every change, before Timers and
// before the case is stored. It returns what happened for the timeline; calling it again changes nothing.
func (c *Case) Rescore(now time.Time, r Rules) []Event {
	return c.rescore(now, r, Effective(c, now))
}

func (c *Case) rescore(now time.Time, r Rules, had Class) []Event {
	c.lost(now)
	first := c.Triage.Class == ""
	was := c.Triage
	t := Score(c, r)
	fresh := newFloor(was.Reasons, t.Reasons) || c.alarm
	if o := c.Override; o != nil && o.Ended.IsZero() && t.Class.Above(o.Class) && (c.alarm || unseen(o.Seen, t.Reasons)) {
		o.Ended = now
	}
	if c.Peak.Above(t.Class) {
		t.Class, t.Kept = c.Peak, true
		t.Reasons = append(t.Reasons, Reason{ID: ReasonKept})
	}
	c.Triage, c.Peak = t, t.Class

	var events []Event
	if c.Closed() {
		if !c.alarm && !c.again {
			return nil
		}
		// A cry for help opens a closed case at once: nobody is asked first whether it is the same matter.
		c.reopen(now)
		events = append(events, Event{ID: EventReopened})
	}
	c.alarm, c.again = false, false
	if c.WaitSince.IsZero() {
		c.WaitSince = c.CreatedAt
	}
	events = append(events, c.wait(now, r)...)
	c.setLifts(r)
	class := Effective(c, now)
	if !first && class.Above(had) {
		events = append(events, Event{ID: EventRaised, Args: map[string]any{"From": string(had), "To": string(class)}})
		events = append(events, c.back()...)
	}
	c.setDue(class, now, r)
	c.setP1(class, fresh, now)
	return events
}

// wait notices that the person wrote since an officer settled the case or put it off.
func (c *Case) wait(now time.Time, r Rules) []Event {
	if !c.LastIn.After(c.SeenIn) {
		return nil
	}
	class := Effective(c, now)
	due := now.Add(r.Target(class))
	switch {
	case !c.SettledAt.IsZero():
		c.WaitSince, c.DueAt, c.DueFor, c.Lifted = now, due, class, 0
		return c.back()
	case c.LaterUntil.IsZero():
	case class == P1 || due.Before(c.LaterUntil):
		if due.Before(c.DueAt) {
			c.DueAt = due
		}
		return c.back()
	}
	return nil
}

// back puts the case on the queue again.
func (c *Case) back() []Event {
	if c.SettledAt.IsZero() && c.LaterUntil.IsZero() {
		return nil
	}
	c.SettledAt, c.LaterUntil, c.DormantAt, c.CheckInAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	c.SeenIn = c.LastIn
	return []Event{{ID: EventBack}}
}

// setLifts keeps the two times at which waiting lifts the class. Nobody who is settled waits.
func (c *Case) setLifts(r Rules) {
	b := base(c)
	if !c.SettledAt.IsZero() || b != P3 && b != P4 {
		c.LiftAt, c.Lifted = nil, 0
		return
	}
	p4, p3 := r.lifts()
	if b == P3 {
		c.LiftAt = []time.Time{c.WaitSince, c.WaitSince.Add(p3)}
		c.Lifted = max(c.Lifted, 1)
		return
	}
	c.LiftAt = []time.Time{c.WaitSince.Add(p4), c.WaitSince.Add(p4 + p3)}
}

// setDue computes when a human has to act: from the first message, earlier when the class rises, later only when an
// officer lowered the class. Changing hands has no part in it.
func (c *Case) setDue(class Class, now time.Time, r Rules) {
	switch {
	case c.DueAt.IsZero():
		c.DueAt = c.WaitSince.Add(r.Target(class))
	case class.Above(c.DueFor):
		if due := now.Add(r.Target(class)); due.Before(c.DueAt) {
			c.DueAt = due
		}
	case c.DueFor.Above(class) && c.LaterUntil.IsZero():
		if due := c.WaitSince.Add(r.Target(class)); due.After(c.DueAt) {
			c.DueAt = due
		}
	}
	c.DueFor = class
}

// setP1 starts the escalation clock when a stretch as P1 begins, and anew when something that alone makes a P1 comes
// after a human has read.
func (c *Case) setP1(class Class, fresh bool, now time.Time) {
	switch {
	case class != P1:
		c.P1Since, c.P1Told = time.Time{}, 0
	case c.P1Since.IsZero(), c.P1Since.After(now), fresh && c.readP1():
		c.P1Since, c.P1Told = now, 0
		if c.LastRead.After(now) {
			c.LastRead = now.Add(-1) // by a clock that was ahead: nobody has read what comes now
		}
	}
}

// readP1 reports whether a human has opened the case since it became a P1.
func (c *Case) readP1() bool { return !c.P1Since.IsZero() && !c.LastRead.Before(c.P1Since) }

// newFloor reports whether a floor is among the reasons that was not there before.
func newFloor(was, is []Reason) bool {
	for _, x := range is {
		if x.Floor && !slices.ContainsFunc(was, func(y Reason) bool { return y.ID == x.ID }) {
			return true
		}
	}
	return false
}

// unseen reports whether a reason with weight is there that the officer did not know.
func unseen(seen []string, is []Reason) bool {
	for _, x := range is {
		if (x.Points > 0 || x.Floor) && !slices.Contains(seen, x.ID) {
			return true
		}
	}
	return false
}
