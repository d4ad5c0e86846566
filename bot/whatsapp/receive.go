package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"pulang/bot"
	"pulang/flows"
)

// Messages reach on() one at a time, in the order in which WhatsApp has them. true acknowledges. After false the
// message comes again on the next connection, together with all that followed it: so once one was refused, all are,
// until the line has been built anew. A message is first tried for some seconds, because that costs nobody his place.

// on is the library's event handler. A panic in it would count as success.
func (s *session) on(e any) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			s.c.panicked("an event", r)
			ok = false
			if _, isMessage := e.(*events.Message); isMessage {
				s.refuse()
			}
		}
	}()
	s.last.Store(time.Now().UnixNano())
	switch e := e.(type) {
	case *events.Message:
		return s.message(e)
	case *events.Receipt:
		return s.receipt(e)
	case *events.UndecryptableMessage:
		s.undecryptable(e)
	case *events.CallOffer:
		return s.call(e)
	case *events.IdentityChange:
		s.c.log.Info("whatsapp: a person has new keys (another phone, or installed again)")
	case *events.Connected, *events.Disconnected, *events.KeepAliveTimeout, *events.StreamReplaced, *events.LoggedOut,
		*events.TemporaryBan, *events.ClientOutdated, *events.ConnectFailure, *events.StreamError:
		s.tell(e)
	case *events.OfflineSyncPreview:
		s.c.log.Info("whatsapp: messages waited", "messages", e.Messages)
	}
	return true
}

func (s *session) refuse() {
	s.refusing.Store(true)
	s.tell(refused{})
}

// stillOrdered is how many of the stanzas that wait in the library's queue are handled after it was full: it holds 2,048,
// and those behind them race with each other.
const stillOrdered = 500

// full is called when more stanzas wait than the library keeps in order, as after a long outage. What is in the queue is
// taken for a while; then all is refused, and comes again in its order on a new line.
func (s *session) full() {
	if s.ordered.CompareAndSwap(0, stillOrdered) {
		s.c.log.Warn("whatsapp: more messages wait than can be kept in order; the rest is taken on a new line")
	}
}

// message takes one message; false refuses it.
func (s *session) message(e *events.Message) bool {
	if s.ordered.Load() > 0 && s.ordered.Add(-1) == 0 {
		s.refuse()
	}
	if why := notForUs(&e.Info); why != "" {
		return true
	}
	if s.refusing.Load() {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.life), s.c.o.HandleFor+20*time.Second)
	defer cancel()
	if e.Message.GetSecretEncryptedMessage() != nil { // an edit as newer phones send it
		plain, err := s.client.DecryptSecretEncryptedMessage(ctx, e)
		if err != nil {
			s.c.log.Warn("whatsapp: an edit that cannot be read; its sender is asked to say it again", "err", clean(err))
			go s.askAgain(e.Info)
			return true
		}
		if plain.GetProtocolMessage() == nil {
			return true
		}
		e.Message = plain
	}
	m, quiet, err := s.convert(ctx, e)
	if errors.Is(err, errNoPerson) || err == nil && quiet != "" {
		return true
	}
	if err == nil {
		err = s.take(ctx, m, func() []byte { b, _ := proto.Marshal(e.RawMessage); return b })
	}
	if err != nil {
		s.c.log.Error("whatsapp: a message was not accepted, and will come again", "err", clean(err))
		s.refuse()
		return false
	}
	s.accepted(e, m)
	return true
}

// notForUs is why a message is acknowledged without being looked at; empty when it is a person's to us.
func notForUs(i *types.MessageInfo) string {
	from := i.Sender
	switch {
	case i.IsFromMe:
		return "own" // the number's handset, or another device of it
	case i.IsIncomingBroadcast():
		return "" // shows up in the chat with the sender
	case i.IsGroup, i.Chat.Server == types.GroupServer, i.Chat.Server == types.BroadcastServer, i.Chat.Server == types.NewsletterServer:
		return "group" // nobody is interviewed in front of others
	case from.IsBot(), from.User == "0" || from.User == "":
		return "machine" // WhatsApp's own account
	case from.Server != types.DefaultUserServer && from.Server != types.HiddenUserServer &&
		from.Server != types.HostedServer && from.Server != types.HostedLIDServer:
		return "server"
	}
	return ""
}

// convert makes our message of WhatsApp's.
func (s *session) convert(ctx context.Context, e *events.Message) (m bot.Message, quiet string, err error) {
	address, number, err := s.address(ctx, e.Info.Sender, e.Info.SenderAlt)
	if err != nil {
		return m, "", err
	}
	in, quiet := input(e.Message, e.Info.ID, e.Info.Timestamp, number)
	m = bot.Message{
		UpdateID: updateID(s.own, address, e.Info.ID, in.Edit), Line: s.c.o.Line, From: s.c.contact(address), Input: in, Can: Can,
	}
	return m, quiet, nil
}

// maxPanics and maxRounds bound how often a message is tried that makes the program stumble, or that is refused on
// one connection after the other while the store is well.
const (
	maxPanics = 5
	maxRounds = 3
)

