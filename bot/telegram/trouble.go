package telegram

import (
	"sync"
	"time"
)

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
