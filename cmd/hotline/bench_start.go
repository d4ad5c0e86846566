package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/cmd/hotline/bench"
	"pulang/flows"
	"pulang/flows/casework"
)

// start measures the time from the program's start to its first answer.
func (c *benchCmd) start(ctx context.Context, s *Settings, o bench.Options, io *streams) error {
	missions, err := (&Settings{Missions: o.Mission}).loadMissions()
	if err != nil {
		return err
	}
	bar := progressOf(io.err, c.Cases, "  Open cases")
	so := bench.StartOptions{Options: o, Cases: c.Cases, Runs: c.Runs, Fill: func(ctx context.Context, url, keyFile string, walked []string, cases int) error {
		return fillStore(ctx, missions, url, keyFile, walked, cases, func() { _ = bar.Add(1) })
	}}
	if err := so.Check(); err != nil {
		return usageError{err}
	}
	res, err := bench.Start(ctx, so)
	_ = bar.Finish()
	if err != nil {
		return fmt.Errorf("bench start: %w", err)
	}
	if c.JSON {
		return json.NewEncoder(io.out).Encode(res)
	}
	return res.Write(io.out)
}

// fillStore copies the cases and conversations of those who walked the intake on the first mission's line until there
// are so many more: other people, other codes, all classes, due within a day before and after now, with their timers.
func fillStore(ctx context.Context, missions []*bot.Mission, url, keyFile string, walked []string, cases int, each func()) (err error) {
	client, err := store.Dial(url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	st, err := store.Open(ctx, store.Options{Client: client, KeyFile: keyFile, Lines: storeLines(missions), Mode: store.ModeReal,
		RowLease: bot.RowLease, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	m := missions[0]
	var from []bot.Snapshot
	who := bot.Contact{Channel: "telegram", Account: bench.Account}
	for _, address := range walked {
		who.Address = address
		snap, err := st.Load(ctx, m.Code, who, "")
		if err != nil {
			return err
		}
		if snap.Case == nil {
			return errors.New("a citizen who walked the intake has no case")
		}
		from = append(from, snap)
	}
	now := time.Now()
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range 64 {
		g.Go(func() error {
			for {
				n := int(next.Add(1)) - 1
				if n >= cases {
					return nil
				}
				if err := fillOne(ctx, st, m, from[n%len(from)], n, now); err != nil {
					return err
				}
				each()
			}
		})
	}
	return g.Wait()
}

// fillOne commits one more case like that of from.
func fillOne(ctx context.Context, st *store.Store, m *bot.Mission, from bot.Snapshot, n int, now time.Time) error {
	who := bot.Contact{Channel: "telegram", Account: bench.Account, Address: strconv.Itoa(800_000_000_000 + n)}
	c := from.Case.Clone()
	c.ID, c.CreatedAt = ulid.Make().String(), now.Add(-time.Duration(n%(20*24))*time.Hour)
	c.Contacts = []casework.Contact{{Channel: who.Channel, Account: who.Account, Address: who.Address}}
	// as on a bad day: few P1, half of them P3
	c.Triage.Class = []casework.Class{casework.P1, casework.P2, casework.P2, casework.P3, casework.P3, casework.P3, casework.P3, casework.P3,
		casework.P4, casework.P4, casework.P4, casework.P4}[n/7%12]
	c.Peak, c.DueAt = c.Triage.Class, now.Add(time.Duration(n%2880-1440)*time.Minute)
	state := from.State
	for {
		c.Code = casework.NewCode(m.Prefix, [5]byte(random(5)))
		state.Case = c.Code
		ch := bot.Change{Line: m.Code, Request: "bench start " + strconv.Itoa(n), Who: &who, State: &state, Case: c, Wrote: true}
		for i := range 6 {
			in := flows.Input{Kind: flows.KindText, ID: strconv.Itoa(10*n + i), Text: "jawaban warga", At: now}
			ch.Entries = append(ch.Entries, bot.Entry{At: now, Kind: "in", Input: &in, Channel: who.Channel})
		}
		for _, t := range casework.Timers(c, now, m.Rules()) {
			at := t.At
			if at.Before(now) { // what was due is done: a service that was only restarted
				at = now.Add(time.Hour)
			}
			ch.Timers = append(ch.Timers, bot.Timer{Line: m.Code, Name: t.Name, CaseID: c.ID, At: at})
		}
		_, err := st.Commit(ctx, ch)
		if !errors.Is(err, bot.ErrCodeTaken) {
			return err
		}

	}
}
