// Package telegramtest is a Bot API server on the wire, for tests. It keeps chats, remembers keyboards, delivers
// updates by long polling and by webhook with the queueing and repeating of the real server, checks what the real
// server checks, and fails on demand.
//
//	srv := telegramtest.New(t)             // or Start() where there is no *testing.T
//	tgbot := New(srv.Token(), srv.URL())   // whatever program is under test
//	u := srv.User("id")                    // a person whose app is set to Indonesian
//	u.Send("halo")
//	u.Wait(func(m telegramtest.Message) bool { return m.HasButton("1. Aman") })
//	u.Tap("1. Aman")
//
// Its behaviour follows the Bot API reference and the sources of tdlib/telegram-bot-api. It is one process's memory:
// it survives the death of the program under test, which is the point of a kill test, but not its own.
package telegramtest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is a Bot API server with any number of bots and people. It is safe for concurrent use.
type Server struct {
	http *httptest.Server
	t    testing.TB // nil when started without a test

	mu       sync.Mutex // guards everything below, and the bots and chats
	changed  chan struct{}
	bots     map[string]*Bot // by token
	first    *Bot
	groups   int64
	nextUser int64
	shift    time.Duration
	speed    float64
	origin   time.Time
	latency  time.Duration
	limits   Limits
	faults   map[string][]*scripted
	calls    []Call
	copies   func(update int64) int
	closed   chan struct{}
	running  sync.WaitGroup // deliveries to webhooks
}

// Bot is one bot account.
type Bot struct {
	srv      *Server
	id       int64
	username string
	token    string

	nextUpdate int64
	queue      []*pending // what the program has not confirmed, oldest first
	repeats    []*pending // copies of confirmed updates that polling sees again
	poller     *poller
	lastAsked  time.Time
	lastOffset int64
	hook       *hook
	chats      map[int64]*chat
	commands   map[string]json.RawMessage // by scope and language
	queries    map[string]*query
	files      map[string]*file
	bulk       bucket
	deliveries []Delivery
}

// New starts a server that ends with the test, on a port of 127.0.0.1.
func New(t testing.TB) *Server {
	t.Helper()
	s := Start()
	s.t = t
	t.Cleanup(s.Close)
	return s
}

// Start starts a server on a port of 127.0.0.1. Close ends it.
func Start() *Server {
	s := &Server{
		changed: make(chan struct{}), bots: map[string]*Bot{}, nextUser: 700_000_001,
		speed: 1, origin: time.Now(), faults: map[string][]*scripted{}, closed: make(chan struct{}),
	}
	s.first = s.AddBot("pulang_test_bot")
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// Close ends the server and waits for its deliveries.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.closed:
		s.mu.Unlock()
		return
	default:
	}
	close(s.closed)
	for _, b := range s.bots {
		b.hook.stop()
	}
	s.wakeLocked()
	s.mu.Unlock()
	s.running.Wait()
	s.http.CloseClientConnections()
	s.http.Close()
}

// URL is the server's address, the value of TELEGRAM_API_URL.
func (s *Server) URL() string { return s.http.URL }

// Token is the first bot's token.
func (s *Server) Token() string { return s.first.token }

// Bot is the bot that every server has.
func (s *Server) Bot() *Bot { return s.first }

// AddBot adds another bot account.
func (s *Server) AddBot(username string) *Bot {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := int64(5_000_000_001 + len(s.bots))
	b := &Bot{
		srv: s, id: id, username: username, token: fmt.Sprintf("%d:AAtest%s", id, randomHex(14)), nextUpdate: 1000,
		chats: map[int64]*chat{}, commands: map[string]json.RawMessage{}, queries: map[string]*query{}, files: map[string]*file{},
	}
	s.bots[b.token] = b
	return b
}

// Token is the bot's token, ID its id, Username its name without @.
func (b *Bot) Token() string    { return b.token }
func (b *Bot) ID() int64        { return b.id }
func (b *Bot) Username() string { return b.username }

