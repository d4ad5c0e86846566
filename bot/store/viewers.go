package store

import (
	"context"
	"fmt"
	"time"

	"pulang/bot"
)

var seenScript = newScript("seen")

// Seen notes that an officer has the case open now; for bot.SeenFor the queue shows it.
func (s *Store) Seen(ctx context.Context, mission, code, officer string, now time.Time) error {
	line, id, err := s.locate(ctx, mission, code)
	if err != nil {
		return fmt.Errorf("seen: %w", err)
	}
	who, name, err := s.officerArgs(ctx, line, officer)
	if err != nil {
		return fmt.Errorf("seen: %w", err)
	}
	err = s.run(ctx, seenScript, []string{lineKey(line)}, now.UnixMilli(), id, who, name, now.Add(-bot.SeenFor).UnixMilli()).Err()
	if err != nil {
		return fmt.Errorf("seen: %w", err)
	}
	return nil
}
