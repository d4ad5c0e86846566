package store_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/flows"
	"pulang/flows/casework"
)

// TestQueuesStandAsIfPlacedAnew changes a case at random, again and again. Whatever a commit leaves out of the queues'
// keys because it does not change must be there: putting the case into its queues from nothing gives the same keys.
func TestQueuesStandAsIfPlacedAnew(t *testing.T) {
	text, err := os.ReadFile("lua/place.lua")
	if err != nil {
		t.Fatal(err)
	}
	anew := redis.NewScript(string(text) + `
local q = redis.call('KEYS', KEYS[1] .. 'queue:*')
for _, k in ipairs(q) do redis.call('ZREM', k, ARGV[1], ARGV[1] .. '|0', ARGV[1] .. '|1', ARGV[1] .. '|2') end
local f = redis.call('HMGET', KEYS[1] .. 'case:' .. ARGV[1], 'by', 'of', 'ofa')
place(KEYS[1], ARGV[1], '', '', '', ARGV[2])
return 1`)
	both(t, func(t *testing.T, s *store.Store, c redis.UniversalClient, now *clock) {
		queues := func() map[string][]redis.Z {
			out := map[string][]redis.Z{}
			for _, k := range c.Keys(ctx, "{kh}:queue:*").Val() {
				out[k] = c.ZRangeWithScores(ctx, k, 0, -1).Val()
			}
			return out
		}
		rnd := rand.New(rand.NewPCG(7, uint64(len(t.Name()))))
		for round := range 12 {
			k := aCase("c"+string(rune('a'+round)), "KH-AAAAA"+string(rune('A'+round)))
			k.Permission = flows.CallAnytime // else no window counts
			ver := int64(0)
			for step := range 30 {
				shuffle(rnd, k, now.Now())
				if _, err := s.Commit(ctx, bot.Change{Line: "kh", Case: k, CaseVer: ver}); err != nil {
					t.Fatal(err)
				}
				ver++
				now.add(time.Duration(rnd.IntN(20)) * time.Minute)
				have := queues()
				if err := anew.Run(ctx, c, []string{"{kh}:"}, k.ID, now.Now().UnixMilli()).Err(); err != nil {
					t.Fatal(err)
				}
				want := queues()
				for key := range maps.Keys(want) {
					// What is postponed comes back by itself when its time has come; until then it stands where it was put.
					if strings.HasSuffix(key, ":offered") {
						delete(want, key)
						delete(have, key)
					}
				}
				if !k.LaterUntil.IsZero() && k.LaterUntil.Before(now.Now()) {
					continue
				}
				for key, members := range want {
					if len(have[key]) != len(members) {
						t.Fatalf("round %d, step %d: %s has %v, placed anew %v", round, step, key, have[key], members)
					}
					for i, m := range members {
						if have[key][i] != m {
							t.Fatalf("round %d, step %d: %s has %v, placed anew %v", round, step, key, have[key], members)
						}
					}
				}
				for key := range have {
					if want[key] == nil {
						t.Fatalf("round %d, step %d: %s has %v, placed anew nothing", round, step, key, have[key])
					}
				}
			}
		}
	})
}

// shuffle changes some of what the queues depend on.
func shuffle(rnd *rand.Rand, k *casework.Case, now time.Time) {
	some := func() time.Time {
		if rnd.IntN(3) > 0 {
			return time.Time{}
		}
		return now.Add(time.Duration(1+rnd.IntN(300)) * time.Minute)
	}
	for range 1 + rnd.IntN(2) {
		switch rnd.IntN(12) {
		case 0, 1:
			k.Triage.Class = []casework.Class{casework.P1, casework.P2, casework.P3, casework.P4}[rnd.IntN(4)]
		case 2, 3:
			k.DueAt = now.Add(time.Duration(rnd.IntN(600)) * time.Minute)
		case 4:
			k.LaterUntil = some()
		case 5:
			k.SettledAt = some()
		case 6:
			k.PromisedAt = some()
		case 7, 8:
			k.Windows = nil
			for range rnd.IntN(3) {
				from := rnd.IntN(1200)
				k.Windows = append(k.Windows, casework.Window{From: from, To: from + 60})
			}
		case 9:
			k.Answers = map[flows.StepID]flows.Answer{flows.StepUrgentNeeds: {Values: []flows.Value{[]flows.Value{"food", "female_officer"}[rnd.IntN(2)]}}}
		case 10:
			k.ClosedAs, k.ClosedAt = "", time.Time{}
			if rnd.IntN(3) == 0 {
				k.ClosedAs, k.ClosedAt = "resolved", now
			}
		case 11:
			k.Mission = []string{"kh", "mm"}[rnd.IntN(2)]
		}
	}
}
