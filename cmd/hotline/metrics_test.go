package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/flows"
	"pulang/flows/casework"
	"pulang/locales"
)

// sample is one line of /metrics.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

var (
	sampleForm = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$`)
	labelForm  = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"`)
)

// samples reads the text format of /metrics.
func samples(t testing.TB, body string) []sample {
	t.Helper()
	var out []sample
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m := sampleForm.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("not a line of /metrics: %s", line)
		}
		s := sample{name: m[1], labels: map[string]string{}}
		for _, l := range labelForm.FindAllStringSubmatch(m[2], -1) {
			s.labels[l[1]] = l[2]
		}
		s.value, _ = strconv.ParseFloat(m[3], 64)
		out = append(out, s)
	}
	return out
}

// find is the value of the sample with that name and these labels ("line", "kh", …), and whether there is one.
func find(all []sample, name string, labels ...string) (float64, bool) {
	for _, s := range all {
		ok := s.name == name
		for i := 0; ok && i+1 < len(labels); i += 2 {
			ok = s.labels[labels[i]] == labels[i+1]
		}
		if ok {
			return s.value, true
		}
	}
	return 0, false
}

// closedLabels are the labels of our own metrics with the values that each may have.
var closedLabels = map[string][]string{
	"line":      {"kh", "staff", ""}, // staff has an audit log
	"mission":   {"kh"},
	"channel":   {"telegram", "whatsapp", "webchat", "alert", "sim", ""},
	"class":     {"P1", "P2", "P3", "P4"},
	"lane":      laneNames[:],
	"kind":      {"text", "tap", "location", "media", "contact", "blocked", "unblocked", "other", "acknowledged", "number"},
	"result":    append([]string{"stored", "refused", "sent", "failed"}, commitResults...),
	"stage":     {"committed", "acknowledged"},
	"why":       nil, // reasons, below
	"check":     {"redis", "relay", "timers"},
	"loop":      nil, // names of chores, below
	"le":        nil,
	"version":   nil,
	"goversion": nil,
}

var loopName = regexp.MustCompile(`^[a-z]+( [a-z]+){0,2}$`)

// checkLabels fails for a label, or a value of one, that is not of a closed set.
func checkLabels(t testing.TB, all []sample) {
	t.Helper()
	for _, s := range all {
		if !strings.HasPrefix(s.name, "hotline_") {
			continue
		}
		for label, value := range s.labels {
			allowed, ok := closedLabels[label]
			switch {
			case !ok:
				t.Errorf("%s has the label %q, which is not in the closed set", s.name, label)
			case label == "why" && !reasons[value] && value != other, label == "loop" && !loopName.MatchString(value), allowed != nil && !slices.Contains(allowed, value):
				t.Errorf("%s has %s=%q, which is not in the closed set", s.name, label, value)
			}
		}
	}
}

// The practice of Prometheus: a prefix, base units, _total for counters and for nothing else, a help for each.
func TestMetricNames(t *testing.T) {
	form := regexp.MustCompile(`^(hotline|go|process)_[a-z0-9_]+$`)
	unit := regexp.MustCompile(`_(seconds|bytes|total|ratio|info|ok|up|leader|cases|contacts|letters|rows|updates|accounts|sessions|primaries|replicas|timestamp_seconds)$`)
	types, helps := map[string]string{}, map[string]bool{}
	for line := range strings.Lines(scrape(t, testMetrics(t))) {
		f := strings.Fields(line)
		switch {
		case len(f) > 3 && f[1] == "HELP":
			helps[f[2]] = true
		case len(f) == 4 && f[1] == "TYPE":
			types[f[2]] = f[3]
		}
	}
	if len(types) < 40 {
		t.Fatalf("only %d metrics", len(types))
	}
	for name, kind := range types {
		if !form.MatchString(name) || !helps[name] {
			t.Errorf("%s (%s): name or help", name, kind)
		}
		if !strings.HasPrefix(name, "hotline_") {
			continue
		}
		if !unit.MatchString(name) || strings.HasSuffix(name, "_total") != (kind == "counter") {
			t.Errorf("%s is a %s", name, kind)
		}
	}
}

