package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

var (
	claimScript   = newScript("claim")
	renewScript   = newScript("renew")
	releaseScript = newScript("release")
)

const (
	// headCount is how many cases of each kind Next chooses from. Officers who ask at the same moment lose some of
	// them to each other; what an officer passed over comes on top.
	headCount = 32
	// nextRounds bounds the reading again when others are quicker each time.
	nextRounds = 50
)

// Next claims the most urgent case that officer may take, see the desk's Queue. The audit row gets the case's code,
// and as its result, unless it has one, why it was this case (a catalogue key below "because.").
func (s *Store) Next(ctx context.Context, mission string, officer casework.Officer, now time.Time, skip []string, request string, audit bot.Audit) (string, error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return "", fmt.Errorf("next: %w", err)
	}
	n := next{s: s, mission: mission, officer: officer, now: now, skip: skip, audit: audit}
	n.digest = s.requestDigest("next", mission, officer.Name, request)
	if code, err := s.claimedBefore(ctx, lines, n.digest); err != nil || code != "" {
		return code, err
	}
	if len(lines) > 1 && n.digest != "" {
		// A script makes a request happen once in its line. Where several lines are asked, the same request must not
		// choose in two of them at the same moment.
		unlock, err := s.lock(ctx, keyResultLock(lines[0], n.digest))
		if err != nil {
			return "", fmt.Errorf("next: %w", err)
		}
		defer unlock()
		if code, err := s.claimedBefore(ctx, lines, n.digest); err != nil || code != "" {
			return code, err
		}
	}
	if n.turn, err = s.rdb.Incr(ctx, keyTurns(lines[0], mission)).Result(); err != nil {
		return "", fmt.Errorf("next: %w", err)
	}
	for range nextRounds {
		heads, err := s.heads(ctx, mission, lines, now, headsWant{n: headCount + len(skip), skipped: len(skip), female: officer.Female})
		if err != nil {
			return "", fmt.Errorf("next: %w", err)
		}
		code, again, err := n.choose(ctx, heads)
		if err != nil {
			return "", fmt.Errorf("next: %w", err)
		}
		if !again {
			return code, nil
		}
	}
	return "", fmt.Errorf("next: %w", errBusy)
}

// next is one call of Next.
type next struct {
	s       *Store
	mission string
	officer casework.Officer
	now     time.Time
	skip    []string
	digest  string
	audit   bot.Audit
	turn    int64
}

// choose picks among the heads until one is won. again means that all were lost to others, or that a P1 came
// meanwhile, and the heads are to be read again.
func (n *next) choose(ctx context.Context, heads []head) (code string, again bool, err error) {
	for lost := false; ; lost = true {
		i, because, ok := casework.Pick(candidates(heads), n.turn, n.officer, n.skip, n.now, n.s.rules[n.mission])
		if !ok {
			if lost {
				return "", true, nil
			}
			return "", false, bot.ErrNotFound
		}
		h, row := heads[i], n.audit
		if row.Code = h.Code; row.Result == "" {
			row.Result = because
		}
		got, err := n.s.claim(ctx, claimOf{
			line: h.line, id: h.id, mission: n.mission, officer: n.officer.Name, now: n.now, digest: n.digest, offered: true,
		}, row)
		if err != nil {
			return "", false, err
		}
		switch got.word {
		case "ok", "repeat":
			if got.id == h.id {
				return h.Code, false, nil
			}
			code, err := n.s.codeOf(ctx, h.line, got.id) // the same request chose another case a moment ago
			return code, false, err
		case "again":
			return "", true, nil
		}
		heads = slices.Delete(heads, i, i+1)
	}
}

// claimOf is what claim.lua is asked for. offered asks for a case that is offered now, while no P1 waits unless it is
// one.
type claimOf struct {
	line, id, mission, officer string
	now                        time.Time
	digest                     string
	offered                    bool
}

// claimed is what claim.lua answers.
type claimed struct {
	word, id     string
	holder       string
	since, until time.Time
}

