package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
)

// lossLook is how often it is looked whether the server is still the one it was.
const lossLook = time.Second

// WatchLosses looks, at the start and whenever a primary is replaced or started again, whether the store still has
// what this process acknowledged, until ctx ends. What it has not is put aside for staff and told. changed is told of
// every replaced or restarted primary, after the look.
func (s *Store) WatchLosses(ctx context.Context, tell func(line string, lost bot.Lost), changed func(context.Context)) error {
	if s.journal == nil {
		<-ctx.Done()
		return nil
	}
	known, sure := map[string]string{}, map[string]time.Time{}
	tick := time.NewTicker(lossLook)
	defer tick.Stop()
	flush := time.NewTicker(journalFlush)
	defer flush.Stop()
	failing := false
	for {
		err := s.lookForLosses(ctx, known, sure, tell, changed)
		if ctx.Err() != nil {
			return nil
		}
		if (err != nil) != failing {
			if failing = err != nil; failing {
				s.log.Warn("cannot tell whether Redis is still what it was; asking on", "err", err)
			}
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil
			case <-flush.C:
				s.journal.flush()
			case <-tick.C:
				waiting = false
			}
		}
	}
}

func (s *Store) lookForLosses(ctx context.Context, known map[string]string, sure map[string]time.Time, tell func(string, bot.Lost),
	changed func(context.Context),
) error {
	ids := map[*redis.Client]string{}
	began := s.clock()
	var all error
	for _, line := range s.codes {
		c, err := s.to.of(ctx, lineKey(line))
		if err != nil {
			all = errors.Join(all, err)
			continue
		}
		id, ok := ids[c]
		if !ok {
			if id, err = serverID(ctx, c); err != nil {
				s.to.changed(ctx)
				all = errors.Join(all, err)
			}
			ids[c] = id
		}
		if id == "" {
			continue
		}
		if known[line] != id {
			lost, err := s.lostOf(ctx, line, sure[line])
			if err == nil && lost.Count > 0 {
				err = s.tellLost(ctx, line, lost, tell)
			}
			if err != nil {
				all = errors.Join(all, err)
				continue
			}
			if known[line] != "" {
				// What is at hand here may be of a version that the server now in charge never had.
				s.hand.forget()
				s.fields.age()
				s.fields.age()
				s.log.Warn("Redis was started again or another took its place", "line", line, "lost", lost.Count)
				changed(ctx)
			}
			known[line] = id
		}
		// What is acknowledged while another server takes over may be acknowledged by either.
		sure[line] = began.Add(-10 * time.Second)
	}
	return all
}

// serverID changes when a server is started again or takes another's place.
func serverID(ctx context.Context, c *redis.Client) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var id string
	for section, field := range map[string]string{"server": "run_id", "replication": "master_replid"} {
		info, err := c.Info(ctx, section).Result()
		var re redis.Error
		if errors.As(err, &re) && !noPrimary(err) {
			continue // a server that does not say is looked into at the start only
		}
		if err != nil {
			return "", err
		}
		if section == "replication" && infoField(info, "role") == "slave" {
			return "", errors.New("redis: no primary")
		}
		if section == "server" {
			id = infoField(info, field) + id
		} else {
			id += infoField(info, field)
		}
	}
	return "server " + id, nil
}

// lossBatch is how many entries are looked for at once. A replica or a copy has a primary's writes up to some moment,
// so where a whole batch is there, everything before it is.
const lossBatch = 200

// lost is what is missing, with the journal's names of it.
type lostAcks struct {
	bot.Lost
	names map[string]bool
}

// lostOf looks for the line's acknowledged commits, the newest first, at least back to since.
func (s *Store) lostOf(ctx context.Context, line string, since time.Time) (lostAcks, error) {
	out := lostAcks{names: map[string]bool{}}
	all, err := s.journal.read()
	if err != nil {
		return out, err
	}
	oldest := s.clock().Add(-dedupeFor + 24*time.Hour).UnixMilli() // older ones are forgotten by the store as well
	all = slices.DeleteFunc(all, func(a ack) bool { return a.line != line || a.at < oldest })
	var numbers []int64
	cases := map[string]bool{}
	for len(all) > 0 {
		batch := all[max(0, len(all)-lossBatch):]
		all = all[:len(all)-len(batch)]
		gone, err := s.notThere(ctx, batch)
		if err != nil {
			return out, err
		}
		for _, a := range gone {
			if out.names[a.name()] {
				continue // acknowledged twice
			}
			out.names[a.name()] = true
			out.Count++
			at := fromMillis(a.at)
			if out.From.IsZero() || at.Before(out.From) {
				out.From = at
			}
			if at.After(out.To) {
				out.To = at
			}
			if a.code != "" {
				cases[a.code] = true
			}
			if a.number > 0 {
				numbers = append(numbers, a.number)
			}
		}
		if len(gone) == 0 && fromMillis(batch[0].at).Before(since.Add(time.Nanosecond)) || len(gone) == 0 && since.IsZero() {
			break
		}
	}
	for code := range cases {
		out.Cases = append(out.Cases, code)
	}
	slices.Sort(out.Cases)
	for _, r := range ranges(numbers) {
		out.Updates = append(out.Updates, r.String())
	}
	return out, nil
}

// notThere are the entries that the store does not have.
func (s *Store) notThere(ctx context.Context, batch []ack) ([]ack, error) {
	pipe := s.rdb.Pipeline()
	found := make([]*redis.FloatCmd, len(batch))
	for i, a := range batch {
		if a.contact == "" {
			found[i] = pipe.ZScore(ctx, keyRequests(a.line), a.digest)
		} else {
			found[i] = pipe.ZScore(ctx, keySeen(a.line, a.contact), a.digest)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !isNil(err) {
		return nil, fmt.Errorf("look for acknowledged work: %w", err)
	}
	var gone []ack
	for i, cmd := range found {
		switch err := cmd.Err(); {
		case isNil(err):
			gone = append(gone, batch[i])
		case err != nil:
			return nil, fmt.Errorf("look for acknowledged work: %w", err)
		}
	}
	return gone, nil
}

// ranges gathers numbers that follow each other.
func ranges(numbers []int64) []NumberRange {
	slices.Sort(numbers)
	var out []NumberRange
	for _, n := range slices.Compact(numbers) {
		if len(out) > 0 && out[len(out)-1].Last+1 == n {
			out[len(out)-1].Last = n
		} else {
			out = append(out, NumberRange{n, n})
		}
	}
	return out
}

// tellLost puts a loss aside, where staff see it, and then forgets it.
func (s *Store) tellLost(ctx context.Context, line string, l lostAcks, tell func(string, bot.Lost)) error {
	if err := s.SetLost(ctx, line, "", l.Lost); err != nil {
		return err
	}
	tell(line, l.Lost)
	if err := s.journal.without(l.names); err != nil {
		return fmt.Errorf("journal of acknowledged work: %w", err)
	}
	return nil
}

// SetLost puts aside, where staff see it, that messages or changes are not in the store any more. The same id is kept
// once; empty draws one.
func (s *Store) SetLost(ctx context.Context, line, id string, l bot.Lost) error {
	raw, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return s.SetAside(ctx, line, bot.Aside{ID: id, At: s.clock(), Channel: "redis", Why: "not in Redis any more", Raw: raw, Lost: &l})
}
