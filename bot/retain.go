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
	// EraseAged erases a case for good, with a row in the audit log; ErrNotFound when it is gone, ErrHeld when it is under a
	// legal hold.
	EraseAged(ctx context.Context, line, caseID string, row Audit) error
}

// fade does the step of retention that is due for a case, and notes it in the change. gone is true when there is no
// case any more. What goes goes before it is noted: a case that says that it is gone is not looked at again.
func (h *Hotline) fade(ctx context.Context, ch *Change, now time.Time) (gone bool, err error) {
	c := ch.Case
	step, at := c.Fades(now)
	if h.Retain == nil || step == casework.FadeNone || at.After(now) {
		return false, nil // reopened or held meanwhile
	}
	row := Audit{At: now, Who: "hotline", What: "retention", Code: c.Code, Field: step.String()}
	if step == casework.FadeCase {
		err := h.Retain.EraseAged(ctx, ch.Line, c.ID, row)
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return err == nil, err
	}
	for _, l := range c.Linked {
		if err := h.Retain.Fade(ctx, ch.Line, l.ID, step); err != nil {
			return false, err
		}
	}
	if err := h.Retain.Fade(ctx, ch.Line, c.ID, step); err != nil {
		return false, err
	}
	c.Faded, ch.Audit = step, append(ch.Audit, row)
	return false, nil
}
