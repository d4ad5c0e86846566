package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pulang/bot"
	"pulang/bot/whatsapp"
	"pulang/flows"
)

// whatsappLine is the WhatsApp number of one line.
type whatsappLine struct {
	line    string
	number  string // digits; empty: whichever is linked
	store   string
	version whatsapp.Version
	channel *whatsapp.Channel
	leads   prometheus.Gauge // 1 while this process has the number
	serves  *atomic.Bool     // the same, for the desk's channel page
}

const (
	// Longer than a reconnect, short enough for people who wait when the leader has died: with whatsappLook and a login
	// another replica serves 15 seconds after the leader's last sign of life.
	whatsappLease = 12 * time.Second
	whatsappRenew = 4 * time.Second
	whatsappLook  = time.Second
	// whatsappAway is how long this process keeps off a number that another program has taken from it.
	whatsappAway = time.Minute
)

// whatsappNet replaces the network towards WhatsApp in tests.
var whatsappNet http.RoundTripper

// whatsappOptions changes a channel's options in tests: nobody there is spared by pauses.
var whatsappOptions func(*whatsapp.Options)

// whatsappShow is told each QR code in tests, beside its drawing.
var whatsappShow func(qr string)

// whatsappStore is the device store: WHATSAPP_STORE, which may hold a database's password, or a file beside the data.
func whatsappStore(io *streams, data string) (string, error) {
	dsn, err := io.secret("WHATSAPP_STORE")
	switch {
	case err != nil:
		return "", err
	case dsn == "":
		return filepath.Join(data, "whatsapp.db"), nil
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		return dsn, nil
	case strings.Contains(dsn, "://"):
		return "", usagef("WHATSAPP_STORE: write a file path, or an address that begins with postgres://")
	}
	return filepath.Abs(dsn)
}

// whatsappVersion reads WHATSAPP_VERSION.
func whatsappVersion(s *Settings, data string) (whatsapp.Version, error) {
	v := whatsapp.Version{File: filepath.Join(data, "whatsapp.version")}
	switch s.WhatsAppVersion {
	case "", "auto":
		v.Fetch = true
	case "builtin":
		v.File = ""
	default:
		v.Fixed = s.WhatsAppVersion
	}
	if err := v.Check(); err != nil {
		return v, usagef("WHATSAPP_VERSION: %v, or auto, or builtin", err)
	}
	return v, nil
}

// whatsappLines finds the numbers: with one mission whichever is linked, with several those that name theirs.
func whatsappLines(s *Settings, io *streams, missions []*bot.Mission, data string) ([]whatsappLine, error) {
	if s.WhatsApp != "on" {
		return nil, nil
	}
	dsn, err := whatsappStore(io, data)
	if err != nil {
		return nil, err
	}
	v, err := whatsappVersion(s, data)
	if err != nil {
		return nil, err
	}
	var out []whatsappLine
	for _, m := range missions {
		if m.WhatsAppNumber != "" || len(missions) == 1 {
			out = append(out, whatsappLine{line: m.Code, number: bot.NumberDigits(m.WhatsAppNumber), store: dsn, version: v})
		}
	}
	if len(out) == 0 {
		return nil, usagef("WHATSAPP=on with several missions: name each number in its mission file (whatsapp_number)")
	}
	if len(out) > 1 && !strings.HasPrefix(dsn, "postgres") {
		// A SQLite file is one connection's; each number has its own beside the first.
		for i := range out {
			out[i].store = strings.TrimSuffix(dsn, ".db") + "-" + out[i].number + ".db"
		}
	}
	return out, nil
}

// connect makes the channel; nothing is opened yet.
func (w *whatsappLine) connect(s *service, h whatsapp.Handler, lang string) (err error) {
	w.serves = new(atomic.Bool)
	o := whatsapp.Options{
		Line: w.line, Store: w.store, Number: w.number, Handler: h, Receipts: s.store, Ready: s.store.Ping, Log: s.log,
		Version: w.version, PerSecond: s.settings.WhatsAppRate, Transport: whatsappNet,
		Words: whatsapp.Words{
			TextOnly: s.cat.Text(lang, "whatsapp.text_only", nil), Again: s.cat.Text(lang, "whatsapp.send_again", nil),
		},
		OnAlarm: func(a whatsapp.Alarm, until time.Time) { s.tellStaff(w.line, "alert.whatsapp_"+string(a), until) },
	}
	if whatsappOptions != nil {
		whatsappOptions(&o)
	}
	if w.channel, err = whatsapp.New(o); err != nil {
		return usageError{err}
	}
	// A ban lasts for days. It is told, but the other channels and the desk stay in service.
	s.health.note("whatsapp "+w.line, time.Second, func(ctx context.Context) error {
		switch h := w.channel.Health(); h.State {
		case whatsapp.Up:
			return nil
		case whatsapp.Standby:
			owner, until, err := s.store.LeaseHolder(ctx, w.line, w.leaseName())
			if err == nil && owner != "" && until.After(time.Now()) {
				return nil
			}
			return errors.Join(err, errors.New("nobody has the number"))
		case whatsapp.Connecting, whatsapp.Refusing:
			if time.Since(h.Since) < time.Minute {
				return nil
			}
		}
		return errors.New("no line")
	})
	w.leads = s.metrics.leads.WithLabelValues(w.line, whatsapp.Name)
	w.leads.Set(0)
	return nil
}

