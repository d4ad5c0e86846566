package store

import (
	"context"
	"encoding/json"
	"fmt"

	"pulang/bot"
)

var scriptAside = newScript("aside")

// SetAside keeps an update that could not be understood or handled, whole and sealed, until staff dismiss it. The
// same ID is kept once.
func (s *Store) SetAside(ctx context.Context, line string, a bot.Aside) error {
	l, err := s.line(line)
	if err != nil {
		return err
	}
	if a.At.IsZero() {
		a.At = s.clock()
	}
	if a.ID == "" {
		a.ID = newID(a.At)
	}
	plain, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("set aside: %w", err)
	}
	d, err := s.lineKey(ctx, line, "aside")
	if err != nil {
		return fmt.Errorf("set aside: %w", err)
	}
	sealed, err := d.seal(keyAside(line), a.ID, 0, plain)
	if err != nil {
		return fmt.Errorf("set aside: %w", err)
	}
	err = s.run(ctx, scriptAside, []string{lineKey(line)}, a.ID, a.At.UnixMilli(), sealed, l.Missions[0]).Err()
	if err != nil {
		return fmt.Errorf("set aside: %w", err)
	}
	return nil
}

// openAside opens what SetAside kept.
func (s *Store) openAside(ctx context.Context, line, id, sealed string) (bot.Aside, error) {
	var a bot.Aside
	d, err := s.lineKey(ctx, line, "aside")
	if err != nil {
		return a, err
	}
	plain, err := d.open(keyAside(line), id, 0, sealed)
	if err != nil {
		return a, err
	}
	return a, decode(plain, &a)
}
