package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"pulang/bot"
	"pulang/flows/casework"
)

func TestAccounts(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		row := bot.Audit{Who: "admin", What: "account"}
		if _, err := s.Account(ctx, "Sari"); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("an account that is not there: %v", err)
		}
		sari := bot.Account{Name: "Sari Contoh", Role: casework.RoleOfficer, Missions: []string{"kh"}, Female: true, Code: "S7K2"}
		if err := s.SaveAccount(ctx, sari, row); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveAccount(ctx, bot.Account{Name: "Budi", Role: casework.RoleAdmin, Code: "B4Q9"}, row); err != nil {
			t.Fatal(err)
		}
		got, err := s.Account(ctx, "  sari  CONTOH ")
		if err != nil || got.Name != "Sari Contoh" || !got.Female || got.Role != casework.RoleOfficer {
			t.Fatalf("by another spelling of the name: %+v, %v", got, err)
		}
		if err := s.SaveAccount(ctx, bot.Account{Name: "Citra", Code: "s7 k2"}, row); !errors.Is(err, bot.ErrRefused) {
			t.Fatalf("the check code of another: %v", err)
		}
		if a, err := s.OfficerByCode(ctx, "s7k2"); err != nil || a.Name != "Sari Contoh" {
			t.Fatalf("officer by code: %+v, %v", a, err)
		}
		all, err := s.Accounts(ctx)
		if err != nil || len(all) != 2 || all[0].Name != "Budi" {
			t.Fatalf("accounts: %+v, %v", all, err)
		}
		sari.Disabled = true
		if err := s.SaveAccount(ctx, sari, row); err != nil {
			t.Fatal(err)
		}
		if _, err := s.OfficerByCode(ctx, "S7K2"); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("the code of a disabled officer: %v", err)
		}
		rows, err := s.AuditLog(ctx, "", 10)
		if err != nil || len(rows) != 3 {
			t.Fatalf("audit rows of three saves: %d, %v", len(rows), err)
		}
	})
}

// What was read before another change is not saved over it.
func TestAccountChangedMeanwhile(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		hired(t, s, "sari")
		before, err := s.Account(ctx, "sari")
		must(t, err)
		now, err := s.Account(ctx, "sari")
		must(t, err)
		now.Disabled = true
		must(t, s.SaveAccount(ctx, now, bot.Audit{}))
		before.Lang = "en"
		if err := s.SaveAccount(ctx, before, bot.Audit{Who: "sari", What: "language"}); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("saved over a change: %v", err)
		}
		all, err := s.Accounts(ctx)
		if err != nil || len(all) != 1 || !all[0].Disabled || all[0].Lang != "" {
			t.Errorf("%+v, %v", all, err)
		}
		all[0].Lang = "en"
		must(t, s.SaveAccount(ctx, all[0], bot.Audit{}))
	})
}

// Names of staff are personal data: neither keys nor values show them.
func TestStaffIsSealed(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	a := bot.Account{Name: "Kanarinama", Role: casework.RoleOfficer, Hash: "kanarihash", Code: "KANARICODE"}
	must(t, s.SaveAccount(ctx, a, bot.Audit{Who: "Kanarinama", What: "account"}))
	must(t, s.NewLink(ctx, a.Name, "kanaritoken", time.Now().Add(time.Hour)))
	_, err := s.Throttle(ctx, "Kanarinama:192.0.2.7", 5, time.Minute)
	must(t, err)
	b, err := scs.GobCodec{}.Encode(time.Now().Add(time.Hour), map[string]any{"account": a.Name})
	must(t, err)
	must(t, s.Sessions(nil).CommitCtx(ctx, "kanarisession", b, time.Now().Add(time.Hour)))
	c := caseWith(1, casework.P2, deskNow)
	store1(t, s, c)
	who := casework.Officer{Name: a.Name}
	row := bot.Audit{At: deskNow, Who: a.Name, What: "act", Purpose: "kanarialasan"}
	_, err = s.Next(ctx, "kh", who, deskNow, nil, "kanarirequest", row)
	must(t, err)
	must(t, s.Seen(ctx, "kh", c.Code, a.Name, deskNow))
	_, err = s.Commit(ctx, bot.Change{Line: "kh", Case: c, CaseVer: 1, Claim: a.Name, Audit: []bot.Audit{row}})
	must(t, err)
	_, err = s.Find(ctx, "kh", "+6281234567890", row)
	must(t, err)
	must(t, s.Record(ctx, "kh", row))
	_, err = s.SweepClaims(ctx, "kh", deskNow.Add(bot.ClaimLease))
	must(t, err)
	_, err = s.SealAudit(ctx, "kh")
	must(t, err)
	for key, value := range dump(t, s) {
		for _, plant := range []string{"kanari", "192.0.2.7", "81234567890"} {
			if strings.Contains(strings.ToLower(key+value), plant) {
				t.Errorf("%q stands in clear at %.30q", plant, key)
			}
		}
	}
}

