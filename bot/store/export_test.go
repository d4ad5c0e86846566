package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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
		decide := func(id, second string, allow bool) (bot.ExportAsk, error) {
			return s.DecideExport(ctx, "kh", id, second, allow, time.Now(), bot.Audit{})
		}
		must(t, s.AskExport(ctx, asked("A"), bot.Audit{}))
		if _, err := s.TakeExport(ctx, "A", "Sari Contoh"); !errors.Is(err, bot.ErrExportState) {
			t.Errorf("taken before anybody approved: %v", err)
		}
		for _, self := range []string{"Sari Contoh", "  sari   CONTOH "} { // the same account
			if _, err := decide("A", self, true); !errors.Is(err, bot.ErrOwnExport) {
				t.Errorf("approved by %q: %v", self, err)
			}
		}
		a, err := decide("A", "Budi", true)
		if err != nil || a.Second != "Budi" || a.State != bot.ExportAllowed || a.By != "Sari Contoh" || a.Reason != "daftar untuk SPLP" ||
			time.Until(a.Until) > bot.ExportLife || time.Until(a.Until) < bot.ExportLife-time.Minute {
			t.Fatalf("%+v, %v", a, err)
		}
		if _, err := decide("A", "Cici", false); !errors.Is(err, bot.ErrExportState) {
			t.Errorf("answered a second time: %v", err)
		}
		if _, err := s.TakeExport(ctx, "A", "Budi"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("taken by somebody else: %v", err)
		}
		if a, err := s.TakeExport(ctx, "A", "Sari Contoh"); err != nil || a.Second != "Budi" {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := s.TakeExport(ctx, "A", "Sari Contoh"); !errors.Is(err, bot.ErrExportState) {
			t.Errorf("taken twice: %v", err)
		}

		must(t, s.AskExport(ctx, asked("B"), bot.Audit{}))
		if _, err := decide("B", "Budi", false); err != nil {
			t.Error(err)
		}
		if a, err := s.TakeExport(ctx, "B", "Sari Contoh"); !errors.Is(err, bot.ErrExportState) || a.State != bot.ExportRefused {
			t.Errorf("a refused one: %+v, %v", a, err)
		}

		must(t, s.AskExport(ctx, asked("C"), bot.Audit{}))
		lapse("C")
		if _, err := decide("C", "Budi", true); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("approved after a day: %v", err)
		}
		must(t, s.AskExport(ctx, asked("D"), bot.Audit{}))
		_, err = decide("D", "Budi", true)
		must(t, err)
		lapse("D")
		if _, err := s.TakeExport(ctx, "D", "Sari Contoh"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("taken a day after it was approved: %v", err)
		}
		for _, id := range []string{"", "E", "a"} {
			if _, err := decide(id, "Budi", true); !errors.Is(err, bot.ErrNotFound) {
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

// heard counts those of as many attempts as the channel holds that took effect; the others came too late.
func heard(t *testing.T, got <-chan error) (won int) {
	t.Helper()
	for range cap(got) {
		if err := <-got; err == nil {
			won++
		} else if !errors.Is(err, bot.ErrExportState) {
			t.Error(err)
		}
	}
	return won
}

// Of many that take one approved request at once, one gets it.
func TestExportTakenOnce(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	for round := range 20 {
		id := fmt.Sprint("R", round)
		must(t, s.AskExport(ctx, asked(id), bot.Audit{}))
		_, err := s.DecideExport(ctx, "kh", id, "Budi", true, time.Now(), bot.Audit{})
		must(t, err)
		got := make(chan error, 8)
		for range cap(got) {
			go func() { _, err := s.TakeExport(ctx, id, "Sari Contoh"); got <- err }()
		}
		won := heard(t, got)
		if won != 1 {
			t.Fatalf("round %d: taken %d times", round, won)
		}
	}
}

// Who asked takes the request back, waiting or allowed; nobody else does, and from then on nobody allows or writes it.
func TestExportWithdrawn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		s.rdb.AddHook(twice{}) // every answer is lost once
		row := bot.Audit{At: deskNow, Who: "Sari Contoh", What: "export_withdraw"}
		rows := func() (all []bot.Audit) {
			t.Helper()
			log, err := s.AuditLog(ctx, "kh", 100)
			must(t, err)
			for _, a := range log {
				if a.What == row.What {
					all = append(all, a)
				}
			}
			return all
		}
		withdraw := func(mission, id, by string) (bot.ExportAsk, error) {
			return s.WithdrawExport(ctx, mission, id, by, time.Now(), row)
		}
		decide := func(id string, allow bool) error {
			_, err := s.DecideExport(ctx, "kh", id, "Budi", allow, time.Now(), bot.Audit{})
			return err
		}
		for _, id := range []string{"A", "B", "C", "D", "E"} {
			must(t, s.AskExport(ctx, asked(id), bot.Audit{}))
		}
		for _, try := range []struct{ mission, id, by string }{{"kh", "A", "Budi"}, {"mm", "A", "Sari Contoh"}, {"kh", "Z", "Sari Contoh"}, {"kh", "", "Sari Contoh"}} {
			if _, err := withdraw(try.mission, try.id, try.by); !errors.Is(err, bot.ErrNotFound) {
				t.Errorf("%+v: %v", try, err)
			}
		}
		if n := len(rows()); n != 0 {
			t.Errorf("%d rows of what nobody may do", n)
		}
		for range 2 { // the button pressed twice
			if a, err := withdraw("kh", "A", "  sari   CONTOH "); err != nil || a.State != bot.ExportWithdrawn || a.Second != "" {
				t.Fatalf("%+v, %v", a, err)
			}
		}
		if got := rows(); len(got) != 1 || got[0].Field != "nominal A" || got[0].Purpose != "daftar untuk SPLP" || got[0].Result != "" {
			t.Errorf("%+v", got)
		}
		must(t, decide("B", true))
		if a, err := withdraw("kh", "B", "Sari Contoh"); err != nil || a.State != bot.ExportWithdrawn || a.Second != "Budi" {
			t.Errorf("an allowed one: %+v, %v", a, err)
		}
		for _, id := range []string{"A", "B"} {
			if err := decide(id, true); !errors.Is(err, bot.ErrExportState) {
				t.Errorf("%s allowed after it was taken back: %v", id, err)
			}
			if err := decide(id, false); !errors.Is(err, bot.ErrExportState) {
				t.Errorf("%s refused after it was taken back: %v", id, err)
			}
			if a, err := s.TakeExport(ctx, id, "Sari Contoh"); !errors.Is(err, bot.ErrExportState) || a.State != bot.ExportWithdrawn {
				t.Errorf("%s written after it was taken back: %+v, %v", id, a, err)
			}
		}
		must(t, decide("C", false))
		must(t, decide("D", true))
		if _, err := s.TakeExport(ctx, "D", "Sari Contoh"); err != nil {
			t.Error(err)
		}
		for id, state := range map[string]string{"C": bot.ExportRefused, "D": bot.ExportTaken} {
			if a, err := withdraw("kh", id, "Sari Contoh"); !errors.Is(err, bot.ErrExportState) || a.State != state {
				t.Errorf("%s: %+v, %v", id, a, err)
			}
		}
		s.rdb.HSet(ctx, keyExport("E"), "unt", time.Now().Add(-time.Second).UnixMilli())
		if _, err := withdraw("kh", "E", "Sari Contoh"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("one that lapsed: %v", err)
		}
		if n := len(rows()); n != 2 {
			t.Errorf("%d rows of two that were taken back", n)
		}
	})
}

