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
	"sync"
	"time"

	tg "github.com/go-telegram/bot"

	"pulang/bot"
)

// maxTries is how often an update is tried that makes the handler panic.
const maxTries = 5

// errPanic marks an attempt that ended in a panic.
var errPanic = errors.New("panic while handling an update")

// accept takes one update so far that it may be acknowledged: committed, put aside, or of no concern. After an error
// it must come again. It is the only way in, for Poll and for Webhook.
func (c *Channel) accept(ctx context.Context, p *parsed) error {
	if p.skip {
		if p.tap != "" {
			c.answer(p.tap)
		}
		return nil
	}
	// Also while the program stops: a commit under way is finished rather than cut off and repeated.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.handleTimeout)
	defer cancel()
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
		case errors.Is(err, errPanic):
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
		if !errors.Is(err, errPanic) {
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
			err = errPanic
		}
	}()
	return c.handler.Handle(ctx, m)
}

// putAside keeps an update where staff see it. Its error means that it is kept nowhere: it must come again.
func (c *Channel) putAside(ctx context.Context, p *parsed, why string) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
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

// trouble remembers the updates that could not be handled, so that one that never will be does not stand in the way
// of everybody: a full batch of them stops polling, and eighty chats of them stop the webhook. While nobody's
// messages can be handled the store is down, and no update is to blame.
type trouble struct {
	mu      sync.Mutex
	updates map[int64]*failing
	// The last two different persons with a success, to tell "others" from "myself".
	last [2]success
}

type failing struct {
	since time.Time
	tries int
}

type success struct {
	key string
	at  time.Time
}

// maxTrouble bounds the memory of a long outage. Beyond it an update is retried without being remembered.
const maxTrouble = 10_000

func (t *trouble) known(id int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.updates[id] != nil
}

func (t *trouble) note(id int64, now time.Time) *failing {
	f := t.updates[id]
	if f == nil {
		f = &failing{since: now}
		if t.updates == nil {
			t.updates = map[int64]*failing{}
		}
		if len(t.updates) >= maxTrouble {
			for old, o := range t.updates { // Telegram drops after a day what was never accepted
				if now.Sub(o.since) > 25*time.Hour {
					delete(t.updates, old)
				}
			}
		}
		if len(t.updates) < maxTrouble {
			t.updates[id] = f
		}
	}
	f.tries++
	return f
}

// panicked counts one more panic and returns how many there were.
func (t *trouble) panicked(id int64, now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.note(id, now).tries
}

// hopeless notes a failure and reports whether this update has failed for so long, and others' have succeeded so
// lately, that it must be the update.
func (t *trouble) hopeless(id int64, key string, now time.Time, after time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.note(id, now)
	others := t.last[0]
	if others.key == key {
		others = t.last[1]
	}
	return f.tries > maxTries && now.Sub(f.since) >= after && !others.at.IsZero() && now.Sub(others.at) < after/2 && others.at.After(f.since)
}

// succeeded forgets the update. An empty key is a success that says nothing about the store.
func (t *trouble) succeeded(id int64, key string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.updates, id)
	if key == "" {
		return
	}
	if t.last[0].key != key {
		t.last[1] = t.last[0]
	}
	t.last[0] = success{key, now}
}

// taps remembers which taps were answered: an answer is tried once, however often the update comes.
type taps struct {
	mu       sync.Mutex
	answered map[string]time.Time
	under    int // answers under way
}

const (
	// tapMemory is longer than Telegram keeps a tap.
	tapMemory = 5 * time.Minute
	// maxAnswers bounds the answers under way. Beyond it a button spins until it gives up; its tap counts all the same.
	maxAnswers = 64
)

func (t *taps) begin(id string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.answered[id]; ok || t.under >= maxAnswers {
		return false
	}
	if t.answered == nil || len(t.answered) > 4096 {
		kept := map[string]time.Time{}
		for k, at := range t.answered {
			if now.Sub(at) < tapMemory {
				kept[k] = at
			}
		}
		t.answered = kept
	}
	t.answered[id] = now
	t.under++
	return true
}

func (t *taps) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.under--
}

// answer stops the spinner on a tapped button, in the background and with one try: it is worth nothing later.
func (c *Channel) answer(id string) {
	if !c.taps.begin(id, c.now()) {
		return
	}
	ok := c.inBackground(func(ctx context.Context) {
		defer c.taps.end()
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_, err := c.api.call(ctx, "answerCallbackQuery", func(ctx context.Context) error {
			_, err := c.api.bot.AnswerCallbackQuery(ctx, &tg.AnswerCallbackQueryParams{CallbackQueryID: id})
			return err
		})
		if err != nil {
			c.log.Debug("a tap was not answered", "err", err)
		}
	})
	if !ok {
		c.taps.end()
	}
}
