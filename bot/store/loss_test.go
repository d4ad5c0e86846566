package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// watchLosses runs the watch until the test ends and gives what it tells.
func watchLosses(t *testing.T, s *store.Store) (told <-chan bot.Lost, changes <-chan struct{}) {
	t.Helper()
	lost, changed := make(chan bot.Lost, 16), make(chan struct{}, 16)
	watch, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- s.WatchLosses(watch, func(_ string, l bot.Lost) { lost <- l }, func(context.Context) { changed <- struct{}{} })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return lost, changed
}

// says commits a message of a person's case, with the messenger's number.
func says(t *testing.T, s *store.Store, person int, number int64) {
	t.Helper()
	who, req := citizen(person), fmt.Sprint("u", number)
	c := turn(who, req, load(t, s, who, ""))
	snap := load(t, s, who, "")
	c.Number = number
	c.State.Case = fmt.Sprintf("K7%02d-AAAA", person)
	if c.Case, c.CaseVer = snap.Case, snap.CaseVer; c.Case == nil {
		c.Case = aCase(fmt.Sprint("c", person), c.State.Case)
	}
	commit(t, s, c)
}

// R6: an older copy of Redis is put back that misses the last 500 updates. At the next start it is known that 500 are
// missing, which numbers they had, whose cases they were and when; it is told once.
func TestRestoredCopyIsNamed(t *testing.T) {
	t.Parallel()
	srv := storetest.Redis(t)
	keys, err := store.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	now := atNoon()
	opts := store.Options{Keys: keys, Journal: filepath.Join(t.TempDir(), "journal"), Clock: now.Now}
	open := func() *store.Store {
		s, err := store.Open(ctx, store.Options{Client: srv.Client, Keys: keys, Lines: []store.Line{{Code: "kh"}}, Journal: opts.Journal, Clock: now.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	for n := int64(1000); n < 1300; n++ {
		says(t, s, int(n%7), n)
	}
	srv.Kill()
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(srv.Dir, "appendonlydir"))); err != nil {
		t.Fatal(err)
	}
	srv.Start()
	now.add(time.Hour)
	from := now.Now()
	for n := int64(1300); n < 1800; n++ {
		says(t, s, int(n%5), n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Kill()
	if err := os.RemoveAll(filepath.Join(srv.Dir, "appendonlydir")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(srv.Dir, "appendonlydir"), os.DirFS(copied)); err != nil {
		t.Fatal(err)
	}
	srv.Start()
	s = open()
	defer s.Close()
	told, _ := watchLosses(t, s)
	var l bot.Lost
	select {
	case l = <-told:
	case <-time.After(3 * time.Minute):
		t.Fatal("nothing is told")
	}
	want := []string{"K700-AAAA", "K701-AAAA", "K702-AAAA", "K703-AAAA", "K704-AAAA"}
	if l.Count != 500 || !slices.Equal(l.Updates, []string{"1300-1799"}) || !slices.Equal(l.Cases, want) || !l.From.Equal(from) || !l.To.Equal(from) {
		t.Errorf("told %+v", l)
	}
	aside, err := s.Asides(ctx, "kh", 10)
	if err != nil || len(aside) != 1 || aside[0].Lost == nil || aside[0].Lost.Count != 500 || !strings.Contains(string(aside[0].Raw), "1300-1799") {
		t.Errorf("put aside: %+v, %v", aside, err)
	}
	again, _ := watchLosses(t, s)
	says(t, s, 1, 1800)
	select {
	case l := <-again:
		t.Errorf("told again: %+v", l)
	case <-time.After(1500 * time.Millisecond):
	}
	// And the numbers alone tell as much, where no journal is: the next update says which before it never came.
	if _, n := missing(t, s, now.Now()); n != 500 {
		t.Errorf("by their numbers %d are missing, want 500", n)
	}
}

// A primary dies with commits that no replica has, acknowledged because nothing was waited for: the next primary does
// not have them, and exactly they are named. The service goes on.
func TestLostAtFailoverIsNamed(t *testing.T) {
	for name, start := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			s, _ := openGroup(t, g, "kh", store.Options{Wait: &store.Wait{}, Journal: filepath.Join(t.TempDir(), "journal")})
			told, changed := watchLosses(t, s)
			for n := int64(1); n <= 20; n++ {
				says(t, s, int(n%3), n)
			}
			old := g.Primary("{kh}:")
			for _, n := range g.Nodes {
				if err := n.Client.ConfigSet(ctx, "min-replicas-to-write", "0").Err(); err != nil {
					t.Fatal(err)
				}
			}
			replicas := g.Replicas(old)
			storetest.Until(t, "the replicas have the first twenty", func() bool {
				return old.Client.Do(ctx, "wait", len(replicas), 1000).Val() == int64(len(replicas))
			})
			for _, r := range replicas {
				r.Kill() // one that only hangs would find in its socket what it has not read yet
			}
			for n := int64(21); n <= 33; n++ {
				says(t, s, int(n%3), n)
			}
			old.Kill()
			for _, r := range replicas {
				r.Start()
			}
			select {
			case l := <-told:
				if l.Count != 13 || !slices.Equal(l.Updates, []string{"21-33"}) || len(l.Cases) != 3 || l.From.IsZero() || l.To.Before(l.From) {
					t.Errorf("told %+v, want 13 of three cases", l)
				}
			case <-time.After(3 * time.Minute):
				t.Fatal("nothing is told")
			}
			<-changed
			says(t, s, 1, 34)
		})
	}
}
