package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// ErrNoServer says that neither redis-server nor valkey-server is installed.
var ErrNoServer = errors.New("neither redis-server nor valkey-server is on this machine (apt install redis-server, or set REDIS_URL)")

// ErrInUse says that another serve or demo has this data directory.
var ErrInUse = errors.New("another process serves from this data directory")

// ServerOptions are what an own redis-server is started with.
type ServerOptions struct {
	// Exclusive is for the process that serves: a second one on the same directory gets ErrInUse, and this one starts
	// the server again when it dies. A subcommand leaves it false and shares the server.
	Exclusive bool
	// Command is the server's program; empty means redis-server, or valkey-server, in PATH.
	Command string
	Log     *slog.Logger
}

// Server is a redis-server that belongs to a data directory. It runs in a process group of its own, so that neither
// Ctrl-C nor the end of the process that started it ends it.
//
// Three files in the directory keep order by flock. redis.lock is held by the server itself (the descriptor is
// passed on), for exactly as long as it lives: who cannot have it never starts a second server, which would lose
// acknowledged writes. serve.lock is held by the one Exclusive process. users.lock is shared by every user: who can
// have it alone at the end is the last one, and stops the server.
type Server struct {
	dir, socket, command string
	log                  *slog.Logger
	serve, users         *os.File

	stop context.CancelFunc
	done chan struct{} // closed when nobody watches any more

	mu    sync.Mutex
	child *exec.Cmd // nil when another process started the server
	gone  chan struct{}
	tail  int64 // length of the append-only file's newest part when the server was last started, -1 unknown
}

// readyFor is how long a server may take to answer. It loads its data first: 250,000 messages take a second.
const readyFor = 60 * time.Second

// StartServer makes sure that a redis-server runs on the data directory and returns when it answers: one that runs
// already is used, never a second one started. Errors: ErrNoServer, ErrInUse.
func StartServer(ctx context.Context, dataDir string, o ServerOptions) (*Server, error) {
	dir, err := filepath.Abs(dataDir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	s := &Server{dir: dir, command: o.Command, log: o.Log, done: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.command == "" {
		if s.command, err = findServer(); err != nil {
			return nil, err
		}
	}
	if s.socket, err = socketFor(dir); err != nil {
		return nil, err
	}
	if o.Exclusive {
		if s.serve, err = lockFile(filepath.Join(dir, "serve.lock"), syscall.LOCK_EX); err != nil {
			if errors.Is(err, syscall.EWOULDBLOCK) {
				err = ErrInUse
			}
			return nil, err
		}
	}
	if s.users, err = s.shareUsers(ctx); err != nil {
		s.unlock()
		return nil, err
	}
	if err := s.ensure(ctx); err != nil {
		s.unlock()
		return nil, err
	}
	watch, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	if o.Exclusive {
		go s.watch(watch)
	} else {
		close(s.done)
	}
	return s, nil
}

// URL is the server's REDIS_URL.
func (s *Server) URL() string { return (&url.URL{Scheme: "unix", Path: s.socket}).String() }

// Started tells whether this process started the server that runs now.
func (s *Server) Started() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child != nil
}

func findServer() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoServer
}

// lockFile takes a flock without waiting; the error is EWOULDBLOCK when somebody else has it.
func lockFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // in our own data directory
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil { //nolint:gosec // a descriptor is small
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// shareUsers enters this process among the users. Somebody who is just stopping the server holds the lock alone for
// a moment: it is waited for, so that nobody uses a server that is about to end.
func (s *Server) shareUsers(ctx context.Context) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, readyFor)
	defer cancel()
	for {
		f, err := lockFile(filepath.Join(s.dir, "users.lock"), syscall.LOCK_SH)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return f, err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, fmt.Errorf("the server of this data directory is being stopped: %w", err)
		}
	}
}

// ensure returns when a server answers on the socket: it starts one when redis.lock is free, and waits for the one
// that holds it otherwise.
func (s *Server) ensure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyFor)
	defer cancel()
	before := s.logged()
	c := dialSocket(s.socket)
	defer c.Close() //nolint:errcheck // only asked whether the server answers
	for spawned := false; ; {
		s.mu.Lock()
		running := s.child != nil
		s.mu.Unlock()
		if spawned && !running {
			return s.endedAtOnce(before)
		}
		if !running {
			lock, err := lockFile(filepath.Join(s.dir, "redis.lock"), syscall.LOCK_EX)
			switch {
			case err == nil:
				if err := s.spawn(lock); err != nil {
					return err
				}
				spawned = true
			case !errors.Is(err, syscall.EWOULDBLOCK):
				return err
			}
		}
		// Whoever answers holds the lock: only we may make a socket there.
		if c.Ping(ctx).Err() == nil {
			if spawned {
				s.tellTruncated(before)
			}
			return nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("the redis-server of this data directory does not answer; see %s: %w", s.logFile(), err)
		}
	}
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "redis.log") }

