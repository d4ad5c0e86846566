package telegram

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/ended"
	"pulang/bot/telegram/telegramtest"
	"pulang/flows"
)

func TestMain(m *testing.M) { ended.Main(m) }

// hotline is a Handler that behaves: it commits each update once, and refuses on demand.
type hotline struct {
	mu      sync.Mutex
	seen    map[string]bool
	got     []bot.Message
	calls   int
	aside   []bot.Aside
	refuse  func(m bot.Message) error // asked before anything is committed
	noAside error
	changed chan struct{}
}

func newHotline() *hotline { return &hotline{seen: map[string]bool{}, changed: make(chan struct{})} }

func (h *hotline) Handle(_ context.Context, m bot.Message) error {
	h.mu.Lock()
	h.calls++
	refuse := h.refuse
	h.mu.Unlock()
	if refuse != nil {
		if err := refuse(m); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if id := m.From.Address + m.UpdateID; !h.seen[id] {
		h.seen[id] = true
		h.got = append(h.got, m)
	}
	h.wake()
	return nil
}

func (h *hotline) SetAside(_ context.Context, _ string, a bot.Aside) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	if h.noAside != nil {
		return h.noAside
	}
	h.aside = append(h.aside, a)
	h.wake()
	return nil
}

func (h *hotline) wake() { close(h.changed); h.changed = make(chan struct{}) }

func (h *hotline) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

func (h *hotline) refuseWith(f func(m bot.Message) error) { h.set(func() { h.refuse = f }) }

// wait waits until ok holds; it is asked with the lock held.
func (h *hotline) wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		h.mu.Lock()
		done, changed := ok(), h.changed
		h.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond): // conditions outside the hotline
		case <-deadline:
			t.Fatalf("%s: did not happen; %d messages, %d aside", what, len(h.got), len(h.aside))
		}
	}
}

func (h *hotline) texts(from bot.Contact) string {
	var out []string
	for _, m := range h.got {
		if m.From == from || from == (bot.Contact{}) {
			out = append(out, m.Input.Text)
		}
	}
	return strings.Join(out, " ")
}

// logbook keeps what is logged.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

const testSecret = "rahasia-webhook_0123456789"

// bench is a channel, its Bot API server, its hotline and its log.
type bench struct {
	*Channel
	srv  *telegramtest.Server
	hot  *hotline
	book *logbook
}

// newBench makes a channel on a test server, with the waits of production made short.
func newBench(t *testing.T, change func(o *Options)) *bench {
	t.Helper()
	b := &bench{srv: telegramtest.New(t), hot: newHotline(), book: &logbook{}}
	o := Options{
		Token: b.srv.Token(), APIURL: b.srv.URL(), Line: "kh", Handler: b.hot, Secret: testSecret, Pause: -1,
		Log: slog.New(slog.NewTextHandler(b.book, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.Channel = c
	c.longPoll, c.retryWait, c.tryPause = 2*time.Second, 20*time.Millisecond, time.Millisecond
	t.Cleanup(func() {
		c.Close()
		for _, secret := range []string{o.Token, strings.SplitN(o.Token, ":", 2)[1], testSecret} {
			if strings.Contains(b.book.String(), secret) {
				t.Errorf("a secret stands in the log:\n%s", b.book)
			}
		}
	})
	return b
}

// poll runs Poll until the test ends or the returned function is called, which returns Poll's error.
func (b *bench) poll(t *testing.T) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Poll(ctx) }()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() {
			cancel()
			select {
			case err = <-done:
			case <-time.After(time.Minute):
				err = fmt.Errorf("Poll did not stop")
			}
		})
		return err
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return stop
}

func (b *bench) contact(u *telegramtest.User) bot.Contact {
	return bot.Contact{Channel: "telegram", Account: b.Account(), Address: fmt.Sprint(u.ID())}
}

func (b *bench) row(u *telegramtest.User, text string, buttons ...bot.Button) bot.Row {
	return bot.Row{ID: "r1", Line: "kh", To: b.contact(u), Out: bot.Outgoing{Text: text, Buttons: buttons}}
}

func kinds(list []bot.Message) []flows.Kind {
	var out []flows.Kind
	for _, m := range list {
		out = append(out, m.Input.Kind)
	}
	return out
}
