package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// health answers the probes. A part of it is asked at most once in grain, however often somebody probes.
type health struct {
	mu    sync.Mutex
	parts map[string]*part
	clock func() time.Time
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

func newHealth() *health { return &health{parts: map[string]*part{}, clock: time.Now} }

// add has the part asked. The names of parts are public: "redis", "telegram".
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

// live answers /healthz: the process is there.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// ready answers /readyz: Redis answers, and the channels flow. It names the part that does not, never why: the
// reason is in the log.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	parts := maps.Clone(h.parts)
	h.mu.Unlock()
	text, code := "", http.StatusOK
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		state := "ok"
		if parts[name].now(r.Context(), h.clock()) != nil {
			state = "failing"
			if !parts[name].only {
				code = http.StatusServiceUnavailable
			}
		}
		text += name + " " + state + "\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprint(w, text)
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
