package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/flows/casework"
)

var headsScript = newReader("heads")

// linesOf are the lines in which a mission has a queue, its own line first. A mission that no line knows is an error.
func (s *Store) linesOf(mission string) ([]string, error) {
	var lines []string
	for _, code := range s.codes {
		l := s.lines[code]
		if !slices.Contains(l.Missions, mission) {
			continue
		}
		if l.Missions[0] == mission {
			lines = slices.Insert(lines, 0, code)
		} else {
			lines = append(lines, code)
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("no line has a queue of mission %q", mission)
	}
	return lines, nil
}

// head is a case that nobody holds and that Next may have to choose, as far as scripts know it.
type head struct {
	line, id string
	casework.Candidate
}

func candidates(heads []head) []casework.Candidate {
	all := make([]casework.Candidate, len(heads))
	for i, h := range heads {
		all[i] = h.Candidate
	}
	return all
}

// headsWant says which heads to read: at most n of each kind, for a woman or not. Below P1 they are read only when no
// P1 waits; with all they are read until n are found.
type headsWant struct {
	n       int
	skipped int // how many of them the officer passed over
	female  bool
	all     bool
	classes []casework.Class
}

// heads reads the cases of a mission's queue among which the first ones in the order are found, at a cost that does
// not grow with the queue.
func (s *Store) heads(ctx context.Context, mission string, lines []string, now time.Time, want headsWant) ([]head, error) {
	if want.n > headsAtOnce {
		return s.wholeQueue(ctx, mission, lines, now, want)
	}
	zone := s.rules[mission].Zone
	if zone == nil {
		zone = time.UTC
	}
	minute := func(t time.Time) int { t = t.In(zone); return t.Hour()*60 + t.Minute() }
	args := []any{
		mission, now.UnixMilli(), want.n, minute(now), minute(now.Add(31 * time.Minute)), flag(want.female), flag(want.all),
		want.skipped,
	}
	if len(want.classes) == 0 {
		want.classes = casework.Classes
	}
	for _, c := range want.classes {
		args = append(args, string(c))
	}
	var all []head
	for _, line := range lines {
		res, err := s.run(ctx, headsScript, []string{lineKey(line)}, args...).Slice()
		if err != nil {
			return nil, fmt.Errorf("heads of the queue: %w", err)
		}
		for f := texts(res); len(f) >= 9; f = f[9:] {
			all = append(all, headOf(line, f[0], f[1:9]))
		}
	}
	return all, nil
}

// headFields are the fields of a case's record that make its head.
var headFields = []string{"code", "c", "due", "cr", "pr", "f", "w", "lat"}

func headOf(line, id string, f []string) head {
	return head{line: line, id: id, Candidate: casework.Candidate{
		Code: f[0], Base: casework.Class(f[1]), DueAt: msTime(f[2]), CreatedAt: msTime(f[3]), PromisedAt: msTime(f[4]),
		Female: f[5] == "1", Windows: windowsOf(f[6]), LaterUntil: msTime(f[7]),
	}}
}

// headsAtOnce is up to how many of a kind are read by one script, which holds up everybody else meanwhile.
const headsAtOnce = 512

// wholeQueue reads a queue class by class in small steps, until want.n cases are found: for lists of everything.
func (s *Store) wholeQueue(ctx context.Context, mission string, lines []string, now time.Time, want headsWant) ([]head, error) {
	if len(want.classes) == 0 {
		want.classes = casework.Classes
	}
	var all []head
	seen := map[place]bool{}
	read := func(line string, ids []string) error {
		pipe := s.rdb.Pipeline()
		got := make([]*redis.SliceCmd, len(ids))
		for i, id := range ids {
			got[i] = pipe.HMGet(ctx, keyCase(line, id), append(headFields, "by", "unt")...)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		for i, id := range ids {
			f := texts(got[i].Val())
			held := f[8] != "" && msTime(f[9]).After(now)
			if at := (place{line: line, id: id}); f[0] != "" && !held && !seen[at] {
				seen[at] = true
				all = append(all, headOf(line, id, f))
			}
		}
		return nil
	}
	for _, line := range lines {
		for _, key := range []string{keyQueueLater(line, mission), keyQueueClaimed(line, mission)} {
			ids, err := s.rdb.ZRangeArgs(ctx, zByScore(key, 0, now.UnixMilli(), int64(want.n))).Result()
			if err == nil && len(ids) > 0 {
				err = read(line, ids)
			}
			if err != nil {
				return nil, fmt.Errorf("read the queue: %w", err)
			}
		}
	}
	for _, class := range want.classes {
		for _, line := range lines {
			for from := int64(0); ; from += headsAtOnce {
				ids, err := s.rdb.ZRange(ctx, keyQueue(line, mission, string(class)), from, from+headsAtOnce-1).Result()
				if err == nil && len(ids) > 0 {
					err = read(line, ids)
				}
				if err != nil {
					return nil, fmt.Errorf("read the queue: %w", err)
				}
				if len(ids) < headsAtOnce {
					break
				}
			}
		}
		if len(all) >= want.n {
			break
		}
	}
	return all, nil
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return ""
}

// msTime reads a time from a field; the zero time for "".
func msTime(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return fromMillis(n)
}

// windowsOf reads what windowField wrote.
func windowsOf(field string) []casework.Window {
	var ws []casework.Window
	for part := range strings.SplitSeq(field, ",") {
		from, to, _ := strings.Cut(part, "-")
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 == nil && err2 == nil {
			ws = append(ws, casework.Window{From: a, To: b})
		}
	}
	return ws
}
