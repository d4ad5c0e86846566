package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot/store"
)

func missing(t *testing.T, s *store.Store, by time.Time) (all []string, count int) {
	t.Helper()
	list, err := s.MissingUpdates(ctx, "kh", citizen(1).Account, by)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		all, count = append(all, r.String()), count+r.Count()
	}
	return all, count
}

// arrives commits an update of that number.
func arrives(t *testing.T, s *store.Store, person int, number int64) {
	t.Helper()
	who, id := citizen(person), fmt.Sprint("u", number)
	c := turn(who, id, load(t, s, who, ""))
	c.Number = number
	commit(t, s, c)
}

// The numbers that a messenger gave out and that never came are known, whatever the order in which the others came.
func TestMissingUpdates(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, now *clock) {
		for i, n := range []int64{1000, 1001, 1004, 1003, 1007, 1008} {
			arrives(t, s, i%3, n)
		}
		if err := s.Passed(ctx, "kh", citizen(1).Account, 1006); err != nil {
			t.Fatal(err)
		}
		if got, _ := missing(t, s, now.Now()); !slices.Equal(got, []string{"1002", "1005"}) {
			t.Errorf("missing %v, want 1002 and 1005", got)
		}
		if got, _ := missing(t, s, now.Now().Add(-time.Second)); len(got) != 0 {
			t.Errorf("missing before it was noticed: %v", got)
		}
		arrives(t, s, 2, 1002)
		arrives(t, s, 2, 12_000)
		if got, n := missing(t, s, now.Now()); !slices.Equal(got, []string{"1005", "1009-11999"}) || n != 10_992 {
			t.Errorf("missing %v, %d", got, n)
		}
		list, _ := s.MissingUpdates(ctx, "kh", citizen(1).Account, now.Now())
		if err := s.ForgetMissing(ctx, "kh", citizen(1).Account, list); err != nil {
			t.Fatal(err)
		}
		if got, _ := missing(t, s, now.Now()); len(got) != 0 {
			t.Errorf("still missing: %v", got)
		}
		now.add(8 * 24 * time.Hour) // Telegram counts from anywhere after a week without updates
		arrives(t, s, 1, 500)
		arrives(t, s, 1, 502)
		if got, _ := missing(t, s, now.Now()); !slices.Equal(got, []string{"501"}) {
			t.Errorf("after a week: missing %v, want 501", got)
		}
	})
}

// R6: a copy of Redis from before the last 500 updates is put back. With the next update it is known that 500 are
// missing, and which.
func TestRestoredCopyMisses500(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, c redis.UniversalClient, now *clock) {
		for n := int64(1000); n < 1010; n++ {
			arrives(t, s, int(n%5), n)
		}
		copied := map[string]string{}
		for _, k := range c.Keys(ctx, "*").Val() {
			if strings.Contains(k, ":numbers") {
				copied[citizen(1).Account] = c.HGet(ctx, k, citizen(1).Account).Val()
			}
		}
		for n := int64(1010); n < 1510; n++ {
			arrives(t, s, int(n%5), n)
		}
		if err := c.HSet(ctx, "{kh}:numbers", copied).Err(); err != nil {
			t.Fatal(err)
		}
		now.add(time.Hour)
		arrives(t, s, 1, 1510)
		list, err := s.MissingUpdates(ctx, "kh", citizen(1).Account, now.Now())
		if err != nil || len(list) != 500 || list[0] != (store.NumberRange{First: 1010, Last: 1010}) || list[499].Last != 1509 {
			t.Errorf("%d missing, want 500: %v", len(list), err)
		}
	})
}
