package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

var scriptErase = newScript("erase")

// Erase makes a case unreadable for good: its data key, content, timeline, rows, timers and index entries go, and
// the conversation of a contact that fills it; then the append-only file is written anew, so that the disk forgets
// too (copies made before keep what they have until they are thrown away). The code is never given again.
// A case that goes on in this one is erased with it. bot.ErrNotFound when there is no such case.
func (s *Store) Erase(ctx context.Context, line, id string) error {
	c, _, err := s.LoadCase(ctx, line, id)
	if err != nil {
		return err
	}
	for _, other := range linkedTo(c) {
		if err := s.Erase(ctx, line, other); err != nil && !errors.Is(err, bot.ErrNotFound) {
			return err
		}
	}
	args := []any{id}
	for _, to := range c.Contacts {
		contact := s.keys.contactID(line, bot.Contact{Channel: to.Channel, Account: to.Account, Address: to.Address})
		args = append(args, contact)
		s.cache.drop(keyConv(line, contact))
	}
	s.cache.drop(keyCase(line, id))
	n, err := s.run(ctx, scriptErase, []string{lineKey(line)}, args...).Int()
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	if n == 0 {
		return bot.ErrNotFound
	}
	if err := s.rewrite(ctx); err != nil {
		return fmt.Errorf("erased, but the append-only file still holds it: %w", err)
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
