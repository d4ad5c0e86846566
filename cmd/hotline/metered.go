package main

import (
	"context"
	"errors"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/flows"
)

// kinds are the input kinds that may be a label.
var kinds = map[flows.Kind]bool{flows.KindText: true, flows.KindTap: true, flows.KindLocation: true, flows.KindMedia: true,
	flows.KindContact: true, flows.KindBlocked: true, flows.KindUnblock: true}

// reasons are the reasons of a failed send that may be a label, keys below "send." of the catalogue.
var reasons = map[string]bool{"blocked": true, "deactivated": true, "no_chat": true, "bad_request": true, "empty": true, "rate": true,
	"down": true, "unknown": true, "unauthorised": true, "store": true, "stopping": true, "ended": true, "restricted": true}

const other = "other"

// meteredHandler counts what passes through Handle on its way to the hotline.
type meteredHandler struct {
	*bot.Hotline
	m *metrics
	// acks is false where the channel tells by itself when it has acknowledged; elsewhere that follows at once.
	acks bool
}

// Handle counts and passes on.
func (h meteredHandler) Handle(ctx context.Context, msg bot.Message) error {
	began := time.Now()
	err := h.Hotline.Handle(ctx, msg)
	kind, channel := other, msg.From.Channel
	if kinds[msg.Input.Kind] {
		kind = string(msg.Input.Kind)
	}
	if err != nil {
		h.m.messages.WithLabelValues(msg.Line, channel, kind, "refused").Inc()
		return err
	}
	now := time.Now()
	h.m.messages.WithLabelValues(msg.Line, channel, kind, "stored").Inc()
	h.m.ack.WithLabelValues(channel, "committed").Observe(now.Sub(began).Seconds())
	if h.acks {
		h.m.ack.WithLabelValues(channel, "acknowledged").Observe(now.Sub(began).Seconds())
	}
	h.m.traffic.in(msg.Line, msg.From.Account)
	h.m.lastIn.WithLabelValues(msg.Line, channel).Set(float64(now.UnixMilli()) / 1000)
	if !msg.Input.At.IsZero() {
		// Messengers tell whole seconds, and their clock may be ahead of ours.
		h.m.delay.WithLabelValues(channel).Observe(max(now.Sub(msg.Input.At).Seconds(), 0))
	}
	return nil
}

// SetAside counts and passes on.
func (h meteredHandler) SetAside(ctx context.Context, line string, a bot.Aside) error {
	err := h.Hotline.SetAside(ctx, line, a)
	if err == nil {
		h.m.asides.WithLabelValues(line, a.Channel).Inc()
	}
	return err
}

// meteredChannel counts what a channel sends.
type meteredChannel struct {
	bot.Channel
	line string
	m    *metrics
}

// Pause keeps the channel's own pace; zero for a channel that has none.
func (c meteredChannel) Pause() time.Duration {
	if p, ok := c.Channel.(bot.Pacer); ok {
		return p.Pause()
	}
	return 0
}

// Idle is the channel's own; false for one that every process can send on.
func (c meteredChannel) Idle() bool {
	i, ok := c.Channel.(bot.Idler)
	return ok && i.Idle()
}

// Send counts and passes on.
func (c meteredChannel) Send(ctx context.Context, r bot.Row) (string, error) {
	began := time.Now()
	id, err := c.Channel.Send(ctx, r)
	now, result := time.Now(), "sent"
	c.m.send.WithLabelValues(c.Name()).Observe(now.Sub(began).Seconds())
	if err != nil {
		result = "failed"
		c.m.sendFails.WithLabelValues(c.line, c.Name(), why(err)).Inc()
	} else {
		c.m.traffic.out(c.line, c.Account())
		c.m.lastOut.WithLabelValues(c.line, c.Name()).Set(float64(now.UnixMilli()) / 1000)
		if r.Kind == "reply" && !r.CreatedAt.IsZero() {
			c.m.reply.WithLabelValues(c.Name()).Observe(max(now.Sub(r.CreatedAt).Seconds(), 0))
		}
	}
	c.m.sends.WithLabelValues(c.line, c.Name(), result).Inc()
	if r.Kind == bot.KindAlert {
		c.m.alerts.WithLabelValues(c.line, result).Inc()
	}
	return id, err
}

// why is the reason of a failed send as a label.
func why(err error) string {
	var se *bot.SendError
	if errors.As(err, &se) && reasons[se.Why] {
		return se.Why
	}
	return other
}

// meteredStore counts commits and how late timers are.
type meteredStore struct {
	*store.Store
	m *metrics
}

var commitResults = []string{"ok", "repeat", "conflict", "code", "lease", "error"}

// Commit counts and passes on.
func (s meteredStore) Commit(ctx context.Context, c bot.Change) (bot.Committed, error) {
	began := time.Now()
	done, err := s.Store.Commit(ctx, c)
	s.m.commit.Observe(time.Since(began).Seconds())
	result := "ok"
	switch {
	case err == nil && done.Repeat:
		result = "repeat"
	case err == nil:
	case errors.Is(err, bot.ErrConflict):
		result = "conflict"
	case errors.Is(err, bot.ErrCodeTaken):
		result = "code"
	case errors.Is(err, bot.ErrLease):
		result = "lease"
	default:
		result = "error"
	}
	s.m.commits.WithLabelValues(result).Inc()
	return done, err
}

// TakeTimers counts and passes on.
func (s meteredStore) TakeTimers(ctx context.Context, line string, now time.Time, n int, lease time.Duration) ([]bot.Timer, error) {
	due, err := s.Store.TakeTimers(ctx, line, now, n, lease)
	for _, t := range due {
		s.m.timerLate.Observe(max(now.Sub(t.At).Seconds(), 0))
	}
	return due, err
}
