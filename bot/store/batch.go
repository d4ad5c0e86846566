package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

// batcher sends script calls that arrive together in one pipeline: one write to the socket and, under appendfsync
// always, one fsync. An idle batcher sends at once; while its flights are under way, calls gather.
type batcher struct {
	to   primaries
	read bool          // nothing that is sent here is written
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
	// unwaited is a call that no WAIT has to follow: it writes nothing, and nothing is told on the strength of it.
	unwaited bool
	// last, unless nil, gives args at the moment at which the call leaves: until then it may grow.
	last func() []any
	cmd  *redis.Cmd
	done chan struct{}
}

func (c *call) fail(err error) {
	if c.cmd == nil {
		c.cmd = redis.NewCmd(c.ctx)
	}
	c.cmd.SetErr(err)
}

// mostInFlight bounds a pipeline, so that one does not hold up others for long.
const mostInFlight = 256

var errClosed = errors.New("the store is closed")

func newBatcher(to primaries, flights int, read bool) *batcher {
	b := &batcher{to: to, read: read, free: make(chan struct{}, flights)}
	for range flights {
		b.free <- struct{}{}
	}
	return b
}

// do runs the script and waits for its result. When ctx ends first the call may still take place.
func (b *batcher) do(ctx context.Context, c *call) ([]any, error) {
	first, err := b.queue(c)
	if err != nil {
		return nil, err
	}
	if first {
		b.lead()
	}
	select {
	case <-c.done:
		return c.cmd.Slice()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// queue puts a call behind those that wait to leave. first: whoever queued it has to lead.
func (b *batcher) queue(c *call) (first bool, err error) {
	c.unwaited, c.done = b.read, make(chan struct{})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false, errClosed
	}
	b.waiting = append(b.waiting, c)
	first = len(b.waiting) == 1
	if first {
		b.flights.Add(1)
	}
	return first, nil
}

// lead waits for a free flight and takes all that gathered until then.
func (b *batcher) lead() {
	<-b.free
	b.fly()
	b.free <- struct{}{}
	b.flights.Done()
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
	for _, c := range batch {
		if c.last != nil {
			c.args = c.last()
		}
	}
	for len(batch) > 0 {
		n := min(len(batch), mostInFlight)
		b.send(batch[:n])
		batch = batch[n:]
	}
}

// send sends calls of one line and gives each its result.
func (b *batcher) send(batch []*call) {
	b.to.send(batch, func(c *call) { close(c.done) })
}

// batchers are the one server's batcher, or in a Cluster one for each line: lines live on different primaries, and
// one that fails must not hold up the others.
type batchers struct {
	to   primaries
	read bool

	mu     sync.Mutex
	closed bool
	of     map[string]*batcher
}

func newBatchers(to primaries, read bool) *batchers {
	return &batchers{to: to, read: read, of: map[string]*batcher{}}
}

// do runs a script whose first key is the line's prefix.
func (bs *batchers) do(ctx context.Context, sc *script, keys []string, args []any) ([]any, error) {
	return bs.serving(keys[0]).do(ctx, &call{ctx: ctx, sc: sc, keys: keys, args: args})
}

// grow queues a script whose arguments last gives when it leaves, and does not wait. It calls then with the result.
func (bs *batchers) grow(ctx context.Context, sc *script, keys []string, last func() []any, then func([]any, error)) error {
	b, c := bs.serving(keys[0]), &call{ctx: ctx, sc: sc, keys: keys, last: last}
	first, err := b.queue(c)
	if err != nil {
		return err
	}
	go func() {
		if first {
			b.lead()
		}
		<-c.done
		then(c.cmd.Slice())
	}()
	return nil
}

// serving is the batcher that the scripts of one line leave by.
func (bs *batchers) serving(prefix string) *batcher {
	line := ""
	if _, ok := bs.to.rdb.(*redis.ClusterClient); ok {
		line = prefix
	}
	bs.mu.Lock()
	defer bs.mu.Unlock()
	b := bs.of[line]
	if b == nil {
		b = newBatcher(bs.to, 2, bs.read)
		b.closed = bs.closed
		bs.of[line] = b
	}
	return b
}

// close waits for the flights under way; later calls are refused.
func (bs *batchers) close() {
	bs.mu.Lock()
	bs.closed = true
	all := slices.Collect(maps.Values(bs.of))
	bs.mu.Unlock()
	for _, b := range all {
		b.close()
	}
}
