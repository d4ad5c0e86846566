package whatsapp

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/whatsapp/whatsapptest"
)

// keeper is a hotline that keeps what it accepts, by UpdateID as the store does, and can be down.
type keeper struct {
	mu       sync.Mutex
	seen     map[string]bool
	messages []bot.Message
	asides   []bot.Aside
	receipts map[string][]bot.RowState
	down     bool
	calls    int
	hook     func(m bot.Message) error
}

func (k *keeper) Handle(_ context.Context, m bot.Message) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.down {
		return errors.New("the store is down")
	}
	if k.hook != nil {
		if err := k.hook(m); err != nil {
			return err
		}
	}
	if k.seen[m.UpdateID] {
		return nil
	}
	if k.seen == nil {
		k.seen = map[string]bool{}
	}
	k.seen[m.UpdateID] = true
	k.messages = append(k.messages, m)
	return nil
}

func (k *keeper) SetAside(_ context.Context, _ string, a bot.Aside) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asides = append(k.asides, a)
	return nil
}

func (k *keeper) Receipt(_ context.Context, _ string, _ bot.Contact, id string, s bot.RowState, _ time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.receipts == nil {
		k.receipts = map[string][]bot.RowState{}
	}
	k.receipts[id] = append(k.receipts[id], s)
	return nil
}

func (k *keeper) Ready(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down {
		return errors.New("the store is down")
	}
	return nil
}

func (k *keeper) set(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
}

func (k *keeper) all() []bot.Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]bot.Message(nil), k.messages...)
}

// wait waits until n messages are there.
func (k *keeper) wait(t testing.TB, n int) []bot.Message {
	t.Helper()
	until(t, "messages", func() bool { return len(k.all()) >= n })
	return k.all()
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// rig is a channel with a number that is linked by QR, on a WhatsApp server on the wire.
type rig struct {
	t      testing.TB
	srv    *whatsapptest.Server
	number *whatsapptest.Account
	keeper *keeper
	o      Options
	c      *Channel
	log    *lockedBuffer
	stop   func() error
	alarms chan Alarm
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newRig(t testing.TB, change func(*Options)) *rig {
	t.Helper()
	linkSettle = 200 * time.Millisecond
	srv := whatsapptest.New(t)
	r := &rig{t: t, srv: srv, number: srv.Account("+62 811 0000 001"), keeper: &keeper{}, log: &lockedBuffer{}, alarms: make(chan Alarm, 16)}
	r.o = Options{
		Line: "kh", Store: filepath.Join(t.TempDir(), "whatsapp.db"), Handler: r.keeper, Receipts: r.keeper, Ready: r.keeper.Ready,
		Transport: srv.HTTPClient().Transport, PerSecond: 1000, Burst: 1000, Pause: -1, Typing: -1, HandleFor: 300 * time.Millisecond,
		Log:     slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnAlarm: func(a Alarm, _ time.Time) { r.alarms <- a },
	}
	if change != nil {
		change(&r.o)
	}
	t.Cleanup(func() {
		r.end()
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	return r
}

// link pairs by QR code.
func (r *rig) link() *rig {
	r.t.Helper()
	number, err := Link(r.t.Context(), LinkOptions{Store: r.o.Store, Log: r.o.Log, Transport: r.o.Transport,
		Show: func(qr string, _ time.Duration) {
			go func() {
				if err := r.number.Scan(qr); err != nil {
					r.t.Error(err)
				}
			}()
		}})
	if err != nil {
		r.t.Fatal(err)
	}
	if number != r.number.Number() {
		r.t.Fatalf("linked %s, not %s", number, r.number.Number())
	}
	return r
}

// start serves until end.
func (r *rig) start() *rig {
	r.t.Helper()
	c, err := New(r.o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.c = c
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	return r
}

func (r *rig) up() *rig {
	r.t.Helper()
	until(r.t, "the line", func() bool { return !r.c.Idle() })
	return r
}

func (r *rig) end() {
	if r.stop != nil {
		_ = r.stop()
	}
}

func (r *rig) send(to bot.Contact, id, text string) (string, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	return r.c.Send(ctx, bot.Row{ID: id, To: to, Lane: bot.LaneBot, Kind: "reply", Out: bot.Outgoing{Text: text}})
}
