package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pulang/bot"
)

var scriptTimers = newScript("timers")

// timerMember names a timer in the set.
func (s *Store) timerMember(line string, t bot.Timer) string {
	if t.CaseID != "" {
		return t.Name + "|" + t.CaseID
	}
	return "c|" + t.Name + "|" + s.keys.contactID(line, t.Contact)
}

// dueMs is a timer's time as the set keeps it, "" for none: never before the time itself, or the timer would be taken within
// the millisecond in which it is not due yet.
func dueMs(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return ms(at.Add(time.Millisecond - 1))
}

// TakeTimers leases up to n timers that are due, in the order of their own times. A timer that is neither removed nor set
// anew by a commit comes back when its lease ends.
func (s *Store) TakeTimers(ctx context.Context, line string, now time.Time, n int, lease time.Duration) ([]bot.Timer, error) {
	if _, err := s.line(line); err != nil {
		return nil, err
	}
	res, err := s.commits.do(ctx, scriptTimers, []string{lineKey(line)}, []any{
		now.UnixMilli(), n, now.Add(lease).UnixMilli(), s.nextToken(),
	})
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	f := texts(res)
	if len(f)%4 != 0 {
		return nil, errors.New("redis: timers gave an unknown answer")
	}
	var out []bot.Timer
	for ; len(f) > 0; f = f[4:] {
		rest, ofContact := strings.CutPrefix(f[0], "c|")
		name, id, ok := strings.Cut(rest, "|")
		at, err := strconv.ParseInt(f[1], 10, 64)
		if !ok || err != nil {
			s.log.Error("timer cannot be read", "line", line)
			continue
		}
		t := bot.Timer{Line: line, Name: name, At: fromMillis(at)}
		if !ofContact {
			t.CaseID = id
		} else if t.Contact, err = s.openContact(line, id, f[2], f[3]); err != nil {
			s.log.Error("timer", "line", line, "timer", name, "err", err)
			continue
		}
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b bot.Timer) int { return a.At.Compare(b.At) })
	return out, nil
}
