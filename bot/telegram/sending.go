package telegram

import (
	"sync"
	"time"
)

// sending is what this process remembers of sends. Losing it costs a repeated part or a wait, never a message.
type sending struct {
	mu     sync.Mutex
	done   map[string][]string // the ids of the parts already sent, by row
	newIDs map[int64]int64     // groups that became supergroups
	floods map[int64]time.Time // last 429 by chat
}

// maxHalfSent bounds the memory of rows whose first parts are sent.
const maxHalfSent = 1024

func (s *sending) sent(row string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.done[row]...)
}

func (s *sending) note(row string, ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = map[string][]string{}
	}
	if row != "" && (s.done[row] != nil || len(s.done) < maxHalfSent) {
		s.done[row] = append([]string(nil), ids...)
	}
}

func (s *sending) forget(row string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.done, row)
}

func (s *sending) moved(chat int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to, ok := s.newIDs[chat]; ok {
		return to
	}
	return chat
}

func (s *sending) move(from, to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newIDs == nil {
		s.newIDs = map[int64]int64{}
	}
	s.newIDs[from] = to
}

// flooded notes a 429 and reports whether it is the account's rather than this chat's: Telegram does not say, but
// three different chats within ten seconds are no coincidence.
func (s *sending) flooded(chat int64, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.floods == nil {
		s.floods = map[int64]time.Time{}
	}
	for other, at := range s.floods {
		if now.Sub(at) > 10*time.Second {
			delete(s.floods, other)
		}
	}
	s.floods[chat] = now
	return len(s.floods) >= 3
}
