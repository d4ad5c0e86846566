package telegram

import (
	"context"
	"sync"
	"time"
)

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
		_, err := c.api.post(ctx, "answerCallbackQuery", struct {
			ID string `json:"callback_query_id"`
		}{id})
		if err != nil {
			c.log.Debug("a tap was not answered", "err", err)
		}
	})
	if !ok {
		c.taps.end()
	}
}
