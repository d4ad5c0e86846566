package bench

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// script is what a citizen says: the whole intake of this program, from the greeting to the confirmation. Other bots
// are sent the same ten messages, whatever they ask.
var script = [Messages]struct {
	text string
	tap  bool // may be tapped: the text is then the number of the button
}{
	{"/start", false}, {"1", true}, {"1", true}, {"Bavet, dekat pasar", false}, {"1", true}, {"2", false}, {"1", true},
	{"2", true}, {"3", true}, {"LEWATI", false},
}

// Messages is how many messages a citizen sends.
const Messages = 10

// firstChat is the chat id of the first citizen. Nobody has it: Telegram's ids are below 2^52, and this one is made up.
const firstChat = 900_000_000_000

// crowd are the citizens of one run.
type crowd struct {
	o       Options
	api     *api
	targets []string // host:port and path of each replica's webhook
	path    string

	mu     sync.RWMutex // guards people's growth
	people []*person
	first  int64 // the chat id of the first of them
	update atomic.Int64
	order  sync.Mutex // of the numbers of updates, when they are fetched
	turn   atomic.Int64

	progress func(int)
	lat      latencies
	stray    atomic.Int64 // messages to nobody
}

// person is one citizen: a chat with one message outstanding at most.
type person struct {
	chat int64
	n    int // messages sent so far

	mu       sync.Mutex
	waiting  bool
	answered chan time.Time // when the reply came
	last     uint64         // what the last reply said
	doubled  int
	more     int
	buttons  []string // the data of the last reply's buttons, where citizens tap
}

// latencies are what the measured walks took.
type latencies struct {
	mu              sync.Mutex
	replies, acks   []time.Duration
	sent, missing   int
	refused, walked int
}

func newCrowd(o Options, a *api, t *target) *crowd {
	if o.Target != TargetWebhook {
		o.Secret = secret
	}
	c := &crowd{o: o, api: a, targets: t.hooks, path: t.path, first: firstChat}
	c.update.Store(1_000_000)
	a.heard = c.heard
	return c
}

// reset forgets what was measured so far; the citizens of before stay known.
func (c *crowd) reset(progress func(int)) {
	c.lat.replies, c.lat.acks = make([]time.Duration, 0, c.o.Citizens*len(script)), make([]time.Duration, 0, c.o.Citizens*len(script))
	c.lat.sent, c.lat.missing, c.lat.refused, c.lat.walked = 0, 0, 0, 0
	c.stray.Store(0)
	c.progress = progress
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, p := range c.people {
		p.mu.Lock()
		p.doubled, p.more = 0, 0
		p.mu.Unlock()
	}
}

// join adds a citizen.
func (c *crowd) join() *person {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &person{chat: c.first + int64(len(c.people)), answered: make(chan time.Time, 1)}
	c.people = append(c.people, p)
	return p
}

var seed = maphash.MakeSeed()

// heard is what the bot sends. The first message after a citizen's own is its reply; the same words once more are a
// doubled reply.
func (c *crowd) heard(chat int64, p params, text []byte, at time.Time) {
	c.mu.RLock()
	i := chat - c.first
	if i < 0 || i >= int64(len(c.people)) {
		c.mu.RUnlock()
		c.stray.Add(1)
		return
	}
	who := c.people[i]
	c.mu.RUnlock()
	sum := maphash.Bytes(seed, text)
	who.mu.Lock()
	defer who.mu.Unlock()
	if !who.waiting {
		if sum == who.last {
			who.doubled++
		} else {
			who.more++
		}
		return
	}
	if c.o.Taps {
		who.buttons = p.buttons()
	}
	who.waiting, who.last = false, sum
	who.answered <- at
}

// walk lets n new citizens walk the intake; with a rate their messages leave at equal distances.
func (c *crowd) walk(ctx context.Context, n int, rate float64) error {
	if rate > 0 {
		return c.pace(ctx, n, rate)
	}
	var left atomic.Int64
	left.Store(int64(n))
	return c.inParallel(ctx, min(n, c.o.AtOnce), func(line *line) error {
		for left.Add(-1) >= 0 {
			p := c.join()
			for range script {
				if err := ctx.Err(); err != nil {
					return err
				}
				if ok, err := c.say(ctx, line, p, time.Now()); err != nil || !ok {
					if err != nil {
						return err
					}
					break
				}
			}
		}
		return nil
	})
}

