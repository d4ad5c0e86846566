package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

var (
	_ bot.Store  = (*store.Store)(nil)
	_ bot.Outbox = (*store.Store)(nil)
)

var ctx = context.Background()

// noon is when the tests take place.
var noon = time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)

// clock is a clock that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func atNoon() *clock { return &clock{now: noon} }

func citizen(n int) bot.Contact {
	return bot.Contact{Channel: "telegram", Account: "7000001", Address: fmt.Sprint(620000 + n)}
}

func aCase(id, code string) *casework.Case {
	return &casework.Case{
		ID: id, Code: code, Line: "kh", Mission: "kh", CreatedAt: noon, DueAt: noon.Add(time.Hour), Stage: "reported",
		Triage: casework.Triage{Class: casework.P2}, Peak: casework.P2,
	}
}

func row(id string, to bot.Contact) bot.Row {
	return bot.Row{
		ID: id, Line: "kh", To: to, Lane: bot.LaneBot, Kind: "reply", Out: bot.Outgoing{Text: "text of " + id},
		State: bot.RowQueued, CreatedAt: noon,
	}
}

// turn is a person's message that leads to a state and replies.
func turn(who bot.Contact, request string, snap bot.Snapshot, rows ...bot.Row) bot.Change {
	st := snap.State
	st.LastAt = noon
	return bot.Change{Line: "kh", Request: request, Who: &who, State: &st, Version: snap.Version, Rows: rows, Wrote: true}
}

func load(t testing.TB, s *store.Store, who bot.Contact, update string) bot.Snapshot {
	t.Helper()
	snap, err := s.Load(ctx, "kh", who, update)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func commit(t testing.TB, s *store.Store, c bot.Change) bot.Committed {
	t.Helper()
	done, err := s.Commit(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func both(t *testing.T, test func(t *testing.T, s *store.Store, c redis.UniversalClient, now *clock)) {
	for _, kind := range []string{"mini", "redis"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var c redis.UniversalClient
			if kind == "mini" {
				c = storetest.Mini(t)
			} else {
				c = storetest.Redis(t, "--appendonly", "no").Client
			}
			now := atNoon()
			test(t, storetest.Open(t, c, store.Options{Clock: now.Now, Lines: []store.Line{{Code: "kh", Missions: []string{"kh", "mm"}}}}), c, now)
		})
	}
}

func TestCommitComesBack(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, _ *clock) {
		who := citizen(1)
		snap := load(t, s, who, "u1")
		if snap.Seen || snap.Version != 0 || snap.Case != nil || snap.Waiting != 0 {
			t.Fatalf("a person never heard of: %+v", snap)
		}
		c := turn(who, "u1", snap, row("r1", who))
		c.State.Case, c.State.Answers = "K7M4-692Q", map[flows.StepID]flows.Answer{"location": {Text: "Bavet"}}
		c.Case = aCase("c1", "K7M4-692Q")
		in := flows.Input{Kind: flows.KindText, ID: "11", Text: "Bavet", At: noon}
		c.Entries = []bot.Entry{{ID: "e1", At: noon, Kind: "in", Input: &in}}
		done := commit(t, s, c)
		if done.Repeat || len(done.Mine) != 1 || done.Mine[0].ID != "r1" || done.Mine[0].Out.Text != "text of r1" {
			t.Fatalf("committed: %+v", done)
		}
		if snap = load(t, s, who, "u1"); !snap.Seen {
			t.Fatal("the update was committed and is not seen")
		}
		snap = load(t, s, who, "u2")
		if snap.Version != 1 || snap.State.Answers["location"].Text != "Bavet" || snap.Case == nil || snap.CaseVer != 1 || snap.Waiting != 1 {
			t.Fatalf("loaded: %+v", snap)
		}
		if snap.Case.Code != "K7M4-692Q" || !snap.Case.CreatedAt.Equal(noon) {
			t.Fatalf("case: %+v", snap.Case)
		}
		again, ver, err := s.LoadCase(ctx, "kh", "c1")
		if err != nil || ver != 1 || again.Code != snap.Case.Code {
			t.Fatal(again, ver, err)
		}
		if _, _, err := s.LoadCase(ctx, "kh", "c2"); !errors.Is(err, bot.ErrNotFound) {
			t.Fatal("a case that is not there:", err)
		}
		if id, err := s.CaseID(ctx, "kh", "K7M4-692Q"); id != "c1" || err != nil {
			t.Fatal(id, err)
		}
	})
}

func TestRepeatChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, now *clock) {
		who := citizen(1)
		c := turn(who, "u1", bot.Snapshot{}, row("r1", who))
		c.State.Case, c.Case = "K7M4-692Q", aCase("c1", "K7M4-692Q")
		c.Audit = []bot.Audit{{At: noon, Who: "x", What: "open"}}
		commit(t, s, c)
		before := dump(t, rdb)
		now.add(13 * 24 * time.Hour)
		// The same again, and the same decided anew by somebody who saw the later version.
		for _, ver := range []int64{0, 1} {
			c.Version, c.CaseVer = ver, ver
			if done := commit(t, s, c); !done.Repeat || len(done.Mine) != 0 {
				t.Fatalf("repeat: %+v", done)
			}
		}
		if after := dump(t, rdb); after != before {
			t.Fatalf("a repeat changed something:\n%s\n%s", before, after)
		}
		// At the desk, too.
		cs, ver, _ := s.LoadCase(ctx, "kh", "c1")
		d := bot.Change{Line: "kh", Request: "form-1", Case: cs, CaseVer: ver, Rows: []bot.Row{row("r2", who)}}
		if done := commit(t, s, d); done.Repeat {
			t.Fatal("the first of them is no repeat")
		}
		if done := commit(t, s, d); !done.Repeat {
			t.Fatal("the second of them is one")
		}
		// A fortnight later a request is forgotten; WhatsApp repeats for seven days at most.
		now.add(2 * 24 * time.Hour)
		commit(t, s, turn(who, "u2", load(t, s, who, "u2")))
		if load(t, s, who, "u1").Seen {
			t.Fatal("dedupe entries are not trimmed")
		}
	})
}

// dump is every key with its content.
func dump(t *testing.T, rdb redis.UniversalClient) string {
	t.Helper()
	keys, err := rdb.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, k := range sorted(keys) {
		var v any
		switch kind := rdb.Type(ctx, k).Val(); kind {
		case "hash":
			v = rdb.HGetAll(ctx, k).Val()
		case "zset":
			v = rdb.ZRangeWithScores(ctx, k, 0, -1).Val()
		case "list":
			v = rdb.LRange(ctx, k, 0, -1).Val()
		case "set":
			v = sorted(rdb.SMembers(ctx, k).Val())
		default:
			v = rdb.Get(ctx, k).Val()
		}
		out += fmt.Sprintf("%s %q\n", k, v)
	}
	return out
}

func TestConflicts(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, now *clock) {
		who, other := citizen(1), citizen(2)
		first := turn(who, "u1", bot.Snapshot{})
		first.State.Case, first.Case = "K7M4-692Q", aCase("c1", "K7M4-692Q")
		commit(t, s, first)
		before := dump(t, rdb)

		stale := turn(who, "u2", bot.Snapshot{})
		if _, err := s.Commit(ctx, stale); !errors.Is(err, bot.ErrConflict) {
			t.Error("stale conversation:", err)
		}
		staleCase := turn(who, "u2", bot.Snapshot{Version: 1})
		staleCase.Case, staleCase.CaseVer = aCase("c1", "K7M4-692Q"), 5
		if _, err := s.Commit(ctx, staleCase); !errors.Is(err, bot.ErrConflict) {
			t.Error("stale case:", err)
		}
		taken := turn(other, "u1", bot.Snapshot{})
		taken.Case = aCase("c2", "K7M4-692Q")
		if _, err := s.Commit(ctx, taken); !errors.Is(err, bot.ErrCodeTaken) {
			t.Error("code in use:", err)
		}
		notMine := bot.Change{Line: "kh", Request: "f1", Case: aCase("c1", "K7M4-692Q"), CaseVer: 1, Claim: "sari"}
		if _, err := s.Commit(ctx, notMine); !errors.Is(err, bot.ErrLease) {
			t.Error("no lease:", err)
		}
		if _, err := s.Commit(ctx, bot.Change{Line: "xx"}); err == nil {
			t.Error("a line that is not there")
		}
		if _, err := s.Commit(ctx, bot.Change{Line: "kh", Entries: []bot.Entry{{}}}); err == nil {
			t.Error("entries for no case")
		}
		if after := dump(t, rdb); after != before {
			t.Errorf("a refused change left something:\n%s\n%s", before, after)
		}
	})
}

