package desk

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulang/bot"
)

// slowQueue counts its readers and lets them wait.
type slowQueue struct {
	real
	reads atomic.Int64
	gate  chan struct{}
}

func (s *slowQueue) Queue(context.Context, string, time.Time, int) (bot.QueuePage, error) {
	n := s.reads.Add(1)
	<-s.gate
	return bot.QueuePage{Later: int(n)}, nil
}

// Fifty pages that ask at once share one reading; whoever asks after a change gets one that began after it.
func TestSharedReading(t *testing.T) {
	q := &slowQueue{gate: make(chan struct{})}
	s := newSnapshots(q)
	s.keep = time.Hour
	read := func() int {
		p, err := s.read(t.Context(), "kh", time.Time{})
		if err != nil {
			t.Error(err)
		}
		return p.Later
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { read() })
	}
	q.gate <- struct{}{}
	close(q.gate)
	all.Wait()
	if n := q.reads.Load(); n > 2 { // two when one of them came after the first had ended
		t.Errorf("%d readings for 50 pages", n)
	}
	before := q.reads.Load()
	read()
	if q.reads.Load() != before {
		t.Error("read again although nothing changed")
	}
	s.changed("kh")
	if got := read(); int64(got) != before+1 {
		t.Errorf("after a change reading %d came, want %d", got, before+1)
	}
	s.changed("mm")
	read()
	if q.reads.Load() != before+1 {
		t.Error("another mission's change")
	}
}
