package store

import (
	"context"
	"fmt"
	"time"

	"pulang/bot"
)

// sweepAtOnce bounds one sweep; what is left is the next one's.
const sweepAtOnce = 200

// SweepClaims returns cases to the queue whose lease has ended by now, with a line in their timeline
// ("event.lease_ended") and a row in the audit log, and gives their number. Several processes may sweep at once.
func (s *Store) SweepClaims(ctx context.Context, line string, now time.Time) (int, error) {
	l, err := s.line(line)
	if err != nil {
		return 0, err
	}
	done := 0
	for _, mission := range l.Missions {
		ids, err := s.rdb.ZRangeArgs(ctx, zByScore(keyQueueClaimed(line, mission), 0, now.UnixMilli(), sweepAtOnce)).Result()
		if err != nil {
			return done, fmt.Errorf("sweep claims: %w", err)
		}
		for _, id := range ids {
			ended, err := s.endLease(ctx, line, mission, id, now)
			if err != nil {
				return done, fmt.Errorf("sweep claims: %w", err)
			}
			if ended {
				done++
			}
		}
	}
	return done, nil
}

func (s *Store) endLease(ctx context.Context, line, mission, id string, now time.Time) (bool, error) {
	key := keyCase(line, id)
	f, err := s.rdb.HMGet(ctx, key, "k", "code", "by", "unt").Result()
	if err != nil {
		return false, err
	}
	wrapped, code, by, until := text(f[0]), text(f[1]), text(f[2]), text(f[3])
	if wrapped == "" || by == "" {
		return false, nil // erased or released meanwhile
	}
	names, err := s.officerNames(ctx, line, map[string]bool{by: true})
	if err != nil {
		return false, err
	}
	d, err := s.unwrapped(key, wrapped)
	if err != nil {
		return false, err
	}
	entry, err := sealEntry(keyTimeline(line, id), d, bot.Entry{
		ID: newID(now), At: now, Kind: "event", Text: "event.lease_ended",
		By: names[by],
	})
	if err != nil {
		return false, err
	}
	rows, err := s.auditRowsOf(ctx, line, mission, bot.Audit{At: now, Who: names[by], What: "lease_ended", Code: code})
	if err != nil {
		return false, err
	}
	args := append([]any{now.UnixMilli(), id, "", s.nextToken(), until, entry}, rows...)
	return s.run(ctx, releaseScript, []string{lineKey(line)}, args...).Bool()
}
