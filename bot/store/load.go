package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

var scriptLoad = newReader("load")

func isNil(err error) bool { return errors.Is(err, redis.Nil) }

// Load reads, in one round trip, what a turn starts from; or none, where that is at hand from the contact's last
// commit here. It may then be stale, or the request a repeat: Commit finds out. An empty updateID always reads.
func (s *Store) Load(ctx context.Context, line string, who bot.Contact, updateID string) (bot.Snapshot, error) {
	var snap bot.Snapshot
	l, err := s.line(line)
	if err != nil {
		return snap, err
	}
	contact := s.keys.contactID(line, who)
	if updateID != "" {
		if snap, ok := s.hand.take(keyConv(line, contact), updateID, line, l.Missions[0], s.clock()); ok {
			return snap, nil
		}
	}
	keys, args := []string{lineKey(line)}, []any{contact, s.keys.digest(updateID), l.Missions[0]}
	res, err := s.loads.do(ctx, scriptLoad, keys, args)
	if err != nil {
		return snap, fmt.Errorf("redis: %w", err)
	}
	f := texts(res)
	if len(f) == 1 {
		// Whoever hears this acknowledges the request: not before the replicas have what it did.
		if s.to.wait.Replicas > 0 {
			if _, err := s.commits.do(ctx, scriptLoad, keys, args); err != nil {
				return snap, fmt.Errorf("redis: %w", err)
			}
			// Perhaps nobody acknowledged it yet: the commit before may have met too few replicas.
			s.journal.note(ack{at: s.clock().UnixMilli(), line: line, contact: contact, digest: s.keys.digest(updateID)})
		}
		return bot.Snapshot{Seen: true}, nil
	}
	if len(f) != 9 {
		return snap, errors.New("redis: load gave an unknown answer")
	}
	if snap.Waiting, err = strconv.Atoi(f[8]); err != nil {
		return snap, fmt.Errorf("queue length: %w", err)
	}
	if f[2] != "" {
		key := keyConv(line, contact)
		d, err := s.unwrapped(key, f[2])
		if err != nil {
			return snap, fmt.Errorf("conversation: %w", err)
		}
		if f[1] != "" {
			if snap.Version, err = strconv.ParseInt(f[1], 10, 64); err != nil {
				return snap, fmt.Errorf("conversation: %w", err)
			}
			plain, err := d.open(key, "s", snap.Version, f[3])
			if err != nil {
				return snap, fmt.Errorf("conversation: %w", err)
			}
			if err := decode(plain, &snap.State); err != nil {
				return snap, errors.New("conversation: not a state")
			}
		}
	}
	if f[4] != "" {
		if snap.Case, snap.CaseVer, err = s.openCase(line, f[4], f[5], f[6], f[7]); err != nil {
			return snap, err
		}
	}
	mission := l.Missions[0]
	if snap.Case != nil {
		mission = snap.Case.Mission
	}
	s.hand.waiting(line, mission, snap.Waiting, s.clock())
	return snap, nil
}

// Contact resolves a contact's key to the contact; bot.ErrNotFound when it is unknown or was erased.
func (s *Store) contact(ctx context.Context, line, id string) (bot.Contact, error) {
	f, err := s.rdb.HMGet(ctx, keyConv(line, id), "k", "a").Result()
	if err != nil {
		return bot.Contact{}, fmt.Errorf("contact: %w", err)
	}
	return s.openContact(line, id, text(f[0]), text(f[1]))
}

func (s *Store) openContact(line, id, wrapped, sealed string) (bot.Contact, error) {
	var c bot.Contact
	if wrapped == "" || sealed == "" {
		return c, bot.ErrNotFound
	}
	key := keyConv(line, id)
	d, err := s.unwrapped(key, wrapped)
	if err != nil {
		return c, fmt.Errorf("contact: %w", err)
	}
	plain, err := d.open(key, "a", 0, sealed)
	if err != nil {
		return c, fmt.Errorf("contact: %w", err)
	}
	if err := decode(plain, &c); err != nil {
		return c, errors.New("contact: not a contact")
	}
	return c, nil
}

// sealContact is the sealed address of a contact.
func sealContact(line, id string, d dataKey, c bot.Contact) ([]byte, error) {
	plain, err := encode(c)
	if err != nil {
		return nil, err
	}
	return d.seal(keyConv(line, id), "a", 0, plain)
}
