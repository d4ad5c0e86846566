package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"pulang/bot/headers"
)

// What a client may cost us. Event streams extend their own write deadline. There is no ReadTimeout for the whole
// server: it would end every stream, whose request has long been read; a body has its own time instead.
const (
	readHeaderTimeout = 5 * time.Second
	bodyTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
	maxRequestBody    = 1 << 20 // handlers set narrower bounds of their own
)

// newServer wraps a handler in what every listener has in common: bounds, default headers, and an error page in
// place of a stack trace.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: safely(h, log), ReadHeaderTimeout: readHeaderTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		// net/http writes client addresses into these lines.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

// safely sets the headers that no answer goes without, bounds the body, and turns a panic into a sentence with an
// id that stands in the log as well (OWASP ASVS 5.0, 16.5.1).
func safely(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers.Set(w.Header(), "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			id := rand.Text()[:8]
			// The value of a panic may hold anything; its type and the place are enough to find it.
			log.Error("request panicked", "id", id, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, "Ada gangguan. Coba lagi sebentar.\nSomething went wrong. Please try again in a moment.\n\n%s\n", id)
		}()
		r.Body = http.MaxBytesReader(w, r.Body, maxRequestBody)
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // a test's recorder has none
		}
		next.ServeHTTP(w, r)
	})
}

// strict adds HTTP Strict Transport Security where people reach us by https.
func strict(next http.Handler, publicURL string) http.Handler {
	if !strings.HasPrefix(publicURL, "https://") {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=63072000")
		next.ServeHTTP(w, r)
	})
}

// clientIP tells by which address a client is counted: behind trusted proxies, the last one in X-Forwarded-For that
// is not a proxy of ours. An IPv6 customer has a /64, so that is what is counted.
func clientIP(trusted []netip.Prefix) func(*http.Request) string {
	ours := func(a netip.Addr) bool {
		for _, p := range trusted {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	return func(r *http.Request) string {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			return "local"
		}
		at, err := netip.ParseAddr(host)
		if err != nil {
			return "local"
		}
		at = at.Unmap()
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && ours(at); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			at = hop.Unmap()
		}
		if at.Is6() {
			p, _ := at.WithZone("").Prefix(64)
			return p.String()
		}
		return at.String()
	}
}

// listen opens a listener, or says in one line what is in the way.
func listen(ctx context.Context, name string, a addr) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", string(a))
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		do := "choose an address of this machine"
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			do = "is another hotline running, or choose another address"
		case errors.Is(err, syscall.EACCES):
			do = "ports below 1024 are not for this account: choose another, with a proxy in front of it"
		}
		return nil, fmt.Errorf("%s=%s: %w; %s", name, a, err, do)
	}
	return l, nil
}
