package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// TestRedisKilledDuringCommits kills redis-server with SIGKILL while 16 people write, and starts it again: every
// commit that was acknowledged is there, once, and so is everything that was tried again.
func TestRedisKilledDuringCommits(t *testing.T) {
	srv := storetest.Redis(t)
	keys, err := store.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	s := storetest.Open(t, srv.Client, store.Options{Keys: keys})
	const people = 16
	w := startWriters(t, s, people)
	rng := rand.New(rand.NewPCG(5, 6))
	for range 15 {
		time.Sleep(time.Duration(20+rng.IntN(60)) * time.Millisecond) // the instant of the kill is what is random
		srv.Kill()
		srv.Start()
	}
	w.end()
	srv.Kill()
	srv.Start()
	// Another process looks: the first has at hand what was acknowledged, and Redis may be one ahead of that.
	look := storetest.Open(t, srv.Client, store.Options{Keys: keys})
	for p := range people {
		var snap bot.Snapshot
		storetest.Until(t, "an answer", func() bool { snap, err = look.Load(ctx, "kh", citizen(p), "?"); return err == nil })
		n := w.acked[p].Load()
		// One more than acknowledged may have been committed without an answer.
		if snap.Version < n || snap.Version > n+1 || snap.CaseVer != snap.Version {
			t.Errorf("person %d: %d acknowledged, version %d, case %d", p, n, snap.Version, snap.CaseVer)
		}
		entries := srv.Client.LRange(ctx, fmt.Sprintf("{kh}:timeline:c%d", p), 0, -1).Val()
		for i := range max(int64(len(entries)), snap.Version) {
			if want := fmt.Sprintf("u%d:", i+1); i >= snap.Version || i >= int64(len(entries)) || !strings.HasPrefix(entries[i], want) {
				t.Errorf("person %d: %d entries, version %d, %d acknowledged; entry %d is not %s: %.8q", p, len(entries), snap.Version, n, i+1, want,
					entries[min(i, int64(len(entries))-1):])
				break
			}
		}
	}
	if w.sum() < people {
		t.Fatal("hardly anything was committed:", w.sum())
	}
	t.Log("acknowledged:", w.sum())
}

// writers are people who write without a pause, each the same update until it is acknowledged, as a messenger does.
type writers struct {
	acked []atomic.Int64 // a person's last acknowledged update
	stop  atomic.Bool
	wg    sync.WaitGroup
}

func startWriters(t *testing.T, s *store.Store, people int) *writers {
	w := &writers{acked: make([]atomic.Int64, people)}
	t.Cleanup(w.end)
	for p := range people {
		w.wg.Go(func() {
			for n := int64(1); !w.stop.Load(); {
				if once(s, p, n) == nil {
					w.acked[p].Store(n)
					n++
				}
			}
		})
	}
	return w
}

// end stops the writing; nothing is under way any more.
func (w *writers) end() {
	w.stop.Store(true)
	w.wg.Wait()
}

// sum is how many updates were acknowledged, of all people.
func (w *writers) sum() (n int64) {
	for p := range w.acked {
		n += w.acked[p].Load()
	}
	return n
}

// once tries a person's n-th update once, as a messenger's delivery does.
func once(s *store.Store, person int, n int64) error {
	who, req := citizen(person), fmt.Sprint("u", n)
	snap, err := s.Load(ctx, "kh", who, req)
	if err != nil || snap.Seen {
		return err
	}
	if snap.Version != n-1 {
		return errors.New("an acknowledged commit is lost")
	}
	c := turn(who, req, snap)
	c.State.Case = fmt.Sprintf("K7%02d-AAAA", person)
	c.Case, c.CaseVer = snap.Case, snap.CaseVer
	if c.Case == nil {
		c.Case = aCase(fmt.Sprint("c", person), c.State.Case)
	}
	c.Entries = []bot.Entry{{ID: req, Kind: "in"}}
	_, err = s.Commit(ctx, c)
	return err
}
