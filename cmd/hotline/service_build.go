package main

import (
	"context"
	"slices"
	"time"

	"pulang/bot"
	"pulang/bot/desk"
	"pulang/bot/webchat"
	"pulang/flows/casework"
)

// build makes the parts out of the open store; nothing runs yet.
func (s *service) build(ctx context.Context, tokens []telegramLine, numbers []whatsappLine) error {
	s.failed = make(chan error, 8)
	s.metrics, s.health = newMetrics(version()), newHealth()
	s.health.add("redis", time.Second, s.store.Probe)
	s.store.MeasureRoundTrips(s.metrics.roundTrip)
	measured := meteredStore{s.store, s.metrics}

	lines := map[string]*bot.Line{}
	rules := map[string]casework.Rules{}
	for _, m := range s.missions {
		lines[m.Code] = &bot.Line{Mission: m, Flow: newFlow(m, s.missions, s.cat, s.words)}
		rules[m.Code] = m.Rules()
	}
	s.hotline = bot.NewHotline(bot.Options{Store: measured, Catalogue: s.cat, Lines: lines, Cans: cans(), Log: s.log,
		Retain: s.store, Officers: s.onDuty, Groups: s.groupExists, Round: func(line, name string) { s.health.loops.round(loop{name: name, line: line}) }})
	if err := s.connect(tokens, numbers, lines); err != nil {
		return err
	}
	s.watchers(lines)
	if s.demo {
		s.addChannel(s.missions[0].Code, simChannel{})
	}
	if s.webchatOn {
		if err := s.buildChats(s.acknowledging()); err != nil {
			return err
		}
	}
	s.relay = bot.NewRelay(bot.RelayOptions{Outbox: s.store, Channels: s.lines, Rules: rules, Log: s.log,
		Round: func(line, channel string) { s.health.loops.round(loop{loopRelay, line, channel}) }})
	s.relay.Attach(s.hotline)
	s.desk = desk.New(desk.Options{Queue: measured, Staff: s.store, Sessions: s.store.Sessions(desk.AccountOf),
		Catalogue: s.cat, Missions: s.missions, Log: s.log, URL: s.deskURL, Demo: s.demo, Dispatch: s.relay.Dispatch,
		Source: s.sourceURL(), ClientIP: clientIP(s.settings.Proxies), Ready: s.store.Ping, Files: s.files, Alerts: s.alerts,
		Channels: s.store, Upkeep: s.upkeep, ExportRows: newExportRows(s.store, s.cat, s.log).count, OneFactor: s.demo || s.settings.SecondFactor == "off"})
	s.metrics.registry.MustRegister(s.health, s.vitals(), opGauges{s.store.Ops})
	return nil
}

// acknowledging handles messages of the channels that do not tell by themselves when they have acknowledged.
func (s *service) acknowledging() meteredHandler {
	return meteredHandler{Hotline: s.hotline, m: s.metrics, acks: true}
}

// connect makes the messengers' channels.
func (s *service) connect(tokens []telegramLine, numbers []whatsappLine, lines map[string]*bot.Line) error {
	for _, t := range tokens {
		if err := t.connect(s, meteredHandler{Hotline: s.hotline, m: s.metrics}); err != nil {
			return err
		}
		s.tgs = append(s.tgs, &t)
		s.addChannel(t.line, t.channel)
	}
	for _, w := range numbers {
		if err := w.connect(s, s.acknowledging(), lines[w.line].Mission.Lang); err != nil {
			return err
		}
		s.was = append(s.was, &w)
		s.addChannel(w.line, w.channel)
	}
	return nil
}

// watchers finds for each mission who is alerted, and how.
func (s *service) watchers(lines map[string]*bot.Line) {
	s.alerts = map[string][]bot.Contact{}
	for _, m := range s.missions {
		account := ""
		for _, t := range s.tgs {
			if t.line == m.Code {
				account = t.channel.Account()
			}
		}
		to := bot.AlertContacts(m, account)
		lines[m.Code].Alerts, s.alerts[m.Code] = to, to
		if len(to) < len(m.Alerts) {
			s.log.Warn("an alert target is a Telegram chat, and this line has no Telegram bot", "mission", m.Code)
		}
		urls := bot.NewURLAlerts(m.Code, nil)
		urls.Through = s.account
		s.addChannel(m.Code, urls)
	}
}

func (s *service) addChannel(line string, ch bot.Channel) {
	s.metrics.channel(line, ch.Name())
	s.lines = append(s.lines, bot.LineChannel{Line: line, Channel: meteredChannel{Channel: ch, line: line, m: s.metrics}})
}

// vitals reads what /metrics shows of the whole installation.
func (s *service) vitals() *vitals {
	v := &vitals{store: s.store, missions: missionCodes(s.missions), accounts: map[string]map[string]string{}, log: s.log}
	for _, l := range s.lines {
		if v.accounts[l.Line] == nil {
			v.accounts[l.Line] = map[string]string{}
		}
		v.accounts[l.Line][l.Channel.Account()] = l.Channel.Name()
	}
	return v
}

// buildChats makes the browser chats: one mission's at the root, several each below its code.
func (s *service) buildChats(h webchat.Handler) error {
	for _, m := range s.missions {
		o := webchat.Options{Line: m.Code, Handler: h, Receipts: s.store, Past: s.past(m.Code), Catalogue: s.cat, Service: m.Service, Lang: m.Lang,
			Zone: m.Location(), Secure: len(s.publicURL) > 5 && s.publicURL[:6] == "https:", SourceURL: s.sourceURL(),
			ClientIP: clientIP(s.settings.Proxies), Log: s.log}
		if len(s.missions) > 1 {
			o.Base = "/" + m.Code + "/"
		}
		switch {
		case s.nothing:
			o.Banner = "web.demo_nothing_kept"
		case s.demo:
			o.Banner = "web.demo_banner"
		}
		c, err := webchat.New(o)
		if err != nil {
			return err
		}
		s.chats = append(s.chats, c)
		s.addChannel(m.Code, c)
	}
	return nil
}

// past reads the conversation of a browser back from its case, on the case's timeline.
func (s *service) past(line string) func(ctx context.Context, who bot.Contact) ([]bot.Entry, error) {
	return func(ctx context.Context, who bot.Contact) ([]bot.Entry, error) {
		snap, err := s.store.Load(ctx, line, who, "")
		if err != nil || snap.Case == nil {
			return nil, err
		}
		f, err := s.store.Open(ctx, snap.Case.Mission, snap.Case.Code, time.Now(), bot.Audit{})
		// A case may have several contacts: what was said on another one is nobody's business here.
		return slices.DeleteFunc(f.Entries, func(e bot.Entry) bool { return e.Contact != "" && e.Contact != who.Tag() }), err
	}
}
