package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// schema is the version of the layout in Redis. A store of a later one is refused: it cannot be read safely.
const schema = 1

// ModeError says that the store was made in the other mode.
type ModeError struct{ Have, Want string }

func (e *ModeError) Error() string {
	return fmt.Sprintf("this Redis holds a %s store, not a %s one", e.Have, e.Want)
}

// KeyError says that the store is sealed under keys that are not in the key file.
type KeyError struct {
	Path    string // the key file; empty when the keys came otherwise
	Missing bool   // there is no such file
}

func (e *KeyError) Error() string {
	if e.Missing {
		return fmt.Sprintf("the store is sealed, and its key file %s is not there", e.Path)
	}
	if e.Path == "" {
		return "the store is sealed under other keys"
	}
	return fmt.Sprintf("the store is sealed under other keys than those in %s", e.Path)
}

// SchemaError says that a later version of this program made the store.
type SchemaError struct{ Have int }

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the store has layout %d, this program knows %d: use a newer one", e.Have, schema)
}

// errSealed says that something sealed does not open: it was changed, moved, or erased meanwhile.
var errSealed = errors.New("a sealed value does not open")

var (
	scriptMark    = newScript("mark")
	scriptLineKey = newScript("line_key")
)

// mark reads the store's mark, or sets it on an empty store, and finds the keys.
func (s *Store) mark(ctx context.Context, o Options) error {
	mode := o.Mode
	if mode == "" {
		mode = ModeReal
	}
	have, err := s.rdb.HGetAll(ctx, keyMark()).Result()
	if err != nil {
		return fmt.Errorf("read the store's mark: %w", err)
	}
	if len(have) > 0 {
		if err := checkMark(have, mode); err != nil {
			return err
		}
	}
	if s.keys == nil {
		if s.keys, err = keyringFor(o.KeyFile, len(have) == 0); err != nil {
			return err
		}
	}
	if len(have) == 0 {
		check, err := s.keys.wrap(s.keys.mac("check"), keyMark())
		if err != nil {
			return fmt.Errorf("mark the store: %w", err)
		}
		now, err := s.run(ctx, scriptMark, []string{keyMark()}, mode, schema, check).StringSlice()
		if err != nil {
			return fmt.Errorf("mark the store: %w", err)
		}
		// Another process may have been quicker: what stands there counts.
		have = map[string]string{"mode": now[0], "schema": now[1], "check": now[2]}
		if err := checkMark(have, mode); err != nil {
			return err
		}
	}
	plain, err := s.keys.unwrap(have["check"], keyMark())
	if err != nil || !hmac.Equal(plain, s.keys.mac("check")) {
		return &KeyError{Path: o.KeyFile}
	}
	return nil
}

func checkMark(have map[string]string, mode string) error {
	if have["mode"] != mode {
		return &ModeError{Have: have["mode"], Want: mode}
	}
	if n, err := strconv.Atoi(have["schema"]); err != nil || n > schema {
		return &SchemaError{Have: n}
	}
	return nil
}

// lineKey is the data key of a line's records that belong to no case: use "audit", "aside"; StaffLine has its own.
// It is made when first asked for.
func (s *Store) lineKey(ctx context.Context, line, use string) (dataKey, error) {
	key := keyLineKeys(line)
	s.mu.Lock()
	d, ok := s.lineKeys[line+"|"+use]
	s.mu.Unlock()
	if ok {
		return d, nil
	}
	wrapped, err := s.rdb.HGet(ctx, key, use).Result()
	if errors.Is(err, redis.Nil) {
		if d, err = s.keys.newDataKey(key + "|" + use); err != nil {
			return dataKey{}, err
		}
		// Ours, or that of a quicker process; and the replicas have it: it seals all that comes.
		wrapped, err = s.run(ctx, scriptLineKey, []string{key}, use, d.wrapped).Text()
	}
	if err != nil {
		return dataKey{}, fmt.Errorf("key of line %s: %w", line, err)
	}
	if d, err = s.keys.openDataKey(key+"|"+use, wrapped); err != nil {
		return dataKey{}, fmt.Errorf("key of line %s: %w", line, err)
	}
	s.mu.Lock()
	s.lineKeys[line+"|"+use] = d
	s.mu.Unlock()
	return d, nil
}

// token is a fresh random name.
func token() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
