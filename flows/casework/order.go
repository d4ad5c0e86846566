package casework

import (
	"cmp"
	"slices"
	"time"

	"pulang/flows"
)

// Candidate is what the order of the queue needs to know of a case: no name, no place, no words. A store may keep it
// beside the sealed case, so that the queue is ordered without opening every case.
type Candidate struct {
	Code string `json:"code"`
	// Base is the class without waiting, LiftAt the two times at which waiting lifts it.
	Base       Class       `json:"base"`
	LiftAt     []time.Time `json:"lift_at,omitempty"`
	DueAt      time.Time   `json:"due_at"`
	PromisedAt time.Time   `json:"promised_at,omitzero"`
	CreatedAt  time.Time   `json:"created_at"`
	// LaterUntil keeps the case from being offered before that time; zero offers it now.
	LaterUntil time.Time `json:"later_until,omitzero"`
	// Windows are the safe hours of a person who may be called; empty when none are stated or no call is allowed.
	Windows []Window `json:"windows,omitempty"`
	// Female asks for a woman officer.
	Female bool `json:"female,omitempty"`
}

// Queued reports whether the case waits for a human at all: neither closed nor settled. One with a later attempt is
// queued too, see Candidate.Waiting.
func Queued(c *Case) bool { return !c.Closed() && c.SettledAt.IsZero() }

// CandidateOf returns the case as the order sees it; of use only for a Queued case that was rescored.
func CandidateOf(c *Case) Candidate {
	k := Candidate{
		Code: c.Code, Base: base(c), LiftAt: c.LiftAt, DueAt: c.DueAt, PromisedAt: c.PromisedAt,
		CreatedAt: c.CreatedAt, LaterUntil: c.LaterUntil,
		Female: c.Answers[flows.StepUrgentNeeds].Has("female_officer"),
	}
	if standingNo(c) == "" {
		k.Windows = c.Windows
	}
	return k
}

// Class is the class in which the case stands at now.
func (k Candidate) Class(now time.Time) Class { return lift(k.Base, k.LiftAt, now) }

// Waiting reports whether the case is to be offered at now, rather than at a later attempt.
func (k Candidate) Waiting(now time.Time) bool { return !k.LaterUntil.After(now) }

// Overdue reports whether a human should have acted by now.
func (k Candidate) Overdue(now time.Time) bool { return k.DueAt.Before(now) }

// closing is how long before its end an open safe window puts a case at the head of its class.
const closing = 30 * time.Minute

// fifth: while no P1 waits, every fifth Next of a mission takes the oldest overdue P3 or P4, so that nobody starves.
const fifth = 5

// Why a case stands where it does: catalogue keys below "because.".
const (
	BecauseP1      = "p1"
	BecauseClosing = "window_closing"
	BecausePromise = "promise_missed"
	BecauseFemale  = "female_officer"
	BecauseOverdue = "overdue"
	BecauseDue     = "due"
	BecauseFifth   = "fifth_turn"
	BecauseLater   = "later"
)

// Becauses lists every reason of Because, for the catalogue's test.
var Becauses = []string{
	BecauseP1, BecauseClosing, BecausePromise, BecauseFemale, BecauseOverdue, BecauseDue, BecauseFifth, BecauseLater,
}

// Because says why the case stands where it does in the order.
func Because(k Candidate, now time.Time, r Rules) string {
	p := placeOf(k, now, r, false)
	switch {
	case p.later:
		return BecauseLater
	case p.class == 1:
		return BecauseP1
	case p.tier == tierClosing:
		return BecauseClosing
	case p.tier == tierPromise:
		return BecausePromise
	case k.Overdue(now):
		return BecauseOverdue
	}
	return BecauseDue
}

// place is a case's position: class first, then what changes the order inside a class, then time.
type place struct {
	later bool
	class int
	tier  int
	at    int64 // the promised time, the due time, or the time of the later attempt
	since int64 // the oldest case first
	code  string
	index int
}

const (
	tierClosing = iota // an open window ends within half an hour
	tierPromise        // a promised time has passed: the oldest promise first
	tierFemale         // asked for a woman officer, and one is asking
	tierDue
)

func placeOf(k Candidate, now time.Time, r Rules, female bool) place {
	p := place{class: k.Class(now).rank(), tier: tierDue, at: k.DueAt.UnixNano(), since: k.CreatedAt.UnixNano(), code: k.Code}
	switch {
	case !k.Waiting(now):
		p.later, p.at = true, k.LaterUntil.UnixNano()
	case windowCloses(k, now, r):
		p.tier = tierClosing
	case !k.PromisedAt.IsZero() && !k.PromisedAt.After(now):
		p.tier, p.at = tierPromise, k.PromisedAt.UnixNano()
	case female && k.Female && !k.Overdue(now):
		p.tier = tierFemale
	}
	return p
}

