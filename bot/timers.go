package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// Chore is something that every line needs doing now and then: ended leases, the audit chain.
type Chore struct {
	Name  string
	Every time.Duration
	Do    func(ctx context.Context, line string, now time.Time) error
}

// loopTimers is the name of the loop that takes due timers.
const loopTimers = "timers"

const (
	timerLook  = time.Second
	timerLease = 30 * time.Second
	timerBatch = 64
)

// RunTimers takes due timers of every line and does the chores, until ctx ends. Timers are rows in the store: they
// survive a restart, and a lease gives each to one replica at a time.
func (h *Hotline) RunTimers(ctx context.Context, chores ...Chore) error {
	var all sync.WaitGroup
	for line := range h.Lines {
		all.Go(func() {
			h.every(ctx, timerLook, loopTimers, line, func(now time.Time) error { return h.takeTimers(ctx, line, now) })
		})
		for _, c := range chores {
			all.Go(func() {
				h.every(ctx, c.Every, c.Name, line, func(now time.Time) error { return c.Do(ctx, line, now) })
			})
		}
	}
	all.Wait()
	return nil
}

// FireTimers takes every timer that is due by the Hotline's clock, once: for a clock that is not the machine's.
func (h *Hotline) FireTimers(ctx context.Context) error {
	var all error
	for line := range h.Lines {
		all = errors.Join(all, h.takeTimers(ctx, line, h.Clock()))
	}
	return all
}

// every calls f at once and then after each period. An error is told once an outage, not once a period.
func (h *Hotline) every(ctx context.Context, period time.Duration, what, line string, f func(time.Time) error) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	failing := false
	for {
		h.Round(line, what)
		err := f(h.Clock())
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != failing {
			failing = err != nil
			if failing {
				h.Log.Error(what, "line", line, "err", err)
			} else {
				h.Log.Info(what+" goes on", "line", line)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *Hotline) takeTimers(ctx context.Context, line string, now time.Time) error {
	for {
		due, err := h.Store.TakeTimers(ctx, line, now, timerBatch, timerLease)
		if err != nil {
			return err
		}
		var failed error
		for _, t := range due {
			h.Round(line, loopTimers) // a long batch is no standstill
			if err := h.fire(ctx, t, now); err != nil {
				// The lease ends and the timer comes again; the others go on meanwhile.
				failed = errors.Join(failed, fmt.Errorf("timer %s: %w", t.Name, err))
			}
		}
		if failed != nil || len(due) < timerBatch {
			return failed
		}
	}
}

// fire handles one timer that is due.
func (h *Hotline) fire(ctx context.Context, t Timer, now time.Time) error {
	request := "timer:" + t.Name + ":" + strconv.FormatInt(t.At.UnixMilli(), 36)
	if t.CaseID == "" {
		return h.Handle(ctx, Message{
			UpdateID: request, Line: t.Line, From: t.Contact, Can: h.can(t.Contact),
			Input: flows.Input{Kind: flows.KindTimer, Timer: t.Name, At: now},
		})
	}
	for range tries {
		c, version, err := h.Store.LoadCase(ctx, t.Line, t.CaseID)
		if errors.Is(err, ErrNotFound) {
			return nil // erased meanwhile; the store removes a case's timers with it
		}
		if err != nil {
			return err
		}
		if h.Lines[c.Mission] == nil {
			c.Mission, c.Offer = t.Line, nil // as with the person's next message, see place
		}
		rules := h.rulesOf(t.Line, c)
		ch := Change{
			// With the version: a timer that found nothing to do and was set for the same time again is no repeat.
			Line: t.Line, Request: request + ":" + t.CaseID + ":" + strconv.FormatInt(version, 36), Case: c, CaseVer: version,
			Timers: []Timer{{Line: t.Line, Name: t.Name, CaseID: t.CaseID}},
		}
		if t.Name == casework.TimerRetain {
			if gone, err := h.fade(ctx, &ch, now); gone || err != nil {
				return err
			}
		}
		if t.Name == casework.TimerReopen {
			h.left(ctx, c)
		}
		h.happened(&ch, casework.OnTimer(c, t.Name, now, rules), now)
		h.happened(&ch, c.Rescore(now, rules), now)
		for _, next := range casework.Timers(c, now, rules) {
			ch.Timers = append(ch.Timers, Timer{Line: t.Line, Name: next.Name, CaseID: t.CaseID, At: next.At})
		}
		done, err := h.Store.Commit(ctx, ch)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err == nil && h.dispatch != nil {
			h.dispatch(done.Leased(ch, func(to Contact) time.Time { return lastWrote(c, to) }))
		}
		return err
	}
	return fmt.Errorf("timer %s: %w after %d tries", t.Name, ErrConflict, tries)
}

// left notes that everybody who wrote after a case was closed turned to a new matter: a commit holds one case, and the one
// that opened the new matter could not say so on this one. When in doubt the case comes back.
func (h *Hotline) left(ctx context.Context, c *casework.Case) {
	some := false
	for _, k := range c.Contacts {
		if !k.LastIn.After(c.SeenIn) {
			continue
		}
		snap, err := h.Store.Load(ctx, c.Line, ContactOf(k), "")
		if err != nil || !slices.Contains(snap.State.Older, c.Code) {
			return
		}
		some = true
	}
	if some {
		c.Left()
	}
}

// can is what the channel of a contact is able to do, for a turn that no message began.
func (h *Hotline) can(c Contact) flows.Can {
	return h.Cans[c.Channel]
}
