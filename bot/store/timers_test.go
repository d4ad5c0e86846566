package store_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
)

func takeTimers(t *testing.T, s *store.Store, now time.Time) []bot.Timer {
	t.Helper()
	ts, err := s.TakeTimers(ctx, "kh", now, 10, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

func TestTimers(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, now *clock) {
		who := citizen(1)
		c := turn(who, "u1", bot.Snapshot{})
		c.State.Case, c.Case = "K7M4-692Q", aCase("c1", "K7M4-692Q")
		c.Timers = []bot.Timer{
			{Line: "kh", Name: "nudge", Contact: who, At: noon.Add(10 * time.Minute)},
			{Line: "kh", Name: "lift", CaseID: "c1", At: noon.Add(20 * time.Minute)},
			{Line: "kh", Name: "escalate5", CaseID: "c1", At: noon.Add(5 * time.Minute)},
		}
		commit(t, s, c)
		if ts := takeTimers(t, s, noon.Add(5*time.Minute-time.Millisecond)); len(ts) != 0 {
			t.Fatal("too early:", ts)
		}
		ts := takeTimers(t, s, noon.Add(10*time.Minute))
		if len(ts) != 2 || ts[0].Name != "escalate5" || ts[0].CaseID != "c1" || ts[1].Name != "nudge" || ts[1].Contact != who {
			t.Fatalf("due: %+v", ts)
		}
		if ts := takeTimers(t, s, noon.Add(10*time.Minute)); len(ts) != 0 {
			t.Fatal("leased twice")
		}
		// Nobody dealt with them: they come back, with their own times.
		ts = takeTimers(t, s, noon.Add(11*time.Minute))
		if len(ts) != 2 || !ts[0].At.Equal(noon.Add(5*time.Minute)) || !ts[1].At.Equal(noon.Add(10*time.Minute)) {
			t.Fatalf("after the lease: %+v", ts)
		}
		// One is removed, one set anew while it is leased, one moved before it is due.
		done := turn(who, "t", load(t, s, who, "t"))
		done.Timers = []bot.Timer{
			{Name: "escalate5", CaseID: "c1"},
			{Name: "nudge", Contact: who, At: noon.Add(30 * time.Minute)},
			{Name: "lift", CaseID: "c1", At: noon.Add(25 * time.Minute)},
		}
		commit(t, s, done)
		if ts := takeTimers(t, s, noon.Add(24*time.Minute)); len(ts) != 0 {
			t.Fatalf("moved or removed: %+v", ts)
		}
		ts = takeTimers(t, s, noon.Add(time.Hour))
		if len(ts) != 2 || ts[0].Name != "lift" || !ts[1].At.Equal(noon.Add(30*time.Minute)) {
			t.Fatalf("the rest: %+v", ts)
		}
		now.add(0)
	})
}

func TestLeases(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, now *clock) {
		acquire := func(owner string) (int64, bool) {
			tok, ok, err := s.AcquireLease(ctx, "kh", "poll", owner, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			return tok, ok
		}
		first, ok := acquire("a")
		if !ok {
			t.Fatal("free, and not given")
		}
		if tok, ok := acquire("a"); !ok || tok != first {
			t.Fatal("asked again by its holder:", tok, ok)
		}
		if _, ok := acquire("b"); ok {
			t.Fatal("given twice")
		}
		s.Guard("kh", acct, "poll", first)
		commit(t, s, turn(citizen(1), "u1", bot.Snapshot{}, row("a1", citizen(1))))
		now.add(9 * time.Second)
		if ok, err := s.RenewLease(ctx, "kh", "poll", "a", first, 10*time.Second); !ok || err != nil {
			t.Fatal("renew:", ok, err)
		}
		now.add(9 * time.Second)
		if _, ok := acquire("b"); ok {
			t.Fatal("renewed, and given away")
		}
		now.add(2 * time.Second)
		second, ok := acquire("b")
		if !ok || second <= first {
			t.Fatal("the token does not grow:", first, second)
		}
		// What the first holder does late is refused.
		if ok, _ := s.RenewLease(ctx, "kh", "poll", "a", first, time.Minute); ok {
			t.Fatal("renewed after it was lost")
		}
		if _, err := s.Commit(ctx, turn(citizen(2), "u1", bot.Snapshot{})); !errors.Is(err, bot.ErrLease) {
			t.Fatal("late commit:", err)
		}
		if _, err := s.Take(ctx, "kh", acct, now.Now(), 1, bot.LaneBroadcast, time.Second); !errors.Is(err, bot.ErrLease) {
			t.Fatal("late take:", err)
		}
		if err := s.ReleaseLease(ctx, "kh", "poll", "a", first); err != nil {
			t.Fatal(err)
		}
		if _, ok := acquire("c"); ok {
			t.Fatal("released by somebody who had lost it")
		}
		if err := s.ReleaseLease(ctx, "kh", "poll", "b", second); err != nil {
			t.Fatal(err)
		}
		if third, ok := acquire("c"); !ok || third <= second {
			t.Fatal("free again:", third, ok)
		}
	})
}

