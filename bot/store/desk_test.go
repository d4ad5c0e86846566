package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pulang/bot"
	"pulang/bot/ended"
	"pulang/flows"
	"pulang/flows/casework"
)

var warga = bot.Contact{Channel: "telegram", Account: "7000001", Address: "620001"}

func TestQueuePage(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		want := []string{} // in the order of the page
		add := func(n int, class casework.Class, due time.Duration, change func(c *casework.Case)) string {
			c := caseWith(n, class, deskNow.Add(due))
			if change != nil {
				change(c)
			}
			store1(t, s, c)
			return c.Code
		}
		window := func(to int) func(c *casework.Case) { // the mission's clock is UTC here, and it is 05:00
			return func(c *casework.Case) {
				c.Permission, c.Windows = flows.CallWindow, []casework.Window{{From: 4 * 60, To: to}}
			}
		}
		want = append(want,
			add(1, casework.P1, time.Hour, func(c *casework.Case) { c.P1Since = deskNow.Add(-7 * time.Minute) }),
			add(2, casework.P2, 3*time.Hour, window(5*60+20)),
			add(3, casework.P2, 2*time.Hour, func(c *casework.Case) { c.PromisedAt = deskNow.Add(-time.Minute) }),
			add(4, casework.P2, -time.Hour, nil),
			add(5, casework.P2, -time.Minute, window(6*60)),
			add(6, casework.P4, -9*time.Hour, nil),
		)
		held := add(7, casework.P1, -time.Hour, func(c *casework.Case) { c.P1Since = deskNow.Add(-time.Hour) })
		_, err := s.Claim(ctx, "kh", held, officer(1), deskNow, "", did("claim"))
		must(t, err)
		want = append(want, held, add(8, casework.P1, 0, func(c *casework.Case) { c.LaterUntil = deskNow.Add(time.Hour) }))
		add(9, casework.P2, 0, func(c *casework.Case) { c.SettledAt = deskNow.Add(-time.Hour) })
		add(10, casework.P1, 0, func(c *casework.Case) { c.ClosedAt, c.ClosedAs, c.Stage = deskNow, "returned", casework.StageClosed })
		add(11, casework.P1, 0, func(c *casework.Case) { c.Mission = "mm" })
		must(t, s.Seen(ctx, "kh", want[3], "Petugas 4", deskNow))
		must(t, s.Seen(ctx, "kh", want[4], "Petugas 4", deskNow.Add(-bot.SeenFor-time.Second)))

		page, err := s.Queue(ctx, "kh", deskNow, 100)
		must(t, err)
		if got := codesOf(page.Items); !slices.Equal(got, want) {
			t.Fatalf("the page shows %v, want %v", got, want)
		}
		if page.Total[casework.P1] != 3 || page.Total[casework.P2] != 4 || page.Total[casework.P4] != 1 || page.Claimed != 1 || page.Later != 1 {
			t.Errorf("totals: %+v", page)
		}
		if !page.OldestP1.Equal(deskNow.Add(-7 * time.Minute)) {
			t.Errorf("oldest waiting P1: %v", page.OldestP1)
		}
		if c := page.Items[6].Claim; c == nil || c.Officer != "Petugas 1" {
			t.Errorf("the holder: %+v", c)
		}
		if v := page.Items[3].Viewers; !slices.Equal(v, []string{"Petugas 4"}) || page.Items[4].Viewers != nil {
			t.Errorf("viewers: %v, %v", v, page.Items[4].Viewers)
		}
		short, err := s.Queue(ctx, "kh", deskNow, 2)
		must(t, err)
		if got := codesOf(short.Items); !slices.Equal(got, append(slices.Clone(want[:2]), want[6:]...)) {
			t.Errorf("two of each: %v", got)
		}
		only, err := s.QueueOf(ctx, "kh", deskNow, 100, bot.QueueFilter{Classes: []casework.Class{casework.P4}})
		must(t, err)
		if got := codesOf(only.Items); !slices.Equal(got, want[5:6]) || only.Total[casework.P1] != 3 {
			t.Errorf("only P4: %v", got)
		}
		other, err := s.Queue(ctx, "mm", deskNow, 100)
		must(t, err)
		if len(other.Items) != 1 || other.Items[0].Case.ID != "CASE00000011" {
			t.Errorf("the other mission's queue: %v", codesOf(other.Items))
		}
	})
}