// Allowed, taken back and written at once, a request ends one way: its file is written, or it is taken back, never both.
func TestExportWithdrawnOnce(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	ends := map[string]int{}
	for round := range 40 {
		id := fmt.Sprint("W", round)
		must(t, s.AskExport(ctx, asked(id), bot.Audit{}))
		if round%2 == 0 {
			_, err := s.DecideExport(ctx, "kh", id, "Budi", true, time.Now(), bot.Audit{})
			must(t, err)
		}
		var did [3]error
		var wg sync.WaitGroup
		for i, do := range []func() error{
			func() error {
				_, err := s.DecideExport(ctx, "kh", id, "Budi", true, time.Now(), bot.Audit{})
				return err
			},
			func() error {
				_, err := s.WithdrawExport(ctx, "kh", id, "Sari Contoh", time.Now(), bot.Audit{})
				return err
			},
			func() error { _, err := s.TakeExport(ctx, id, "Sari Contoh"); return err },
		} {
			wg.Go(func() { did[i] = do() })
		}
		wg.Wait()
		for _, err := range did {
			if err != nil && !errors.Is(err, bot.ErrExportState) {
				t.Error(err)
			}
		}
		a, err := s.Export(ctx, id)
		must(t, err)
		ends[a.State]++
		if taken, back := did[2] == nil, did[1] == nil; taken == back || taken != (a.State == bot.ExportTaken) || back != (a.State == bot.ExportWithdrawn) {
			t.Fatalf("round %d: %s, allowed %v, taken back %v, written %v", round, a.State, did[0], did[1], did[2])
		}
		if waiting, err := s.ExportsAsking(ctx, "kh", time.Now()); err != nil || len(waiting) != 0 {
			t.Fatalf("round %d: %q wait, %v", round, waiting, err)
		}
	}
	t.Logf("%v", ends)
}