// dump reads every key of the store as one text.
func dump(t *testing.T, s *Store) map[string]string {
	t.Helper()
	ctx := context.Background()
	all := map[string]string{}
	iter := s.rdb.Scan(ctx, 0, "*", 1000).Iterator()
	for iter.Next(ctx) {
		key := iter.Val()
		var v any
		switch kind := s.rdb.Type(ctx, key).Val(); kind {
		case "string":
			v = s.rdb.Get(ctx, key).Val()
		case "hash":
			v = s.rdb.HGetAll(ctx, key).Val()
		case "list":
			v = s.rdb.LRange(ctx, key, 0, -1).Val()
		case "set":
			v = s.rdb.SMembers(ctx, key).Val()
		case "zset":
			v = s.rdb.ZRangeWithScores(ctx, key, 0, -1).Val()
		default:
			t.Fatalf("a key of type %s", kind)
		}
		all[key] = fmt.Sprint(v)
	}
	must(t, iter.Err())
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOneTimeLink(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		must(t, s.SaveAccount(ctx, bot.Account{Name: "Sari"}, bot.Audit{}))
		if err := s.NewLink(ctx, "nobody", "t0", time.Now().Add(time.Hour)); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("a link for nobody: %v", err)
		}
		must(t, s.NewLink(ctx, "sari", "t1", time.Now().Add(time.Hour)))
		must(t, s.NewLink(ctx, "sari", "t2", time.Now().Add(time.Hour)))
		if _, err := s.PeekLink(ctx, "t1"); !errors.Is(err, ErrLink) {
			t.Fatalf("a link that a newer one replaced: %v", err)
		}
		if name, err := s.PeekLink(ctx, "t2"); err != nil || name != "Sari" {
			t.Fatalf("looking at a link: %q, %v", name, err)
		}
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := s.UseLink(ctx, "t2"); err == nil {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("a one-time link was spent %d times", won.Load())
		}
		must(t, s.NewLink(ctx, "sari", "t3", time.Now().Add(-time.Second)))
		if _, err := s.UseLink(ctx, "t3"); !errors.Is(err, ErrLink) {
			t.Fatalf("a link that is too old: %v", err)
		}
		must(t, s.NewLink(ctx, "sari", "t4", time.Now().Add(time.Hour)))
		must(t, s.SaveAccount(ctx, bot.Account{Name: "Sari", Disabled: true}, bot.Audit{}))
		if _, err := s.UseLink(ctx, "t4"); !errors.Is(err, ErrLink) {
			t.Fatalf("the link of a disabled account: %v", err)
		}
	})
}

