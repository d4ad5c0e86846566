package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

var scriptLinkCases = newScript("link_cases")

// LinkCases makes one of two cases, or parts them again, whole or not at all and once however often it is asked.
// Errors: bot.ErrConflict (one of them, or a conversation, changed meanwhile), bot.ErrLease (Claim does not hold Main),
// bot.ErrClaimed (somebody else holds Other).
func (s *Store) LinkCases(ctx context.Context, l bot.CaseLink) error {
	if _, err := s.line(l.Line); err != nil {
		return err
	}
	args, err := s.linkArgs(ctx, l)
	if err != nil {
		return fmt.Errorf("link cases: %w", err)
	}
	res, err := s.run(ctx, scriptLinkCases, []string{lineKey(l.Line)}, args...).Text()
	if err != nil {
		return fmt.Errorf("link cases: %w", err)
	}
	switch res {
	case "ok", "repeat":
		return nil
	case "conflict":
		return bot.ErrConflict
	case "key":
		s.cache.drop(keyCase(l.Line, l.Main.ID))
		s.cache.drop(keyCase(l.Line, l.Other.ID))
		return bot.ErrConflict
	case "lease":
		return bot.ErrLease
	case "held":
		return bot.ErrClaimed
	}
	return errors.New("redis: link cases gave an unknown answer")
}

// linkArgs lays the link out as lua/link_cases.lua reads it.
func (s *Store) linkArgs(ctx context.Context, l bot.CaseLink) ([]any, error) {
	now := s.clock()
	args := []any{now.UnixMilli(), s.keys.digest(l.Request), s.holder(l.Claim), now.Add(-dedupeFor).Unix()}
	keys := map[string]dataKey{}
	for _, c := range []struct {
		c   *casework.Case
		ver int64
	}{{l.Main, l.MainVer}, {l.Other, l.OtherVer}} {
		k, err := s.recordKey(ctx, keyCase(l.Line, c.c.ID), false)
		if err != nil {
			return nil, err
		}
		if !k.stored {
			return nil, bot.ErrNotFound
		}
		plain, err := json.Marshal(c.c)
		if err != nil {
			return nil, err
		}
		sealed, err := k.seal(k.key, "s", c.ver+1, plain)
		if err != nil {
			return nil, err
		}
		fields := s.caseFields(c.c, now)
		args = append(append(args, c.c.ID, c.ver, k.wrapped, sealed, len(fields)/2), fields...)
		keys[c.c.ID] = k.dataKey
	}
	from, to := l.Other, l.Main
	if l.Part {
		from, to = l.Main, l.Other
	}
	args = append(args, from.ID, to.ID, len(l.Contacts))
	tags := map[string]bool{}
	for _, who := range l.Contacts {
		tags[who.Tag()] = true
		a, err := s.relead(ctx, l.Line, who, from.Code, to.Code)
		if err != nil {
			return nil, err
		}
		args = append(args, a...)
	}
	moved := []any{}
	if l.Part {
		var err error
		if moved, err = s.movedEntries(ctx, l, tags, keys); err != nil {
			return nil, err
		}
	}
	args = append(append(args, len(moved)/3), moved...)
	for _, e := range []struct {
		id      string
		entries []bot.Entry
	}{{l.Main.ID, l.MainEntries}, {l.Other.ID, l.OtherEntries}} {
		args = append(args, len(e.entries))
		for _, x := range e.entries {
			blob, err := sealEntry(keyTimeline(l.Line, e.id), keys[e.id], x)
			if err != nil {
				return nil, err
			}
			args = append(args, blob)
		}
	}
	args = append(args, len(l.Timers))
	for _, t := range l.Timers {
		args = append(args, s.timerMember(l.Line, t), dueMs(t.At))
	}
	audit, err := s.auditRowsOf(ctx, l.Line, l.Main.Mission, l.Audit...)
	if err != nil {
		return nil, err
	}
	return append(append(args, len(audit)), audit...), nil
}

// relead makes a contact's conversation fill another case. A conversation that has gone on to a further case (BARU)
// stays there.
func (s *Store) relead(ctx context.Context, line string, who bot.Contact, from, to string) ([]any, error) {
	id := s.keys.contactID(line, who)
	key := keyConv(line, id)
	stay := []any{id, dash(who.Account), "", "", ""}
	f, err := s.rdb.HMGet(ctx, key, "v", "k", "s").Result()
	if err != nil {
		return nil, err
	}
	v, wrapped, sealed := text(f[0]), text(f[1]), text(f[2])
	if v == "" || sealed == "" {
		return stay, nil
	}
	var ver int64
	if _, err := fmt.Sscan(v, &ver); err != nil {
		return nil, errors.New("conversation: no version")
	}
	d, err := s.unwrapped(key, wrapped)
	if err != nil {
		return nil, fmt.Errorf("conversation: %w", err)
	}
	plain, err := d.open(key, "s", ver, sealed)
	if err != nil {
		return nil, fmt.Errorf("conversation: %w", err)
	}
	var state flows.State
	if err := decode(plain, &state); err != nil {
		return nil, err
	}
	if state.Case != from {
		return stay, nil
	}
	state.Case = to
	if plain, err = json.Marshal(state); err != nil {
		return nil, err
	}
	now, err := d.seal(key, "s", ver+1, plain)
	if err != nil {
		return nil, err
	}
	return []any{id, dash(who.Account), v, wrapped, now}, nil
}

// movedEntries are what the contacts wrote and were sent while the two cases were one.
func (s *Store) movedEntries(ctx context.Context, l bot.CaseLink, tags map[string]bool, keys map[string]dataKey) ([]any, error) {
	stored, err := s.rdb.LRange(ctx, keyTimeline(l.Line, l.Main.ID), 0, -1).Result()
	if err != nil {
		return nil, err
	}
	var out []any
	for _, raw := range stored {
		e, err := openEntry(keyTimeline(l.Line, l.Main.ID), keys[l.Main.ID], raw)
		if err != nil || !tags[e.Contact] {
			continue // whose a damaged entry is nobody knows: it stays where it is
		}
		blob, err := sealEntry(keyTimeline(l.Line, l.Other.ID), keys[l.Other.ID], e)
		if err != nil {
			return nil, err
		}
		out = append(out, raw, blob, dash(e.Row))
	}
	return out, nil
}

// linkedTo are the ids of the cases that go on in this one.
func linkedTo(c *casework.Case) []string {
	var out []string
	for _, l := range c.Linked {
		out = append(out, l.ID)
	}
	return out
}
