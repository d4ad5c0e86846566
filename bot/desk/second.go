package desk

import (
	"context"
	"fmt"
	"sync"
	"time"

	"pulang/flows/casework"
)

// secondFor is how old the counts of what waits for a second person may be. They stand on every page of a supervisor or an
// admin, change a few times a day, and lapse after a day or three.
const secondFor = 10 * time.Second

// seconds keep, by mission, who asked for what waits for a second person, one entry a request.
type seconds struct {
	mu    sync.Mutex
	of    map[string]second
	stamp int64 // grows with every change that this process hears of
}

type second struct {
	at          time.Time
	stamp       int64
	erase, send []string
}

// changed makes the next reader ask the store.
func (s *seconds) changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stamp++
}

func (s *seconds) read(ctx context.Context, q Queue, mission string, now time.Time) (second, error) {
	s.mu.Lock()
	was, ok := s.of[mission]
	stamp := s.stamp
	s.mu.Unlock()
	if age := now.Sub(was.at); ok && was.stamp == stamp && age >= 0 && age < secondFor {
		return was, nil
	}
	erase, send, err := q.SecondAsked(ctx, mission, now)
	if err != nil {
		return second{}, fmt.Errorf("requests for a second person: %w", err)
	}
	got := second{at: now, stamp: stamp, erase: erase, send: send}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]second{}
	}
	s.of[mission] = got
	return got, nil
}

// countSecond puts beside "Erasing" and "Broadcasts" how many requests of others wait for this person: nobody answers
// their own, and unseen they lapse.
func (q *request) countSecond(p *page) error {
	if q.mission == nil || !q.may(casework.ActErase) && !q.may(casework.ActBroadcast) {
		return nil
	}
	s, err := q.d.seconds.read(q.r.Context(), q.d.Queue, q.mission.Code, q.d.Clock())
	if err != nil {
		return err
	}
	for i := range p.Nav {
		switch p.Nav[i].ID {
		case "erasures":
			p.Nav[i].N = q.ofOthers(s.erase)
		case "broadcasts":
			p.Nav[i].N = q.ofOthers(s.send)
		}
	}
	return nil
}

// ofOthers counts the requests that somebody else made.
func (q *request) ofOthers(by []string) (n int) {
	for _, name := range by {
		if name != q.user.Name {
			n++
		}
	}
	return n
}
