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
	"pulang/flows"
	"pulang/flows/casework"
)

const canaryWords = "kanarisiaran"

// safeCase is somebody who gets broadcasts, on a contact of the person's own.
func safeCase(n int, change func(*casework.Case)) *casework.Case {
	c := caseWith(n, casework.P3, deskNow)
	c.Safety, c.Permission, c.Lang = flows.Safe, flows.CallAnytime, "id"
	c.Contacts = []casework.Contact{{Channel: "telegram", Account: "7000001", Address: fmt.Sprint(620000 + n), LastIn: deskNow.Add(-time.Hour)}}
	if change != nil {
		change(c)
	}
	return c
}

func begun(t *testing.T, s *Store, id string, to casework.Audience) {
	t.Helper()
	ctx := context.Background()
	must(t, s.AskBroadcast(ctx, "kh", bot.Broadcast{
		ID: id, By: "sari", At: deskNow, Until: deskNow.Add(bot.BroadcastAskLife), To: to,
		Texts: map[string]string{"id": canaryWords, "en": canaryWords + " en"},
	}, did("broadcast_asked")))
	must(t, s.ConfirmBroadcast(ctx, "kh", id, "budi", deskNow, did("broadcast_confirmed")))
}

// dies is a store whose process is killed at a step: what it did is there, and nobody learnt of it.
type dies struct {
	*Store
	mu   sync.Mutex
	left int // steps until then; negative for never
}

var errKilled = errors.New("killed")

func (d *dies) step(do func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == 0 {
		return errKilled
	}
	d.left--
	err := do()
	if d.left == 0 {
		return errKilled // it was done, and the answer is lost
	}
	return err
}

func (d *dies) Commit(ctx context.Context, c bot.Change) (done bot.Committed, err error) {
	err = d.step(func() error { done, err = d.Store.Commit(ctx, c); return err })
	return done, err
}

func (d *dies) NoteBroadcastRow(ctx context.Context, line, id string, r bot.Row) error {
	return d.step(func() error { return d.Store.NoteBroadcastRow(ctx, line, id, r) })
}

func (d *dies) EndBroadcast(ctx context.Context, line, id string, now time.Time) error {
	return d.step(func() error { return d.Store.EndBroadcast(ctx, line, id, now) })
}

// rowsOfCase are the broadcast rows of a case, by its timeline and its outbox.
func rowsOfCase(t *testing.T, s *Store, c *casework.Case) (entries int, states []bot.RowState) {
	t.Helper()
	file, err := s.Open(context.Background(), c.Mission, c.Code, deskNow, bot.Audit{})
	must(t, err)
	for _, e := range file.Entries {
		if e.Kind == "out" && strings.HasPrefix(e.Text, canaryWords) {
			entries++
			if e.By != "sari" || e.Row == "" {
				t.Errorf("the entry: %+v", e)
			}
		}
	}
	for _, r := range file.Rows {
		states = append(states, r.State)
	}
	return entries, states
}

// A process is killed after each step in turn, another one goes on, and two more do the same work beside it: each case
// has its row once.
func TestBroadcastOncePerCase(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		const people = 12
		var all []*casework.Case
		for n := range people {
			c := safeCase(n, nil)
			store1(t, s, c)
			all = append(all, c)
		}
		begun(t, s, "b1", casework.Audience{})
		for step := 1; step <= 8; step++ {
			killed := &bot.Broadcaster{Store: &dies{Store: s, left: step}, Batch: 5}
			for {
				if err := killed.Do(ctx, "kh", deskNow); err != nil {
					if !errors.Is(err, errKilled) {
						t.Fatal(err)
					}
					break
				}
			}
		}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				b := &bot.Broadcaster{Store: s, Batch: 5}
				for range 5 {
					if err := b.Do(ctx, "kh", deskNow); err != nil {
						t.Error(err)
					}
				}
			})
		}
		both.Wait()
		for _, c := range all {
			if n, states := rowsOfCase(t, s, c); n != 1 || !slices.Equal(states, []bot.RowState{bot.RowQueued}) {
				t.Errorf("%s: %d entries, rows %v", c.Code, n, states)
			}
		}
		got, err := s.Broadcasts(ctx, "kh")
		must(t, err)
		if len(got) != 1 || got[0].State != bot.BroadcastQueued || got[0].Sent != (bot.BroadcastRows{Queued: people}) || got[0].Second != "budi" {
			t.Errorf("%+v", got)
		}
		if ids, err := s.BroadcastsAtWork(ctx, "kh"); err != nil || len(ids) != 0 {
			t.Errorf("at work: %v, %v", ids, err)
		}
		taken, err := s.Take(ctx, "kh", "7000001", deskNow, 100, bot.LaneBroadcast, time.Minute)
		must(t, err)
		if len(taken) != people {
			t.Errorf("%d rows leave", len(taken))
		}
	})
}

