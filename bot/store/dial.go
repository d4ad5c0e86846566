package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Timeouts towards Redis. A write may wait for an fsync on a slow disk; a citizen's webhook may not wait longer.
const (
	dialTimeout  = 5 * time.Second
	readTimeout  = 5 * time.Second
	writeTimeout = 5 * time.Second
	poolTimeout  = 6 * time.Second
	// The client's own repeats would do a write twice whose answer was lost.
	noRetries = -1
)

// quiet keeps the client's own log lines off stderr: what goes wrong is in the errors.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// dialSocket is a client for the server of a data directory, to ask whether it answers.
func dialSocket(path string) *redis.Client {
	quiet()
	return redis.NewClient(&redis.Options{
		Network: "unix", Addr: path, MaxRetries: noRetries, DialerRetries: 1, DisableIdentity: true,
		DialTimeout: time.Second, ReadTimeout: 10 * time.Second,
	})
}

// Dial returns a client for a REDIS_URL: redis://, rediss://, unix://, redis+sentinel://host:port?master_name=…
// or redis+cluster://host:port?addr=host:port. It connects with the first command. Errors never repeat the URL,
// which may hold a password.
func Dial(rawURL string) (redis.UniversalClient, error) {
	quiet()
	scheme, rest, _ := strings.Cut(rawURL, "://")
	switch scheme {
	case "redis", "rediss", "unix":
		o, err := redis.ParseURL(rawURL)
		if err != nil {
			return nil, urlError(err)
		}
		o.MaxRetries, o.DialerRetries, o.DisableIdentity = noRetries, 1, true
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, readTimeout, writeTimeout
		o.PoolTimeout, o.ContextTimeoutEnabled = poolTimeout, true
		return redis.NewClient(o), nil
	case "redis+sentinel", "rediss+sentinel":
		o, err := redis.ParseFailoverURL(strings.TrimSuffix(scheme, "+sentinel") + "://" + rest)
		if err != nil {
			return nil, urlError(err)
		}
		if o.MasterName == "" {
			return nil, errors.New("REDIS_URL: redis+sentinel needs ?master_name=NAME, as the sentinels call the primary")
		}
		o.MaxRetries, o.DialerRetries, o.DisableIdentity = noRetries, 1, true
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, readTimeout, writeTimeout
		o.PoolTimeout, o.ContextTimeoutEnabled = poolTimeout, true
		c := redis.NewFailoverClient(o)
		c.AddHook(newSentinels(o))
		return c, nil
	case "redis+cluster", "rediss+cluster":
		o, err := redis.ParseClusterURL(strings.TrimSuffix(scheme, "+cluster") + "://" + rest)
		if err != nil {
			return nil, urlError(err)
		}
		o.MaxRetries, o.DialerRetries, o.DisableIdentity = noRetries, 1, true
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, readTimeout, writeTimeout
		o.PoolTimeout, o.ContextTimeoutEnabled = poolTimeout, true
		return redis.NewClusterClient(o), nil
	}
	return nil, errors.New("REDIS_URL: it begins with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://")
}

// urlError drops the URL from a parse error.
func urlError(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return fmt.Errorf("REDIS_URL: %w", ue.Err)
	}
	return fmt.Errorf("REDIS_URL: %w", err)
}
