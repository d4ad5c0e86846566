// Package telegram is the Telegram channel: it turns the Bot API's updates into bot.Message, acknowledges them only
// after they are committed, and sends rows.
//
// go-telegram/bot is used for its models and its calls. Its own loop and its webhook handler acknowledge updates
// before anybody has handled them, so both are written here: Poll and Webhook.
package telegram

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-telegram/bot/models"

	"pulang/bot"
)

// Name is the channel's name in a bot.Contact.
const Name = "telegram"

// DefaultAPIURL is Telegram's own Bot API server.
const DefaultAPIURL = "https://api.telegram.org"

// allowedUpdates is all that Telegram is asked for. What is not asked for cannot arrive broken.
var allowedUpdates = []string{
	models.AllowedUpdateMessage, models.AllowedUpdateEditedMessage,
	models.AllowedUpdateCallbackQuery, models.AllowedUpdateMyChatMember,
}

// ErrToken means that Telegram does not know the token: an operator has to act, waiting does not help.
var ErrToken = errors.New("telegram refuses the token (TELEGRAM_TOKEN)")

// Handler takes what people send. *bot.Hotline with its store satisfies it.
type Handler interface {
	// Handle returns nil when m is committed and may be acknowledged; after an error m comes again. It is called
	// for one message of a person at a time, and again for a message that it has already committed.
	Handle(ctx context.Context, m bot.Message) error
	// SetAside keeps an update that cannot be handled where staff see it. The same a.ID may come again.
	SetAside(ctx context.Context, line string, a bot.Aside) error
}

// Command is one entry of the bot's menu.
type Command struct {
	Name        string // lower case letters, digits and _, at most 32; without the slash
	Description string // at most 256 characters
}

// Options are what a Channel is made of. Token and Handler are required.
type Options struct {
	Token   string
	APIURL  string // a self-hosted Bot API server, or a test's; empty is Telegram's own
	Line    string
	Handler Handler
	Log     *slog.Logger // nil logs nothing
	// Secret is what Telegram must send with every webhook request. RegisterWebhook sets it as well. While it is
	// empty every webhook request is refused.
	Secret string
	// Commands is the bot's menu by language. The one for "" (else "id") is shown to everybody else.
	Commands map[string][]Command
	// OnGap is told when updates could not be accepted for more than GapAfter: taps made in that time may be lost
	// for good, because Telegram keeps a tap for 150 seconds only. It must return quickly. May be nil.
	OnGap func(from, to time.Time)
	// OnAck is told, for each update that is acknowledged to Telegram, how long that took since its receipt. It must
	// return at once. May be nil.
	OnAck func(took time.Duration)
	// Passed is told the number of each update that is acknowledged without having gone through Handler.Handle to its
	// end; its error keeps the update from being acknowledged. May be nil.
	Passed func(ctx context.Context, number int64) error
	// GapAfter is two minutes when zero.
	GapAfter time.Duration
	// Now is the clock for taps, which bear no time of their own, and for gaps. nil is time.Now.
	Now func() time.Time
	// HandleTimeout bounds the handling of one update, also while the program stops. Zero is 25 seconds; Telegram
	// waits 60.
	HandleTimeout time.Duration
	// PutAsideAfter is how long one person's update may fail while other people's succeed, before it is put aside:
	// updates that never succeed would in the end stop the delivery for everybody. Zero is a minute, so that other
	// people's taps, which Telegram keeps for 150 seconds, still arrive.
	PutAsideAfter time.Duration
	// Pause is the time between two messages to one chat; Telegram asks for about one a second. Zero is a second,
	// negative is none.
	Pause time.Duration
	// Transport replaces the HTTP transport, for tests.
	Transport http.RoundTripper
}

// String keeps the token out of logs and errors.
func (o Options) String() string { return "telegram.Options" }

// GoString keeps the token out of %#v.
func (o Options) GoString() string { return o.String() }

