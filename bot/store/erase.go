package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/flows/casework"
)

var scriptErase = newScript("erase")

// Erase makes a case unreadable for good: its data key, content, timeline, rows, timers and index entries go, and
// the conversation of a contact that fills it; then the append-only file is written anew, so that the disk forgets
// too (copies made before keep what they have until they are thrown away). The code is never given again.
// A case that goes on in this one is erased with it. A channel that keeps people in a store of its own is told to
// forget them, at least once: see Forgets. bot.ErrHeld when one of the cases is under a legal hold, bot.ErrLinked when it is
// one that goes on in another, bot.ErrNotFound when there is no such case.
func (s *Store) Erase(ctx context.Context, line, id string) error {
	c, _, err := s.LoadCase(ctx, line, id)
	if err == nil {
		err = s.own(ctx, line, c)
	}
	if err == nil {
		err = s.erase(ctx, line, id)
	}
	if errors.Is(err, bot.ErrHeld) || errors.Is(err, bot.ErrLinked) {
		return err
	}
	// Whatever it answered: the case may be gone although the answer was lost, and who tries again does not find it.
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if rewritten := s.rewrite(wait); err == nil && rewritten != nil {
		return fmt.Errorf("erased, but the append-only file still holds it: %w", rewritten)
	}
	return err
}

// erase is Erase without the append-only file.
func (s *Store) erase(ctx context.Context, line, id string) error {
	c, _, err := s.LoadCase(ctx, line, id)
	if err != nil {
		return err
	}
	if err := s.notHeld(ctx, line, c); err != nil {
		return err
	}
	for _, other := range linkedTo(c) {
		if err := s.erase(ctx, line, other); err != nil && !errors.Is(err, bot.ErrNotFound) {
			return err
		}
	}
	args := []any{id, s.nextToken()}
	for _, to := range c.Contacts {
		who := bot.ContactOf(to)
		contact := s.keys.contactID(line, who)
		forget, err := s.forgetRow(ctx, line, contact, who)
		if err != nil {
			return fmt.Errorf("erase: %w", err)
		}
		args = append(args, contact, forget)
		s.cache.drop(keyConv(line, contact))
	}
	s.cache.drop(keyCase(line, id))
	s.hand.forget()
	n, err := s.run(ctx, scriptErase, []string{lineKey(line)}, args...).Int()
	switch {
	case err != nil:
		return fmt.Errorf("erase: %w", err)
	case n == 0:
		return bot.ErrNotFound
	}
	return nil
}

// own gives bot.ErrLinked for a case that goes on in another one: what it held is in that one too, and a hold on both stands
// there. They go together, or are parted first.
func (s *Store) own(ctx context.Context, line string, c *casework.Case) error {
	if c.Into == nil {
		return nil
	}
	_, _, err := s.LoadCase(ctx, line, c.Into.ID)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return bot.ErrLinked
}

// notHeld gives bot.ErrHeld for a case that is under a legal hold, or into which one that is goes on: all are looked at
// before the first goes.
func (s *Store) notHeld(ctx context.Context, line string, c *casework.Case) error {
	if c.Hold != nil {
		return bot.ErrHeld
	}
	for _, id := range linkedTo(c) {
		other, _, err := s.LoadCase(ctx, line, id)
		if errors.Is(err, bot.ErrNotFound) {
			continue
		}
		if err == nil {
			err = s.notHeld(ctx, line, other)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keyForget is a HASH per line: contact to the sealed bot.Contact (JSON) whom a channel's own store has yet to forget;
// associated data: key name and contact, "forget". Until the process that has that store has done it.
func keyForget(line string) string { return lineKey(line) + "forget" }

func (s *Store) forgetRow(ctx context.Context, line, contact string, who bot.Contact) ([]byte, error) {
	if !bot.KeepsPeople(who.Channel) {
		return []byte{}, nil
	}
	return s.sealLineJSON(ctx, line, "forget", keyForget(line)+contact, who)
}

// Forgets are the people, by the id that Forgotten takes, whom this account's own store has yet to forget.
func (s *Store) Forgets(ctx context.Context, line, channel, account string) (map[string]bot.Contact, error) {
	rows, err := s.rdb.HGetAll(ctx, keyForget(line)).Result()
	if err != nil {
		return nil, fmt.Errorf("people to forget: %w", err)
	}
	out := map[string]bot.Contact{}
	for id, sealed := range rows {
		var who bot.Contact
		err := s.openLineJSON(ctx, line, "forget", keyForget(line)+id, sealed, &who)
		if err != nil {
			return nil, fmt.Errorf("people to forget: %w", err)
		}
		if who.Channel == channel && who.Account == account {
			out[id] = who
		}
	}
	return out, nil
}

// Forgotten says that the channel's own store has forgotten the person.
func (s *Store) Forgotten(ctx context.Context, line, id string) error {
	if err := s.rdb.HDel(ctx, keyForget(line), id).Err(); err != nil {
		return fmt.Errorf("forgotten: %w", err)
	}
	return nil
}

// rewrite makes every primary write its append-only file anew.
func (s *Store) rewrite(ctx context.Context) error {
	switch c := s.rdb.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, startRewrite)
	case *redis.Client:
		return startRewrite(ctx, c)
	}
	return nil
}