// The queue page tells whose requests wait, in the same round trip as its counts: those of its mission that have neither
// been answered nor taken back, nor lapsed.
func TestExportsAsking(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		tell := func(when time.Time, want ...string) {
			t.Helper()
			for _, mission := range []string{"kh", "mm"} {
				if mission == "mm" {
					want = []string{"Tin"}
				}
				if when.After(time.Now().Add(time.Hour)) {
					want = nil
				}
				got, err := s.ExportsAsking(ctx, mission, when)
				must(t, err)
				page, err := s.Queue(ctx, mission, when, 10)
				must(t, err)
				for _, got := range [][]string{got, page.Asking} {
					slices.Sort(got)
					if !slices.Equal(got, want) {
						t.Errorf("%s: %q wait, want %q", mission, got, want)
					}
				}
			}
		}
		other := asked("T")
		other.Mission, other.By = "mm", "Tin"
		must(t, s.AskExport(ctx, other, bot.Audit{}))
		tell(time.Now())
		trips := 0
		s.MeasureRoundTrips(func(time.Duration, error) { trips++ })
		read := func() int {
			trips = 0
			_, err := s.Queue(ctx, "kh", time.Now(), 10)
			must(t, err)
			return trips
		}
		without := read()
		for range 2 { // the same form twice
			for id, by := range map[string]string{"A": "Sari Contoh", "B": "Sari Contoh", "C": "Budi", "D": "Budi"} {
				a := asked(id)
				a.By = by
				must(t, s.AskExport(ctx, a, bot.Audit{}))
			}
		}
		tell(time.Now(), "Budi", "Budi", "Sari Contoh", "Sari Contoh")
		if with := read(); with != without || with == 0 {
			t.Errorf("%d round trips for the queue with requests, %d without", with, without)
		}
		for id, allow := range map[string]bool{"A": true, "C": false} {
			_, err := s.DecideExport(ctx, "kh", id, "Wati", allow, time.Now(), bot.Audit{})
			must(t, err)
		}
		tell(time.Now(), "Budi", "Sari Contoh")
		_, err := s.WithdrawExport(ctx, "kh", "B", "Sari Contoh", time.Now(), bot.Audit{})
		must(t, err)
		tell(time.Now(), "Budi")
		tell(time.Now().Add(bot.ExportLife + time.Minute))
		for _, v := range s.rdb.HGetAll(ctx, keyExportsAsked("kh")).Val() {
			if strings.Contains(v, "Budi") {
				t.Errorf("in clear: %q", v)
			}
		}
		// One that lapsed goes with the next; a name that cannot be read counts, and hides nothing.
		s.rdb.HSet(ctx, keyExportsAsked("kh"), "D", fmt.Sprint(time.Now().Add(-time.Second).UnixMilli(), " x"), "X", fmt.Sprint(time.Now().Add(time.Hour).UnixMilli(), " broken"))
		must(t, s.AskExport(ctx, asked("E"), bot.Audit{}))
		if n := s.rdb.HExists(ctx, keyExportsAsked("kh"), "D").Val(); n {
			t.Error("one that lapsed stays")
		}
		tell(time.Now(), "", "Sari Contoh")
		if ttl := s.rdb.PTTL(ctx, keyExportsAsked("kh")).Val(); ttl <= 0 || ttl > bot.ExportLife {
			t.Errorf("they stay for %s", ttl)
		}
	})
}