// Nobody gets a row who is not safe, is silent by wish, cannot be reached, or is not meant; and a person with two cases
// gets one.
func TestBroadcastOnlyToSafe(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		want := map[string]int{}
		var all []*casework.Case
		add := func(rows int, change func(*casework.Case)) {
			c := safeCase(len(all)+1, change)
			store1(t, s, c)
			all = append(all, c)
			want[c.Code] = rows
		}
		add(1, nil)
		add(0, func(c *casework.Case) { c.Safety = flows.Watched })
		add(0, func(c *casework.Case) { c.Safety = flows.Danger })
		add(0, func(c *casework.Case) { c.Safety = "" })
		add(0, func(c *casework.Case) { c.Muted = true })
		add(0, func(c *casework.Case) { c.Contacts[0].Blocked = true })
		add(0, func(c *casework.Case) { c.Contacts[0].Channel = "whatsapp" })
		add(1, func(c *casework.Case) { // two contacts: the one that takes broadcasts
			c.Contacts = append(c.Contacts, casework.Contact{Channel: "whatsapp", Account: "9", Address: "x", LastIn: deskNow})
		})
		add(0, func(c *casework.Case) { c.Contacts = slices.Clone(all[0].Contacts) }) // the first one's second case
		add(0, func(c *casework.Case) { c.ClosedAs, c.ClosedAt, c.Stage = "returned", deskNow, casework.StageClosed })
		add(0, func(c *casework.Case) { c.Mission = "mm" })
		add(0, func(c *casework.Case) { c.Triage.Class = casework.P4 })
		add(0, func(c *casework.Case) { c.Stage = casework.StageVerified })
		add(1, func(c *casework.Case) { c.Permission = flows.WaitForMe }) // leaves when the person writes
		begun(t, s, "b1", casework.Audience{Classes: []casework.Class{casework.P3, casework.P2}, Stages: []casework.Stage{casework.StageReported}})
		b := &bot.Broadcaster{Store: s}
		must(t, b.Do(ctx, "kh", deskNow))
		for _, c := range all {
			if n, states := rowsOfCase(t, s, c); n != want[c.Code] || len(states) != want[c.Code] {
				t.Errorf("%s %q: %d entries, rows %v, want %d", c.ID, c.Safety, n, states, want[c.Code])
			}
		}
	})
}

