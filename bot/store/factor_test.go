package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// hired is a store with an account.
func hired(t *testing.T, s *Store, names ...string) {
	t.Helper()
	for _, n := range names {
		role := casework.RoleOfficer
		if strings.HasPrefix(n, "admin") {
			role = casework.RoleAdmin
		}
		must(t, s.SaveAccount(context.Background(), bot.Account{Name: n, Role: role, Hash: "hash"}, bot.Audit{Who: "x", What: "staff_add"}))
	}
}

// A code opens one session, however many ask with it at once, on however many processes.
func TestFactorStepOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		hired(t, s, "sari")
		if f, err := s.Factor(ctx, "sari"); err != nil || f.ID != "" || f.Secret != "" {
			t.Fatalf("before: %+v, %v", f, err)
		}
		if err := s.SetFactor(ctx, "nobody", "KEY", deskNow, 1); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("a factor of no account: %v", err)
		}
		must(t, s.SetFactor(ctx, "sari", "JBSWY3DPEHPK3PXP", deskNow, 1000, bot.Audit{Who: "sari", What: "factor_set"}))
		if err := s.SetFactor(ctx, "Sari", "OTHER", deskNow, 1001); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("a second one beside it: %v", err)
		}
		other, err := Open(ctx, Options{Client: s.rdb, Keys: s.keys, Clock: deskClock, Lines: []Line{{Code: "kh"}}}) // another process
		must(t, err)
		t.Cleanup(func() { _ = other.Close() })
		both := []*Store{s, other}
		f, err := other.Factor(ctx, "SARI")
		if err != nil || f.Secret != "JBSWY3DPEHPK3PXP" || !f.Since.Equal(deskNow) {
			t.Fatalf("by another process: %+v, %v", f, err)
		}
		for _, used := range []int64{1000, 999, 0} {
			if err := s.UseFactor(ctx, "sari", f, used); !errors.Is(err, bot.ErrConflict) {
				t.Errorf("step %d after 1000: %v", used, err)
			}
		}
		for step := int64(1001); step < 1021; step++ {
			var won atomic.Int64
			var all sync.WaitGroup
			for i := range 20 {
				all.Go(func() {
					err := both[i%2].UseFactor(ctx, "sari", f, step, bot.Audit{Who: "sari", What: "factor_code"})
					if err == nil {
						won.Add(1)
					} else if !errors.Is(err, bot.ErrConflict) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 {
				t.Fatalf("step %d was used %d times", step, won.Load())
			}
		}
		rows, err := s.AuditLog(ctx, "", 100)
		if err != nil || len(rows) != 22 {
			t.Errorf("%d audit rows for one account, one factor and 20 codes: %v", len(rows), err)
		}
		if err := s.UseFactor(ctx, "sari", bot.Factor{ID: "another"}, 5000); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("a factor that was reset meanwhile: %v", err)
		}
	})
}

