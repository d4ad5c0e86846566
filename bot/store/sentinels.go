package store

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A primary that comes back within the second in which a replica is being put in its place finds the other replicas
// still following it: they confirm what it writes, and throw it away when they are sent to the new one. WAIT does not
// see that. The sentinels know: what is written while one of them replaces the primary is not taken as confirmed, and
// is asked for again when that is over.

// sentinels are asked after every WAIT whether the primary is being replaced.
type sentinels struct {
	group   string
	options redis.Options // of a connection to one of them, but for the address

	mu     sync.Mutex
	all    map[string]*sentinel // by address
	learnt time.Time            // when they were asked for each other
}

type sentinel struct {
	client *redis.SentinelClient
	silent time.Time // until then it is not asked: it did not answer
	known  bool      // it has answered before
}

const (
	sentinelTimeout = 500 * time.Millisecond
	sentinelSilent  = 2 * time.Second
	// learnEvery is how often the sentinels are asked for those that the URL does not name.
	learnEvery = 30 * time.Second
)

func newSentinels(o *redis.FailoverOptions) *sentinels {
	s := &sentinels{group: o.MasterName, all: map[string]*sentinel{}}
	var secure *tls.Config
	if o.TLSConfig != nil {
		secure = o.TLSConfig.Clone()
	}
	s.options = redis.Options{
		Username: o.SentinelUsername, Password: o.SentinelPassword, TLSConfig: secure, MaxRetries: noRetries, DialerRetries: 1,
		DisableIdentity: true, DialTimeout: sentinelTimeout, ReadTimeout: sentinelTimeout, WriteTimeout: sentinelTimeout,
		ContextTimeoutEnabled: true, PoolSize: 4,
	}
	s.add(o.SentinelAddrs...)
	return s
}

func (s *sentinels) add(addrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range addrs {
		if s.all[a] == nil {
			o := s.options
			o.Addr = a
			s.all[a] = &sentinel{client: redis.NewSentinelClient(&o)}
		}
	}
}

// DialHook changes nothing.
func (s *sentinels) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook changes nothing: a WAIT is always in a pipeline, behind what it waits for.
func (s *sentinels) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook asks the sentinels when a WAIT has had its answer.
func (s *sentinels) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if last := cmds[len(cmds)-1]; last.Name() == "wait" && last.Err() == nil && s.replacing(ctx) {
			last.SetErr(fmt.Errorf("the primary is being replaced: %w", ErrReplicas))
		}
		return err
	}
}

// replacing tells whether a sentinel is putting a replica in the primary's place. One that does not answer has no say:
// where none does, a WAIT alone has to do.
func (s *sentinels) replacing(ctx context.Context) bool {
	now := time.Now()
	s.mu.Lock()
	learn := now.Sub(s.learnt) >= learnEvery
	if learn {
		s.learnt = now
	}
	var ask []*sentinel
	for _, one := range s.all {
		if !now.Before(one.silent) {
			ask = append(ask, one)
		}
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 2*sentinelTimeout)
	defer cancel()
	said := make([]bool, len(ask))
	var asking sync.WaitGroup
	for i, one := range ask {
		asking.Go(func() {
			state, err := one.client.Master(ctx, s.group).Result()
			if err != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				one.silent = time.Now().Add(learnEvery) // perhaps an address that leads nowhere from here
				if one.known {
					one.silent = time.Now().Add(sentinelSilent)
				}
				return
			}
			s.mu.Lock()
			one.known = true
			s.mu.Unlock()
			said[i] = strings.Contains(state["flags"], "failover_in_progress")
			if !learn {
				return
			}
			if others, err := one.client.Sentinels(ctx, s.group).Result(); err == nil {
				for _, o := range others {
					s.add(net.JoinHostPort(o["ip"], o["port"]))
				}
			}
		})
	}
	asking.Wait()
	for _, yes := range said {
		if yes {
			return true
		}
	}
	return false
}
