package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// propose, accept and so on commit a hand-over as the desk does.
func commitCase(t testing.TB, s *Store, c *casework.Case, ver int64, request string, change func(ch *bot.Change)) error {
	t.Helper()
	ch := bot.Change{Line: c.Line, Request: request, Case: c, CaseVer: ver}
	if change != nil {
		change(&ch)
	}
	_, err := s.Commit(context.Background(), ch)
	return err
}

// A case that is offered stays with the sender in everything, is listed and can be read at the receiver and nowhere
// else, and goes over in one script: lease, held rows, timers, group and audit go along.
func TestOfferAcceptAndReturn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		rules := casework.DefaultRules()
		c := caseWith(1, casework.P2, deskNow.Add(time.Hour))
		c.Leads = "K7M-689-6A9"
		c.Contacts = []casework.Contact{{Channel: warga.Channel, Account: warga.Account, Address: warga.Address}}
		store1(t, s, c)
		must(t, commitCase(t, s, c, 1, "row", func(ch *bot.Change) {
			ch.Rows = []bot.Row{{Line: "kh", To: warga, CaseID: c.ID, Lane: bot.LaneOfficer, Kind: casework.KindOfficer, State: bot.RowHeld, Why: "next_message",
				CreatedAt: deskNow, Out: bot.Outgoing{Text: "ditahan"}}}
			ch.Timers = []bot.Timer{{Line: "kh", Name: casework.TimerLift1, CaseID: c.ID, At: deskNow.Add(time.Hour)}}
		}))
		held, err := s.Claim(ctx, "kh", c.Code, officer(1), deskNow, "claim", did("claim"))
		must(t, err)

		_, err = casework.Propose(c, "mm", "di Myawaddy", officer(1).Name, deskNow)
		must(t, err)
		must(t, commitCase(t, s, c, 2, "propose", func(ch *bot.Change) {
			ch.Claim = officer(1).Name
			for _, m := range []string{"kh", "mm"} {
				row := did("handover_offered")
				row.Mission = m
				ch.Audit = append(ch.Audit, row)
			}
		}))
		offered := func(mission string, want ...string) {
			t.Helper()
			items, err := s.Offered(ctx, mission, deskNow, 10)
			must(t, err)
			if got := codesOf(items); !slices.Equal(got, append([]string{}, want...)) {
				t.Errorf("offered to %s: %v, want %v", mission, got, want)
			}
			page, err := s.Queue(ctx, mission, deskNow, 10)
			if err != nil || page.Offered != len(want) {
				t.Errorf("the page of %s counts %d offers, %v", mission, page.Offered, err)
			}
		}
		offered("mm", c.Code)
		offered("kh")
		if f, err := s.OpenOffered(ctx, "mm", c.Code, deskNow, did("open")); err != nil || f.Case.Offer == nil || f.Claim == nil {
			t.Errorf("read at the receiver: %+v, %v", f.Claim, err)
		}
		// The receiver can do nothing else with it, whatever it asks for.
		for what, err := range map[string]error{
			"open":         second(s.Open(ctx, "mm", c.Code, deskNow, did("open"))),
			"claim":        second(s.Claim(ctx, "mm", c.Code, officer(2), deskNow, "", did("claim"))),
			"next":         second(s.Next(ctx, "mm", officer(2), deskNow, nil, "", did("next"))),
			"renew":        second(s.Renew(ctx, "mm", c.Code, officer(1).Name, deskNow)),
			"release":      s.Release(ctx, "mm", c.Code, officer(1).Name, "", did("release")),
			"open at kh":   second(s.OpenOffered(ctx, "kh", c.Code, deskNow, did("open"))),
			"offered to x": second(s.OpenOffered(ctx, "mm", caseWith(9, casework.P1, deskNow).Code, deskNow, did("open"))),
		} {
			if !errors.Is(err, bot.ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if items, err := s.Find(ctx, "mm", c.Code, did("find")); err != nil || len(items) != 0 {
			t.Errorf("found at the receiver: %v, %v", codesOf(items), err)
		}
		if rows, err := s.Letters(ctx, "mm", bot.RowHeld, 10); err != nil || len(rows) != 0 {
			t.Errorf("held rows at the receiver: %d, %v", len(rows), err)
		}
		if again, err := s.Renew(ctx, "kh", c.Code, officer(1).Name, deskNow.Add(time.Minute)); err != nil || !again.Since.Equal(held.Since) {
			t.Errorf("the sender's lease: %+v, %v", again, err)
		}

		_, err = casework.Accept(c, "mm", officer(2).Name, deskNow, rules)
		must(t, err)
		accept := func(ch *bot.Change) { ch.Take = officer(2).Name }
		must(t, commitCase(t, s, c, 3, "accept", accept))
		must(t, commitCase(t, s, c, 3, "accept", accept)) // the same form again
		offered("mm")
		if _, err := s.Open(ctx, "kh", c.Code, deskNow, did("open")); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("still open at the sender: %v", err)
		}
		f, err := s.Open(ctx, "mm", c.Code, deskNow, did("open"))
		must(t, err)
		if f.Claim == nil || f.Claim.Officer != officer(2).Name || len(f.Rows) != 1 || !f.Case.DueAt.Equal(deskNow.Add(time.Hour)) {
			t.Errorf("at the receiver: claim %+v, %d rows, due %v", f.Claim, len(f.Rows), f.Case.DueAt)
		}
		if mine, err := s.Mine(ctx, "mm", officer(2).Name); err != nil || len(mine) != 1 {
			t.Errorf("the accepting officer holds %d, %v", len(mine), err)
		}
		if mine, err := s.Mine(ctx, "kh", officer(1).Name); err != nil || len(mine) != 0 {
			t.Errorf("the sender still holds %d, %v", len(mine), err)
		}
		if rows, err := s.Letters(ctx, "mm", bot.RowHeld, 10); err != nil || len(rows) != 1 {
			t.Errorf("held rows went along: %d, %v", len(rows), err)
		}
		if own, elsewhere, err := s.Group(ctx, "kh", c.Leads); err != nil || len(own) != 0 || elsewhere["mm"] != 1 {
			t.Errorf("the group at the sender: %v %v %v", own, elsewhere, err)
		}
		if due, err := s.TakeTimers(ctx, "kh", deskNow.Add(2*time.Hour), 10, time.Minute); err != nil || len(due) != 1 {
			t.Errorf("timers: %v, %v", due, err)
		}
		for _, m := range []string{"kh", "mm"} {
			log, err := s.AuditLog(ctx, m, 50)
			must(t, err)
			if !slices.ContainsFunc(log, func(a bot.Audit) bool { return a.What == "handover_offered" }) {
				t.Errorf("%s's auditor does not see the offer", m)
			}
		}
		// Back again; then it is erased while it is offered.
		_, err = casework.Propose(c, "kh", "kembali", officer(2).Name, deskNow)
		must(t, err)
		must(t, commitCase(t, s, c, 4, "back", nil))
		offered("kh", c.Code)
		_, err = casework.Return(c, "kh", "bukan kami", deskNow, rules)
		must(t, err)
		must(t, commitCase(t, s, c, 5, "return", nil))
		offered("kh")
		_, err = casework.Propose(c, "kh", "sekali lagi", officer(2).Name, deskNow)
		must(t, err)
		must(t, commitCase(t, s, c, 6, "again", nil))
		offered("kh", c.Code)
		must(t, s.Erase(ctx, "kh", c.ID))
		offered("kh")
		keys, err := s.rdb.Keys(ctx, "*").Result()
		must(t, err)
		for _, k := range keys {
			if strings.Contains(k, c.ID) || strings.Contains(k, ":offered") {
				t.Errorf("after the erasure there is %s", k)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// The place that moves a case by itself ends the lease that an officer of the former mission had.
func TestMoveEndsTheLeaseOfTheFormerMission(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		c := caseWith(1, casework.P1, deskNow)
		store1(t, s, c)
		_, err := s.Claim(ctx, "kh", c.Code, officer(1), deskNow, "", did("claim"))
		must(t, err)
		c.Mission = "mm"
		must(t, commitCase(t, s, c, 1, "moved", nil))
		if code, err := s.Next(ctx, "mm", officer(2), deskNow, nil, "", did("next")); err != nil || code != c.Code {
			t.Errorf("next at mm: %q, %v", code, err)
		}
	})
}

// An officer hands a case to a colleague in one script: it is never in nobody's hands, and only who holds it can.
func TestHandToColleague(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		c := caseWith(1, casework.P1, deskNow)
		store1(t, s, c)
		give := func(from, to int, ver int64, request string) error {
			return commitCase(t, s, c, ver, request, func(ch *bot.Change) { ch.Claim, ch.Take = officer(from).Name, officer(to).Name })
		}
		if err := give(1, 2, 1, "unclaimed"); !errors.Is(err, bot.ErrLease) {
			t.Errorf("given away without holding it: %v", err)
		}
		_, err := s.Claim(ctx, "kh", c.Code, officer(1), deskNow, "", did("claim"))
		must(t, err)
		must(t, give(1, 2, 1, "give"))
		f, err := s.Open(ctx, "kh", c.Code, deskNow, did("open"))
		must(t, err)
		if f.Claim == nil || f.Claim.Officer != officer(2).Name || !f.Claim.Until.Equal(deskNow.Add(bot.ClaimLease)) {
			t.Errorf("held by %+v", f.Claim)
		}
		if err := give(1, 3, 2, "again"); !errors.Is(err, bot.ErrLease) {
			t.Errorf("given away by the one who gave it away: %v", err)
		}
	})
}

