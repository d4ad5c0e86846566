package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/flows/casework"
)

var vitalsScript = newScript("vitals")

// LineVitals are what an operator asks of a line: numbers and ages, nobody's data. A zero time means that there is
// none.
type LineVitals struct {
	Dead, Held, Asides                int
	DeadSince, HeldSince, AsidesSince time.Time // of the oldest
	// TimerDue is when the earliest timer is due that no process has taken.
	TimerDue time.Time
	Missions map[string]QueueVitals
	Accounts map[string]AccountVitals
}

// QueueVitals are about the cases of one mission in one line.
type QueueVitals struct {
	Open, Later, Claimed, Settled int
	// Total counts by class what waits for a human act, whether offered, later or held; Overdue what is late.
	Total, Overdue map[casework.Class]int
	// UnreadP1 counts those that nobody has opened since they became P1, of the looked-at first ones.
	UnreadP1      int
	UnreadP1Since time.Time // when the first of them became P1
	P1Since       time.Time // when the first P1 that nobody holds became one
	// WaitSince is when the person began to wait who has waited longest for a human, of those due first in each class.
	WaitSince time.Time
}

// AccountVitals are about one account's outbox. A contact counts in the lane of its most urgent waiting row; Since is
// when the oldest row was made that is the next of its contact, of the looked-at first ones.
type AccountVitals struct {
	Sending int
	Waiting [bot.Lanes]int
	Since   [bot.Lanes]time.Time
}

const (
	// vitalCases is how many of those due first in a class are opened to find who has waited longest.
	vitalCases = 3
	// vitalLook bounds what is looked at one by one.
	vitalLook = 200
)

// Vitals reads the vitals of lines, all in one round trip, for these accounts of each.
func (s *Store) Vitals(ctx context.Context, now time.Time, accounts map[string][]string) (map[string]LineVitals, error) {
	pipe := s.rdb.Pipeline()
	cmds := make([]*redis.Cmd, len(s.codes))
	args := make([][]any, len(s.codes))
	for i, code := range s.codes {
		missions := s.lines[code].Missions
		args[i] = []any{now.UnixMilli(), vitalCases, vitalLook, len(missions)}
		for _, m := range missions {
			args[i] = append(args[i], m)
		}
		for _, a := range accounts[code] {
			args[i] = append(args[i], dash(a))
		}
		cmds[i] = pipe.EvalSha(ctx, vitalsScript.sha, []string{lineKey(code)}, args[i]...)
	}
	_, _ = pipe.Exec(ctx) // each has its own error
	out := map[string]LineVitals{}
	for i, code := range s.codes {
		res, err := cmds[i].Slice()
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			res, err = s.rdb.Eval(ctx, vitalsScript.source, []string{lineKey(code)}, args[i]...).Slice()
		}
		if err != nil {
			return nil, fmt.Errorf("vitals of line %s: %w", code, err)
		}
		if out[code], err = s.lineVitals(code, res); err != nil {
			return nil, fmt.Errorf("vitals of line %s: %w", code, err)
		}
	}
	return out, nil
}

var errVitals = errors.New("redis: vitals gave an unknown answer")

func (s *Store) lineVitals(line string, res []any) (v LineVitals, err error) {
	if len(res) < 7 {
		return v, errVitals
	}
	f := texts(res[:7])
	v = LineVitals{
		Dead: number(f[0]), DeadSince: scoreTime(f[1]), Held: number(f[2]), HeldSince: scoreTime(f[3]),
		Asides: number(f[4]), AsidesSince: scoreTime(f[5]), TimerDue: scoreTime(f[6]),
		Missions: map[string]QueueVitals{}, Accounts: map[string]AccountVitals{},
	}
	for _, part := range res[7:] {
		list, _ := part.([]any)
		f := texts(list)
		switch {
		case len(f) >= 17 && f[0] == "m":
			if v.Missions[f[1]], err = s.queueVitals(line, f); err != nil {
				return v, err
			}
		case len(f) == 3+2*bot.Lanes && f[0] == "a":
			a := AccountVitals{Sending: number(f[2])}
			for lane := range bot.Lanes {
				a.Waiting[lane], a.Since[lane] = number(f[3+2*lane]), scoreTime(f[4+2*lane])
			}
			v.Accounts[f[1]] = a
		default:
			return v, errVitals
		}
	}
	return v, nil
}

