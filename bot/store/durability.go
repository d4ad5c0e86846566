package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// DurabilityError says why a Redis may lose what it acknowledged, one line a problem.
type DurabilityError struct{ Problems []string }

func (e *DurabilityError) Error() string { return strings.Join(e.Problems, "\n") }

// CheckDurability asks Redis, in a Cluster every primary, whether its settings keep what it acknowledges, and
// returns a *DurabilityError when they do not or when it will not say. accept (--accept-data-loss) lets weaker
// settings pass; it does not pass over a Redis that cannot be asked because it does not answer.
func (s *Store) CheckDurability(ctx context.Context, accept bool) error {
	return CheckDurability(ctx, s.rdb, accept)
}

// CheckDurability is the check of (*Store).CheckDurability on a client.
func CheckDurability(ctx context.Context, rdb redis.UniversalClient, accept bool) error {
	var mu sync.Mutex
	var problems []string
	ask := func(ctx context.Context, c *redis.Client) error {
		found, err := durability(ctx, c)
		where := ""
		if _, cluster := rdb.(*redis.ClusterClient); cluster {
			where = c.Options().Addr + ": "
		}
		mu.Lock()
		defer mu.Unlock()
		for _, p := range found {
			problems = append(problems, where+p)
		}
		return err
	}
	var err error
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		err = c.ForEachMaster(ctx, ask)
	case *redis.Client:
		err = ask(ctx, c)
	default:
		err = fmt.Errorf("cannot ask a %T for its settings", rdb)
	}
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	if len(problems) == 0 || accept {
		return nil
	}
	return &DurabilityError{Problems: problems}
}

// wanted are the settings under which nothing acknowledged is lost. everysec may lose the last second at a power
// cut, and a citizen was told by then that the report had arrived.
var wanted = []struct{ name, value, why string }{
	{"appendonly", "yes", "what is acknowledged is lost when Redis ends"},
	{"appendfsync", "always", "what is acknowledged in the last second or more is lost at a power cut"},
	{"maxmemory-policy", "noeviction", "cases are thrown away when the memory is full"},
}

func durability(ctx context.Context, c *redis.Client) ([]string, error) {
	var problems []string
	for _, w := range wanted {
		got, err := c.ConfigGet(ctx, w.name).Result()
		var re redis.Error
		if errors.As(err, &re) {
			return []string{"Redis does not tell its settings (" + firstWord(err) + "): allow this user CONFIG GET (-config +config|get), " +
				"or start with --accept-data-loss"}, nil
		}
		if err != nil {
			return nil, err
		}
		if v := got[w.name]; v != w.value {
			if v == "" {
				v = "unknown"
			}
			problems = append(problems, fmt.Sprintf("Redis has %s %s, wanted %s: %s; set it, or start with --accept-data-loss",
				w.name, v, w.value, w.why))
		}
	}
	return problems, nil
}

// firstWord is the kind of a Redis error: NOPERM, ERR.
func firstWord(err error) string {
	w, _, _ := strings.Cut(err.Error(), " ")
	return w
}

// rewriteNow writes the append-only file of one server anew and waits until that is done.
func rewriteNow(ctx context.Context, c *redis.Client) error {
	if err := startRewrite(ctx, c); err != nil {
		return err
	}
	for {
		info, err := c.Info(ctx, "persistence").Result()
		if err != nil {
			return err
		}
		if strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0") {
			if !strings.Contains(info, "aof_last_bgrewrite_status:ok") {
				return errors.New("the rewrite of the append-only file did not succeed")
			}
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// startRewrite begins a rewrite. One that runs already began too early and is waited for.
func startRewrite(ctx context.Context, c *redis.Client) error {
	for {
		err := c.BgRewriteAOF(ctx).Err()
		if err == nil || strings.Contains(err.Error(), "unknown command") { // miniredis keeps no file
			return nil
		}
		var re redis.Error
		if !errors.As(err, &re) || !strings.Contains(err.Error(), "in progress") {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}