func TestFactorResetTakesTwo(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		now := deskNow
		s.clock = func() time.Time { return now }
		hired(t, s, "sari", "admin a", "admin b", "admin c")
		ask := func(by string) bot.FactorReset {
			return bot.FactorReset{By: by, At: now, Until: now.Add(bot.FactorResetLife)}
		}
		if err := s.AskFactorReset(ctx, "sari", ask("admin a")); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("nothing to reset: %v", err)
		}
		must(t, s.SetFactor(ctx, "sari", "KEY", now, 1))
		if err := s.ResetFactor(ctx, "sari", "admin b"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("nobody asks: %v", err)
		}
		must(t, s.AskFactorReset(ctx, "sari", ask("admin a")))
		if err := s.AskFactorReset(ctx, "sari", ask("admin b")); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("two requests: %v", err)
		}
		for _, by := range []string{"admin a", "Admin  A", "sari"} {
			if err := s.ResetFactor(ctx, "sari", by); !errors.Is(err, bot.ErrRefused) {
				t.Errorf("confirmed by %q: %v", by, err)
			}
		}
		now = now.Add(bot.FactorResetLife)
		if err := s.ResetFactor(ctx, "sari", "admin b"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("after its time: %v", err)
		}
		must(t, s.AskFactorReset(ctx, "sari", ask("admin c")))
		must(t, s.SaveAccount(ctx, bot.Account{Name: "admin c", Role: casework.RoleViewer}, bot.Audit{}))
		if err := s.ResetFactor(ctx, "sari", "admin b"); !errors.Is(err, bot.ErrRefused) {
			t.Errorf("asked for by who is no admin any more: %v", err)
		}
		must(t, s.AskFactorReset(ctx, "sari", bot.FactorReset{}))
		if f, err := s.Factor(ctx, "sari"); err != nil || f.Secret != "KEY" || f.Reset != nil {
			t.Fatalf("after the request was taken back: %+v, %v", f, err)
		}
		must(t, s.AskFactorReset(ctx, "sari", ask(""))) // the command line
		if err := s.ResetFactor(ctx, "sari", ""); !errors.Is(err, bot.ErrRefused) {
			t.Errorf("the command line twice: %v", err)
		}
		must(t, s.ResetFactor(ctx, "sari", "admin a", bot.Audit{Who: "admin a", What: "factor_reset"}))
		f, err := s.Factor(ctx, "sari")
		a, err2 := s.Account(ctx, "sari")
		if err != nil || err2 != nil || f.ID != "" || a.Hash != "" || !a.SignedOutAt.Equal(now) {
			t.Errorf("after the reset: %+v, %+v, %v, %v", f, a, err, err2)
		}
		must(t, s.SetFactor(ctx, "sari", "NEW", now, 1)) // steps of the former one do not bind this one
	})
}

// The secret stands in Redis under no name and in no clear form, opens for the account it belongs to only, and after the
// wrapping key was rotated.
func TestFactorIsSealed(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	hired(t, s, "sari", "admin")
	must(t, s.SetFactor(ctx, "sari", "KANARIKUNCI", deskNow, 1))
	must(t, s.AskFactorReset(ctx, "sari", bot.FactorReset{By: "kanariadmin", Until: deskNow.Add(time.Hour)}))
	key := keyAccount(s.accountID("sari"))
	all, err := s.rdb.HGetAll(ctx, key).Result()
	must(t, err)
	for field, v := range all {
		if strings.Contains(strings.ToLower(v), "kanari") {
			t.Errorf("%s holds it in clear", field)
		}
	}
	// Moved to another account it opens nothing.
	must(t, s.rdb.HSet(ctx, keyAccount(s.accountID("admin")), "fid", all["fid"], "factor", all["factor"]).Err())
	if f, err := s.Factor(ctx, "admin"); err == nil || strings.Contains(err.Error(), "KANARI") {
		t.Errorf("moved to another account: %+v, %v", f, err)
	}
}

// A bucket of five, one back in a minute of the server's own time.
func TestBucket(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		began := time.Now()
		for i := range 5 {
			if wait, err := s.Bucket(ctx, "k", 5, time.Minute); err != nil || wait != 0 {
				t.Fatalf("%d: %v, %v", i, wait, err)
			}
		}
		for range 3 {
			// What has passed since the first one went is time in which it came back.
			wait, err := s.Bucket(ctx, "k", 5, time.Minute)
			if least := time.Minute - time.Since(began) - time.Second; err != nil || wait < least || wait > time.Minute {
				t.Fatalf("the sixth: %v, %v, at least %v", wait, err, least)
			}
		}
		for range 2 {
			if wait, err := s.Bucket(ctx, "quick", 1, 50*time.Millisecond); err != nil {
				t.Fatal(err)
			} else if wait > 0 {
				eventually(t, func() bool { w, err := s.Bucket(ctx, "quick", 1, 50*time.Millisecond); return err == nil && w == 0 })
			}
		}
	})
	s := openDesk(t, startMini(t))
	ended, end := context.WithCancel(context.Background())
	end()
	if wait, err := s.Bucket(ended, "k", 5, time.Second); err == nil || wait == 0 {
		t.Errorf("without Redis: %v, %v", wait, err)
	}
}
