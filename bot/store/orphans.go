package store

import (
	"context"
	"fmt"
)

var scriptOrphans = newScript("orphans")

// FreeOrphans ends every lease on rows of the accounts and on the line's timers, so that what a killed process was
// sending is taken again at once instead of after its lease. Only for a process that knows to be alone on the store:
// with replicas a lease must run out by itself.
func (s *Store) FreeOrphans(ctx context.Context, line string, accounts []string) error {
	if _, err := s.line(line); err != nil {
		return err
	}
	for _, a := range append([]string{""}, accounts...) {
		if _, err := s.commits.do(ctx, scriptOrphans, []string{lineKey(line)}, []any{a}); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
	}
	return nil
}
