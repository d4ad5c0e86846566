package store_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows/casework"
)

// Every number of the vitals, from cases and rows that stand in each of the places.
func TestVitals(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, now *clock) {
		at := func(d time.Duration) time.Time { return noon.Add(d) }
		add := func(id, code string, change func(*casework.Case)) {
			c := aCase(id, code)
			change(c)
			commit(t, s, bot.Change{Line: "kh", Case: c})
		}
		class := func(c *casework.Case, k casework.Class) { c.Triage.Class, c.Peak = k, k }
		add("a1", "AAAA-0001", func(c *casework.Case) { // unread, late
			class(c, casework.P1)
			c.P1Since, c.WaitSince, c.DueAt = at(-20*time.Minute), at(-30*time.Minute), at(-5*time.Minute)
		})
		add("a2", "AAAA-0002", func(c *casework.Case) { // read since it is P1
			class(c, casework.P1)
			c.P1Since, c.LastRead, c.WaitSince, c.DueAt = at(-40*time.Minute), at(-39*time.Minute), at(-40*time.Minute), at(time.Minute)
		})
		add("a3", "AAAA-0003", func(c *casework.Case) { // waits longest, is not late
			c.WaitSince, c.DueAt = at(-3*time.Hour), at(time.Hour)
		})
		add("a4", "AAAA-0004", func(c *casework.Case) { // nobody waits
			c.WaitSince, c.SettledAt, c.DueAt = at(-9*time.Hour), at(-time.Hour), at(-8*time.Hour)
		})
		add("a5", "AAAA-0005", func(c *casework.Case) {
			c.WaitSince, c.LaterUntil, c.DueAt = at(-time.Hour), at(2*time.Hour), at(2*time.Hour)
		})
		add("a6", "AAAA-0006", func(c *casework.Case) { c.Mission, c.WaitSince = "mm", at(-time.Minute) })

		old := row("r1", citizen(1))
		old.CreatedAt = at(-time.Minute)
		send(t, s, old) // leased to the committer
		second := row("r2", citizen(2))
		second.CreatedAt, second.Lane = at(-2*time.Minute), bot.LaneOfficer
		send(t, s, row("r0", citizen(2)))
		lease := take(t, s, at(time.Minute), 10) // both leases are over then, and begin anew
		if len(lease) != 2 {
			t.Fatalf("%d rows were taken", len(lease))
		}
		send(t, s, second)
		dead, held := lease[0].Row, lease[1].Row
		dead.State, dead.Why = bot.RowFailed, "blocked"
		held.State, held.Why = bot.RowHeld, "not_safe"
		finish(t, s, at(time.Minute), bot.Sent{Row: dead}, bot.Sent{Row: held})
		if err := s.SetAside(ctx, "kh", bot.Aside{ID: "x", At: at(-time.Hour), Channel: "telegram", Why: "broken"}); err != nil {
			t.Fatal(err)
		}
		commit(t, s, bot.Change{Line: "kh", Timers: []bot.Timer{{Line: "kh", Name: "nudge", Contact: citizen(1), At: at(-7 * time.Minute)}}})

		v, err := s.Vitals(ctx, at(time.Minute), map[string][]string{"kh": {"7000001", "nobody"}})
		if err != nil {
			t.Fatal(err)
		}
		l := v["kh"]
		q := l.Missions["kh"]
		if q.Open != 5 || q.Settled != 1 || q.Later != 1 || q.Claimed != 0 || q.Total[casework.P1] != 2 || q.Total[casework.P2] != 2 ||
			q.Overdue[casework.P1] != 1 || q.Overdue[casework.P2] != 0 {
			t.Errorf("the queue: %+v", q)
		}
		if q.UnreadP1 != 1 || !q.UnreadP1Since.Equal(at(-20*time.Minute)) || !q.P1Since.Equal(at(-40*time.Minute)) || !q.WaitSince.Equal(at(-3*time.Hour)) {
			t.Errorf("P1 and waiting: %+v", q)
		}
		if m := l.Missions["mm"]; m.Open != 1 || !m.WaitSince.Equal(at(-time.Minute)) {
			t.Errorf("the other mission: %+v", m)
		}
		if l.Dead != 1 || !l.DeadSince.Equal(at(time.Minute)) || l.Held != 1 || l.Asides != 1 || !l.AsidesSince.Equal(at(-time.Hour)) {
			t.Errorf("what lies: %+v", l)
		}
		if !l.TimerDue.Equal(at(-7 * time.Minute)) {
			t.Errorf("the first timer is due at %v", l.TimerDue)
		}
		a := l.Accounts["7000001"]
		sum := a.Sending
		for _, n := range a.Waiting {
			sum += n
		}
		if sum != 1 || a.Sending == 0 && !a.Since[bot.LaneOfficer].Equal(at(-2*time.Minute)) {
			t.Errorf("the outbox: %+v", a)
		}
		if l.Accounts["nobody"] != (store.AccountVitals{}) {
			t.Errorf("an account without rows: %+v", l.Accounts["nobody"])
		}

		// An officer who holds the P1 ends neither its being unread nor the wait of others.
		if _, err := s.Claim(ctx, "kh", "AAAA-0002", casework.Officer{Name: "Sari"}, now.Now(), "claim-1", bot.Audit{}); err != nil {
			t.Fatal(err)
		}
		if v, err = s.Vitals(ctx, at(time.Minute), nil); err != nil {
			t.Fatal(err)
		}
		if q = v["kh"].Missions["kh"]; q.Claimed != 1 || !q.P1Since.Equal(at(-20*time.Minute)) || q.UnreadP1 != 1 {
			t.Errorf("after a claim: %+v", q)
		}
	})
}

