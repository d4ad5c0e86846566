package main

import (
	"context"
	"os"
	"sync"
	"time"

	"pulang/bot"
	"pulang/bot/telegram"
	"pulang/bot/webchat"
	"pulang/bot/whatsapp"
)

// traffic is when an account last stored and last sent a message in this process.
type traffic struct {
	mu   sync.Mutex
	last map[[2]string][2]time.Time // by line and account
}

func (t *traffic) in(line, account string)  { t.set(line, account, 0) }
func (t *traffic) out(line, account string) { t.set(line, account, 1) }

func (t *traffic) set(line, account string, i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = map[[2]string][2]time.Time{}
	}
	at := t.last[[2]string{line, account}]
	at[i] = time.Now()
	t.last[[2]string{line, account}] = at
}

func (t *traffic) of(line, account string) (in, out time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.last[[2]string{line, account}]
	return at[0], at[1]
}

const (
	// tellEvery is how often a process says how its channels are doing; a change is said within tellLook.
	tellEvery = 10 * time.Second
	tellLook  = time.Second
	// pollStale is how long ago the last answer to getUpdates may be: Telegram holds one back for less.
	pollStale = 2 * time.Minute
)

// tellChannels says, for the desk, how the channels of this process are doing.
func (s *service) tellChannels(ctx context.Context) error {
	look := time.NewTicker(tellLook)
	defer look.Stop()
	host, _ := os.Hostname()
	process := host + "/" + s.owner
	if len(s.owner) > 6 {
		process = host + "/" + s.owner[:6]
	}
	told, since, failing := map[string]bot.ChannelState{}, map[string]time.Time{}, false
	for ; ctx.Err() == nil; tick(ctx, look.C) {
		now := time.Now()
		var failed error
		for _, c := range s.channelStates(now) {
			c.Process, c.At = process, now
			id := c.Line + " " + c.Account
			was, known := told[id]
			changed := !known || was.State != c.State || was.Why != c.Why || was.Leads != c.Leads || !was.Until.Equal(c.Until)
			if changed && (was.State != c.State || !known) {
				since[id] = now
			}
			if c.Since.IsZero() {
				c.Since = since[id]
			}
			if !changed && now.Sub(was.At) < tellEvery {
				continue
			}
			if err := s.store.TellChannel(ctx, c, changed); err != nil {
				failed = err
				continue
			}
			told[id] = c
		}
		if (failed != nil) != failing && ctx.Err() == nil {
			if failing = failed != nil; failing {
				s.log.Error("channel states", "err", failed)
			}
		}
	}
	return nil
}

// channelStates are the channels of this process as they are now.
func (s *service) channelStates(now time.Time) (out []bot.ChannelState) {
	add := func(c bot.ChannelState) {
		in, sent := s.metrics.traffic.of(c.Line, c.Account)
		if in.After(c.LastIn) {
			c.LastIn = in
		}
		if sent.After(c.LastOut) {
			c.LastOut = sent
		}
		out = append(out, c)
	}
	for _, t := range s.tgs {
		add(t.state(now))
	}
	for _, w := range s.was {
		add(w.state(now))
	}
	for _, c := range s.chats {
		add(bot.ChannelState{Line: c.Account(), Channel: webchat.Name, Account: c.Account(), Leads: true, State: "up"})
	}
	return out
}

// state is what this process knows of the bot without asking Telegram.
func (t *telegramLine) state(now time.Time) bot.ChannelState {
	h := t.channel.Known()
	c := bot.ChannelState{Line: t.line, Channel: telegram.Name, Account: t.channel.Account(), Leads: t.hook != "" || t.polls.Load(),
		State: "up", LastIn: h.LastUpdate, LastOut: h.LastSend}
	switch {
	case t.hook != "":
		c.Why = "webhook"
		if h.LastFail.After(h.LastUpdate) && now.Sub(h.LastFail) < pollStale {
			c.State, c.Why = "down", "not_stored"
		}
	case !c.Leads:
		c.State = "standby"
	case h.LastPoll.IsZero() && h.LastFail.IsZero():
		c.State = "connecting"
	case h.LastFail.After(h.LastPoll), now.Sub(h.LastPoll) > pollStale:
		c.State, c.Why = "down", "no_answer"
	}
	return c
}

// state is what this process knows of the number.
func (w *whatsappLine) state(now time.Time) bot.ChannelState {
	h := w.channel.Health()
	c := bot.ChannelState{Line: w.line, Channel: whatsapp.Name, Account: w.channel.Account(), Leads: w.serves.Load(),
		State: string(h.State), Since: h.Since, Until: h.Until, LastIn: h.LastIn, LastOut: h.LastOut, Version: h.Version}
	if h.State == whatsapp.Up && h.Held.After(now) {
		c.State, c.Until = "restricted", h.Held
	}
	c.Number = w.channel.Number()
	return c
}
