package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
)

// token is the bot's, at a Bot API server that nobody else can reach.
const token = Account + ":bench-bench-bench-bench-bench"

// Account is the bot's account.
const Account = "5000000001"

// secret is sent with every webhook request to the built-in targets.
const secret = "bench-webhook-secret"

// api is a Bot API server on loopback: it takes what the bot sends, and hands out updates to one that polls.
type api struct {
	listener net.Listener
	heard    func(chat int64, p params, text []byte, at time.Time) // set before the first message

	mu      sync.Mutex
	conns   map[net.Conn]bool
	closed  bool
	nextID  int64
	pending []queued // to be polled, oldest first
	more    chan struct{}
	polled  bool // somebody asked for updates
	hooked  bool // somebody set a webhook
}

// queued is an update that waits to be polled.
type queued struct {
	id   int64
	body []byte
}

func listenAPI(ctx context.Context, addr string) (*api, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("bot API server: %w", err)
	}
	a := &api{listener: l, conns: map[net.Conn]bool{}, nextID: 100, more: make(chan struct{}, 1)}
	go a.accept()
	return a, nil
}

func (a *api) url() string { return "http://" + a.listener.Addr().String() }

func (a *api) accept() {
	for {
		c, err := a.listener.Accept()
		if err != nil {
			return
		}
		a.mu.Lock()
		if a.closed {
			a.mu.Unlock()
			_ = c.Close()
			return
		}
		a.conns[c] = true
		a.mu.Unlock()
		go func() {
			a.serve(c)
			_ = c.Close()
			a.mu.Lock()
			delete(a.conns, c)
			a.mu.Unlock()
		}()
	}
}

func (a *api) close() {
	_ = a.listener.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for c := range a.conns {
		_ = c.Close()
	}
}

// serve answers one connection's requests.
func (a *api) serve(c net.Conn) {
	w := newWire(c)
	var out []byte
	for {
		h, err := w.head()
		if err != nil {
			return
		}
		path := requestPath(h.first)
		body, err := w.content(h)
		if err != nil {
			return
		}
		at := time.Now()
		_, method, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		p := params{kind: h.kind, body: body}
		out = append(out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "...)
		out = appendAnswer(out, a.answer(method, p, at))
		if _, err := c.Write(out); err != nil || h.close {
			return
		}
	}
}

// requestPath is the path of "POST /bot…/sendMessage HTTP/1.1".
func requestPath(first []byte) string {
	f := bytes.Fields(first)
	if len(f) != 3 {
		return ""
	}
	return string(f[1])
}

func appendAnswer(out, result []byte) []byte {
	out = strconv.AppendInt(out, int64(len(result)+len(`{"ok":true,"result":}`)), 10)
	out = append(out, "\r\n\r\n"+`{"ok":true,"result":`...)
	out = append(out, result...)
	return append(out, '}')
}

// answer is the result of a call. What the driver has no use for succeeds.
func (a *api) answer(method string, p params, at time.Time) []byte {
	switch method {
	case "sendMessage":
		chat, text := p.message()
		a.heard(chat, p, text, at)
		a.mu.Lock()
		a.nextID++
		id := a.nextID
		a.mu.Unlock()
		said, _ := json.Marshal(string(text)) // a string can always be written
		return fmt.Appendf(nil, `{"message_id":%d,"from":{"id":5000000001,"is_bot":true,"first_name":"bench","username":"bench_bot"},"chat":{"id":%d,"first_name":"Warga","type":"private"},"date":%d,"text":%s}`,
			id, chat, at.Unix(), said)
	case "getMe":
		return []byte(`{"id":5000000001,"is_bot":true,"first_name":"bench","username":"bench_bot"}`)
	case "getUpdates":
		return a.updates(p)
	case "getWebhookInfo":
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.hooked {
			return []byte(`{"url":"http://127.0.0.1/","has_custom_certificate":false,"pending_update_count":0}`)
		}
		return []byte(`{"url":"","has_custom_certificate":false,"pending_update_count":0}`)
	case "setWebhook":
		a.mu.Lock()
		defer a.mu.Unlock()
		a.hooked = true
	}
	return []byte("true")
}

// push queues an update for a bot that polls.
func (a *api) push(id int64, body []byte) {
	a.mu.Lock()
	a.pending = append(a.pending, queued{id, body})
	a.mu.Unlock()
	select {
	case a.more <- struct{}{}:
	default:
	}
}

// updates is a long poll: what lies below the offset is confirmed and forgotten.
func (a *api) updates(p params) []byte {
	offset, _ := strconv.ParseInt(string(p.get("offset")), 10, 64)
	wait, _ := strconv.Atoi(string(p.get("timeout")))
	deadline := time.NewTimer(time.Duration(min(wait, 50)) * time.Second)
	defer deadline.Stop()
	for {
		a.mu.Lock()
		a.polled = true
		for len(a.pending) > 0 && a.pending[0].id < offset {
			a.pending = a.pending[1:]
		}
		if n := min(len(a.pending), 100); n > 0 || a.closed {
			out := []byte{'['}
			for i, q := range a.pending[:n] {
				if i > 0 {
					out = append(out, ',')
				}
				out = append(out, q.body...)
			}
			a.mu.Unlock()
			return append(out, ']')
		}
		a.mu.Unlock()
		select {
		case <-a.more:
		case <-deadline.C:
			return []byte("[]")
		}
	}
}

// ready reports whether the bot has asked for updates, or has set its webhook.
func (a *api) ready(polling bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if polling {
		return a.polled
	}
	return a.hooked
}

// params are a call's parameters as they stand in its body.
type params struct{ kind, body []byte }

// message is who is written to, and what.
func (p params) message() (chat int64, text []byte) {
	if bytes.HasPrefix(p.kind, []byte("application/json")) {
		var m struct {
			Chat json.RawMessage `json:"chat_id"`
			Text string          `json:"text"`
		}
		_ = jsonv2.Unmarshal(p.body, &m) // what cannot be read is nobody's message, and counts as missing
		chat, _ = strconv.ParseInt(strings.Trim(string(m.Chat), `"`), 10, 64)
		return chat, []byte(m.Text)
	}
	chat, _ = strconv.ParseInt(string(p.get("chat_id")), 10, 64)
	return chat, p.get("text")
}

// buttons are the data of the message's inline buttons, in their order.
func (p params) buttons() []string {
	var m struct {
		Rows [][]struct {
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	}
	_ = json.Unmarshal(p.get("reply_markup"), &m) // another kind of keyboard has no such buttons
	var out []string
	for _, row := range m.Rows {
		for _, b := range row {
			out = append(out, b.Data)
		}
	}
	return out
}

// get is one parameter: of a multipart form, of JSON, or of a urlencoded form.
func (p params) get(name string) []byte {
	switch {
	case bytes.HasPrefix(p.kind, []byte("multipart/")):
		_, rest, ok := bytes.Cut(p.body, []byte(`name="`+name+`"`))
		if !ok {
			return nil
		}
		_, rest, _ = bytes.Cut(rest, []byte("\r\n\r\n"))
		value, _, _ := bytes.Cut(rest, []byte("\r\n--"))
		return value
	case bytes.HasPrefix(p.kind, []byte("application/json")):
		var fields map[string]json.RawMessage
		if json.Unmarshal(p.body, &fields) != nil {
			return nil
		}
		var s string
		if v := fields[name]; len(v) > 0 && v[0] == '"' && json.Unmarshal(v, &s) == nil {
			return []byte(s)
		}
		return fields[name]
	}
	v, err := url.ParseQuery(string(p.body))
	if err != nil {
		return nil
	}
	return []byte(v.Get(name))
}