// pace sends at equal distances. Latency counts from the moment at which a message was due, so that a bot which falls
// behind cannot hide it. Citizens take turns; each has one message outstanding.
func (c *crowd) pace(ctx context.Context, n int, rate float64) error {
	type due struct {
		p  *person
		at time.Time
	}
	group := min(n, max(c.o.AtOnce, 256))
	idle, work := make(chan *person, group), make(chan due, group)
	for range group {
		idle <- c.join()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(work)
		began := time.Now()
		for i := 0; ; i++ {
			at := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
			select {
			case <-time.After(time.Until(at)):
			case <-ctx.Done():
				return
			}
			select {
			case p, ok := <-idle:
				if !ok {
					return
				}
				work <- due{p, at}
			case <-ctx.Done():
				return
			}
		}
	}()
	var mu sync.Mutex
	joined, active := group, group
	return c.inParallel(ctx, group, func(line *line) error {
		for d := range work {
			ok, err := c.say(ctx, line, d.p, d.at)
			if err != nil {
				cancel()
				return err
			}
			if ok && d.p.n < len(script) {
				idle <- d.p
				continue
			}
			mu.Lock()
			if joined < n {
				joined++
				idle <- c.join()
			} else if active--; active == 0 {
				close(idle)
			}
			mu.Unlock()
		}
		return nil
	})
}

// inParallel runs f on n connections and returns the first error.
func (c *crowd) inParallel(ctx context.Context, n int, f func(*line) error) error {
	var all sync.WaitGroup
	errs := make(chan error, n)
	for range n {
		all.Go(func() {
			l := &line{c: c, conns: make([]*conn, len(c.targets))}
			defer l.close()
			if err := f(l); err != nil {
				errs <- err
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return ctx.Err()
	}
}

// say sends the citizen's next message and waits for its acknowledgement and its reply; false when the reply is
// missing.
func (c *crowd) say(ctx context.Context, l *line, p *person, due time.Time) (bool, error) {
	p.mu.Lock()
	p.waiting = true
	p.mu.Unlock()
	if c.o.Polling {
		// A number that is queued behind a higher one counts as confirmed with that, and would never be fetched.
		c.order.Lock()
	}
	id := c.update.Add(1)
	said := script[p.n]
	p.n++
	if i, _ := strconv.Atoi(said.text); said.tap && i > 0 && i <= len(p.buttons) {
		l.update = appendTap(l.update[:0], id, p, p.buttons[i-1])
	} else {
		l.update = appendUpdate(l.update[:0], id, p, said.text, time.Now())
	}
	refused := 0
	if c.o.Polling {
		c.api.push(id, bytes.Clone(l.update))
		c.order.Unlock()
	} else {
		for {
			ok, err := l.post(ctx, int(c.turn.Add(1))%len(c.targets))
			if err != nil {
				return false, err
			}
			if ok {
				break
			}
			if refused++; refused > 20 {
				return false, errors.New("the bot refused a message 20 times")
			}
			select { // Telegram waits as well; how long a bot asks for does not matter here
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}
	}
	acked := time.Since(due)
	t := time.NewTimer(patience)
	defer t.Stop()
	var took time.Duration
	ok := true
	select {
	case at := <-p.answered:
		took = at.Sub(due)
	case <-t.C:
		ok = false
		p.mu.Lock()
		p.waiting = false
		p.mu.Unlock()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	c.lat.mu.Lock()
	defer c.lat.mu.Unlock()
	c.lat.sent++
	c.lat.refused += refused
	if !ok {
		c.lat.missing++
		return false, nil
	}
	c.lat.replies = append(c.lat.replies, took)
	if !c.o.Polling {
		c.lat.acks = append(c.lat.acks, acked)
	}
	if p.n == len(script) {
		c.lat.walked++
	}
	if c.progress != nil {
		c.progress(1)
	}
	return true, nil
}

// quiet waits until the bot has said nothing for a while: what it sends twice, it may send late.
func (c *crowd) quiet(ctx context.Context) error {
	for last := -1; ; {
		n := int(c.stray.Load())
		c.mu.RLock()
		for _, p := range c.people {
			p.mu.Lock()
			n += p.doubled + p.more
			p.mu.Unlock()
		}
		c.mu.RUnlock()
		if n == last {
			return nil
		}
		last = n
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
