package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// caseWith makes a stored case of a class: everything that the queue is ordered by is in it.
func caseWith(n int, class casework.Class, due time.Time) *casework.Case {
	rnd := [5]byte{byte(n), byte(n >> 5), byte(n >> 10), byte(n >> 15), byte(n >> 20)}
	return &casework.Case{
		ID: fmt.Sprintf("CASE%08d", n), Code: casework.NewCode("K7", rnd), Line: "kh", Mission: "kh", Origin: "telegram",
		CreatedAt: deskNow.Add(-24 * time.Hour), DueAt: due, Stage: casework.StageReported,
		Triage: casework.Triage{Class: class, Score: 10}, Answers: map[flows.StepID]flows.Answer{},
	}
}

func store1(t testing.TB, s *Store, c *casework.Case) {
	t.Helper()
	_, err := s.Commit(context.Background(), bot.Change{Line: c.Line, Request: "new " + c.ID, Case: c})
	must(t, err)
}

func officer(n int) casework.Officer { return casework.Officer{Name: fmt.Sprintf("Petugas %d", n)} }

func did(what string) bot.Audit { return bot.Audit{At: deskNow, Who: "Petugas", What: what} }

// R9: twenty officers and two hundred cases, by Next and by code at once: each case has exactly one winner, each act
// one audit row.
func TestTwentyOfficersTwoHundredCases(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	const officers, cases = 20, 200
	var codes []string
	for i := range cases {
		c := caseWith(i, casework.Classes[i%4], deskNow.Add(time.Duration(i%37-10)*time.Minute))
		store1(t, s, c)
		codes = append(codes, c.Code)
	}
	var mu sync.Mutex
	won := map[string][]string{}
	var wg sync.WaitGroup
	for o := range officers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(o), 9))
			for try := 0; ; try++ {
				code := ""
				if rnd.IntN(2) == 0 {
					code = codes[rnd.IntN(cases)]
					_, err := s.Claim(ctx, "kh", code, officer(o), deskNow, fmt.Sprint("c", o, try), did("claim"))
					if errors.Is(err, bot.ErrClaimed) {
						var by *bot.ClaimedError
						if !errors.As(err, &by) || by.Claim.Officer == "" || by.Claim.Officer == officer(o).Name {
							t.Errorf("lost to %+v", by)
						}
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					mine := slices.Contains(won[code], officer(o).Name)
					mu.Unlock()
					if mine {
						continue // claimed again what was the officer's own
					}
				} else {
					var err error
					code, err = s.Next(ctx, "kh", officer(o), deskNow, nil, fmt.Sprint("n", o, try), did("next"))
					if errors.Is(err, bot.ErrNotFound) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
				mu.Lock()
				won[code] = append(won[code], officer(o).Name)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(won) != cases {
		t.Fatalf("%d of %d cases have a winner", len(won), cases)
	}
	for code, by := range won {
		if len(by) != 1 {
			t.Errorf("%s was won by %v", code, by)
		}
	}
	page, err := s.Queue(ctx, "kh", deskNow, 50)
	if err != nil || page.Claimed != cases || len(page.Items) != 50 {
		t.Fatalf("afterwards: %d claimed, %d items, %v", page.Claimed, len(page.Items), err)
	}
	total := 0
	for o := range officers {
		mine, err := s.Mine(ctx, "kh", officer(o).Name)
		must(t, err)
		total += len(mine)
		for _, it := range mine {
			if won[it.Case.Code][0] != officer(o).Name {
				t.Errorf("%s is not %s's", it.Case.Code, officer(o).Name)
			}
		}
	}
	if total != cases {
		t.Errorf("officers hold %d cases", total)
	}
	rows, err := s.AuditLog(ctx, "kh", 10000)
	must(t, err)
	nexts := map[string]int{}
	for _, r := range rows {
		if r.What == "next" {
			nexts[r.Code]++
		}
	}
	for code, n := range nexts {
		if n != 1 {
			t.Errorf("%d rows for one Next of %s", n, code)
		}
	}
}

func TestClaimIsALease(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := caseWith(1, casework.P2, deskNow)
		store1(t, s, c)
		first, err := s.Claim(ctx, "kh", c.Code, officer(1), deskNow, "r1", did("claim"))
		must(t, err)
		if !first.Since.Equal(deskNow) || !first.Until.Equal(deskNow.Add(30*time.Minute)) {
			t.Fatalf("the lease: %+v", first)
		}
		// the same form again, later: the first result
		again, err := s.Claim(ctx, "kh", c.Code, officer(1), deskNow.Add(time.Minute), "r1", did("claim"))
		if err != nil || again != first {
			t.Fatalf("a repeat: %+v, %v", again, err)
		}
		late := deskNow.Add(30 * time.Minute)
		held, err := s.Claim(ctx, "kh", c.Code, officer(2), late.Add(-time.Millisecond), "r2", did("claim"))
		if !errors.Is(err, bot.ErrClaimed) || held.Officer != "Petugas 1" || !held.Since.Equal(deskNow) {
			t.Fatalf("a millisecond before the end: %+v, %v", held, err)
		}
		if n, err := s.SweepClaims(ctx, "kh", late.Add(-time.Millisecond)); n != 0 || err != nil {
			t.Fatalf("swept %d before the end, %v", n, err)
		}
		if _, err := s.Next(ctx, "kh", officer(2), late.Add(-time.Millisecond), nil, "r3", did("next")); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("Next before the end: %v", err)
		}
		if n, err := s.SweepClaims(ctx, "kh", late); n != 1 || err != nil {
			t.Fatalf("swept %d at 30:00, %v", n, err)
		}
		if n, err := s.SweepClaims(ctx, "kh", late); n != 0 || err != nil {
			t.Fatalf("swept %d the second time, %v", n, err)
		}
		file, err := s.Open(ctx, "kh", c.Code, late, bot.Audit{})
		must(t, err)
		if file.Claim != nil || len(file.Entries) != 1 || file.Entries[0].Text != "event.lease_ended" || file.Entries[0].By != "Petugas 1" {
			t.Fatalf("after the sweep: %+v", file)
		}
		if _, err := s.Renew(ctx, "kh", c.Code, "Petugas 1", late); !errors.Is(err, bot.ErrLease) {
			t.Fatalf("a renewal that comes too late: %v", err)
		}
		code, err := s.Next(ctx, "kh", officer(2), late, nil, "r4", did("next"))
		if err != nil || code != c.Code {
			t.Fatalf("Next at 30:00: %q, %v", code, err)
		}
		code, err = s.Next(ctx, "kh", officer(2), late, nil, "r4", did("next"))
		if err != nil || code != c.Code {
			t.Fatalf("the same Next again: %q, %v", code, err)
		}
		renewed, err := s.Renew(ctx, "kh", c.Code, "Petugas 2", late.Add(20*time.Minute))
		if err != nil || !renewed.Until.Equal(late.Add(50*time.Minute)) || !renewed.Since.Equal(late) {
			t.Fatalf("renewed: %+v, %v", renewed, err)
		}
		if n, err := s.SweepClaims(ctx, "kh", late.Add(49*time.Minute)); n != 0 || err != nil {
			t.Fatalf("a renewed lease was swept: %d, %v", n, err)
		}
		what := map[string]int{}
		rows, err := s.AuditLog(ctx, "kh", 100)
		must(t, err)
		for _, r := range rows {
			what[r.What]++
			if r.Code != c.Code {
				t.Errorf("an audit row without its case: %+v", r)
			}
		}
		if len(rows) != 3 || what["claim"] != 1 || what["next"] != 1 || what["lease_ended"] != 1 {
			t.Errorf("audit rows: %v", what)
		}
	})
}

