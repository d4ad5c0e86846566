package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pulang/bot"
)

var scriptBroadcast = newScript("broadcast")

// keyBroadcasts is a HASH per line: id to the sealed bot.Broadcast (JSON) of the line's own mission; associated data: key
// name and id, "broadcasts". For broadcastsKept, until the next one is written. keyBroadcasting is a SET of the ids of
// those for which the outbox is to be filled or emptied.
func keyBroadcasts(line string) string   { return lineKey(line) + "broadcasts" }
func keyBroadcasting(line string) string { return lineKey(line) + "broadcasting" }

const (
	broadcastsKept = 90 * 24 * time.Hour
	// broadcastsListed is how many broadcasts a page shows.
	broadcastsListed = 30
)

// broadcastLine is the line in which a mission's broadcasts stand.
func (s *Store) broadcastLine(mission string) (string, error) {
	own := s.ownLines(mission)
	if len(own) == 0 {
		return "", fmt.Errorf("broadcast: no line of that mission: %w", bot.ErrNotFound)
	}
	return own[0], nil
}

// broadcast reads a broadcast as it is stored; "" for none.
func (s *Store) broadcast(ctx context.Context, line, id string) (sealed string, b bot.Broadcast, err error) {
	sealed, err = s.rdb.HGet(ctx, keyBroadcasts(line), id).Result()
	if isNil(err) {
		return "", b, nil
	}
	if err == nil {
		b, err = s.openBroadcast(ctx, line, id, sealed)
	}
	if err != nil {
		return "", b, fmt.Errorf("broadcast: %w", err)
	}
	return sealed, b, nil
}

func (s *Store) openBroadcast(ctx context.Context, line, id, sealed string) (b bot.Broadcast, err error) {
	err = s.openLineJSON(ctx, line, "broadcasts", keyBroadcasts(line)+id, sealed, &b)
	return b, err
}

// putBroadcast puts b in place of the one that was read; bot.ErrConflict when another one stands there by now.
func (s *Store) putBroadcast(ctx context.Context, line, was string, b bot.Broadcast, audit ...bot.Audit) error {
	sealed, err := s.sealLineJSON(ctx, line, "broadcasts", keyBroadcasts(line)+b.ID, b)
	if err != nil {
		return fmt.Errorf("broadcast: %w", err)
	}
	rows, err := s.auditRowsOf(ctx, line, line, audit...)
	if err != nil {
		return fmt.Errorf("broadcast: %w", err)
	}
	work := flag(b.State == bot.BroadcastRunning || b.State == bot.BroadcastStopping)
	ok, err := s.run(ctx, scriptBroadcast, []string{lineKey(line)}, append([]any{b.ID, was, sealed, work, s.nextToken()}, rows...)...).Bool()
	if err != nil {
		return fmt.Errorf("broadcast: %w", err)
	}
	if !ok {
		return fmt.Errorf("broadcast: %w", bot.ErrConflict)
	}
	return nil
}

// AskBroadcast keeps a broadcast of a mission that somebody wrote; it waits for a second person. The same id again
// changes nothing.
func (s *Store) AskBroadcast(ctx context.Context, mission string, b bot.Broadcast, audit bot.Audit) error {
	line, err := s.broadcastLine(mission)
	if err != nil {
		return err
	}
	was, _, err := s.broadcast(ctx, line, b.ID)
	if err != nil {
		return err
	}
	if was != "" {
		return s.replicated(ctx, line)
	}
	if err := s.trimBroadcasts(ctx, line, b.At); err != nil {
		return err
	}
	b.State = bot.BroadcastAsked
	return s.putBroadcast(ctx, line, "", b, audit)
}

// trimBroadcasts forgets those that are over since long.
func (s *Store) trimBroadcasts(ctx context.Context, line string, now time.Time) error {
	all, err := s.broadcasts(ctx, line)
	if err != nil {
		return err
	}
	for _, b := range all {
		over := b.State != bot.BroadcastRunning && b.State != bot.BroadcastStopping
		if over && b.At.Before(now.Add(-broadcastsKept)) {
			if err := s.rdb.HDel(ctx, keyBroadcasts(line), b.ID).Err(); err != nil {
				return fmt.Errorf("broadcast: %w", err)
			}
		}
	}
	return nil
}

// broadcasts are all of a line, the newest first, without counts.
func (s *Store) broadcasts(ctx context.Context, line string) ([]bot.Broadcast, error) {
	sealed, err := s.rdb.HGetAll(ctx, keyBroadcasts(line)).Result()
	if err != nil {
		return nil, fmt.Errorf("broadcasts: %w", err)
	}
	out := make([]bot.Broadcast, 0, len(sealed))
	for id, v := range sealed {
		b, err := s.openBroadcast(ctx, line, id, v)
		if err != nil {
			return nil, fmt.Errorf("broadcasts: %w", err)
		}
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b bot.Broadcast) int { return b.At.Compare(a.At) })
	return out, nil
}

