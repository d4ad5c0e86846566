package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/cmd/hotline/export"
	"pulang/flows/casework"
	"pulang/locales"
)

// readSet makes the table of a set.
func readSet(ctx context.Context, st *store.Store, set *export.Set) (*export.Table, error) {
	if set.Kind == export.Operational {
		page, err := st.Queue(ctx, set.Mission.Code, set.Now, mostListed)
		if err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		return set.Queue(page.Items)
	}
	all, err := everyCase(ctx, st, set.Mission)
	if err != nil {
		return nil, err
	}
	return set.Cases(all)
}

func everyCase(ctx context.Context, st *store.Store, m *bot.Mission) (all []*casework.Case, err error) {
	err = st.EachCase(ctx, m.Code, func(c *casework.Case) error { all = append(all, c); return nil })
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return all, nil
}

// Counting reads every case of a mission: one count at a time, told again for a minute, and given up rather than waited
// for.
const (
	countKept   = time.Minute
	countAtMost = 3 * time.Second
)

// exportRows counts for the desk how many rows a requested file would have. No row of it leaves the count.
type exportRows struct {
	store *store.Store
	texts *locales.Catalogue
	log   *slog.Logger
	one   chan struct{} // of size 1: whoever puts something in counts
	kept  map[string]keptRows
}

type keptRows struct {
	rows int
	at   time.Time
}

func newExportRows(st *store.Store, texts *locales.Catalogue, log *slog.Logger) *exportRows {
	return &exportRows{store: st, texts: texts, log: log, one: make(chan struct{}, 1), kept: map[string]keptRows{}}
}

// count is desk.Options.ExportRows.
func (r *exportRows) count(ctx context.Context, m *bot.Mission, asks []bot.ExportAsk) []int {
	ctx, cancel := context.WithTimeout(ctx, countAtMost)
	defer cancel()
	out := make([]int, len(asks))
	for i := range out {
		out[i] = -1
	}
	select {
	case r.one <- struct{}{}:
		defer func() { <-r.one }()
	case <-ctx.Done():
		return out
	}
	now := time.Now()
	for id, k := range r.kept {
		if now.Sub(k.at) > countKept {
			delete(r.kept, id)
		}
	}
	var all []*casework.Case // read once for all of them
	for i, a := range asks {
		k, ok := r.kept[a.ID]
		if !ok {
			var err error
			k.at = now
			if k.rows, all, err = r.rows(ctx, m, a, all, now); err != nil {
				if errors.Is(ctx.Err(), context.Canceled) {
					return out // nobody reads the page any more
				}
				r.log.Warn("rows of a requested export not counted", "err", err)
				k.rows = -1 // nor tried again within the minute
			}
			r.kept[a.ID] = k
		}
		out[i] = k.rows
	}
	return out
}

func (r *exportRows) rows(ctx context.Context, m *bot.Mission, a bot.ExportAsk, all []*casework.Case, now time.Time) (int, []*casework.Case, error) {
	set := &export.Set{Kind: export.Kind(a.Kind), Personal: true, Mission: m, Lang: "id", Texts: r.texts, Now: now}
	err := setDays(set, a)
	if err == nil && set.Kind != export.Operational && all == nil {
		all, err = everyCase(ctx, r.store, m)
	}
	if err != nil {
		return 0, all, err
	}
	var t *export.Table
	if set.Kind == export.Operational {
		t, err = readSet(ctx, r.store, set)
	} else {
		t, err = set.Cases(all)
	}
	switch {
	case errors.Is(err, export.ErrRows):
		return export.MostRows + 1, all, nil
	case err != nil:
		return 0, all, err
	}
	return len(t.Rows), all, nil
}

// setDays narrows a set to the days of the request for it.
func setDays(set *export.Set, a bot.ExportAsk) error {
	var from, to localDay
	var err error
	if a.From != "" {
		err = from.UnmarshalText([]byte(a.From))
	}
	if a.To != "" && err == nil {
		err = to.UnmarshalText([]byte(a.To))
	}
	set.From, set.To = from.Time, to.Time
	return err
}
