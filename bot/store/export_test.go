package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

func asked(id string) bot.ExportAsk {
	return bot.ExportAsk{ID: id, Mission: "kh", Kind: "nominal", Reason: "daftar untuk SPLP", By: "Sari Contoh", At: deskNow}
}

// A file with personal data takes two people, is written once, and within a day.
func TestExportTakesTwo(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		s.rdb.AddHook(twice{}) // every answer is lost once
		lapse := func(id string) { s.rdb.HSet(ctx, keyExport(id), "unt", time.Now().Add(-time.Second).UnixMilli()) }
		must(t, s.AskExport(ctx, asked("A")))
		if _, err := s.TakeExport(ctx, "A", "Sari Contoh"); !errors.Is(err, ErrExportState) {
			t.Errorf("taken before anybody approved: %v", err)
		}
		for _, self := range []string{"Sari Contoh", "  sari   CONTOH "} { // the same account
			if _, err := s.DecideExport(ctx, "A", self, true); !errors.Is(err, ErrOwnExport) {
				t.Errorf("approved by %q: %v", self, err)
			}
		}
		a, err := s.DecideExport(ctx, "A", "Budi", true)
		if err != nil || a.Second != "Budi" || a.State != bot.ExportAllowed || a.By != "Sari Contoh" || a.Reason != "daftar untuk SPLP" ||
			time.Until(a.Until) > bot.ExportLife || time.Until(a.Until) < bot.ExportLife-time.Minute {
			t.Fatalf("%+v, %v", a, err)
		}
		if _, err := s.DecideExport(ctx, "A", "Cici", false); !errors.Is(err, ErrExportState) {
			t.Errorf("answered a second time: %v", err)
		}
		if _, err := s.TakeExport(ctx, "A", "Budi"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("taken by somebody else: %v", err)
		}
		if a, err := s.TakeExport(ctx, "A", "Sari Contoh"); err != nil || a.Second != "Budi" {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := s.TakeExport(ctx, "A", "Sari Contoh"); !errors.Is(err, ErrExportState) {
			t.Errorf("taken twice: %v", err)
		}

		must(t, s.AskExport(ctx, asked("B")))
		if _, err := s.DecideExport(ctx, "B", "Budi", false); err != nil {
			t.Error(err)
		}
		if a, err := s.TakeExport(ctx, "B", "Sari Contoh"); !errors.Is(err, ErrExportState) || a.State != bot.ExportRefused {
			t.Errorf("a refused one: %+v, %v", a, err)
		}

		must(t, s.AskExport(ctx, asked("C")))
		lapse("C")
		if _, err := s.DecideExport(ctx, "C", "Budi", true); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("approved after a day: %v", err)
		}
		must(t, s.AskExport(ctx, asked("D")))
		_, err = s.DecideExport(ctx, "D", "Budi", true)
		must(t, err)
		lapse("D")
		if _, err := s.TakeExport(ctx, "D", "Sari Contoh"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("taken a day after it was approved: %v", err)
		}
		for _, id := range []string{"", "E", "a"} {
			if _, err := s.DecideExport(ctx, id, "Budi", true); !errors.Is(err, bot.ErrNotFound) {
				t.Errorf("a request that nobody made: %v", err)
			}
		}
		all, err := s.Exports(ctx, time.Now())
		if err != nil || len(all) != 4 {
			t.Errorf("%d requests are listed, %v", len(all), err)
		}
		for _, a := range all {
			if ttl := s.rdb.PTTL(ctx, keyExport(a.ID)).Val(); ttl <= 0 || ttl > 2*bot.ExportLife {
				t.Errorf("%s stays for %s", a.ID, ttl)
			}
		}
		if all, err := s.Exports(ctx, time.Now().Add(25*time.Hour)); err != nil || len(all) != 0 {
			t.Errorf("a day later: %d, %v", len(all), err)
		}
		// Neither reason nor names are to be read in Redis.
		for _, v := range s.rdb.HGetAll(ctx, keyExport("A")).Val() {
			if len(v) < 200 && (v == "Budi" || v == "Sari Contoh" || v == "daftar untuk SPLP") {
				t.Errorf("in clear: %q", v)
			}
		}
	})
}

// Of many that take one approved request at once, one gets it.
func TestExportTakenOnce(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	for round := range 20 {
		id := fmt.Sprint("R", round)
		must(t, s.AskExport(ctx, asked(id)))
		_, err := s.DecideExport(ctx, id, "Budi", true)
		must(t, err)
		got := make(chan error, 8)
		for range cap(got) {
			go func() { _, err := s.TakeExport(ctx, id, "Sari Contoh"); got <- err }()
		}
		won := 0
		for range cap(got) {
			if err := <-got; err == nil {
				won++
			} else if !errors.Is(err, ErrExportState) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: taken %d times", round, won)
		}
	}
}

// Every case of a mission is read once, closed ones too, in whichever line it is; erased ones and other missions' are not.
func TestEachCase(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		want := map[string]bool{}
		for i := range 450 {
			c := caseWith(i, casework.P3, deskNow)
			switch i % 9 {
			case 0:
				c.ClosedAs, c.ClosedAt = "returned", deskNow
			case 1:
				c.Mission = "mm"
			case 2:
				c.Line = "mm"
			}
			store1(t, s, c)
			if i%9 == 3 && i < 50 {
				if err := s.Erase(ctx, c.Line, c.ID); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if c.Mission == "kh" {
				want[c.ID] = true
			}
		}
		must(t, s.EachCase(ctx, "kh", func(c *casework.Case) error {
			if !want[c.ID] {
				t.Errorf("%s of %s is too many", c.ID, c.Mission)
			}
			delete(want, c.ID)
			return nil
		}))
		if len(want) > 0 {
			t.Errorf("%d are missing", len(want))
		}
		stop := errors.New("stop")
		if err := s.EachCase(ctx, "kh", func(*casework.Case) error { return stop }); err != stop {
			t.Error(err)
		}
	})
}
