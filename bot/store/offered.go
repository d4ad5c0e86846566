package store

import (
	"context"
	"fmt"
	"time"

	"pulang/bot"
)

// Offered lists the cases of other missions that this mission is asked to take over, the longest asked for first, at
// most limit of a line.
func (s *Store) Offered(ctx context.Context, mission string, now time.Time, limit int) ([]bot.QueueItem, error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return nil, fmt.Errorf("offered cases: %w", err)
	}
	var found []place
	for _, line := range lines {
		zs, err := s.rdb.ZRangeWithScores(ctx, keyQueueOffered(line, mission), 0, int64(max(limit, 1))-1).Result()
		if err != nil {
			return nil, fmt.Errorf("offered cases: %w", err)
		}
		found = append(found, placesAt(line, zs)...)
	}
	sortPlaces(found)
	items, err := s.cards(ctx, mission, fieldOffered, now, first(found, limit))
	if err != nil {
		return nil, fmt.Errorf("offered cases: %w", err)
	}
	return items, nil
}

// OpenOffered is Open for a case that another mission offers to this one: to read, until it is accepted.
// bot.ErrNotFound when it is not offered (any more).
func (s *Store) OpenOffered(ctx context.Context, mission, code string, now time.Time, audit bot.Audit) (bot.CaseFile, error) {
	file, err := s.openFile(ctx, mission, code, fieldOffered, now, audit)
	if err != nil {
		return bot.CaseFile{}, fmt.Errorf("open offered case: %w", err)
	}
	return file, nil
}
