package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
)

// fakeSentinel answers as a sentinel does that knows one group and, when there is one, another sentinel.
func fakeSentinel(t *testing.T, other string) (addr string, flags *atomic.Value) {
	t.Helper()
	flags = &atomic.Value{}
	flags.Store("master")
	srv, err := server.NewServer("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	err = srv.Register("SENTINEL", func(c *server.Peer, _ string, args []string) {
		switch args[0] {
		case "master":
			c.WriteStrings([]string{"name", args[1], "flags", flags.Load().(string)})
		case "sentinels":
			if other == "" {
				c.WriteLen(0)
				return
			}
			c.WriteLen(1)
			c.WriteStrings([]string{"ip", "127.0.0.1", "port", other})
		default:
			c.WriteError("ERR unknown")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return srv.Addr().String(), flags
}

// What replicas confirm while a sentinel replaces the primary is not taken as confirmed, also when the URL names only
// the other sentinels; a sentinel that does not answer holds up nothing.
func TestNothingIsConfirmedDuringFailover(t *testing.T) {
	t.Parallel()
	second, leads := fakeSentinel(t, "")
	first, own := fakeSentinel(t, second[len("127.0.0.1:"):])
	s := newSentinels(&redis.FailoverOptions{MasterName: "hotline", SentinelAddrs: []string{first, "127.0.0.1:1"}})
	ctx := context.Background()
	confirmed := s.ProcessPipelineHook(func(context.Context, []redis.Cmder) error { return nil })
	wait := func() error {
		cmd := redis.NewCmd(ctx, "wait", 1, 1000)
		cmd.SetVal(int64(1))
		if err := confirmed(ctx, []redis.Cmder{redis.NewCmd(ctx, "evalsha"), cmd}); err != nil {
			t.Fatal(err)
		}
		return cmd.Err()
	}
	for i, c := range []struct {
		own, leads string
		refused    bool
	}{
		{"master", "master", false}, // and the second is known from here on
		{"s_down,o_down,master,failover_in_progress", "master", true},
		{"s_down,master", "master,failover_in_progress,force_failover", true},
		{"s_down,master", "master", false}, // one that is cut off itself
	} {
		own.Store(c.own)
		leads.Store(c.leads)
		if err := wait(); errors.Is(err, ErrReplicas) != c.refused || !c.refused && err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	own.Store("failover_in_progress")
	if err := confirmed(ctx, []redis.Cmder{redis.NewCmd(ctx, "evalsha")}); err != nil {
		t.Error("what waits for no replica was refused:", err)
	}
}
