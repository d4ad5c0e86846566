package store

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisVitals is how the Redis servers are doing, over all primaries: sizes are sums, the share of memory is that of
// the fullest, and a flag is true only when it is true of each.
type RedisVitals struct {
	Primaries int
	// Used and Limit are bytes; Limit is maxmemory, or the machine's memory where none is set. Share is Used by Limit.
	Used, Limit int64
	Share       float64
	// AppendOK says that the append-only file is on and its last write and rewrite succeeded; SnapshotOK the same of
	// the last snapshot.
	AppendOK, SnapshotOK bool
	AppendBytes          int64
	Evicted              int64 // keys thrown away to make room: always 0 under noeviction
	Replicas             int
}

// RedisVitals asks every primary.
func (s *Store) RedisVitals(ctx context.Context) (RedisVitals, error) {
	v := RedisVitals{AppendOK: true, SnapshotOK: true}
	var mu sync.Mutex
	ask := func(ctx context.Context, c *redis.Client) error {
		raw, err := c.Info(ctx, "everything").Result()
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		v.add(infoFields(raw))
		return nil
	}
	var err error
	switch c := s.rdb.(type) {
	case *redis.ClusterClient:
		err = c.ForEachMaster(ctx, ask)
	case *redis.Client:
		err = ask(ctx, c)
	default:
		err = fmt.Errorf("cannot ask a %T", s.rdb)
	}
	if err != nil {
		return RedisVitals{}, fmt.Errorf("redis: %w", err)
	}
	return v, nil
}

func (v *RedisVitals) add(f map[string]string) {
	n := func(name string) int64 {
		x, _ := strconv.ParseInt(f[name], 10, 64) // absent: 0
		return x
	}
	limit := n("maxmemory")
	if limit == 0 {
		limit = n("total_system_memory")
	}
	used := n("used_memory")
	v.Primaries++
	v.Used, v.Limit = v.Used+used, v.Limit+limit
	if limit > 0 {
		v.Share = max(v.Share, float64(used)/float64(limit))
	}
	v.AppendOK = v.AppendOK && f["aof_enabled"] == "1" && f["aof_last_write_status"] == "ok" && f["aof_last_bgrewrite_status"] == "ok"
	v.SnapshotOK = v.SnapshotOK && f["rdb_last_bgsave_status"] == "ok"
	v.AppendBytes += n("aof_current_size")
	v.Evicted += n("evicted_keys")
	v.Replicas += int(n("connected_slaves"))
}

// infoFields reads the answer of INFO.
func infoFields(raw string) map[string]string {
	f := map[string]string{}
	for line := range strings.Lines(raw) {
		if k, val, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(k, "#") {
			f[k] = val
		}
	}
	return f
}

// MeasureRoundTrips has tell called with every answer of Redis: how long it took, and the error when the connection
// failed. It must return at once. Call it before the store is used.
func (s *Store) MeasureRoundTrips(tell func(took time.Duration, err error)) {
	s.rdb.AddHook(roundTrips{tell})
}

// roundTrips is a hook of the client that tells how long Redis takes to answer.
type roundTrips struct {
	tell func(took time.Duration, err error)
}

// DialHook leaves dialling alone.
func (roundTrips) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook times one command.
func (r roundTrips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmd)
		r.done(began, err)
		return err
	}
}

// ProcessPipelineHook times a pipeline, which is one round trip.
func (r roundTrips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmds)
		r.done(began, err)
		return err
	}
}

// done tells of an error only when it is the connection's: what Redis itself says is an answer.
func (r roundTrips) done(began time.Time, err error) {
	if !lostAnswer(err) {
		err = nil
	}
	r.tell(time.Since(began), err)
}