// A waiting row counts in its lane with its age, and a lease's holder is told.
func TestVitalsOfTheOutboxAndLeases(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store, _ redis.UniversalClient, _ *clock) {
		later := row("r1", citizen(1))
		later.CreatedAt = noon.Add(-time.Hour)
		send(t, s, later)
		l := take(t, s, noon.Add(time.Minute), 1)
		if len(l) == 0 {
			l = take(t, s, noon.Add(2*time.Minute), 1)
		}
		r := l[0].Row
		r.State, r.NotBefore, r.Attempts = bot.RowQueued, noon.Add(3*time.Minute), 1
		finish(t, s, noon.Add(2*time.Minute), bot.Sent{Row: r})
		v, err := s.Vitals(ctx, noon.Add(2*time.Minute), map[string][]string{"kh": {"7000001"}})
		if err != nil {
			t.Fatal(err)
		}
		if a := v["kh"].Accounts["7000001"]; a.Sending != 0 || a.Waiting[bot.LaneBot] != 1 || !a.Since[bot.LaneBot].Equal(noon.Add(-time.Hour)) {
			t.Errorf("a row that is tried again: %+v", a)
		}

		if owner, _, err := s.LeaseHolder(ctx, "kh", "poll:1"); err != nil || owner != "" {
			t.Errorf("a lease that nobody has: %q %v", owner, err)
		}
		if _, ok, err := s.AcquireLease(ctx, "kh", "poll:1", "me", time.Minute); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if owner, until, err := s.LeaseHolder(ctx, "kh", "poll:1"); err != nil || owner != "me" || !until.Equal(noon.Add(time.Minute)) {
			t.Errorf("the holder: %q %v %v", owner, until, err)
		}
		if n, sessions, err := s.StaffVitals(ctx, noon); err != nil || n != 0 || sessions != 0 {
			t.Errorf("no staff: %d %d %v", n, sessions, err)
		}
	})
}

// The probe passes while Redis takes writes, and fails when it does not although it answers; what INFO tells is read.
func TestProbe(t *testing.T) {
	t.Parallel()
	c := storetest.Redis(t).Client.(*redis.Client)
	s := storetest.Open(t, c, store.Options{})
	trips, lost := 0, 0
	s.MeasureRoundTrips(func(_ time.Duration, err error) {
		trips++
		if err != nil {
			lost++
		}
	})
	if err := s.Probe(ctx); err != nil {
		t.Fatal(err)
	}
	if trips != 1 || lost != 0 {
		t.Errorf("a probe is %d round trips, %d of them lost", trips, lost)
	}
	v, err := s.RedisVitals(ctx)
	if err != nil || v.Primaries != 1 || v.Used < 1000 || v.Limit < v.Used || v.Share <= 0 || v.Share >= 1 || !v.AppendOK || !v.SnapshotOK {
		t.Errorf("%+v %v", v, err)
	}
	for setting, value := range map[string]string{"maxmemory": "1mb", "appendonly": "no"} {
		if err := c.ConfigSet(ctx, setting, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Ping(ctx); err != nil {
		t.Errorf("it answers: %v", err)
	}
	if err := s.Probe(ctx); err == nil {
		t.Error("a Redis that is full passed the probe")
	}
	if v, err = s.RedisVitals(ctx); err != nil || v.Limit != 1<<20 || v.AppendOK || v.Share < .5 {
		t.Errorf("full and without its file: %+v %v", v, err)
	}
}
