package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pulang/bot"
)

var scriptEraseAsk = newScript("erase_ask")

// keyErasures is a HASH per line: case id to the sealed bot.EraseAsk (JSON) that waits for a second person; associated
// data: key name and case id, "erasures". Until it is confirmed, taken back, or the case is gone.
func keyErasures(line string) string { return lineKey(line) + "erasures" }

// eraseAsked reads the request about one case as it is stored; "" for none.
func (s *Store) eraseAsked(ctx context.Context, line, id string) (sealed string, a bot.EraseAsk, err error) {
	sealed, err = s.rdb.HGet(ctx, keyErasures(line), id).Result()
	if isNil(err) {
		return "", a, nil
	}
	if err == nil {
		a, err = s.openErasure(ctx, line, id, sealed)
	}
	if err != nil {
		return "", a, fmt.Errorf("erasure: %w", err)
	}
	return sealed, a, nil
}

func (s *Store) openErasure(ctx context.Context, line, id, sealed string) (a bot.EraseAsk, err error) {
	err = s.openLineJSON(ctx, line, "erasures", keyErasures(line)+id, sealed, &a)
	return a, err
}

// changeErasure puts a request in place of the one that was read; "" for none.
func (s *Store) changeErasure(ctx context.Context, line, mission, id, was string, sealed []byte, audit bot.Audit) error {
	rows, err := s.auditRowsOf(ctx, line, mission, audit)
	if err != nil {
		return fmt.Errorf("erasure: %w", err)
	}
	ok, err := s.run(ctx, scriptEraseAsk, []string{lineKey(line)}, append([]any{id, was, sealed, s.nextToken()}, rows...)...).Bool()
	if err != nil {
		return fmt.Errorf("erasure: %w", err)
	}
	if !ok {
		return fmt.Errorf("erasure: %w", bot.ErrConflict)
	}
	return nil
}

// AskErase asks to erase a mission's case. bot.ErrHeld while it is under a legal hold, bot.ErrLinked while it goes on in another
// one, bot.ErrConflict when somebody asks
// already, bot.ErrNotFound when there is no such case.
func (s *Store) AskErase(ctx context.Context, mission string, a bot.EraseAsk, audit bot.Audit) error {
	line, id, err := s.locate(ctx, mission, a.Code)
	if err != nil {
		return err
	}
	c, _, err := s.LoadCase(ctx, line, id)
	if err != nil {
		return err
	}
	if err := errors.Join(s.own(ctx, line, c), s.notHeld(ctx, line, c)); err != nil {
		return fmt.Errorf("erasure: %w", err)
	}
	was, old, err := s.eraseAsked(ctx, line, id)
	if err != nil {
		return err
	}
	if was != "" && old.Until.After(a.At) {
		return fmt.Errorf("erasure: asked for already: %w", bot.ErrConflict)
	}
	sealed, err := s.sealLineJSON(ctx, line, "erasures", keyErasures(line)+id, a)
	if err != nil {
		return fmt.Errorf("erasure: %w", err)
	}
	return s.changeErasure(ctx, line, mission, id, was, sealed, audit)
}

// Erasures lists what a mission's staff ask to erase and nobody has confirmed yet, the oldest first.
func (s *Store) Erasures(ctx context.Context, mission string) ([]bot.EraseAsk, error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return nil, err
	}
	var out []bot.EraseAsk
	for _, line := range lines {
		all, err := s.rdb.HGetAll(ctx, keyErasures(line)).Result()
		if err != nil {
			return nil, fmt.Errorf("erasures: %w", err)
		}
		for id, sealed := range all {
			of, err := s.rdb.HGet(ctx, keyCase(line, id), fieldMission).Result()
			if err != nil && !isNil(err) {
				return nil, fmt.Errorf("erasures: %w", err)
			}
			if of != mission {
				continue
			}
			a, err := s.openErasure(ctx, line, id, sealed)
			if err != nil {
				return nil, fmt.Errorf("erasures: %w", err)
			}
			if a.Until.After(s.clock()) {
				out = append(out, a)
			}
		}
	}
	slices.SortFunc(out, func(a, b bot.EraseAsk) int { return a.At.Compare(b.At) })
	return out, nil
}

// WithdrawErase takes a request back; bot.ErrNotFound when there is none.
func (s *Store) WithdrawErase(ctx context.Context, mission, code string, audit bot.Audit) error {
	line, id, err := s.locate(ctx, mission, code)
	if err != nil {
		return err
	}
	was, _, err := s.eraseAsked(ctx, line, id)
	if err != nil {
		return err
	}
	if was == "" {
		return fmt.Errorf("erasure: %w", bot.ErrNotFound)
	}
	return s.changeErasure(ctx, line, mission, id, was, []byte{}, audit)
}

// EraseAsked erases a case that somebody else asked to erase. bot.ErrRefused when by asked for it, bot.ErrNotFound when
// nobody asks (any more), bot.ErrLinked when it goes on in another one by now, bot.ErrClaimed while an officer works on it. The audit row is written first: an erasure that
// nobody can account for is worse than a row about one that a failure stopped, and a second try is harmless.
func (s *Store) EraseAsked(ctx context.Context, mission, code, by string, audit bot.Audit) error {
	line, id, err := s.locate(ctx, mission, code)
	if err != nil {
		return err
	}
	was, a, err := s.eraseAsked(ctx, line, id)
	if err != nil {
		return err
	}
	switch {
	case was == "" || !a.Until.After(s.clock()):
		return fmt.Errorf("erasure: nobody asks: %w", bot.ErrNotFound)
	case foldName(a.By) == foldName(by):
		return fmt.Errorf("erasure: it needs a second person: %w", bot.ErrRefused)
	}
	file, err := s.Open(ctx, mission, code, s.clock(), bot.Audit{})
	if err != nil {
		return err
	}
	if err := errors.Join(s.own(ctx, line, file.Case), s.notHeld(ctx, line, file.Case)); err != nil {
		return fmt.Errorf("erasure: %w", err)
	}
	if c := file.Claim; c != nil && c.Until.After(s.clock()) {
		return fmt.Errorf("erasure: %w", &bot.ClaimedError{Claim: *c})
	}
	audit.Purpose, audit.Field = a.Reason, a.By
	// Whoever takes the request back at this moment is either before this row or too late.
	if err := s.changeErasure(ctx, line, mission, id, was, []byte(was), audit); err != nil {
		return err
	}
	if err := s.Erase(ctx, line, id); err != nil && !errors.Is(err, bot.ErrNotFound) {
		return err
	}
	return nil
}
