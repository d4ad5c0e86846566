package bot

import (
	"context"
	"errors"
	"time"

	"pulang/flows/casework"
)

// Retainer removes what has been kept long enough.
type Retainer interface {
	// Fade removes from a case's conversation what goes with a step: the references to files, or what was said. Doing it
	// twice is harmless.
	Fade(ctx context.Context, line, caseID string, step casework.Fade) error
	// EraseAged erases a case for good; ErrNotFound when it is gone, ErrHeld when it is under a legal hold.
	EraseAged(ctx context.Context, line, caseID string) error
	// Record adds a row to the audit log.
	Record(ctx context.Context, mission string, a Audit) error
}

// fade does the step of retention that is due for a case. gone is true when there is no case any more.
func (h *Hotline) fade(ctx context.Context, t Timer, now time.Time) (gone bool, err error) {
	c, _, err := h.Store.LoadCase(ctx, t.Line, t.CaseID)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	if err != nil || h.Retain == nil {
		return false, err
	}
	step, at := c.Fades(now)
	if step == casework.FadeNone || at.After(now) {
		return false, nil // reopened or held meanwhile
	}
	if step == casework.FadeCase {
		// The row is written first: an erasure that nobody can account for is worse than a row too many.
		if err := h.Retain.Record(ctx, c.Mission, retained(c, step, now)); err != nil {
			return false, err
		}
		err := h.Retain.EraseAged(ctx, t.Line, t.CaseID)
		if errors.Is(err, ErrHeld) {
			return false, nil // one that goes on in this one is; it is tried again when the hold is lifted
		}
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return err == nil, err
	}
	for _, l := range c.Linked {
		if err := h.Retain.Fade(ctx, t.Line, l.ID, step); err != nil {
			return false, err
		}
	}
	return false, h.Retain.Fade(ctx, t.Line, t.CaseID, step)
}

// faded notes on the case what fade has removed.
func (h *Hotline) faded(ch *Change, now time.Time) {
	step, at := ch.Case.Fades(now)
	if h.Retain == nil || step == casework.FadeNone || step == casework.FadeCase || at.After(now) {
		return
	}
	ch.Case.Faded = step
	ch.Audit = append(ch.Audit, retained(ch.Case, step, now))
}

func retained(c *casework.Case, step casework.Fade, now time.Time) Audit {
	return Audit{At: now, Who: "hotline", What: "retention", Code: c.Code, Field: step.String()}
}