// An ended lease does not wait for the sweep: Next offers the case from 30:00 on.
func TestEndedLeaseWithoutSweep(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := caseWith(1, casework.P1, deskNow)
		store1(t, s, c)
		_, err := s.Claim(ctx, "kh", c.Code, officer(1), deskNow, "", did("claim"))
		must(t, err)
		code, err := s.Next(ctx, "kh", officer(2), deskNow.Add(bot.ClaimLease), nil, "", did("next"))
		if err != nil || code != c.Code {
			t.Fatalf("%q, %v", code, err)
		}
	})
}

func TestRelease(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := caseWith(1, casework.P2, deskNow)
		store1(t, s, c)
		_, err := s.Next(ctx, "kh", officer(1), deskNow, nil, "a", did("next"))
		must(t, err)
		if err := s.Release(ctx, "kh", c.Code, "Petugas 2", "b", did("release")); !errors.Is(err, bot.ErrLease) {
			t.Fatalf("another's lease: %v", err)
		}
		for range 2 { // and its repeat
			must(t, s.Release(ctx, "kh", c.Code, "petugas 1", "c", did("release")))
		}
		page, err := s.Queue(ctx, "kh", deskNow, 10)
		if err != nil || page.Claimed != 0 || len(page.Items) != 1 || page.Items[0].Claim != nil {
			t.Fatalf("%+v, %v", page, err)
		}
		if _, err := s.Next(ctx, "kh", officer(1), deskNow, []string{c.Code}, "d", did("next")); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("what was passed over is offered: %v", err)
		}
		rows, err := s.AuditLog(ctx, "kh", 100)
		if err != nil || len(rows) != 2 {
			t.Fatalf("%d audit rows, %v", len(rows), err)
		}
		if err := s.Release(ctx, "kh", "K7AA-AAAA", "Petugas 1", "e", did("release")); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("a case that is not there: %v", err)
		}
	})
}

