package bot

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"pulang/flows"
)

// Beats remembers when each channel account last took messages, and who has a prompt with buttons before them.
type Beats interface {
	// Beat notes that the account takes messages now.
	Beat(ctx context.Context, line, account string, now time.Time) error
	// LastBeat returns the last Beat, zero when there was none.
	LastBeat(ctx context.Context, line, account string) (time.Time, error)
	// Prompted calls f for each contact of the account whose last prompt had buttons and was shown in [from, to].
	Prompted(ctx context.Context, line, account string, from, to time.Time, f func(Contact) error) error
}

const (
	// tapLife is how long Telegram keeps a tap for a bot that does not answer; typed messages are kept 24 hours.
	// Outages below gapNoticed lose no tap.
	gapNoticed = 120 * time.Second
	// promptLife bounds who is asked again: older prompts have gone cold anyway.
	promptLife = 24 * time.Hour
	beatEvery  = 10 * time.Second
)

// Asker asks people again after an outage in which their taps may have been lost.
type Asker struct {
	Hotline *Hotline
	Beats   Beats
}

// Watch beats for an account while healthy says so, and handles a gap before the start, or in between, of more than
// two minutes. It ends with ctx.
func (a *Asker) Watch(ctx context.Context, line string, account string, healthy func() bool) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		if healthy() {
			now := a.Hotline.Clock()
			last, err := a.Beats.LastBeat(ctx, line, account)
			if err == nil && !last.IsZero() && now.Sub(last) > gapNoticed {
				err = a.Gap(ctx, line, account, last, now)
			}
			if err == nil {
				err = a.Beats.Beat(ctx, line, account, now)
			}
			if err != nil && ctx.Err() == nil {
				a.Hotline.Log.Error("beat", "line", line, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Gap asks everybody again who had buttons before them when the account was out of reach between from and to. The
// conversation decides: who is safe is asked at once, others with their next message. Each gap asks once.
func (a *Asker) Gap(ctx context.Context, line, account string, from, to time.Time) error {
	h := a.Hotline
	h.Log.Warn("taps may have been lost", "line", line, "from", from, "to", to)
	id := "again:" + strconv.FormatInt(from.UnixMilli(), 36)
	return a.Beats.Prompted(ctx, line, account, from.Add(-promptLife), to, func(who Contact) error {
		err := h.Handle(ctx, Message{
			UpdateID: id, Line: line, From: who, Can: h.can(who),
			Input: flows.Input{Kind: flows.KindTimer, Timer: "again", At: to},
		})
		if err != nil {
			return fmt.Errorf("ask again: %w", err)
		}
		return nil
	})
}
