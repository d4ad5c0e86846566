package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// TestMain lets the test binary be the process that starts a server and is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_SERVE"); dir != "" {
		s, err := store.StartServer(context.Background(), dir, store.ServerOptions{Exclusive: os.Getenv("STORE_TEST_SHARED") == ""})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println("ready", s.Started())
		select {}
	}
	os.Exit(m.Run())
}

// shortDir is a directory whose name leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "own")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		killServers(t, dir)
		_ = os.RemoveAll(dir)
	})
	return dir
}

// servers are the processes that hold the directory's redis.lock open, other than this one.
func servers(t *testing.T, dir string) []int {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && to == filepath.Join(dir, "redis.lock") {
			pid, _ := strconv.Atoi(strings.Split(fd, "/")[2])
			if pid != os.Getpid() && !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func killServers(t *testing.T, dir string) {
	for _, pid := range servers(t, dir) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func startServer(t *testing.T, dir string, exclusive bool) *store.Server {
	t.Helper()
	s, err := store.StartServer(ctx, dir, store.ServerOptions{Exclusive: exclusive})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func dial(t *testing.T, s *store.Server) redis.UniversalClient {
	t.Helper()
	c, err := store.Dial(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestOwnServer(t *testing.T) {
	needed.Program(t, "redis-server")
	dir := shortDir(t)
	a := startServer(t, dir, true)
	c := dial(t, a)
	if err := store.CheckDurability(ctx, c, false); err != nil {
		t.Fatal("its own settings are refused:", err)
	}
	if st, err := os.Stat(filepath.Join(dir, "redis.sock")); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatal(st, err)
	}
	if port := c.ConfigGet(ctx, "port").Val()["port"]; port != "0" {
		t.Fatal("it listens on a port:", port)
	}
	pids := servers(t, dir)
	if len(pids) != 1 {
		t.Fatal("servers:", pids)
	}
	if pgid, _ := syscall.Getpgid(pids[0]); pgid == syscall.Getpgrp() {
		t.Fatal("Ctrl-C would end it")
	}
	if _, err := store.StartServer(ctx, dir, store.ServerOptions{Exclusive: true}); !errors.Is(err, store.ErrInUse) {
		t.Fatal("a second serve:", err)
	}
	c.Set(ctx, "k", "v", 0)

	// A subcommand shares it, and does not take it away when it ends.
	b := startServer(t, dir, false)
	if b.Started() || b.URL() != a.URL() {
		t.Fatal("a second server for a subcommand")
	}
	if err := b.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if v := c.Get(ctx, "k").Val(); v != "v" {
		t.Fatal("gone with the subcommand")
	}
	// Killed, it is started again, with its data.
	for range 2 {
		_ = syscall.Kill(pids[0], syscall.SIGKILL)
		storetest.Until(t, "what was written is there", func() bool { return c.Get(ctx, "k").Val() == "v" })
		if again := servers(t, dir); len(again) != 1 || again[0] == pids[0] {
			t.Fatal("after a kill:", pids, again)
		}
		pids = servers(t, dir)
	}
	if err := a.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if pids := servers(t, dir); len(pids) != 0 {
		t.Fatal("after an orderly end:", pids)
	}
	base, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.base.rdb"))
	if err != nil || len(base) != 1 || strings.HasSuffix(base[0], ".1.base.rdb") {
		t.Fatal("the append-only file was not rewritten:", base, err)
	}
	d := startServer(t, dir, true)
	if v := dial(t, d).Get(ctx, "k").Val(); v != "v" {
		t.Fatal("the data are not there after a restart")
	}
	if err := d.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// serve starts this test binary as a serving process and waits for its word.
func serve(t *testing.T, dir string, env ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), append(env, "STORE_TEST_SERVE="+dir)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	return cmd, strings.TrimSpace(line)
}

func TestOwnServerOutlivesItsParent(t *testing.T) {
	needed.Program(t, "redis-server")
	dir := shortDir(t)
	first, word := serve(t, dir)
	if word != "ready true" {
		t.Fatal(word)
	}
	if second, word := serve(t, dir); !strings.HasPrefix(word, "error another process serves") {
		t.Fatal(second, word)
	}
	pids := servers(t, dir)
	_ = first.Process.Kill()
	_ = first.Wait()
	if now := servers(t, dir); len(now) != 1 || !slices.Equal(now, pids) {
		t.Fatal("the server died with its parent:", pids, now)
	}
	// The next one uses it, watches over it, and stops it at an orderly end.
	s := startServer(t, dir, true)
	if s.Started() || !slices.Equal(servers(t, dir), pids) {
		t.Fatal("a second server:", servers(t, dir))
	}
	c := dial(t, s)
	c.Set(ctx, "k", "v", 0)
	_ = syscall.Kill(pids[0], syscall.SIGKILL)
	storetest.Until(t, "what was written is there", func() bool { return c.Get(ctx, "k").Val() == "v" })
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if pids := servers(t, dir); len(pids) != 0 {
		t.Fatal("it runs on:", pids)
	}
}

// TestManyAtOnce: twelve processes start on one directory at the same moment, over and over; there is never more
// than one server, and all see the same data.
func TestManyAtOnce(t *testing.T) {
	needed.Program(t, "redis-server")
	dir := shortDir(t)
	for round := range 3 {
		var wg sync.WaitGroup
		var all [12]*store.Server
		for i := range all {
			wg.Go(func() {
				s, err := store.StartServer(ctx, dir, store.ServerOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				all[i] = s
				c, err := store.Dial(s.URL())
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				if err := c.Incr(ctx, "n").Err(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		if pids := servers(t, dir); len(pids) != 1 {
			t.Fatal("servers:", pids)
		}
		if n := dial(t, all[0]).Get(ctx, "n").Val(); n != fmt.Sprint(12*(round+1)) {
			t.Fatal("acknowledged writes:", n)
		}
		for _, s := range all {
			wg.Go(func() {
				if err := s.Close(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if pids := servers(t, dir); len(pids) != 0 {
			t.Fatal("the last one left it running:", pids)
		}
	}
}

func TestLongDataDirectory(t *testing.T) {
	needed.Program(t, "redis-server")
	dir := filepath.Join(shortDir(t), strings.Repeat("long", 30))
	a := startServer(t, dir, true)
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(strings.TrimPrefix(a.URL(), "unix://"))) })
	b := startServer(t, dir, false)
	if len(a.URL()) > 100 || a.URL() != b.URL() || b.Started() {
		t.Fatal("a second process does not find it:", a.URL(), b.URL())
	}
	sockDir := filepath.Dir(strings.TrimPrefix(a.URL(), "unix://"))
	if st, err := os.Stat(sockDir); err != nil || st.Mode().Perm() != 0o700 {
		t.Fatal(st, err)
	}
	if err := errors.Join(b.Close(ctx), a.Close(ctx)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(sockDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := store.StartServer(ctx, dir, store.ServerOptions{}); err == nil {
		t.Fatal("a directory that others may enter")
	}
}

func TestNoServer(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := store.StartServer(ctx, t.TempDir(), store.ServerOptions{}); !errors.Is(err, store.ErrNoServer) {
		t.Fatal(err)
	}
}

func TestServerThatCannotStart(t *testing.T) {
	needed.Program(t, "redis-server")
	dir := shortDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "appendonlydir"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest"), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err := store.StartServer(ctx, dir, store.ServerOptions{})
	if err == nil || !strings.Contains(err.Error(), "redis.log") || time.Since(begin) > 45*time.Second {
		t.Fatal(err, time.Since(begin))
	}
}
