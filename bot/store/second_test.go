package store

import (
	"context"
	"slices"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// What waits for a second person is told by who asked: of that mission, not answered, not taken back, not lapsed. A damaged
// request still counts, and hides nothing else.
func TestSecondAsked(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		now := deskNow
		s.clock = func() time.Time { return now }
		tell := func(mission string, erase, send []string) {
			t.Helper()
			e, b, err := s.SecondAsked(ctx, mission, now)
			must(t, err)
			slices.Sort(e)
			slices.Sort(b)
			if !slices.Equal(e, erase) || !slices.Equal(b, send) {
				t.Errorf("%s: %q and %q wait, want %q and %q", mission, e, b, erase, send)
			}
		}
		tell("kh", nil, nil)
		codes := []string{}
		for i, by := range []string{"sari", "budi"} {
			c := caseWith(i+1, casework.P2, deskNow)
			store1(t, s, c)
			codes = append(codes, c.Code)
			must(t, s.AskErase(ctx, "kh", bot.EraseAsk{Code: c.Code, By: by, Reason: "r", At: now, Until: now.Add(bot.EraseAskLife)}, did("erase_asked")))
			must(t, s.AskBroadcast(ctx, "kh", bot.Broadcast{ID: "b" + by, By: by, At: now, Until: now.Add(bot.BroadcastAskLife), Texts: map[string]string{"id": "x"}}, did("broadcast_asked")))
		}
		tell("kh", []string{"budi", "sari"}, []string{"budi", "sari"})
		tell("mm", nil, nil)
		must(t, s.WithdrawErase(ctx, "kh", codes[0], did("erase_withdrawn")))
		must(t, s.ConfirmBroadcast(ctx, "kh", "bsari", "budi", now, did("broadcast_confirmed")))
		tell("kh", []string{"budi"}, []string{"budi"})
		must(t, s.rdb.HSet(ctx, keyBroadcasts("kh"), "bsari", "damaged").Err())
		tell("kh", []string{"budi"}, []string{"", "budi"})
		must(t, s.rdb.HDel(ctx, keyBroadcasts("kh"), "bsari").Err())
		now = now.Add(bot.BroadcastAskLife)
		tell("kh", []string{"budi"}, nil)
		now = deskNow.Add(bot.EraseAskLife)
		tell("kh", nil, nil)
	})
}
