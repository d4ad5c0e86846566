package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

func rangeFrom(since string) *redis.ZRangeBy { return &redis.ZRangeBy{Min: since, Max: "+inf"} }

// Prompted calls f for every contact of the account whose last prompt had buttons and was shown between from and to
// (both included), oldest first: after an outage their taps may be lost. It ends with f's first error.
func (s *Store) Prompted(ctx context.Context, line, account string, from, to time.Time, f func(bot.Contact) error) error {
	if _, err := s.line(line); err != nil {
		return err
	}
	ids, err := s.rdb.ZRangeByScore(ctx, keyPrompts(line, dash(account)), &redis.ZRangeBy{
		Min: strconv.FormatInt(from.UnixMilli(), 10), Max: strconv.FormatInt(to.UnixMilli(), 10),
	}).Result()
	if err != nil {
		return fmt.Errorf("prompted: %w", err)
	}
	for _, id := range ids {
		who, err := s.contact(ctx, line, id)
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

// promptsFor is how long a prompt is remembered: twice as long before an outage as anybody is asked about it again.
const promptsFor = 48 * time.Hour

// Beat notes that the account's channel was heard now. It forgets prompts that were shown promptsFor before: an outage
// that is noticed later begins at this beat at the earliest.
func (s *Store) Beat(ctx context.Context, line, account string, now time.Time) error {
	pipe := s.rdb.Pipeline()
	pipe.Set(ctx, keyBeat(line, dash(account)), now.UnixMilli(), 0)
	pipe.ZRemRangeByScore(ctx, keyPrompts(line, dash(account)), "-inf", "("+strconv.FormatInt(now.Add(-promptsFor).UnixMilli(), 10))
	if _, err := pipe.Exec(ctx); err != nil {
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
