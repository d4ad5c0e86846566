package store

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

// GroupExists reports whether a case of the line leads or belongs to the group with that join code (in the form of
// casework.ParseJoinCode).
func (s *Store) GroupExists(ctx context.Context, line, code string) (bool, error) {
	ids, err := s.casesWith(ctx, line, blindGroup, s.keys.Blind(blindGroup, code))
	if err != nil {
		return false, fmt.Errorf("group: %w", err)
	}
	return len(ids) > 0, nil
}

// Group lists the mission's cases of a group, closed ones too, in no order; empty when there is none. A member whose
// case is with another mission is that mission's to see: of those there is only their number, by mission.
func (s *Store) Group(ctx context.Context, mission, code string) (own []bot.QueueItem, elsewhere map[string]int, err error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return nil, nil, fmt.Errorf("group: %w", err)
	}
	var found []place
	elsewhere = map[string]int{}
	for _, line := range lines {
		ids, err := s.casesWith(ctx, line, blindGroup, s.keys.Blind(blindGroup, code))
		if err != nil {
			return nil, nil, fmt.Errorf("group: %w", err)
		}
		pipe := s.rdb.Pipeline()
		with := make([]*redis.StringCmd, len(ids))
		for i, id := range ids {
			with[i] = pipe.HGet(ctx, keyCase(line, id), fieldMission)
		}
		if _, err := pipe.Exec(ctx); err != nil && !isNil(err) {
			return nil, nil, fmt.Errorf("group: %w", err)
		}
		for i, id := range ids {
			switch m := with[i].Val(); m {
			case mission:
				found = append(found, place{line: line, id: id})
			case "": // erased meanwhile
			default:
				elsewhere[m]++
			}
		}
	}
	items, err := s.cards(ctx, mission, fieldMission, s.clock(), found)
	if err != nil {
		return nil, nil, fmt.Errorf("group: %w", err)
	}
	return items, elsewhere, nil
}
