package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"pulang/bot"
)

var scriptLease = newScript("lease")

// AcquireLease takes the lease of that name for owner until ttl from now; ok is false while somebody else has it.
// The token grows with every new holder, so that a former holder's work can be refused. Asked again by its holder it
// gives the same token and the longer time.
func (s *Store) AcquireLease(ctx context.Context, line, name, owner string, ttl time.Duration) (token int64, ok bool, err error) {
	return s.leaseScript(ctx, "acquire", line, name, owner, 0, ttl)
}

// RenewLease extends a lease; false when somebody else took it meanwhile.
func (s *Store) RenewLease(ctx context.Context, line, name, owner string, token int64, ttl time.Duration) (bool, error) {
	_, ok, err := s.leaseScript(ctx, "renew", line, name, owner, token, ttl)
	return ok, err
}

// ReleaseLease gives a lease back, so that the next holder need not wait for its end.
func (s *Store) ReleaseLease(ctx context.Context, line, name, owner string, token int64) error {
	_, _, err := s.leaseScript(ctx, "release", line, name, owner, token, 0)
	return err
}

func (s *Store) leaseScript(ctx context.Context, do, line, name, owner string, token int64, ttl time.Duration) (int64, bool, error) {
	if _, err := s.line(line); err != nil {
		return 0, false, err
	}
	now := s.clock()
	res, err := s.run(ctx, scriptLease, []string{keyLease(line, name)}, do, owner, now.UnixMilli(), now.Add(ttl).UnixMilli(), token).Int64Slice()
	if err != nil {
		return 0, false, fmt.Errorf("%s lease %s: %w", do, name, err)
	}
	if len(res) != 2 {
		return 0, false, errors.New("redis: lease gave an unknown answer")
	}
	return res[0], res[1] == 1, nil
}

// fence is the lease on which a channel account's work hangs in this process.
type fence struct {
	name  string
	token int64
}

func (f fence) text() string {
	if f.name == "" {
		return ""
	}
	return strconv.FormatInt(f.token, 10)
}

// Guard makes this process's commits for the account's contacts, and its Take, fail with bot.ErrLease as soon as
// another process has acquired the lease of that name: what a stalled owner does late is refused. An empty name
// takes the guard away.
func (s *Store) Guard(line, account, name string, token int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "" {
		delete(s.fences, line+"|"+account)
		return
	}
	s.fences[line+"|"+account] = fence{name, token}
}

func (s *Store) fence(line, account string) fence {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fences[line+"|"+account]
}

// fenceOf is the guard that a change is under: that of its contact's account.
func (s *Store) fenceOf(c *bot.Change) (name, token string) {
	if c.Who == nil {
		return "", ""
	}
	f := s.fence(c.Line, c.Who.Account)
	return f.name, f.text()
}
