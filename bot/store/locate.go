package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/flows/casework"
)

// locate finds the line and the internal id of a mission's case by its code, however it is typed; bot.ErrNotFound
// when the mission has no such case (any more).
func (s *Store) locate(ctx context.Context, mission, code string) (line, id string, err error) {
	return s.locateBy(ctx, mission, code, fieldMission)
}

// The fields of a case's record that name a mission: whose case it is, and who is asked to take it over.
const (
	fieldMission = "m"
	fieldOffered = "of"
)

// locateBy is locate by one of those fields.
func (s *Store) locateBy(ctx context.Context, mission, code, field string) (line, id string, err error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return "", "", err
	}
	if c, ok := casework.ParseCode(code); ok {
		code = c
	}
	for _, line := range lines {
		id, err := s.CaseID(ctx, line, code)
		if errors.Is(err, bot.ErrNotFound) {
			continue
		}
		if err != nil {
			return "", "", err
		}
		m, err := s.rdb.HGet(ctx, keyCase(line, id), field).Result()
		if err != nil && !isNil(err) {
			return "", "", fmt.Errorf("case id: %w", err)
		}
		if m == mission {
			return line, id, nil
		}
	}
	return "", "", bot.ErrNotFound
}

func (s *Store) codeOf(ctx context.Context, line, id string) (string, error) {
	code, err := s.rdb.HGet(ctx, keyCase(line, id), "code").Result()
	if isNil(err) {
		return "", bot.ErrNotFound
	}
	return code, err
}

// requestDigest names a request at the desk, for its result; "" for no request.
func (s *Store) requestDigest(act, what, officer, request string) string {
	if request == "" {
		return ""
	}
	return s.keys.digest(strings.Join([]string{act, what, s.holder(officer), request}, "|"))
}

// claimedBefore gives the code of the case that this request claimed already; "" when it did not.
func (s *Store) claimedBefore(ctx context.Context, lines []string, digest string) (string, error) {
	if digest == "" {
		return "", nil
	}
	for _, line := range lines {
		res, err := s.rdb.Get(ctx, keyResult(line, digest)).Result()
		if isNil(err) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("result of a request: %w", err)
		}
		if err := s.replicated(ctx, line); err != nil {
			return "", err
		}
		id, _, _ := strings.Cut(res, " ")
		return s.codeOf(ctx, line, id)
	}
	return "", nil
}

// lock waits until this process alone holds the key, for at most ten seconds; a holder that died loses it then.
func (s *Store) lock(ctx context.Context, key string) (unlock func(), err error) {
	mine := s.nextToken()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		got, err := s.hold(ctx, key, mine, 10*time.Second)
		if err != nil {
			return nil, err
		}
		if got {
			return func() { s.run(context.WithoutCancel(ctx), unlockScript, []string{key}, mine) }, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// hold takes a key for that long unless somebody else has it. A Cluster client sends a write again whose answer was
// lost, and the key may then be ours already.
func (s *Store) hold(ctx context.Context, key, mine string, life time.Duration) (bool, error) {
	got, err := s.rdb.SetNX(ctx, key, mine, life).Result()
	if err != nil || got {
		return got, err
	}
	has, err := s.rdb.Get(ctx, key).Result()
	if isNil(err) {
		return false, nil
	}
	return has == mine, err
}

// zByScore asks for members scored from low to high, both included, at most n.
func zByScore(key string, low, high int64, n int64) redis.ZRangeArgs {
	return redis.ZRangeArgs{Key: key, ByScore: true, Start: low, Stop: high, Count: n}
}
