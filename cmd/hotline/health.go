package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// health answers the probes. A part of it is asked at most once in grain, however often somebody probes.
type health struct {
	mu    sync.Mutex
	parts map[string]*part
	clock func() time.Time
	loops *loops
}

type part struct {
	ask   func(context.Context) error
	grain time.Duration
	mu    sync.Mutex
	at    time.Time
	err   error
	// only is a part that is told and does not make the service unready.
	only bool
}

func newHealth() *health {
	h := &health{parts: map[string]*part{}, clock: time.Now}
	h.loops = &loops{at: map[loop]time.Time{}, clock: func() time.Time { return h.clock() }}
	return h
}

// add has the part asked. The names of parts are public: "redis"; a channel's is "telegram kh", with its line.
func (h *health) add(name string, grain time.Duration, ask func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parts[name] = &part{ask: ask, grain: grain}
}

// note has the part asked and told. Its failure leaves the service ready: it could only take down what still works.
func (h *health) note(name string, grain time.Duration, ask func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parts[name] = &part{ask: ask, grain: grain, only: true}
}

const (
	// loopReady and loopDead are for how long a loop may stand still before the process counts as not ready, and as
	// dead. A round waits for Redis at most half a minute, so an outage of Redis alone never ends a process.
	loopReady = 45 * time.Second
	loopDead  = 3 * time.Minute
)

// live answers /healthz: the process is there and its loops go round. It does not ask for Redis or a messenger:
// starting this program again would mend neither.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	text, code := "ok\n", http.StatusOK
	if still := h.loops.still(loopDead, loopRelay, loopTimers); len(still) > 0 {
		text, code = strings.Join(still, " failing\n")+" failing\n", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprint(w, text)
}

// ready answers /readyz: Redis takes writes, the loops go round, and the channels flow. It names the part that does
// not, never why: the reason is in the log.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	text, code := "", http.StatusOK
	for _, f := range h.ask(r.Context()) {
		state := "ok"
		if f.err != nil {
			state = "failing"
			if !f.only {
				code = http.StatusServiceUnavailable
			}
		}
		text += f.name + " " + state + "\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprint(w, text)
}

// finding is the answer of one part.
type finding struct {
	name string
	only bool
	err  error
}

// ask asks all parts at once: one that has to wait for a network does not hold up the others.
func (h *health) ask(ctx context.Context) []finding {
	h.mu.Lock()
	parts := maps.Clone(h.parts)
	h.mu.Unlock()
	names := slices.Sorted(maps.Keys(parts))
	found := make([]finding, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			found[i] = finding{name: name, only: parts[name].only, err: parts[name].now(ctx, h.clock())}
		})
	}
	all.Wait()
	return found
}

func (p *part) now(ctx context.Context, at time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Sub(p.at) >= p.grain || p.at.IsZero() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		p.err, p.at = p.ask(ctx), at
	}
	return p.err
}

var (
	descCheck = desc("check_ok", "1 while this line of /readyz says ok.", "check")
	descUp    = desc("channel_up", "1 while messages of the channel come in, here or at another process: its line of /readyz.", "line", "channel")
	descRound = desc("loop_last_round_timestamp_seconds", "When a loop of this process last went round.", "loop", "line", "channel")
)

// Describe names the gauges.
func (h *health) Describe(c chan<- *prometheus.Desc) { c <- descCheck; c <- descUp; c <- descRound }

// Collect shows each part and each loop. What the probes are told is told here as well.
func (h *health) Collect(c chan<- prometheus.Metric) {
	g := gauges{now: h.clock()}
	for _, f := range h.ask(context.Background()) {
		if channel, line, ok := strings.Cut(f.name, " "); ok {
			g.flag(descUp, f.err == nil, line, channel)
		} else {
			g.flag(descCheck, f.err == nil, f.name)
		}
	}
	for l, at := range h.loops.all() {
		g.gauge(descRound, float64(at.UnixMilli())/1000, l.name, l.line, l.channel)
	}
	for _, m := range g.all {
		c <- m
	}
}

// The loops without which nothing flows.
const (
	loopRelay  = "relay"
	loopTimers = "timers"
)

// loops remembers when each loop of the process last went round.
type loops struct {
	mu    sync.Mutex
	at    map[loop]time.Time
	clock func() time.Time
}

type loop struct{ name, line, channel string }

// round notes that the loop goes round; the first one makes it known.
func (l *loops) round(which loop) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[which] = l.clock()
}

func (l *loops) all() map[loop]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.at)
}

// still names those of these loops that have not gone round for longer than that. A loop that never ran is not known.
func (l *loops) still(than time.Duration, names ...string) []string {
	var out []string
	for k, at := range l.all() {
		if slices.Contains(names, k.name) && l.clock().Sub(at) > than && !slices.Contains(out, k.name) {
			out = append(out, k.name)
		}
	}
	slices.Sort(out)
	return out
}

// going is a part of health that fails while a loop of that name stands still.
func (l *loops) going(name string) func(context.Context) error {
	return func(context.Context) error {
		if len(l.still(loopReady, name)) > 0 {
			return errors.New("stands still")
		}
		return nil
	}
}
