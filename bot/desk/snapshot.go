package desk

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"pulang/bot"
)

// snapshotFor is how old a shared reading of the queue may be. A whole queue is thousands of sealed cases, and one
// event makes every open page ask again at the same moment: they share one reading.
const snapshotFor = time.Second

// snapshots are the latest readings of whole queues, by mission. What is in them is read only.
type snapshots struct {
	queue Queue
	keep  time.Duration
	calls singleflight.Group

	mu     sync.Mutex
	states map[string]*snapshot
}

type snapshot struct {
	gen  int64 // grows with every change that this process hears of
	of   int64 // gen at the time of reading
	at   time.Time
	page bot.QueuePage
}

func newSnapshots(q Queue) *snapshots {
	return &snapshots{queue: q, keep: snapshotFor, states: map[string]*snapshot{}}
}

func (s *snapshots) state(mission string) *snapshot {
	st := s.states[mission]
	if st == nil {
		st = &snapshot{gen: 1}
		s.states[mission] = st
	}
	return st
}

// changed makes the next reader ask the store: something of the mission has changed.
func (s *snapshots) changed(mission string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state(mission).gen++
}

// read returns the whole queue, at most keep old and never older than the last change that this process heard of.
func (s *snapshots) read(ctx context.Context, mission string, now time.Time) (bot.QueuePage, error) {
	s.mu.Lock()
	st := s.state(mission)
	gen := st.gen
	if st.of == gen && time.Since(st.at) < s.keep {
		page := st.page
		s.mu.Unlock()
		return page, nil
	}
	s.mu.Unlock()
	// A reading that began before the change is not good enough: its generation is part of the key.
	key := mission + "\x00" + time.Duration(gen).String()
	v, err, _ := s.calls.Do(key, func() (any, error) {
		began := time.Now()
		page, err := s.queue.Queue(context.WithoutCancel(ctx), mission, now, readLimit)
		if err != nil {
			return page, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if st.of <= gen {
			st.of, st.at, st.page = gen, began, page
		}
		return page, nil
	})
	page, _ := v.(bot.QueuePage)
	return page, err
}

// whole is the mission's whole queue.
func (q *request) whole() (bot.QueuePage, error) {
	return q.d.snapshots.read(q.r.Context(), q.mission.Code, q.d.Clock())
}