// Advance moves the server's clock: updates grow old, taps expire, limits refill.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shift += d
	s.wakeLocked()
}

// Speed lets the server's clock run x times as fast as the real one: long polls and repeats come sooner.
func (s *Server) Speed(x float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.nowLocked()
	s.origin, s.speed = time.Now(), x
	s.shift = now.Sub(s.origin)
	s.wakeLocked()
}

// Now is the server's time.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nowLocked()
}

func (s *Server) nowLocked() time.Time {
	return s.origin.Add(s.shift + time.Duration(float64(time.Since(s.origin))*s.speed))
}

// real turns a span of the server's clock into real time.
func (s *Server) real(d time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(float64(d) / s.speed)
}

// Latency lets every call take that long, in real time.
func (s *Server) Latency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// Copies has every update delivered as often as n says, 1 to 5: a repeat is what a lost answer looks like. nil is
// once.
func (s *Server) Copies(n func(update int64) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copies = n
}

// wakeLocked tells everybody who waits that something has changed.
func (s *Server) wakeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Call is one call that a program made.
type Call struct {
	Bot    int64
	Method string
	Params Params
	At     time.Time // on the server's clock
	// Code is the error_code of the answer, 0 for ok and for a connection that was dropped or hung.
	Code int
}

// Calls lists the calls of a method so far; an empty method means all but getUpdates.
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if c.Method == method || method == "" && c.Method != "getUpdates" {
			out = append(out, c)
		}
	}
	return out
}

// Commands is the menu that was set for a scope ("all_private_chats") and language, as JSON; nil when none was.
func (b *Bot) Commands(scope, lang string) json.RawMessage {
	b.srv.mu.Lock()
	defer b.srv.mu.Unlock()
	return b.commands[scope+"/"+lang]
}

// serve answers one request: /bot<token>/<method> or /file/bot<token>/<path>.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/file/bot"); ok {
		token, path, _ := strings.Cut(rest, "/")
		s.serveFile(w, token, path)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/bot")
	token, method, _ := strings.Cut(rest, "/")
	s.mu.Lock()
	b, latency := s.bots[token], s.latency
	s.mu.Unlock()
	if !ok || b == nil {
		answer(w, failure(401, "Unauthorized"))
		return
	}
	params, err := readParams(r)
	if err != nil {
		answer(w, failure(400, "Bad Request: "+err.Error()))
		return
	}
	if latency > 0 {
		time.Sleep(latency)
	}
	call := Call{Bot: b.id, Method: method, Params: params, At: s.Now()}
	fault := s.fault(method)
	if fault != nil && !fault.After {
		call.Code = fault.Code
		s.record(call)
		fault.play(s, w, r)
		return
	}
	res := b.run(r, method, params)
	call.Code = res.ErrorCode
	if fault != nil {
		call.Code = fault.Code
	}
	s.record(call)
	if fault != nil {
		fault.play(s, w, r)
		return
	}
	answer(w, res)
}

func (s *Server) record(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	s.wakeLocked()
}

// response is the envelope of every answer.
type response struct {
	OK          bool           `json:"ok"`
	Result      any            `json:"result,omitempty"`
	ErrorCode   int            `json:"error_code,omitempty"`
	Description string         `json:"description,omitempty"`
	Parameters  map[string]any `json:"parameters,omitempty"`
}

func success(v any) response { return response{OK: true, Result: v} }

func failure(code int, description string) response {
	return response{ErrorCode: code, Description: description}
}

func tooMany(wait time.Duration) response {
	n := int((wait + time.Second - 1) / time.Second)
	r := failure(429, "Too Many Requests: retry after "+strconv.Itoa(n))
	r.Parameters = map[string]any{"retry_after": n}
	return r
}

func answer(w http.ResponseWriter, r response) {
	w.Header().Set("Content-Type", "application/json")
	if !r.OK {
		w.WriteHeader(r.ErrorCode)
	}
	_ = json.NewEncoder(w).Encode(r)
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
