// Package webchat is the channel that needs no account: a small chat page in the browser, for the demo and for an
// embassy's own site. It works without JavaScript; with it, replies appear by themselves.
//
// What it keeps, and for how long: the person is known by a random cookie, of which only a hash leaves this
// package as the contact's address. The recent messages of a session are held in this process's memory (Recent
// messages, RecentBytes of text) so that a reload shows them. After a restart of the process they are read back from
// the person's case (Options.Past), so that an officer's reply which the browser had not fetched yet is not missed.
// What a button said is not kept there: after a restart the person types the number instead. One process serves the
// web chat of a line.
package webchat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"pulang/bot"
	"pulang/locales"
)

// Name is the channel's name in bot.Contact.
const Name = "webchat"

// Bounds of what is kept in memory. A session over its bound forgets its oldest messages; over MemoryBytes or
// Sessions the sessions that were away longest are forgotten, those with everything delivered first.
const (
	Recent      = 80
	RecentBytes = 48 << 10
	Sessions    = 20_000
	MemoryBytes = 64 << 20
	// MaxRunes is the longest message that is taken in one piece.
	MaxRunes = 4096
)

// cookieDays is how long a browser remembers its conversation: an officer may answer days later. "End" on the
// page removes it at once.
const cookieDays = 14

// Handler takes one message. Nil means that it is stored; an error means that the browser shall send it again.
type Handler interface {
	Handle(ctx context.Context, m bot.Message) error
}

// Receipts is told when a reply has reached the browser; *store.Store satisfies it.
type Receipts interface {
	Receipt(ctx context.Context, line string, who bot.Contact, providerID string, state bot.RowState, at time.Time) error
}

// Options of a Channel. Line, Handler and Catalogue are required.
type Options struct {
	// Line is the line whose conversation this is, and the account of its contacts.
	Line    string
	Handler Handler
	// Past reads a person's conversation back after a restart, oldest first; nil begins with an empty page.
	Past func(ctx context.Context, who bot.Contact) ([]bot.Entry, error)
	// Receipts may be nil: rows then stay "sent".
	Receipts  Receipts
	Catalogue *locales.Catalogue
	// Service is the name at the head of the page, in the mission's words; empty shows a neutral title.
	Service string
	// Lang is the page's language for a browser that asks for none we have; empty is locales.Default.
	Lang string
	// Zone is the time zone of the clock times on the page; nil is UTC.
	Zone *time.Location
	// Base is the path of the page, beginning and ending in "/"; empty is "/".
	Base string
	// Secure says that people reach the page by https: the cookie then bears the __Host- prefix.
	Secure bool
	// ExitURL is the neutral page that "leave this page" goes to; empty is a well-known search page.
	ExitURL string
	// SourceURL is where the program's source is offered (AGPL-3.0 section 13).
	SourceURL string
	// Banner, when not empty, is the key of a text shown above the chat (the demo says what it keeps).
	Banner string
	// ClientIP tells the address that rate limits count by; nil uses the connection's own.
	ClientIP func(*http.Request) string
	// Clock and Rand are time and chance; nil is the machine's.
	Clock func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
}

// Channel is the web chat of one line: a bot.Channel towards the relay and an http.Handler towards browsers.
type Channel struct {
	o        Options
	mux      *http.ServeMux
	sessions sessions
	limits   limits
	streams  streams
	// closing ends the open event streams when the process stops.
	closing chan struct{}
	once    sync.Once
	// lookAfter is how long an answer without JavaScript waits for the bot's reply before the page is shown;
	// receiptAfter lets the relay store that a row was sent before it is told that the row arrived. Tests shorten both.
	lookAfter, receiptAfter time.Duration
}

var _ bot.Channel = (*Channel)(nil)
var _ http.Handler = (*Channel)(nil)

// New makes the web chat of one line.
func New(o Options) (*Channel, error) {
	if o.Line == "" || o.Handler == nil || o.Catalogue == nil {
		return nil, errors.New("webchat: line, handler and catalogue are required")
	}
	if o.Base == "" {
		o.Base = "/"
	}
	if !strings.HasPrefix(o.Base, "/") || !strings.HasSuffix(o.Base, "/") {
		return nil, errors.New("webchat: the base path begins and ends in a slash")
	}
	if o.Lang == "" {
		o.Lang = locales.Default
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.ExitURL == "" {
		o.ExitURL = "https://www.google.com/"
	}
	if o.ClientIP == nil {
		o.ClientIP = remoteIP
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Channel{o: o, closing: make(chan struct{}), lookAfter: 1500 * time.Millisecond, receiptAfter: 2 * time.Second}
	c.sessions.byAddress = map[string]*session{}
	c.limits = newLimits(o.Clock)
	c.routes()
	return c, nil
}

// Name is "webchat".
func (c *Channel) Name() string { return Name }

// Account is the line.
func (c *Channel) Account() string { return c.o.Line }

// Close ends the open event streams, so that a server can stop; browsers connect again by themselves.
func (c *Channel) Close() {
	c.once.Do(func() { close(c.closing) })
}

// Send puts the row into the person's page: at once where it is open, else for when it comes back. A repeated row
// is shown once. A person who ended the chat on their device is gone.
func (c *Channel) Send(ctx context.Context, r bot.Row) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", &bot.SendError{Do: bot.SendRetry, Why: "stopping", Err: err}
	}
	s := c.sessions.get(r.To.Address, c.o.Clock())
	if r.ID == "" {
		r.ID = c.newID(16) // a line outside the outbox
	}
	if !s.put(message{ID: r.ID, Text: withoutChoices(r.Out), Buttons: r.Out.Buttons, Place: r.Out.AskPlace,
		At: c.o.Clock(), Clear: r.Out.Delete}) {
		return "", &bot.SendError{Do: bot.SendGone, Why: "ended", Err: errors.New("the chat was ended on the device")}
	}
	c.sessions.trim()
	return r.ID, nil
}

// newID draws 256 bits, as text for a cookie or 128 of them for a form.
func (c *Channel) newID(bytes int) string {
	b := make([]byte, bytes)
	if _, err := io.ReadFull(c.o.Rand, b); err != nil {
		panic("webchat: no randomness: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// address is the contact's address for a cookie value: the value itself is a secret and stays in the browser.
func address(cookie string) string {
	sum := sha256.Sum256([]byte("webchat\x00" + cookie))
	return hex.EncodeToString(sum[:16])
}

// withoutChoices is the text without the numbered lines that stand below it as buttons anyway.
func withoutChoices(o bot.Outgoing) string {
	text := o.Text
	for i := len(o.Buttons) - 1; i >= 0; i-- {
		text = strings.TrimSuffix(text, "\n"+o.Buttons[i].Label)
	}
	return strings.TrimRight(text, "\n")
}
