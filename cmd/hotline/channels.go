package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pulang/bot"
	"pulang/bot/telegram"
	"pulang/flows"
)

// telegramLine is the Telegram bot of one line.
type telegramLine struct {
	line   string
	token  string
	secret string
	// hook is the public URL to register and path the part of it that is served; empty: long polling.
	hook, path string
	channel    *telegram.Channel
	leads      prometheus.Gauge // 1 while this process receives the updates
	polls      *atomic.Bool     // the same, for the desk's channel page
}

const (
	// pollLease is how long another replica waits for a polling one that fell silent.
	pollLease = 30 * time.Second
	pollRenew = 10 * time.Second
)

// telegramLines finds the bots: each mission's token file, or TELEGRAM_TOKEN where there is one mission.
func telegramLines(s *Settings, io *streams, missions []*bot.Mission) ([]telegramLine, error) {
	token, err := io.secret("TELEGRAM_TOKEN")
	if err != nil {
		return nil, err
	}
	secret, err := io.secret("TELEGRAM_WEBHOOK_SECRET")
	if err != nil {
		return nil, err
	}
	var out []telegramLine
	for _, m := range missions {
		if m.TelegramTokenFile == "" {
			continue
		}
		b, err := os.ReadFile(m.TelegramTokenFile)
		if err != nil {
			return nil, usagef("mission %s: telegram_token_file: %v", m.Code, withoutPath(err))
		}
		out = append(out, telegramLine{line: m.Code, token: strings.TrimSpace(string(b)), secret: secret})
	}
	if token != "" {
		switch {
		case len(out) == 0:
			out = append(out, telegramLine{line: missions[0].Code, token: token, secret: secret})
		default:
			return nil, usagef("TELEGRAM_TOKEN is set, and so is telegram_token_file in a mission file: keep one of them")
		}
	}
	if s.Webhook == "" {
		return out, nil
	}
	if len(out) == 0 {
		return nil, usagef("TELEGRAM_WEBHOOK_URL is set without a bot: set TELEGRAM_TOKEN (or TELEGRAM_TOKEN_FILE) as well")
	}
	if len(secret) < 16 {
		return nil, usagef("TELEGRAM_WEBHOOK_URL needs TELEGRAM_WEBHOOK_SECRET of 16 characters or more (try: openssl rand -hex 32)")
	}
	u, err := url.Parse(string(s.Webhook))
	if err != nil || strings.Trim(u.Path, "/") == "" {
		return nil, usagef("TELEGRAM_WEBHOOK_URL needs a path that nobody guesses, such as https://bantuan.example.org/tg-4711")
	}
	for i := range out {
		at := *u
		if len(out) > 1 { // one bot, one path
			at.Path = strings.TrimRight(at.Path, "/") + "/" + out[i].line
		}
		out[i].hook, out[i].path = at.String(), at.EscapedPath()
	}
	return out, nil
}

// menu is the bot's command list, in the words of the catalogue.
func menu(s *service) map[string][]telegram.Command {
	all := map[string][]telegram.Command{}
	for _, lang := range languages(s.cat, s.missions[0].Lang) {
		for _, c := range []string{"status", "officer", "edit", "language", "stop", "danger", "menu"} {
			name := s.cat.Text(lang, flows.TextID("command."+c), nil)
			text := s.cat.Text(lang, flows.TextID("command."+c+".about"), nil)
			if strings.HasPrefix(name, "command.") || strings.HasPrefix(text, "command.") {
				continue
			}
			all[lang] = append(all[lang], telegram.Command{Name: strings.ToLower(name), Description: text})
		}
	}
	return all
}

// connect makes the channel; it does not speak to Telegram yet.
func (t *telegramLine) connect(s *service, h telegram.Handler) (err error) {
	t.polls = new(atomic.Bool)
	t.channel, err = telegram.New(telegram.Options{Token: t.token, APIURL: string(s.settings.Telegram), Line: t.line,
		Handler: h, Log: s.log, Secret: t.secret,
		Passed: func(ctx context.Context, n int64) error { return s.store.Passed(ctx, t.line, t.channel.Account(), n) }, Commands: menu(s), OnAck: func(took time.Duration) {
			s.metrics.ack.WithLabelValues(telegram.Name, "acknowledged").Observe(took.Seconds())
		}})
	if err != nil {
		return usageError{err}
	}
	t.leads = s.metrics.leads.WithLabelValues(t.line, telegram.Name)
	if t.hook != "" {
		t.leads.Set(1)
	}
	// With a webhook a process that is not ready would be sent no updates, and could never become ready again: there it
	// is only told.
	tell := s.health.add
	if t.hook != "" {
		tell = s.health.note
	}
	tell("telegram "+t.line, 5*time.Second, func(ctx context.Context) error { return t.received(ctx, s) })
	return nil
}

// received tells whether the bot's updates are received, here or by another process.
func (t *telegramLine) received(ctx context.Context, s *service) error {
	if t.hook == "" {
		owner, until, err := s.store.LeaseHolder(ctx, t.line, t.leaseName())
		switch {
		case err != nil:
			return err
		case owner == "" || !until.After(time.Now()):
			return errors.New("nobody polls")
		case owner != s.owner:
			return nil // the process that polls tells of it
		}
	}
	if ok, err := t.flows(ctx); err != nil || !ok {
		return errors.Join(err, errors.New("no updates come in"))
	}
	return nil
}

// leaseName is the name of the lease under which one process polls.
func (t *telegramLine) leaseName() string { return "poll:" + t.channel.Account() }

