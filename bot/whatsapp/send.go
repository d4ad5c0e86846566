package whatsapp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"

	"pulang/bot"
)

// Why is the reason of a failed send, a catalogue key below "send.".
const (
	whyNoChat     = "no_chat"     // not on WhatsApp, or not an address
	whyBad        = "bad_request" // WhatsApp will never take this message
	whyEmpty      = "empty"
	whyRate       = "rate"
	whyDown       = "down"
	whyUnknown    = "unknown"    // it may have been sent: the answer was lost
	whyRestricted = "restricted" // 463: the account may not start chats for a while
)

// answerWithin is how long WhatsApp has to take a message. One message at a time is under way, so a lost answer
// holds up everybody.
var answerWithin = 15 * time.Second

// mostWait is how long a send waits for its turn before the row goes back to the outbox.
const mostWait = 5 * time.Second

// Send sends one row and returns the message's id. The id is made of the row's, so that a row that is sent again,
// after a crash or a lost answer, bears the same id and is recognised as the same message.
//
// A nil error means that WhatsApp took the message; whether it reached the person is told by its receipt.
func (c *Channel) Send(ctx context.Context, r bot.Row) (string, error) {
	if r.To.Account != "" && r.To.Account != c.account {
		return "", &bot.SendError{Do: bot.SendBad, Why: whyBad, Err: errors.New("the contact belongs to another number")}
	}
	to, err := person(r.To.Address)
	if err != nil {
		return "", &bot.SendError{Do: bot.SendBad, Why: whyNoChat, Err: err}
	}
	if strings.TrimSpace(r.Out.Text) == "" {
		if r.Out.Delete {
			return "", nil // nothing of a chat can be deleted on the other side's phone
		}
		return "", &bot.SendError{Do: bot.SendBad, Why: whyEmpty, Err: errors.New("no text")}
	}
	if len(r.Out.Text) > maxText {
		return "", &bot.SendError{Do: bot.SendBad, Why: whyBad, Err: errors.New("longer than WhatsApp allows")}
	}
	s := c.current.Load()
	if s == nil || !s.up() {
		// Another process has the line, or nobody at the moment. The row waits in the outbox, which is where the one
		// that has it looks.
		return "", &bot.SendError{Do: bot.SendRetry, After: time.Second, Why: whyDown, Err: errors.New("no line here")}
	}
	if d := c.held(); d > 0 {
		return "", &bot.SendError{Do: bot.SendRetry, After: d, Account: true, Why: whyRestricted, Err: errors.New("whatsapp restricts the account")}
	}
	if err := c.pace(ctx, r.Lane); err != nil {
		return "", err
	}
	s.compose(ctx, to, r)
	id := MessageID(r.ID)
	s.recent.add(id)
	m := s.text(ctx, r)
	s.unheard.add(&waiting{id: id, to: to, m: m, since: time.Now()}) // before its receipt can come
	if err := s.deliver(ctx, to, m, id); err != nil {
		s.unheard.heard(id) // the row comes again
		return "", c.sendError(err)
	}
	c.mu.Lock()
	c.health.LastOut, c.holdFor = time.Now(), 0
	c.mu.Unlock()
	return id, nil
}

// deliver hands a message to WhatsApp. It is encrypted anew when the person's session has moved meanwhile.
func (s *session) deliver(ctx context.Context, to types.JID, m *waE2E.Message, id types.MessageID) (err error) {
	for try := 0; try < 10; try++ {
		_, err = s.client.SendMessage(ctx, to, m, whatsmeow.SendRequestExtra{ID: id, Timeout: answerWithin})
		if !moved(err) {
			return err
		}
	}
	return err
}

// MessageID is the id of the message that a row becomes. A row without an id gets one by chance.
func MessageID(row string) types.MessageID {
	b := []byte("pulang:" + row)
	if row == "" {
		b = make([]byte, 32)
		_, _ = rand.Read(b)
	}
	sum := sha256.Sum256(b)
	return whatsmeow.WebMessageIDPrefix + strings.ToUpper(hex.EncodeToString(sum[:9]))
}

// person reads a contact's address.
func person(address string) (types.JID, error) {
	j, err := types.ParseJID(address)
	if err != nil || j.User == "" || j.Device != 0 || j.Server != types.DefaultUserServer && j.Server != types.HiddenUserServer {
		return j, errNoPerson
	}
	return j, nil
}

