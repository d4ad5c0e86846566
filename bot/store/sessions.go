package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/redis/go-redis/v9"
)

var (
	sessionCommitScript = newScript("session_commit")
	sessionEndScript    = newScript("session_end")
)

// tombstone is how long an ended session stays as an empty value. It must outlast every request that was running
// when the session ended.
const tombstone = 15 * time.Minute

// Sessions keeps the sessions of the desk for scs. The key of a session is the SHA-256 of its token, so a thief of
// the store holds no token; what is in it is sealed. scs itself watches over idle and absolute lifetime.
type Sessions struct {
	s      *Store
	nameOf func(values map[string]any) string
}

var _ scs.CtxStore = (*Sessions)(nil)

// Sessions gives the session store, for a manager with scs's own codec. nameOf tells from the values of a session
// which account is signed in, "" for none: those sessions are indexed, so that EndSessions finds them. A nil nameOf
// reads the value "account".
func (s *Store) Sessions(nameOf func(values map[string]any) string) *Sessions {
	if nameOf == nil {
		nameOf = func(values map[string]any) string {
			name, _ := values["account"].(string)
			return name
		}
	}
	return &Sessions{s: s, nameOf: nameOf}
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// FindCtx gives the data of a session; found is false when there is none, when it has ended, and when it cannot be
// opened.
func (t *Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	key := keySession(tokenHash(token))
	sealed, err := t.s.rdb.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) || (err == nil && len(sealed) == 0) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find session: %w", err)
	}
	plain, err := t.s.openLine(ctx, StaffLine, "sessions", key, string(sealed))
	if errors.Is(err, errSealed) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find session: %w", err)
	}
	// The expiry is checked here too: a store without a clock of its own keeps keys for longer.
	if len(plain) < 8 || !time.Now().Before(time.UnixMilli(int64(binary.BigEndian.Uint64(plain)))) {
		return nil, false, nil
	}
	return plain[8:], true, nil
}

// CommitCtx stores a session until expiry. A session that was ended meanwhile stays ended.
func (t *Sessions) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	hash := tokenHash(token)
	key := keySession(hash)
	plain := append(binary.BigEndian.AppendUint64(nil, uint64(expiry.UnixMilli())), b...)
	sealed, err := t.s.sealLine(ctx, StaffLine, "sessions", key, plain)
	if err != nil {
		return fmt.Errorf("store session: %w", err)
	}
	index, member := key, ""
	if name := t.account(b); name != "" {
		index, member = keySessionsOf(t.s.accountID(name)), hash
	}
	err = t.s.run(ctx, sessionCommitScript, []string{key, index}, sealed, expiry.UnixMilli(), member).Err()
	if err != nil {
		return fmt.Errorf("store session: %w", err)
	}
	return nil
}

// DeleteCtx ends one session.
func (t *Sessions) DeleteCtx(ctx context.Context, token string) error {
	hash := tokenHash(token)
	b, found, err := t.FindCtx(ctx, token)
	if err != nil {
		return err
	}
	if !found {
		return t.s.replicated(ctx, StaffLine)
	}
	index := keySessionsOf(t.s.accountID(t.account(b)))
	err = t.s.run(ctx, sessionEndScript, []string{index, keySession(hash)}, tombstone.Milliseconds(), hash).Err()
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// account is the name of the account that a session belongs to; empty when nobody is signed in.
func (t *Sessions) account(b []byte) string {
	_, values, err := scs.GobCodec{}.Decode(b)
	if err != nil {
		return ""
	}
	return t.nameOf(values)
}

// Find is FindCtx for code that has no context.
func (t *Sessions) Find(token string) ([]byte, bool, error) {
	return t.FindCtx(context.Background(), token)
}

// Commit is CommitCtx for code that has no context.
func (t *Sessions) Commit(token string, b []byte, expiry time.Time) error {
	return t.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx for code that has no context.
func (t *Sessions) Delete(token string) error { return t.DeleteCtx(context.Background(), token) }

// EndSessions ends all sessions of an account, also those that a running request is about to store again.
func (s *Store) EndSessions(ctx context.Context, name string) error {
	index := keySessionsOf(s.accountID(name))
	// A session may be stored between reading the index and ending what it names, hence the rounds.
	for range 10 {
		hashes, err := s.rdb.ZRange(ctx, index, 0, -1).Result()
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		if len(hashes) == 0 {
			return s.replicated(ctx, StaffLine)
		}
		keys, args := []string{index}, []any{tombstone.Milliseconds()}
		for _, h := range hashes {
			keys, args = append(keys, keySession(h)), append(args, h)
		}
		if err := s.run(ctx, sessionEndScript, keys, args...).Err(); err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
	}
	return fmt.Errorf("end sessions: %w", errBusy)
}
