package whatsapptest

import (
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// Refusal is a login that is answered with <failure>.
type Refusal struct {
	// Reason is WhatsApp's code: 401 unlinked, 402 banned for a while, 403 banned, 405 client too old, 406 unlinked,
	// 500 and 503 trouble of the server, anything else unknown.
	Reason int
	// Code and Expire say why and for how long, with 402: 101 too many strangers, 104 the same text too often.
	Code   int
	Expire time.Duration
}

type refusal struct {
	Refusal
	times int
}

// RefuseLogins lets the next logins of linked devices fail. Refusals are played in the order in which they came.
func (a *Account) RefuseLogins(times int, r Refusal) {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	a.refusals = append(a.refusals, &refusal{r, times})
}

func (a *Account) nextRefusalLocked() *Refusal {
	if len(a.refusals) == 0 {
		return nil
	}
	r := a.refusals[0]
	if r.times--; r.times <= 0 {
		a.refusals = a.refusals[1:]
	}
	return &r.Refusal
}

func failure(r Refusal) node {
	n := node{Tag: "failure", Attrs: attrs{"reason": r.Reason, "location": "test"}}
	if r.Reason == 402 {
		n.Attrs["code"], n.Attrs["expire"] = r.Code, int(r.Expire.Seconds())
	}
	return n
}

// RequireVersion has clients below this version refused with 405. GetLatestVersion then finds it on the home page.
func (s *Server) RequireVersion(v [3]uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.minimum = v
	s.latest = v[2]
}

// LatestVersion sets the client revision that the home page tells; 0 lets the page fail.
func (s *Server) LatestVersion(revision uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = revision
}

var replaced = node{Tag: "stream:error", Attrs: attrs{"code": "409"}, Content: []node{
	{Tag: "conflict", Attrs: attrs{"type": "replaced"}},
}}

var removed = node{Tag: "stream:error", Attrs: attrs{"code": "401"}, Content: []node{
	{Tag: "conflict", Attrs: attrs{"type": "device_removed"}},
}}

// eachLine is for what happens to all connections of the account.
func (a *Account) eachLine(f func(l *line)) {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	for _, d := range a.devices {
		if d.line != nil {
			f(d.line)
		}
	}
}

// Drop ends the connections of the linked devices at once and without a word.
func (a *Account) Drop() { a.eachLine((*line).cut) }

// Replace tells the linked devices that somebody else has connected as them, and ends their connections.
func (a *Account) Replace() { a.eachLine(func(l *line) { l.end(replaced) }) }

// StreamError ends the connections with a code: "503" when the server restarts, anything else unknown.
func (a *Account) StreamError(code string) {
	a.eachLine(func(l *line) { l.end(node{Tag: "stream:error", Attrs: attrs{"code": code}}) })
}

// Unlink removes all linked devices, as the handset can: they are told so, or are refused with 401 when they come.
func (a *Account) Unlink() {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	for _, d := range a.devices {
		if d.line != nil {
			d.line.active = false
			d.line.end(removed)
		}
	}
	a.devices = nil
	a.srv.wakeLocked()
}

// Dark ends all connections, and answers every attempt to connect with 503 until Dark(false).
func (s *Server) Dark(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dark = on
	for l := range s.lines {
		if on {
			l.cut()
		}
	}
}

// LockNewChats tells the linked devices that the account may not write to new people until then; RefuseSends with 463
// is what sending meets. A time in the past lifts it.
func (a *Account) LockNewChats(until time.Time) {
	body := fmt.Sprintf(`{"data":{"xwa2_notify_account_reachout_timelock":{"enforcement_type":"RESTRICT_NEW_CHATS","is_active":%t,"time_enforcement_ends":"%d"}}}`,
		time.Now().Before(until), until.Unix())
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	for _, d := range a.devices {
		d.pushLocked(node{
			Tag: "notification", Attrs: attrs{"from": types.ServerJID, "type": "mex", "id": newID(), "t": now()},
			Content: []node{{Tag: "update", Attrs: attrs{"op_name": "NotificationUserReachoutTimelockUpdate"}, Content: []byte(body)}},
		})
	}
}

// sendError is an answer to the next messages of the program.
type sendError struct{ code, times int }

// RefuseSends has the next messages of the linked devices acknowledged with an error and delivered to nobody: 463 is
// the lock on new chats.
func (a *Account) RefuseSends(times, code int) {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	a.sendErrors = append(a.sendErrors, &sendError{code, times})
}

func (a *Account) nextSendErrorLocked() int {
	if len(a.sendErrors) == 0 {
		return 0
	}
	e := a.sendErrors[0]
	if e.times--; e.times <= 0 {
		a.sendErrors = a.sendErrors[1:]
	}
	return e.code
}
