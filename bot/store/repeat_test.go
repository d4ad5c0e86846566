package store

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/flows/casework"
)

// twice sends every script call a second time, as a Cluster client does that lost the answer to the first.
type twice struct{}

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }

func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name == "evalsha" || name == "eval" {
			first := redis.NewCmd(ctx, cmd.Args()...)
			if err := next(ctx, first); redis.HasErrorPrefix(err, "NOSCRIPT") {
				cmd.SetErr(err)
				return err
			}
		}
		return next(ctx, cmd)
	}
}

func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Every act of the desk has its effect and its audit row once, and gives the first result, although each script is
// run twice.
func TestLostAnswersAreHarmless(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		s.rdb.AddHook(twice{})
		must(t, s.SaveAccount(ctx, bot.Account{Name: "Petugas 1", Code: "P1AA"}, did("account")))
		must(t, s.NewLink(ctx, "Petugas 1", "token", deskNow.AddDate(100, 0, 0)))
		if name, err := s.UseLink(ctx, "token"); err != nil || name != "Petugas 1" {
			t.Errorf("a one-time link: %q, %v", name, err)
		}
		if rows, err := s.AuditLog(ctx, "", 10); err != nil || len(rows) != 1 {
			t.Errorf("%d rows in the staff area, %v", len(rows), err)
		}
		c, d := caseWith(1, casework.P2, deskNow), caseWith(2, casework.P3, deskNow)
		store1(t, s, c)
		store1(t, s, d)
		code, err := s.Next(ctx, "kh", officer(1), deskNow, nil, "", did("next"))
		if err != nil || code != c.Code {
			t.Fatalf("Next: %q, %v", code, err)
		}
		must(t, s.Release(ctx, "kh", code, "Petugas 1", "", did("release")))
		_, err = s.Claim(ctx, "kh", d.Code, officer(1), deskNow, "", did("claim"))
		must(t, err)
		_, err = s.Renew(ctx, "kh", d.Code, "Petugas 1", deskNow)
		must(t, err)
		_, err = s.Open(ctx, "kh", d.Code, deskNow, did("open"))
		must(t, err)
		_, err = s.Find(ctx, "kh", d.Code, did("find"))
		must(t, err)
		must(t, s.Record(ctx, "kh", did("reveal")))
		must(t, s.SetAside(ctx, "kh", bot.Aside{ID: "A", Why: "unreadable"}))
		must(t, s.Dismiss(ctx, "kh", "A", did("dismiss")))
		if n, err := s.SweepClaims(ctx, "kh", deskNow.Add(bot.ClaimLease)); n != 1 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
		rows, err := s.AuditLog(ctx, "kh", 100)
		must(t, err)
		got := map[string]int{}
		for _, r := range rows {
			got[r.What]++
		}
		for _, what := range []string{"next", "release", "claim", "open", "find", "reveal", "dismiss", "lease_ended"} {
			if got[what] != 1 {
				t.Errorf("%d audit rows for one %s", got[what], what)
			}
		}
		if n, err := s.SealAudit(ctx, "kh"); err != nil || n != len(rows) {
			t.Errorf("chained %d of %d, %v", n, len(rows), err)
		}
		if r, err := s.VerifyAudit(ctx, "kh"); err != nil || r.Broken != 0 || r.Chained != int64(len(rows)) {
			t.Errorf("the chain: %+v, %v", r, err)
		}
	})
}
