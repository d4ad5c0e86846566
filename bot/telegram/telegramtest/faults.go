package telegramtest

import (
	"net/http"
	"time"
)

// Fault is a call that goes wrong.
type Fault struct {
	// Code is the status and error_code of the answer. 0 with Drop or Hang.
	Code        int
	Description string
	RetryAfter  int   // seconds, with 429
	MigrateTo   int64 // with 400: the group is now this supergroup
	// Body answers with this text and Code instead of a Bot API answer: a proxy's page.
	Body string
	// Drop closes the connection without an answer, Hang keeps it open without one until the client gives up.
	Drop, Hang bool
	// After carries the call out first: with Drop or Hang only the answer is lost.
	After bool
}

// scripted is a fault and the calls that it waits for.
type scripted struct {
	skip  int // calls that go well before
	times int
	fault Fault
}

// Fail lets the n-th next call of a method go wrong (1 is the very next), and the following times-1 as well. Faults
// of one method are played in the order in which they were scripted. The method "" means any.
func (s *Server) Fail(method string, n, times int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = append(s.faults[method], &scripted{skip: n - 1, times: times, fault: f})
}

// Heal forgets all faults that were not played yet.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = map[string][]*scripted{}
}

func (s *Server) fault(method string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range []string{method, ""} {
		list := s.faults[name]
		if len(list) == 0 {
			continue
		}
		f := list[0]
		if f.skip > 0 {
			f.skip--
			continue
		}
		if f.times--; f.times <= 0 {
			s.faults[name] = list[1:]
		}
		return &f.fault
	}
	return nil
}

func (f *Fault) play(s *Server, w http.ResponseWriter, r *http.Request) {
	switch {
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		panic(http.ErrAbortHandler)
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Body != "":
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Code)
		_, _ = w.Write([]byte(f.Body))
		return
	}
	res := failure(f.Code, f.Description)
	if res.Description == "" {
		res.Description = http.StatusText(f.Code)
	}
	if f.RetryAfter > 0 {
		res.Parameters = map[string]any{"retry_after": f.RetryAfter}
	}
	if f.MigrateTo != 0 {
		res.Parameters = map[string]any{"migrate_to_chat_id": f.MigrateTo}
	}
	answer(w, res)
}

// Limits are how much a bot may send. The zero value is no limit.
type Limits struct {
	// PerChat messages a second to one chat, after a burst of ChatBurst.
	PerChat   float64
	ChatBurst int
	// Bulk messages a second to all chats together, after a burst of BulkBurst.
	Bulk      float64
	BulkBurst int
}

// Limit turns rate limits on; a call above them is answered 429 with retry_after.
func (s *Server) Limit(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
}

// bucket is a token bucket on the server's clock.
type bucket struct {
	level float64
	at    time.Time
}

// take takes one token, or returns how long to wait for one.
func (b *bucket) take(now time.Time, rate float64, burst int) time.Duration {
	if rate <= 0 {
		return 0
	}
	size := float64(max(burst, 1))
	if b.at.IsZero() {
		b.level = size
	} else {
		b.level = min(size, b.level+now.Sub(b.at).Seconds()*rate)
	}
	b.at = now
	if b.level < 1 {
		return time.Duration((1 - b.level) / rate * float64(time.Second))
	}
	b.level--
	return 0
}