// Every word about a request has its row in the log of the mission whose cases it is about, before it counts; the same
// form twice has one. Another mission's desk cannot answer it, and of many who answer at once one is heard.
func TestExportIsAudited(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		row := func(what, who string) bot.Audit { return bot.Audit{At: deskNow, Who: who, What: what} }
		rows := func(what string) (all []bot.Audit) {
			t.Helper()
			log, err := s.AuditLog(ctx, "kh", 100)
			must(t, err)
			for _, a := range log {
				if a.What == what {
					all = append(all, a)
				}
			}
			return all
		}
		for range 2 {
			must(t, s.AskExport(ctx, asked("A"), row("export_request", "Sari Contoh")))
		}
		if got := rows("export_request"); len(got) != 1 || got[0].Field != "nominal A" || got[0].Purpose != "daftar untuk SPLP" {
			t.Errorf("%+v", got)
		}
		other := asked("A")
		other.By = "Cici"
		if err := s.AskExport(ctx, other, row("export_request", "Cici")); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("somebody else's number: %v", err)
		}
		decide := func(mission, id, second string, allow bool) error {
			_, err := s.DecideExport(ctx, mission, id, second, allow, time.Now(), row("export_approve", second))
			return err
		}
		if err := decide("mm", "A", "Budi", true); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("another mission's: %v", err)
		}
		if err := decide("kh", "A", "sari contoh", false); !errors.Is(err, bot.ErrOwnExport) {
			t.Errorf("refused by who asked: %v", err)
		}
		if got := rows("export_approve"); len(got) != 1 || got[0].Result != "own" {
			t.Errorf("%+v", got)
		}
		for range 2 { // the button pressed twice
			must(t, decide("kh", "A", "Budi", true))
		}
		if err := decide("kh", "A", "Budi", false); !errors.Is(err, bot.ErrExportState) {
			t.Errorf("another word afterwards: %v", err)
		}
		if got := rows("export_approve"); len(got) != 2 || got[0].Result != "" || got[0].Who != "Budi" || got[0].Field != "nominal A" || got[0].Purpose != "daftar untuk SPLP" {
			t.Errorf("%+v", got)
		}

		must(t, s.AskExport(ctx, asked("B"), row("export_request", "Sari Contoh")))
		got := make(chan error, 8)
		for i := range cap(got) {
			go func() { got <- decide("kh", "B", fmt.Sprint("orang ", i), i%2 == 0) }()
		}
		won := heard(t, got)
		late := 0
		all := rows("export_approve")
		for _, a := range all {
			if a.Result == "too late" {
				late++
			}
		}
		if won != 1 || len(all)-2-2*late != 1 {
			t.Errorf("%d were heard; %d rows, %d of them too late", won, len(all)-2, late)
		}

		// What cannot be written down does not happen.
		must(t, s.AskExport(ctx, asked("C"), bot.Audit{}))
		must(t, s.rdb.Set(ctx, keyAudit("kh"), "broken", 0).Err())
		if err := decide("kh", "C", "Budi", true); err == nil {
			t.Error("allowed without a row")
		}
		if a, err := s.Export(ctx, "C"); err != nil || a.State != bot.ExportAsked {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := s.WithdrawExport(ctx, "kh", "C", "Sari Contoh", time.Now(), row("export_withdraw", "Sari Contoh")); err == nil {
			t.Error("taken back without a row")
		}
		if a, err := s.Export(ctx, "C"); err != nil || a.State != bot.ExportAsked {
			t.Errorf("%+v, %v", a, err)
		}
		if err := s.AskExport(ctx, asked("D"), row("export_request", "Sari Contoh")); err == nil {
			t.Error("asked without a row")
		}
		if _, err := s.Export(ctx, "D"); !errors.Is(err, bot.ErrNotFound) {
			t.Error(err)
		}
	})
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
