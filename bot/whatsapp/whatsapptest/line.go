package whatsapptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/binary/token"
	"go.mau.fi/whatsmeow/types"
)

// One node on the wire, and its attributes. Short names, because most of this package is made of them.
type (
	node  = waBinary.Node
	attrs = waBinary.Attrs
)

// line is one connection of a client: a websocket, and Noise on it. Frames are three bytes of length and a sealed
// node. What the server sends goes through a queue and a writer of its own, so that nobody waits for a slow client
// while holding the server's lock.
type line struct {
	srv    *Server
	ws     *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc
	hello  *hello
	buffer []byte // received, not yet a frame

	mu   sync.Mutex
	out  []outgoing
	wake chan struct{} // one slot: there is something in out
	over chan struct{} // closed when the server knows that the line has ended

	// Guarded by the server's lock.
	device *Device      // who is logged in; nil while pairing
	offer  *application // what wants to be linked; nil after login
	active bool         // the client has asked for its messages
}

// outgoing is a stanza, or the end of the line after all stanzas before it.
type outgoing struct {
	node node
	last bool
}

var magic = []byte{'W', 'A', 6, token.DictVersion}

const maxFrame = 1 << 24

// serveLine lives as long as the connection.
func (s *Server) serveLine(ws *websocket.Conn) {
	ws.SetReadLimit(maxFrame)
	l := &line{srv: s, ws: ws, wake: make(chan struct{}, 1), over: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	defer ws.CloseNow()
	if !s.open(l) {
		return
	}
	defer s.gone(l)
	header, err := l.take(len(magic))
	if err != nil || !bytes.Equal(header, magic) {
		return
	}
	l.hello, err = respond(trusted(), magic, l.frame, l.write)
	if err != nil {
		return
	}
	s.running.Go(l.writer)
	if !s.welcome(l) {
		<-l.ctx.Done() // the refusal is on its way, and then the end
		return
	}
	for {
		sealed, err := l.frame()
		if err != nil {
			return
		}
		n, err := l.decode(sealed)
		if err != nil {
			s.complain("a frame that cannot be read: %v", err)
			return
		}
		switch s.verdict(l, n, false) {
		case Lose:
			continue
		case Cut:
			return
		case CutAfter:
			s.handle(l, n)
			return
		}
		s.handle(l, n)
	}
}

// take reads exactly n bytes of the stream.
func (l *line) take(n int) ([]byte, error) {
	for len(l.buffer) < n {
		kind, data, err := l.ws.Read(l.ctx)
		if err != nil {
			return nil, err
		}
		if kind != websocket.MessageBinary {
			return nil, errors.New("a text frame")
		}
		l.buffer = append(l.buffer, data...)
	}
	out := l.buffer[:n:n]
	l.buffer = l.buffer[n:]
	return out, nil
}

// frame reads one frame.
func (l *line) frame() ([]byte, error) {
	size, err := l.take(3)
	if err != nil {
		return nil, err
	}
	return l.take(int(size[0])<<16 | int(size[1])<<8 | int(size[2]))
}

// write sends one frame.
func (l *line) write(data []byte) error {
	if len(data) >= maxFrame {
		return fmt.Errorf("a frame of %d bytes", len(data))
	}
	whole := append([]byte{byte(len(data) >> 16), byte(len(data) >> 8), byte(len(data))}, data...)
	return l.ws.Write(l.ctx, websocket.MessageBinary, whole)
}

func (l *line) decode(sealed []byte) (*node, error) {
	plain, err := l.hello.in.open(sealed, nil)
	if err != nil {
		return nil, err
	}
	if len(plain) == 0 {
		return nil, errors.New("empty")
	}
	unpacked, err := waBinary.Unpack(plain)
	if err != nil {
		return nil, err
	}
	return waBinary.Unmarshal(unpacked)
}

// send queues a stanza.
func (l *line) send(n node) { l.queue(outgoing{node: n}) }

// end queues a last stanza; the line is closed behind it.
func (l *line) end(n node) { l.queue(outgoing{node: n, last: true}) }

func (l *line) queue(o outgoing) {
	l.mu.Lock()
	l.out = append(l.out, o)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// cut ends the line at once, without a word: what a dead mobile network looks like.
func (l *line) cut() {
	l.cancel()
	l.ws.CloseNow()
}

func (l *line) writer() {
	defer l.cut()
	for {
		select {
		case <-l.wake:
		case <-l.ctx.Done():
			return
		}
		l.mu.Lock()
		batch := l.out
		l.out = nil
		l.mu.Unlock()
		for _, o := range batch {
			verdict := l.srv.verdict(l, &o.node, true)
			if verdict == Lose {
				continue
			}
			if verdict == Cut {
				return
			}
			data, err := waBinary.Marshal(o.node)
			must(err)
			if l.write(l.hello.out.seal(data, nil)) != nil {
				return
			}
			if o.last && verdict != CutAfter {
				l.linger()
			}
			if o.last || verdict == CutAfter {
				// A closing handshake, so that the client's socket has read everything before the end.
				_ = l.ws.Close(websocket.StatusNormalClosure, "")
				return
			}
		}
	}
}

// linger leaves the client time to take the last stanza, and to hang up by itself as it does after 515. whatsmeow may
// throw away a stanza that arrives together with the end of the line; a Watch that answers CutAfter shows that.
func (l *line) linger() {
	select {
	case <-l.ctx.Done():
	case <-time.After(farewell):
	}
}

const farewell = 300 * time.Millisecond

// result answers a query.
func (l *line) result(q *node, content ...node) {
	answer := node{Tag: "iq", Attrs: attrs{"type": "result", "id": q.Attrs["id"], "from": types.ServerJID}}
	if len(content) > 0 {
		answer.Content = content
	}
	l.send(answer)
}

// refuse answers a query with an error.
func (l *line) refuse(q *node, code int, text string) {
	l.send(node{
		Tag:     "iq",
		Attrs:   attrs{"type": "error", "id": q.Attrs["id"], "from": types.ServerJID},
		Content: []node{{Tag: "error", Attrs: attrs{"code": code, "text": text}}},
	})
}
