package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/whole"
)

// NotEmptyError says that a restore would have overwritten something.
type NotEmptyError struct{ What string }

func (e *NotEmptyError) Error() string {
	return e.What + " is not empty: a restore never overwrites; move it away or choose another place"
}

// Restoring is how a backup is brought back.
type Restoring struct {
	Backup   Manifest
	KeyFile  string
	Lines    []Line
	Audit    bot.Audit        // the row that says so, in the restored staff area
	Now      func() time.Time // nil means time.Now
	Progress func(copied, of int)
}

func (r *Restoring) store(rdb redis.UniversalClient) (*Store, error) {
	keys, err := ReadKeyring(r.KeyFile)
	if err != nil {
		return nil, err
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	s := &Store{keys: keys, clock: r.Now, lines: map[string]Line{}}
	for _, l := range r.Lines {
		s.lines[l.Code] = l
	}
	return s.on(rdb), nil
}

// ToDirectory makes a data directory out of a backup: what an own redis-server starts from, once it was loaded,
// counted, opened and its audit chains verified. A directory that holds a store already is refused (*NotEmptyError).
func (r *Restoring) ToDirectory(ctx context.Context, data string) (found Found, err error) {
	if len(r.Backup.Files) != 1 {
		return found, errors.New("this backup is a Cluster's: set REDIS_URL to an empty Redis or Cluster to restore it into")
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return found, fmt.Errorf("data directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(data, "redis.lock"), syscall.LOCK_EX)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return found, &NotEmptyError{What: data + " is in use and"}
	}
	if err != nil {
		return found, err
	}
	defer lock.Close() //nolint:errcheck // gives the lock back
	for _, name := range []string{"appendonlydir", "dump.rdb", "appendonly.aof"} {
		if _, err := os.Lstat(filepath.Join(data, name)); err == nil {
			return found, &NotEmptyError{What: data}
		}
	}
	if err := r.Backup.CheckFiles(); err != nil {
		return found, err
	}
	tmp, err := os.MkdirTemp(data, ".restoring-")
	if err != nil {
		return found, fmt.Errorf("data directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if err := copyFile(filepath.Join(r.Backup.Dir, r.Backup.Files[0].Name), filepath.Join(tmp, "dump.rdb")); err != nil {
		return found, err
	}
	began := time.Now()
	sc, err := startScratch(ctx, tmp)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, sc.close()) }()
	took := time.Since(began)
	s, err := r.store(sc.client)
	if err != nil {
		return found, err
	}
	if found, err = s.look(ctx); err != nil {
		return found, err
	}
	found.Took = took
	if err := r.Backup.agrees(found.Lines, found.Audit); err != nil {
		return found, err
	}
	if err := r.finish(ctx, s); err != nil {
		return found, err
	}
	if err := sc.keep(ctx); err != nil {
		return found, err
	}
	if err := os.Rename(filepath.Join(tmp, "appendonlydir"), filepath.Join(data, "appendonlydir")); err != nil {
		return found, fmt.Errorf("data directory: %w", err)
	}
	return found, whole.SyncDir(data)
}

// finish ends every session of the staff, for one that was signed out since would be alive again, and writes down
// that this is a restored store.
func (r *Restoring) finish(ctx context.Context, s *Store) error {
	err := eachKey(ctx, s.rdb, func(names []string) error {
		var gone []string
		for _, n := range names {
			for _, p := range []string{keySession(""), keySessionsOf(""), keyLink(""), keyKeyrings()} {
				if strings.HasPrefix(n, p) {
					gone = append(gone, n)
				}
			}
		}
		if len(gone) == 0 {
			return nil
		}
		return s.rdb.Del(ctx, gone...).Err()
	})
	if err != nil {
		return fmt.Errorf("end the sessions: %w", err)
	}
	if err := s.Record(ctx, "", r.Audit); err != nil {
		return err
	}
	return s.NoteOp(ctx, OpRestore, Op{At: r.Now().UTC(), Cases: r.Backup.Cases(), Of: r.Backup.MadeAt})
}

func copyFile(from, to string) error {
	in, err := os.Open(from) //nolint:gosec // a file of the backup
	if err != nil {
		return err
	}
	defer in.Close()                                                      //nolint:errcheck // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in the data directory
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// ModeRestoring is the mode of a Redis that a restore fills: nothing opens it.
const ModeRestoring = "restoring"

// ToRedis copies a backup into an empty Redis, Sentinel's or Cluster's included, key by key; each key goes to the
// primary of its slot. Until all of it is there and looked at, the store bears a mark under which nothing opens it.
// A Redis that holds anything is refused (*NotEmptyError).
func (r *Restoring) ToRedis(ctx context.Context, rdb redis.UniversalClient) (found Found, err error) {
	if err := r.Backup.CheckFiles(); err != nil {
		return found, err
	}
	to, err := r.store(rdb)
	if err != nil {
		return found, err
	}
	if err := eachKey(ctx, rdb, func([]string) error { return &NotEmptyError{What: "the Redis of REDIS_URL"} }); err != nil {
		return found, err
	}
	if err := rdb.HSet(ctx, keyMark(), "mode", ModeRestoring, "schema", schema).Err(); err != nil {
		return found, fmt.Errorf("redis: %w", err)
	}
	mark := ""
	copied := 0
	for _, f := range r.Backup.Files {
		err := to.withLoaded(ctx, filepath.Join(r.Backup.Dir, f.Name), func(sc *scratch, took time.Duration) error {
			found.Took += took
			if check, err := sc.client.HGet(ctx, keyMark(), "check").Result(); err == nil {
				if _, err := to.keys.unwrap(check, keyMark()); err != nil {
					return &KeyError{Path: r.KeyFile}
				}
			}
			of := int(sc.client.DBSize(ctx).Val())
			return eachKey(ctx, sc.client, func(names []string) error {
				m, err := carry(ctx, sc.client, rdb, names)
				if m != "" {
					mark = m
				}
				if copied += len(names); r.Progress != nil {
					r.Progress(copied, of)
				}
				return err
			})
		})
		if err != nil {
			return found, err
		}
	}
	took := found.Took
	if found, err = to.look(ctx); err != nil {
		return found, err
	}
	found.Took = took
	if err := r.Backup.agrees(found.Lines, found.Audit); err != nil {
		return found, err
	}
	if mark == "" {
		return found, errors.New("the backup does not bear the mark of a store")
	}
	if err := r.finish(ctx, to); err != nil {
		return found, err
	}
	// The mark comes last: from here on it is a store.
	if err := rdb.RestoreReplace(ctx, keyMark(), 0, mark).Err(); err != nil {
		return found, fmt.Errorf("redis: %w", err)
	}
	return found, nil
}

// carry copies keys with their lifetimes; the mark is given back instead.
func carry(ctx context.Context, from *redis.Client, to redis.UniversalClient, names []string) (mark string, err error) {
	pipe := from.Pipeline()
	dumps, lives := make([]*redis.StringCmd, len(names)), make([]*redis.DurationCmd, len(names))
	for i, n := range names {
		dumps[i], lives[i] = pipe.Dump(ctx, n), pipe.PTTL(ctx, n)
	}
	if _, err := pipe.Exec(ctx); err != nil && !isNil(err) {
		return "", fmt.Errorf("redis: %w", err)
	}
	out := to.Pipeline()
	for i, n := range names {
		switch {
		case isNil(dumps[i].Err()): // it ended meanwhile
			continue
		case n == keyMark():
			mark = dumps[i].Val()
			continue
		}
		out.RestoreReplace(ctx, n, max(0, lives[i].Val()), dumps[i].Val())
	}
	if out.Len() > 0 {
		if _, err := out.Exec(ctx); err != nil {
			return mark, fmt.Errorf("redis: %w", err)
		}
	}
	return mark, nil
}
