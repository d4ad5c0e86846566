package telegram

import (
	"context"
	"sync"
)

// lanes let one update of a person through at a time: Telegram delivers a text and a tap of one person in parallel,
// and repeats what it has not seen confirmed. Different persons never wait for each other.
type lanes struct {
	mu   sync.Mutex
	held map[string]*lane
}

type lane struct {
	turn  chan struct{} // holds one token while somebody is inside
	users int           // inside or waiting; the last one removes the lane
}

// enter waits for the lane of key; those who wait go in the order in which they came. The returned function leaves
// the lane. The error is ctx's.
func (l *lanes) enter(ctx context.Context, key string) (leave func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*lane{}
	}
	n := l.held[key]
	if n == nil {
		n = &lane{turn: make(chan struct{}, 1)}
		l.held[key] = n
	}
	n.users++
	l.mu.Unlock()

	done := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if n.users--; n.users == 0 {
			delete(l.held, key)
		}
	}
	select {
	case n.turn <- struct{}{}:
		return func() { <-n.turn; done() }, nil
	case <-ctx.Done():
		done()
		return nil, ctx.Err()
	}
}
