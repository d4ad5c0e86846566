package store

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"pulang/bot/needed"
)

// onBoth runs a test against miniredis and against a real redis-server: the scripts must work on both.
func onBoth(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	t.Run("mini", func(t *testing.T) { test(t, openDesk(t, startMini(t))) })
	t.Run("redis", func(t *testing.T) { test(t, openDesk(t, startReal(t))) })
}

func startMini(t testing.TB) redis.UniversalClient {
	t.Helper()
	m := miniredis.RunT(t)
	c := redis.NewClient(&redis.Options{Addr: m.Addr(), MaxRetries: -1, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// startReal starts a redis-server of the test's own, without persistence.
func startReal(t testing.TB) redis.UniversalClient {
	t.Helper()
	path := needed.Program(t, "redis-server")
	dir, err := os.MkdirTemp("", "pulang") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: -1, PoolSize: 64, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = c.Close() })
	eventually(t, func() bool { return c.Ping(context.Background()).Err() == nil })
	return c
}

func openDesk(t testing.TB, c redis.UniversalClient) *Store {
	t.Helper()
	keys, err := NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), Options{
		Client: c, Keys: keys, Clock: deskClock, Lines: []Line{{Code: "kh", Missions: []string{"kh", "mm"}}, {Code: "mm", Missions: []string{"mm", "kh"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// deskNow is when the desk's tests take place; deskClock is the store's own clock in them.
var deskNow = time.Date(2026, 1, 20, 5, 0, 0, 0, time.UTC)

func deskClock() time.Time { return deskNow }

// eventually polls until ok, for at most a minute.
func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come about within a minute")
		}
	}
}
