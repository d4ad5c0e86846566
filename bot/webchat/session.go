package webchat

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"pulang/bot"
)

// message is one bubble of the page.
type message struct {
	Seq int64
	// ID is the row's id, or the id that the browser chose for its own message.
	ID   string
	Mine bool
	Text string
	// Key is a catalogue key shown instead of Text, for what was not typed (a shared location).
	Key     string
	Buttons []bot.Button
	// Place is the label of the button that shares the location; empty for none.
	Place string
	At    time.Time
	// Used is set once one of its buttons was pressed.
	Used bool
	// Clear asks for everything before it to be removed.
	Clear bool
	// pending: its handling is not over; nothing from it on is shown yet, so that no answer stands above its question.
	pending bool
	told    bool // the receipt was given
}

func (m message) size() int {
	n := len(m.Text) + 64
	for _, b := range m.Buttons {
		n += len(b.Label) + len(b.Data)
	}
	return n
}

// session is the recent part of one person's conversation.
type session struct {
	// turn is held while one message of this person is being handled: messages keep their order.
	turn chan struct{}
	all  *atomic.Int64

	mu    sync.Mutex
	seq   int64
	log   []message
	bytes int
	seen  time.Time
	// from is the lowest seq that still exists; a page that knows older ones begins anew.
	from int64
	// covered hides the conversation after "leave this page" until the person asks for it.
	covered bool
	ended   bool
	// recalled is true once the conversation was read back from before this process, or need not be.
	recalled bool
	watch    map[chan struct{}]bool
}

// put appends m; false when the person ended the chat. A message that is there already is not repeated.
func (s *session) put(m message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	if slices.ContainsFunc(s.log, func(x message) bool { return x.ID == m.ID && x.Mine == m.Mine }) {
		return true
	}
	if m.Clear {
		s.forget(len(s.log))
		s.from = s.seq + 1
	}
	if m.Text != "" || m.Key != "" || len(m.Buttons) > 0 {
		s.add(m)
	}
	s.tell()
	return true
}

// add appends messages, numbered on, and drops the oldest of what is then too many. The caller holds mu.
func (s *session) add(ms ...message) {
	for _, m := range ms {
		s.seq++
		m.Seq = s.seq
		s.log = append(s.log, m)
		s.bytes += m.size()
		s.all.Add(int64(m.size()))
	}
	for len(s.log) > 1 && (len(s.log) > Recent || s.bytes > RecentBytes) {
		s.forget(1)
	}
}

// forget drops the n oldest messages. The caller holds mu.
func (s *session) forget(n int) {
	for _, m := range s.log[:n] {
		s.bytes -= m.size()
		s.all.Add(-int64(m.size()))
	}
	s.log = slices.Delete(s.log, 0, n)
}

// tell wakes the open pages. The caller holds mu.
func (s *session) tell() {
	for c := range s.watch {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// settle ends the pending state of the person's own message: it is shown, or taken out again.
func (s *session) settle(id string, stored bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.tell()
	for i := range s.log {
		if m := &s.log[i]; m.Mine && m.ID == id && m.pending {
			m.pending = false
			if !stored {
				s.bytes -= m.size()
				s.all.Add(-int64(m.size()))
				s.log = slices.Delete(s.log, i, i+1)
			}
			return
		}
	}
}

// before is the seq that the person had seen when they sent the message with this id: of a repeat, at its first time.
func (s *session) before(id string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.log {
		if m.Mine && m.ID == id {
			return m.Seq - 1
		}
	}
	return s.seq
}

// answered reports whether a reply stands after seq.
func (s *session) answered(seq int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.log, func(m message) bool { return !m.Mine && m.Seq > seq })
}

// after returns the messages newer than seq, whether older ones must be removed from the page, and the new seq.
// Nothing is shown while the conversation is covered or ended.
func (s *session) after(seq int64) (ms []message, anew bool, last int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.covered || s.ended {
		return nil, false, seq
	}
	// A page that knows more than there is has lived through a restart of this process.
	anew = seq > 0 && (seq < s.from-1 || seq > s.seq)
	if anew {
		seq = 0
	}
	last = seq
	for _, m := range s.log {
		if m.pending {
			break
		}
		if m.Seq > seq {
			ms = append(ms, m)
			last = m.Seq
		}
	}
	return ms, anew, last
}

// use marks the message that showed this button up to seq as answered. A question that is put again (more than one
// choice is allowed) offers the same button; it is a newer message and keeps it.
func (s *session) use(data string, seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.log) - 1; i >= 0; i-- {
		if s.log[i].Seq > seq {
			continue
		}
		if slices.ContainsFunc(s.log[i].Buttons, func(b bot.Button) bool { return b.Data == data }) {
			s.log[i].Used = true
			return
		}
	}
}

