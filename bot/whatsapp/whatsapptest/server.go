package whatsapptest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.mau.fi/whatsmeow/types"
)

// Server is WhatsApp with any number of accounts and citizens. It is safe for concurrent use.
type Server struct {
	http *httptest.Server
	t    testing.TB // nil when started without a test

	mu       sync.Mutex // guards everything below, and the accounts, devices, lines and inboxes
	changed  chan struct{}
	closed   bool
	running  sync.WaitGroup
	lines    map[*line]bool
	accounts map[string]*Account   // by number
	people   map[types.JID]*person // by both addresses
	nextLID  int
	watch    func(Stanza) Verdict
	minimum  [3]uint32
	latest   uint32
	dark     bool
	blobs    map[string][]byte
	medias   mediaFaults
	strays   []string
	oddities []string
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
	trusted()
	s := &Server{
		changed: make(chan struct{}), lines: map[*line]bool{}, accounts: map[string]*Account{},
		people: map[types.JID]*person{}, nextLID: 1, blobs: map[string][]byte{}, latest: 1_050_000_000,
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// Close cuts all lines, ends the server and waits for it.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for l := range s.lines {
		l.cut()
	}
	s.wakeLocked()
	s.mu.Unlock()
	s.http.CloseClientConnections()
	s.http.Close()
	s.running.Wait()
}

// serve answers everything that a client asks of WhatsApp's hosts; Transport brings it here.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	s.mu.Lock()
	dark := s.dark
	s.mu.Unlock()
	switch {
	case dark:
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
	case host == chatHost && r.URL.Path == "/ws/chat":
		if r.Header.Get("Origin") != "https://"+chatHost {
			http.Error(w, "bad origin", http.StatusForbidden)
			return
		}
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
		if err != nil {
			return
		}
		s.running.Add(1)
		defer s.running.Done()
		s.serveLine(ws)
	case host == chatHost:
		s.mu.Lock()
		latest := s.latest
		s.mu.Unlock()
		if latest == 0 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><script>{"client_revision":%d,"x":1}</script>`, latest)
	case isMediaHost(host):
		s.serveMedia(w, r)
	default:
		http.NotFound(w, r)
	}
}

// open admits a line, unless the server is closing.
func (s *Server) open(l *line) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.lines[l] = true
	return true
}

// gone forgets a line that has ended.
func (s *Server) gone(l *line) {
	l.cut()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lines, l)
	if l.device != nil && l.device.line == l {
		l.device.line = nil
	}
	close(l.over)
	s.wakeLocked()
}

// wakeLocked tells everybody who waits that something has changed.
func (s *Server) wakeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// patience is how long anything here waits for something that a test expects.
const patience = time.Minute

// await waits until the condition holds; it is asked under the server's lock. It is false after patience.
func (s *Server) await(condition func() bool) bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		ok, changed := condition(), s.changed
		s.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-deadline.C:
			return false
		}
	}
}

// complain notes what no client should do; see Oddities.
func (s *Server) complain(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oddities = append(s.oddities, fmt.Sprintf(format, args...))
}

// Oddities lists what clients did that WhatsApp would not understand: queries without an answer here, stanzas that
// cannot be read. A test of a well-behaved client ends with none.
func (s *Server) Oddities() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.oddities...)
}

// fatal ends the test, or panics where there is none.
func (s *Server) fatal(format string, args ...any) {
	if s.t == nil {
		panic("whatsapptest: " + fmt.Sprintf(format, args...))
	}
	s.t.Helper()
	s.t.Fatalf("whatsapptest: "+format, args...)
}

func (s *Server) helper() {
	if s.t != nil {
		s.t.Helper()
	}
}

// digits is a phone number without its decoration.
func digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}
