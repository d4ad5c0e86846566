package store

import (
	"context"
	"encoding/json"
)

// sealLine seals what belongs to a line, or to the staff area, and to no case or contact. use names the data key
// ("audit", "accounts", …), key the Redis key under which it will stand.
func (s *Store) sealLine(ctx context.Context, line, use, key string, plain []byte) ([]byte, error) {
	d, err := s.lineKey(ctx, line, use)
	if err != nil {
		return nil, err
	}
	return d.seal(key, use, 0, plain)
}

// openLine opens what sealLine made for the same key; errSealed when it is not that.
func (s *Store) openLine(ctx context.Context, line, use, key, sealed string) ([]byte, error) {
	d, err := s.lineKey(ctx, line, use)
	if err != nil {
		return nil, err
	}
	return d.open(key, use, 0, sealed)
}

// sealLineJSON is sealLine of a value's JSON.
func (s *Store) sealLineJSON(ctx context.Context, line, use, key string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, errJSON
	}
	return s.sealLine(ctx, line, use, key, plain)
}

// openLineJSON reads into v what sealLineJSON made for the same key. No error quotes what was sealed.
func (s *Store) openLineJSON(ctx context.Context, line, use, key, sealed string, v any) error {
	plain, err := s.openLine(ctx, line, use, key, sealed)
	if err != nil {
		return err
	}
	return decode(plain, v)
}
