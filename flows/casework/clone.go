package casework

import (
	"maps"
	"slices"
)

// Clone is a copy of the case as a store would give it back: it shares nothing that can be changed, and what is
// only kept until the next Rescore is gone.
func (c *Case) Clone() *Case {
	n := *c
	n.alarm, n.again = false, false
	n.Answers = maps.Clone(c.Answers)
	for step, a := range n.Answers {
		a.Values = slices.Clone(a.Values)
		a.Location = copied(a.Location)
		n.Answers[step] = a
	}
	n.Locations = slices.Clone(c.Locations)
	n.Signals = maps.Clone(c.Signals)
	n.Windows = slices.Clone(c.Windows)
	n.Contacts = slices.Clone(c.Contacts)
	n.Triage.Reasons = slices.Clone(c.Triage.Reasons)
	if n.Override = copied(c.Override); n.Override != nil {
		n.Override.Seen = slices.Clone(n.Override.Seen)
	}
	n.LiftAt = slices.Clone(c.LiftAt)
	n.Milestones = slices.Clone(c.Milestones)
	n.Attempts = slices.Clone(c.Attempts)
	n.Rescue = copied(c.Rescue)
	n.Offer = copied(c.Offer)
	n.Hold = copied(c.Hold)
	n.Linked = slices.Clone(c.Linked)
	for i, l := range n.Linked {
		l.Contacts, l.Answers = slices.Clone(l.Contacts), slices.Clone(l.Answers)
		l.Signals, l.Attempts = slices.Clone(l.Signals), slices.Clone(l.Attempts)
		l.Windows = slices.Clone(l.Windows)
		n.Linked[i] = l
	}
	if n.Into = copied(c.Into); n.Into != nil && n.Into.Was != nil {
		n.Into.Was = n.Into.Was.Clone()
	}
	return &n
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
