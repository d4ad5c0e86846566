package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
)

// opened is an open store with what belongs to it. close gives everything back in reverse order.
type opened struct {
	store    *store.Store
	missions []*bot.Mission
	mode     string
	data     string
	redis    redis.UniversalClient
	own      bool // our own redis-server
	closers  []func(context.Context) error
}

// openWith says how to open the store.
type openWith struct {
	missions  []*bot.Mission
	mode      string // empty: whichever the store is in
	data      string
	url       string // REDIS_URL; empty: an own redis-server in data
	exclusive bool   // serve and demo: nobody else may serve from this data directory
	accept    bool   // --accept-data-loss
	known     bool   // an empty store is an error
	owner     string // of an exclusive opener: see ownerName
	journal   string // file of what is acknowledged; empty: none
	log       *slog.Logger
}

// close gives everything back; it is safe to call twice.
func (o *opened) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var all error
	for i := len(o.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, o.closers[i](ctx))
	}
	o.closers = nil
	return all
}

// openStore connects to the given Redis, or to an own redis-server on the data directory, checks that it keeps what
// it acknowledges, and opens the store.
func openStore(ctx context.Context, s *Settings, w openWith) (*opened, error) {
	o := &opened{missions: w.missions, data: w.data}
	if err := o.connect(ctx, s, w); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

func (o *opened) connect(ctx context.Context, s *Settings, w openWith) error {
	url := w.url
	if url == "" && w.mode == store.ModeReal && s.RedisWait.Wait != nil && s.RedisWait.Replicas > 0 {
		return usagef("HOTLINE_REDIS_WAIT waits for replicas, and the hotline's own redis-server has none: set REDIS_URL, or leave it unset")
	}
	if url == "" {
		srv, err := store.StartServer(ctx, w.data, store.ServerOptions{Exclusive: w.exclusive, Log: w.log})
		if errors.Is(err, store.ErrInUse) {
			return inUse(w.data)
		}
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%w; run this as the account of the service, or set HOTLINE_DATA to a directory of yours", err)
		}
		if err != nil {
			return err
		}
		o.own, url = true, srv.URL()
		o.closers = append(o.closers, srv.Close)
	} else if w.exclusive {
		unlock, err := lockData(w.data)
		if err != nil {
			return err
		}
		o.closers = append(o.closers, unlock)
	}
	client, err := store.Dial(url)
	if err != nil {
		return usageError{err}
	}
	o.redis = client
	o.closers = append(o.closers, func(context.Context) error { return o.redis.Close() })
	if o.own && w.mode == store.ModeDemo {
		hurry(ctx, o, "always") // a demo that was killed during its wave left it otherwise
	}
	if noWait(s, client) && !w.accept {
		return errors.New("refused: " + waitNone)
	}
	if err = durable(ctx, o.redis, w.accept, w.url != ""); err != nil {
		return err
	}
	if w.known {
		if n, err := o.redis.DBSize(ctx).Result(); err != nil || n == 0 {
			return errors.Join(err, errEmpty)
		}
	}
	return o.open(ctx, s, w)
}

// durable refuses a Redis that may lose what it acknowledged, or that does not answer; given tells that REDIS_URL names it.
func durable(ctx context.Context, rdb redis.UniversalClient, accept, given bool) error {
	err := store.CheckDurability(ctx, rdb, accept)
	var weak *store.DurabilityError
	switch {
	case errors.As(err, &weak):
		return fmt.Errorf("refused: %s", strings.Join(weak.Problems, "; "))
	case err != nil && given && ctx.Err() == nil:
		return fmt.Errorf("the Redis of REDIS_URL does not answer: %w; start it, or correct REDIS_URL", err)
	}
	return err
}

// waitNone is said of a Redis that replaces its primary by itself while nothing waits for its replicas.
const waitNone = "HOTLINE_REDIS_WAIT is 0 and this Redis replaces its primary by itself: what is acknowledged and on no replica yet " +
	"is lost then; set it to 1, or start with --accept-data-loss"

func noWait(s *Settings, rdb redis.UniversalClient) bool {
	return store.Failover(rdb) && s.RedisWait.Wait != nil && s.RedisWait.Replicas == 0
}