func codesOf(items []bot.QueueItem) []string {
	out := []string{}
	for _, it := range items {
		out = append(out, it.Case.Code)
	}
	return out
}

// A hand-over takes a case from one mission's queue to another's; the first one's desk does not find it any more.
func TestHandOver(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := caseWith(1, casework.P2, deskNow)
		store1(t, s, c)
		c.Mission = "mm"
		_, err := s.Commit(ctx, bot.Change{Line: "kh", Request: "over", Case: c, CaseVer: 1, Audit: []bot.Audit{did("hand_over")}})
		must(t, err)
		if _, err := s.Next(ctx, "kh", officer(1), deskNow, nil, "", did("next")); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("still offered at kh: %v", err)
		}
		if _, err := s.Open(ctx, "kh", c.Code, deskNow, did("open")); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("still opened at kh: %v", err)
		}
		code, err := s.Next(ctx, "mm", officer(2), deskNow, nil, "", did("next"))
		if err != nil || code != c.Code {
			t.Fatalf("at mm: %q, %v", code, err)
		}
		// What mm's desk did to a case of the line kh stands in kh's log, and mm's auditor sees it.
		for _, m := range []string{"kh", "mm"} {
			rows, err := s.AuditLog(ctx, m, 10)
			must(t, err)
			if !slices.ContainsFunc(rows, func(a bot.Audit) bool { return a.What == "next" }) {
				t.Errorf("%s's log lacks the claim: %+v", m, rows)
			}
		}
	})
}

func TestOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := caseWith(1, casework.P2, deskNow)
		var entries []bot.Entry
		for i := range 30 {
			entries = append(entries, bot.Entry{ID: fmt.Sprint("E", i), At: deskNow, Kind: "in", Input: &flows.Input{Kind: flows.KindText, Text: fmt.Sprint("pesan ", i)}})
		}
		who := warga
		_, err := s.Commit(ctx, bot.Change{
			Line: "kh", Request: "u1", Who: &who, State: &flows.State{Case: c.Code}, Case: c, Entries: entries,
			Rows: []bot.Row{{ID: "R1", Line: "kh", To: who, CaseID: c.ID, Lane: bot.LaneBot, Kind: "reply", CreatedAt: deskNow, Out: bot.Outgoing{Text: "Baik."}}},
		})
		must(t, err)
		file, err := s.Open(ctx, "kh", " k7"+c.Code[2:4]+c.Code[5:], deskNow, did("open"))
		must(t, err)
		if file.Version != 1 || file.Case.Code != c.Code || len(file.Entries) != 30 || file.Entries[29].Input.Text != "pesan 29" {
			t.Fatalf("the file: %d entries, version %d", len(file.Entries), file.Version)
		}
		if r := file.Rows["R1"]; r.Out.Text != "Baik." || r.To != who {
			t.Fatalf("its row: %+v", r)
		}
		_, err = s.Finish(ctx, "kh", deskNow, []bot.Sent{{Row: bot.Row{ID: "R1", Line: "kh", To: who, CaseID: c.ID, State: bot.RowSent, ProviderID: "m77"}}}, 0)
		must(t, err)
		file, err = s.Open(ctx, "kh", c.Code, deskNow, bot.Audit{})
		must(t, err)
		if r := file.Rows["R1"]; r.State != bot.RowSent || r.ProviderID != "m77" {
			t.Fatalf("the row once sent: %+v", r)
		}
		if _, err := s.Open(ctx, "kh", "K7AA-AAAA", deskNow, did("open")); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("a case that is not there: %v", err)
		}
		rows, err := s.AuditLog(ctx, "kh", 10)
		if err != nil || len(rows) != 1 || rows[0].Code == "" {
			t.Fatalf("one look that says so, one row: %+v, %v", rows, err)
		}
	})
}

