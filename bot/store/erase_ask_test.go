package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

func TestEraseNeedsTwo(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		now := deskNow
		s.clock = func() time.Time { return now }
		c := caseWith(1, casework.P2, deskNow)
		store1(t, s, c)
		row := func(what string) bot.Audit { return bot.Audit{At: now, Who: "x", What: what, Code: c.Code} }
		ask := func(by string) error {
			return s.AskErase(ctx, "kh", bot.EraseAsk{Code: c.Code, By: by, Reason: "kanarialasan", At: now, Until: now.Add(bot.EraseAskLife)}, row("erase_asked"))
		}
		if err := s.EraseAsked(ctx, "kh", c.Code, "budi", row("erase")); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("nobody asked: %v", err)
		}
		must(t, ask("sari"))
		if err := ask("budi"); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("asked twice: %v", err)
		}
		all, err := s.rdb.HGetAll(ctx, keyErasures("kh")).Result()
		must(t, err)
		for _, v := range all {
			if strings.Contains(v, "kanarialasan") || strings.Contains(v, "sari") {
				t.Error("the request stands in clear")
			}
		}
		if got, err := s.Erasures(ctx, "kh"); err != nil || len(got) != 1 || got[0].Code != c.Code || got[0].Reason != "kanarialasan" {
			t.Errorf("listed: %+v, %v", got, err)
		}
		if got, err := s.Erasures(ctx, "mm"); err != nil || len(got) != 0 {
			t.Errorf("another mission lists: %+v, %v", got, err)
		}
		if err := s.EraseAsked(ctx, "mm", c.Code, "budi", row("erase")); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("by another mission: %v", err)
		}
		if err := s.EraseAsked(ctx, "kh", c.Code, "SARI", row("erase")); !errors.Is(err, bot.ErrRefused) {
			t.Errorf("by who asked: %v", err)
		}
		_, err = s.Claim(ctx, "kh", c.Code, casework.Officer{Name: "dara"}, now, "r1", row("claim"))
		must(t, err)
		if err := s.EraseAsked(ctx, "kh", c.Code, "budi", row("erase")); !errors.Is(err, bot.ErrClaimed) {
			t.Errorf("while somebody works on it: %v", err)
		}
		must(t, s.Release(ctx, "kh", c.Code, "dara", "r2", row("release")))
		must(t, s.WithdrawErase(ctx, "kh", c.Code, row("erase_withdrawn")))
		if err := s.WithdrawErase(ctx, "kh", c.Code, row("erase_withdrawn")); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("taken back twice: %v", err)
		}
		must(t, ask("sari"))
		now = now.Add(bot.EraseAskLife)
		if err := s.EraseAsked(ctx, "kh", c.Code, "budi", row("erase")); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("too late: %v", err)
		}
		must(t, ask("sari"))
		must(t, s.EraseAsked(ctx, "kh", c.Code, "budi", row("erase")))
		if _, err := s.Open(ctx, "kh", c.Code, now, bot.Audit{}); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("it opens: %v", err)
		}
		if n := s.rdb.Exists(ctx, keyErasures("kh")).Val(); n != 0 {
			t.Error("the request outlives the case")
		}
		rows, err := s.AuditLog(ctx, "kh", 50)
		must(t, err)
		erased := 0
		for _, r := range rows {
			if r.What == "erase" && r.Purpose == "kanarialasan" && r.Field == "sari" {
				erased++
			}
		}
		if erased != 1 {
			t.Errorf("%d rows of the erasure", erased)
		}
	})
}
