package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// memOutbox is an outbox that behaves: rows of one contact in order and never two at a time.
type memOutbox struct {
	mu     sync.Mutex
	rows   map[Contact][]*Row
	leased map[Contact]time.Time
	ended  []Row
	freeze time.Time
	lastIn time.Time
	c      *casework.Case
	broken int // so many calls of Finish fail
}

func (m *memOutbox) put(rows ...Row) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows, m.leased = map[Contact][]*Row{}, map[Contact]time.Time{}
	}
	for _, r := range rows {
		m.rows[r.To] = append(m.rows[r.To], &r)
	}
}

func (m *memOutbox) take(now time.Time, n int, upTo Lane, lease time.Duration, only func(Contact) bool) []Leased {
	var out []Leased
	if now.Before(m.freeze) {
		return nil
	}
	for lane := LaneSafety; lane <= upTo; lane++ {
		for who, rows := range m.rows {
			urgent := LaneBroadcast
			for _, r := range rows {
				urgent = min(urgent, r.Lane)
			}
			if len(out) < n && len(rows) > 0 && urgent == lane && now.After(m.leased[who]) && only(who) &&
				rows[0].State != RowHeld && !rows[0].NotBefore.After(now) {
				m.leased[who] = now.Add(lease)
				out = append(out, Leased{Row: *rows[0], Case: m.c, LastIn: m.lastIn})
			}
		}
	}
	return out
}

func (m *memOutbox) Take(_ context.Context, _, account string, now time.Time, n int, upTo Lane, lease time.Duration) ([]Leased, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.take(now, n, upTo, lease, func(c Contact) bool { return c.Account == account }), nil
}

func (m *memOutbox) Finish(_ context.Context, _ string, now time.Time, done []Sent, lease time.Duration) ([]Leased, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken > 0 {
		m.broken--
		return nil, errors.New("store is down")
	}
	var out []Leased
	for _, s := range done {
		delete(m.leased, s.Row.To)
		if s.Freeze.After(m.freeze) {
			m.freeze = s.Freeze
		}
		rows := m.rows[s.Row.To]
		if len(rows) == 0 || rows[0].ID != s.Row.ID {
			continue // stored before
		}
		switch s.Row.State {
		case RowSent, RowFailed:
			m.ended = append(m.ended, s.Row)
			m.rows[s.Row.To] = rows[1:]
		default:
			*rows[0] = s.Row
		}
		if lease > 0 {
			out = append(out, m.take(now, 1, LaneBroadcast, lease, func(c Contact) bool { return c == s.Row.To })...)
		}
	}
	return out, nil
}

func (m *memOutbox) Receipt(context.Context, string, Contact, string, RowState, time.Time) error {
	return nil
}
func (m *memOutbox) Handles(context.Context, string, Contact) ([]string, error) {
	return []string{"7", "8"}, nil
}

func (m *memOutbox) texts(who Contact) (out []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.ended {
		if r.To == who && r.State == RowSent {
			out = append(out, r.Out.Text)
		}
	}
	return out
}

// memChannel notes what it is asked to send and answers as the test's script says.
type memChannel struct {
	mu     sync.Mutex
	calls  []Row
	at     []time.Time
	script func(n int, r Row) error // nil: always sent
	takes  time.Duration
}

