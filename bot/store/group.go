package store

import (
	"context"
	"fmt"

	"pulang/bot"
)

// GroupExists reports whether a case of the line leads or belongs to the group with that join code (in the form of
// casework.ParseJoinCode).
func (s *Store) GroupExists(ctx context.Context, line, code string) (bool, error) {
	n, err := s.rdb.Exists(ctx, keyBlind(line, blindGroup, s.keys.Blind(blindGroup, code))).Result()
	if err != nil {
		return false, fmt.Errorf("group: %w", err)
	}
	return n > 0, nil
}

// Group lists the mission's cases of a group, closed ones too, in no order; empty when there is none. A member whose
// case went to another mission is that mission's to see.
func (s *Store) Group(ctx context.Context, mission, code string) ([]bot.QueueItem, error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return nil, fmt.Errorf("group: %w", err)
	}
	var found []place
	for _, line := range lines {
		ids, err := s.rdb.SMembers(ctx, keyBlind(line, blindGroup, s.keys.Blind(blindGroup, code))).Result()
		if err != nil {
			return nil, fmt.Errorf("group: %w", err)
		}
		for _, id := range ids {
			found = append(found, place{line: line, id: id})
		}
	}
	items, err := s.cards(ctx, mission, s.clock(), found)
	if err != nil {
		return nil, fmt.Errorf("group: %w", err)
	}
	return items, nil
}
