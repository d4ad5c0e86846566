package casework

import (
	"time"

	"pulang/flows"
)

// The reasons for which a phone may not ring: catalogue keys below "call.".
const (
	CallClosed        = "closed"
	CallMuted         = "muted"         // BERHENTI
	CallNeverAsked    = "never_asked"   // no answer to contact_pref
	CallWithdrawn     = "withdrawn"     // danger or watched came after the permission, or an officer ended it
	CallTextOnly      = "text_only"     // the person's choice
	CallWaitForMe     = "wait_for_me"   // the person's choice
	CallNoHours       = "no_hours"      // call_window, but no hours that were understood
	CallNumberWrong   = "number_wrong"  // the number belongs to somebody else, no other is known
	CallOutcomeFirst  = "outcome_first" // the last attempt has no outcome yet
	CallCapReached    = "cap_reached"   // as many rings in 24 hours as are allowed
	CallWindowClosed  = "window_closed" // outside the stated hours
	CallTooSoon       = "too_soon"      // spacing between rings
	CallOncePerWindow = "once_per_window"
)

// CallWhys lists every CallVerdict.Why, for the catalogue's test.
var CallWhys = []string{
	CallClosed, CallMuted, CallNeverAsked, CallWithdrawn, CallTextOnly, CallWaitForMe, CallNoHours, CallNumberWrong,
	CallOutcomeFirst, CallCapReached, CallWindowClosed, CallTooSoon, CallOncePerWindow,
}

// The schedule of rings that nobody answers.
const (
	secondRing = 15 * time.Minute
	thirdRing  = 60 * time.Minute
	capSpan    = 24 * time.Hour
	// agreedFor is how long a time that the person agreed to by voice counts as a safe hour of its own.
	agreedFor = 30 * time.Minute
	// dialFor is how long after its start an attempt lets the number be seen.
	dialFor = 10 * time.Minute
)

// CallVerdict is what MayCall says.
type CallVerdict struct {
	OK bool
	// Why is the reason against it, a catalogue key below "call."; empty when OK.
	Why string
	// Opens is the earliest time at which it would be allowed; zero when only a new answer, a new number or an
	// officer's act can change it.
	Opens time.Time
	// Closes is the end of the safe window that is open now; zero when no hours are stated or none is open.
	Closes time.Time
	// Left is the number of rings that remain of the cap at this moment.
	Left int
}

// MayCall decides whether the person's phone may ring now. A supervisor may go against it with a reason, see
// StartAttempt; nobody may call on a closed case.
func MayCall(c *Case, now time.Time, r Rules) CallVerdict {
	v := CallVerdict{Left: max(0, r.callCap()-ringsSince(c, now.Add(-capSpan)))}
	if s, open := callSpan(c, r, now); open {
		v.Closes = s.To
	}
	if v.Why = standingNo(c); v.Why != "" {
		return v
	}
	at, why := earliestRing(c, now, r)
	if why != "" {
		v.Why, v.Opens = why, at
		return v
	}
	v.OK = true
	return v
}

// standingNo is the reason against a call that no waiting can remove; "" when there is none.
func standingNo(c *Case) string {
	switch {
	case c.Closed():
		return CallClosed
	case c.Muted:
		return CallMuted
	}
	switch c.Permission {
	case flows.CallAnytime:
	case flows.CallWindow:
		if len(c.Windows) == 0 {
			return CallNoHours
		}
	case flows.TextOnly:
		return CallTextOnly
	case flows.WaitForMe:
		return CallWaitForMe
	default:
		if len(c.Answers[flows.StepContactPref].Values) > 0 {
			return CallWithdrawn
		}
		return CallNeverAsked
	}
	if c.open(SignalWrongNumber) {
		return CallNumberWrong
	}
	if a := c.openAttempt(); a != nil {
		return CallOutcomeFirst
	}
	return ""
}

// earliestRing returns the first time from now on at which spacing, cap and hours all allow a ring, and what stands
// against now; why is "" when now is that time. The zero time with a why means: never by waiting alone.
func earliestRing(c *Case, now time.Time, r Rules) (at time.Time, why string) {
	at = now
	row := unanswered(c)
	if n := len(row); n > 0 {
		last := row[n-1].At
		gap := thirdRing
		if n == 1 {
			gap = secondRing
		}
		if free := last.Add(gap); free.After(at) {
			at, why = free, CallTooSoon
		}
		if n >= 3 {
			if s, in := callSpan(c, r, last); in || len(c.Windows) == 0 {
				if !in {
					s = quarterDay(last, r)
				}
				if s.To.After(at) {
					at, why = s.To, CallOncePerWindow
				}
			}
		}
	}
	// The cap looks back 24 hours from the moment of the ring.
	if rings := c.rings(); len(rings) >= r.callCap() {
		if free := rings[len(rings)-r.callCap()].At.Add(capSpan); free.After(at) {
			at, why = free, CallCapReached
		}
	}
	if len(c.Windows) == 0 {
		return at, why
	}
	if _, open := callSpan(c, r, now); !open {
		why = CallWindowClosed
	}
	if _, open := callSpan(c, r, at); !open {
		next, ok := NextSpan(c.Windows, r.zone(), at)
		if p := c.PromisedAt; p.After(at) && (!ok || p.Before(next.From)) {
			next, ok = Span{From: p}, true
		}
		if !ok {
			return time.Time{}, CallNoHours
		}
		at = next.From
	}
	return at, why
}