// label is the text of the button with this data; empty when no shown message has it.
func (s *session) label(data string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.log) - 1; i >= 0; i-- {
		for _, b := range s.log[i].Buttons {
			if b.Data == data {
				return b.Label
			}
		}
	}
	return ""
}

// arrived returns the ids of the replies up to seq whose arrival in the browser was not yet told.
func (s *session) arrived(seq int64) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.log {
		if m := &s.log[i]; m.Seq <= seq && !m.Mine && !m.told {
			m.told = true
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// subscribe is told of news; nil when already most are.
func (s *session) subscribe(most int) chan struct{} {
	c := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watch) >= most {
		return nil
	}
	s.watch[c] = true
	return c
}

// nothing reports whether nothing was said in this conversation, as far as that is known for certain.
func (s *session) nothing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.log) == 0 && s.recalled && !s.ended
}

func (s *session) unsubscribe(c chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watch, c)
}

func (s *session) cover(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.covered = on
}

func (s *session) isCovered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.covered
}

func (s *session) isEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// end forgets the conversation on this device for good.
func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(len(s.log))
	s.ended = true
	s.tell()
}

// sessions are the conversations that this process knows, by address.
type sessions struct {
	mu        sync.Mutex
	byAddress map[string]*session
	bytes     atomic.Int64
}

// get finds or begins the session of an address.
func (ss *sessions) get(addr string, now time.Time) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.byAddress[addr]
	if s == nil {
		s = &session{turn: make(chan struct{}, 1), all: &ss.bytes, watch: map[chan struct{}]bool{}, from: 1}
		ss.byAddress[addr] = s
	}
	s.mu.Lock()
	s.seen = now
	s.mu.Unlock()
	return s
}

// trim forgets sessions until the bounds are kept again, with some room to spare so that it is rarely needed.
func (ss *sessions) trim() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if len(ss.byAddress) < Sessions && ss.bytes.Load() <= MemoryBytes {
		return
	}
	type old struct {
		addr string
		s    *session
		seen time.Time
		rank int
	}
	var olds []old
	for addr, s := range ss.byAddress {
		s.mu.Lock()
		open := len(s.watch) > 0 || len(s.turn) > 0
		rank := 1
		switch {
		case len(s.log) == 0:
			rank = 0 // somebody looked at the page; a cookie is easily made up
		case slices.ContainsFunc(s.log, func(m message) bool { return !m.Mine && !m.told }):
			rank = 2
		}
		seen := s.seen
		s.mu.Unlock()
		if !open {
			olds = append(olds, old{addr, s, seen, rank})
		}
	}
	slices.SortFunc(olds, func(a, b old) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), a.seen.Compare(b.seen))
	})
	for _, o := range olds {
		if len(ss.byAddress) <= Sessions*7/8 && ss.bytes.Load() <= MemoryBytes*7/8 {
			return
		}
		o.s.mu.Lock()
		o.s.forget(len(o.s.log))
		o.s.mu.Unlock()
		delete(ss.byAddress, o.addr)
	}
}
