package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// scratch is a redis-server of our own on a private directory, in which a copy of a store is looked at. It ends with
// this process, however this process ends.
type scratch struct {
	client *redis.Client
	dir    string // holds dump.rdb, which it loads
	socket string // its directory
	child  *exec.Cmd
	gone   chan struct{}
}

// startScratch starts a server that loads dir/dump.rdb and returns when it has. It writes nothing by itself.
func startScratch(ctx context.Context, dir string) (*scratch, error) {
	command, err := findServer()
	if err != nil {
		return nil, err
	}
	short, err := os.MkdirTemp("", "hotline-") // a socket's path has to be short
	if err != nil {
		return nil, fmt.Errorf("directory for the socket: %w", err)
	}
	s := &scratch{dir: dir, socket: short, gone: make(chan struct{})}
	socket := filepath.Join(short, "s")
	//nolint:gosec,noctx // the operator's redis-server
	s.child = exec.Command(command, append([]string{"--port", "0", "--unixsocket", socket, "--unixsocketperm", "600", "--dir", dir,
		"--dbfilename", "dump.rdb", "--appendonly", "no", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", "",
		"--daemonize", "no", "--logfile", filepath.Join(dir, "redis.log"), "--slowlog-max-len", "0",
	}, LeanSettings()...)...)
	s.child.Dir = dir
	s.child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The server is sent its signal when the thread ends that started it.
		runtime.LockOSThread()
		err := s.child.Start()
		started <- err
		if err == nil {
			_ = s.child.Wait() // its log says why
		}
		close(s.gone)
	}()
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start redis-server: %w", err), os.RemoveAll(short))
	}
	s.client = dialSocket(socket)
	for {
		if err := s.client.Ping(ctx).Err(); err == nil {
			return s, nil
		}
		select {
		case <-s.gone:
			return nil, errors.Join(fmt.Errorf("the copy cannot be loaded: %s", lastLine(filepath.Join(dir, "redis.log"))), s.close())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.close())
		case <-time.After(20 * time.Millisecond): // it loads
		}
	}
}

// close ends the server and removes its socket; what is in its directory is the caller's.
func (s *scratch) close() error {
	if s.client != nil {
		_ = s.client.Close()
	}
	_ = s.child.Process.Kill()
	<-s.gone
	return os.RemoveAll(s.socket)
}

// keep makes the server write what it holds as an append-only file, below its directory, and stops it.
func (s *scratch) keep(ctx context.Context) error {
	if err := s.client.ConfigSet(ctx, "appendonly", "yes").Err(); err != nil {
		return fmt.Errorf("write the append-only file: %w", err)
	}
	for {
		info, err := s.client.Info(ctx, "persistence").Result()
		if err != nil {
			return fmt.Errorf("write the append-only file: %w", err)
		}
		if strings.Contains(info, "aof_enabled:1") && strings.Contains(info, "aof_rewrite_in_progress:0") &&
			strings.Contains(info, "aof_rewrite_scheduled:0") {
			if !strings.Contains(info, "aof_last_bgrewrite_status:ok") || !strings.Contains(info, "aof_last_write_status:ok") {
				return errors.New("the append-only file was not written; is the disk full?")
			}
			break
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	_ = s.client.Shutdown(ctx).Err() // answers by closing the connection
	select {
	case <-s.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lastLine is the end of a server's log: why it gave up.
func lastLine(path string) string {
	raw, err := os.ReadFile(path) //nolint:gosec // written by our own server
	if err != nil {
		return "its log cannot be read"
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	for _, l := range lines {
		if strings.Contains(l, " # ") && !strings.Contains(l, "WARNING") && !strings.Contains(l, "oO0") {
			_, l, _ = strings.Cut(l, " # ")
			return l
		}
	}
	return "redis-server ended"
}