// flows asks Telegram whether updates reach us at the moment.
func (t *telegramLine) flows(ctx context.Context) (bool, error) {
	h, err := t.channel.Health(ctx)
	if err != nil {
		return false, err
	}
	now := time.Now()
	if t.hook != "" {
		return h.Webhook && now.Sub(h.WebhookErrorAt) > 30*time.Second || h.Pending == 0, nil
	}
	// A standby replica does not poll; the one that does answers for the channel.
	return h.LastPoll.IsZero() || h.LastPoll.After(h.LastFail) && now.Sub(h.LastPoll) < 2*time.Minute, nil
}

// run receives updates until ctx ends. With a webhook it only registers it; polling is one replica's at a time.
func (t *telegramLine) run(ctx context.Context, s *service) error {
	defer t.channel.Close()
	if err := t.persist(ctx, s, "telegram menu", t.channel.SetMyCommands); err != nil {
		return err
	}
	if t.hook != "" {
		err := t.persist(ctx, s, "telegram webhook", func(ctx context.Context) error {
			return t.channel.RegisterWebhook(ctx, t.hook, t.secret)
		})
		if err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	owner := s.owner
	name := t.leaseName()
	for ctx.Err() == nil {
		token, ok, err := s.store.AcquireLease(ctx, t.line, name, owner, pollLease)
		if err != nil && ctx.Err() == nil {
			s.log.Error("polling lease", "line", t.line, "err", err)
		}
		if err == nil && ok {
			s.store.Guard(t.line, t.channel.Account(), name, token)
			t.leads.Set(1)
			err = t.poll(ctx, s, name, owner, token)
			t.leads.Set(0)
			s.store.Guard(t.line, t.channel.Account(), "", 0)
			if err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollRenew / 2):
		}
	}
	return nil
}

// poll fetches updates while this process holds the lease.
func (t *telegramLine) poll(ctx context.Context, s *service, name, owner string, token int64) error {
	ctx, cancel := context.WithCancel(ctx)
	t.polls.Store(true)
	defer t.polls.Store(false)
	ended := make(chan error, 1)
	go func() { ended <- t.channel.Poll(ctx) }()
	renew := time.NewTicker(pollRenew)
	defer renew.Stop()
	good := time.Now()
	for {
		select {
		case err := <-ended:
			cancel()
			// A fresh context: the one of the program may be over, and the next replica should not have to wait.
			last, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer done()
			return errors.Join(err, ignore(s.store.ReleaseLease(last, t.line, name, owner, token)))
		case <-renew.C:
			ok, err := s.store.RenewLease(ctx, t.line, name, owner, token, pollLease)
			switch {
			case err == nil && ok:
				good = time.Now()
			case err == nil, time.Since(good) > pollLease:
				cancel() // another replica polls now, or soon will
			}
		}
	}
}

// ignore drops an error that changes nothing: the lease ends by itself.
func ignore(error) error { return nil }

// persist tries a call of the set-up until it works; a refused token ends the program, waiting would not help.
func (t *telegramLine) persist(ctx context.Context, s *service, what string, f func(context.Context) error) error {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, time.Minute) {
		err := f(ctx)
		if err == nil || errors.Is(err, telegram.ErrToken) {
			return err
		}
		s.log.Warn(what+": trying again", "line", t.line, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// watch asks people again whose taps may have been lost in an outage.
func (t *telegramLine) watch(ctx context.Context, s *service) error {
	a := &bot.Asker{Hotline: s.hotline, Beats: s.store}
	return a.Watch(ctx, t.line, t.channel.Account(), func() bool {
		ok, err := t.flows(ctx)
		return ok && err == nil
	})
}

const (
	missingLook = 15 * time.Second
	// missingAfter is after what time a number that was left out is not on its way here any more: longer than an update
	// is handled at most.
	missingAfter = 40 * time.Second
)

// missing looks for updates that Telegram gave out and that are not in the store, while none is on its way.
func (t *telegramLine) missing(ctx context.Context, s *service) error {
	tick := time.NewTicker(missingLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		list, err := s.store.MissingUpdates(ctx, t.line, t.channel.Account(), time.Now().Add(-missingAfter))
		if err != nil || len(list) == 0 {
			continue // Redis being away is others' to tell
		}
		if h, err := t.channel.Health(ctx); err != nil || h.Pending > 0 {
			continue // Telegram may deliver them yet
		}
		lost := bot.Lost{}
		for _, r := range list {
			lost.Count += r.Count()
			lost.Updates = append(lost.Updates, r.String())
		}
		id := fmt.Sprintf("missing:%s:%s:%d", t.channel.Account(), lost.Updates[0], lost.Count) // the same for every replica
		if err := s.store.SetLost(ctx, t.line, id, lost); err != nil {
			continue
		}
		if err := s.store.ForgetMissing(ctx, t.line, t.channel.Account(), list); err == nil {
			s.metrics.lost.WithLabelValues(t.line, "number").Add(float64(lost.Count))
			s.log.Error("updates of Telegram are missing", "line", t.line, "count", lost.Count, "first", list[0].First, "last", list[len(list)-1].Last)
		}
	}
}

// fileOpener is a channel that can open the files people sent.
type fileOpener interface {
	Open(ctx context.Context, ref string) (io.ReadCloser, error)
}

// files opens a file that a channel keeps, for the desk.
func (s *service) files(ctx context.Context, channel, account, ref string) (io.ReadCloser, error) {
	for _, l := range s.lines {
		c := l.Channel
		if w, ok := c.(meteredChannel); ok {
			c = w.Channel
		}
		if f, ok := c.(fileOpener); ok && c.Name() == channel && c.Account() == account {
			return f.Open(ctx, ref)
		}
	}
	return nil, fmt.Errorf("open file: %w", bot.ErrNotFound)
}