// callSpan is the stated hour that t falls into: a daily window, or the time that was agreed with the person.
func callSpan(c *Case, r Rules, t time.Time) (Span, bool) {
	s, ok := OpenSpan(c.Windows, r.zone(), t)
	if p := c.PromisedAt; !ok && !p.IsZero() && len(c.Windows) > 0 {
		s = Span{From: p, To: p.Add(agreedFor)}
		ok = s.holds(t)
	}
	return s, ok
}

// quarterDay stands for a safe window where any time is fine: attempts are to fall into different parts of the day.
func quarterDay(t time.Time, r Rules) Span {
	local := t.In(r.zone())
	y, m, d := local.Date()
	h := local.Hour() / 6 * 6
	return Span{From: time.Date(y, m, d, h, 0, 0, 0, r.zone()), To: time.Date(y, m, d, h+6, 0, 0, 0, r.zone())}
}

// rings are the attempts that made a phone ring, oldest first.
func (c *Case) rings() []Attempt {
	var out []Attempt
	for _, a := range c.Attempts {
		if a.rang() {
			out = append(out, a)
		}
	}
	return out
}

func (a Attempt) rang() bool { return a.Via != ViaChat && a.Via != ViaInPerson }

func ringsSince(c *Case, from time.Time) int {
	n := 0
	for _, a := range c.Attempts {
		if a.rang() && a.At.After(from) {
			n++
		}
	}
	return n
}

// unanswered are the rings since somebody was last spoken to.
func unanswered(c *Case) []Attempt {
	var out []Attempt
	for _, a := range c.Attempts {
		switch {
		case Outcomes[a.Outcome].Spoken:
			out = nil
		case a.rang():
			out = append(out, a)
		}
	}
	return out
}

// Dialing returns the attempt by this officer that allows the number to be shown although MayCall, which counts
// that very attempt, says no: it is recorded, has no outcome, began less than ten minutes ago, and nothing withdrew
// the permission since. A supervisor's override stands for the permission.
func Dialing(c *Case, officer string, now time.Time) (Attempt, bool) {
	a := c.openAttempt()
	if a == nil || a.By != officer || !a.rang() || c.Closed() || now.Sub(a.At) >= dialFor {
		return Attempt{}, false
	}
	if a.Override != "" {
		return *a, !c.SafetyAt.After(a.At)
	}
	calls := c.Permission == flows.CallAnytime || c.Permission == flows.CallWindow
	return *a, calls && !c.Muted && !c.open(SignalWrongNumber)
}

// SuggestNext proposes the time of the next ring, inside a safe window and at the pace of the class: P1 as soon as
// the gate allows, P2 the same up to three in a row, P3 and P4 three over three days at different hours. It is
// false when no ring is to follow: no permission, or the attempts are exhausted.
func SuggestNext(c *Case, now time.Time, r Rules) (time.Time, bool) {
	if why := standingNo(c); why != "" && why != CallOutcomeFirst || Exhausted(c, now, r) {
		return time.Time{}, false
	}
	class, row := Effective(c, now), unanswered(c)
	from := now
	if n := len(row); n > 0 && (class == P3 || class == P4) {
		from = anotherHour(row, r)
		if from.Before(now) {
			from = now
		}
	}
	at, why := earliestRing(c, from, r)
	if at.IsZero() && why != "" {
		return time.Time{}, false
	}
	return at, true
}

// anotherHour is a time on the day after the last of these rings, at an hour at which none of them was.
func anotherHour(row []Attempt, r Rules) time.Time {
	last := row[len(row)-1].At.In(r.zone())
	y, m, d := last.Date()
	for _, hour := range []int{18, 9, 13} {
		used := false
		for _, a := range row {
			if gap := a.At.In(r.zone()).Hour() - hour; gap > -3 && gap < 3 {
				used = true
			}
		}
		if !used {
			return time.Date(y, m, d+1, hour, 0, 0, 0, r.zone())
		}
	}
	return time.Date(y, m, d+1, 11, 0, 0, 0, r.zone())
}

// Exhausted reports whether the attempts that the class allows have been made: a P1 goes on by chat and stands on
// the supervisor's list, the others become dormant.
func Exhausted(c *Case, now time.Time, r Rules) bool {
	if Effective(c, now) == P1 {
		return ringsSince(c, now.Add(-capSpan)) >= r.callCap()
	}
	return len(unanswered(c)) >= 3
}