func (c *memChannel) Name() string    { return "mem" }
func (c *memChannel) Account() string { return "a" }
func (c *memChannel) Send(ctx context.Context, r Row) (string, error) {
	if c.takes > 0 {
		select {
		case <-time.After(c.takes):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls, c.at = append(c.calls, r), append(c.at, time.Now())
	if c.script != nil {
		if err := c.script(len(c.calls), r); err != nil {
			return "", err
		}
	}
	return fmt.Sprint(len(c.calls)), nil
}

func person(n int) Contact { return Contact{Channel: "mem", Account: "a", Address: fmt.Sprint(n)} }

func row(to, n int, lane Lane) Row {
	return Row{
		ID: fmt.Sprintf("%d-%d", to, n), Line: "kh", To: person(to), Lane: lane, Kind: "reply", State: RowQueued,
		CreatedAt: time.Now(), Out: Outgoing{Text: fmt.Sprint(n)},
	}
}

// relayFor runs a relay in the test's bubble; the returned function stops it in good order.
func relayFor(t *testing.T, box *memOutbox, ch *memChannel) (*Relay, func()) {
	t.Helper()
	if box.lastIn.IsZero() {
		box.lastIn = time.Now()
	}
	r := NewRelay(RelayOptions{
		Outbox: box, Channels: []LineChannel{{"kh", ch}}, Rules: map[string]casework.Rules{"kh": {}},
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	return r, func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestRowsOfOnePersonLeaveInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, ch := &memOutbox{}, &memChannel{takes: 60 * time.Millisecond}
		for n := range 20 {
			for p := range 10 {
				box.put(row(p, n, LaneBot))
			}
		}
		_, stop := relayFor(t, box, ch)
		time.Sleep(30 * time.Second) // the bubble's clock, not the machine's
		stop()
		for p := range 10 {
			var want []string
			for n := range 20 {
				want = append(want, fmt.Sprint(n))
			}
			if got := box.texts(person(p)); !slices.Equal(got, want) {
				t.Errorf("person %d got %v", p, got)
			}
		}
		if len(ch.calls) != 200 {
			t.Errorf("%d sends for 200 rows", len(ch.calls))
		}
	})
}

func TestRetryAfterIsHonouredAndCostsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := &memChannel{script: func(n int, _ Row) error {
			if n <= 3 {
				return &SendError{Do: SendRetry, After: 7 * time.Second, Why: "rate", Err: errors.New("429")}
			}
			return nil
		}}
		box := &memOutbox{}
		box.put(row(1, 1, LaneBot))
		_, stop := relayFor(t, box, ch)
		time.Sleep(time.Minute)
		stop()
		if len(ch.calls) != 4 || box.ended[0].State != RowSent || box.ended[0].Attempts != 1 {
			t.Fatalf("calls %d, ended %+v", len(ch.calls), box.ended)
		}
		for i := 1; i < len(ch.at); i++ {
			if gap := ch.at[i].Sub(ch.at[i-1]); gap < 7*time.Second || gap > 8*time.Second {
				t.Errorf("gap %v, told to wait 7s", gap)
			}
		}
	})
}

func TestDeadLetterDoesNotHoldUpTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := &memChannel{script: func(_ int, r Row) error {
			if r.Out.Text == "1" {
				return &SendError{Do: SendBad, Why: "bad_request", Err: errors.New("400")}
			}
			return nil
		}}
		box := &memOutbox{}
		box.put(row(1, 1, LaneBot), row(1, 2, LaneBot))
		_, stop := relayFor(t, box, ch)
		time.Sleep(5 * time.Second)
		stop()
		if got := box.texts(person(1)); !slices.Equal(got, []string{"2"}) {
			t.Errorf("got %v", got)
		}
		if box.ended[0].State != RowFailed || box.ended[0].Why != "bad_request" {
			t.Errorf("dead letter %+v", box.ended[0])
		}
	})
}

func TestDownForADayEndsAmongTheDeadLettersNotInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := &memChannel{script: func(int, Row) error { return errors.New("no route") }}
		box := &memOutbox{}
		alert := row(1, 1, LaneSafety)
		alert.Kind = KindAlert // no citizen's gate: what is tested here is the time
		box.put(alert)
		_, stop := relayFor(t, box, ch)
		time.Sleep(25 * time.Hour)
		stop()
		if len(box.ended) != 1 || box.ended[0].State != RowFailed || box.ended[0].Why != "gave_up" {
			t.Fatalf("ended %+v", box.ended)
		}
		if n := len(ch.calls); n < 1000 || n > 2000 {
			t.Errorf("%d tries in a day", n)
		}
	})
}

func TestOrderlyStopFinishesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, ch := &memOutbox{broken: 3}, &memChannel{takes: 3 * time.Second}
		for p := range 50 {
			box.put(row(p, 1, LaneBot), row(p, 2, LaneBot))
		}
		_, stop := relayFor(t, box, ch)
		time.Sleep(time.Second)
		stop() // all 50 first rows are on their way, and the store refuses the first results
		for p := range 50 {
			if got := box.texts(person(p)); !slices.Equal(got, []string{"1"}) {
				t.Fatalf("person %d: %v", p, got)
			}
		}
		if len(ch.calls) != 50 {
			t.Errorf("%d sends", len(ch.calls))
		}
		_, stop = relayFor(t, box, ch)
		time.Sleep(10 * time.Second)
		stop()
		if len(ch.calls) != 100 {
			t.Errorf("%d sends after the second start", len(ch.calls))
		}
	})
}