// Over random sequences of claims, proposals, answers, closings and messages by several at once, every open case is on
// exactly one mission's queue, and listed as offered exactly where it says that it is offered.
func TestNoCaseIsLostBetweenMissions(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		const cases = 12
		rules := casework.DefaultRules()
		var all []string
		for i := range cases {
			c := caseWith(i, casework.Classes[i%4], deskNow)
			store1(t, s, c)
			all = append(all, c.ID)
		}
		done := make(chan struct{})
		for w := range 4 {
			go func() {
				defer func() { done <- struct{}{} }()
				rnd := rand.New(rand.NewPCG(uint64(w), 7))
				for n := range 60 {
					id := all[rnd.IntN(cases)]
					c, ver, err := s.LoadCase(ctx, "kh", id)
					if err != nil {
						t.Error(err)
						return
					}
					me, ch := officer(w), bot.Change{}
					to := []string{"kh", "mm"}[rnd.IntN(2)]
					switch rnd.IntN(7) {
					case 0, 1:
						_, err = casework.Propose(c, to, "alasan", me.Name, deskNow)
					case 2:
						if _, err = casework.Accept(c, to, me.Name, deskNow, rules); err == nil {
							ch.Take = me.Name
						}
					case 3:
						_, err = casework.Return(c, to, "alasan", deskNow, rules)
					case 4:
						_, _ = s.Claim(ctx, c.Mission, c.Code, me, deskNow, "", did("claim")) // held, closed or gone meanwhile is no fault
						continue
					case 5:
						if c.Closed() {
							_, err = casework.Reopen(c, me.Name, deskNow, rules)
						} else {
							_, err = casework.Close(c, "returned", me.Name, deskNow)
						}
					case 6:
						c.Apply(flows.Signal{Name: "threatened"}, deskNow, rules)
						c.LastIn = deskNow
						c.Rescore(deskNow, rules)
					}
					if err != nil {
						continue // refused
					}
					ch.Line, ch.Request, ch.Case, ch.CaseVer = "kh", fmt.Sprint("r", w, ".", n), c, ver
					if _, err := s.Commit(ctx, ch); err != nil && !errors.Is(err, bot.ErrConflict) {
						t.Error(err)
					}
				}
			}()
		}
		for range 4 {
			<-done
		}
		for _, id := range all {
			c, _, err := s.LoadCase(ctx, "kh", id)
			must(t, err)
			for _, m := range []string{"kh", "mm"} {
				open := 0
				in := []string{keyQueueClaimed("kh", m), keyQueueLater("kh", m), keyQueueSettled("kh", m)}
				for _, class := range casework.Classes {
					in = append(in, keyQueue("kh", m, string(class)))
				}
				for _, key := range in {
					if s.rdb.ZScore(ctx, key, id).Err() == nil {
						open++
					}
				}
				want := 0
				if c.Mission == m && !c.Closed() {
					want = 1
				}
				if open != want {
					t.Errorf("%s of %s, closed %v: in %[5]d parts of the queue of %[4]s", id, c.Mission, c.Closed(), m, open)
				}
				offered := s.rdb.ZScore(ctx, keyQueueOffered("kh", m), id).Err() == nil
				if want := c.Offer != nil && c.Offer.To == m; offered != want {
					t.Errorf("%s offered to %+v: listed at %s: %v", id, c.Offer, m, offered)
				}
				for _, part := range []string{keyQueueClaimed("kh", m), keyQueueLater("kh", m), keyQueueSettled("kh", m)} {
					if s.rdb.ZScore(ctx, part, id).Err() == nil && c.Mission != m {
						t.Errorf("%s of %s stands in %s", id, c.Mission, part)
					}
				}
			}
		}
	})
}
