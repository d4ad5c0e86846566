package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

func rangeFrom(since string) *redis.ZRangeBy { return &redis.ZRangeBy{Min: since, Max: "+inf"} }

// Prompted calls f for every contact of the account whose last prompt had buttons and was shown between from and to
// (both included), oldest first: after an outage their taps may be lost. It ends with f's first error. It walks over all
// contacts of the line, in steps that hold up nobody: an index of the prompts, for the few times that somebody asks,
// would cost each message a command and each person 126 bytes.
func (s *Store) Prompted(ctx context.Context, line, account string, from, to time.Time, f func(bot.Contact) error) error {
	if _, err := s.line(line); err != nil {
		return err
	}
	shown, err := s.promptedIn(ctx, line, dash(account), from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return fmt.Errorf("prompted: %w", err)
	}
	for _, p := range shown {
		who, err := s.contact(ctx, line, p.contact)
		if errors.Is(err, bot.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := f(who); err != nil {
			return err
		}
	}
	return nil
}

// promptShown is when a contact was shown the last prompt, in milliseconds.
type promptShown struct {
	contact string
	at      int64
}

// promptedIn are the contacts of the account whose last prompt had buttons and was shown in that time, oldest first.
func (s *Store) promptedIn(ctx context.Context, line, account string, from, to int64) ([]promptShown, error) {
	var mu sync.Mutex
	all := map[string]int64{} // a walk may meet a key twice
	err := eachKeyLike(ctx, s.rdb, keyConv(line, "*"), func(names []string) error {
		pipe := s.rdb.Pipeline()
		got := make([]*redis.SliceCmd, len(names))
		for i, name := range names {
			got[i] = pipe.HMGet(ctx, name, "sh", "acct")
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for i, name := range names {
			f := texts(got[i].Val())
			if at, err := strconv.ParseInt(f[0], 10, 64); err == nil && at > 0 && from <= at && at <= to && f[1] == account {
				all[name[len(keyConv(line, "")):]] = at
			}
		}
		return nil
	})
	var out []promptShown
	for contact, at := range all {
		out = append(out, promptShown{contact, at})
	}
	slices.SortFunc(out, func(a, b promptShown) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.contact, b.contact)) })
	return out, err
}

// Beat notes that the account's channel was heard now.
func (s *Store) Beat(ctx context.Context, line, account string, now time.Time) error {
	if err := s.rdb.Set(ctx, keyBeat(line, dash(account)), now.UnixMilli(), 0).Err(); err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	return nil
}

// LastBeat is when the account's channel was last heard; zero when never.
func (s *Store) LastBeat(ctx context.Context, line, account string) (time.Time, error) {
	at, err := s.rdb.Get(ctx, keyBeat(line, dash(account))).Int64()
	if isNil(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("last beat: %w", err)
	}
	return fromMillis(at), nil
}