func TestGateIsAskedWhenARowLeavesNotWhenItIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, ch := &memOutbox{lastIn: time.Now().Add(-20 * time.Minute)}, &memChannel{}
		box.c = &casework.Case{Safety: flows.Watched, CreatedAt: time.Now()}
		box.put(row(1, 1, LaneOfficer))
		alert := row(2, 1, LaneSafety)
		alert.Kind = KindAlert
		box.put(alert)
		_, stop := relayFor(t, box, ch)
		time.Sleep(5 * time.Second)
		stop()
		if len(ch.calls) != 1 || ch.calls[0].Kind != KindAlert {
			t.Errorf("sent %+v: only the staff's alert may leave", ch.calls)
		}
		held := box.rows[person(1)][0]
		if held.State != RowHeld || held.Why == "" {
			t.Errorf("row %+v", held)
		}
	})
}

func TestUrgentLaneOvertakesAMountainOfBroadcasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, ch := &memOutbox{}, &memChannel{takes: 50 * time.Millisecond}
		for p := range 2000 {
			r := row(p, 1, LaneBroadcast)
			r.Kind = "broadcast"
			box.put(r)
		}
		box.c = &casework.Case{Safety: flows.Safe, CreatedAt: time.Now()}
		_, stop := relayFor(t, box, ch)
		time.Sleep(3 * time.Second)
		urgent := row(9999, 1, LaneSafety)
		box.put(urgent)
		asked := time.Now()
		time.Sleep(60 * time.Second)
		stop()
		for i, r := range ch.calls {
			if r.ID == urgent.ID {
				if wait := ch.at[i].Sub(asked); wait > time.Second {
					t.Errorf("the answer to danger waited %v behind broadcasts", wait)
				}
				return
			}
		}
		t.Error("never sent")
	})
}

// While the store takes no results for longer than a lease, rows that left are handed out again: they must not leave
// a second time.
func TestLongOutageOfTheStoreRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, ch := &memOutbox{broken: 300}, &memChannel{takes: 50 * time.Millisecond}
		for p := range 20 {
			box.put(row(p, 1, LaneBot), row(p, 2, LaneBot))
		}
		_, stop := relayFor(t, box, ch)
		time.Sleep(10 * time.Minute)
		stop()
		for p := range 20 {
			if got := box.texts(person(p)); len(got) == 0 || got[0] != "1" {
				t.Errorf("person %d: %v", p, got)
			}
		}
		seen := map[string]int{}
		for _, r := range ch.calls {
			if seen[r.ID]++; seen[r.ID] > 1 {
				t.Errorf("row %s left %d times", r.ID, seen[r.ID])
			}
		}
	})
}

// pacedChannel wants a second between two messages to one person.
type pacedChannel struct{ *memChannel }

func (pacedChannel) Pause() time.Duration { return time.Second }

func TestPauseIsBetweenMessagesOfABurstNotBeforeAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, ch := &memOutbox{lastIn: time.Now()}, &memChannel{takes: 100 * time.Millisecond}
		r := NewRelay(RelayOptions{Outbox: box, Channels: []LineChannel{{"kh", pacedChannel{ch}}}})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		make1 := func(n int) Row {
			w := row(1, n, LaneBot)
			w.CreatedAt = time.Now()
			return w
		}
		box.put(make1(1), make1(2))
		go func() { ended <- r.Run(ctx) }()
		time.Sleep(1150 * time.Millisecond) // the second one is being sent, a second after the first
		answer := make1(3)
		box.put(answer)
		time.Sleep(time.Second)
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		var at []time.Time
		for i, c := range ch.calls {
			if c.To == person(1) {
				at = append(at, ch.at[i])
			}
		}
		if len(at) != 3 {
			t.Fatalf("%d sends", len(at))
		}
		if d := at[1].Sub(at[0]); d < time.Second {
			t.Errorf("two rows that waited together left within %v", d)
		}
		if d := at[2].Sub(answer.CreatedAt); d > 400*time.Millisecond {
			t.Errorf("an answer waited %v", d)
		}
	})
}
