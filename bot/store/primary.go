package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Wait is what a write waits for where a failover may put a replica in the primary's place: that many replicas must
// have it within For, or it is not acknowledged. Zero replicas wait for none.
type Wait struct {
	Replicas int
	For      time.Duration // at most MaxWait
}

// MaxWait bounds Wait.For: a connection that waits answers nobody else.
const MaxWait = 4 * time.Second

// ParseWait reads "1", or "1,500ms"; without a time it is a second. "" is nil: what the kind of Redis asks for, see
// Options.Wait.
func ParseWait(s string) (*Wait, error) {
	if s == "" {
		return nil, nil
	}
	count, during, timed := strings.Cut(s, ",")
	w := &Wait{For: time.Second}
	n, err := strconv.ParseUint(strings.TrimSpace(count), 10, 8)
	if err == nil && timed {
		w.For, err = time.ParseDuration(strings.TrimSpace(during))
	}
	if err != nil || w.For < time.Millisecond || w.For > MaxWait {
		return nil, fmt.Errorf("write REPLICAS or REPLICAS,TIME with a time up to %s, such as 1,1s", MaxWait)
	}
	w.Replicas = int(n)
	return w, nil
}

// ErrReplicas is a write that the primary has and too few replicas: a failover at this moment would take it away, so
// it is not acknowledged. The same request again has no second effect.
var ErrReplicas = errors.New("too few replicas have it")

// Failover tells whether the client speaks to a Redis in which a replica may take the primary's place by itself:
// Sentinel or Cluster.
func Failover(rdb redis.UniversalClient) bool {
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		return true
	case *redis.Client:
		return c.Options().Addr == failoverClient
	}
	return false
}

// failoverClient is the address that go-redis gives a client that asks sentinels.
const failoverClient = "FailoverClient"

// failoverTime is how long a write is tried again while there is no primary. Sentinel and Cluster need a few seconds
// to agree on one; a messenger's request waits that long rather than come again, and no longer.
const failoverTime = 12 * time.Second

// primaries sends scripts to the primary that has a line's keys.
type primaries struct {
	rdb  redis.UniversalClient
	wait Wait
	// patience is how long calls that no primary took, or that too few replicas have, are tried again. 0: a call whose
	// answer was lost is sent once more, everything else is the caller's.
	patience time.Duration
}

func newPrimaries(rdb redis.UniversalClient, wait *Wait, patience time.Duration) primaries {
	p := primaries{rdb: rdb}
	if Failover(rdb) {
		p.wait, p.patience = Wait{Replicas: 1, For: time.Second}, cmp.Or(patience, failoverTime)
	}
	if wait != nil {
		p.wait = *wait
	}
	return p
}

// of is the client of the primary that holds a key. In a Cluster a pipeline goes to that node and nowhere else: the
// WAIT in it must be heard by the node that wrote. And no redirection is followed: while a slot is moved to another
// node, an ASK would run a script where half of the line's keys are not yet.
func (p primaries) of(ctx context.Context, key string) (*redis.Client, error) {
	switch c := p.rdb.(type) {
	case *redis.Client:
		return c, nil
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, key)
	}
	return nil, fmt.Errorf("redis: cannot use a %T", p.rdb)
}

// changed asks for the Cluster's layout anew, after an error that says it is not what it was.
func (p primaries) changed(ctx context.Context) {
	if c, ok := p.rdb.(*redis.ClusterClient); ok {
		c.ReloadState(ctx)
	}
}

// exec sends calls to one line's primary in one pipeline, and behind those that write a WAIT. A call that too few
// replicas have fails with ErrReplicas.
func (p primaries) exec(batch []*call, text bool) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout+readTimeout)
	defer cancel()
	c, err := p.of(ctx, batch[0].keys[0])
	if err != nil {
		for _, c := range batch {
			c.fail(err)
		}
		return
	}
	writes := false
	pipe := c.Pipeline()
	for _, c := range batch {
		if text {
			c.cmd = pipe.Eval(ctx, c.sc.source, c.keys, c.args...)
		} else {
			c.cmd = pipe.EvalSha(ctx, c.sc.sha, c.keys, c.args...)
		}
		writes = writes || !c.unwaited
	}
	var waited *redis.Cmd
	if writes && p.wait.Replicas > 0 {
		waited = pipe.Do(ctx, "wait", p.wait.Replicas, p.wait.For.Milliseconds())
	}
	_, err = pipe.Exec(ctx)
	short := error(nil)
	if waited != nil {
		n, err := waited.Int()
		switch {
		case err != nil:
			short = err
		case n < p.wait.Replicas:
			short = ErrReplicas
		}
	}
	for _, c := range batch {
		if c.cmd.Err() == nil && c.cmd.Val() == nil && err != nil {
			c.fail(err)
		}
		if c.cmd.Err() == nil && short != nil && !c.unwaited {
			c.fail(short)
		}
	}
}

// noPrimary tells an error by which a server says that it did nothing because it is not, or not now, the one to ask:
// another has the slot, it is a replica, it is loading, the Cluster has no majority, or too few replicas follow it.
func noPrimary(err error) bool {
	for _, word := range []string{"MOVED", "ASK", "READONLY", "LOADING", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "NOREPLICAS"} {
		if redis.HasErrorPrefix(err, word) {
			return true
		}
	}
	return false
}

// lostAnswer tells an error of the connection from one that Redis gave.
func lostAnswer(err error) bool {
	if err == nil {
		return false
	}
	var re redis.Error
	return !errors.As(err, &re) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// send sends calls of one line until each has its result, or an error that another try would not mend. Nothing is
// done twice by asking again: every such script carries a request id and gives its first result for a repeat.
func (p primaries) send(batch []*call, settled func(*call)) {
	began := time.Now()
	pause := 20 * time.Millisecond
	for try := 0; len(batch) > 0; try++ {
		p.exec(batch, false)
		batch = p.open(batch, settled, try, time.Since(began) < p.patience)
		if len(batch) == 0 || p.patience == 0 {
			continue
		}
		p.changed(context.Background())
		time.Sleep(pause)
		pause = min(2*pause, 400*time.Millisecond)
	}
}

// open settles the calls that have a result and returns those to be sent again.
func (p primaries) open(batch []*call, settled func(*call), try int, patient bool) (again []*call) {
	var unknown []*call
	for _, c := range batch {
		if redis.HasErrorPrefix(c.cmd.Err(), "NOSCRIPT") {
			unknown = append(unknown, c)
		}
	}
	if len(unknown) > 0 {
		// A server that was started again, or was a replica until now, knows no script.
		p.exec(unknown, true)
	}
	for _, c := range batch {
		err := c.cmd.Err()
		switch {
		case err == nil || c.ctx.Err() != nil:
			settled(c)
		case patient && (noPrimary(err) || lostAnswer(err) || errors.Is(err, ErrReplicas) || errors.Is(err, context.DeadlineExceeded)),
			p.patience == 0 && try == 0 && lostAnswer(err):
			again = append(again, c)
		default:
			settled(c)
		}
	}
	return again
}
