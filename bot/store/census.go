package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// LineCensus counts what a line holds. The staff area is the line StaffLine.
type LineCensus struct {
	Line      string `json:"line"`
	Cases     int    `json:"cases"`
	Codes     int64  `json:"codes"` // ever given, those of erased cases too
	Contacts  int    `json:"contacts"`
	Timelines int    `json:"timelines"`
	Rows      int64  `json:"rows"` // that have not left
	Timers    int64  `json:"timers"`
	Accounts  int64  `json:"accounts,omitempty"` // of the staff area
	Audit     int64  `json:"audit"`

	beats []string // names of the accounts' beats
}

// Census counts what the store holds, by line in the order of their names. On a store that is written to meanwhile
// it is of no one moment.
func (s *Store) Census(ctx context.Context) ([]LineCensus, error) {
	return census(ctx, s.rdb)
}

func census(ctx context.Context, rdb redis.UniversalClient) ([]LineCensus, error) {
	var mu sync.Mutex
	lines := map[string]*LineCensus{}
	count := func(name string) {
		if !strings.HasPrefix(name, "{") {
			return
		}
		line, rest, ok := strings.Cut(name[1:], "}:")
		if !ok {
			return
		}
		kind, _, _ := strings.Cut(rest, ":")
		c := lines[line]
		if c == nil {
			c = &LineCensus{Line: line}
			lines[line] = c
		}
		switch kind {
		case "case":
			c.Cases++
		case "conv":
			c.Contacts++
		case "timeline":
			c.Timelines++
		case "beat":
			c.beats = append(c.beats, name)
		}
	}
	err := eachKey(ctx, rdb, func(names []string) error {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range names {
			count(n)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []LineCensus
	for _, c := range lines {
		pipe := rdb.Pipeline()
		codes, rows, timers := pipe.HLen(ctx, keyCodes(c.Line)), pipe.HLen(ctx, keyRows(c.Line)), pipe.ZCard(ctx, keyTimers(c.Line))
		audit, accounts := pipe.LLen(ctx, keyAudit(c.Line)), pipe.SCard(ctx, lineKey(c.Line)+"accounts")
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fmt.Errorf("count: %w", err)
		}
		c.Codes, c.Rows, c.Timers, c.Audit, c.Accounts = codes.Val(), rows.Val(), timers.Val(), audit.Val(), accounts.Val()
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b LineCensus) int { return strings.Compare(a.Line, b.Line) })
	return out, nil
}

// eachKey walks over the names of all keys, in a Cluster over those of every primary at once: f has to bear that.
// What is there from the beginning to the end is met once, or now and then twice where keys are made meanwhile.
func eachKey(ctx context.Context, rdb redis.UniversalClient, f func(names []string) error) error {
	return eachKeyLike(ctx, rdb, "", f)
}

// eachKeyLike is eachKey for the names that match a pattern of Redis; "" for all.
func eachKeyLike(ctx context.Context, rdb redis.UniversalClient, pattern string, f func(names []string) error) error {
	walk := func(ctx context.Context, c *redis.Client) error {
		for cursor := uint64(0); ; {
			names, next, err := c.Scan(ctx, cursor, pattern, scanBatch).Result()
			if err != nil {
				return fmt.Errorf("redis: %w", err)
			}
			if len(names) > 0 {
				if err := f(names); err != nil {
					return err
				}
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, walk)
	case *redis.Client:
		return walk(ctx, c)
	}
	return fmt.Errorf("cannot walk over a %T", rdb)
}
