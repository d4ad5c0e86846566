// Package whatsapp is the WhatsApp channel, on go.mau.fi/whatsmeow: a linked device of the hotline's own number. It
// turns what people send into bot.Message, acknowledges it only after it is committed, and sends rows as text with
// numbered lines.
//
// By itself the library acknowledges before anybody has stored a message, reconnects on its own terms, and takes a
// panic for success. All three are decided here instead: see receive.go and supervise.go.
//
// WhatsApp allows one connection per device. A Channel therefore does nothing until Serve is called, and the caller
// calls it only while it holds the line's lease.
package whatsapp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/libsignal/logger"
	"golang.org/x/time/rate"

	"pulang/bot"
	"pulang/flows"
)

// Name is the channel's name in a bot.Contact.
const Name = "whatsapp"

// Can is what the channel is able to do. Buttons are not among it: which shape of them a phone shows changes without
// notice, a numbered line always works.
var Can = flows.Can{}

// Handler takes what people send. *bot.Hotline with its store satisfies it.
type Handler interface {
	// Handle returns nil when m is committed and may be acknowledged; after an error m comes again.
	Handle(ctx context.Context, m bot.Message) error
	// SetAside keeps a message that cannot be handled where staff see it. The same a.ID may come again.
	SetAside(ctx context.Context, line string, a bot.Aside) error
}

// Receipts moves a sent row to delivered or read. *store.Store satisfies it.
type Receipts interface {
	Receipt(ctx context.Context, line string, who bot.Contact, providerID string, state bot.RowState, at time.Time) error
}

// Alarm is something about the account that staff have to know. Its value is part of a catalogue key.
type Alarm string

// The alarms.
const (
	AlarmLoggedOut  Alarm = "logged_out" // unlinked, locked or banned for good: link again
	AlarmBanned     Alarm = "banned"     // banned for a while: nothing is sent or received until then
	AlarmRestricted Alarm = "restricted" // 463: the account may not write first for a while
	AlarmOutdated   Alarm = "outdated"   // WhatsApp refuses this client version: update the program
	AlarmReplaced   Alarm = "replaced"   // another process uses the same device
	AlarmRefused    Alarm = "refused"    // WhatsApp refuses the connection for another reason
)

// Words are the few sentences that the channel says without the conversation. Empty ones are not said.
type Words struct {
	TextOnly string // to somebody who calls
	Again    string // to somebody whose message could not be decrypted
}

// Options are what a Channel is made of. Line, Store and Handler are required.
type Options struct {
	Line string
	// Store is the device store: a file path (SQLite) or a postgres:// URL.
	Store string
	// Number is which of the store's linked numbers the line answers, digits only; empty: the only one.
	Number   string
	Handler  Handler
	Receipts Receipts // nil: receipts are not kept
	// Ready tells whether the store answers again after messages were refused. nil: a pause is taken for it.
	Ready func(ctx context.Context) error
	// OnAlarm is told what staff have to know; it must return quickly. May be nil.
	OnAlarm func(a Alarm, until time.Time)
	Words   Words
	Version Version
	Log     *slog.Logger // nil logs nothing

	// PerSecond and Burst are the pace of the whole number; zero is 1 and 5. Pause is the time between two messages to
	// one person; zero is two seconds, negative none. Typing is the longest time for which the person sees us typing;
	// zero is 1.5 seconds, negative none.
	PerSecond float64
	Burst     int
	Pause     time.Duration
	Typing    time.Duration
	// HandleFor is how long a message is tried before it is refused; zero is 8 seconds.
	HandleFor time.Duration
	// Transport replaces the network, for tests.
	Transport http.RoundTripper
}

// State is how the channel is doing.
type State string

// The states.
const (
	Standby    State = "standby"    // Serve is not running here
	Unlinked   State = "unlinked"   // no number is linked
	Linking    State = "linking"    // a phone is being waited for
	Locked     State = "locked"     // another process of this machine has the device store
	Connecting State = "connecting" // no line at the moment
	Up         State = "up"
	Refusing   State = "refusing" // the line is up, our own store is not: messages wait at WhatsApp
	Banned     State = "banned"
	Outdated   State = "outdated"
)

// Health is the state and since when.
type Health struct {
	State State
	Since time.Time
	Until time.Time // end of a ban; zero otherwise
	// Held is until when nothing is sent, because WhatsApp restricted the account; zero otherwise.
	Held time.Time
	// LastIn and LastOut are the last accepted message and the last sent one; zero is "not yet".
	LastIn, LastOut time.Time
	Version         string
}