// fakeVitals is a store with something of everything.
type fakeVitals struct{ err error }

func (f fakeVitals) Vitals(_ context.Context, now time.Time, accounts map[string][]string) (map[string]store.LineVitals, error) {
	l := store.LineVitals{Dead: 2, DeadSince: now.Add(-time.Hour), Held: 1, HeldSince: now.Add(-time.Minute), TimerDue: now.Add(time.Hour),
		Missions: map[string]store.QueueVitals{"kh": {Total: map[casework.Class]int{casework.P1: 3}, Overdue: map[casework.Class]int{casework.P1: 1},
			UnreadP1: 1, UnreadP1Since: now.Add(-2 * time.Minute), WaitSince: now.Add(-3 * time.Hour)}},
		Accounts: map[string]store.AccountVitals{}}
	for _, a := range accounts["kh"] {
		v := store.AccountVitals{Sending: 1}
		v.Waiting[bot.LaneBot], v.Since[bot.LaneBot] = 4, now.Add(-30*time.Second)
		l.Accounts[a] = v
	}
	return map[string]store.LineVitals{"kh": l}, f.err
}
func (f fakeVitals) StaffVitals(context.Context, time.Time) (int, int, error) { return 5, 2, f.err }
func (f fakeVitals) RedisVitals(context.Context) (store.RedisVitals, error) {
	return store.RedisVitals{Primaries: 1, Used: 50, Limit: 100, Share: .5, AppendOK: true}, f.err
}

// testMetrics are metrics with every series, and things in them that must never become a label.
func testMetrics(t testing.TB) *metrics {
	t.Helper()
	m := newMetrics("test")
	v := &vitals{store: fakeVitals{}, missions: []string{"kh"}, log: slog.New(slog.DiscardHandler),
		accounts: map[string]map[string]string{"kh": {"7203115544": "telegram", "kh": "webchat"}}}
	h := newHealth()
	h.add("redis", 0, func(context.Context) error { return nil })
	h.note("telegram kh", 0, func(context.Context) error { return errors.New("no") })
	h.loops.round(loop{loopRelay, "kh", "telegram"})
	m.registry.MustRegister(v, h)
	m.channel("kh", "telegram")
	m.leads.WithLabelValues("kh", "telegram").Set(1)

	cat, err := locales.New()
	if err != nil {
		t.Fatal(err)
	}
	example, err := exampleMission()
	if err != nil {
		t.Fatal(err)
	}
	hot := bot.NewHotline(bot.Options{Store: failingStore{}, Catalogue: cat, Lines: map[string]*bot.Line{"kh": {Mission: example}}})
	who := bot.Contact{Channel: "telegram", Account: "7203115544", Address: "62111222333"}
	handler := meteredHandler{Hotline: hot, m: m}
	for _, kind := range []flows.Kind{flows.KindText, "Sulistyowandari"} {
		_ = handler.Handle(t.Context(), bot.Message{UpdateID: "u-Cendrawasih", Line: "kh", From: who, Input: flows.Input{Kind: kind, Text: "Jalan Kenanga 4"}})
	}
	_ = handler.SetAside(t.Context(), "kh", bot.Aside{ID: "x", Channel: "telegram", Contact: who, Why: "Hartawan", Raw: []byte("62111222333")})
	ch := meteredChannel{Channel: failingChannel{}, line: "kh", m: m}
	for _, kind := range []string{"reply", bot.KindAlert} {
		_, _ = ch.Send(t.Context(), bot.Row{ID: "r", Line: "kh", To: who, Kind: kind, CreatedAt: time.Now(), Out: bot.Outgoing{Text: "Kasus K7M4-692Q"}})
		_, _ = meteredChannel{Channel: simChannel{}, line: "kh", m: m}.Send(t.Context(), bot.Row{Kind: kind, CreatedAt: time.Now()})
	}
	m.ack.WithLabelValues("telegram", "acknowledged").Observe(.001)
	m.lastIn.WithLabelValues("kh", "telegram").SetToCurrentTime()
	m.delay.WithLabelValues("telegram").Observe(1)
	return m
}

