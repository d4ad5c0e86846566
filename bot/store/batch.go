package store

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"
)

// batcher sends script calls that arrive together in one pipeline: one write to the socket and, under appendfsync
// always, one fsync. An idle batcher sends at once; while its flights are under way, calls gather.
type batcher struct {
	rdb  redis.UniversalClient
	free chan struct{} // a token for each pipeline that may start

	mu      sync.Mutex
	waiting []*call
	closed  bool
	flights sync.WaitGroup
}

// call is one script call. Every such script carries a request id and gives its first result for a repeat.
type call struct {
	ctx  context.Context
	sc   *script
	keys []string
	args []any
	res  []any
	err  error
	done chan struct{}
}

// mostInFlight bounds a pipeline, so that one does not hold up others for long.
const mostInFlight = 256

var errClosed = errors.New("the store is closed")

func newBatcher(rdb redis.UniversalClient, flights int) *batcher {
	b := &batcher{rdb: rdb, free: make(chan struct{}, flights)}
	for range flights {
		b.free <- struct{}{}
	}
	return b
}

// do runs the script and waits for its result. When ctx ends first the call may still take place.
func (b *batcher) do(ctx context.Context, sc *script, keys []string, args []any) ([]any, error) {
	c := &call{ctx: ctx, sc: sc, keys: keys, args: args, done: make(chan struct{})}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil, errClosed
	}
	b.waiting = append(b.waiting, c)
	first := len(b.waiting) == 1
	if first {
		b.flights.Add(1)
	}
	b.mu.Unlock()
	if first {
		// The first to wait flies for all that gather until a token is free.
		<-b.free
		b.fly()
		b.free <- struct{}{}
		b.flights.Done()
	}
	select {
	case <-c.done:
		return c.res, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// close waits for the flights under way; later calls are refused.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.flights.Wait()
}

// fly sends what is waiting.
func (b *batcher) fly() {
	b.mu.Lock()
	batch := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	for len(batch) > 0 {
		n := min(len(batch), mostInFlight)
		b.send(batch[:n])
		batch = batch[n:]
	}
}

func (b *batcher) send(batch []*call) {
	b.exec(batch, false)
	// A server that was started again knows no script, and the pool's connections to the old one are dead. Nothing
	// is done twice by asking again: see call.
	var again, unknown []*call
	for _, c := range batch {
		switch {
		case redis.HasErrorPrefix(c.err, "NOSCRIPT"):
			unknown = append(unknown, c)
		case lostAnswer(c.err) && c.ctx.Err() == nil:
			again = append(again, c)
		}
	}
	if len(again) > 0 {
		b.exec(again, false)
		for _, c := range again {
			if redis.HasErrorPrefix(c.err, "NOSCRIPT") {
				unknown = append(unknown, c)
			}
		}
	}
	if len(unknown) > 0 {
		b.exec(unknown, true)
	}
	for _, c := range batch {
		close(c.done)
	}
}

func (b *batcher) exec(batch []*call, text bool) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout+readTimeout)
	defer cancel()
	cmds := make([]*redis.Cmd, len(batch))
	pipe := b.rdb.Pipeline()
	for i, c := range batch {
		if text {
			cmds[i] = pipe.Eval(ctx, c.sc.source, c.keys, c.args...)
		} else {
			cmds[i] = pipe.EvalSha(ctx, c.sc.sha, c.keys, c.args...)
		}
	}
	_, err := pipe.Exec(ctx)
	for i, c := range batch {
		c.res, c.err = cmds[i].Slice()
		if c.err == nil && c.res == nil && err != nil {
			c.err = err
		}
	}
}

// lostAnswer tells an error of the connection from one that Redis gave.
func lostAnswer(err error) bool {
	if err == nil {
		return false
	}
	var re redis.Error
	return !errors.As(err, &re) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
