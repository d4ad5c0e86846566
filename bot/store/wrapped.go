package store

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// wrappedKey is a wrapped data key as it stands in Redis. place is what it is bound to.
type wrappedKey struct {
	key, field, place, value string
}

// scanBatch is how many keys one step of a walk asks for: Redis is kept busy for about a millisecond.
const scanBatch = 500

// eachWrapped walks over every wrapped data key of the store, of all its lines, in batches. What is there from the
// beginning to the end is met at least once; what is made meanwhile may be met or not.
func (s *Store) eachWrapped(ctx context.Context, f func([]wrappedKey) error) error {
	var mu sync.Mutex
	return eachKey(ctx, s.rdb, func(names []string) error {
		batch, err := s.wrappedIn(ctx, names)
		if err != nil || len(batch) == 0 {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		return f(batch)
	})
}

// wrappedIn reads the wrapped data keys among these records. A record that is gone by now is left out.
func (s *Store) wrappedIn(ctx context.Context, names []string) ([]wrappedKey, error) {
	pipe := s.rdb.Pipeline()
	var out []wrappedKey
	var got []*redis.StringCmd
	lines := map[string]*redis.MapStringStringCmd{}
	for _, name := range names {
		_, rest, _ := strings.Cut(name, "}:")
		switch {
		case name == keyMark():
			out, got = append(out, wrappedKey{key: name, field: "check", place: name}), append(got, pipe.HGet(ctx, name, "check"))
		case strings.HasPrefix(rest, "case:"), strings.HasPrefix(rest, "conv:"):
			out, got = append(out, wrappedKey{key: name, field: "k", place: name}), append(got, pipe.HGet(ctx, name, "k"))
		case rest == "keys":
			lines[name] = pipe.HGetAll(ctx, name)
		}
	}
	if len(got)+len(lines) == 0 {
		return nil, nil
	}
	if _, err := pipe.Exec(ctx); err != nil && !isNil(err) {
		return nil, fmt.Errorf("redis: %w", err)
	}
	n := 0
	for i, cmd := range got {
		if cmd.Err() == nil {
			out[n], n = out[i], n+1
			out[n-1].value = cmd.Val()
		} else if !isNil(cmd.Err()) {
			return nil, fmt.Errorf("redis: %w", cmd.Err())
		}
	}
	out = out[:n]
	for name, cmd := range lines {
		if cmd.Err() != nil {
			return nil, fmt.Errorf("redis: %w", cmd.Err())
		}
		for use, v := range cmd.Val() {
			out = append(out, wrappedKey{key: name, field: use, place: name + "|" + use, value: v})
		}
	}
	return out, nil
}
