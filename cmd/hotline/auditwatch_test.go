package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/needed"
	"pulang/bot/store"
)

// watching is a watch on a real store, with the client of somebody who can write to Redis.
type watching struct {
	*auditWatch
	t     *testing.T
	st    *store.Store
	redis redis.UniversalClient
	logs  bytes.Buffer
}

func newWatching(t *testing.T) *watching {
	t.Helper()
	needed.Program(t, "redis-server")
	rdb, err := store.Dial(startRedis(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	st, err := store.Open(t.Context(), store.Options{Client: rdb, KeyFile: filepath.Join(dir, "keys.json"), Lines: []store.Line{{Code: "kh"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close(); _ = rdb.Close() })
	w := &watching{t: t, st: st, redis: rdb}
	w.auditWatch = &auditWatch{store: st, path: filepath.Join(dir, "heads", "audit-heads"), lines: []string{"kh", store.StaffLine}}
	w.begin()
	return w
}

// okOf is the gauge of a line.
func okOf(ok *prometheus.GaugeVec, line string) float64 {
	all := prometheus.NewRegistry()
	all.MustRegister(ok)
	families, _ := all.Gather() // what is missing reads as not ok
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == line {
				return m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

// begin is a new start of the program on the same file.
func (w *watching) begin() {
	w.ok = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "ok"}, []string{"line"})
	w.log = slog.New(slog.NewTextHandler(&w.logs, nil))
	if w.clock == nil {
		w.clock = time.Now
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // one round that reads nothing, then the end
	if err := w.run(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watching) rows(n int) {
	w.t.Helper()
	for range n {
		if err := w.st.Record(w.t.Context(), "kh", bot.Audit{Who: "Sari Rahasia", What: "open", Code: "K7M4-692L"}); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := w.st.SealAudit(w.t.Context(), "kh"); err != nil {
		w.t.Fatal(err)
	}
}

// says looks and compares the gauge of the line.
func (w *watching) says(ok bool, when string) {
	w.t.Helper()
	w.look(w.t.Context())
	if got := okOf(w.ok, "kh") == 1; got != ok {
		w.t.Fatalf("%s: ok is %v, want %v\n%s", when, got, ok, w.logs.String())
	}
	if alarms := strings.Count(w.logs.String(), "level=ERROR"); ok && alarms > 0 || !ok && alarms != 1 {
		w.t.Fatalf("%s: %d alarms\n%s", when, alarms, w.logs.String())
	}
	for _, leak := range []string{"Rahasia", "K7M4"} {
		if strings.Contains(w.logs.String(), leak) {
			w.t.Errorf("%s: the log says %q", when, leak)
		}
	}
	if okOf(w.ok, store.StaffLine) != 1 {
		w.t.Errorf("%s: another log's alarm", when)
	}
}

// The log goes on over starts, and each way of changing it raises one alarm: a row that is changed, an older copy put
// back while the program ran, and one put back while it was down.
func TestAuditWatch(t *testing.T) {
	t.Parallel()
	chain, log := "{kh}:audit:chain", "{kh}:audit"
	for name, tamper := range map[string]func(w *watching){
		"cut": func(w *watching) { w.redis.LTrim(w.t.Context(), log, 0, 9); w.redis.LTrim(w.t.Context(), chain, 0, 9) },
		"cut while it was down": func(w *watching) {
			w.redis.LTrim(w.t.Context(), log, 0, 9)
			w.redis.LTrim(w.t.Context(), chain, 0, 9)
			w.rows(30) // and others written since
			w.begin()
		},
		"a row changed": func(w *watching) {
			a, b := w.redis.LIndex(w.t.Context(), log, 3).Val(), w.redis.LIndex(w.t.Context(), log, 4).Val()
			w.redis.LSet(w.t.Context(), log, 3, b)
			w.redis.LSet(w.t.Context(), log, 4, a)
		},
		"everything gone": func(w *watching) { w.redis.Del(w.t.Context(), log, chain) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatching(t)
			w.says(true, "an empty log")
			for range 3 {
				w.rows(7)
				w.says(true, "the log goes on")
			}
			w.begin()
			w.rows(2)
			w.says(true, "after a start")
			kept, err := os.ReadFile(w.path)
			if err != nil {
				t.Fatal(err)
			}
			if st, err := os.Stat(w.path); err != nil || st.Mode().Perm() != 0o600 || bytes.Count(kept, []byte("\n")) > 2 {
				t.Errorf("%v %v\n%s", st, err, kept)
			}
			if heads, err := readAnchor(w.path); err != nil || len(heads) == 0 || heads[len(heads)-1].Seq != 23 {
				t.Errorf("as an anchor: %+v, %v", heads, err)
			}
			tamper(w)
			w.says(false, name)
			w.says(false, name+", asked again")
			if now, err := os.ReadFile(w.path); err != nil || !bytes.Equal(now, kept) {
				t.Errorf("the evidence was changed: %s", now)
			}
		})
	}
}

// A Redis that does not answer is no alarm; a file that somebody spoiled is one.
func TestAuditWatchOfSpoiledFile(t *testing.T) {
	t.Parallel()
	w := newWatching(t)
	w.rows(3)
	w.says(true, "before")
	real := w.store
	w.store = noAudit{}
	w.says(true, "Redis does not answer")
	w.store = real
	if err := os.WriteFile(w.path, []byte("{\"line\":\"kh\",\"seq\":3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.begin()
	if okOf(w.ok, "kh") != 0 || !strings.Contains(w.logs.String(), "line 1") {
		t.Error(w.logs.String())
	}
}

type noAudit struct{}

func (noAudit) ContinueAudit(context.Context, string, store.AuditHead) (store.AuditHead, error) {
	return store.AuditHead{}, errors.New("no answer")
}

func (noAudit) VerifyAuditFrom(context.Context, string, int64) (int64, error) {
	return 0, errors.New("no answer")
}

// Of each hour one end is kept, of eight days at most, and always the newest.
func TestAuditHeadsKept(t *testing.T) {
	now := time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)
	w := &auditWatch{heads: map[string][]keptHead{}, clock: func() time.Time { return now }}
	for i := range 300 * 4 {
		w.keep("kh", store.AuditHead{Line: "kh", Seq: int64(i + 1)})
		now = now.Add(15 * time.Minute)
	}
	all := w.heads["kh"]
	if len(all) != mostHeads || all[len(all)-1].Seq != 1200 {
		t.Errorf("%d heads, the newest %d", len(all), all[len(all)-1].Seq)
	}
	for i := 1; i < len(all)-1; i++ {
		if d := all[i].At.Sub(all[i-1].At); d != time.Hour {
			t.Fatalf("%s between two", d)
		}
	}
}