// LogValue keeps the token out of every log.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// Channel is one bot account. It is safe for concurrent use.
type Channel struct {
	api      *api
	account  string
	line     string
	handler  Handler
	log      *slog.Logger
	commands map[string][]Command
	now      func() time.Time
	onAck    func(took time.Duration)
	passed   func(ctx context.Context, number int64) error

	handleTimeout time.Duration
	asideAfter    time.Duration
	pause         time.Duration

	// What a test shortens.
	longPoll  time.Duration // how long Telegram may hold a getUpdates
	retryWait time.Duration // least wait before the same offset is asked for again
	tryPause  time.Duration // first pause between two tries of an update that panics

	username atomic.Pointer[string]
	secret   atomic.Pointer[[32]byte]

	lanes   lanes
	gap     gap
	trouble trouble
	taps    taps
	sending sending
	health  health

	life   context.Context // of what runs in the background
	cancel context.CancelFunc
	mu     sync.Mutex // guards closed against background's first Add
	closed bool
	behind sync.WaitGroup
}

var (
	_ bot.Channel = (*Channel)(nil)
	_ bot.Pacer   = (*Channel)(nil)
)

// The secret half has 35 characters today; a test server may give shorter ones.
var tokenForm = regexp.MustCompile(`^([0-9]{1,19}):[A-Za-z0-9_-]{3,}$`)

// New returns the channel of one bot account. It does not speak to Telegram yet. Its errors do not hold the token.
func New(o Options) (*Channel, error) {
	m := tokenForm.FindStringSubmatch(o.Token)
	if m == nil {
		return nil, errors.New("telegram token: not of the form 123456:ABC… that @BotFather gives")
	}
	if o.Handler == nil {
		return nil, errors.New("telegram: no handler")
	}
	base := strings.TrimRight(o.APIURL, "/")
	if base == "" {
		base = DefaultAPIURL
	}
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("telegram API URL: not an http or https address")
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	a, err := newAPI(base, o.Token, o.Transport)
	if err != nil {
		return nil, fmt.Errorf("telegram: %w", err)
	}
	c := &Channel{
		api: a, account: m[1], line: o.Line, handler: o.Handler, log: o.Log, commands: o.Commands, now: o.Now,
		handleTimeout: or(o.HandleTimeout, 25*time.Second), asideAfter: or(o.PutAsideAfter, time.Minute),
		pause:    or(o.Pause, time.Second),
		longPoll: 50 * time.Second, retryWait: time.Second, tryPause: 50 * time.Millisecond,
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.log = c.log.With("channel", Name, "account", c.account)
	if c.now == nil {
		c.now = time.Now
	}
	if c.onAck = o.OnAck; c.onAck == nil {
		c.onAck = func(time.Duration) {}
	}
	if c.passed = o.Passed; c.passed == nil {
		c.passed = func(context.Context, int64) error { return nil }
	}
	c.gap = gap{after: or(o.GapAfter, 2*time.Minute), tell: o.OnGap}
	if o.Secret != "" {
		if err := c.setSecret(o.Secret); err != nil {
			return nil, err
		}
	}
	c.life, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

func or(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// Name returns "telegram".
func (c *Channel) Name() string { return Name }

// Account returns the bot's id, which is the first half of its token.
func (c *Channel) Account() string { return c.account }

// Username is the bot's public name without @, for t.me links; empty until Me has succeeded once.
func (c *Channel) Username() string {
	if p := c.username.Load(); p != nil {
		return *p
	}
	return ""
}

// Pause is the time between two messages to one chat. It makes Channel a bot.Pacer.
func (c *Channel) Pause() time.Duration { return max(c.pause, 0) }

// String keeps everything but the account out of logs.
func (c *Channel) String() string { return Name + " " + c.account }

// GoString keeps everything but the account out of %#v.
func (c *Channel) GoString() string { return c.String() }

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

// inBackground runs f until it returns or the channel is closed; it reports false when the channel is closed.
func (c *Channel) inBackground(f func(ctx context.Context)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.behind.Go(func() { f(c.life) })
	return true
}

// Close ends what runs in the background and closes idle connections. Poll, Webhook and Send must have ended.
func (c *Channel) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.behind.Wait()
	c.api.client.CloseIdleConnections()
}