// TestSecondStore: another process that has never loaded a contact or case writes under the same data keys.
func TestSecondStore(t *testing.T) {
	c := storetest.Mini(t)
	keys, err := store.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	a := storetest.Open(t, c, store.Options{Keys: keys})
	b := storetest.Open(t, c, store.Options{Keys: keys})
	who := citizen(1)
	first := turn(who, "u1", bot.Snapshot{})
	first.State.Case, first.Case = "K7M4-692Q", aCase("c1", "K7M4-692Q")
	commit(t, a, first)
	cs, ver, err := b.LoadCase(ctx, "kh", "c1")
	if err != nil {
		t.Fatal(err)
	}
	commit(t, b, bot.Change{Line: "kh", Request: "f", Case: cs, CaseVer: ver, Rows: []bot.Row{row("r1", who)}, Entries: []bot.Entry{{ID: "e", Kind: "note"}}})
	second := load(t, b, who, "u2")
	commit(t, b, turn(who, "u2", second))
	if snap := load(t, a, who, "u3"); snap.Version != 2 || snap.CaseVer != 2 {
		t.Fatalf("%+v", snap)
	}
	// A contact written to before it ever wrote: its first message finds the key that is there.
	commit(t, a, bot.Change{Line: "kh", Request: "g", Rows: []bot.Row{row("r2", citizen(9))}})
	commit(t, b, turn(citizen(9), "u1", bot.Snapshot{}))
	if snap := load(t, a, citizen(9), "u2"); snap.Version != 1 {
		t.Fatalf("%+v", snap)
	}
}

// TestRepeatedDeliveries: 40 people, each update delivered one to five times by eight workers at once, decided as
// package bot does (load, decide, commit, again on conflict): every update has one effect.
func TestRepeatedDeliveries(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store, rdb redis.UniversalClient, _ *clock) {
		const people, updates = 40, 6
		var lanes [people]sync.Mutex
		type delivery struct{ person, update int }
		var all []delivery
		rng := rand.New(rand.NewPCG(1, 2))
		for p := range people {
			for u := range updates {
				for range 1 + rng.IntN(5) {
					all = append(all, delivery{p, u})
				}
			}
		}
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		work := make(chan delivery)
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for d := range work {
					if w%2 == 0 { // every other worker is another process, and shares no lock
						lanes[d.person].Lock()
					}
					deliver(t, s, d.person, d.update)
					if w%2 == 0 {
						lanes[d.person].Unlock()
					}
				}
			})
		}
		for _, d := range all {
			work <- d
		}
		close(work)
		wg.Wait()
		for p := range people {
			snap := load(t, s, citizen(p), "last")
			if snap.Version != updates || snap.CaseVer != updates || len(snap.State.Heard) != updates {
				t.Errorf("person %d: version %d, case %d, heard %d", p, snap.Version, snap.CaseVer, len(snap.State.Heard))
			}
			if n := rdb.LLen(ctx, fmt.Sprintf("{kh}:timeline:c%d", p)).Val(); n != updates {
				t.Errorf("person %d: %d entries", p, n)
			}
		}
		if n := rdb.HLen(ctx, "{kh}:rows").Val(); n != people*updates {
			t.Errorf("%d rows", n)
		}
	})
}

func deliver(t *testing.T, s *store.Store, person, update int) {
	who, req := citizen(person), fmt.Sprint("u", update)
	for range 100 {
		snap := load(t, s, who, req)
		if snap.Seen {
			return
		}
		in := flows.Input{Kind: flows.KindText, ID: req, Text: req, At: noon}
		c := turn(who, req, snap, row(fmt.Sprintf("r%02d.%d", person, update), who))
		c.State.Heard = append(c.State.Heard, flows.Heard{Input: in})
		c.State.Case = fmt.Sprintf("K7%02d-AAAA", person)
		c.Case, c.CaseVer = snap.Case, snap.CaseVer
		if c.Case == nil {
			c.Case = aCase(fmt.Sprint("c", person), c.State.Case)
		}
		c.Entries = []bot.Entry{{ID: req, Kind: "in", Input: &in}}
		_, err := s.Commit(ctx, c)
		if err == nil {
			return
		}
		if !errors.Is(err, bot.ErrConflict) && !errors.Is(err, bot.ErrCodeTaken) {
			t.Error(err)
			return
		}
	}
	t.Error("conflict without end")
}