// The case is asked again at the moment of its row: who was safe when the list was made and is watched now has none.
func TestBroadcastAsksAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		one, two := safeCase(1, nil), safeCase(2, nil)
		store1(t, s, one)
		store1(t, s, two)
		begun(t, s, "b1", casework.Audience{})
		b := &bot.Broadcaster{Store: s, Batch: 1}
		must(t, b.Do(ctx, "kh", deskNow))
		two.Safety = flows.Watched
		_, err := s.Commit(ctx, bot.Change{Line: "kh", Request: "watched", Case: two, CaseVer: 1})
		must(t, err)
		must(t, b.Do(ctx, "kh", deskNow))
		if n, _ := rowsOfCase(t, s, one); n != 1 {
			t.Errorf("the first: %d", n)
		}
		if n, states := rowsOfCase(t, s, two); n != 0 || len(states) != 0 {
			t.Errorf("who is watched: %d, %v", n, states)
		}
		if got, err := s.Broadcasts(ctx, "kh"); err != nil || got[0].State != bot.BroadcastQueued {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// After a stop nothing more is queued, and what waits is taken back; a row that is being sent is left to its sender, and
// taken back when it comes back to be tried again.
func TestBroadcastStop(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		var all []*casework.Case
		for n := range 6 {
			c := safeCase(n+1, nil)
			store1(t, s, c)
			all = append(all, c)
		}
		begun(t, s, "b1", casework.Audience{})
		b, other := &bot.Broadcaster{Store: s, Batch: 4}, &bot.Broadcaster{Store: s}
		must(t, b.Do(ctx, "kh", deskNow))
		taken, err := s.Take(ctx, "kh", "7000001", deskNow, 2, bot.LaneBroadcast, time.Minute)
		must(t, err)
		if len(taken) != 2 {
			t.Fatalf("%d taken", len(taken))
		}
		must(t, s.StopBroadcast(ctx, "kh", "b1", "dara", deskNow, did("broadcast_stopped")))
		must(t, other.Do(ctx, "kh", deskNow)) // whichever process
		must(t, b.Do(ctx, "kh", deskNow))
		counts := func() bot.Broadcast {
			t.Helper()
			got, err := s.Broadcasts(ctx, "kh")
			must(t, err)
			return got[0]
		}
		if got := counts(); got.State != bot.BroadcastStopping || got.Sent != (bot.BroadcastRows{Queued: 2, Withdrawn: 2}) || got.StoppedBy != "dara" {
			t.Errorf("while two are being sent: %+v", got)
		}
		sent := func(r bot.Row) bot.Sent { r.State, r.ProviderID = bot.RowSent, "p1"; return bot.Sent{Row: r} }(taken[0].Row)
		again := func(r bot.Row) bot.Sent {
			r.State, r.NotBefore = bot.RowQueued, deskNow.Add(time.Hour)
			return bot.Sent{Row: r}
		}(taken[1].Row)
		_, err = s.Finish(ctx, "kh", deskNow, []bot.Sent{sent, again}, 0)
		must(t, err)
		must(t, b.Do(ctx, "kh", deskNow))
		if got := counts(); got.State != bot.BroadcastStopped || got.Sent != (bot.BroadcastRows{Sent: 1, Withdrawn: 3}) {
			t.Errorf("stopped: %+v", got)
		}
		rows := 0
		for _, c := range all {
			_, states := rowsOfCase(t, s, c)
			rows += len(states)
		}
		if rows != 4 {
			t.Errorf("%d rows", rows)
		}
		left, err := s.Take(ctx, "kh", "7000001", deskNow.Add(2*time.Hour), 100, bot.LaneBroadcast, time.Minute)
		if err != nil || len(left) != 0 {
			t.Errorf("%d rows still leave, %v", len(left), err)
		}
		if n := s.rdb.HLen(ctx, keyRows("kh")).Val(); n != 0 {
			t.Errorf("%d rows are kept", n)
		}
		if err := s.StopBroadcast(ctx, "kh", "b1", "dara", deskNow, did("broadcast_stopped")); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("stopped twice: %v", err)
		}
	})
}

// late is a store whose broadcast is stopped, and everything of it withdrawn, while a row is on its way to the outbox.
type late struct {
	*Store
	stop func()
}

func (l *late) Commit(ctx context.Context, c bot.Change) (bot.Committed, error) {
	if l.stop != nil {
		l.stop()
		l.stop = nil
	}
	return l.Store.Commit(ctx, c)
}

func TestBroadcastStoppedMeanwhile(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := safeCase(1, nil)
		store1(t, s, c)
		begun(t, s, "b1", casework.Audience{})
		l := &late{Store: s}
		l.stop = func() {
			must(t, s.StopBroadcast(ctx, "kh", "b1", "dara", deskNow, did("broadcast_stopped")))
			must(t, (&bot.Broadcaster{Store: s}).Do(ctx, "kh", deskNow))
		}
		must(t, (&bot.Broadcaster{Store: l}).Do(ctx, "kh", deskNow))
		if _, states := rowsOfCase(t, s, c); !slices.Equal(states, []bot.RowState{bot.RowWithdrawn}) {
			t.Errorf("%v", states)
		}
		got, err := s.Broadcasts(ctx, "kh")
		must(t, err)
		if got[0].State != bot.BroadcastStopped {
			t.Errorf("%+v", got[0])
		}
	})
}

// A process that was away for long does not go on with old words: some may have had them from a copy that is gone.
func TestBroadcastTooLate(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		for n := range 3 {
			store1(t, s, safeCase(n+1, nil))
		}
		begun(t, s, "b1", casework.Audience{})
		must(t, (&bot.Broadcaster{Store: s, Batch: 1}).Do(ctx, "kh", deskNow))
		b := &bot.Broadcaster{Store: s}
		for range 2 {
			must(t, b.Do(ctx, "kh", deskNow.Add(bot.BroadcastLife+time.Second)))
		}
		got, err := s.Broadcasts(ctx, "kh")
		must(t, err)
		if got[0].State != bot.BroadcastStopped || got[0].Sent != (bot.BroadcastRows{Withdrawn: 1}) {
			t.Errorf("%+v", got[0])
		}
	})
}

