package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"pulang/bot"
)

// maxTries is how often an update is tried that makes the handler panic.
const maxTries = 5

// accept takes one update so far that it may be acknowledged: committed, put aside, or of no concern. After an error
// it must come again. It is the only way in, for Poll and for Webhook.
func (c *Channel) accept(ctx context.Context, p *parsed) error {
	if p.skip {
		if p.tap != "" {
			c.answer(p.tap)
		}
	}
	// Also while the program stops: a commit under way is finished rather than cut off and repeated.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.handleTimeout)
	defer cancel()
	if p.skip {
		return c.passed(ctx, p.id)
	}
	if p.tap != "" {
		c.answer(p.tap) // before everything else: the button shows a spinner until then
	}
	leave, err := c.lanes.enter(ctx, p.key)
	if err != nil {
		return fmt.Errorf("waiting for this person's earlier message: %w", err)
	}
	defer leave()

	again := c.trouble.known(p.id)
	why := p.broken
	if why == "" {
		err = c.try(ctx, p)
		switch {
		case err == nil:
			c.trouble.succeeded(p.id, p.key, c.now())
			if now := c.now(); p.late && !again {
				c.gap.late(p.msg.Input.At, now)
			}
			c.health.update(c.now())
			return nil
		case errors.Is(err, bot.ErrPanic):
			why = "the program stumbled over it " + strconv.Itoa(maxTries) + " times"
		case c.trouble.hopeless(p.id, p.key, c.now(), c.asideAfter):
			why = "could not be handled for " + c.asideAfter.String() + " while others could"
		default:
			return err
		}
	}
	if err := c.putAside(ctx, p, why); err != nil {
		return err
	}
	if err := c.passed(ctx, p.id); err != nil {
		return err
	}
	c.trouble.succeeded(p.id, "", c.now())
	c.health.update(c.now())
	return nil
}

// try handles the message, and again after a panic: what makes the program stumble once may be the moment, five times
// it is the message. The pauses are short and within the person's own lane, so that nobody else waits.
func (c *Channel) try(ctx context.Context, p *parsed) error {
	pause := c.tryPause
	for {
		err := c.handle(ctx, p.msg)
		if !errors.Is(err, bot.ErrPanic) {
			return err
		}
		if c.trouble.panicked(p.id, c.now()) >= maxTries {
			return err
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		pause *= 2
	}
}

// handle calls the handler and makes an error of a panic. What was thrown is not logged: it may hold a person's words.
func (c *Channel) handle(ctx context.Context, m bot.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			what := fmt.Sprintf("%T", r)
			if e, ok := r.(runtime.Error); ok {
				what = e.Error()
			}
			c.log.Error("panic while handling an update", "update", m.UpdateID, "what", what, "stack", string(debug.Stack()))
			err = bot.ErrPanic
		}
	}()
	return c.handler.Handle(ctx, m)
}

// putAside keeps an update where staff see it. Its error means that it is kept nowhere: it must come again.
func (c *Channel) putAside(ctx context.Context, p *parsed, why string) (err error) {
	defer func() {
		if recover() != nil {
			err = bot.ErrPanic
		}
	}()
	id := strconv.FormatInt(p.id, 10)
	if p.id == 0 {
		sum := sha256.Sum256(p.raw)
		id = "x" + hex.EncodeToString(sum[:8])
	}
	err = c.handler.SetAside(ctx, c.line, bot.Aside{
		ID: Name + ":" + c.account + ":u" + id, At: c.now().UTC(), Channel: Name, Contact: p.msg.From, Why: why, Raw: p.raw,
	})
	if err != nil {
		return fmt.Errorf("put an update aside: %w", err)
	}
	c.log.Error("an update was put aside", "update", p.id, "why", why)
	return nil
}

// refused notes that an update could not be accepted. In an outage this is said once, not once per update.
func (c *Channel) refused(since time.Time, what string, err error) {
	if c.gap.failed(since) {
		c.log.Error(what, "err", err)
	} else {
		c.log.Debug(what, "err", err)
	}
	c.health.fail(c.now())
}

// works notes that updates are accepted.
func (c *Channel) works() {
	if c.gap.worked(c.now()) {
		c.log.Info("updates are accepted again")
	}
}