// leaseName is the name of the lease under which one process has the number.
func (w *whatsappLine) leaseName() string { return "whatsapp:" + w.channel.Account() }

// run has the number for as long as this process holds its lease; the other replicas stand by.
func (w *whatsappLine) run(ctx context.Context, s *service) error {
	name := w.leaseName()
	for ctx.Err() == nil {
		wait := whatsappLook
		token, ok, err := s.store.AcquireLease(ctx, w.line, name, s.owner, whatsappLease)
		if err != nil && ctx.Err() == nil {
			s.log.Error("whatsapp lease", "line", w.line, "err", err)
		}
		if err == nil && ok {
			s.store.Guard(w.line, w.channel.Account(), name, token)
			w.leads.Set(1)
			err = w.lead(ctx, s, name, token)
			w.leads.Set(0)
			s.store.Guard(w.line, w.channel.Account(), "", 0)
			switch {
			case errors.Is(err, whatsapp.ErrReplaced):
				s.log.Error("whatsapp: another program has connected as this device; this one keeps away for a while", "line", w.line, "for", whatsappAway)
				wait = whatsappAway
			case err != nil:
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// lead serves the number and renews the lease. The line is cut while the lease is still good: two connections of one
// device, even for a moment, destroy its keys.
func (w *whatsappLine) lead(ctx context.Context, s *service, name string, token int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	good := time.Now() // the lease was taken no earlier than this process believes
	ended := make(chan error, 1)
	go func() { ended <- w.channel.Serve(ctx) }()
	go w.hear(ctx, s)
	go w.forget(ctx, s)
	w.serves.Store(true)
	defer w.serves.Store(false)
	renew := time.NewTicker(whatsappRenew)
	defer renew.Stop()
	for {
		select {
		case err := <-ended:
			last, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer done()
			_ = s.store.ReleaseLease(last, w.line, name, s.owner, token) // else it ends by itself
			return err
		case <-renew.C:
			asked := time.Now()
			try, done := context.WithTimeout(ctx, whatsappRenew/2)
			ok, err := s.store.RenewLease(try, w.line, name, s.owner, token, whatsappLease)
			done()
			switch {
			case err == nil && ok:
				good = asked
			case err == nil, time.Since(good) > whatsappLease-whatsappRenew:
				cancel()
			}
		}
	}
}

// tellStaff puts a line into the outbox for each alert target of the mission.
func (s *service) tellStaff(line, key string, until time.Time) {
	args := flows.Args{}
	var lang string
	for _, m := range s.missions {
		if m.Code == line {
			lang = m.Lang
			args["Until"] = ""
			if !until.IsZero() {
				args["Until"] = until.In(m.Location()).Format("2006-01-02 15:04")
			}
		}
	}
	text := s.cat.Text(lang, flows.TextID(key), args)
	now := time.Now()
	var rows []bot.Row
	for _, to := range s.alerts[line] {
		rows = append(rows, bot.Row{Line: line, To: to, Lane: bot.LaneSafety, Kind: bot.KindAlert, State: bot.RowQueued, CreatedAt: now,
			Out: bot.Outgoing{Text: text}})
	}
	if len(rows) == 0 {
		return
	}
	go func() {
		request := fmt.Sprintf("%s:%s:%d", key, line, now.Unix())
		for wait := time.Second; wait < 10*time.Minute; wait *= 2 {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			done, err := s.store.Commit(ctx, bot.Change{Line: line, Request: request, Rows: rows})
			cancel()
			if err == nil {
				var mine []bot.Leased
				for _, r := range done.Mine {
					mine = append(mine, bot.Leased{Row: r})
				}
				s.relay.Dispatch(mine)
				return
			}
			s.log.Error("alert", "line", line, "err", err)
			time.Sleep(wait)
		}
	}()
}
