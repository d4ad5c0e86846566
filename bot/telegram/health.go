package telegram

import (
	"context"
	"sync"
	"time"

	"github.com/go-telegram/bot/models"
)

// Health is how the channel is doing. Zero times mean "not yet".
type Health struct {
	LastUpdate time.Time // an update was accepted
	LastPoll   time.Time // getUpdates was answered; zero with a webhook
	LastFail   time.Time // an update could not be accepted, or getUpdates failed
	LastSend   time.Time // a message was sent
	// Pending is the number of updates that Telegram keeps for us.
	Pending int
	// Webhook is true when Telegram delivers by webhook. WebhookError is what it last complained about, and when.
	Webhook        bool
	WebhookError   string
	WebhookErrorAt time.Time
}

type health struct {
	mu sync.Mutex
	h  Health
}

func (h *health) set(f func(*Health)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.h)
}

func (h *health) update(now time.Time) { h.set(func(h *Health) { h.LastUpdate = now }) }
func (h *health) poll(now time.Time)   { h.set(func(h *Health) { h.LastPoll = now }) }
func (h *health) fail(now time.Time)   { h.set(func(h *Health) { h.LastFail = now }) }
func (h *health) sent(now time.Time)   { h.set(func(h *Health) { h.LastSend = now }) }

// Health asks Telegram how many updates wait, and returns what is known otherwise even when Telegram does not
// answer. The error is ErrToken when the token is refused.
func (c *Channel) Health(ctx context.Context) (Health, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var info *models.WebhookInfo
	_, err := c.api.call(ctx, "getWebhookInfo", func(ctx context.Context) (err error) {
		info, err = c.api.bot.GetWebhookInfo(ctx)
		return err
	})
	c.health.mu.Lock()
	h := c.health.h
	c.health.mu.Unlock()
	if err != nil {
		return h, tokenError(err)
	}
	if info != nil {
		h.Pending, h.Webhook, h.WebhookError = info.PendingUpdateCount, info.URL != "", c.api.clean(info.LastErrorMessage)
		if info.LastErrorDate > 0 {
			h.WebhookErrorAt = time.Unix(int64(info.LastErrorDate), 0).UTC()
		}
	}
	return h, nil
}

// Known is Health without asking Telegram.
func (c *Channel) Known() Health {
	c.health.mu.Lock()
	defer c.health.mu.Unlock()
	return c.health.h
}
