package whatsapptest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"
	"google.golang.org/protobuf/proto"

	_ "modernc.org/sqlite"
)

// program is a whatsmeow client as an application has one: a store on disk, and a handler that may refuse.
type program struct {
	*whatsmeow.Client
	t      *testing.T
	srv    *Server
	path   string
	events chan any
	accept func(*events.Message) bool // nil accepts everything
}

// newProgram opens a store and a client; Connect is left to the test.
func newProgram(t *testing.T, srv *Server, path string) *program {
	t.Helper()
	dsn := "file:" + path + "?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate"
	container, err := sqlstore.New(t.Context(), "sqlite", dsn, nil)
	if err != nil {
		t.Fatal(err)
	}
	device, err := container.GetFirstDevice(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &program{Client: whatsmeow.NewClient(device, testLog()), t: t, srv: srv, path: path, events: make(chan any, 10_000)}
	p.SynchronousAck, p.EnableDecryptedEventBuffer, p.ManualHistorySyncDownload = true, true, true
	p.EmitAppStateEventsOnFullSync = true
	p.AddEventHandlerWithSuccessStatus(func(e any) bool {
		if m, ok := e.(*events.Message); ok && p.accept != nil && !p.accept(m) {
			return false
		}
		p.events <- e
		return true
	})
	srv.Use(p.Client)
	t.Cleanup(func() {
		p.Disconnect()
		_ = container.Close()
	})
	return p
}

// expect waits for an event of a type.
func expect[E any](p *program) E {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-p.events:
			if e, ok := e.(E); ok {
				return e
			}
		case <-deadline:
			var e E
			p.t.Fatalf("no %T came", e)
		}
	}
}

func (p *program) connect() {
	p.t.Helper()
	if err := p.Connect(); err != nil {
		p.t.Fatal(err)
	}
}

// linked is a program that is linked to an account and connected.
func linked(t *testing.T) (*Server, *Account, *program) {
	t.Helper()
	srv := New(t)
	hotline := srv.Account("+62 811 0000 001")
	p := newProgram(t, srv, filepath.Join(t.TempDir(), "device.db"))
	p.scan(hotline)
	return srv, hotline, p
}

func (p *program) scan(hotline *Account) {
	p.t.Helper()
	codes, err := p.GetQRChannel(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	p.connect()
	if err := hotline.Scan((<-codes).Code); err != nil {
		p.t.Fatal(err)
	}
	expect[*events.Connected](p)
	hotline.WaitConnected()
}

func (p *program) say(to types.JID, text string) string {
	p.t.Helper()
	id := p.GenerateMessageID()
	_, err := p.SendMessage(context.Background(), to, &waE2E.Message{Conversation: proto.String(text)}, whatsmeow.SendRequestExtra{ID: id, Timeout: patience})
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// reopen is the same program after a restart.
func (p *program) reopen() *program {
	p.t.Helper()
	p.Disconnect()
	return newProgram(p.t, p.srv, p.path)
}

// testLog writes what the clients do, with WHATSAPPTEST_LOG=1.
func testLog() waLog.Logger {
	if os.Getenv("WHATSAPPTEST_LOG") == "" {
		return waLog.Noop
	}
	return waLog.Stdout("client", "DEBUG", false)
}