// open opens the store on o.redis. Without a mode it is opened as what it is.
func (o *opened) open(ctx context.Context, s *Settings, w openWith) (err error) {
	modes := []string{w.mode}
	if w.mode == "" {
		modes = []string{store.ModeReal, store.ModeDemo}
	}
	for _, mode := range modes {
		o.store, err = store.Open(ctx, store.Options{Client: o.redis, KeyFile: s.keyFile(w.data), Lines: storeLines(w.missions),
			Mode: mode, RowLease: bot.RowLease, Wait: s.RedisWait.Wait, Owner: w.owner, Journal: w.journal, Log: w.log})
		var wrong *store.ModeError
		if errors.As(err, &wrong) && w.mode == "" {
			continue
		}
		if errors.As(err, &wrong) {
			if wrong.Have == store.ModeRestoring {
				return errors.New("refused: a restore into this Redis did not come to its end; empty it and run 'hotline restore' again")
			}
			if wrong.Have == store.ModeDemo {
				return errors.New("refused: this Redis holds a demo's simulated people, 'serve' never mixes them with real ones; use another data directory or Redis")
			}
			return errors.New("refused: this Redis holds real people's cases, 'demo' never touches them; use another data directory")
		}
		if err != nil {
			return explained(err)
		}
		o.mode = mode
		o.closers = append(o.closers, func(context.Context) error { return o.store.Close() })
		return nil
	}
	return err
}

// explained adds what to do to the errors of an open.
func explained(err error) error {
	var key *store.KeyError
	if errors.As(err, &key) {
		return fmt.Errorf("%w; put the store's own key file there (HOTLINE_KEYS), a new one cannot open it", err)
	}
	return err
}

// storeLines are the lines as the store knows them: any mission of the installation may become competent for a case.
func storeLines(ms []*bot.Mission) []store.Line {
	var out []store.Line
	for _, m := range ms {
		l := store.Line{Code: m.Code, Missions: []string{m.Code}, Rules: m.Rules()}
		for _, o := range ms {
			if o.Code != m.Code {
				l.Missions = append(l.Missions, o.Code)
			}
		}
		out = append(out, l)
	}
	return out
}

func inUse(data string) error {
	return fmt.Errorf("another hotline serves from %s already: stop it first, or set HOTLINE_DATA to another directory", data)
}

// lockData keeps a second serve away from the data directory where the Redis is somebody else's.
func lockData(data string) (unlock func(context.Context) error, err error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", withoutPath(err))
	}
	f, err := os.OpenFile(filepath.Join(data, "serve.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", withoutPath(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, inUse(data)
	}
	return func(context.Context) error { return f.Close() }, nil
}

// errEmpty is said of a store in which there is nothing. Who began one here would be in the way of a restore, and a copy
// of it would be the newest backup.
var errEmpty = errors.New("the store is empty: start 'hotline serve' first, or bring a backup back with 'hotline restore DIR'")

// withStore opens the store for a subcommand, beside a running service or without one, and closes it again. A demo's
// store is opened with the demo's missions. An empty store is an error: nothing is begun by looking.
func withStore(ctx context.Context, s *Settings, io *streams, f func(*opened) error) (err error) {
	return inStore(ctx, s, io, true, f)
}

// inStore is withStore; known false makes a store where there is none.
func inStore(ctx context.Context, s *Settings, io *streams, known bool, f func(*opened) error) (err error) {
	data, err := s.dataDir("data")
	if err != nil {
		return err
	}
	demo := isDemo(data)
	var missions []*bot.Mission
	if demo && s.Missions == "" {
		missions, err = demoMissions()
	} else {
		missions, err = s.loadMissions()
	}
	if err != nil {
		return err
	}
	w := openWith{missions: missions, data: data, accept: true, known: known, log: newLog(io.err, slog.LevelError)}
	if demo {
		own := *s
		own.Keys = "" // as the demo itself does
		s = &own
	} else {
		if w.url, err = io.secret("REDIS_URL"); err != nil {
			return err
		}
	}
	if w.url == "" {
		// Not to make an empty store where somebody mistyped the directory.
		if _, err := os.Stat(data); err != nil {
			return usagef("data directory %s: %v; set HOTLINE_DATA to the directory of 'serve' (of the demo: ./data-demo)", data, withoutPath(err))
		}
		if _, err := os.Stat(filepath.Join(data, "redis.lock")); err != nil && known && w.url == "" {
			return errEmpty // not even a server's files: a restore wants the directory as it is
		}
	}
	o, err := openStore(ctx, s, w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	return f(o)
}

// deskAddress is the desk's address for links, as far as it is known without its listener.
func deskAddress(s *Settings) string {
	if s.DeskURL != "" {
		return strings.TrimSuffix(string(s.DeskURL), "/") + "/"
	}
	return "http://" + string(s.DeskListen) + "/"
}
