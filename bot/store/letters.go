package store

import (
	"context"
	"errors"
	"fmt"

	"pulang/bot"
)

var (
	lettersScript = newReader("letters")
	retryScript   = newScript("retry")
	dismissScript = newScript("dismiss")
)

// Letters lists a mission's held rows (bot.RowHeld) or dead letters (bot.RowFailed, bot.RowUnknown; both with ""), the
// newest first. Rows that belong to no case are the mission's whose line it is.
func (s *Store) Letters(ctx context.Context, mission string, state bot.RowState, limit int) ([]bot.Row, error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return nil, fmt.Errorf("letters: %w", err)
	}
	kind := "dead"
	if state == bot.RowHeld {
		kind, state = "held", ""
	}
	var rows []bot.Row
	for _, line := range lines {
		own := flag(s.lines[line].Missions[0] == mission)
		f, err := s.run(ctx, lettersScript, []string{lineKey(line)}, mission, own, kind, string(state), limit).StringSlice()
		if err != nil {
			return nil, fmt.Errorf("letters: %w", err)
		}
		for ; len(f) >= 4 && len(rows) < limit; f = f[4:] {
			r, err := s.keptRow(line, f[0], f[1], f[2])
			if errors.Is(err, errRow) || errors.Is(err, errSealed) {
				var ok bool
				if r, ok = damagedRow(line, f[0], f[1]); !ok {
					continue // its contact was erased
				}
			} else if err != nil {
				return nil, fmt.Errorf("letters: %w", err)
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// Retry queues a dead letter or a held row again, before what is newer for the same person. force, a supervisor's
// reason, lets it leave against the gate. bot.ErrNotFound when there is no such row (any more), bot.ErrRefused when
// it is on its way.
func (s *Store) Retry(ctx context.Context, mission, row, force string, audit bot.Audit) error {
	lines, err := s.linesOf(mission)
	if err != nil {
		return fmt.Errorf("retry row: %w", err)
	}
	for _, line := range lines {
		err := s.retry(ctx, line, mission, row, force, audit)
		if !errors.Is(err, bot.ErrNotFound) {
			if err != nil {
				return fmt.Errorf("retry row: %w", err)
			}
			return nil
		}
	}
	return fmt.Errorf("retry row: %w", bot.ErrNotFound)
}

func (s *Store) retry(ctx context.Context, line, mission, id, force string, audit bot.Audit) error {
	for range 5 {
		blob, err := s.rdb.HGet(ctx, keyRows(line), id).Result()
		if isNil(err) {
			return bot.ErrNotFound
		}
		if err != nil {
			return err
		}
		h, _, err := splitRow(blob)
		if err != nil || h.why == bot.WhyDamaged {
			return bot.ErrNotFound // nothing is left that could be sent
		}
		if err := s.ownsRow(ctx, line, mission, h); err != nil {
			return err
		}
		wrapped, err := s.rdb.HGet(ctx, keyConv(line, h.contact), "k").Result()
		if err != nil && !isNil(err) {
			return err
		}
		r, err := s.keptRow(line, id, blob, wrapped)
		if err != nil {
			return err
		}
		r.State, r.Attempts, r.Why = bot.RowQueued, 0, ""
		if force != "" {
			r.Force = force
		}
		d, err := s.unwrapped(keyConv(line, h.contact), wrapped)
		if err != nil {
			return err
		}
		again, err := sealRow(line, h.contact, d, r)
		if err != nil {
			return err
		}
		rows, err := s.auditRowsOf(ctx, line, mission, audit)
		if err != nil {
			return err
		}
		n, err := s.run(ctx, retryScript, []string{lineKey(line)}, append([]any{s.clock().UnixMilli(), id, blob, again, mission, s.nextToken()}, rows...)...).Int()
		switch {
		case err != nil:
			return err
		case n == 1:
			return nil
		case n < 0:
			return bot.ErrRefused
		}
	}
	return errBusy
}

// ownsRow gives bot.ErrNotFound for a row that is not the mission's.
func (s *Store) ownsRow(ctx context.Context, line, mission string, h rowHead) error {
	m := s.lines[line].Missions[0]
	if h.caseID != "" {
		var err error
		if m, err = s.rdb.HGet(ctx, keyCase(line, h.caseID), "m").Result(); err != nil && !isNil(err) {
			return err
		}
	}
	if m != mission {
		return bot.ErrNotFound
	}
	return nil
}

// Asides lists the updates that were put aside in the mission's own lines, the newest first.
func (s *Store) Asides(ctx context.Context, mission string, limit int) ([]bot.Aside, error) {
	var all []bot.Aside
	for _, line := range s.ownLines(mission) {
		ids, err := s.rdb.ZRevRange(ctx, keyAsides(line), 0, int64(limit)-1).Result()
		if err != nil {
			return nil, fmt.Errorf("asides: %w", err)
		}
		if len(ids) == 0 {
			continue
		}
		sealed, err := s.rdb.HMGet(ctx, keyAside(line), ids...).Result()
		if err != nil {
			return nil, fmt.Errorf("asides: %w", err)
		}
		for i, v := range sealed {
			if v == nil || len(all) >= limit {
				continue
			}
			a, err := s.openAside(ctx, line, ids[i], text(v))
			if err != nil {
				return nil, fmt.Errorf("asides: %w", err)
			}
			all = append(all, a)
		}
	}
	return all, nil
}

// Dismiss removes an update that was put aside; bot.ErrNotFound when it is not there (any more).
func (s *Store) Dismiss(ctx context.Context, mission, id string, audit bot.Audit) error {
	for _, line := range s.ownLines(mission) {
		rows, err := s.auditRowsOf(ctx, line, mission, audit)
		if err != nil {
			return fmt.Errorf("dismiss aside: %w", err)
		}
		ok, err := s.run(ctx, dismissScript, []string{lineKey(line)}, append([]any{id, mission, s.nextToken()}, rows...)...).Bool()
		if err != nil {
			return fmt.Errorf("dismiss aside: %w", err)
		}
		if ok {
			return nil
		}
	}
	return fmt.Errorf("dismiss aside: %w", bot.ErrNotFound)
}

// ownLines are the lines whose own mission it is.
func (s *Store) ownLines(mission string) []string {
	var own []string
	for _, code := range s.codes {
		if s.lines[code].Missions[0] == mission {
			own = append(own, code)
		}
	}
	return own
}