// Broadcasts lists a mission's latest broadcasts, the newest first, with what became of their rows.
func (s *Store) Broadcasts(ctx context.Context, mission string) ([]bot.Broadcast, error) {
	line, err := s.broadcastLine(mission)
	if err != nil {
		return nil, err
	}
	all, err := s.broadcasts(ctx, line)
	if err != nil {
		return nil, err
	}
	all = all[:min(len(all), broadcastsListed)]
	for i := range all {
		if !all[i].Began.IsZero() {
			if all[i].Sent, err = s.broadcastCounts(ctx, line, all[i].ID); err != nil {
				return nil, fmt.Errorf("broadcasts: %w", err)
			}
		}
	}
	return all, nil
}

// ConfirmBroadcast begins a broadcast that somebody else wrote: bot.ErrRefused when by did, bot.ErrNotFound when it
// waits for nobody (any more).
func (s *Store) ConfirmBroadcast(ctx context.Context, mission, id, by string, now time.Time, audit bot.Audit) error {
	line, err := s.broadcastLine(mission)
	if err != nil {
		return err
	}
	was, b, err := s.broadcast(ctx, line, id)
	switch {
	case err != nil:
		return err
	case was == "" || b.State != bot.BroadcastAsked || !b.Until.After(now):
		return fmt.Errorf("broadcast: waits for nobody: %w", bot.ErrNotFound)
	case foldName(b.By) == foldName(by):
		return fmt.Errorf("broadcast: it needs a second person: %w", bot.ErrRefused)
	}
	b.State, b.Second, b.Began = bot.BroadcastRunning, by, now
	audit.Field = b.By
	return s.putBroadcast(ctx, line, was, b, audit)
}

// StopBroadcast stops a broadcast, or takes back one that nobody has confirmed; bot.ErrNotFound when it is over.
func (s *Store) StopBroadcast(ctx context.Context, mission, id, by string, now time.Time, audit bot.Audit) error {
	line, err := s.broadcastLine(mission)
	if err != nil {
		return err
	}
	for range 5 { // the process that fills the outbox may move it on at this moment
		was, b, err := s.broadcast(ctx, line, id)
		if err != nil {
			return err
		}
		switch {
		case was == "":
			return fmt.Errorf("broadcast: %w", bot.ErrNotFound)
		case b.State == bot.BroadcastAsked:
			b.State, b.Ended = bot.BroadcastDropped, now
		case b.State == bot.BroadcastRunning, b.State == bot.BroadcastQueued:
			b.State = bot.BroadcastStopping
		default:
			return fmt.Errorf("broadcast: it is over: %w", bot.ErrNotFound)
		}
		b.StoppedBy = by
		if err := s.putBroadcast(ctx, line, was, b, audit); !errors.Is(err, bot.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("broadcast: %w", bot.ErrConflict)
}

// BroadcastsAtWork are those of the line's own mission that are running or stopping, the oldest first.
func (s *Store) BroadcastsAtWork(ctx context.Context, line string) ([]bot.Broadcast, error) {
	ids, err := s.rdb.SMembers(ctx, keyBroadcasting(line)).Result()
	if err != nil {
		return nil, fmt.Errorf("broadcasts: %w", err)
	}
	var out []bot.Broadcast
	for _, id := range ids {
		was, b, err := s.broadcast(ctx, line, id)
		if err != nil {
			return nil, err
		}
		if was != "" {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b bot.Broadcast) int { return a.Began.Compare(b.Began) })
	return out, nil
}

// BroadcastState reads how far a broadcast has come; "" for none.
func (s *Store) BroadcastState(ctx context.Context, line, id string) (bot.BroadcastState, error) {
	_, b, err := s.broadcast(ctx, line, id)
	return b.State, err
}

// EndBroadcast moves a broadcast on when its work is done: from running to queued, or to stopping when it is late, from
// stopping to stopped.
func (s *Store) EndBroadcast(ctx context.Context, line, id string, now time.Time) error {
	was, b, err := s.broadcast(ctx, line, id)
	if err != nil || was == "" {
		return err
	}
	switch b.State {
	case bot.BroadcastRunning:
		b.State = bot.BroadcastQueued
		if b.Late(now) {
			b.State = bot.BroadcastStopping
		}
	case bot.BroadcastStopping:
		b.State = bot.BroadcastStopped
	default:
		return nil
	}
	b.Ended = now
	if err := s.putBroadcast(ctx, line, was, b); !errors.Is(err, bot.ErrConflict) {
		return err
	}
	return nil // moved meanwhile: the next round sees it
}
