// Package storetest gives tests a Redis of their own: a real redis-server on a unix socket, or an in-process
// miniredis.
package storetest

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
	"pulang/bot/store"
)

// Server is a redis-server of a test. It may be killed and started again on the same data.
type Server struct {
	Dir    string // its working directory: append-only file, log
	Socket string
	Client redis.UniversalClient // MaxRetries -1

	t    testing.TB
	args []string
	cmd  *exec.Cmd
}

// Redis starts a redis-server with appendonly yes, appendfsync always and noeviction; args are added to its command
// line and win. Without redis-server the test is skipped, or fails where CI=true.
func Redis(t testing.TB, args ...string) *Server {
	t.Helper()
	redis.SetLogger(silent{})
	path := needed.Program(t, "redis-server")
	dir, err := os.MkdirTemp("", "store") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{Dir: dir, Socket: filepath.Join(dir, "s"), t: t}
	s.args = append([]string{path, "--port", "0", "--unixsocket", s.Socket, "--dir", dir, "--save", "", "--appendonly", "yes",
		"--appendfsync", "always", "--maxmemory-policy", "noeviction", "--logfile", filepath.Join(dir, "log")}, args...)
	s.Client = redis.NewClient(&redis.Options{
		Network: "unix", Addr: s.Socket, MaxRetries: -1, PoolSize: 64, DialTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
	})
	t.Cleanup(func() { _ = s.Client.Close(); s.Kill() })
	s.Start()
	return s
}

// silent keeps the client's own log out of the tests' output: a server that was killed on purpose is no news.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// URL is the server's REDIS_URL.
func (s *Server) URL() string { return "unix://" + s.Socket }

// Start starts the server (again) and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	if _, err := store.CutHalfTransaction(s.Dir); err != nil { // as a hotline does for its own server
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(s.args[0], s.args[1:]...) //nolint:gosec,noctx // redis-server, ended by Kill
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); s.Client.Ping(context.Background()).Err() != nil; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatal("redis-server does not answer")
		}
	}
}

// Kill ends the server with SIGKILL.
func (s *Server) Kill() {
	if s.cmd != nil && s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// Mini starts an in-process miniredis.
func Mini(t testing.TB) redis.UniversalClient {
	t.Helper()
	m := miniredis.RunT(t)
	c := redis.NewClient(&redis.Options{Addr: m.Addr(), MaxRetries: -1, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Open opens a store on a client, with keys of its own unless o has some, and the line kh unless o has others.
func Open(t testing.TB, c redis.UniversalClient, o store.Options) *store.Store {
	t.Helper()
	o.Client = c
	if o.Keys == nil {
		keys, err := store.NewKeyring()
		if err != nil {
			t.Fatal(err)
		}
		o.Keys = keys
	}
	if len(o.Lines) == 0 {
		o.Lines = []store.Line{{Code: "kh"}}
	}
	s, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Both runs a test against a store on miniredis and one on a real redis-server: scripts must work on both.
func Both(t *testing.T, o store.Options, test func(t *testing.T, s *store.Store, c redis.UniversalClient)) {
	t.Helper()
	t.Run("mini", func(t *testing.T) { c := Mini(t); test(t, Open(t, c, o), c) })
	t.Run("redis", func(t *testing.T) {
		c := Redis(t, "--appendonly", "no").Client
		test(t, Open(t, c, o), c)
	})
}
