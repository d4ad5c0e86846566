package store

import (
	"context"
	"fmt"
)

var scriptOrphans = newScript("orphans")

// FreeOrphans ends leases on rows of the accounts, so that what a killed process was sending is taken again at once
// instead of after its lease. They are those of this store's former processes (Options.Owner); with all, those of
// everybody and of the line's timers as well, for a process that knows to be alone on the store.
func (s *Store) FreeOrphans(ctx context.Context, line string, accounts []string, all bool) error {
	if _, err := s.line(line); err != nil {
		return err
	}
	owner := ""
	if all {
		accounts = append([]string{""}, accounts...)
	} else if owner = ownedBy(s.owner); owner == "" {
		return nil
	}
	for _, a := range accounts {
		if _, err := s.commits.do(ctx, scriptOrphans, []string{lineKey(line)}, []any{a, owner}); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
	}
	return nil
}

// ownedBy begins every token of an owner's processes; empty without an owner.
func ownedBy(owner string) string {
	if owner == "" {
		return ""
	}
	return owner + "~"
}