// One request asked many times at the same moment claims one case, also where several lines are asked.
func TestNextOnceForManyRepeats(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		for i := range 20 {
			c := caseWith(i, casework.P3, deskNow)
			if i%2 == 1 {
				c.Line = "mm" // the mission kh is competent for a case of another line
			}
			store1(t, s, c)
		}
		codes := make([]string, 12)
		var wg sync.WaitGroup
		for i := range codes {
			wg.Go(func() {
				var err error
				if codes[i], err = s.Next(ctx, "kh", officer(1), deskNow, nil, "one", did("next")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		slices.Sort(codes)
		if codes = slices.Compact(codes); len(codes) != 1 {
			t.Fatalf("one request claimed %v", codes)
		}
		if mine, err := s.Mine(ctx, "kh", "Petugas 1"); err != nil || len(mine) != 1 {
			t.Fatalf("the officer holds %d, %v", len(mine), err)
		}
		rows, err := s.AuditLog(ctx, "kh", 100)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%d audit rows, %v", len(rows), err)
		}
	})
}

// Nothing but a P1 is offered while a P1 waits, and what Next offers is what the page shows first.
func TestNextNeverPassesOverAP1(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		rnd := rand.New(rand.NewPCG(7, 7))
		n := 0
		now := deskNow
		waiting := map[string]casework.Class{}
		add := func() {
			n++
			class := casework.Classes[rnd.IntN(4)]
			c := caseWith(n, class, now.Add(time.Duration(rnd.IntN(600)-300)*time.Minute))
			if rnd.IntN(3) == 0 {
				from := rnd.IntN(1440)
				c.Permission = flows.CallWindow
				c.Windows = []casework.Window{{From: from, To: (from + 30 + rnd.IntN(120)) % 1440}}
			}
			if rnd.IntN(4) == 0 {
				c.Answers[flows.StepUrgentNeeds] = flows.Answer{Values: []flows.Value{"female_officer"}}
			}
			if rnd.IntN(6) == 0 {
				c.PromisedAt = now.Add(time.Duration(rnd.IntN(200)-100) * time.Minute)
			}
			if rnd.IntN(6) == 0 {
				c.LaterUntil = now.Add(time.Duration(rnd.IntN(200)-100) * time.Minute)
			}
			store1(t, s, c)
			waiting[c.Code] = class
		}
		// On the real server more cases than the heads that Next reads.
		cases, rounds := 100, 20
		if c, ok := s.rdb.(*redis.Client); ok && c.Options().Network == "unix" {
			cases, rounds = 700, 60
		}
		for range cases {
			add()
		}
		for round := range rounds {
			add()
			who := casework.Officer{Name: fmt.Sprint("Petugas ", round%7), Female: round%3 == 0}
			page, err := s.Queue(ctx, "kh", now, 5000)
			must(t, err)
			// What casework chooses among all that wait, read whole, is what Next must choose from its few heads.
			var all []casework.Candidate
			p1 := false
			for _, it := range page.Items {
				if k := casework.CandidateOf(it.Case); it.Claim == nil {
					all = append(all, k)
					p1 = p1 || k.Waiting(now) && k.Class(now) == casework.P1
				}
			}
			turn := int64(round + 1)
			i, _, ok := casework.Pick(all, turn, who, nil, now, s.rules["kh"])
			code, err := s.Next(ctx, "kh", who, now, nil, fmt.Sprint("r", round), did("next"))
			if errors.Is(err, bot.ErrNotFound) && !ok {
				continue
			}
			must(t, err)
			if !ok || code != all[i].Code {
				t.Fatalf("round %d: Next gives %s, the whole queue %v", round, code, all[i].Code)
			}
			if p1 && waiting[code] != casework.P1 {
				t.Fatalf("round %d: a %s was offered while a P1 waits", round, waiting[code])
			}
			now = now.Add(time.Duration(rnd.IntN(5)) * time.Minute)
		}
	})
}
