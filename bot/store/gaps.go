package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

var scriptPassed = newScript("passed")

// Passed notes that the update of this number was acknowledged to a messenger that counts its updates, although no
// commit came of it: without this it would be missing from the count.
func (s *Store) Passed(ctx context.Context, line, account string, number int64) error {
	if _, err := s.line(line); err != nil || number <= 0 {
		return err
	}
	err := s.run(ctx, scriptPassed, []string{lineKey(line)}, s.clock().UnixMilli(), dash(account), number).Err()
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// MissingUpdates are the numbers of updates that a messenger must have given out by that time, since it gave out later
// ones, and that never came to the store: it delivers them yet, or they were acknowledged and Redis lost them. In
// order; a long gap is one range.
func (s *Store) MissingUpdates(ctx context.Context, line, account string, by time.Time) ([]NumberRange, error) {
	if _, err := s.line(line); err != nil {
		return nil, err
	}
	members, err := s.rdb.ZRangeArgs(ctx, zByScore(keyMissing(line, dash(account)), 0, by.UnixMilli(), 0)).Result()
	if err != nil {
		return nil, fmt.Errorf("missing updates: %w", err)
	}
	var out []NumberRange
	for _, m := range members {
		first, last, many := strings.Cut(m, "-")
		if !many {
			last = first
		}
		r := NumberRange{}
		if r.First, err = strconv.ParseInt(first, 10, 64); err == nil {
			r.Last, err = strconv.ParseInt(last, 10, 64)
		}
		if err != nil {
			return nil, fmt.Errorf("missing updates: %w", err)
		}
		out = append(out, r)
	}
	return out, nil
}

// ForgetMissing takes numbers off the list of the missing: somebody was told.
func (s *Store) ForgetMissing(ctx context.Context, line, account string, list []NumberRange) error {
	for len(list) > 0 {
		n := min(len(list), 1000)
		args := []any{s.clock().UnixMilli(), dash(account), ""}
		for _, r := range list[:n] {
			args = append(args, r.String())
		}
		if err := s.run(ctx, scriptPassed, []string{lineKey(line)}, args...).Err(); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		list = list[n:]
	}
	return nil
}

// NumberRange is one number or a range of them, both ends included.
type NumberRange struct{ First, Last int64 }

// Count is how many numbers there are.
func (r NumberRange) Count() int { return int(r.Last - r.First + 1) }

// String is "17" or "17-20".
func (r NumberRange) String() string {
	if r.First == r.Last {
		return strconv.FormatInt(r.First, 10)
	}
	return strconv.FormatInt(r.First, 10) + "-" + strconv.FormatInt(r.Last, 10)
}
