package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"pulang/bot"
)

var scriptFinish = newScript("finish")

const (
	finishArgs = 13 // of each row
	// mostFinished bounds how many rows one script call takes.
	mostFinished = 256
)

// finishing gathers the rows whose results come while the call that will carry them has not left yet.
type finishing struct {
	mu   sync.Mutex
	open map[finishKey]*finished
}

// finishKey is what the rows of one call have in common. Calls that lease next rows are apart from those that do not.
type finishKey struct {
	line  string
	lease bool
}

// finished is one call: rows of several callers, and the result that they share out by contact.
type finished struct {
	now   time.Time
	ends  string
	token string
	rows  []any
	done  chan struct{}
	err   error

	mu   sync.Mutex
	next []string // values of rows leased again that nobody took yet
}

// Finish stores what became of leased rows, frees their contacts, and returns those contacts' next due rows, leased
// again for that long; with lease 0 none. Calls that come together are one in Redis, ahead of the commits that arrive
// meanwhile: whoever is answered and writes again at once is found free.
func (s *Store) Finish(ctx context.Context, line string, now time.Time, done []bot.Sent, lease time.Duration) ([]bot.Leased, error) {
	if _, err := s.line(line); err != nil {
		return nil, err
	}
	if len(done) == 0 {
		return nil, nil
	}
	rows := make([]any, 0, finishArgs*len(done))
	contacts := make([]string, len(done))
	for i, d := range done {
		r, ver, named := d.Row, "", ""
		if d.CaseVer > 0 {
			ver = strconv.FormatInt(d.CaseVer, 10)
		}
		if d.Named {
			named = r.CaseID
		}
		contacts[i] = s.keys.contactID(line, r.To)
		rows = append(rows, r.ID, contacts[i], dash(r.To.Account), r.Lease, string(r.State), r.Attempts,
			millis(r.NotBefore), dash(r.Why), dash(r.ProviderID), ms(d.Freeze), named, ver, ms(d.LastIn))
	}
	f := s.joinFinish(ctx, line, now, lease, rows)
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("redis: %w", ctx.Err())
	}
	if f.err != nil {
		return nil, fmt.Errorf("redis: %w", f.err)
	}
	var blocked error
	for _, d := range done {
		if d.Blocked {
			blocked = errors.Join(blocked, s.markBlocked(ctx, line, d.Row.To, now))
		}
	}
	if blocked != nil {
		// The rows are stored; only the mark is missing, and the next failed send sets it again.
		s.log.Warn("mark blocked", "line", line, "err", blocked)
	}
	return s.leased(line, f.take(contacts), f.token), nil
}

// joinFinish adds rows to the call that has not left yet, or begins one.
func (s *Store) joinFinish(ctx context.Context, line string, now time.Time, lease time.Duration, rows []any) *finished {
	key := finishKey{line, lease > 0}
	s.finishing.mu.Lock()
	defer s.finishing.mu.Unlock()
	f := s.finishing.open[key]
	if f != nil && len(f.rows)+len(rows) <= finishArgs*mostFinished {
		f.rows = append(f.rows, rows...)
		return f
	}
	f = &finished{now: now, token: s.nextToken(), rows: rows, done: make(chan struct{})}
	if lease > 0 {
		f.ends = ms(now.Add(lease))
	}
	s.finishing.open[key] = f
	// Whoever began the call may give up; the others' rows go on.
	err := s.commits.grow(context.WithoutCancel(ctx), scriptFinish, []string{lineKey(line)}, func() []any {
		s.finishing.mu.Lock()
		defer s.finishing.mu.Unlock()
		if s.finishing.open[key] == f {
			delete(s.finishing.open, key)
		}
		return append([]any{f.now.UnixMilli(), f.ends, f.token}, f.rows...)
	}, f.answered)
	if err != nil {
		delete(s.finishing.open, key)
		f.answered(nil, err)
	}
	return f
}

// answered keeps the call's result and tells those who wait for it.
func (f *finished) answered(res []any, err error) {
	if f.err = err; err == nil {
		f.next, f.err = handedOut(res)
	}
	close(f.done)
}

// take gives those of the next rows that are these contacts', once.
func (f *finished) take(contacts []string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var mine, others []string
	for row := range slices.Chunk(f.next, leaseValues) {
		if slices.Contains(contacts, row[2]) {
			mine = append(mine, row...)
		} else {
			others = append(others, row...)
		}
	}
	f.next = others
	return mine
}