func TestFind(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, b := caseWith(1, casework.P2, deskNow), caseWith(2, casework.P4, deskNow)
		a.Answers[flows.StepCallbackNumber] = flows.Answer{Text: "012 345 678", Norm: "+85512345678"}
		a.Answers[flows.StepPassportCopy] = flows.Answer{Text: "nomor c 1234567"}
		b.Answers[flows.StepFamilyContact] = flows.Answer{Norm: "+6281234567890"}
		b.Answers[flows.StepIDProof] = flows.Answer{Text: "3201 0145 0190 0003"}
		store1(t, s, a)
		store1(t, s, b)
		for what, want := range map[string]string{
			"+855 12 345 678": a.Code, "0085512345678": a.Code, "C1234567": a.Code, a.Code: a.Code,
			"0812-3456-7890": b.Code, "3201014501900003": b.Code, "+85512345679": "", "": "", "Sari": "",
		} {
			items, err := s.Find(ctx, "kh", what, did("find"))
			must(t, err)
			if got := codesOf(items); want == "" && len(got) != 0 || want != "" && !slices.Equal(got, []string{want}) {
				t.Errorf("%q finds %v, want %q", what, got, want)
			}
		}
		if items, err := s.Find(ctx, "mm", a.Code, did("find")); err != nil || len(items) != 0 {
			t.Errorf("another mission finds %v, %v", codesOf(items), err)
		}
		if rows, err := s.AuditLog(ctx, "kh", 100); err != nil || len(rows) != 9 {
			t.Errorf("%d audit rows for nine searches, %v", len(rows), err)
		}
	})
}

func TestLettersAndRetry(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := caseWith(1, casework.P2, deskNow)
		who := warga
		row := func(id string, state bot.RowState) bot.Row {
			return bot.Row{
				ID: id, Line: "kh", To: who, CaseID: c.ID, Lane: bot.LaneOfficer, Kind: "officer", CreatedAt: deskNow, State: state,
				Out: bot.Outgoing{Text: "Apakah Anda aman? " + id},
			}
		}
		done, err := s.Commit(ctx, bot.Change{
			Line: "kh", Request: "u1", Who: &who, State: &flows.State{}, Case: c, Rows: []bot.Row{row("R1", ""), row("R2", bot.RowHeld)},
		})
		must(t, err)
		if len(done.Mine) != 1 {
			t.Fatalf("rows handed over: %+v", done.Mine)
		}
		failed := done.Mine[0]
		failed.State, failed.Why, failed.Attempts = bot.RowFailed, "bad_request", 3
		_, err = s.Finish(ctx, "kh", deskNow, []bot.Sent{{Row: failed}}, 0)
		must(t, err)
		ids := func(state bot.RowState) (out []string) {
			rows, err := s.Letters(ctx, "kh", state, 10)
			must(t, err)
			for _, r := range rows {
				out = append(out, r.ID+" "+r.Why)
			}
			return out
		}
		if got := ids(bot.RowFailed); !slices.Equal(got, []string{"R1 bad_request"}) {
			t.Fatalf("dead letters: %v", got)
		}
		if got := ids(bot.RowHeld); !slices.Equal(got, []string{"R2 "}) {
			t.Fatalf("held rows: %v", got)
		}
		if got := ids(bot.RowUnknown); got != nil {
			t.Fatalf("unknown ones: %v", got)
		}
		if page, err := s.Queue(ctx, "kh", deskNow, 5); err != nil || page.Dead != 1 || page.Held != 1 {
			t.Fatalf("counts on the page: %+v, %v", page, err)
		}
		if err := s.Retry(ctx, "mm", "R1", "", did("retry")); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("another mission's desk: %v", err)
		}
		must(t, s.Retry(ctx, "kh", "R2", "keluarga menunggu", did("force_send")))
		must(t, s.Retry(ctx, "kh", "R1", "", did("retry")))
		if err := s.Retry(ctx, "kh", "R1", "", did("retry")); !errors.Is(err, bot.ErrRefused) {
			t.Fatalf("a row that is on its way: %v", err)
		}
		if err := s.Retry(ctx, "kh", "R9", "", did("retry")); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("a row that is not there: %v", err)
		}
		got, err := s.Take(ctx, "kh", who.Account, deskNow, 5, bot.LaneBroadcast, time.Minute)
		must(t, err)
		if len(got) != 1 || got[0].Row.ID != "R1" || got[0].Row.Attempts != 0 || got[0].Row.Why != "" {
			t.Fatalf("the first to leave: %+v", got)
		}
		sent := got[0].Row
		sent.State, sent.ProviderID = bot.RowSent, "m1"
		got, err = s.Finish(ctx, "kh", deskNow, []bot.Sent{{Row: sent}}, time.Minute)
		must(t, err)
		if len(got) != 1 || got[0].Row.ID != "R2" || got[0].Row.Force != "keluarga menunggu" || got[0].Row.Out.Text != "Apakah Anda aman? R2" {
			t.Fatalf("the second: %+v", got)
		}
		if page, err := s.Queue(ctx, "kh", deskNow, 5); err != nil || page.Dead != 0 || page.Held != 0 {
			t.Fatalf("counts afterwards: %+v, %v", page, err)
		}
		if rows, err := s.AuditLog(ctx, "kh", 10); err != nil || len(rows) != 2 {
			t.Fatalf("two acts, %d rows, %v", len(rows), err)
		}
	})
}

