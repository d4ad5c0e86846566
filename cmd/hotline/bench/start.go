package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// StartOptions say what a start is measured with. Of Options it takes Program, Mission, Fsync, Runs and Profile.
type StartOptions struct {
	Options
	// Cases is how many open cases the store holds.
	Cases, Runs int
	// Fill makes so many open cases of the contacts that walked the intake, whose addresses it is told: in the store of
	// that Redis, under that key file.
	Fill func(ctx context.Context, url, keyFile string, walked []string, cases int) error
}

// StartResult is what a start took, the medians of several.
type StartResult struct {
	Cases int `json:"cases"`
	Runs  int `json:"runs"`
	// Open is how many open cases the program finds, in its metrics.
	Open int `json:"open_cases"`
	// ReplyMS is from the start of the program, with Redis up, to its first reply on the wire; WorstMS of the slowest run.
	ReplyMS float64 `json:"first_reply_ms"`
	WorstMS float64 `json:"worst_first_reply_ms"`
	// ListenMS is until the program said its addresses.
	ListenMS float64 `json:"listen_ms"`
	// RedisMS is what redis-server takes from its start until it answers, with the data of an orderly stop.
	RedisMS float64 `json:"redis_load_ms"`
	// RedisMiB is what the data takes in Redis' memory.
	RedisMiB float64 `json:"redis_mib"`
	PeakRSS  float64 `json:"peak_rss_mib"`
}

// templates are how many citizens walk the intake, to be copied.
const templates = 12

// Check returns an error that says in one line what is wrong with the options.
func (o StartOptions) Check() error {
	switch {
	case o.Cases < templates || o.Cases > 1_000_000:
		return fmt.Errorf("--cases: want %d to 1000000", templates)
	case o.Target != TargetServe || o.Polling || o.Redis != "" || o.Replicas > 1:
		return errors.New("bench start: measures one process of this program by webhook, with a redis-server of its own; leave out --target, --webhook, --polling, --redis and --replicas")
	}
	return o.Options.Check()
}

// Start measures how long this program takes from its start to its first answer, on a store with many open cases in a
// Redis that is up.
func Start(ctx context.Context, o StartOptions) (res StartResult, err error) {
	dir, err := os.MkdirTemp("", "hotline-bench-")
	if err != nil {
		return res, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the temporary directory is the system's to clean in the end
	rds, err := openRedis(ctx, o.Options, dir)
	if err != nil {
		return res, err
	}
	defer func() { rds.close() }()
	res = StartResult{Cases: o.Cases, Runs: o.Runs}
	if err := o.fill(ctx, dir, rds); err != nil {
		return res, err
	}
	info, err := rds.info(ctx)
	if err != nil {
		return res, err
	}
	res.RedisMiB = info["used_memory"] / (1 << 20)
	if rds, res.RedisMS, err = o.restart(ctx, dir, rds); err != nil {
		return res, err
	}
	var replies, listens []float64
	for i := range o.Runs {
		if i > 0 {
			o.Profile = "" // of the first one
		}
		one, err := o.once(ctx, dir, rds, i)
		if err != nil {
			return res, err
		}
		replies, listens = append(replies, one.ReplyMS), append(listens, one.ListenMS)
		res.Open, res.PeakRSS = one.Open, max(res.PeakRSS, one.PeakRSS)
		if res.Open != o.Cases {
			return res, fmt.Errorf("the program finds %d open cases, not %d", res.Open, o.Cases)
		}
	}
	slices.Sort(replies)
	slices.Sort(listens)
	res.ReplyMS, res.WorstMS, res.ListenMS = replies[len(replies)/2], replies[len(replies)-1], listens[len(listens)/2]
	return res, nil
}

// fill has a few citizens walk the intake and copies their cases.
func (o StartOptions) fill(ctx context.Context, dir string, rds *server) error {
	a, err := listenAPI(ctx, "")
	if err != nil {
		return err
	}
	defer a.close()
	filling := o.Options
	filling.Profile, filling.Citizens = "", templates
	t, err := startTarget(ctx, filling, dir, a, rds)
	if err != nil {
		return err
	}
	defer t.stop()
	c := newCrowd(filling, a, t)
	c.reset(nil)
	if err := c.walk(ctx, templates, 0); err != nil {
		return err
	}
	if err := c.quiet(ctx); err != nil {
		return err
	}
	var walked []string
	for _, p := range c.people {
		walked = append(walked, fmt.Sprint(p.chat))
	}
	t.stop()
	return o.Fill(ctx, rds.url, filepath.Join(dir, "keys.json"), walked, o.Cases-templates)
}

// restart stops the redis-server as this program stops its own one, with a rewritten file, starts it again and says
// how many milliseconds that took until it answered.
func (o StartOptions) restart(ctx context.Context, dir string, rds *server) (*server, float64, error) {
	if err := rds.rdb.BgRewriteAOF(ctx).Err(); err != nil {
		return rds, 0, fmt.Errorf("redis: %w", err)
	}
	for {
		info, err := rds.info(ctx)
		if err != nil {
			return rds, 0, err
		}
		if info["aof_rewrite_in_progress"]+info["aof_rewrite_scheduled"] == 0 {
			break
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return rds, 0, ctx.Err()
		}
	}
	rds.close()
	again := &server{}
	began := time.Now()
	if err := again.spawn(o.Options, dir); err != nil {
		return again, 0, err
	}
	if err := again.dial(); err != nil {
		return again, 0, err
	}
	for again.rdb.Ping(ctx).Err() != nil { // refused, then LOADING
		select {
		case <-again.proc.Done():
			return again, 0, again.proc.Ended()
		case <-ctx.Done():
			return again, 0, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return again, millis(time.Since(began)), nil
}

// once starts the program, and a citizen who is new to it writes as soon as it listens.
func (o StartOptions) once(ctx context.Context, dir string, rds *server, i int) (res StartResult, err error) {
	a, err := listenAPI(ctx, "")
	if err != nil {
		return res, err
	}
	defer a.close()
	t := &target{path: "/bench"}
	defer t.stop()
	began := time.Now()
	if err := t.start(ctx, o.Options, filepath.Join(dir, "replica0"), 0, a, rds); err != nil {
		return res, err
	}
	res.ListenMS = millis(time.Since(began))
	c := newCrowd(o.Options, a, t)
	c.reset(nil)
	c.update.Store(2_000_000 + int64(i)*1000)
	p := c.join()
	p.chat += int64(1+i) << 24 // nobody whose case is there
	c.first = p.chat
	if err := c.inParallel(ctx, 1, func(l *line) error {
		ok, err := c.say(ctx, l, p, began)
		if err == nil && !ok {
			err = errors.New("the program did not answer its first message")
		}
		return err
	}); err != nil {
		return res, err
	}
	res.ReplyMS = millis(c.lat.replies[0])
	peak, err := peakOf(t.pids[0])
	if err != nil {
		return res, err
	}
	res.PeakRSS = float64(peak) / (1 << 20)
	client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{}).DialContext}, Timeout: time.Minute} // no proxy
	defer client.CloseIdleConnections()
	res.Open, err = t.openCases(ctx, client)
	return res, err
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// Write writes the result as a small table.
func (r StartResult) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, `start with %d open cases in a Redis that is up, median of %d

  first reply ms  %.0f (slowest %.0f)
       listens ms  %.0f
    peak RSS MiB  %.0f

  apart: redis-server loads %.0f MiB in %.0f ms
`, r.Cases, r.Runs, r.ReplyMS, r.WorstMS, r.ListenMS, r.PeakRSS, r.RedisMiB, r.RedisMS)
	return err
}
