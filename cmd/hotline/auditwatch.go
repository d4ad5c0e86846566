package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pulang/bot/store"
	"pulang/bot/whole"
)

// auditWatch keeps the ends of the audit chains outside Redis and compares them: every minute each chain has to go on
// from the end that was known, and a part of the older log is verified as well, round and round. Whoever can write to
// Redis alone cannot change the log unseen, nor put an older one in its place.
type auditWatch struct {
	store auditStore
	path  string
	lines []string
	ok    *prometheus.GaugeVec // 1 while a line's log is as it was written; stays 0 until the next start
	log   *slog.Logger
	clock func() time.Time

	heads  map[string][]keptHead // by line, oldest first
	at     map[string]int64      // how far the look at the older log has come
	broken map[string]bool
	stuck  bool // the file cannot be read or written; said once
}

// auditStore is what the watch needs of the store.
type auditStore interface {
	ContinueAudit(ctx context.Context, line string, kept store.AuditHead) (store.AuditHead, error)
	VerifyAuditFrom(ctx context.Context, line string, from int64) (int64, error)
}

// keptHead is a line of the file, which `audit verify --anchor` reads as well.
type keptHead struct {
	store.AuditHead
	At time.Time `json:"at"`
}

const (
	watchAuditEvery = time.Minute
	// mostHeads is how many ends are kept of each line, one an hour: eight days.
	mostHeads = 192
)

// run looks until ctx ends.
func (w *auditWatch) run(ctx context.Context) error {
	w.heads, w.at, w.broken = map[string][]keptHead{}, map[string]int64{}, map[string]bool{}
	for _, line := range w.lines {
		w.ok.WithLabelValues(line).Set(1)
	}
	w.read()
	tick := time.NewTicker(watchAuditEvery)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look is one round over all lines.
func (w *auditWatch) look(ctx context.Context) {
	moved := false
	for _, line := range w.lines {
		if w.broken[line] {
			continue // nothing that follows proves anything, and the file stays as evidence
		}
		var known store.AuditHead
		if n := len(w.heads[line]); n > 0 {
			known = w.heads[line][n-1].AuditHead
		}
		head, err := w.store.ContinueAudit(ctx, line, known)
		if err == nil {
			w.at[line], err = w.store.VerifyAuditFrom(ctx, line, w.at[line])
		}
		var broken *store.AuditBroken
		switch {
		case errors.As(err, &broken):
			w.broken[line] = true
			w.ok.WithLabelValues(line).Set(0)
			w.log.Error("the audit log is not as it was written: somebody changed it, or an older copy of Redis was put back; the runbook audit-broken.md says what to do",
				"line", line, "row", broken.Seq, "why", broken.Why, "last", known.Seq)
		case err != nil:
			if ctx.Err() == nil {
				w.log.Debug("audit log not compared", "line", line, "err", err)
			}
		case head.Seq > known.Seq:
			w.keep(line, head)
			moved = true
		}
	}
	if moved {
		w.write()
	}
}

// keep makes head the newest of its line; those of the same hour before it are no longer needed.
func (w *auditWatch) keep(line string, head store.AuditHead) {
	all, now := w.heads[line], w.clock().UTC()
	if n := len(all); n > 1 && all[n-2].At.Truncate(time.Hour).Equal(all[n-1].At.Truncate(time.Hour)) {
		all = all[:n-1]
	}
	all = append(all, keptHead{head, now})
	w.heads[line] = all[max(0, len(all)-mostHeads):]
}

// read takes up what was kept. A file that cannot be read is left alone, and is itself a reason for an alarm.
func (w *auditWatch) read() {
	kept, err := readHeads(w.path)
	if err != nil {
		w.stuck = true
		for _, line := range w.lines {
			w.broken[line] = true
			w.ok.WithLabelValues(line).Set(0)
		}
		w.log.Error("the kept ends of the audit log cannot be read; look who changed the file, and move it away to begin anew", "err", err)
		return
	}
	for _, h := range kept {
		w.heads[h.Line] = append(w.heads[h.Line], h)
	}
}

// readHeads reads the file, oldest first; no file is no heads.
func readHeads(path string) ([]keptHead, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, withoutPath(err)
	}
	var all []keptHead
	err = eachHead(raw, func(n int, line []byte) error {
		var h keptHead
		if json.Unmarshal(line, &h) != nil || h.Line == "" || h.Seq < 1 || len(h.Link) != 64 {
			return fmt.Errorf("line %d is not the end of an audit log", n)
		}
		all = append(all, h)
		return nil
	})
	return all, err
}

// write keeps all heads, whole or not at all.
func (w *auditWatch) write() {
	var b []byte
	for _, line := range w.lines {
		for _, h := range w.heads[line] {
			row, err := json.Marshal(h)
			if err != nil {
				continue // of numbers and texts: it never fails
			}
			b = append(append(b, row...), '\n')
		}
	}
	err := os.MkdirAll(filepath.Dir(w.path), 0o700)
	if err == nil {
		err = whole.Write(w.path, b)
	}
	if (err != nil) != w.stuck {
		if w.stuck = err != nil; w.stuck {
			w.log.Error("the ends of the audit log are not kept outside Redis: set HOTLINE_AUDIT_HEADS to a file that can be written", "err", withoutPath(err))
		}
	}
}