// Channel is one WhatsApp number of one line. It is safe for concurrent use.
type Channel struct {
	o       Options
	account string
	log     *slog.Logger
	limit   *rate.Limiter
	media   *http.Client

	current atomic.Pointer[session] // while there is one
	asks    chan ask                // to Serve: link, unlink

	mu        sync.Mutex
	health    Health
	holdUntil time.Time // nothing is sent before: 463
	holdFor   time.Duration
	alarmed   map[Alarm]time.Time
	failures  map[string]*failing
	present   int // how many are typing
}

// failing is a message that could not be handled.
type failing struct {
	since time.Time
	tries int
}

var quietSignal sync.Once

// New returns the channel of a line. It touches neither the network nor the device store.
func New(o Options) (*Channel, error) {
	if o.Line == "" || o.Store == "" || o.Handler == nil {
		return nil, errors.New("whatsapp: line, store and handler are needed")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.PerSecond == 0 {
		o.PerSecond = 1
	}
	if o.Burst == 0 {
		o.Burst = 5
	}
	o.Pause, o.Typing = or(o.Pause, 2*time.Second), or(o.Typing, 1500*time.Millisecond)
	o.HandleFor = or(o.HandleFor, 8*time.Second)
	hush()
	c := &Channel{
		o: o, account: AccountOf(o.Line), log: o.Log.With("channel", Name, "line", o.Line),
		limit: rate.NewLimiter(rate.Limit(o.PerSecond), o.Burst), media: mediaClient(o.Transport),
		asks: make(chan ask), alarmed: map[Alarm]time.Time{}, failures: map[string]*failing{},
		health: Health{State: Standby, Since: time.Now()},
	}
	return c, nil
}

// AccountOf is the account of a line's number in a bot.Contact. It is not the number: the number can be lost to a ban
// any day, and the conversations go on under the next one.
func AccountOf(line string) string { return "wa-" + line }

// hush keeps the Signal library, which prints by itself, silent: it names people's addresses.
func hush() {
	quietSignal.Do(func() {
		var l logger.Loggable = silent{}
		logger.Setup(&l)
	})
}

func or(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// Name returns "whatsapp".
func (c *Channel) Name() string { return Name }

// Account returns AccountOf the line.
func (c *Channel) Account() string { return c.account }

// Number is the linked number, digits, while this process has the line; "" otherwise.
func (c *Channel) Number() string {
	if s := c.current.Load(); s != nil {
		return s.own
	}
	return ""
}

// Pause is the time between two messages to one person. It makes Channel a bot.Pacer.
func (c *Channel) Pause() time.Duration { return max(c.o.Pause, 0) }

// Idle reports whether nothing can be sent from this process at the moment, so that rows stay where another process,
// or this one later, finds them. It makes Channel a bot.Idler.
func (c *Channel) Idle() bool {
	s := c.current.Load()
	return s == nil || !s.up() || c.held() > 0
}

// String keeps everything but the line out of logs.
func (c *Channel) String() string { return Name + " " + c.o.Line }

// GoString keeps everything but the line out of %#v.
func (c *Channel) GoString() string { return c.String() }

// Health tells how the channel is doing.
func (c *Channel) Health() Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.health
	if time.Now().Before(c.holdUntil) {
		h.Held = c.holdUntil
	}
	h.Version = currentVersion()
	return h
}

func (c *Channel) state(s State, until time.Time) {
	c.mu.Lock()
	changed := c.health.State != s
	if changed {
		c.health.State, c.health.Since = s, time.Now()
	}
	c.health.Until = until
	c.mu.Unlock()
	if changed {
		c.log.Info("whatsapp", "state", string(s))
	}
}

// alarmEvery keeps a condition that lasts from alarming again and again.
const alarmEvery = time.Hour

func (c *Channel) alarm(a Alarm, until time.Time) {
	c.mu.Lock()
	last, told := c.alarmed[a]
	again := !told || time.Since(last) > alarmEvery
	if again {
		c.alarmed[a] = time.Now()
	}
	c.mu.Unlock()
	c.log.Error("whatsapp: staff have to act", "alarm", string(a), "until", until)
	if again && c.o.OnAlarm != nil {
		c.o.OnAlarm(a, until)
	}
}

// calm forgets the alarms: the line works again.
func (c *Channel) calm() {
	c.mu.Lock()
	clear(c.alarmed)
	c.mu.Unlock()
}

func (c *Channel) contact(address string) bot.Contact {
	return bot.Contact{Channel: Name, Account: c.account, Address: address}
}

// sleep waits, and reports false when ctx ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
