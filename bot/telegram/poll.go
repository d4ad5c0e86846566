package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	tg "github.com/go-telegram/bot"
)

const (
	// maxRetryWait keeps a recovery well below the 150 seconds for which Telegram keeps a tap.
	maxRetryWait = 15 * time.Second
	// maxParallel bounds the persons of one batch that are handled at once.
	maxParallel = 32
)

// Poll fetches updates until ctx ends, and then waits for those under way. It returns nil after an orderly stop and
// ErrToken when Telegram refuses the token; everything else is tried again. A webhook that stands in the way is
// removed first; waiting updates are kept. One process may poll.
func (c *Channel) Poll(ctx context.Context) error {
	var (
		offset   int64
		ready    bool
		failures int
		good     = c.now() // until when updates were surely accepted
	)
	for ctx.Err() == nil {
		err := error(nil)
		if !ready {
			err = c.prepare(ctx)
			ready = err == nil
		}
		if err == nil {
			offset, err = c.round(ctx, offset)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			c.works()
			good, failures = c.now(), 0
			continue
		}
		if err := tokenError(err); errors.Is(err, ErrToken) {
			return err
		}
		failures++
		if _, some := err.(partly); some {
			// Others' updates were accepted: this is one person's trouble and no gap.
			c.works()
			good = c.now()
			c.health.fail(good)
			c.log.Warn("an update was not accepted, and will be asked for again", "err", err, "tries", failures)
		} else {
			c.refused(good, "updates are not accepted, and will be asked for again", err)
		}
		if !sleep(ctx, c.waitAfter(err, failures)) {
			return nil
		}
	}
	return nil
}

// prepare asks who the bot is and removes a webhook.
func (c *Channel) prepare(ctx context.Context) error {
	if _, err := c.Me(ctx); err != nil {
		return err
	}
	return c.insist(ctx, "deleteWebhook", func(ctx context.Context) error {
		_, err := c.api.bot.DeleteWebhook(ctx, &tg.DeleteWebhookParams{DropPendingUpdates: false})
		return err
	})
}

// waitAfter is the wait before the next try.
func (c *Channel) waitAfter(err error, failures int) time.Duration {
	wait := min(c.retryWait<<min(failures-1, 6), maxRetryWait)
	var e *callError
	if !errors.As(err, &e) {
		// The store is down. Its recovery is noticed by trying, and nobody but it is burdened.
		return min(wait, 4*c.retryWait)
	}
	switch e.Code {
	case http.StatusTooManyRequests:
		return max(wait, e.RetryAfter)
	case http.StatusConflict:
		// Another program polls with this token, or has set a webhook. Which of the two is right is for an operator
		// to say; fighting for it would only interrupt both.
		c.log.Warn("another program receives this bot's updates: only one may", "telegram", e.Description)
		return max(wait, 5*c.retryWait)
	}
	return wait
}

// round fetches one batch and accepts it. The new offset confirms to Telegram everything below it, and is that of
// the first update that could not be committed. An error means that something could not.
func (c *Channel) round(ctx context.Context, offset int64) (int64, error) {
	list, err := c.api.updates(ctx, offset, c.longPoll)
	if err != nil {
		return offset, err
	}
	received := time.Now()
	c.health.poll(c.now())
	if len(list) == 0 {
		// Everything below offset is confirmed now. After a week without updates Telegram starts again at a random
		// number, perhaps a lower one; asking without an offset finds it.
		return 0, nil
	}
	batch := c.parseAll(list, offset)
	first, some, err := c.acceptAll(ctx, batch)
	for range first {
		c.onAck(time.Since(received)) // by the next call, which is made at once
	}
	if err != nil && some {
		err = partly{err}
	}
	if err != nil {
		return batch[first].place, err
	}
	last := batch[0].place
	for _, p := range batch {
		last = max(last, p.place)
	}
	return last + 1, nil
}

// parseAll reads a batch. An update without a readable id gets the place of its neighbour plus one, which is how Telegram counts,
// so that it cannot come for ever.
func (c *Channel) parseAll(list []json.RawMessage, offset int64) []*parsed {
	batch := make([]*parsed, len(list))
	last := offset - 1
	for i, raw := range list {
		p := c.parse(raw)
		p.place = p.id
		if p.place <= 0 {
			p.place = max(last, 0) + 1
		}
		last = p.place
		batch[i] = &p
	}
	return batch
}

// acceptAll accepts a batch: persons in parallel, each person's updates in order, and after a failure none of the
// same person's. It waits for all, and returns the place of the earliest update that is not accepted, and whether
// others were.
func (c *Channel) acceptAll(ctx context.Context, batch []*parsed) (first int, some bool, why error) {
	var keys []string
	lists := map[string][]int{}
	for i, p := range batch {
		if lists[p.key] == nil {
			keys = append(keys, p.key)
		}
		lists[p.key] = append(lists[p.key], i)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		slots = make(chan struct{}, maxParallel)
	)
	first = len(batch)
	for _, key := range keys {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			for _, i := range lists[key] {
				err := c.accept(ctx, batch[i])
				mu.Lock()
				some = some || err == nil && !batch[i].skip
				if err != nil && i < first {
					first, why = i, err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return first, some, why
}

// partly is the error of a batch of which something was accepted.
type partly struct{ error }

func (p partly) Unwrap() error { return p.error }
