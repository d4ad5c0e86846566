package store

import (
	"context"
	"fmt"
	"time"
)

var (
	throttleScript = newScript("throttle")
	bucketScript   = newScript("bucket")
)

// Throttle counts one try under key, at most limit within any span of per, and gives 0 when the try may be
// evaluated. Otherwise it gives the wait until the next one may; refused tries are not counted, so a person who
// keeps trying is not locked out for ever. It fails closed: an error comes with a wait of per. The key may hold an
// address or a name; only its HMAC is stored. Time is the server's own.
func (s *Store) Throttle(ctx context.Context, key string, limit int, per time.Duration) (time.Duration, error) {
	if limit < 1 || per <= 0 {
		return per, nil
	}
	wait, err := s.run(ctx, throttleScript, []string{keyThrottle(s.keys.Blind("throttle", key))}, limit, per.Microseconds(), s.nextToken()).Int64()
	if err != nil {
		return per, fmt.Errorf("throttle: %w", err)
	}
	return time.Duration(wait) * time.Microsecond, nil
}

// Bucket takes one token out of a bucket of size tokens, of which one comes back each time every has passed, and gives 0
// when there was one, else the wait for the next. Like Throttle it fails closed, by the server's own time.
func (s *Store) Bucket(ctx context.Context, key string, size int, every time.Duration) (time.Duration, error) {
	if size < 1 || every <= 0 {
		return every, nil
	}
	wait, err := s.run(ctx, bucketScript, []string{keyBucket(s.keys.Blind("throttle", key))}, size, every.Microseconds(), s.nextToken()).Int64()
	if err != nil {
		return every, fmt.Errorf("bucket: %w", err)
	}
	return time.Duration(wait) * time.Microsecond, nil
}
