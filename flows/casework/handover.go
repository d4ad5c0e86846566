package casework

import (
	"time"

	"pulang/flows"
)

// Offer is a hand-over of the case to another mission that is not answered yet. Until it is accepted the case is the
// sender's in everything: its queue, its claims, its alarms.
type Offer struct {
	To string `json:"to"` // code of the mission that is asked
	// By is the officer who proposed it with a Reason; both are empty where the person's place proposed it.
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Propose offers the case to another mission. The same proposal again changes nothing; another one while an answer is
// awaited is refused.
func Propose(c *Case, to, reason, by string, now time.Time) ([]Event, error) {
	switch {
	case c.Closed():
		return nil, &Refused{Why: RefusedClosed}
	case to == "" || to == c.Mission:
		return nil, &Refused{Why: RefusedUnknownValue}
	case reason == "":
		return nil, &Refused{Why: RefusedNoReason}
	case c.Offer != nil && c.Offer.To == to && c.Offer.By == by:
		return nil, nil
	case c.Offer != nil:
		return nil, &Refused{Why: RefusedOffered}
	}
	return c.offer(to, reason, by, now), nil
}

func (c *Case) offer(to, reason, by string, now time.Time) []Event {
	c.Offer = &Offer{To: to, By: by, Reason: reason, At: now}
	c.done(SignalReturned, by, now) // what became of the last offer is dealt with
	c.done(SignalUnanswered, by, now)
	return []Event{{ID: EventOffered, Args: flows.Args{"To": to}, Alert: true, For: []string{to}}}
}

// Withdraw takes an unanswered proposal back. Without one nothing changes.
func Withdraw(c *Case) []Event {
	if c.Offer == nil {
		return nil
	}
	to := c.Offer.To
	c.Offer, c.PlacedIn = nil, Country(c)
	return []Event{{ID: EventWithdrawnOffer, Args: flows.Args{"To": to}}}
}

// Accept moves the case to the mission that it was offered to, with everything that is on it: class, due time,
// attempts, group. by is the officer who takes it. While an attempt of the sender has no outcome the phone may be
// ringing: the outcome comes first. r are the rules of the mission that accepts.
func Accept(c *Case, mission, by string, now time.Time, r Rules) ([]Event, error) {
	switch {
	case c.Closed():
		return nil, &Refused{Why: RefusedClosed}
	case c.Offer == nil || c.Offer.To != mission:
		return nil, &Refused{Why: RefusedNotOffered}
	case c.openAttempt() != nil:
		return nil, &Refused{Why: RefusedOpenAttempt}
	}
	from := c.Mission
	had, due, dueFor := Effective(c, now), c.DueAt, c.DueFor
	events := []Event{{ID: EventAccepted, Args: flows.Args{"From": from, "To": mission}}}
	c.Mission, c.Offer, c.PlacedIn = mission, nil, Country(c)
	c.MarkRead(by, now)
	events = append(events, c.Rescore(now, r)...)
	if had.Above(Effective(c, now)) {
		// The other mission lifts later, or knows no advisory for the place: the class goes along all the same, until one
		// of its officers lowers it.
		if o := c.Override; o != nil && o.Ended.IsZero() {
			o.Ended = now
		}
		c.Peak, c.DueAt, c.DueFor = had, due, dueFor
		c.rescore(now, r, had)
	}
	return events, nil
}

// Follow takes a case that goes on in another one along when that one changes its mission, so that it is read, and
// parted from it, where that one is. It reports whether anything changed.
func Follow(c, main *Case) bool {
	if c.Into == nil || c.Into.ID != main.ID || c.Mission == main.Mission {
		return false
	}
	c.Mission, c.PlacedIn = main.Mission, main.PlacedIn
	if was := c.Into.Was; was != nil {
		was.Mission, was.PlacedIn = main.Mission, main.PlacedIn
	}
	return true
}

// Return gives the case back to the mission that offered it, with a reason that its officers are shown. It is to be
// acted on there, even if it was settled or put off.
func Return(c *Case, mission, reason string, now time.Time, r Rules) ([]Event, error) {
	switch {
	case c.Offer == nil || c.Offer.To != mission:
		return nil, &Refused{Why: RefusedNotOffered}
	case reason == "":
		return nil, &Refused{Why: RefusedNoReason}
	}
	c.Offer, c.PlacedIn = nil, Country(c)
	c.signal(SignalReturned, reason, now)
	events := []Event{{ID: EventReturned, Args: flows.Args{"From": mission}, Alert: true}}
	return append(events, c.actAgain(now, r)...), nil
}

// unanswered ends an offer that the other mission left lying.
func (c *Case) unanswered(now time.Time, r Rules) []Event {
	to := c.Offer.To
	c.Offer, c.PlacedIn = nil, Country(c)
	c.signal(SignalUnanswered, "", now)
	events := []Event{{ID: EventUnanswered, Args: flows.Args{"From": to}, Alert: true, For: []string{c.Mission, to}}}
	return append(events, c.actAgain(now, r)...)
}

// actAgain makes somebody's act due on a case that came back; what is waiting already waits on.
func (c *Case) actAgain(now time.Time, r Rules) []Event {
	if !c.SettledAt.IsZero() {
		class := Effective(c, now)
		c.WaitSince, c.DueAt, c.DueFor, c.Lifted = now, now.Add(r.Target(class)), class, 0
	}
	return c.back()
}

// OfferEnds is until when the other mission may answer: as long as its class gives a human to act. Zero for no offer.
func OfferEnds(c *Case, r Rules) time.Time {
	if c.Offer == nil || c.Closed() {
		return time.Time{}
	}
	return c.Offer.At.Add(r.Target(base(c)))
}

// Place follows the person's place: competent is the mission of this installation that answers for the country, "" when
// none does. A case that no officer has read yet moves at once. One that somebody has read is offered, so that it does
// not vanish under an officer's hands. What missions decided stands until the person names another country: a live
// location says the same one every minute.
func Place(c *Case, competent string, now time.Time) []Event {
	country := Country(c)
	if competent == "" || c.Closed() || country == c.PlacedIn {
		return nil
	}
	c.PlacedIn = ""
	byRule := c.Offer != nil && c.Offer.By == ""
	switch {
	case competent == c.Mission:
		if !byRule {
			return nil
		}
		events := Withdraw(c) // back where the case is
		c.PlacedIn = ""
		return events
	case c.Offer != nil && (!byRule || c.Offer.To == competent):
		return nil
	case c.LastRead.IsZero():
		from := c.Mission
		c.Mission, c.Offer = competent, nil
		return []Event{{ID: EventMoved, Args: flows.Args{"From": from, "To": competent}}}
	}
	events := Withdraw(c)
	c.PlacedIn = ""
	return append(events, c.offer(competent, "", "", now)...)
}
