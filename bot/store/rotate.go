package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

var rewrapScript = newScript("rewrap")

// A wrapping key is changed in steps, each of which may be repeated and each of which leaves a store that everybody
// reads: the new key is added to the key file; every serving process has read it; it becomes the one that wraps;
// every serving process wraps with it; the data keys are wrapped anew. Only then the former key may be retired.

const (
	// sayKeysEvery is how often a serving process says which keys it has when nothing changes, and goneAfter is
	// after which silence it is held to be gone: a killed one delays a rotation by that long.
	sayKeysEvery = 10 * time.Second
	goneAfter    = 45 * time.Second
)

// KeepKeys follows the key file for as long as ctx lasts and says in the store which keys this process has. A
// serving process runs it; without it a rotation would not wait for the process.
func (s *Store) KeepKeys(ctx context.Context) error {
	if s.keys.file == "" {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		s.rdb.HDel(ctx, keyKeyrings(), s.self)
	}()
	var said time.Time
	for failing := false; ; {
		changed, err := s.keys.refresh()
		if err != nil && !failing {
			s.log.Error("the key file cannot be read any more; the keys read before stay in use", "err", err)
		}
		failing = err != nil
		if changed || time.Since(said) > sayKeysEvery {
			// Redis being away is others' to tell; it is said again with the next tick.
			if s.rdb.HSet(ctx, keyKeyrings(), s.self, sayKeys(s.keys.now.Load(), time.Now())).Err() == nil {
				said = time.Now()
			} else {
				said = time.Time{}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func sayKeys(w *wrapping, now time.Time) string {
	var ids []string
	for _, id := range w.ids {
		ids = append(ids, strconv.FormatUint(uint64(id), 10))
	}
	return fmt.Sprintf("%d %d %s", now.UnixMilli(), w.primary, strings.Join(ids, ","))
}

// A StragglerError says that serving processes do not follow the key file: it is another file where they run.
type StragglerError struct{ N int }

func (e *StragglerError) Error() string {
	return fmt.Sprintf("%d serving process(es) have not read the changed key file: copy it to every machine that serves, then run this again", e.N)
}

// awaitKeyrings waits until ok holds for the keys of every serving process.
func (s *Store) awaitKeyrings(ctx context.Context, wait time.Duration, ok func(primary string, ids []string) bool) error {
	for end := time.Now().Add(wait); ; {
		all, err := s.rdb.HGetAll(ctx, keyKeyrings()).Result()
		if err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		behind := 0
		for process, said := range all {
			w := strings.Fields(said)
			if len(w) != 3 {
				continue
			}
			at, _ := strconv.ParseInt(w[0], 10, 64)
			if age := time.Since(time.UnixMilli(at)); age > 10*goneAfter {
				s.rdb.HDel(ctx, keyKeyrings(), process)
			} else if age < goneAfter && !ok(w[1], strings.Split(w[2], ",")) {
				behind++
			}
		}
		if behind == 0 {
			return nil
		}
		if time.Now().After(end) {
			return &StragglerError{N: behind}
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// Rotation is what a call of RotateKeys or RetireKeys found and did.
type Rotation struct {
	Began bool // this call added the new key
	// Key is the number of the key that wraps now, Former are the other keys of the file.
	Key    uint32
	Former []uint32
	// Seen are the data keys that were looked at, Rewrapped those that were wrapped anew.
	Seen, Rewrapped int
}

// RotateKeys gives the store a new wrapping key, or goes on with a rotation that was interrupted, and returns when
// every data key is wrapped by it. The store serves meanwhile. wait is how long serving processes may take to follow
// the key file (*StragglerError after that). progress, which may be nil, is told how far it is. When the file has a
// former key that wraps nothing any more, nothing is left to do until RetireKeys.
func (s *Store) RotateKeys(ctx context.Context, wait time.Duration, progress func(seen, rewrapped int)) (Rotation, error) {
	var r Rotation
	var err error
	if r.Began, err = s.keys.addKey(); err != nil {
		return r, err
	}
	newest := strconv.FormatUint(uint64(s.keys.now.Load().newest()), 10)
	if err := s.awaitKeyrings(ctx, wait, func(_ string, ids []string) bool { return slices.Contains(ids, newest) }); err != nil {
		return r, err
	}
	if err := s.keys.promote(); err != nil {
		return r, err
	}
	if err := s.awaitKeyrings(ctx, wait, func(primary string, _ []string) bool { return primary == newest }); err != nil {
		return r, err
	}
	// Short-lived commands say nothing, but look at the file before they wrap when they have not for so long.
	if r.Began {
		if err := pause(ctx, lookEvery); err != nil {
			return r, err
		}
	}
	w := s.keys.now.Load()
	r.Key = w.primary
	r.Former = slices.DeleteFunc(slices.Clone(w.ids), func(id uint32) bool { return id == w.primary })
	for {
		n, err := s.rewrapAll(ctx, w, &r, progress)
		if err != nil {
			return r, err
		}
		if n == 0 {
			return r, nil
		}
	}
}

// RetireKeys takes the former wrapping keys out of the key file. It refuses while a data key is wrapped by one of
// them, or while a serving process may still wrap with one.
func (s *Store) RetireKeys(ctx context.Context, wait time.Duration) (Rotation, error) {
	var r Rotation
	if s.keys.file == "" {
		return r, errors.New("these keys do not come from a key file")
	}
	if _, err := s.keys.refresh(); err != nil {
		return r, err
	}
	w := s.keys.now.Load()
	r.Key = w.primary
	if len(w.ids) == 1 {
		return r, nil
	}
	if w.primary != w.newest() {
		return r, errors.New("a rotation was interrupted: run 'hotline keys rotate' to its end first")
	}
	r.Former = slices.DeleteFunc(slices.Clone(w.ids), func(id uint32) bool { return id == w.primary })
	primary := strconv.FormatUint(uint64(w.primary), 10)
	if err := s.awaitKeyrings(ctx, wait, func(p string, _ []string) bool { return p == primary }); err != nil {
		return r, err
	}
	left, err := s.wrappedByOthers(ctx, w.primary, &r)
	if err != nil {
		return r, err
	}
	if left > 0 {
		return r, fmt.Errorf("%d data keys are not wrapped by the newest key yet: run 'hotline keys rotate' first", left)
	}
	return r, s.keys.drop(r.Former)
}

// rewrapAll wraps anew what is not wrapped by the primary key, and gives how much that was.
func (s *Store) rewrapAll(ctx context.Context, w *wrapping, r *Rotation, progress func(seen, rewrapped int)) (n int, err error) {
	r.Seen = 0
	err = s.eachWrapped(ctx, func(batch []wrappedKey) error {
		var todo []wrappedKey
		var args [][]any
		for _, k := range batch {
			if id, ok := wrappedBy(k.value); !ok || id == w.primary {
				continue
			}
			raw, err := s.keys.unwrap(k.value, k.place)
			if err != nil {
				return fmt.Errorf("a data key does not open with this key file; it was left as it is: %w", err)
			}
			again, err := s.keys.wrap(raw, k.place)
			if err != nil {
				return fmt.Errorf("wrap data key: %w", err)
			}
			todo, args = append(todo, k), append(args, []any{k.field, k.value, again})
		}
		if len(todo) > 0 {
			if err := s.rewrap(ctx, todo, args); err != nil {
				return err
			}
		}
		n += len(todo)
		r.Seen, r.Rewrapped = r.Seen+len(batch), r.Rewrapped+len(todo)
		if progress != nil {
			progress(r.Seen, r.Rewrapped)
		}
		return nil
	})
	return n, err
}

// rewrap puts the new forms in place. One that somebody else changed meanwhile is met again by the next round.
func (s *Store) rewrap(ctx context.Context, todo []wrappedKey, args [][]any) error {
	pipe := s.rdb.Pipeline()
	for i, k := range todo {
		pipe.EvalSha(ctx, rewrapScript.sha, []string{k.key}, args[i]...)
	}
	cmds, err := pipe.Exec(ctx)
	for i, cmd := range cmds {
		if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
			err = s.run(ctx, rewrapScript, []string{todo[i].key}, args[i]...).Err()
		} else {
			err = cmd.Err()
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// wrappedByOthers counts the data keys that are not wrapped by that key.
func (s *Store) wrappedByOthers(ctx context.Context, primary uint32, r *Rotation) (n int, err error) {
	err = s.eachWrapped(ctx, func(batch []wrappedKey) error {
		for _, k := range batch {
			if id, ok := wrappedBy(k.value); ok && id != primary {
				n++
			}
		}
		r.Seen += len(batch)
		return nil
	})
	return n, err
}