// What is held back by the person's hours is taken back as well.
func TestBroadcastStopHeld(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		store1(t, s, safeCase(1, func(c *casework.Case) { c.Permission = flows.WaitForMe }))
		begun(t, s, "b1", casework.Audience{})
		b := &bot.Broadcaster{Store: s}
		must(t, b.Do(ctx, "kh", deskNow))
		taken, err := s.Take(ctx, "kh", "7000001", deskNow, 1, bot.LaneBroadcast, time.Minute)
		must(t, err)
		r := taken[0].Row
		r.State, r.Why = bot.RowHeld, casework.HoldNextMessage
		_, err = s.Finish(ctx, "kh", deskNow, []bot.Sent{{Row: r, CaseVer: taken[0].CaseVer, LastIn: taken[0].LastIn}}, 0)
		must(t, err)
		if got, err := s.Broadcasts(ctx, "kh"); err != nil || got[0].Sent != (bot.BroadcastRows{Held: 1}) {
			t.Fatalf("%+v, %v", got, err)
		}
		must(t, s.StopBroadcast(ctx, "kh", "b1", "dara", deskNow, did("broadcast_stopped")))
		must(t, b.Do(ctx, "kh", deskNow))
		if got, err := s.Broadcasts(ctx, "kh"); err != nil || got[0].Sent != (bot.BroadcastRows{Withdrawn: 1}) {
			t.Errorf("%+v, %v", got, err)
		}
		if page, err := s.Queue(ctx, "kh", deskNow, 1); err != nil || page.Held != 0 {
			t.Errorf("%d held, %v", page.Held, err)
		}
	})
}

// Two people, within a day; the words stand nowhere in clear, and the audit log has who, and not what.
func TestBroadcastNeedsTwo(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		store1(t, s, safeCase(1, nil))
		one := bot.Broadcast{ID: "b1", By: "sari", At: deskNow, Until: deskNow.Add(bot.BroadcastAskLife), Texts: map[string]string{"id": canaryWords}}
		must(t, s.AskBroadcast(ctx, "kh", one, did("broadcast_asked")))
		must(t, s.AskBroadcast(ctx, "kh", one, did("broadcast_asked"))) // the same form again
		confirm := func(mission, id, by string, at time.Time) error {
			return s.ConfirmBroadcast(ctx, mission, id, by, at, did("broadcast_confirmed"))
		}
		for what, err := range map[string]error{
			"by who wrote it":    confirm("kh", "b1", "SARI", deskNow),
			"by another mission": confirm("mm", "b1", "budi", deskNow),
			"another one":        confirm("kh", "b2", "budi", deskNow),
			"too late":           confirm("kh", "b1", "budi", deskNow.Add(bot.BroadcastAskLife)),
		} {
			if !errors.Is(err, bot.ErrRefused) && !errors.Is(err, bot.ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		b := &bot.Broadcaster{Store: s}
		must(t, b.Do(ctx, "kh", deskNow))
		if n := s.rdb.HLen(ctx, keyRows("kh")).Val(); n != 0 {
			t.Fatal("a row before anybody confirmed")
		}
		must(t, confirm("kh", "b1", "budi", deskNow))
		if err := confirm("kh", "b1", "dara", deskNow); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("confirmed twice: %v", err)
		}
		must(t, b.Do(ctx, "kh", deskNow))
		one.ID = "b2"
		must(t, s.AskBroadcast(ctx, "kh", one, did("broadcast_asked")))
		must(t, s.StopBroadcast(ctx, "kh", "b2", "sari", deskNow, did("broadcast_stopped")))
		if err := confirm("kh", "b2", "budi", deskNow); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("confirmed after it was taken back: %v", err)
		}
		for _, key := range s.rdb.Keys(ctx, "*").Val() {
			for _, word := range []string{canaryWords, "sari"} {
				if strings.Contains(s.rdb.Dump(ctx, key).Val(), word) {
					t.Errorf("%s stands in clear in %s", word, key)
				}
			}
		}
		rows, err := s.AuditLog(ctx, "kh", 50)
		must(t, err)
		n := map[string]int{}
		for _, r := range rows {
			n[r.What]++
			if strings.Contains(fmt.Sprint(r), canaryWords) {
				t.Error("the words stand in the audit log")
			}
		}
		if n["broadcast_asked"] != 2 || n["broadcast_confirmed"] != 1 || n["broadcast_stopped"] != 1 {
			t.Errorf("audit: %v", n)
		}
		// What is over since long is forgotten with the next one.
		one.ID, one.At = "b3", deskNow.Add(broadcastsKept+time.Hour)
		must(t, s.AskBroadcast(ctx, "kh", one, did("broadcast_asked")))
		if got, err := s.Broadcasts(ctx, "kh"); err != nil || len(got) != 1 || got[0].ID != "b3" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
