package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"pulang/cmd/hotline/child"
)

// startFor is how long a target may take until it is ready.
const startFor = time.Minute

// target is the bot under measurement: processes that the driver started, or somebody else's.
type target struct {
	hooks   []string // host:port of each replica's webhook
	path    string
	metrics []string // addresses of /metrics, of this program's replicas
	pids    []int
	started time.Duration // from the start of the (slowest) process until it was ready
	procs   []*child.Process
}

func startTarget(ctx context.Context, o Options, dir string, a *api, r *server) (t *target, err error) {
	t = &target{path: "/bench"}
	defer func() {
		if err != nil {
			t.stop()
			t = nil
		}
	}()
	if o.Target == TargetWebhook {
		u, err := o.hook()
		if err != nil {
			return t, err
		}
		t.hooks, t.path, t.pids = []string{u.Host}, u.RequestURI(), o.PIDs
		return t, nil
	}
	began := time.Now()
	for i := range o.Replicas {
		if err := t.start(ctx, o, filepath.Join(dir, fmt.Sprint("replica", i)), i, a, r); err != nil {
			return t, err
		}
	}
	for !a.ready(o.Polling) {
		if err := t.failed(); err != nil {
			return t, err
		}
		if time.Since(began) > startFor {
			return t, errors.New("the bot did not ask for its updates within a minute")
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.started = time.Since(began)
	return t, nil
}

// start starts one replica and waits for the address of its webhook.
func (t *target) start(ctx context.Context, o Options, dir string, i int, a *api, r *server) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), "REDIS_URL=" + r.url,
		"TELEGRAM_TOKEN=" + token, "TELEGRAM_API_URL=" + a.url()}
	args := []string{"bench-yardstick"}
	if o.Target == TargetServe {
		env = append(env, "HOTLINE_DATA="+dir, "HOTLINE_MISSION="+o.Mission, "HOTLINE_KEYS="+filepath.Join(filepath.Dir(dir), "keys.json"),
			"HOTLINE_LISTEN=127.0.0.1:0", "HOTLINE_DESK_LISTEN=127.0.0.1:0", "HOTLINE_METRICS_LISTEN=127.0.0.1:0", "HOTLINE_LOG_LEVEL=warn")
		args = []string{"serve", "--accept-data-loss"} // with everysec it is refused otherwise
		if o.Profile != "" && i == 0 {
			args = append(args, "--profile", o.Profile)
		}
	}
	if !o.Polling {
		env = append(env, "TELEGRAM_WEBHOOK_URL=https://bench.example.org"+t.path, "TELEGRAM_WEBHOOK_SECRET="+secret)
	}
	p, err := child.Start(o.Program, args, env, dir)
	if err != nil {
		return err
	}
	t.procs = append(t.procs, p)
	t.pids = append(t.pids, p.PID())
	need := map[string]*[]string{"public": &t.hooks}
	if o.Target == TargetServe {
		need["metrics"] = &t.metrics
	}
	return p.Hear(ctx, func(line string) bool {
		if m := address.FindStringSubmatch(line); m != nil && need[m[1]] != nil {
			*need[m[1]] = append(*need[m[1]], m[2])
			delete(need, m[1])
		}
		return len(need) == 0
	})
}

var address = regexp.MustCompile(`^(public|metrics)\s+http://([^/\s]+)`)

// failed is the error of a child that has ended, nil while all run.
func (t *target) failed() error {
	for _, p := range t.procs {
		if err := p.Ended(); err != nil {
			return err
		}
	}
	return nil
}

func (t *target) stop() {
	var all sync.WaitGroup
	for _, p := range t.procs {
		all.Go(func() { _ = p.Stop() }) // measured is what it did before
	}
	all.Wait()
}

// verify asks this program how many cases are open: every citizen who walked the intake has one. Its metrics may be a
// few seconds old, so a smaller number is asked again.
func (t *target) verify(ctx context.Context, r *Result, citizens int) error {
	if len(t.metrics) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{}).DialContext}} // no proxy of the environment
	defer c.CloseIdleConnections()
	for again := time.NewTicker(500 * time.Millisecond); ; {
		open, err := t.openCases(ctx, c)
		if err != nil && r.Cases == 0 {
			return err
		}
		if err == nil {
			r.Cases = open
		}
		if r.Missing != 0 || r.Cases == citizens {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%d citizens walked the intake, and %d cases are on the queue", citizens, r.Cases)
		}
	}
}

func (t *target) openCases(ctx context.Context, c *http.Client) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.metrics[0]+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	open := 0.0
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "hotline_open_cases{"); ok {
			_, v, _ := strings.Cut(rest, "} ")
			n, _ := strconv.ParseFloat(v, 64)
			open += n
		}
	}
	return int(open), lines.Err()
}
