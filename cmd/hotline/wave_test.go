package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/needed"
	"pulang/flows/casework"
	"pulang/locales"
)

// newDemo opens a demo's store and builds its service; nothing listens.
func newDemo(t *testing.T) (*service, *opened) {
	t.Helper()
	needed.Program(t, "redis-server")
	missions, err := demoMissions()
	if err != nil {
		t.Fatal(err)
	}
	cat, err := locales.New()
	if err != nil {
		t.Fatal(err)
	}
	s := &Settings{}
	log := slog.New(slog.DiscardHandler)
	o, err := openDemo(t.Context(), s, t.TempDir(), missions, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.close(); err != nil {
			t.Error(err)
		}
	})
	words, err := s.lexicon()
	if err != nil {
		t.Fatal(err)
	}
	svc := &service{settings: s, log: log, missions: missions, cat: cat, words: words, demo: true, store: o.store}
	if err := svc.build(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	return svc, o
}

// The wave fills the desk at whatever hour the demo is started: every class and lateness, several stages, cases marked
// as simulated, none of them twice.
func TestWave(t *testing.T) {
	for _, hour := range []time.Duration{0, 4, 10, 16} {
		t.Run(fmt.Sprintf("until %02d.30", hour), func(t *testing.T) {
			wholeWave(t, func(m *bot.Mission) time.Time {
				y, mo, d := time.Now().In(m.Location()).Date()
				return time.Date(y, mo, d-1, 0, 30, 0, 0, m.Location()).Add(hour * time.Hour).UTC()
			})
		})
	}
}

func wholeWave(t *testing.T, until func(*bot.Mission) time.Time) {
	svc, o := newDemo(t)
	// The draws are another day's every day, and what a third of the whole wave leaves to chance is little: of a ninth
	// the officers meet so few that some days every open case stood at one stage or two.
	const people = wavePeople / 3
	hurry(t.Context(), o, "everysec")
	mark := waveMark{Seed: 7, End: until(svc.missions[0]), People: people}
	play := func() {
		t.Helper()
		w, err := newWave(t.Context(), svc, o, mark)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.play(t.Context(), progress(nil, people), func(waveMark) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if err := w.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	play()
	t.Logf("%d people in %v", people, time.Since(began))

	items := openCases(t, o)
	now := mark.End
	classes, stages, late := map[casework.Class]int{}, map[casework.Stage]int{}, 0
	for _, i := range items {
		c := i.Case
		if !c.Simulated {
			t.Fatalf("case %s is not marked as simulated", c.Code)
		}
		if c.CreatedAt.After(now) || now.Sub(c.CreatedAt) > 5*day+time.Hour {
			t.Errorf("case of %v, outside the five days", c.CreatedAt)
		}
		classes[casework.Effective(c, now)]++
		stages[c.Stage]++
		if c.DueAt.Before(now) {
			late++
		}
	}
	t.Logf("open %d, late %d, classes %v, stages %v", len(items), late, classes, stages)
	for _, c := range []casework.Class{casework.P1, casework.P2, casework.P3, casework.P4} {
		if classes[c] == 0 {
			t.Errorf("no open %s", c)
		}
	}
	if late == 0 || late == len(items) || len(stages) < 3 {
		t.Errorf("%d of %d late, stages %v: the groups of the queue are not filled", late, len(items), stages)
	}
	for i := people - len(newest); i < people; i++ {
		n := slices.IndexFunc(items, func(q bot.QueueItem) bool {
			return slices.ContainsFunc(q.Case.Contacts, func(c casework.Contact) bool { return c.Address == simContact(i).Address })
		})
		if n < 0 || len(items[n].Case.Attempts) > 0 {
			t.Errorf("the last but %d to arrive is not in the queue, or an officer of the demo met them", people-1-i)
		}
	}
	// Again, as after a crash in the middle: everybody is known, nobody comes twice.
	before := len(items)
	play()
	if n := len(openCases(t, o)); n > before {
		t.Errorf("%d open cases, %d before the repeat", n, before)
	}
}

func openCases(t *testing.T, o *opened) []bot.QueueItem {
	t.Helper()
	page, err := o.store.Queue(context.Background(), o.missions[0].Code, time.Now(), mostListed)
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}
