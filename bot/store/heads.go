package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pulang/flows/casework"
)

var headsScript = newScript("heads")

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
	female  bool
	all     bool
	classes []casework.Class
}

// heads reads the cases of a mission's queue among which the first ones in the order are found, at a cost that does
// not grow with the queue.
func (s *Store) heads(ctx context.Context, mission string, lines []string, now time.Time, want headsWant) ([]head, error) {
	zone := s.rules[mission].Zone
	if zone == nil {
		zone = time.UTC
	}
	minute := func(t time.Time) int { t = t.In(zone); return t.Hour()*60 + t.Minute() }
	args := []any{
		mission, now.UnixMilli(), want.n, minute(now), minute(now.Add(31 * time.Minute)), flag(want.female), flag(want.all),
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
		f := texts(res)
		for ; len(f) >= 9; f = f[9:] {
			all = append(all, head{line: line, id: f[0], Candidate: casework.Candidate{
				Code: f[1], Base: casework.Class(f[2]), DueAt: msTime(f[3]), CreatedAt: msTime(f[4]), PromisedAt: msTime(f[5]),
				Female: f[6] == "1", Windows: windowsOf(f[7]), LaterUntil: msTime(f[8]),
			}})
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