// take handles a message, again and again for a while; nil when it is committed or put aside.
func (s *session) take(ctx context.Context, m bot.Message, raw func() []byte) error {
	c := s.c
	began, panics := time.Now(), 0
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := c.handle(ctx, m)
		switch {
		case err == nil:
			c.forgetFailure(m.UpdateID)
			return nil
		case errors.Is(err, bot.ErrLease):
			return err // another process owns the number by now
		case errors.Is(err, bot.ErrPanic):
			if panics++; panics >= maxPanics {
				return c.putAside(ctx, m, raw, "the program stumbled over it "+strconv.Itoa(maxPanics)+" times")
			}
		}
		if time.Since(began) > c.o.HandleFor || s.life.Err() != nil {
			if c.failed(m.UpdateID) >= maxRounds && c.o.Ready != nil && c.o.Ready(ctx) == nil {
				return c.putAside(ctx, m, raw, "could not be handled on "+strconv.Itoa(maxRounds)+" connections while the store was well")
			}
			return err
		}
		sleep(ctx, pause)
	}
}

// handle calls the handler and makes an error of a panic.
func (c *Channel) handle(ctx context.Context, m bot.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			c.panicked("a message", r)
			err = bot.ErrPanic
		}
	}()
	return c.o.Handler.Handle(ctx, m)
}

// panicked says where it happened. What was thrown is not logged: it may hold a person's words.
func (c *Channel) panicked(over string, r any) {
	what := fmt.Sprintf("%T", r)
	if e, ok := r.(runtime.Error); ok {
		what = mask(e.Error())
	}
	c.log.Error("panic over "+over, "what", what, "stack", string(debug.Stack()))
}

func (c *Channel) putAside(ctx context.Context, m bot.Message, raw func() []byte, why string) (err error) {
	defer func() {
		if recover() != nil {
			err = bot.ErrPanic
		}
	}()
	err = c.o.Handler.SetAside(ctx, c.o.Line, bot.Aside{
		ID: Name + ":" + c.account + ":" + m.UpdateID, At: time.Now().UTC(), Channel: Name, Contact: m.From, Why: why, Raw: raw(),
	})
	if err != nil {
		return fmt.Errorf("put a message aside: %w", err)
	}
	c.log.Error("a message was put aside", "why", why)
	c.forgetFailure(m.UpdateID)
	return nil
}

// mostFailures bounds the memory of a long outage.
const mostFailures = 10_000

func (c *Channel) failed(update string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.failures[update]
	if f == nil {
		f = &failing{since: time.Now()}
		if len(c.failures) < mostFailures {
			c.failures[update] = f
		}
	}
	f.tries++
	return f.tries
}

func (c *Channel) forgetFailure(update string) {
	c.mu.Lock()
	delete(c.failures, update)
	c.mu.Unlock()
}

// accepted does what follows a stored message and may fail.
func (s *session) accepted(e *events.Message, m bot.Message) {
	now := time.Now()
	s.c.mu.Lock()
	s.c.health.LastIn = now
	s.c.mu.Unlock()
	s.lost.came(e.Info.ID)
	seconds := expiration(e.Message)
	info := e.Info
	go func() {
		ctx, cancel := context.WithTimeout(s.life, 10*time.Second)
		defer cancel()
		if m.Input.Kind == flows.KindText || seconds > 0 {
			_ = s.dev.setExpiry(ctx, m.From.Address, seconds) // the next message says it again
		}
		_ = s.client.MarkRead(ctx, []types.MessageID{info.ID}, now, info.Chat, info.Sender)
	}()
}

// receipt moves rows to delivered or read.
func (s *session) receipt(e *events.Receipt) bool {
	if s.ordered.Load() > 0 && s.ordered.Add(-1) == 0 {
		s.refuse()
	}
	state := bot.RowDelivered
	switch e.Type {
	case types.ReceiptTypeDelivered, types.ReceiptTypeInactive:
	case types.ReceiptTypeRead, types.ReceiptTypePlayed:
		state = bot.RowRead
	default:
		return true
	}
	for _, id := range e.MessageIDs {
		s.unheard.heard(id)
	}
	if s.c.o.Receipts == nil || e.IsFromMe || e.IsGroup {
		return true
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.life), 10*time.Second)
	defer cancel()
	address, _, err := s.address(ctx, e.Sender, e.SenderAlt)
	if err != nil {
		return errors.Is(err, errNoPerson)
	}
	for _, id := range e.MessageIDs {
		note := func(ctx context.Context) error {
			return s.c.o.Receipts.Receipt(ctx, s.c.o.Line, s.c.contact(address), id, state, e.Timestamp)
		}
		if err := note(ctx); err != nil {
			s.c.log.Warn("whatsapp receipt", "err", err)
			return false
		}
		if s.recent.has(id) {
			// The answer of the send may still be on its way into the store, which then knows no such message: once more.
			go func() {
				for _, d := range []time.Duration{500 * time.Millisecond, 5 * time.Second} {
					if !sleep(s.life, d) {
						return
					}
					ctx, cancel := context.WithTimeout(s.life, 10*time.Second)
					_ = note(ctx)
					cancel()
				}
			}()
		}
	}
	return true
}

// recent are the ids of what was sent in the last seconds.
type recent struct {
	mu  sync.Mutex
	ids map[string]time.Time
}

func (r *recent) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.ids == nil {
		r.ids = map[string]time.Time{}
	}
	if len(r.ids) > 1000 {
		for k, at := range r.ids {
			if now.Sub(at) > 20*time.Second {
				delete(r.ids, k)
			}
		}
	}
	r.ids[id] = now
}

func (r *recent) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.ids[id]
	return ok && time.Since(at) < 20*time.Second
}
