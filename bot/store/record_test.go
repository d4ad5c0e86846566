package store

import (
	"context"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// TestRecordHoldsWhatTheCaseSays changes cases at random, with and without knowing what their records held before. Each
// record holds the fields of its case and no empty one, and the index of values names exactly the cases that have
// them; when all are erased nothing is left of it.
func TestRecordHoldsWhatTheCaseSays(t *testing.T) {
	onBoth(t, recordsHold)
}

func recordsHold(t *testing.T, s *Store) {
	ctx := context.Background()
	rnd := rand.New(rand.NewPCG(11, 5))
	some := func() (at time.Time) {
		if rnd.IntN(2) == 0 {
			at = deskNow.Add(time.Duration(rnd.IntN(600)) * time.Minute)
		}
		return at
	}
	cases := make([]*casework.Case, 5)
	for i := range cases {
		cases[i] = caseWith(i, casework.P3, deskNow)
	}
	versions := make([]int64, len(cases))
	numbers := []string{"", "+628111", "+628222", "+628333"}
	for step := range 400 {
		i := rnd.IntN(len(cases))
		c := cases[i]
		c.LaterUntil, c.SettledAt, c.PromisedAt, c.LastRead, c.P1Since = some(), some(), some(), some(), some()
		for _, question := range numberSteps {
			c.Answers[question] = flows.Answer{Norm: numbers[rnd.IntN(len(numbers))]}
		}
		c.Answers[flows.StepExtra] = flows.Answer{Text: []string{"", "paspor C1234567", "paspor C1234567 dan X7654321"}[rnd.IntN(3)]}
		c.Offer = nil
		if rnd.IntN(3) == 0 {
			c.Offer = &casework.Offer{To: "mm", At: deskNow}
		}
		if rnd.IntN(2) == 0 {
			s.fields.drop(keyCase("kh", c.ID)) // as another process, or the same one later
		}
		_, err := s.Commit(ctx, bot.Change{Line: "kh", Case: c, CaseVer: versions[i]})
		must(t, err)
		versions[i]++

		have, err := s.rdb.HGetAll(ctx, keyCase("kh", c.ID)).Result()
		must(t, err)
		want := map[string]string{}
		for f := s.caseFields(c, deskNow); len(f) > 0; f = f[2:] {
			if f[1] != "" {
				want[f[0].(string)] = f[1].(string)
			}
		}
		for _, own := range []string{"v", "k", "s"} {
			delete(have, own)
		}
		if !maps.Equal(have, want) {
			t.Fatalf("step %d: the record has %v, the case says %v", step, have, want)
		}
		index := map[string]map[string]bool{}
		for k, c := range cases {
			for _, value := range strings.Fields(s.keys.blindOf("kh", c)) {
				if index[value] == nil {
					index[value] = map[string]bool{}
				}
				index[value][c.ID] = versions[k] > 0
			}
		}
		stored, err := s.rdb.HGetAll(ctx, keyBlind("kh")).Result()
		must(t, err)
		for value, ids := range stored {
			for _, id := range strings.Split(ids, " ") {
				if !index[value][id] {
					t.Fatalf("step %d: %s names %q, which it should not, or twice", step, value, ids)
				}
				delete(index[value], id)
			}
		}
		for value, ids := range index {
			if len(ids) > 0 {
				t.Fatalf("step %d: %s does not name %v", step, value, ids)
			}
		}
	}
	for i, c := range cases {
		if versions[i] > 0 {
			must(t, s.Erase(ctx, "kh", c.ID))
		}
	}
	if n := s.rdb.Exists(ctx, keyBlind("kh")).Val(); n != 0 {
		t.Error("the index names cases that were erased:", s.rdb.HGetAll(ctx, keyBlind("kh")).Val())
	}
}
