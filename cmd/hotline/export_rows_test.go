package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/locales"
)

// A count that cannot be made is no number and no hindrance, and is not tried again at once.
func TestExportRowsUnknown(t *testing.T) {
	t.Parallel()
	mr := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: mr.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	m, err := bot.ParseMission([]byte(bot.ExampleMission()))
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Options{Client: client, KeyFile: filepath.Join(t.TempDir(), "keys.json"), Lines: storeLines([]*bot.Mission{m}),
		Mode: store.ModeReal, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	cat, err := locales.New()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	r := newExportRows(st, cat, slog.New(slog.NewTextHandler(&log, nil)))
	ask := func(id, kind string) bot.ExportAsk {
		return bot.ExportAsk{ID: id, Mission: m.Code, Kind: kind, From: "2026-01-16", Reason: "kanarialasan"}
	}
	if got := r.count(t.Context(), m, []bot.ExportAsk{ask("A", "nominal"), ask("B", "operational")}); got[0] != 0 || got[1] != 0 {
		t.Errorf("of nobody: %v", got)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got := r.count(gone, m, []bot.ExportAsk{ask("C", "nominal")}); got[0] != -1 || len(r.kept) != 2 {
		t.Errorf("for a page that nobody reads: %v, %d kept", got, len(r.kept))
	}
	mr.SetError("broken")
	for range 2 {
		if got := r.count(t.Context(), m, []bot.ExportAsk{ask("A", "nominal"), ask("C", "nominal")}); got[0] != 0 || got[1] != -1 {
			t.Errorf("the store away: %v", got)
		}
	}
	if n := strings.Count(log.String(), "not counted"); n != 1 || strings.Contains(log.String(), "kanari") {
		t.Errorf("%d lines: %s", n, log.String())
	}
	mr.SetError("")
	r.kept["C"] = keptRows{-1, time.Now().Add(-2 * countKept)}
	if got := r.count(t.Context(), m, []bot.ExportAsk{ask("C", "nominal")}); got[0] != 0 {
		t.Errorf("a minute later: %v", got)
	}

	// Somebody else counts: it is not waited for longer than the page may take.
	r.one <- struct{}{}
	soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if got := r.count(soon, m, []bot.ExportAsk{ask("D", "nominal")}); got[0] != -1 {
		t.Error(got)
	}
}
