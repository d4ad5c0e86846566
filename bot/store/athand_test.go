package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
)

// counted tells how many scripts the server has run.
func counted(t *testing.T, rdb redis.UniversalClient) int {
	t.Helper()
	info, err := rdb.InfoMap(ctx, "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	_, _ = fmt.Sscanf(info["Commandstats"]["cmdstat_evalsha"], "calls=%d,", &n)
	return n
}

// What the last commit left at hand saves a round trip, is as Redis has it, and is never believed against Redis.
func TestAtHand(t *testing.T) {
	t.Parallel()
	rdb := storetest.Redis(t, "--appendonly", "no").Client
	now := atNoon()
	lines := []store.Line{{Code: "kh", Missions: []string{"kh", "mm"}}}
	a := storetest.Open(t, rdb, store.Options{Clock: now.Now, Lines: lines})
	b := storetest.Open(t, rdb, store.Options{Clock: now.Now, Lines: lines, Keys: a.Keys()})
	who := citizen(1)
	say := func(s *store.Store, request string, words flows.StepID) (bot.Snapshot, error) {
		snap := load(t, s, who, request)
		if snap.Seen {
			return snap, nil
		}
		c := turn(who, request, snap)
		c.State.Case = "K7M4-692Q"
		c.State.Answers = map[flows.StepID]flows.Answer{words: {Text: string(words)}}
		if c.Case, c.CaseVer = aCase("c1", "K7M4-692Q"), snap.CaseVer; snap.Case != nil {
			c.Case = snap.Case.Clone()
		}
		c.Case.Lang, c.Case.Contacts = string(words), contactsOf(who)
		_, err := s.Commit(ctx, c)
		return snap, err
	}
	must := func(snap bot.Snapshot, err error) bot.Snapshot {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return snap
	}
	must(say(a, "u1", "one"))
	before := counted(t, rdb)
	snap := must(say(a, "u2", "two"))
	if n := counted(t, rdb) - before; n != 1 {
		t.Errorf("%d scripts for a message whose state is at hand", n)
	}
	if snap.Version != 1 || snap.CaseVer != 1 || snap.State.Answers["one"].Text != "one" || snap.Case.Lang != "one" || snap.Waiting != 1 {
		t.Errorf("at hand: %+v", snap)
	}
	if !load(t, a, who, "u2").Seen {
		t.Error("the last request is not known any more")
	}
	// Another process commits in between: the stale turn is refused, and decided anew on what Redis has.
	must(say(b, "u3", "three"))
	if snap, err := say(a, "u4", "four"); !errors.Is(err, bot.ErrConflict) || snap.Version != 2 {
		t.Errorf("a stale turn: version %d, %v", snap.Version, err)
	}
	if snap = must(say(a, "u4", "four")); snap.Version != 3 || snap.Case.Lang != "three" {
		t.Errorf("after a conflict: %+v", snap)
	}
	// A repeat that another process has committed changes nothing, though the state is at hand.
	if _, err := say(b, "u5", "five"); !errors.Is(err, bot.ErrConflict) {
		t.Errorf("the other process' stale turn: %v", err)
	}
	must(say(b, "u5", "five"))
	if _, err := say(a, "u5", "stale"); err != nil {
		t.Fatal(err)
	}
	if snap = load(t, b, who, ""); snap.Version != 5 || snap.Case.Lang != "five" {
		t.Errorf("after a repeat: %+v", snap)
	}
	// A case that was changed at the desk.
	must(say(a, "u6", "six"))
	cs, ver, err := b.LoadCase(ctx, "kh", "c1")
	if err != nil {
		t.Fatal(err)
	}
	cs.Lang = "desk"
	if _, err := b.Commit(ctx, bot.Change{Line: "kh", Case: cs, CaseVer: ver}); err != nil {
		t.Fatal(err)
	}
	if _, err := say(a, "u7", "seven"); !errors.Is(err, bot.ErrConflict) {
		t.Errorf("a turn on a case that the desk has changed: %v", err)
	}
	if snap = must(say(a, "u7", "seven")); snap.Case.Lang != "desk" {
		t.Errorf("after the desk: %+v", snap)
	}
	// What was decided and not committed leaves nothing behind.
	snap = load(t, a, who, "u8")
	snap.Case.Lang = "never"
	if snap = load(t, a, who, "u8"); snap.Case.Lang != "seven" {
		t.Errorf("a turn that was given up left %q", snap.Case.Lang)
	}
	// Old and erased things are not at hand.
	must(say(a, "u9", "nine"))
	now.add(3 * time.Minute)
	before = counted(t, rdb)
	load(t, a, who, "u10")
	if counted(t, rdb) == before {
		t.Error("what is three minutes old was still at hand")
	}
	must(say(a, "u10", "ten"))
	if err := a.Erase(ctx, "kh", "c1"); err != nil {
		t.Fatal(err)
	}
	if snap = load(t, a, who, "u11"); snap.Case != nil || snap.Version != 0 {
		t.Errorf("erased, and still at hand: %+v", snap)
	}
}

// Where messages of a person go to two processes in turn, keeping things at hand is given up after a while.
func TestAtHandIsGivenUpWhereItIsStale(t *testing.T) {
	t.Parallel()
	rdb := storetest.Redis(t, "--appendonly", "no").Client
	now := atNoon()
	a := storetest.Open(t, rdb, store.Options{Clock: now.Now})
	b := storetest.Open(t, rdb, store.Options{Clock: now.Now, Keys: a.Keys()})
	conflicts := 0
	for n := range 100 {
		s, request := []*store.Store{a, b}[n%2], fmt.Sprint("u", n)
		for {
			_, err := s.Commit(ctx, turn(citizen(1), request, load(t, s, citizen(1), request)))
			if err == nil {
				break
			}
			if !errors.Is(err, bot.ErrConflict) {
				t.Fatal(err)
			}
			conflicts++
		}
	}
	if conflicts == 0 || conflicts > 50 {
		t.Errorf("%d conflicts in 100 messages", conflicts)
	}
}