// listpackValue is the longest value, in bytes, with which Redis keeps a small hash in its short form. With the
// default of 64 every case would be in the long form for its one sealed field, at 1.1 KB more for each open case.
const listpackValue = "4096"

// listpackEntries is up to how many members Redis keeps a sorted set in its short form. With the default of 128 what is
// remembered of a person's messages would take 16 KB instead of 3 from about the 40th message within 14 days on.
const listpackEntries = "512"

// LeanSettings are the options of redis-server, each with its value, that spare memory and work for what this program
// keeps there. All are known since Redis 7.0, which the scripts need anyway, and to every valkey-server.
func LeanSettings() []string {
	return []string{
		"--hash-max-listpack-value", listpackValue, "--zset-max-listpack-entries", listpackEntries,
		// What is sealed cannot be compressed: trying took two thirds of the CPU of a rewrite or a copy, and made it
		// smaller by 4 %.
		"--rdbcompression", "no",
		// With the default of 64 MB a small store is written anew all the time. A server that was killed loads 256 MB of
		// commands in 1.7 s; one that was stopped has rewritten its file.
		"--auto-aof-rewrite-min-size", "256mb",
		// A histogram for each command, which nobody reads, is written at each of the two dozen of a message.
		"--latency-tracking", "no",
	}
}

// spawn starts the server with the lock as its descriptor 3: the lock lives as long as it does.
func (s *Server) spawn(lock *os.File) error {
	defer lock.Close() //nolint:errcheck // the child has its own descriptor of the same lock
	cut, err := CutHalfTransaction(s.dir)
	if err != nil {
		return err
	}
	if cut.LeftOut > 0 {
		s.tellLeftOut(cut)
	}
	s.measureTail()
	//nolint:gosec,noctx // the operator's redis-server; it must outlive every context of ours
	cmd := exec.Command(s.command, append([]string{"--port", "0", "--unixsocket", s.socket, "--unixsocketperm", "600", "--dir", s.dir,
		"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", "",
		"--daemonize", "no", "--logfile", s.logFile(), "--slowlog-max-len", "0",
		"--repl-diskless-sync-delay", "0", // a backup asks for a copy, and no second one is to be waited for
	}, LeanSettings()...)...)
	cmd.ExtraFiles = []*os.File{lock}
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	gone := make(chan struct{})
	s.mu.Lock()
	s.child, s.gone = cmd, gone
	s.mu.Unlock()
	go func() {
		_ = cmd.Wait() // its log says why
		s.mu.Lock()
		s.child = nil
		s.mu.Unlock()
		close(gone)
	}()
	return nil
}

// watch starts the server again whenever it has gone, whoever had started it.
func (s *Server) watch(ctx context.Context) {
	defer close(s.done)
	for ctx.Err() == nil {
		s.mu.Lock()
		child, gone := s.child, s.gone
		s.mu.Unlock()
		if child != nil {
			select {
			case <-ctx.Done():
				return
			case <-gone:
			}
		} else {
			// A server of somebody else's: its lock is free once it has gone.
			if pause(ctx, 200*time.Millisecond) != nil {
				return
			}
			lock, err := lockFile(filepath.Join(s.dir, "redis.lock"), syscall.LOCK_EX)
			if err != nil {
				continue
			}
			_ = lock.Close()
		}
		s.log.Error("redis-server has gone; starting it again")
		if err := s.ensure(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("redis-server", "err", err)
			_ = pause(ctx, time.Second)
		}
	}
}

// Close leaves the server to others who still use it; the last user rewrites the append-only file (the next start is
// quicker by far) and stops the server.
func (s *Server) Close(ctx context.Context) error {
	s.stop()
	<-s.done
	defer s.unlock()
	if err := syscall.Flock(int(s.users.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // see lockFile
		return nil // somebody still uses it
	}
	return s.shutdown(ctx)
}

func (s *Server) unlock() {
	for _, f := range []*os.File{s.serve, s.users} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// shutdown rewrites the append-only file, stops the server and waits until its lock is free.
func (s *Server) shutdown(ctx context.Context) error {
	c := dialSocket(s.socket)
	defer c.Close() //nolint:errcheck // the server ends it
	if c.Ping(ctx).Err() == nil {
		if err := rewriteNow(ctx, c); err != nil {
			s.log.Warn("the append-only file was not rewritten; the next start takes longer", "err", err)
		}
		_ = c.Shutdown(ctx).Err() // answers by closing the connection
	}
	for {
		lock, err := lockFile(filepath.Join(s.dir, "redis.lock"), syscall.LOCK_EX)
		if err == nil {
			return lock.Close()
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("redis-server is still stopping: %w", err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
