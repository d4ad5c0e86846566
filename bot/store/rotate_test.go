package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// openFile opens a store under a key file, as a process of the service does.
func openFile(t *testing.T, c redis.UniversalClient, keyFile string) *store.Store {
	t.Helper()
	s, err := store.Open(ctx, store.Options{Client: c, KeyFile: keyFile, Lines: []store.Line{{Code: "kh"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// keep runs KeepKeys until the test ends or stop is called.
func keep(t *testing.T, s *store.Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.KeepKeys(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// writeAndRead is one message of a person, and the same person's case read back.
func writeAndRead(s *store.Store, person, n int) error {
	if err := benchTurn(s, person, n); err != nil {
		return err
	}
	snap, err := s.Load(ctx, "kh", citizen(person), fmt.Sprint("look", n))
	if err == nil && snap.Case == nil {
		err = errors.New("the case is not there")
	}
	if err != nil {
		return err
	}
	_, _, err = s.LoadCase(ctx, "kh", fmt.Sprint("c", person))
	return err
}

// R: a wrapping key is changed and retired while two processes serve: nothing fails to be read or written, the work
// goes on after a kill, and in the end nothing needs the former key.
func TestKeysRotateUnderLoad(t *testing.T) {
	people := 150
	if os.Getenv("PULANG_SOAK") == "1" {
		people = 5000
	}
	srv := storetest.Redis(t, "--appendfsync", "everysec")
	keys := filepath.Join(t.TempDir(), "keys.json")
	a, b := openFile(t, srv.Client, keys), openFile(t, srv.Client, keys)
	keep(t, a)
	keep(t, b)
	for p := range people {
		if err := writeAndRead(a, p, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Record(ctx, "kh", bot.Audit{Who: "Sari", What: "open"}); err != nil {
		t.Fatal(err)
	}

	if err := a.SaveAccount(ctx, bot.Account{Name: "Sari"}, bot.Audit{}); err != nil {
		t.Fatal(err)
	}
	if err := a.SetFactor(ctx, "Sari", "SHAREDKEY", time.Now(), 1); err != nil {
		t.Fatal(err)
	}

	var stop atomic.Bool
	var turns, failed atomic.Int64
	var first atomic.Value
	var load sync.WaitGroup
	for w, s := range []*store.Store{a, b, a, b} {
		load.Go(func() {
			for n := 2; !stop.Load(); n++ {
				p := (n*4 + w) % (people * 2) // half of them are new people: their keys are drawn meanwhile
				if p%4 != w {                 // a person's messages come one after the other
					continue
				}
				if err := writeAndRead(s, p, n); err != nil {
					failed.Add(1)
					first.CompareAndSwap(nil, err.Error())
				}
				turns.Add(1)
			}
		})
	}

	r := openFile(t, srv.Client, keys)
	if _, err := r.RetireKeys(ctx, time.Minute); err != nil {
		t.Fatal("nothing to retire:", err)
	}
	// Killed after the first batch, and again in every later try until it comes through.
	kills, rewrapped := 0, 0
	for {
		ctx, kill := context.WithCancel(context.Background())
		rot, err := r.RotateKeys(ctx, time.Minute, func(int, int) {
			if kills < 3 {
				kill()
			}
		})
		kill()
		rewrapped += rot.Rewrapped
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if kills == 0 {
			if _, err := r.RetireKeys(t.Context(), time.Minute); err == nil || !strings.Contains(err.Error(), "keys rotate") {
				t.Error("retired in the middle of a rotation:", err)
			}
		}
		kills++
	}
	if rewrapped < 2*people {
		t.Errorf("%d data keys were wrapped anew, there are at least %d", rewrapped, 2*people)
	}
	again, err := r.RotateKeys(t.Context(), time.Minute, nil)
	if err != nil || again.Began || again.Rewrapped != 0 || len(again.Former) != 1 {
		t.Errorf("once more: %+v, %v", again, err)
	}
	former, err := os.ReadFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	if ret, err := r.RetireKeys(t.Context(), time.Minute); err != nil || len(ret.Former) != 1 || ret.Seen < 2*people {
		t.Errorf("retire: %+v, %v", ret, err)
	}
	storetest.Until(t, "both processes have followed", func() bool {
		n := 0
		for _, v := range srv.Client.HGetAll(t.Context(), "{staff}:keyrings").Val() {
			if !strings.Contains(v, ",") {
				n++
			}
		}
		return n == 2
	})
	more := turns.Load()
	storetest.Until(t, "turns after the former key is gone", func() bool { return turns.Load() >= more+50 })
	stop.Store(true)
	load.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d turns failed, the first: %v", failed.Load(), turns.Load(), first.Load())
	}
	t.Logf("soak: rotated under load: %d turns, %d failed, %d data keys wrapped anew, %d kills", turns.Load(), failed.Load(), rewrapped, kills)

	// The file alone opens everything; the former key opens nothing any more.
	z := openFile(t, srv.Client, keys)
	for p := range people {
		if _, _, err := z.LoadCase(t.Context(), "kh", fmt.Sprint("c", p)); err != nil {
			t.Fatal(err)
		}
	}
	if f, err := z.Factor(t.Context(), "Sari"); err != nil || f.Secret != "SHAREDKEY" {
		t.Errorf("the second factor: %+v, %v", f, err)
	}
	if rows, err := z.AuditLog(t.Context(), "kh", 10); err != nil || len(rows) == 0 || rows[len(rows)-1].What == "unreadable" {
		t.Errorf("the audit log: %+v, %v", rows, err)
	}
	if after, err := os.ReadFile(keys); err != nil || len(after) >= len(former) {
		t.Errorf("the key file still has %d bytes of %d: %v", len(after), len(former), err)
	}
}

// A process whose key file is another one is waited for and named; nothing is wrapped by a key that it cannot have.
func TestRotateWaitsForEveryProcess(t *testing.T) {
	c := storetest.Mini(t)
	dir := t.TempDir()
	here, there := filepath.Join(dir, "here.json"), filepath.Join(dir, "there.json")
	a := openFile(t, c, here)
	raw, err := os.ReadFile(here)
	if err == nil {
		err = os.WriteFile(there, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := openFile(t, c, there)
	stop := keep(t, b)
	said := func() int { return len(c.HGetAll(ctx, "{staff}:keyrings").Val()) }
	storetest.Until(t, "a process says which keys it has", func() bool { return said() > 0 })
	if err := writeAndRead(b, 1, 1); err != nil {
		t.Fatal(err)
	}
	var far *store.StragglerError
	if r, err := a.RotateKeys(ctx, 50*time.Millisecond, nil); !errors.As(err, &far) || far.N != 1 || r.Rewrapped != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := writeAndRead(b, 1, 2); err != nil {
		t.Fatal(err)
	}
	stop() // an orderly end takes the process off the list
	if n := said(); n != 0 {
		t.Fatal(n, "processes are said to serve")
	}
	if r, err := a.RotateKeys(ctx, time.Minute, nil); err != nil || r.Began || r.Rewrapped == 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	// It reads again as soon as the file is copied to it, without being started again.
	if err := writeAndRead(b, 1, 3); err == nil {
		t.Error("a key that is not in the file wrapped nothing?")
	}
	if raw, err = os.ReadFile(here); err == nil {
		err = os.WriteFile(there, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := writeAndRead(b, 1, 4); err != nil {
		t.Error(err)
	}
}

// A key file with another index key is no rotation: the keys in use stay.
func TestForeignKeyFileIsNotTakenOver(t *testing.T) {
	c := storetest.Mini(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.json")
	a := openFile(t, c, path)
	k, err := store.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.json")
	if err := k.Write(other); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if _, err := a.RotateKeys(ctx, time.Minute, nil); err == nil || !strings.Contains(err.Error(), "index key") {
		t.Fatal(err)
	}
	if err := writeAndRead(a, 1, 1); err != nil {
		t.Fatal(err)
	}
}