func TestPrompts(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, now *clock) {
		shown := func(n int, at time.Time, buttons bool) {
			c := turn(citizen(n), "u"+at.String(), load(t, s, citizen(n), ""))
			c.State.Shown = &flows.Shown{Step: "safety_now", At: at, Buttons: buttons}
			commit(t, s, c)
		}
		shown(1, noon, true)
		shown(2, noon.Add(time.Minute), true)
		shown(3, noon.Add(time.Minute), false)
		shown(4, noon.Add(2*time.Minute), true)
		shown(4, noon.Add(3*time.Minute), false)
		shown(5, noon.Add(time.Hour), true)
		var got []bot.Contact
		err := s.Prompted(ctx, "kh", acct, noon, noon.Add(30*time.Minute), func(c bot.Contact) error {
			got = append(got, c)
			return nil
		})
		if err != nil || !slices.Equal(got, []bot.Contact{citizen(1), citizen(2)}) {
			t.Fatal(got, err)
		}
		if at, err := s.LastBeat(ctx, "kh", acct); !at.IsZero() || err != nil {
			t.Fatal("before the first beat:", at, err)
		}
		if err := s.Beat(ctx, "kh", acct, noon); err != nil {
			t.Fatal(err)
		}
		if at, err := s.LastBeat(ctx, "kh", acct); !at.Equal(noon) || err != nil {
			t.Fatal(at, err)
		}
		// Of another account's, and of no time before the first, there are none.
		for _, x := range []struct {
			account  string
			from, to time.Time
		}{{acct + "1", noon, noon.Add(2 * time.Hour)}, {acct, time.UnixMilli(0), noon.Add(-time.Millisecond)}} {
			err = s.Prompted(ctx, "kh", x.account, x.from, x.to, func(c bot.Contact) error {
				t.Error("asked again:", c)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		// An error of whoever asks them ends it.
		calls := 0
		if err := s.Prompted(ctx, "kh", acct, noon, noon.Add(2*time.Hour), func(bot.Contact) error {
			calls++
			return io.ErrUnexpectedEOF
		}); !errors.Is(err, io.ErrUnexpectedEOF) || calls != 1 {
			t.Fatal(calls, err)
		}
		now.add(0)
	})
}

func TestErase(t *testing.T) {
	srv := storetest.Redis(t)
	s := storetest.Open(t, srv.Client, store.Options{Clock: atNoon().Now})
	who, other := citizen(1), citizen(2)
	for i, p := range []bot.Contact{who, other} {
		code := []string{"K7M4-692Q", "K7M4-692R"}[i]
		r := row(code, p)
		r.CaseID = "c" + code
		c := turn(p, "u1", bot.Snapshot{}, r)
		c.State.Case, c.Case = code, aCase("c"+code, code)
		c.Case.Contacts = contactsOf(p)
		c.Entries = []bot.Entry{{ID: "e1", Kind: "note", Text: "words"}}
		c.Timers = []bot.Timer{{Name: "lift", CaseID: "c" + code, At: noon}, {Name: "nudge", Contact: p, At: noon}}
		commit(t, s, c)
	}
	wrapped := srv.Client.HGet(ctx, "{kh}:case:cK7M4-692Q", "k").Val()
	if err := s.Erase(ctx, "kh", "cK7M4-692Q"); err != nil {
		t.Fatal(err)
	}
	if err := s.Erase(ctx, "kh", "cK7M4-692Q"); !errors.Is(err, bot.ErrNotFound) {
		t.Fatal("twice:", err)
	}
	for _, k := range srv.Client.Keys(ctx, "*c*K7M4-692Q*").Val() {
		t.Error("left:", k)
	}
	if snap := load(t, s, who, "u2"); snap.Version != 0 || snap.Case != nil || snap.Waiting != 1 {
		t.Fatalf("the erased person: %+v", snap)
	}
	if !load(t, s, who, "u1").Seen {
		t.Error("an old update would be taken again")
	}
	taken := turn(citizen(3), "u1", bot.Snapshot{})
	taken.Case = aCase("cx", "K7M4-692Q")
	if _, err := s.Commit(ctx, taken); !errors.Is(err, bot.ErrCodeTaken) {
		t.Error("the code is given again:", err)
	}
	if snap := load(t, s, other, "u2"); snap.Version != 1 || snap.Case == nil {
		t.Fatalf("somebody else: %+v", snap)
	}
	if ts := takeTimers(t, s, noon); len(ts) != 2 {
		t.Errorf("timers of the other alone: %+v", ts)
	}
	if rows := take(t, s, noon.Add(time.Hour), 10); len(rows) != 1 || rows[0].Row.To != other {
		t.Errorf("rows of the other alone: %v", ids(rows))
	}
	// The wrapped key leaves the append-only file as soon as that is written anew.
	storetest.Until(t, "the wrapped key is gone from the file", func() bool { return !bytes.Contains(aof(t, srv.Dir), []byte(wrapped)) })
}
