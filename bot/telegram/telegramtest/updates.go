package telegramtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// pending is an update that waits for the program.
type pending struct {
	id      int64
	kind    string
	key     int64 // of the queue that a webhook delivers it by
	expires time.Time
	body    json.RawMessage
	copies  int // deliveries still to be made
}

// How long Telegram keeps what the program does not take.
const (
	keepUpdate = 24 * time.Hour
	keepTap    = 150 * time.Second
)

// The queues of one person: messages with their edits, taps, and block or unblock. Within one, an update is delivered
// after the one before it was taken; the three know nothing of each other.
func queueKey(kind string, chat int64) int64 {
	switch kind {
	case "callback_query":
		return chat + 3<<33
	case "my_chat_member":
		return chat + 5<<33
	}
	return chat
}

// push queues an update for the program. It returns the update's id, 0 when the program has not asked for the kind.
func (b *Bot) push(kind string, chat int64, object any) int64 {
	s := b.srv
	if allowed := b.allowed(); len(allowed) > 0 && !slices.Contains(allowed, kind) {
		return 0
	}
	id := b.nextUpdate
	b.nextUpdate++
	body, err := json.Marshal(map[string]any{"update_id": id, kind: object})
	if err != nil {
		panic(err)
	}
	b.enqueue(&pending{id: id, kind: kind, key: queueKey(kind, chat), body: body})
	s.wakeLocked()
	return id
}

func (b *Bot) enqueue(p *pending) {
	keep := keepUpdate
	if p.kind == "callback_query" {
		keep = keepTap
	}
	p.expires, p.copies = b.srv.nowLocked().Add(keep), 1
	if b.srv.copies != nil {
		p.copies = max(1, b.srv.copies(p.id))
	}
	b.queue = append(b.queue, p)
	b.hook.enqueue(p)
}

// Inject queues an update as it is, whatever it holds, but with an update_id of its own. It returns that id.
func (b *Bot) Inject(raw string) int64 {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &fields); err != nil {
		b.srv.fatal("inject: %v", err)
	}
	b.srv.mu.Lock()
	defer b.srv.mu.Unlock()
	id := b.nextUpdate
	b.nextUpdate++
	fields["update_id"], _ = json.Marshal(id)
	p := &pending{id: id, key: -id}
	for _, kind := range []string{"message", "edited_message", "callback_query", "my_chat_member"} {
		var inner struct {
			Chat struct {
				ID int64 `json:"id"`
			} `json:"chat"`
		}
		if fields[kind] != nil {
			p.kind = kind
			if json.Unmarshal(fields[kind], &inner) == nil && inner.Chat.ID != 0 {
				p.key = queueKey(kind, inner.Chat.ID)
			}
		}
	}
	p.body, _ = json.Marshal(fields)
	b.enqueue(p)
	b.srv.wakeLocked()
	return id
}

// Renumber lets the next update have this id, as Telegram does at random after a week without updates.
func (b *Bot) Renumber(next int64) {
	b.srv.mu.Lock()
	defer b.srv.mu.Unlock()
	b.nextUpdate = next
}

// Pending is the number of updates that the program has not confirmed.
func (b *Bot) Pending() int {
	b.srv.mu.Lock()
	defer b.srv.mu.Unlock()
	b.expire()
	return len(b.queue) + len(b.repeats)
}

// Pending is the number of updates that wait at the first bot.
func (s *Server) Pending() int { return s.first.Pending() }

func (b *Bot) expire() {
	now := b.srv.nowLocked()
	old := func(p *pending) bool { return now.After(p.expires) }
	b.queue, b.repeats = slices.DeleteFunc(b.queue, old), slices.DeleteFunc(b.repeats, old)
}

func (b *Bot) allowed() []string {
	if b.hook != nil {
		return b.hook.allowed
	}
	if b.poller != nil {
		return b.poller.allowed
	}
	return nil
}

// poller is the getUpdates call that is waiting, or was the last.
type poller struct {
	allowed  []string
	replaced chan struct{}
}

// getUpdates waits for updates. A higher offset confirms everything below it.
func (b *Bot) getUpdates(r *http.Request, p Params) response {
	s := b.srv
	limit, offset := int(p.Int("limit")), p.Int("offset")
	if limit <= 0 || limit > 100 {
		limit = 100
	}
	wait := time.Duration(min(p.Int("timeout"), 50)) * time.Second

	s.mu.Lock()
	if b.hook != nil {
		s.mu.Unlock()
		return failure(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
	}
	me := &poller{replaced: make(chan struct{})}
	if b.poller != nil {
		close(b.poller.replaced)
		me.allowed = b.poller.allowed
	}
	_ = p.JSON("allowed_updates", &me.allowed)
	b.poller = me
	b.queue = slices.DeleteFunc(b.queue, func(q *pending) bool {
		if q.id >= offset {
			return false
		}
		if q.copies--; q.copies > 0 {
			b.repeats = append(b.repeats, q)
		}
		return true
	})
	if offset == b.lastOffset && len(b.queue) > 0 && s.nowLocked().Sub(b.lastAsked) < 500*time.Millisecond {
		limit = 1 // the real server's answer to a program that asks again and again
	}
	b.lastOffset, b.lastAsked = offset, s.nowLocked()
	s.mu.Unlock()

	deadline := time.NewTimer(s.real(wait))
	defer deadline.Stop()
	for {
		s.mu.Lock()
		b.expire()
		var list []json.RawMessage
		for _, q := range b.queue[:min(limit, len(b.queue))] {
			list = append(list, q.body)
		}
		// A confirmed update that comes again, behind news.
		for len(b.repeats) > 0 && len(list) < limit {
			q := b.repeats[0]
			list, b.repeats = append(list, q.body), b.repeats[1:]
			if q.copies--; q.copies > 0 {
				b.repeats = append(b.repeats, q)
			}
		}
		changed := s.changed
		s.mu.Unlock()
		if len(list) > 0 {
			return success(list)
		}
		select {
		case <-changed:
		case <-deadline.C:
			return success([]any{})
		case <-me.replaced:
			return failure(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
		case <-r.Context().Done():
			return success([]any{})
		case <-s.closed:
			return failure(502, "Bad Gateway")
		}
	}
}