func windowCloses(k Candidate, now time.Time, r Rules) bool {
	s, open := OpenSpan(k.Windows, r.zone(), now)
	return open && s.To.Sub(now) <= closing
}

func comparePlaces(a, b place) int {
	if a.later != b.later {
		if a.later {
			return 1
		}
		return -1
	}
	if a.later { // those with a later attempt stand by time, whatever their class
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.class, b.class), cmp.Compare(a.code, b.code))
	}
	return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.tier, b.tier), cmp.Compare(a.at, b.at),
		cmp.Compare(a.since, b.since), cmp.Compare(a.code, b.code))
}

// Order sorts the candidates as the queue offers them: P1 first, callable or not, inside a class the windows that
// close soon, missed promises, then due time; behind them those with a later attempt, by its time.
func Order(all []Candidate, now time.Time, r Rules) {
	places := placesOf(all, now, r, false)
	slices.SortFunc(places, comparePlaces)
	sorted := make([]Candidate, len(all))
	for i, p := range places {
		sorted[i] = all[p.index]
	}
	copy(all, sorted)
}

func placesOf(all []Candidate, now time.Time, r Rules, female bool) []place {
	places := make([]place, len(all))
	for i, k := range all {
		places[i] = placeOf(k, now, r, female)
		places[i].index = i
	}
	return places
}

// Pick chooses what Next offers to this officer among the candidates that nobody holds, in any order, and returns
// its index; false when nothing waits for this officer. turn counts the mission's Nexts, from 1. skip are codes that
// the officer passed over: they are not offered again, except that a waiting P1 is never passed over for less.
func Pick(all []Candidate, turn int64, officer Officer, skip []string, now time.Time, r Rules) (index int, because string, ok bool) {
	best, bestP1 := -1, -1
	places := placesOf(all, now, r, officer.Female)
	for i, p := range places {
		k := all[i]
		if p.later || !offered(k, officer, now) {
			continue
		}
		if p.class == 1 && (bestP1 < 0 || comparePlaces(p, places[bestP1]) < 0) {
			bestP1 = i
		}
		if slices.Contains(skip, k.Code) {
			continue
		}
		if best < 0 || comparePlaces(p, places[best]) < 0 {
			best = i
		}
	}
	switch {
	case bestP1 >= 0:
		if best < 0 || places[best].class != 1 {
			best = bestP1
		}
		return best, BecauseP1, true
	case turn%fifth == 0:
		if i := starving(all, officer, skip, now); i >= 0 {
			return i, BecauseFifth, true
		}
	}
	if best < 0 {
		return 0, "", false
	}
	if places[best].tier == tierFemale {
		return best, BecauseFemale, true
	}
	return best, Because(all[best], now, r), true
}

// offered: a case that asks for a woman officer goes to women first, to anybody once it is overdue or a P1.
func offered(k Candidate, officer Officer, now time.Time) bool {
	return !k.Female || officer.Female || k.Overdue(now) || k.Class(now) == P1
}

// starving returns the overdue P3 or P4 that has been due for longest, or -1.
func starving(all []Candidate, officer Officer, skip []string, now time.Time) int {
	best := -1
	for i, k := range all {
		if !k.Waiting(now) || !k.Overdue(now) || !offered(k, officer, now) || slices.Contains(skip, k.Code) {
			continue
		}
		if class := k.Class(now); class != P3 && class != P4 {
			continue
		}
		if best < 0 || k.DueAt.Before(all[best].DueAt) ||
			k.DueAt.Equal(all[best].DueAt) && comparePlaces(placeTie(k), placeTie(all[best])) < 0 {
			best = i
		}
	}
	return best
}

// placeTie settles equal due times: the oldest case.
func placeTie(k Candidate) place { return place{since: k.CreatedAt.UnixNano(), code: k.Code} }

// Late is a group of the queue page: catalogue keys below "late.".
type Late string

// The groups, most pressing first.
const (
	LateCritical Late = "critical" // past twice the target
	LateOverdue  Late = "overdue"
	LateSoon     Late = "soon"    // within a quarter of the target, at least 15 minutes
	LateNotYet   Late = "not_yet" // includes what rests until a later attempt
)

// Lates lists the groups in the order of the page.
var Lates = []Late{LateCritical, LateOverdue, LateSoon, LateNotYet}

// Lateness is the group in which the queue page shows the case.
func Lateness(c *Case, now time.Time, r Rules) Late { return CandidateOf(c).Lateness(now, r) }

// Lateness is the group in which the queue page shows the case.
func (k Candidate) Lateness(now time.Time, r Rules) Late {
	target := r.Target(k.Class(now))
	left := k.DueAt.Sub(now)
	switch {
	case !k.Waiting(now):
		return LateNotYet
	case left < -target:
		return LateCritical
	case left < 0:
		return LateOverdue
	case left <= max(target/4, 15*time.Minute):
		return LateSoon
	}
	return LateNotYet
}
