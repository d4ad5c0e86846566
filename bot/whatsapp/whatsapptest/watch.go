package whatsapptest

import (
	"fmt"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// Stanza is a node on its way between the server and a linked device.
type Stanza struct {
	Account *Account // nil while a client is not logged in
	ToUs    bool     // sent by the client, not by the server
	Node    *waBinary.Node
}

// String names the stanza: its direction, tag, type and id.
func (s Stanza) String() string {
	way := "<"
	if s.ToUs {
		way = ">"
	}
	return fmt.Sprintf("%s %s %v %v", way, s.Node.Tag, s.Node.Attrs["type"], s.Node.Attrs["id"])
}

// Verdict is what becomes of a stanza.
type Verdict int

// A stanza passes; or it is lost and the line stays; or the line is cut before it is handled or sent, or after.
const (
	Pass Verdict = iota
	Lose
	Cut
	CutAfter
)

// Watch has every stanza after the login or pairing stanzas shown to a function, which decides what becomes of it.
// It is called without locks, by many goroutines. nil ends it.
func (s *Server) Watch(f func(Stanza) Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch = f
}

func (s *Server) verdict(l *line, n *node, out bool) Verdict {
	s.mu.Lock()
	f, st := s.watch, Stanza{ToUs: !out, Node: n}
	if l.device != nil {
		st.Account = l.device.account
	}
	s.mu.Unlock()
	if f == nil {
		return Pass
	}
	return f(st)
}