func (s *Store) claim(ctx context.Context, c claimOf, audit bot.Audit) (claimed, error) {
	id, name, err := s.officerArgs(ctx, c.line, c.officer)
	if err != nil {
		return claimed{}, err
	}
	rows, err := s.auditRowsOf(ctx, c.line, c.mission, audit)
	if err != nil {
		return claimed{}, err
	}
	if c.digest == "" {
		c.digest = s.nextToken() // a client that lost the answer may send the same call again
	}
	args := append([]any{
		c.now.UnixMilli(), c.now.Add(bot.ClaimLease).UnixMilli(), c.id, id, name, c.digest, flag(c.offered), c.mission,
	}, rows...)
	res, err := s.run(ctx, claimScript, []string{lineKey(c.line)}, args...).Slice()
	if err != nil {
		return claimed{}, fmt.Errorf("redis: %w", err)
	}
	f := texts(res)
	got := claimed{word: f[0]}
	switch f[0] {
	case "ok", "repeat":
		got.id, got.holder, got.since, got.until = f[1], id, msTime(f[2]), msTime(f[3])
	case "held":
		got.holder, got.since, got.until = f[1], msTime(f[2]), msTime(f[3])
	}
	return got, nil
}

// Claim takes the lease on one case by its code. When another officer has it, it gives that Claim and a
// *bot.ClaimedError; bot.ErrNotFound when the mission has no such open case.
func (s *Store) Claim(ctx context.Context, mission, code string, officer casework.Officer, now time.Time, request string, audit bot.Audit) (bot.Claim, error) {
	line, id, err := s.locate(ctx, mission, code)
	if err != nil {
		return bot.Claim{}, fmt.Errorf("claim: %w", err)
	}
	if audit.Code == "" {
		audit.Code = code
	}
	got, err := s.claim(ctx, claimOf{
		line: line, id: id, mission: mission, officer: officer.Name, now: now,
		digest: s.requestDigest("claim", id, officer.Name, request),
	}, audit)
	if err != nil {
		return bot.Claim{}, fmt.Errorf("claim: %w", err)
	}
	c := bot.Claim{Officer: officer.Name, Since: got.since, Until: got.until}
	switch got.word {
	case "ok", "repeat":
		return c, nil
	case "held":
		names, err := s.officerNames(ctx, line, map[string]bool{got.holder: true})
		if err != nil {
			return bot.Claim{}, fmt.Errorf("claim: %w", err)
		}
		c.Officer = names[got.holder]
		return c, &bot.ClaimedError{Claim: c}
	}
	return bot.Claim{}, fmt.Errorf("claim: %w", bot.ErrNotFound)
}

// Renew extends the lease to bot.ClaimLease from now; bot.ErrLease when the officer does not hold it (any more).
func (s *Store) Renew(ctx context.Context, mission, code, officer string, now time.Time) (bot.Claim, error) {
	line, id, err := s.locate(ctx, mission, code)
	if err != nil {
		return bot.Claim{}, fmt.Errorf("renew claim: %w", err)
	}
	res, err := s.run(ctx, renewScript, []string{lineKey(line)}, now.UnixMilli(), now.Add(bot.ClaimLease).UnixMilli(), id, s.holder(officer)).Slice()
	if err != nil {
		return bot.Claim{}, fmt.Errorf("renew claim: %w", err)
	}
	f := texts(res)
	if len(f) < 2 {
		return bot.Claim{}, fmt.Errorf("renew claim: %w", bot.ErrLease)
	}
	return bot.Claim{Officer: officer, Since: msTime(f[0]), Until: msTime(f[1])}, nil
}

// Release gives the lease back without an outcome; bot.ErrLease when the officer does not hold it (any more).
func (s *Store) Release(ctx context.Context, mission, code, officer, request string, audit bot.Audit) error {
	line, id, err := s.locate(ctx, mission, code)
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	if audit.Code == "" {
		audit.Code = code
	}
	rows, err := s.auditRowsOf(ctx, line, mission, audit)
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	digest := s.requestDigest("release", id, officer, request)
	if digest == "" {
		digest = s.nextToken()
	}
	args := append([]any{s.clock().UnixMilli(), id, s.holder(officer), digest, "", ""}, rows...)
	ok, err := s.run(ctx, releaseScript, []string{lineKey(line)}, args...).Bool()
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	if !ok {
		return fmt.Errorf("release: %w", bot.ErrLease)
	}
	return nil
}
