package whatsapp

import (
	"context"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

// WhatsApp takes a message also when the library had no keys for any phone of the person, and then nobody gets it. Only
// the delivery receipt tells. A message of which none comes while the line is up is therefore sent once more, under the
// same id, by which phones and servers know it: who has it is not shown it twice, and a phone that was merely off gets it
// once. The watch is this process's: a message that nobody got shows as sent without "delivered" if a crash comes
// between.

// unheardAfter is how long a delivery receipt may take while the line is up.
var unheardAfter = 2 * time.Minute

// mostUnheard bounds the memory of the watch.
const mostUnheard = 10_000

// unheard are sent messages without a delivery receipt.
type unheard struct {
	mu   sync.Mutex
	sent map[types.MessageID]*waiting
}

type waiting struct {
	id    types.MessageID
	to    types.JID
	m     *waE2E.Message
	since time.Time
}

func (u *unheard) add(w *waiting) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sent == nil {
		u.sent = map[types.MessageID]*waiting{}
	}
	if len(u.sent) < mostUnheard {
		u.sent[w.id] = w
	}
}

func (u *unheard) heard(id types.MessageID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.sent, id)
}

// forget drops what was sent to a person, for erasure.
func (u *unheard) forget(address string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, w := range u.sent {
		if w.to.String() == address {
			delete(u.sent, id)
		}
	}
}

// late lists the messages whose receipt should have come.
func (u *unheard) late() (out []*waiting) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, w := range u.sent {
		if time.Since(w.since) > unheardAfter {
			out = append(out, w)
		}
	}
	return out
}

// patient begins the wait anew: while the line was down no receipt could come.
func (u *unheard) patient() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, w := range u.sent {
		w.since = time.Now()
	}
}

// repeatUnheard sends what was not heard of once more, at the number's pace.
func (s *session) repeatUnheard() {
	for sleep(s.life, min(lookAtLine, unheardAfter)) {
		for _, w := range s.unheard.late() {
			if !s.up() || s.c.held() > 0 || s.c.limit.Wait(s.life) != nil {
				break
			}
			ctx, cancel := context.WithTimeout(s.life, 2*answerWithin)
			err := s.deliver(ctx, w.to, w.m, w.id)
			cancel()
			if err != nil {
				s.c.log.Warn("whatsapp: a message without receipt could not be sent again", "err", clean(err))
				continue // it stays, and is tried at the next look
			}
			s.unheard.heard(w.id)
			s.c.log.Info("whatsapp: no receipt came, the message was sent again under its id", "message", w.id)
		}
	}
}