func TestThrottle(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		evaluated := 0
		for range 1000 {
			wait, err := s.Throttle(ctx, "sari", 5, time.Minute)
			must(t, err)
			if wait == 0 {
				evaluated++
			} else if wait > time.Minute {
				t.Fatalf("a wait of %v for a window of a minute", wait)
			}
		}
		if evaluated != 5 {
			t.Fatalf("%d of 1,000 tries in a minute were evaluated, want 5", evaluated)
		}
		if wait, err := s.Throttle(ctx, "budi", 5, time.Minute); err != nil || wait != 0 {
			t.Fatalf("another key: %v, %v", wait, err)
		}
		// The window slides: a try comes free when the first one is per old.
		wait, err := s.Throttle(ctx, "short", 1, 50*time.Millisecond)
		if err != nil || wait != 0 {
			t.Fatalf("first try: %v, %v", wait, err)
		}
		eventually(t, func() bool {
			wait, err := s.Throttle(ctx, "short", 1, 50*time.Millisecond)
			return err == nil && wait == 0
		})
	})
}

func TestThrottleFailsClosed(t *testing.T) {
	c := startMini(t)
	s := openDesk(t, c)
	must(t, c.Close())
	if wait, err := s.Throttle(context.Background(), "sari", 5, time.Minute); err == nil || wait == 0 {
		t.Fatalf("without a store a try may go on: %v, %v", wait, err)
	}
}

func TestSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		st := s.Sessions(nil)
		until := time.Now().Add(time.Hour)
		blob := func(name string) []byte {
			b, err := scs.GobCodec{}.Encode(until, map[string]any{"account": name})
			must(t, err)
			return b
		}
		if _, found, err := st.FindCtx(ctx, "nothing"); found || err != nil {
			t.Fatalf("a session that is not there: %v, %v", found, err)
		}
		for i := range 3 {
			must(t, st.CommitCtx(ctx, fmt.Sprint("sari", i), blob("Sari"), until))
		}
		must(t, st.CommitCtx(ctx, "budi", blob("Budi"), until))
		must(t, st.CommitCtx(ctx, "guest", blob(""), until))
		if b, found, err := st.FindCtx(ctx, "sari1"); !found || err != nil || !bytes.Equal(b, blob("Sari")) {
			t.Fatalf("a session: %v, %v", found, err)
		}
		must(t, st.DeleteCtx(ctx, "sari0"))
		must(t, st.CommitCtx(ctx, "sari0", blob("Sari"), until)) // by a request that was still running
		must(t, s.EndSessions(ctx, "sari"))
		must(t, st.CommitCtx(ctx, "sari1", blob("Sari"), until))
		for token, want := range map[string]bool{"sari0": false, "sari1": false, "sari2": false, "budi": true, "guest": true} {
			if _, found, err := st.FindCtx(ctx, token); found != want || err != nil {
				t.Errorf("session %s: found %v, want %v, %v", token, found, want, err)
			}
		}
		must(t, st.CommitCtx(ctx, "old", blob("Budi"), time.Now().Add(-time.Minute)))
		if _, found, _ := st.FindCtx(ctx, "old"); found {
			t.Error("a session outlived its expiry")
		}
		must(t, st.CommitCtx(ctx, "sari9", blob("Sari"), until)) // a later sign-in
		if _, found, _ := st.FindCtx(ctx, "sari9"); !found {
			t.Error("nobody can sign in after EndSessions")
		}
	})
}

// A sealed session that was put under another key is no session.
func TestSessionIsBoundToItsKey(t *testing.T) {
	s := openDesk(t, startMini(t))
	ctx := context.Background()
	st := s.Sessions(nil)
	must(t, st.CommitCtx(ctx, "admin", []byte("x"), time.Now().Add(time.Hour)))
	raw, err := s.rdb.Get(ctx, keySession(tokenHash("admin"))).Result()
	must(t, err)
	must(t, s.rdb.Set(ctx, keySession(tokenHash("thief")), raw, 0).Err())
	if _, found, err := st.FindCtx(ctx, "thief"); found || err != nil {
		t.Fatalf("a moved session: found %v, %v", found, err)
	}
}
