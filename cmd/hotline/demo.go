package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/alicebob/miniredis/v2"

	"pulang/bot"
	"pulang/bot/desk"
	"pulang/bot/store"
	"pulang/flows/casework"
	"pulang/locales"
)

// demoCmd shows everything on this machine. It needs no account, no network and, if need be, no redis-server.
type demoCmd struct {
	Fresh  bool `help:"Forgets the earlier demo of this data directory and starts over."`
	People int  `default:"1440" hidden:"" help:"How many simulated citizens arrive."`
}

// demoName is the demo's account.
const demoName = "demo"

// waveFile marks a data directory as a demo's, and says how far its wave has come.
const waveFile = "demo-wave.json"

// waveMark is the content of waveFile.
type waveMark struct {
	Seed   uint64    `json:"seed"`
	End    time.Time `json:"end"` // the simulated clock's last moment
	People int       `json:"people"`
	At     time.Time `json:"at,omitzero"` // how far the simulated clock has come
	Done   bool      `json:"done"`
}

// Run plays the demo until it is told to stop.
func (c *demoCmd) Run(ctx context.Context, s *Settings, io *streams) (err error) {
	data, err := s.dataDir("data-demo")
	if err != nil {
		return err
	}
	missions, err := demoMissions()
	if err != nil {
		return err
	}
	words, err := s.lexicon()
	if err != nil {
		return err
	}
	cat, err := locales.New()
	if err != nil {
		return err
	}
	level := slog.Level(s.LogLevel)
	if level == slog.LevelInfo {
		level = slog.LevelWarn // a newcomer reads the addresses, not the log
	}
	log := newLog(io.err, level)
	svc := &service{settings: s, log: log, missions: missions, cat: cat, words: words, demo: true, webchatOn: s.Webchat != "off"}
	if err := svc.listenAll(ctx); err != nil {
		return err
	}
	defer svc.closeListeners()
	if c.Fresh {
		if err := forgetDemo(ctx, data, log); err != nil {
			return err
		}
	}
	o, err := openDemo(ctx, s, data, missions, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	svc.store, svc.nothing, svc.alone = o.store, !o.own, o.own
	if err := svc.build(ctx, nil, nil); err != nil {
		return err
	}
	svc.run()
	defer svc.stop()
	link, err := demoLink(ctx, o.store, svc.deskURL)
	if err != nil {
		return err
	}
	greet(io, svc, link, data)
	svc.start("wave", func(ctx context.Context) error { return c.wave(ctx, svc, o, io) })
	return svc.wait(ctx)
}

// greet prints where to go. The chat and the desk are what a newcomer wants; both open without an account.
func greet(io *streams, svc *service, link, data string) {
	w := io.out
	if svc.nothing {
		fmt.Fprint(w, "\n"+
			"  ┌──────────────────────────────────────────────────────────────────────┐\n"+
			"  │  NOTHING IS KEPT: there is no redis-server on this machine, so this  │\n"+
			"  │  demo lives in memory and everything is gone when it stops.          │\n"+
			"  │  To keep it: apt install redis-server (or brew install redis).       │\n"+
			"  └──────────────────────────────────────────────────────────────────────┘\n")
	}
	fmt.Fprintf(w, "\n  A citizen's chat   %s\n", svc.publicURL)
	fmt.Fprintf(w, "  The officers' desk %s\n", link)
	fmt.Fprintf(w, "  Metrics            http://%s/metrics\n\n", svc.probes.Addr())
	fmt.Fprint(w, "  The desk's link signs you in once; restart the demo for another. Everybody in it is invented.\n")
	if !svc.nothing {
		fmt.Fprintf(w, "  Kept in %s. Start over with: hotline demo --fresh\n", data)
	}
	fmt.Fprint(w, "  Stop with Ctrl-C.\n\n")
}

// demoMissions is the built-in example mission.
func demoMissions() ([]*bot.Mission, error) {
	m, err := exampleMission()
	if err != nil {
		return nil, err
	}
	return []*bot.Mission{m}, nil
}

// exampleMission is the mission of `hotline mission example`, without its alert targets: a demo calls nobody.
func exampleMission() (*bot.Mission, error) {
	m, err := bot.ParseMission([]byte(bot.ExampleMission()))
	if err != nil {
		return nil, fmt.Errorf("example mission: %w", err)
	}
	m.Alerts, m.TelegramTokenFile = nil, ""
	return m, nil
}

// isDemo reports whether the data directory is a demo's.
func isDemo(data string) bool {
	_, err := os.Stat(filepath.Join(data, waveFile))
	return err == nil
}

// openDemo opens the demo's store: on an own redis-server where one is installed, else in memory. REDIS_URL is never
// looked at.
func openDemo(ctx context.Context, s *Settings, data string, missions []*bot.Mission, log *slog.Logger) (*opened, error) {
	own := *s
	own.Keys = "" // the demo has its own keys
	o, err := openStore(ctx, &own, openWith{missions: missions, mode: store.ModeDemo, data: data, exclusive: true, log: log})
	if !errors.Is(err, store.ErrNoServer) {
		return o, err
	}
	mem, err := miniredis.Run()
	if err != nil {
		return nil, fmt.Errorf("store in memory: %w", err)
	}
	o = &opened{missions: missions, data: data}
	tick, stop := context.WithCancel(context.Background())
	go func() { // miniredis does not count its lifetimes down by itself
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-tick.Done():
				return
			case <-t.C:
				mem.FastForward(time.Second)
			}
		}
	}()
	o.closers = append(o.closers, func(context.Context) error { stop(); mem.Close(); return nil })
	if o.redis, err = store.Dial("redis://" + mem.Addr()); err != nil {
		return nil, errors.Join(err, o.close())
	}
	o.closers = append(o.closers, func(context.Context) error { return o.redis.Close() })
	keys, err := store.NewKeyring()
	if err == nil {
		o.mode = store.ModeDemo
		o.store, err = store.Open(ctx, store.Options{Client: o.redis, Keys: keys, Lines: storeLines(missions), Mode: store.ModeDemo, Log: log})
	}
	if err != nil {
		return nil, errors.Join(err, o.close())
	}
	o.closers = append(o.closers, func(context.Context) error { return o.store.Close() })
	return o, nil
}

