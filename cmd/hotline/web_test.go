package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
)

// Things that must never be in a log, put into it in the ways in which they could get there.
func TestLogHoldsNoPersons(t *testing.T) {
	var out bytes.Buffer
	log := newLog(&out, slog.LevelDebug)
	canaries := []string{
		"123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0", "+855 12 813 282", "3174012345678901", "hunter2", "11.55640, 104.92820",
		"rahasia keluarga", "Dewi Rekaan", "kata-sandi", "203.0.113.77",
	}
	who := bot.Contact{Channel: "telegram", Account: "9", Address: "3174012345678901"}
	log.With("channel", "telegram", "account", "123456789").Info("start", "contact", who, "who", who, "err", errors.New("Post https://api.telegram.org/bot"+canaries[0]+"/getMe: EOF"))
	log.Warn("send", "err", errors.New("call +855 12 813 282 at 11.55640, 104.92820"), "url", "redis://x:hunter2@h/", "row", "01K8")
	log.Error("redis", "err", errors.New("dial redis://:hunter2@127.0.0.1:6379: refused"), "text", "rahasia keluarga", "name", "Dewi Rekaan")
	log.Info("message", "input", flows.Input{Kind: flows.KindText, Text: "rahasia keluarga"}, "password", "kata-sandi", "ip", "203.0.113.77")
	log.With("address", canaries[2]).WithGroup("g").Info("x", "phone", "+855 12 813 282", "err", errors.New("GET /x?token=kata-sandi"), "from", "203.0.113.77")
	for _, c := range canaries {
		if strings.Contains(out.String(), c) {
			t.Errorf("%q is in the log:\n%s", c, out.String())
		}
	}
	for _, want := range []string{`"row":"01K8"`, `"account":"123456789"`, `"contact":"[redacted]"`, `"who":"[redacted]"`, `"level":"WARN"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in\n%s", want, out.String())
		}
	}
}

// A panic becomes a sentence with an id; neither its value nor a stack reaches the visitor, nor its value the log.
func TestErrorPage(t *testing.T) {
	var out bytes.Buffer
	h := safely(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("Dewi Rekaan") }), newLog(&out, slog.LevelInfo))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	body := w.Body.String()
	if w.Code != http.StatusInternalServerError || strings.Contains(body, "goroutine") || strings.Contains(body, "Dewi") {
		t.Errorf("%d %q", w.Code, body)
	}
	lines := strings.Split(strings.TrimSpace(body), "\n")
	if id := lines[len(lines)-1]; len(id) != 8 || !strings.Contains(out.String(), id) || strings.Contains(out.String(), "Dewi") {
		t.Errorf("id %q, log %s", id, out.String())
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}
}

// Who is counted by a rate limit: nobody chooses that for themselves.
func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.7:1", "", "203.0.113.7"},
		{"203.0.113.7:1", "198.51.100.1", "203.0.113.7"},
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "192.0.2.9, 198.51.100.1, 10.1.1.1", "198.51.100.1"},
		{"10.0.0.1:1", "nonsense", "10.0.0.1"},
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"[2001:db8:1:2:3::4]:1", "", "2001:db8:1:2::/64"},
		{"[fd00::1]:1", "2001:db8:9::7", "2001:db8:9::/64"},
		{"[::ffff:203.0.113.7]:1", "", "203.0.113.7"},
		{"@", "", "local"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := clientIP(trusted)(r); got != c.want {
			t.Errorf("%s forwarded for %q: %q, want %q", c.remote, c.forwarded, got, c.want)
		}
	}
}

// The probes name what fails, never why, and do not ask more often than they should.
func TestHealth(t *testing.T) {
	h := newHealth()
	now := time.Date(2026, 1, 19, 8, 0, 0, 0, time.UTC)
	h.clock = func() time.Time { return now }
	asked, down := 0, false
	h.add("redis", time.Second, func(context.Context) error {
		asked++
		if down {
			return errors.New("dial redis://:hunter2@h")
		}
		return nil
	})
	h.add("telegram kh", time.Second, func(context.Context) error { return nil })
	ask := func() (int, string) {
		w := httptest.NewRecorder()
		h.ready(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		return w.Code, w.Body.String()
	}
	ask()
	if code, body := ask(); code != 200 || body != "redis ok\ntelegram kh ok\n" || asked != 1 {
		t.Errorf("%d %q, asked %d times", code, body, asked)
	}
	down = true
	now = now.Add(2 * time.Second)
	if code, body := ask(); code != http.StatusServiceUnavailable || body != "redis failing\ntelegram kh ok\n" {
		t.Errorf("%d %q", code, body)
	}
	w := httptest.NewRecorder()
	h.live(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	if w.Code != 200 {
		t.Error("a process that lives says so whatever else fails")
	}
}

// A loop that stands still makes the process unready, and after longer dead; a chore that takes its time does not.
func TestHealthOfLoops(t *testing.T) {
	h := newHealth()
	now := time.Date(2026, 1, 19, 8, 0, 0, 0, time.UTC)
	h.clock = func() time.Time { return now }
	for _, name := range []string{loopRelay, loopTimers} {
		h.add(name, 0, h.loops.going(name))
	}
	ask := func(f http.HandlerFunc) string {
		w := httptest.NewRecorder()
		f(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return fmt.Sprint(w.Code, " ", w.Body.String())
	}
	beat := func(loops ...loop) {
		for _, l := range loops {
			h.loops.round(l)
		}
	}
	beat(loop{loopRelay, "kh", "telegram"}, loop{loopRelay, "kh", "webchat"}, loop{loopTimers, "kh", ""}, loop{"audit chain", "kh", ""})
	for _, c := range []struct {
		after       time.Duration
		beats       []loop
		live, ready string
	}{
		{0, nil, "200 ok\n", "200 relay ok\ntimers ok\n"},
		{time.Minute, []loop{{loopRelay, "kh", "telegram"}, {loopTimers, "kh", ""}}, "200 ok\n", "503 relay failing\ntimers ok\n"},
		{time.Minute, []loop{{loopRelay, "kh", "webchat"}, {loopRelay, "kh", "telegram"}}, "200 ok\n", "503 relay ok\ntimers failing\n"},
		{2*time.Minute + time.Second, []loop{{loopRelay, "kh", "webchat"}, {loopRelay, "kh", "telegram"}}, "503 timers failing\n", "503 relay ok\ntimers failing\n"},
		{time.Second, []loop{{loopTimers, "kh", ""}}, "200 ok\n", "200 relay ok\ntimers ok\n"},
	} {
		now = now.Add(c.after)
		beat(c.beats...)
		if got := ask(h.live); got != c.live {
			t.Errorf("after %s: live %q, want %q", c.after, got, c.live)
		}
		if got := ask(h.ready); got != c.ready {
			t.Errorf("after %s: ready %q, want %q", c.after, got, c.ready)
		}
	}
}

// Parts stop in reverse order of their start, and a failing part ends the wait.
func TestStopsInReverse(t *testing.T) {
	s := &service{log: slog.New(slog.DiscardHandler), failed: make(chan error, 1)}
	var order []string
	for _, name := range []string{"store", "relay", "listener"} {
		s.start(name, func(ctx context.Context) error { <-ctx.Done(); order = append(order, name); return nil })
	}
	s.stop()
	if strings.Join(order, " ") != "listener relay store" {
		t.Errorf("stopped as %v", order)
	}
	s.start("broken", func(context.Context) error { return errors.New("no") })
	if err := s.wait(t.Context()); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("wait: %v", err)
	}
	s.stop()
}
