package casework

import "time"

// How long what a closed case holds is kept, from its closing on. A case that is open or under a legal hold is kept
// whole; nothing is kept for ever.
const (
	KeepFiles = 30 * 24 * time.Hour      // references to photos and voices in the messenger
	KeepChat  = 180 * 24 * time.Hour     // what was said in the conversation
	KeepCase  = 2 * 365 * 24 * time.Hour // the case itself: answers, notes, milestones
)

// Fade is what has gone of a closed case, each step with those before it.
type Fade int

// The steps in which a closed case goes.
const (
	FadeNone Fade = iota
	FadeFiles
	FadeChat
	FadeCase
)

// String is the step as the audit log names it.
func (f Fade) String() string { return [...]string{"none", "files", "chat", "case"}[f] }

// TimerRetain is due when the next step of a closed case is.
const TimerRetain = "retain"

// Hold is a legal hold: while it stands nothing of the case is erased, by age or by anybody.
type Hold struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Fades returns what goes next of the case, and when; FadeNone for one that is open, held, or goes on in another case,
// with which it goes. Of several steps that are due at now it is the furthest: it does what the others would have.
func (c *Case) Fades(now time.Time) (next Fade, at time.Time) {
	if !c.Closed() || c.Hold != nil || c.Into != nil || c.ClosedAt.IsZero() {
		return FadeNone, time.Time{}
	}
	for _, s := range []struct {
		what Fade
		keep time.Duration
	}{{FadeFiles, KeepFiles}, {FadeChat, KeepChat}, {FadeCase, KeepCase}} {
		due := c.ClosedAt.Add(s.keep)
		if s.what > c.Faded && (next == FadeNone || !due.After(now)) {
			next, at = s.what, due
		}
	}
	return next, at
}

// SetHold puts the case under a legal hold, for a reason, or with "" lifts the one that stands. A case that goes on in
// another one is held with that.
func SetHold(c *Case, reason, by string, now time.Time) ([]Event, error) {
	switch {
	case c.Into != nil:
		return nil, &Refused{Why: RefusedLinked}
	case reason != "" && c.Hold == nil:
		c.Hold = &Hold{By: by, Reason: reason, At: now}
		return []Event{{ID: EventHeld}}, nil
	case reason == "" && c.Hold != nil:
		c.Hold = nil
		return []Event{{ID: EventHoldLifted}}, nil
	}
	return nil, nil
}
