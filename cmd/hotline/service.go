package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/bot/desk"
	"pulang/bot/store"
	"pulang/bot/webchat"
	"pulang/flows/casework"
	"pulang/flows/lexicon"
	"pulang/locales"
)

// stopPart is how long one part may take to stop; the relay's last sends need the most.
const stopPart = 30 * time.Second

// grace is what requests under way have to end by themselves at a stop; event streams then end by their context.
const grace = 2 * time.Second

// service is everything that runs in `serve` and `demo`. Parts are started in the order in which they need each
// other and stopped in reverse.
type service struct {
	settings *Settings
	log      *slog.Logger
	missions []*bot.Mission
	cat      *locales.Catalogue
	words    *lexicon.Lexicon
	store    *store.Store
	metrics  *metrics
	health   *health

	hotline *bot.Hotline
	relay   *bot.Relay
	lines   []bot.LineChannel
	tgs     []*telegramLine
	was     []*whatsappLine
	alerts  map[string][]bot.Contact // by mission
	chats   []*webchat.Channel
	desk    *desk.Desk

	public, staff, probes    net.Listener
	publicURL, deskURL       string
	webchatOn, demo, nothing bool
	// owner names this process in leases: a restart on the same data directory, which only one process can serve,
	// goes on under the same name instead of waiting for its own former lease to end.
	owner string
	// auditHeads is the file in which the ends of the audit logs are kept; empty keeps none.
	auditHeads string
	// alone is true when no other process can be using the store: its own redis-server belongs to the data directory.
	alone bool

	parts  []*running
	failed chan error
}

// running is one part of the service.
type running struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
}

// start runs a part until stop; a part that ends with an error before that ends the program.
func (s *service) start(name string, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &running{name: name, cancel: cancel, done: make(chan struct{})}
	s.parts = append(s.parts, p)
	go func() {
		defer close(p.done)
		if err := f(ctx); err != nil && ctx.Err() == nil {
			select {
			case s.failed <- fmt.Errorf("%s: %w", name, err):
			default:
			}
		}
	}()
}

// stop ends the parts, the last started first, and says which one still runs when its time is over.
func (s *service) stop() {
	for _, p := range slices.Backward(s.parts) {
		p.cancel()
		select {
		case <-p.done:
		case <-time.After(stopPart):
			s.log.Warn("still running at the end of its time", "part", p.name)
		}
	}
	s.parts = nil
}

// wait returns when ctx ends (nil) or a part fails.
func (s *service) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

// listenAll opens the listeners first: an address in use is noticed before anything is started.
func (s *service) listenAll(ctx context.Context) (err error) {
	if s.public, err = listen(ctx, "HOTLINE_LISTEN", s.settings.Listen); err == nil {
		if s.staff, err = listen(ctx, "HOTLINE_DESK_LISTEN", s.settings.DeskListen); err == nil {
			s.probes, err = listen(ctx, "HOTLINE_METRICS_LISTEN", s.settings.MetricsListen)
		}
	}
	if err != nil {
		s.closeListeners()
		return err
	}
	s.publicURL = addressOf(s.settings.URL, s.public.Addr())
	s.deskURL = addressOf(s.settings.DeskURL, s.staff.Addr())
	return nil
}

func (s *service) closeListeners() {
	for _, l := range []net.Listener{s.public, s.staff, s.probes} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// run starts the parts and returns when all of them are on their way.
func (s *service) run() {
	s.freeOrphans()
	s.start("keys", s.store.KeepKeys)
	s.start("losses", s.losses)
	s.health.add(loopRelay, time.Second, s.health.loops.going(loopRelay))
	s.start("relay", s.relay.Run)
	s.start("staff audit", s.sealStaffAudit)
	if s.auditHeads != "" {
		w := &auditWatch{store: s.store, path: s.auditHeads, lines: append(missionCodes(s.missions), store.StaffLine), ok: s.metrics.auditOK, log: s.log, clock: time.Now}
		s.start("audit heads", w.run)
	}
	s.start("channel states", s.tellChannels)
	for _, t := range s.tgs {
		s.start("telegram", func(ctx context.Context) error { return t.run(ctx, s) })
		s.start("telegram outages", func(ctx context.Context) error { return t.watch(ctx, s) })
		s.start("telegram numbers", func(ctx context.Context) error { return t.missing(ctx, s) })
	}
	for _, w := range s.was {
		s.start("whatsapp", func(ctx context.Context) error { return w.run(ctx, s) })
	}
	s.serve("public listener", s.public, strict(s.publicMux(), s.publicURL), func() {
		for _, c := range s.chats {
			c.Close()
		}
	})
	s.serve("desk", s.staff, strict(s.desk, s.deskURL), nil)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.handler())
	s.serve("metrics", s.probes, mux, nil)
}

