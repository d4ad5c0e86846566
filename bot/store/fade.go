package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

var scriptFade = newScript("fade")

// keyAged is set while the append-only file still holds what went by age.
func keyAged(line string) string { return lineKey(line) + "aged" }

// fadeAtOnce is how many entries one script changes.
const fadeAtOnce = 100

// Fade removes from a case's timeline what goes with a step of retention: with casework.FadeFiles the references by which
// files are fetched from the messenger, with casework.FadeChat all that was said by the person or to them, or was to be said
// and was not sent. Notes and events stay. What is there no more is removed already; a case that is gone is no error.
func (s *Store) Fade(ctx context.Context, line, id string, step casework.Fade) error {
	timeline := keyTimeline(line, id)
	k, err := s.recordKey(ctx, keyCase(line, id), false)
	if err != nil || !k.stored {
		return err
	}
	stored, err := s.rdb.LRange(ctx, timeline, 0, -1).Result()
	if err != nil {
		return fmt.Errorf("fade: %w", err)
	}
	var args []any
	for i, raw := range stored {
		is, change, err := fadedEntry(timeline, k.dataKey, raw, step)
		if err != nil {
			return fmt.Errorf("fade: %w", err)
		}
		if change {
			args = append(args, i, raw, is)
		}
	}
	for some := range slices.Chunk(args, 3*fadeAtOnce) {
		if err := s.run(ctx, scriptFade, []string{lineKey(line)}, append([]any{id, "0"}, some...)...).Err(); err != nil {
			return fmt.Errorf("fade: %w", err)
		}
	}
	// The entries that are to go were emptied in their places; now the places go. With the chat goes what waits in the outbox,
	// held or dead: it would be told half a year late.
	last := "1"
	if step == casework.FadeChat {
		last = "2"
	}
	if err := s.run(ctx, scriptFade, []string{lineKey(line)}, id, last).Err(); err != nil {
		return fmt.Errorf("fade: %w", err)
	}
	return nil
}

// fadedEntry is what stays of an entry, nothing for one that goes. One that does not open any more goes with the chat.
func fadedEntry(timeline string, d dataKey, raw string, step casework.Fade) (is []byte, change bool, err error) {
	e, err := openEntry(timeline, d, raw)
	switch {
	case step == casework.FadeChat:
		return nil, err != nil || e.Kind == "in" || e.Kind == "out", nil
	case err != nil || e.Input == nil || e.Input.Media == nil || e.Input.Media.Ref == "" && e.Input.Media.Name == "":
		return nil, false, nil
	}
	e.Input.Media.Ref, e.Input.Media.Name = "", ""
	is, err = sealEntry(timeline, d, e)
	return is, true, err
}

// EraseAged erases a case as Erase does, except that the append-only file is written anew within the hour. The audit row is
// written first: an erasure that nobody can account for is worse than a row too many.
func (s *Store) EraseAged(ctx context.Context, line, id string, row bot.Audit) error {
	c, _, err := s.LoadCase(ctx, line, id)
	if err == nil {
		err = s.notHeld(ctx, line, c)
	}
	if err == nil {
		err = s.Record(ctx, c.Mission, row)
	}
	if err != nil {
		return err
	}
	if err := s.rdb.Set(ctx, keyAged(line), "1", 0).Err(); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	return s.erase(ctx, line, id)
}

// ForgetOnDisk has the append-only file written anew when it holds what went by age.
func (s *Store) ForgetOnDisk(ctx context.Context, line string) error {
	err := s.rdb.Get(ctx, keyAged(line)).Err()
	if isNil(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("forget on disk: %w", err)
	}
	// The mark goes first: what ages from here on sets it again.
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := errors.Join(s.rdb.Del(ctx, keyAged(line)).Err(), s.rewrite(wait)); err != nil {
		return errors.Join(fmt.Errorf("forget on disk: %w", err), s.rdb.Set(context.WithoutCancel(ctx), keyAged(line), "1", 0).Err())
	}
	return nil
}

var _ bot.Retainer = (*Store)(nil)