func (s *Store) queueVitals(line string, f []string) (QueueVitals, error) {
	q := QueueVitals{
		Open: number(f[2]), Later: number(f[3]), Claimed: number(f[4]), Settled: number(f[5]), UnreadP1: number(f[6]),
		UnreadP1Since: scoreTime(f[7]), P1Since: scoreTime(f[8]), Total: map[casework.Class]int{}, Overdue: map[casework.Class]int{},
	}
	for i, c := range casework.Classes {
		q.Total[c], q.Overdue[c] = number(f[9+2*i]), number(f[10+2*i])
	}
	for rest := range slices.Chunk(f[17:], 4) {
		if len(rest) < 4 {
			return q, errVitals
		}
		c, _, err := s.openCase(line, rest[0], rest[1], rest[2], rest[3])
		if err != nil {
			return q, err
		}
		if c == nil {
			continue // erased meanwhile
		}
		since := c.WaitSince
		if since.IsZero() {
			since = c.CreatedAt
		}
		if q.WaitSince.IsZero() || since.Before(q.WaitSince) {
			q.WaitSince = since
		}
	}
	return q, nil
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // a script's own count
	return n
}

// scoreTime reads a time that may have come as a score, which is a float.
func scoreTime(s string) time.Time {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}
	}
	return fromMillis(int64(f))
}

// StaffVitals counts the accounts of the desk and the sessions that are alive.
func (s *Store) StaffVitals(ctx context.Context, now time.Time) (accounts, sessions int, err error) {
	ids, err := s.rdb.SMembers(ctx, keyAccounts()).Result()
	if err != nil {
		return 0, 0, fmt.Errorf("accounts: %w", err)
	}
	if len(ids) == 0 {
		return 0, 0, nil
	}
	pipe := s.rdb.Pipeline()
	alive := make([]*redis.IntCmd, len(ids))
	for i, id := range ids {
		alive[i] = pipe.ZCount(ctx, keySessionsOf(id), fmt.Sprintf("(%d", now.UnixMilli()), "+inf")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, 0, fmt.Errorf("sessions: %w", err)
	}
	for _, n := range alive {
		sessions += int(n.Val())
	}
	return len(ids), sessions, nil
}

// LeaseHolder tells who has the lease of that name and until when; an owner of "" for nobody. The lease of somebody
// who ended without giving it back is over when until has passed.
func (s *Store) LeaseHolder(ctx context.Context, line, name string) (owner string, until time.Time, err error) {
	f, err := s.rdb.HMGet(ctx, keyLease(line, name), "own", "unt").Result()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("lease %s: %w", name, err)
	}
	return text(f[0]), msTime(text(f[1])), nil
}

// Probe writes a value of this process to every line and to the staff area and reads it back: a Redis that answers but
// refuses writes (full, a replica, a broken disk) does not pass.
func (s *Store) Probe(ctx context.Context) error {
	want := token()
	pipe := s.rdb.Pipeline()
	var got []*redis.StringCmd
	for _, line := range append([]string{StaffLine}, s.codes...) {
		key := keyProbe(line, s.self)
		pipe.Set(ctx, key, want, probeLife)
		got = append(got, pipe.Get(ctx, key))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	for _, g := range got {
		// Another probe of this process may have been later: what counts is that a write is read back.
		if g.Val() == "" {
			return errors.New("redis: what was written is not there")
		}
	}
	return nil
}

// probeLife is how long a probe's value stays.
const probeLife = time.Minute