// failingChannel fails with a reason that holds a name.
type failingChannel struct{}

func (failingChannel) Name() string    { return "telegram" }
func (failingChannel) Account() string { return "7203115544" }
func (failingChannel) Send(context.Context, bot.Row) (string, error) {
	return "", &bot.SendError{Why: "Sulistyowandari", Err: errors.New("Poipet")}
}

// failingStore is a store that keeps nothing but what was put aside.
type failingStore struct{ bot.Store }

func (failingStore) Load(context.Context, string, bot.Contact, string) (bot.Snapshot, error) {
	return bot.Snapshot{}, errors.New("Sulistyowandari of Poipet")
}
func (failingStore) SetAside(context.Context, string, bot.Aside) error { return nil }

func scrape(t testing.TB, m *metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	b, err := io.ReadAll(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v %s", w.Code, err, b)
	}
	return string(b)
}

// Nothing that was planted gets into /metrics, and no label has a value outside its closed set.
func TestMetricsHoldNoPersons(t *testing.T) {
	body := scrape(t, testMetrics(t))
	for _, planted := range []string{"62111222333", "7203115544", "Sulistyowandari", "Cendrawasih", "Kenanga", "Hartawan", "Poipet", "K7M4"} {
		if strings.Contains(body, planted) {
			t.Errorf("%q is in /metrics", planted)
		}
	}
	all := samples(t, body)
	checkLabels(t, all)
	for _, want := range []struct {
		name   string
		labels []string
		value  float64
	}{
		{"hotline_messages_total", []string{"kind", "other", "result", "refused"}, 1},
		{"hotline_send_errors_total", []string{"why", "other"}, 2},
		{"hotline_alerts_total", []string{"result", "failed"}, 1},
		{"hotline_set_aside_total", []string{"channel", "telegram"}, 1},
		{"hotline_open_cases", []string{"class", "P1", "mission", "kh"}, 3},
		{"hotline_overdue_cases", []string{"class", "P1"}, 1},
		{"hotline_outbox_contacts", []string{"channel", "telegram", "lane", "bot"}, 4},
		{"hotline_dead_letters", []string{"line", "kh"}, 2},
		{"hotline_timers_overdue_seconds", nil, 0},
		{"hotline_check_ok", []string{"check", "redis"}, 1},
		{"hotline_channel_up", []string{"channel", "telegram", "line", "kh"}, 0},
		{"hotline_store_up", nil, 1},
		{"hotline_redis_memory_used_ratio", nil, .5},
	} {
		if got, ok := find(all, want.name, want.labels...); !ok || got != want.value {
			t.Errorf("%s%v = %v, want %v", want.name, want.labels, got, want.value)
		}
	}
	for name, atLeast := range map[string]float64{"hotline_oldest_unanswered_seconds": 3 * 3600, "hotline_oldest_unread_p1_seconds": 120,
		"hotline_dead_letters_oldest_seconds": 3600} {
		if got, _ := find(all, name); got < atLeast || got > atLeast+60 {
			t.Errorf("%s is %v, want about %v", name, got, atLeast)
		}
	}
}

// A store that cannot be read is said to be down, and no old number stands in for it.
func TestVitalsOfAStoreThatIsDown(t *testing.T) {
	m := newMetrics("test")
	v := &vitals{store: fakeVitals{}, missions: []string{"kh"}, log: slog.New(slog.DiscardHandler)}
	m.registry.MustRegister(v)
	if up, _ := find(samples(t, scrape(t, m)), "hotline_store_up"); up != 1 {
		t.Fatal("the store is up")
	}
	v.store, v.at = fakeVitals{err: errors.New("gone")}, time.Time{}
	all := samples(t, scrape(t, m))
	if up, ok := find(all, "hotline_store_up"); !ok || up != 0 {
		t.Errorf("hotline_store_up %v %v", up, ok)
	}
	if n, ok := find(all, "hotline_open_cases"); ok {
		t.Errorf("a store that is down has %v open cases", n)
	}
}