func TestAsides(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		for i := range 3 {
			must(t, s.SetAside(ctx, "kh", bot.Aside{ID: fmt.Sprint("A", i), At: deskNow.Add(time.Duration(i) * time.Second), Channel: "telegram", Why: "unreadable", Raw: []byte("{")}))
		}
		got, err := s.Asides(ctx, "kh", 2)
		if err != nil || len(got) != 2 || got[0].ID != "A2" || string(got[0].Raw) != "{" {
			t.Fatalf("%+v, %v", got, err)
		}
		must(t, s.Dismiss(ctx, "kh", "A2", did("dismiss")))
		if err := s.Dismiss(ctx, "kh", "A2", did("dismiss")); !errors.Is(err, bot.ErrNotFound) {
			t.Fatalf("dismissed twice: %v", err)
		}
		if got, err := s.Asides(ctx, "kh", 10); err != nil || len(got) != 2 {
			t.Fatalf("%d left, %v", len(got), err)
		}
		if rows, err := s.AuditLog(ctx, "kh", 10); err != nil || len(rows) != 1 {
			t.Fatalf("%d audit rows, %v", len(rows), err)
		}
	})
}

func TestWatch(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		leak := goleak.IgnoreCurrent()
		ctx, stop := context.WithCancel(context.Background())
		var mu sync.Mutex
		var seqs []int64
		kinds := map[string]int{}
		over := make(chan error, 1)
		go func() {
			over <- s.Watch(ctx, "kh", func(seq int64, kind string) {
				mu.Lock()
				defer mu.Unlock()
				seqs = append(seqs, seq)
				kinds[kind]++
			})
		}()
		heard := func(kind string) func() bool {
			return func() bool { mu.Lock(); defer mu.Unlock(); return kinds[kind] > 0 }
		}
		eventually(t, heard("case")) // it stands
		store1(t, s, caseWith(5000, casework.P1, deskNow))
		eventually(t, heard("p1"))
		_, err := s.Next(context.Background(), "kh", officer(1), deskNow, nil, "", did("next"))
		must(t, err)
		eventually(t, heard("claim"))
		// A change whose message was lost, here because nobody sent one, is noticed by its number.
		mu.Lock()
		before := kinds["case"]
		mu.Unlock()
		must(t, s.rdb.Incr(context.Background(), keySeq("mm", "kh")).Err())
		eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return kinds["case"] > before })
		stop()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		if !slices.IsSorted(seqs) || len(slices.Compact(slices.Clone(seqs))) != len(seqs) {
			t.Errorf("the numbers do not grow: %v", seqs)
		}
		if err := ended.All(leak); err != nil {
			t.Errorf("after the end: %v", err)
		}
	})
}

// Without messages, as where an ACL refuses to subscribe, the numbers alone tell of changes.
func TestWatchWithoutMessages(t *testing.T) {
	c := startReal(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	must(t, c.Do(ctx, "ACL", "SETUSER", "default", "resetchannels").Err())
	s := openDesk(t, c)
	calls := make(chan int64, 100)
	go func() { _ = s.Watch(ctx, "kh", func(seq int64, _ string) { calls <- seq }) }()
	first := <-calls
	store1(t, s, caseWith(1, casework.P3, deskNow)) // which is not to fail for the message that is refused
	if next := <-calls; next != first+1 {
		t.Errorf("after %d came %d", first, next)
	}
}
