package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// fillQueue stores n open cases with answers, places and windows as real ones have them.
func fillQueue(t testing.TB, s *Store, n int) {
	t.Helper()
	ctx := context.Background()
	rnd := rand.New(rand.NewPCG(3, 3))
	work := make(chan *casework.Case)
	failed := make(chan error, 16)
	for range 16 {
		go func() {
			for c := range work {
				if _, err := s.Commit(ctx, bot.Change{Line: "kh", Request: c.ID, Case: c}); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for i := range n {
		class := casework.P4
		switch x := rnd.IntN(100); {
		case x < 2:
			class = casework.P1
		case x < 20:
			class = casework.P2
		case x < 70:
			class = casework.P3
		}
		c := caseWith(i, class, deskNow.Add(time.Duration(rnd.IntN(2880)-1440)*time.Minute))
		c.Permission = flows.CallWindow
		from := rnd.IntN(1440)
		c.Windows = []casework.Window{{From: from, To: (from + 90) % 1440}}
		for _, step := range []flows.StepID{flows.StepWhoFor, flows.StepPassportStatus, flows.StepImmigration, flows.StepContactPref, flows.StepPlaceKind} {
			c.Answers[step] = flows.Answer{Values: []flows.Value{flows.Menus[step][0]}, Text: "jawaban warga", At: deskNow, From: "123456"}
		}
		c.Locations = []flows.Location{{Kind: "pin", HasPoint: true, Lat: 13.6, Lon: 102.5, Place: "Poipet", Province: "Banteay Meanchey", Country: "KH", At: deskNow}}
		c.Triage.Reasons = []casework.Reason{{ID: "no_passport", Points: 10}, {ID: "overstay", Points: 5}}
		c.Contacts = []casework.Contact{{Channel: "telegram", Account: "7000001", Address: fmt.Sprint(i)}}
		select {
		case work <- c:
		case err := <-failed:
			t.Fatal(err)
		}
	}
	close(work)
	for range 16 {
		must(t, <-failed)
	}
}

// The queue page and Next work on a long queue and say what they take: 5,000 open cases, and with
// PULANG_SOAK=1 with 100,000 (PULANG_SOAK_CASES for another number).
func TestLongQueue(t *testing.T) {
	n := 5000
	if os.Getenv("PULANG_SOAK") == "1" {
		n = 100_000
		if v := os.Getenv("PULANG_SOAK_CASES"); v != "" {
			_, err := fmt.Sscan(v, &n)
			must(t, err)
		}
	} else if testing.Short() {
		t.Skip("-short: stores 5,000 cases")
	}
	s := openDesk(t, startReal(t))
	fillQueue(t, s, n)
	ctx := context.Background()
	measure := func(what string, times int, f func(i int) error) {
		took := make([]time.Duration, times)
		for i := range took {
			start := time.Now()
			must(t, f(i))
			took[i] = time.Since(start)
		}
		slices.Sort(took)
		p50, p95 := took[times/2], took[times*95/100]
		t.Logf("soak: %d open cases: %s p50 %v, p95 %v", n, what, p50.Round(10*time.Microsecond), p95.Round(10*time.Microsecond))
	}
	measure("queue page of 100", 40, func(int) error {
		page, err := s.Queue(ctx, "kh", deskNow, 100)
		if err == nil && len(page.Items) != 100 {
			return fmt.Errorf("%d items", len(page.Items))
		}
		return err
	})
	measure("Next while a P1 waits", 40, func(i int) error {
		_, err := s.Next(ctx, "kh", officer(i), deskNow, nil, fmt.Sprint(i), did("next"))
		return err
	})
	for _, class := range []casework.Class{casework.P1} {
		ids, err := s.rdb.ZRange(ctx, keyQueue("kh", "kh", string(class)), 0, -1).Result()
		must(t, err)
		for _, id := range ids { // take the P1 away
			c, ver, err := s.LoadCase(ctx, "kh", id)
			must(t, err)
			c.Triage.Class, c.Peak = casework.P2, casework.P2
			_, err = s.Commit(ctx, bot.Change{Line: "kh", Case: c, CaseVer: ver})
			must(t, err)
		}
	}
	measure("Next without a P1", 40, func(i int) error {
		_, err := s.Next(ctx, "kh", officer(i), deskNow, nil, fmt.Sprint("b", i), did("next"))
		return err
	})
	measure("Find by code", 40, func(i int) error {
		_, err := s.Find(ctx, "kh", caseWith(i, "", deskNow).Code, did("find"))
		return err
	})
}

// A list of everything has the order of the page.
func TestWholeQueueHasTheSameOrder(t *testing.T) {
	s := openDesk(t, startReal(t))
	fillQueue(t, s, 400)
	ctx := context.Background()
	page, err := s.Queue(ctx, "kh", deskNow, 500)
	must(t, err)
	whole, err := s.Queue(ctx, "kh", deskNow, 100_000)
	must(t, err)
	if len(whole.Items) != 400 || !slices.Equal(codesOf(page.Items), codesOf(whole.Items)) {
		t.Errorf("%d and %d cases, not in the same order", len(page.Items), len(whole.Items))
	}
}
