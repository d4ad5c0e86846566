// Package bench measures a chat bot on this machine: simulated citizens walk a whole intake against it, over a Bot
// API server of its own, and what the bot and its Redis spend on that is read from the kernel and from Redis. The bot
// is this program, the built-in yardstick, or anything else that takes Telegram's webhook. Everything is on loopback.
package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// The bots that a run can be made against.
const (
	TargetServe     = "serve"     // this program
	TargetYardstick = "yardstick" // a small typical bot: see Yardstick
	TargetWebhook   = "webhook"   // somebody else's, at Options.Webhook
)

// Options say what is measured.
type Options struct {
	Target string
	// Program is the file of this program, which is started as the target; the environment of the children holds
	// nothing of the caller's but PATH.
	Program string
	// Mission is the mission file for TargetServe.
	Mission string
	// Webhook is the address of somebody else's bot, Secret what it expects in Telegram's header, API the address on
	// which it finds the Bot API ("" for any port), PIDs its processes (their CPU and memory are read).
	Webhook, Secret, API string
	PIDs                 []int
	// Polling has the bot fetch updates instead.
	Polling bool
	// Citizens walk the intake, at most AtOnce at a time, each with one message outstanding.
	Citizens, AtOnce int
	// Rate sends that many messages a second at equal distances, however long the replies take; 0 sends a citizen's
	// next message when the last one was answered and acknowledged.
	Rate float64
	// Taps has citizens tap a button where there is one, instead of typing its number.
	Taps bool
	// Fsync is Redis' appendfsync: everysec or always. Redis names a server to be used instead of an own one; it must
	// be empty.
	Fsync, Redis string
	// Replicas of the target share one Redis; messages go to them in turn.
	Replicas int
	// Profile is a directory for the target's CPU and memory profiles (TargetServe); empty for none.
	Profile string
	// Progress is told how many messages were answered since the last time. May be nil.
	Progress func(messages int)
}

// patience is how long a reply may take before it counts as missing.
const patience = time.Minute

// Run makes one run and returns what was measured.
func Run(ctx context.Context, o Options) (r Result, err error) {
	dir, err := os.MkdirTemp("", "hotline-bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the temporary directory is the system's to clean in the end
	api, err := listenAPI(ctx, o.API)
	if err != nil {
		return r, err
	}
	defer api.close()
	rds, err := openRedis(ctx, o, dir)
	if err != nil {
		return r, err
	}
	defer rds.close()
	t, err := startTarget(ctx, o, dir, api, rds)
	if err != nil {
		return r, err
	}
	defer t.stop()

	crowd := newCrowd(o, api, t)
	// A first, small crowd warms caches and connections; it is not measured.
	if err := crowd.walk(ctx, warmUp(o), 0); err != nil {
		return r, err
	}
	before, err := readUsage(ctx, t, rds)
	if err != nil {
		return r, err
	}
	crowd.reset(o.Progress)
	began := time.Now()
	if err := crowd.walk(ctx, o.Citizens, o.Rate); err != nil {
		return r, err
	}
	took := time.Since(began)
	if err := crowd.quiet(ctx); err != nil {
		return r, err
	}
	after, err := readUsage(ctx, t, rds)
	if err != nil {
		return r, err
	}
	r = crowd.result(took)
	r.describe(o)
	r.StartMS = float64(t.started.Microseconds()) / 1e3
	r.spent(before, after)
	if err := t.verify(ctx, &r, warmUp(o)+o.Citizens); err != nil {
		return r, err
	}
	return r, t.failed()
}

// warmUp is how many citizens walk before the measurement.
func warmUp(o Options) int { return min(o.AtOnce, max(o.Citizens/4, 1)) }

// Check returns an error that says in one line what is wrong with the options.
func (o Options) Check() error {
	switch {
	case o.Citizens < 1 || o.Citizens > 1_000_000:
		return fmt.Errorf("--citizens: want 1 to 1000000")
	case o.AtOnce < 1 || o.AtOnce > 10_000:
		return fmt.Errorf("--at-once: want 1 to 10000")
	case o.Rate < 0 || o.Rate > 100_000:
		return fmt.Errorf("--rate: want messages a second, 0 for as fast as replies come")
	case o.files() > maxFiles():
		return fmt.Errorf("--at-once: %d with %d replicas takes %d open files, and this process may have %d: raise the limit (ulimit -n)", o.AtOnce, o.Replicas, o.files(), maxFiles())
	case o.Fsync != "everysec" && o.Fsync != "always":
		return fmt.Errorf("--fsync: want everysec or always")
	case o.Replicas < 1 || o.Replicas > 16:
		return fmt.Errorf("--replicas: want 1 to 16")
	case o.Polling && o.Replicas > 1:
		return fmt.Errorf("--polling: one replica polls at a time; leave --replicas at 1")
	case o.Target == TargetWebhook && o.Polling:
		return fmt.Errorf("--polling: a bot behind --webhook is sent its updates")
	}
	if o.Target == TargetWebhook {
		if _, err := o.hook(); err != nil {
			return fmt.Errorf("--webhook: %w", err)
		}
	}
	if o.API != "" {
		host, _, err := net.SplitHostPort(o.API)
		if err != nil {
			return fmt.Errorf("--api: want 127.0.0.1:PORT")
		}
		if err := loopback(host); err != nil {
			return fmt.Errorf("--api: %w", err)
		}
	}
	if o.Redis != "" {
		if _, err := redis.ParseURL(o.Redis); err != nil {
			return fmt.Errorf("--redis: want redis://127.0.0.1:PORT/DB or unix:///PATH")
		}
	}
	return nil
}

// files is how many files the driver holds open at most: a connection of each citizen to each replica, and those on
// which the replicas send.
func (o Options) files() uint64 { return uint64(o.Replicas*(o.AtOnce+512) + 64) }

// maxFiles is how many files a process may have open here; Go's runtime raises the limit to that by itself.
func maxFiles() uint64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return math.MaxUint64 // not known: it is tried
	}
	return l.Max
}

// hook is the address of somebody else's bot.
func (o Options) hook() (*url.URL, error) {
	u, err := url.Parse(o.Webhook)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return nil, errors.New("want http://127.0.0.1:PORT/PATH")
	}
	return u, loopback(u.Hostname())
}

// loopback refuses addresses that others can reach: the driver is no server for a network.
func loopback(host string) error {
	if host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return fmt.Errorf("%q is not on this machine's loopback: want 127.0.0.1", host)
	}
	return nil
}