// text is the message as WhatsApp wants it. Where messages of the chat disappear, ours do as well.
func (s *session) text(ctx context.Context, r bot.Row) *waE2E.Message {
	if n := s.dev.expiry(ctx, r.To.Address); n > 0 {
		return &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
			Text: proto.String(r.Out.Text), ContextInfo: &waE2E.ContextInfo{Expiration: proto.Uint32(n)},
		}}
	}
	return &waE2E.Message{Conversation: proto.String(r.Out.Text)}
}

// pace keeps the number below what gets numbers banned. What concerns somebody's safety, or comes from an officer,
// counts but does not wait.
func (c *Channel) pace(ctx context.Context, lane bot.Lane) error {
	turn := c.limit.Reserve()
	if lane <= bot.LaneOfficer {
		return nil
	}
	wait := turn.Delay()
	if wait > mostWait {
		turn.Cancel()
		return &bot.SendError{Do: bot.SendRetry, After: wait/2 + time.Duration(mathrand.Int64N(int64(wait))), Why: whyRate, Err: errors.New("our own pace")}
	}
	if !sleep(ctx, wait) {
		return &bot.SendError{Do: bot.SendRetry, After: time.Second, Why: whyDown, Err: ctx.Err()}
	}
	return nil
}

// compose shows the person that an answer is being written, for as long as that would take a quick typist and no
// longer than Options.Typing.
func (s *session) compose(ctx context.Context, to types.JID, r bot.Row) {
	most := s.c.o.Typing
	if most <= 0 || r.Lane == bot.LaneSafety || r.ID == "" {
		return
	}
	s.c.mu.Lock()
	s.c.present++
	first := s.c.present == 1
	s.c.mu.Unlock()
	if first {
		_ = s.client.SendPresence(ctx, types.PresenceAvailable)
	}
	_ = s.client.SendChatPresence(ctx, to, types.ChatPresenceComposing, "")
	d := min(most/3+time.Duration(len(r.Out.Text))*4*time.Millisecond, most)
	sleep(ctx, d/2+time.Duration(mathrand.Int64N(int64(d)/2+1)))
	s.c.mu.Lock()
	s.c.present--
	last := s.c.present == 0
	s.c.mu.Unlock()
	if last {
		_ = s.client.SendPresence(ctx, types.PresenceUnavailable)
	}
}

// held is how long nothing may be sent yet.
func (c *Channel) held() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(time.Until(c.holdUntil), 0)
}

const leastHold, mostHold = 15 * time.Minute, 4 * time.Hour

// hold stops sending: going on after a 463 is what turns it into a ban.
func (c *Channel) hold() time.Duration {
	c.mu.Lock()
	c.holdFor = min(max(2*c.holdFor, leastHold), mostHold)
	c.holdUntil = time.Now().Add(c.holdFor)
	d, until := c.holdFor, c.holdUntil
	c.mu.Unlock()
	c.alarm(AlarmRestricted, until)
	return d
}

// sendError sorts a failed send by what comes next.
func (c *Channel) sendError(err error) *bot.SendError {
	e := &bot.SendError{Do: bot.SendRetry, Why: whyDown, Err: clean(err)}
	var lineLost *whatsmeow.DisconnectedError
	text := err.Error()
	switch {
	case moved(err):
		e.After = time.Second
	case errors.Is(err, whatsmeow.ErrServerReturnedError):
		var code int
		_, _ = fmt.Sscanf(text[strings.LastIndexByte(text, ' ')+1:], "%d", &code)
		switch {
		case code == 463:
			e.After, e.Account, e.Why = c.hold(), true, whyRestricted
		case code == 429:
			e.After, e.Account, e.Why = 30*time.Second, true, whyRate
		case code == 404, code == 406:
			e.Do, e.Why = bot.SendGone, whyNoChat
		case code == 408, code >= 500:
		case code >= 400:
			e.Do, e.Why = bot.SendBad, whyBad
		}
	case errors.Is(err, whatsmeow.ErrUnknownServer), errors.Is(err, whatsmeow.ErrRecipientADJID):
		e.Do, e.Why = bot.SendBad, whyNoChat
	case strings.HasPrefix(text, "no LID found for "):
		e.Do, e.Why = bot.SendGone, whyNoChat
	case errors.Is(err, whatsmeow.ErrNotConnected), errors.Is(err, whatsmeow.ErrNotLoggedIn), errors.Is(err, whatsmeow.ErrClientIsNil):
		e.After = time.Second
	case errors.As(err, &lineLost), errors.Is(err, whatsmeow.ErrMessageTimedOut), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		// Perhaps it arrived. The same id makes the repeat recognisable.
		e.Do, e.Why = bot.SendUnknown, whyUnknown
	}
	return e
}
