package bot

import "time"

// sentRow is a row that left, without what it said: a busy relay holds many of them. leased is when it was handed out,
// stored when the store took its result, zero before.
type sentRow struct {
	Sent
	leased, stored time.Time
}

// left notes a row that left.
func (a *account) left(s Sent, leased time.Time) {
	s.Row.Out = Outgoing{}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent[s.Row.ID] = &sentRow{Sent: s, leased: leased}
}

// leftBefore reports whether the row left already. Its result bears the new lease then; it is returned to be stored
// once more when it was stored before, so that the contact is free again.
func (a *account) leftBefore(r Row) (again *Sent, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.sent[r.ID]
	if was == nil {
		return nil, false
	}
	was.Row.Lease = r.Lease
	if was.stored.IsZero() {
		return nil, true
	}
	s := was.Sent
	return &s, true
}

// fresh gives a result the lease that its row has now.
func (a *account) fresh(s *Sent) {
	if was := a.sent[s.Row.ID]; was != nil {
		s.Row.Lease = was.Row.Lease
	}
}

// leaseEnds is how long after its lease began a row may be on its way to a second sender: with something to spare.
const leaseEnds = RowLease - 5*time.Second

// stored notes that the store has this result, and forgets those that no lease can bring back any more: at once when
// the lease had not ended by then, so that nobody can have been handed the row meanwhile.
func (a *account) stored(s Sent, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if was := a.sent[s.Row.ID]; was != nil {
		was.stored = now
		if now.Sub(was.leased) < leaseEnds {
			delete(a.sent, s.Row.ID)
		}
	}
	if now.Sub(a.swept) > RowLease {
		a.swept = now
		for id, was := range a.sent {
			if !was.stored.IsZero() && now.Sub(was.stored) > 2*RowLease {
				delete(a.sent, id)
			}
		}
	}
}