// freeOrphans takes over what a killed predecessor was about to send. A failure only means waiting for its leases.
func (s *service) freeOrphans() {
	accounts := map[string][]string{}
	for _, l := range s.lines {
		accounts[l.Line] = append(accounts[l.Line], l.Channel.Account())
	}
	for line, of := range accounts {
		if err := s.store.FreeOrphans(context.Background(), line, of, s.alone); err != nil {
			s.log.Warn("former leases", "line", line, "err", err)
		}
	}
}

// timers runs the timers and what every line needs doing now and then. The demo begins with it after its wave.
func (s *service) timers(ctx context.Context) error {
	s.health.add(loopTimers, time.Second, s.health.loops.going(loopTimers))
	broadcasts := &bot.Broadcaster{Store: s.store, Rules: map[string]casework.Rules{}}
	for _, m := range s.missions {
		broadcasts.Rules[m.Code] = m.Rules()
	}
	return s.hotline.RunTimers(ctx,
		bot.Chore{Name: "audit chain", Every: sealEvery, Do: func(ctx context.Context, line string, _ time.Time) error {
			_, err := s.store.SealAudit(ctx, line)
			return err
		}},
		bot.Chore{Name: "audit retention", Every: shortenEvery, Do: s.shortenAudit},
		bot.Chore{Name: "ended leases", Every: 15 * time.Second, Do: func(ctx context.Context, line string, now time.Time) error {
			_, err := s.store.SweepClaims(ctx, line, now)
			return err
		}},
		bot.Chore{Name: "retention", Every: time.Hour, Do: func(ctx context.Context, line string, _ time.Time) error {
			return s.store.ForgetOnDisk(ctx, line)
		}},
		bot.Chore{Name: "broadcasts", Every: bot.BroadcastEvery, Do: broadcasts.Do})
}

// sealEvery is how long an audit row may stand outside the chain that shows a later change.
const sealEvery = 10 * time.Second

// shortenEvery is how often audit rows that have been kept long enough are looked for.
const shortenEvery = 24 * time.Hour

// shortenAudit cuts off the rows of a line's audit log that have been kept long enough.
func (s *service) shortenAudit(ctx context.Context, line string, now time.Time) error {
	_, err := s.store.ShortenAudit(ctx, line, now.Add(-store.KeepAudit), bot.Audit{At: now, Who: "hotline", What: "audit_aged"})
	return err
}

// sealStaffAudit chains the audit rows of sign-ins and accounts, which belong to no line, and cuts off the old ones.
func (s *service) sealStaffAudit(ctx context.Context) error {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	var shortened time.Time
	for failing := false; ; {
		_, err := s.store.SealAudit(ctx, store.StaffLine)
		if now := s.hotline.Clock(); err == nil && now.Sub(shortened) >= shortenEvery {
			if err = s.shortenAudit(ctx, store.StaffLine, now); err == nil {
				shortened = now
			}
		}
		if err != nil && ctx.Err() == nil && !failing {
			s.log.Error("audit chain", "line", store.StaffLine, "err", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// account finds the channel of an account, whichever line it belongs to; nil when it is not in this process.
func (s *service) account(channel, account string) bot.Channel {
	for _, l := range s.lines {
		if l.Channel.Name() == channel && l.Channel.Account() == account {
			return l.Channel
		}
	}
	return nil
}

// groupExists answers GABUNG. A group may be led on another line of the installation: its join code begins as the case
// codes of that line do.
func (s *service) groupExists(ctx context.Context, line, code string) (bool, error) {
	ok, err := s.store.GroupExists(ctx, line, code)
	if ok || err != nil {
		return ok, err
	}
	for _, m := range s.missions {
		if m.Code != line && strings.HasPrefix(code, m.Prefix) {
			return s.store.GroupExists(ctx, m.Code, code)
		}
	}
	return false, nil
}

// losses follows what Redis may lose after it was acknowledged, and looks anew at the settings of a server that took
// another's place.
func (s *service) losses(ctx context.Context) error {
	for _, m := range s.missions {
		for _, kind := range []string{"acknowledged", "number"} {
			s.metrics.lost.WithLabelValues(m.Code, kind)
		}
	}
	return s.store.WatchLosses(ctx, func(line string, l bot.Lost) {
		s.metrics.lost.WithLabelValues(line, "acknowledged").Add(float64(l.Count))
		s.log.Error("Redis lost what was acknowledged; the desk's list of what was put aside names the cases", "line", line,
			"count", l.Count, "from", l.From, "to", l.To, "cases", len(l.Cases))
	}, func(ctx context.Context) {
		if err := s.store.CheckDurability(ctx, s.settings.AcceptLoss); err != nil && ctx.Err() == nil {
			s.log.Error("the Redis that is used now", "err", err)
		}
	})
}

// onDuty answers CEK: whether the code is an officer's who works for this mission and may sign in.
func (s *service) onDuty(ctx context.Context, mission, code string) (bool, error) {
	a, err := s.store.OfficerByCode(ctx, code)
	if errors.Is(err, bot.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return !a.Disabled && (len(a.Missions) == 0 || slices.Contains(a.Missions, mission)), nil
}

func missionCodes(ms []*bot.Mission) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Code)
	}
	return out
}
