package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
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
	var acked [people]atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for p := range people {
		wg.Go(func() {
			for n := int64(1); ; {
				select {
				case <-stop:
					return
				default:
				}
				if once(s, p, n) == nil {
					acked[p].Store(n)
					n++
				}
			}
		})
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 15 {
		time.Sleep(time.Duration(20+rng.IntN(60)) * time.Millisecond) // the instant of the kill is what is random
		srv.Kill()
		srv.Start()
	}
	close(stop)
	wg.Wait()
	srv.Kill()
	srv.Start()
	// Another process looks: the first has at hand what was acknowledged, and Redis may be one ahead of that.
	look := storetest.Open(t, srv.Client, store.Options{Keys: keys})
	total := int64(0)
	for p := range people {
		var snap bot.Snapshot
		eventually(t, func() bool { snap, err = look.Load(ctx, "kh", citizen(p), "?"); return err == nil })
		n := acked[p].Load()
		total += n
		// One more than acknowledged may have been committed without an answer.
		if snap.Version < n || snap.Version > n+1 || snap.CaseVer != snap.Version {
			t.Errorf("person %d: %d acknowledged, version %d, case %d", p, n, snap.Version, snap.CaseVer)
		}
		if l := srv.Client.LLen(ctx, fmt.Sprintf("{kh}:timeline:c%d", p)).Val(); l != snap.Version {
			t.Errorf("person %d: %d entries, version %d", p, l, snap.Version)
		}
	}
	if total < people {
		t.Fatal("hardly anything was committed:", total)
	}
	t.Log("acknowledged:", total)
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