// demoLink makes the demo's account where there is none, and a fresh one-time link to it.
func demoLink(ctx context.Context, st *store.Store, deskURL string) (string, error) {
	_, err := st.Account(ctx, demoName)
	if errors.Is(err, bot.ErrNotFound) {
		err = st.SaveAccount(ctx, bot.Account{Name: demoName, Role: casework.RoleSupervisor, Created: time.Now().UTC()},
			bot.Audit{At: time.Now().UTC(), Who: "demo", What: "staff_add", Field: demoName})
	}
	if err != nil {
		return "", fmt.Errorf("demo account: %w", err)
	}
	token := desk.NewToken()
	if err := st.NewLink(ctx, demoName, token, time.Now().Add(linkLife)); err != nil {
		return "", fmt.Errorf("demo link: %w", err)
	}
	return desk.Link(deskURL, token), nil
}

// forgetDemo empties the data directory of an earlier demo. A directory that is no demo's is left alone, and so is
// one that somebody serves from.
func forgetDemo(ctx context.Context, data string, log *slog.Logger) error {
	if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if !isDemo(data) {
		entries, err := os.ReadDir(data)
		if err == nil && len(entries) > 0 {
			return fmt.Errorf("--fresh: %s is not a demo's data directory, nothing was removed", data)
		}
		return nil
	}
	// Whoever can have it exclusively is alone, and at the end no server runs on it.
	srv, err := store.StartServer(ctx, data, store.ServerOptions{Exclusive: true, Log: log})
	switch {
	case errors.Is(err, store.ErrInUse):
		return inUse(data)
	case err == nil:
		if err := srv.Close(ctx); err != nil {
			return fmt.Errorf("--fresh: %w", err)
		}
	case !errors.Is(err, store.ErrNoServer):
		return fmt.Errorf("--fresh: %w", err)
	}
	keep := []string{"serve.lock", "redis.lock", "users.lock"} // a lock file that is removed protects nobody
	entries, err := os.ReadDir(data)
	if err != nil {
		return fmt.Errorf("--fresh: %w", withoutPath(err))
	}
	for _, e := range entries {
		if !slices.Contains(keep, e.Name()) {
			if err := os.RemoveAll(filepath.Join(data, e.Name())); err != nil {
				return fmt.Errorf("--fresh: %w", withoutPath(err))
			}
		}
	}
	return nil
}

// readMark reads how far the wave of a kept demo has come; a new one otherwise.
func (c *demoCmd) readMark(data string, now time.Time) waveMark {
	fresh := waveMark{Seed: uint64(now.UnixNano()), End: now.UTC(), People: c.People}
	b, err := os.ReadFile(filepath.Join(data, waveFile))
	var m waveMark
	if err != nil || json.Unmarshal(b, &m) != nil || m.End.IsZero() {
		return fresh
	}
	return m
}

func writeMark(data string, m waveMark) error {
	b, err := json.Marshal(m)
	if err == nil {
		err = os.MkdirAll(data, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(data, waveFile), append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("mark the wave: %w", withoutPath(err))
	}
	return nil
}
