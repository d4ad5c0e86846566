package whatsapp

import (
	"context"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"pulang/bot"
	"pulang/flows"
)

// lostAfter is how long a message that could not be decrypted may take to come again by itself: the library asks the
// sender's phone for another copy, several times.
var lostAfter = time.Minute

// lost are messages that could not be decrypted.
type lost struct {
	mu     sync.Mutex
	timers map[string]*time.Timer
	asked  map[string]time.Time // by address
}

const mostLost = 1000

func (l *lost) came(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.timers[id]; t != nil {
		t.Stop()
		delete(l.timers, id)
	}
}

func (l *lost) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.timers {
		t.Stop()
	}
	l.timers = nil
}

// undecryptable waits for a readable copy, and then asks the person to send the message again.
func (s *session) undecryptable(e *events.UndecryptableMessage) {
	if notForUs(&e.Info) != "" || e.UnavailableType == events.UnavailableTypeViewOnce {
		return
	}
	s.c.log.Warn("whatsapp: a message could not be decrypted, its sender is asked for another copy")
	l := &s.lost
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timers == nil {
		l.timers = map[string]*time.Timer{}
	}
	if l.timers[e.Info.ID] != nil || len(l.timers) >= mostLost {
		return
	}
	info := e.Info
	l.timers[info.ID] = time.AfterFunc(lostAfter, func() {
		l.came(info.ID)
		s.askAgain(info)
	})
}

// askAgain asks a person to send a message again, once in ten minutes.
func (s *session) askAgain(info types.MessageInfo) {
	ctx, cancel := context.WithTimeout(s.life, 20*time.Second)
	defer cancel()
	address, _, err := s.address(ctx, info.Sender, info.SenderAlt)
	if err != nil {
		return
	}
	l := &s.lost
	l.mu.Lock()
	again := time.Since(l.asked[address]) > 10*time.Minute
	if l.asked == nil || len(l.asked) > mostLost {
		l.asked = map[string]time.Time{}
	}
	if again {
		l.asked[address] = time.Now()
	}
	l.mu.Unlock()
	if again {
		s.say(ctx, info.Chat, s.c.o.Words.Again)
	}
}

// say sends a line outside the outbox: an answer of the channel itself, neutral, once, and no loss if it is lost.
func (s *session) say(ctx context.Context, to types.JID, text string) {
	if text == "" || !s.up() || s.c.held() > 0 || s.c.limit.Wait(ctx) != nil {
		return
	}
	if err := s.deliver(ctx, to.ToNonAD(), &waE2E.Message{Conversation: proto.String(text)}, MessageID("")); err != nil {
		s.c.log.Warn("whatsapp send", "err", clean(err))
	}
}

// calls are who was told lately that the line is text only.
type calls struct {
	mu   sync.Mutex
	told map[string]time.Time
}

func (c *calls) first(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for k, at := range c.told {
		if now.Sub(at) > 10*time.Minute {
			delete(c.told, k)
		}
	}
	if _, ok := c.told[id]; ok || len(c.told) > mostLost {
		return false
	}
	if c.told == nil {
		c.told = map[string]time.Time{}
	}
	c.told[id] = now
	return true
}

// call refuses a call, says that the line is text only, and passes on that the person called: somebody who calls an
// emergency line wants something, whether or not words follow.
func (s *session) call(e *events.CallOffer) bool {
	if !e.GroupJID.IsEmpty() {
		return true
	}
	if s.refusing.Load() {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.life), s.c.o.HandleFor+20*time.Second)
	defer cancel()
	address, _, err := s.address(ctx, e.CallCreator, e.CallCreatorAlt, e.From)
	if err != nil {
		return true
	}
	m := bot.Message{
		UpdateID: updateID(s.own, address, "call:"+e.CallID, false), Line: s.c.o.Line, From: s.c.contact(address), Can: Can,
		Input: flows.Input{Kind: flows.KindMedia, ID: messageID(e.CallID), At: e.Timestamp.UTC(), Media: &flows.Media{Kind: "other", Name: "call"}},
	}
	if err := s.take(ctx, m, func() []byte { return nil }); err != nil {
		s.c.log.Error("whatsapp: a call was not recorded, and will be told again", "err", clean(err))
		s.refuse()
		return false
	}
	go func() {
		ctx, cancel := context.WithTimeout(s.life, 20*time.Second)
		defer cancel()
		_ = s.client.RejectCall(ctx, e.From, e.CallID)
		if s.calls.first(address) {
			s.say(ctx, e.From, s.c.o.Words.TextOnly)
		}
	}()
	return true
}
