package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot/store"
	"pulang/cmd/hotline/child"
)

// server is the Redis of a run: an own one in the run's directory, or a given one that was empty.
type server struct {
	url  string
	rdb  *redis.Client
	proc *child.Process
}

func openRedis(ctx context.Context, o Options, dir string) (s *server, err error) {
	s = &server{url: o.Redis}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.url == "" {
		if err := s.spawn(o, dir); err != nil {
			return s, err
		}
	}
	if err := s.dial(); err != nil {
		return s, err
	}
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		n, err := s.rdb.DBSize(ctx).Result()
		switch {
		case err == nil && n > 0:
			return s, errors.New("--redis: it is not empty; the benchmark writes thousands of invented cases and never deletes anything")
		case err == nil:
			return s, nil
		case s.proc == nil || time.Since(began) > startFor:
			return s, fmt.Errorf("redis: %w", err)
		}
		if err := s.proc.Ended(); err != nil {
			return s, err
		}
	}
}

func (s *server) dial() error {
	opts, err := redis.ParseURL(s.url)
	if err != nil {
		return err
	}
	opts.DisableIdentity = true
	s.rdb = redis.NewClient(opts)
	return nil
}

// spawn starts a redis-server that nobody else can reach, with the settings that this program's own one has, but for
// appendfsync.
func (s *server) spawn(o Options, dir string) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if program, err = exec.LookPath("valkey-server"); err != nil {
			return errors.New("neither redis-server nor valkey-server is on this machine: apt install redis-server, or name one by --redis")
		}
	}
	data := filepath.Join(dir, "redis")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	socket := filepath.Join(dir, "redis.sock")
	s.proc, err = child.Start(program, append([]string{"--port", "0", "--unixsocket", socket, "--dir", data, "--save", "", "--appendonly", "yes",
		"--appendfsync", o.Fsync, "--maxmemory-policy", "noeviction", "--daemonize", "no",
	}, store.LeanSettings()...), []string{"PATH=" + os.Getenv("PATH")}, data)
	s.url = "unix://" + socket
	return err
}

func (s *server) close() {
	if s.rdb != nil {
		_ = s.rdb.Close()
	}
	if s.proc != nil {
		_ = s.proc.Stop() // its data goes with the directory
	}
}

// info is what Redis says of itself.
func (s *server) info(ctx context.Context) (map[string]float64, error) {
	text, err := s.rdb.Info(ctx, "everything").Result()
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	out := map[string]float64{}
	for l := range strings.Lines(text) {
		name, v, _ := strings.Cut(strings.TrimSpace(l), ":")
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			out[name] = f
		}
	}
	return out, nil
}

// usage is what was spent up to a moment.
type usage struct {
	cpu    time.Duration // of the target's processes
	rss    int64         // their peak, bytes
	driver time.Duration
	redis  map[string]float64
}

func readUsage(ctx context.Context, t *target, r *server) (u usage, err error) {
	for _, pid := range t.pids {
		cpu, err := cpuOf(strconv.Itoa(pid))
		if err != nil {
			return u, err
		}
		rss, err := peakOf(pid)
		if err != nil {
			return u, err
		}
		u.cpu, u.rss = u.cpu+cpu, max(u.rss, rss)
	}
	if u.driver, err = cpuOf("self"); err != nil {
		return u, err
	}
	u.redis, err = r.info(ctx)
	return u, err
}

// tick is the unit of the kernel's CPU times (USER_HZ is 100 on every Linux that Go runs on).
const tick = 10 * time.Millisecond

// cpuOf is the CPU time that a process has used, read from the kernel.
func cpuOf(pid string) (time.Duration, error) {
	raw, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, errors.New("the benchmark reads CPU times from /proc, and there is no such process or no /proc")
	}
	_, rest, ok := strings.Cut(string(raw), ") ") // the name before it may hold anything
	f := strings.Fields(rest)
	if !ok || len(f) < 13 {
		return 0, errors.New("/proc: stat cannot be read")
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// peakOf is the most memory that a process has had resident, in bytes.
func peakOf(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("/proc: %w", err)
	}
	for l := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(l, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("/proc: no VmHWM")
}
