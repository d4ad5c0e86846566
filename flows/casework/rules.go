package casework

import (
	"strings"
	"time"
)

// Rules are the numbers of one mission. The zero Rules are usable: UTC and the targets of DefaultRules.
type Rules struct {
	// Country is where the mission is (ISO 3166-1 alpha-2).
	Country string
	// Zone is the clock by which safe hours are read; nil is UTC.
	Zone *time.Location
	// Targets are the times within which a human acts. A missing class has the default's.
	Targets map[Class]time.Duration
	// LiftP4 is the waiting that lifts P4 to P3, LiftP3 the further waiting that lifts P3 to P2; zero is the
	// default's.
	LiftP4, LiftP3 time.Duration
	// Conflict are the provinces with a travel advisory, in lower case.
	Conflict map[string]bool
	// CallCap is the number of rings in 24 hours; zero is the default's. A ringing phone exposes a captive.
	CallCap int
}

// DefaultRules are what a mission file that says nothing else stands for.
func DefaultRules() Rules {
	return Rules{
		Zone:    time.UTC,
		Targets: map[Class]time.Duration{P1: 15 * time.Minute, P2: 2 * time.Hour, P3: 12 * time.Hour, P4: 24 * time.Hour},
		LiftP4:  24 * time.Hour,
		LiftP3:  24 * time.Hour,
		CallCap: 4,
	}
}

var defaults = DefaultRules()

// Target is the time within which a human acts on a case of this class.
func (r Rules) Target(c Class) time.Duration {
	if d := r.Targets[c]; d > 0 {
		return d
	}
	if d := defaults.Targets[c]; d > 0 {
		return d
	}
	return defaults.Targets[P4]
}

func (r Rules) zone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

func (r Rules) lifts() (p4, p3 time.Duration) {
	p4, p3 = r.LiftP4, r.LiftP3
	if p4 <= 0 {
		p4 = defaults.LiftP4
	}
	if p3 <= 0 {
		p3 = defaults.LiftP3
	}
	return p4, p3
}

func (r Rules) callCap() int {
	if r.CallCap <= 0 {
		return defaults.CallCap
	}
	return r.CallCap
}

func (r Rules) conflict(province string) bool {
	return province != "" && r.Conflict[strings.ToLower(province)]
}
