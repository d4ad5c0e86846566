package store

import "context"

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
