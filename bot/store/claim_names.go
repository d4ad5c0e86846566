package store

import (
	"context"
	"fmt"
)

// holder is how a record names the officer who holds a case; "" for nobody.
func (s *Store) holder(officer string) string {
	if officer == "" {
		return ""
	}
	return s.accountID(officer)
}

// officerArgs are the id of an officer and the sealed name that belongs to it, for scripts that note who did
// something.
func (s *Store) officerArgs(ctx context.Context, line, officer string) (id string, sealed []byte, err error) {
	sealed, err = s.sealLine(ctx, line, "officers", keyOfficers(line), []byte(officer))
	return s.holder(officer), sealed, err
}

// officerNames resolves ids to names. One that the line does not know is left out.
func (s *Store) officerNames(ctx context.Context, line string, ids map[string]bool) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return names, nil
	}
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	sealed, err := s.rdb.HMGet(ctx, keyOfficers(line), list...).Result()
	if err != nil {
		return nil, fmt.Errorf("names of officers: %w", err)
	}
	for i, v := range sealed {
		if v == nil {
			continue
		}
		name, err := s.openLine(ctx, line, "officers", keyOfficers(line), text(v))
		if err != nil {
			return nil, fmt.Errorf("names of officers: %w", err)
		}
		names[list[i]] = string(name)
	}
	return names, nil
}
