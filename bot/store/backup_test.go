package store_test

import (
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

// filled is a store with some cases, audit rows, an account and a session.
func filled(t *testing.T, c redis.UniversalClient, keys string, people int) *store.Store {
	t.Helper()
	s := openFile(t, c, keys)
	for p := range people {
		if err := writeAndRead(s, p, 1); err != nil {
			t.Fatal(err)
		}
	}
	for range 30 {
		if err := s.Record(ctx, "kh", bot.Audit{Who: "Sari", What: "open"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.SealAudit(ctx, "kh"); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveAccount(ctx, bot.Account{Name: "Sari", Code: "SARI22"}, bot.Audit{Who: "cli", What: "staff_add"}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetFactor(ctx, "Sari", "SHAREDKEY", time.Now(), 1000); err != nil {
		t.Fatal(err)
	}
	return s
}

func cases(t *testing.T, s *store.Store) int {
	t.Helper()
	all, err := s.Census(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return store.Manifest{Lines: all}.Cases()
}

// R19: a backup taken while people write is one moment of the store; it comes back whole into an empty directory, and
// into an empty Redis, never over anything; a broken copy is noticed.
func TestBackupComesBack(t *testing.T) {
	t.Parallel()
	srv := storetest.Redis(t, "--repl-diskless-sync-delay", "0")
	dir := t.TempDir()
	keys, into := filepath.Join(dir, "keys.json"), filepath.Join(dir, "backups")
	const people = 60
	s := filled(t, srv.Client, keys, people)

	var stop atomic.Bool
	var load sync.WaitGroup
	load.Go(func() {
		for n := people; !stop.Load(); n++ {
			if err := writeAndRead(s, n, 1); err != nil {
				t.Error(err)
				return
			}
		}
	})
	m, err := s.Backup(ctx, into, "test")
	stop.Store(true)
	load.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if m.Cases() < people || m.Mode != store.ModeReal || len(m.Audit) != 2 || len(m.Files) != 1 {
		t.Errorf("%+v", m)
	}
	for _, l := range m.Lines { // a case and its timeline are one commit
		if l.Cases != l.Timelines || l.Line == "kh" && l.Contacts != l.Cases {
			t.Errorf("the copy is of no one moment: %+v", l)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(into, ".*")); len(left) > 0 {
		t.Error("left:", left)
	}
	found, err := store.FindBackup(into)
	if err != nil || found.Dir != m.Dir || !found.MadeAt.Equal(m.MadeAt.Truncate(time.Millisecond)) && !found.MadeAt.Equal(m.MadeAt) {
		t.Fatalf("%+v, %v", found, err)
	}
	tried, err := s.Try(ctx, found)
	if err != nil || tried.Opened < 20 || tried.Chained != 30 {
		t.Errorf("tried: %+v, %v", tried, err)
	}

	restoring := store.Restoring{Backup: found, KeyFile: keys, Lines: []store.Line{{Code: "kh"}}, Audit: bot.Audit{Who: "cli", What: "restore"}}
	t.Run("into a directory", func(t *testing.T) {
		data := filepath.Join(dir, "data")
		if _, err := restoring.ToDirectory(ctx, data); err != nil {
			t.Fatal(err)
		}
		var full *store.NotEmptyError
		if _, err := restoring.ToDirectory(ctx, data); !errors.As(err, &full) {
			t.Errorf("restored over a store: %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(data, ".*")); len(left) > 0 {
			t.Error("left:", left)
		}
		own, err := store.StartServer(ctx, data, store.ServerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer own.Close(ctx) //nolint:errcheck // the directory goes
		c, err := store.Dial(own.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := store.CheckDurability(ctx, c, false); err != nil {
			t.Error(err)
		}
		z := openFile(t, c, keys)
		if n := cases(t, z); n != m.Cases() {
			t.Errorf("%d cases, want %d", n, m.Cases())
		}
		for p := range people {
			if _, _, err := z.LoadCase(ctx, "kh", fmt.Sprint("c", p)); err != nil {
				t.Fatal(err)
			}
		}
		if f, err := z.Factor(ctx, "sari"); err != nil || f.Secret != "SHAREDKEY" {
			t.Errorf("the second factor: %+v, %v", f, err)
		} else if err := z.UseFactor(ctx, "sari", f, 1000); !errors.Is(err, bot.ErrConflict) {
			t.Error("a code that was used before the backup:", err)
		}
		if err := writeAndRead(z, 1, 2); err != nil {
			t.Error("it goes on:", err)
		}
		ops, err := z.Ops(ctx)
		if err != nil || !ops[store.OpRestore].Of.Equal(found.MadeAt) {
			t.Errorf("%+v, %v", ops, err)
		}
	})
	t.Run("into a Redis", func(t *testing.T) {
		other := storetest.Redis(t, "--appendonly", "no")
		if _, err := restoring.ToRedis(ctx, other.Client); err != nil {
			t.Fatal(err)
		}
		var full *store.NotEmptyError
		if _, err := restoring.ToRedis(ctx, other.Client); !errors.As(err, &full) {
			t.Errorf("restored over a store: %v", err)
		}
		z := openFile(t, other.Client, keys)
		if n := cases(t, z); n != m.Cases() {
			t.Errorf("%d cases, want %d", n, m.Cases())
		}
		if err := writeAndRead(z, 1, 2); err != nil {
			t.Error("it goes on:", err)
		}
	})
	t.Run("half a restore opens for nobody", func(t *testing.T) {
		other := storetest.Redis(t, "--appendonly", "no")
		broken := restoring
		broken.Backup.Lines = nil // found out at the end
		if _, err := broken.ToRedis(ctx, other.Client); err == nil {
			t.Fatal("wrong counts, and restored")
		}
		var mode *store.ModeError
		if _, err := store.Open(ctx, store.Options{Client: other.Client, KeyFile: keys, Lines: restoring.Lines}); !errors.As(err, &mode) {
			t.Error(err)
		}
	})
	t.Run("under other keys", func(t *testing.T) {
		k, err := store.NewKeyring()
		if err != nil {
			t.Fatal(err)
		}
		broken := restoring
		broken.KeyFile = filepath.Join(t.TempDir(), "other.json")
		if err := k.Write(broken.KeyFile); err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(dir, "data-other")
		var key *store.KeyError
		if _, err := broken.ToDirectory(ctx, data); !errors.As(err, &key) {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(data, "appendonlydir")); err == nil {
			t.Error("it was put in place")
		}
	})
	t.Run("a broken copy", func(t *testing.T) {
		path := filepath.Join(m.Dir, "store.rdb")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)/2] ^= 1
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Try(ctx, found); err == nil || !strings.Contains(err.Error(), "not as it was written") {
			t.Error(err)
		}
		if _, err := restoring.ToDirectory(ctx, filepath.Join(dir, "data-broken")); err == nil {
			t.Error("restored")
		}
	})
	// S20: the copy is as sealed as the store.
	for _, f := range []string{m.Files[0].Name, "manifest.json"} {
		raw, err := os.ReadFile(filepath.Join(m.Dir, f))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"Bavet", "Terima kasih", "Sari", "SHAREDKEY", citizen(1).Address} {
			if strings.Contains(string(raw), word) {
				t.Errorf("%s holds %q", f, word)
			}
		}
	}
}

// A Redis that needs a password and knows who may do what gives a copy to whom it may.
func TestBackupOfAGivenRedis(t *testing.T) {
	t.Parallel()
	srv := storetest.Redis(t, "--appendonly", "no", "--repl-diskless-sync-delay", "0")
	keys := filepath.Join(t.TempDir(), "keys.json")
	filled(t, srv.Client, keys, 3)
	acl := func(rules ...any) {
		t.Helper()
		if err := srv.Client.Do(ctx, append([]any{"acl", "setuser", "hotline", "reset", "on", ">word", "~*", "&*", "+@all"}, rules...)...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	acl()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: srv.Socket, Username: "hotline", Password: "word", MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	s := openFile(t, c, keys)
	if m, err := s.Backup(ctx, t.TempDir(), "test"); err != nil || m.Cases() != 3 {
		t.Fatalf("%+v, %v", m, err)
	}
	acl("-sync")
	into := t.TempDir()
	if _, err := s.Backup(ctx, into, "test"); err == nil || !strings.Contains(err.Error(), "+sync") {
		t.Error(err)
	}
	if left, _ := os.ReadDir(into); len(left) > 0 {
		t.Error("left:", left)
	}
}

// Backups thin out with age, and the newest stays whatever its age.
func TestPruneBackups(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	make1 := func(age time.Duration) {
		at := now.Add(-age)
		name := filepath.Join(dir, "hotline-"+at.Format("20060102T150405.000Z"))
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(`{"format":1,"made_at":%q,"mode":"real","schema":1,"files":[{"name":"store.rdb"}]}`, at.Format(time.RFC3339))
		if err := os.WriteFile(filepath.Join(name, "manifest.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for age := time.Minute; age < 40*24*time.Hour; {
		make1(age)
		switch {
		case age < 3*time.Hour:
			age += 15 * time.Minute
		case age < 49*time.Hour:
			age += 29 * time.Minute
		default:
			age += 11 * time.Hour
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "hotline-of-somebody-else"), 0o700); err != nil {
		t.Fatal(err)
	}
	keep := store.Keep{Hourly: 48 * time.Hour, Daily: 35 * 24 * time.Hour}
	if _, err := keep.Prune(dir, now); err != nil {
		t.Fatal(err)
	}
	all, err := store.Backups(dir)
	if err != nil {
		t.Fatal(err)
	}
	var recent, hourly, daily int
	for _, m := range all {
		switch age := now.Sub(m.MadeAt); {
		case age < 2*time.Hour:
			recent++
		case age < keep.Hourly:
			hourly++
		case age < keep.Daily:
			daily++
		default:
			t.Error("too old:", age)
		}
	}
	if recent != 8 || hourly < 46 || hourly > 47 || daily < 33 || daily > 34 {
		t.Errorf("%d of the last two hours, %d hourly, %d daily", recent, hourly, daily)
	}
	if n, err := keep.Prune(dir, now); n != 0 || err != nil {
		t.Errorf("once more: %d, %v", n, err)
	}
	if n, err := keep.Prune(dir, now.AddDate(1, 0, 0)); err != nil || n != len(all)-1 {
		t.Errorf("a year later: %d of %d, %v", n, len(all), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "hotline-of-somebody-else")); err != nil {
		t.Error(err)
	}
}
