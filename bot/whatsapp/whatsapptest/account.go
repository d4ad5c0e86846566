package whatsapptest

import (
	"slices"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
)

// Account is a number with WhatsApp on a handset, to which the program under test links itself as a device.
type Account struct {
	srv  *Server
	self *person

	// Guarded by the server's lock.
	devices    []*Device // linked, oldest first
	nextDevice uint16
	refusals   []*refusal
	sendErrors []*sendError
	logins     []Login
	most       int // connections of one device at the same time
	presence   []string
	peer       []*waE2E.Message
	profile    []byte // a patch of the app state with the account's name; nil before Named
}

// Login is one successful login of a linked device.
type Login struct {
	Device  uint16
	Version [3]uint32
	Payload *waWa6.ClientPayload
	At      time.Time
}

// Account adds a number with a handset, in international format; or returns the one that is there.
func (s *Server) Account(number string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	number = digits(number)
	if a := s.accounts[number]; a != nil {
		return a
	}
	p := s.newPersonLocked(number)
	p.account = &Account{srv: s, self: p, nextDevice: 1}
	s.accounts[number] = p.account
	return p.account
}

// Number is the account's number, digits only.
func (a *Account) Number() string { return a.self.pn.User }

// JID is the number's address, LID the hidden one.
func (a *Account) JID() types.JID { return a.self.pn }
func (a *Account) LID() types.JID { return a.self.lid }

// Devices lists the linked devices.
func (a *Account) Devices() []*Device {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return slices.Clone(a.devices)
}

// Logins lists the successful logins of linked devices so far.
func (a *Account) Logins() []Login {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return slices.Clone(a.logins)
}

// MostConnections is how many connections of one device were ever open at the same time. More than one means that
// two programs believed to be the leader. An overlap below a tenth of a second is not seen.
func (a *Account) MostConnections() int {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.most
}

// Connected says whether a linked device is logged in and takes messages.
func (a *Account) Connected() bool {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.connectedLocked()
}

func (a *Account) connectedLocked() bool {
	return slices.ContainsFunc(a.devices, func(d *Device) bool { return d.line != nil && d.line.active })
}

// WaitConnected waits until a linked device is logged in and takes messages.
func (a *Account) WaitConnected() {
	a.srv.helper()
	if !a.srv.await(a.connectedLocked) {
		a.srv.fatal("no device of the account has connected")
	}
}

// WaitGone waits until no linked device has a connection.
func (a *Account) WaitGone() {
	a.srv.helper()
	none := func() bool { return !slices.ContainsFunc(a.devices, func(d *Device) bool { return d.line != nil }) }
	if !a.srv.await(none) {
		a.srv.fatal("a device of the account is still connected")
	}
}

// Pending is how many messages, receipts and notifications the linked devices have not acknowledged.
func (a *Account) Pending() int {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.pendingLocked("")
}

// PendingMessages is how many messages the linked devices have not acknowledged.
func (a *Account) PendingMessages() int {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.pendingLocked("message")
}

func (a *Account) pendingLocked(class string) (n int) {
	for _, d := range a.devices {
		for _, p := range d.queue {
			if class == "" || p.node.Tag == class {
				n++
			}
		}
	}
	return n
}

// WaitSettled waits until the linked devices have acknowledged everything.
func (a *Account) WaitSettled() {
	a.srv.helper()
	if !a.srv.await(func() bool { return a.pendingLocked("") == 0 }) {
		a.srv.fatal("%d stanzas were never acknowledged", a.Pending())
	}
}

// Presence lists the presences that the linked devices have announced: "available", "unavailable".
func (a *Account) Presence() []string {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return slices.Clone(a.presence)
}
