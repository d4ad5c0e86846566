package bot

import (
	"context"
	"time"
)

// store keeps a result, for as long as it takes. The store puts those that come together into one call.
func (a *account) store(s Sent) {
	for wait := 25 * time.Millisecond; ; wait = min(2*wait, 400*time.Millisecond) {
		a.mu.Lock()
		lease, stopped := RowLease, a.stopped
		a.fresh(&s)
		a.mu.Unlock()
		if stopped {
			lease = 0
		}
		// Tried until it is stored; at a stop for as long as a part may take, and then the row is sent again after the
		// next start, which is the repeat that the README admits.
		ctx, cancel := context.WithTimeout(a.r.sends, finishTimeout)
		next, err := a.r.Outbox.Finish(ctx, a.line, a.r.Clock(), []Sent{s}, lease)
		cancel()
		if err == nil {
			a.stored(s, a.r.Clock())
			for _, l := range next {
				a.pace(l, s)
			}
			return
		}
		a.notStored(err, time.Now())
		if stopped && a.over(time.Now()) {
			return
		}
		select {
		case <-a.r.sends.Done():
			return
		case <-time.After(wait):
		}
	}
}

// notStored logs that results could not be stored, once a second: every result is tried by itself.
func (a *account) notStored(err error, now time.Time) {
	a.mu.Lock()
	quiet := now.Sub(a.logged) < time.Second
	if !quiet {
		a.logged = now
	}
	a.mu.Unlock()
	if !quiet {
		a.r.Log.Error("outbox finish", "line", a.line, "channel", a.ch.Name(), "err", err)
	}
}

// over reports whether the store has had its time to take the last results; the first to ask begins it.
func (a *account) over(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.giveUp.IsZero() {
		a.giveUp = now.Add(stopPatience)
	}
	return now.After(a.giveUp)
}
