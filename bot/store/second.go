package store

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

// SecondAsked are the accounts whose requests of a mission wait at now for a second person, one entry a request, in no
// order: to erase a case, to send a broadcast. It stands beside every page, so that a request that cannot be read hides
// none of them: it counts as that of an account without a name.
func (s *Store) SecondAsked(ctx context.Context, mission string, now time.Time) (erase, send []string, err error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return nil, nil, err
	}
	pipe := s.rdb.Pipeline()
	asks := map[string]*redis.MapStringStringCmd{}
	for _, line := range lines {
		asks[line] = pipe.HGetAll(ctx, keyErasures(line))
	}
	var casts *redis.MapStringStringCmd
	own := s.ownLines(mission)
	if len(own) > 0 { // a mission without a line of its own sends none
		casts = pipe.HGetAll(ctx, keyBroadcasts(own[0]))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, nil, fmt.Errorf("requests for a second person: %w", err)
	}
	for line, all := range asks {
		for id, sealed := range all.Val() {
			a, err := s.openErasure(ctx, line, id, sealed)
			if err == nil && !a.Until.After(now) {
				continue
			}
			of, err := s.rdb.HGet(ctx, keyCase(line, id), fieldMission).Result()
			if err != nil && !isNil(err) {
				return nil, nil, fmt.Errorf("requests for a second person: %w", err)
			}
			if of == mission {
				erase = append(erase, a.By)
			}
		}
	}
	if casts == nil {
		return erase, nil, nil
	}
	for id, sealed := range casts.Val() {
		b, err := s.openBroadcast(ctx, own[0], id, sealed)
		if err != nil || b.State == bot.BroadcastAsked && b.Until.After(now) {
			send = append(send, b.By)
		}
	}
	return erase, send, nil
}
