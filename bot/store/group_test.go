package store

import (
	"slices"
	"testing"

	"pulang/flows/casework"
)

// A group is found by its join code while a case leads it or belongs to it, by the mission whose cases they are; an
// erased case is in none.
func TestGroup(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		const code = "K7M-689-6A9"
		ctx := t.Context()
		exists := func() bool {
			t.Helper()
			ok, err := s.GroupExists(ctx, "kh", code)
			must(t, err)
			return ok
		}
		if exists() {
			t.Fatal("a group that nobody leads")
		}
		leader, member, away := caseWith(1, casework.P2, deskNow), caseWith(2, casework.P1, deskNow), caseWith(3, casework.P3, deskNow)
		leader.Leads, member.Group, away.Group, away.Mission = code, code, code, "mm"
		for _, c := range []*casework.Case{leader, member, away} {
			store1(t, s, c)
		}
		items, elsewhere, err := s.Group(ctx, "kh", code)
		must(t, err)
		if elsewhere["mm"] != 1 || len(elsewhere) != 1 {
			t.Errorf("members with other missions: %v", elsewhere)
		}
		got := codesOf(items)
		slices.Sort(got)
		if want := []string{leader.Code, member.Code}; !slices.Equal(got, want) || !exists() {
			t.Errorf("the group is %v, want %v", got, want)
		}
		for _, c := range []*casework.Case{leader, member, away} {
			must(t, s.Erase(ctx, "kh", c.ID))
		}
		if exists() {
			t.Error("erased cases keep the group")
		}
	})
}
