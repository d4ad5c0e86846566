package casework

import (
	"slices"
	"time"

	"pulang/flows"
)

// Rescue is the officer's decision to ask for the six items of the rescue packet. It is never taken by a rule: asking
// a captive for photos is a risk that a human weighs, with the person's consent.
type Rescue struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
	// Consent says in the officer's words how the person agreed that the items are passed on.
	Consent string `json:"consent"`
	// Ended is when an officer stopped asking.
	Ended time.Time `json:"ended,omitzero"`
}

// MayRescue reports whether the packet may be started: for an open case that is P1, or whose person is held,
// threatened, watched or in danger.
func MayRescue(c *Case, now time.Time) bool {
	if c.Closed() {
		return false
	}
	f := facts{c: c, urgent: c.Answers[flows.StepUrgentNeeds]}
	return Effective(c, now) == P1 || safetyRank(c.Safety) > 0 || f.needs("held_or_threatened") || f.open("held") ||
		f.open("threatened") || f.inCompound()
}

// StartRescue starts the packet, or asks anew for what is missing of it. consent must not be empty.
func StartRescue(c *Case, consent, by string, now time.Time) ([]Event, error) {
	switch {
	case c.Closed():
		return nil, &Refused{Why: RefusedClosed}
	case !MayRescue(c, now):
		return nil, &Refused{Why: RefusedNoRescue}
	case consent == "":
		return nil, &Refused{Why: RefusedNoConsent}
	}
	c.Rescue = &Rescue{At: now, By: by, Consent: consent}
	return []Event{{ID: EventRescue}}, nil
}

// EndRescue stops asking; what came in stays.
func EndRescue(c *Case, now time.Time) []Event {
	if !c.Rescuing() {
		return nil
	}
	c.Rescue.Ended = now
	return []Event{{ID: EventRescueEnded}}
}

// Rescuing reports whether the packet was started and not ended.
func (c *Case) Rescuing() bool { return c.Rescue != nil && c.Rescue.Ended.IsZero() }

// RescueWanted are the items that are still to be asked: those without an answer, and those that were passed over
// before the officer asked again. An item that an officer entered is not asked.
func (c *Case) RescueWanted() []flows.StepID {
	if !c.Rescuing() || c.Closed() {
		return nil
	}
	var out []flows.StepID
	for _, s := range flows.RescueSteps {
		a, ok := c.Answers[s]
		if !ok || a.Skipped && a.At.Before(c.Rescue.At) {
			out = append(out, s)
		}
	}
	return out
}

// RescueItem is one line of the checklist.
type RescueItem struct {
	Step   flows.StepID
	Answer flows.Answer
	// Done means that something came in; Asked that it waits for an answer.
	Done, Asked bool
}

// RescueList is the checklist of the six items; empty before the packet was started.
func RescueList(c *Case) []RescueItem {
	if c.Rescue == nil {
		return nil
	}
	wanted := c.RescueWanted()
	var out []RescueItem
	for _, s := range flows.RescueSteps {
		a, ok := c.Answers[s]
		out = append(out, RescueItem{Step: s, Answer: a, Done: ok && !a.Skipped, Asked: slices.Contains(wanted, s)})
	}
	return out
}
