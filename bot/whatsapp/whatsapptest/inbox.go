package whatsapptest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// Received is a message of the program as it reached a citizen, decrypted.
type Received struct {
	ID   string
	From *Account
	To   types.JID // the address that the program wrote to
	// Message is the content; Text its words: a text, a caption, the new words of an edit.
	Message *waE2E.Message
	Text    string
	// Edited is the message that this one corrects, Revoked the one that it takes back.
	Edited, Revoked string
	// Copy counts from 0: above, the citizen had asked for the message again.
	Copy int
	At   time.Time
}

// receive takes a message at the phone. A second copy under an id that has come already is dropped, as the server
// does with messages that a client has sent again because it did not hear the answer.
func (c *Citizen) receive(m sealed) {
	s := c.srv
	s.mu.Lock()
	if c.away {
		c.held = append(c.held, m)
		s.mu.Unlock()
		return
	}
	repeated := c.known[m.id] && !m.again
	if repeated {
		c.repeats++
		s.wakeLocked()
	}
	s.mu.Unlock()
	if repeated {
		return
	}
	r := Received{ID: m.id, From: m.from.account, To: m.to, Message: &waE2E.Message{}, At: m.at}
	devices, err := c.open(m, r.Message)
	if err != nil {
		s.mu.Lock()
		c.broken = append(c.broken, fmt.Sprintf("%s: %v", m.id, err))
		s.mu.Unlock()
		c.AskAgain(m.from.account, m.id)
		return
	}
	r.read()
	s.mu.Lock()
	c.known[m.id] = true
	c.reached[m.id] = max(c.reached[m.id], devices)
	r.Copy = c.asked[m.id]
	c.inbox = append(c.inbox, r)
	mute := c.mute
	s.wakeLocked()
	s.mu.Unlock()
	if !mute {
		c.Delivered(m.from.account, m.id)
	}
}

// open decrypts a message on the phone, and on the citizen's other devices as far as there are copies for them. It
// fails only for the phone.
func (c *Citizen) open(m sealed, into *waE2E.Message) (devices int, err error) {
	from := m.from.lid().SignalAddress()
	c.self.mu.Lock()
	defer c.self.mu.Unlock()
	for id, keys := range append([]*keyring{c.self.keys}, c.self.more...) {
		enc, ok := m.copies[uint16(id)]
		if !ok {
			continue
		}
		plain, err := keys.decrypt(from, fmt.Sprint(enc.Attrs["type"]), bytesOf(enc))
		switch {
		case err == nil:
			devices++
			if err := proto.Unmarshal(plain, into); err != nil {
				return 0, err
			}
		case id == 0:
			return 0, err
		}
	}
	return devices, nil
}

// read finds the words, and what the message does to an earlier one.
func (r *Received) read() {
	m := r.Message
	if e := m.GetEditedMessage().GetMessage(); e != nil {
		m = e
	}
	if p := m.GetProtocolMessage(); p != nil {
		switch p.GetType() {
		case waE2E.ProtocolMessage_MESSAGE_EDIT:
			r.Edited = p.GetKey().GetID()
			m = p.GetEditedMessage()
		case waE2E.ProtocolMessage_REVOKE:
			r.Revoked = p.GetKey().GetID()
		}
	}
	for _, words := range []string{
		m.GetConversation(), m.GetExtendedTextMessage().GetText(), m.GetImageMessage().GetCaption(),
		m.GetDocumentMessage().GetCaption(), m.GetVideoMessage().GetCaption(),
	} {
		if words != "" {
			r.Text = words
			return
		}
	}
}

// Messages lists everything that has reached the citizen.
func (c *Citizen) Messages() []Received {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return slices.Clone(c.inbox)
}

// Repeats is how many messages came under an id that had come before, without the citizen having asked; they were
// not shown.
func (c *Citizen) Repeats() int {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return c.repeats
}

// LinkDevice gives the citizen one more device, as WhatsApp on a computer.
func (c *Citizen) LinkDevice() {
	c.self.mu.Lock()
	c.self.more = append(c.self.more, newKeyring())
	c.self.mu.Unlock()
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.self.companions++
}

// Reached is how many of the citizen's devices have got a message and could read it.
func (c *Citizen) Reached(id string) int {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return c.reached[id]
}

// Broken lists the messages that the phone could not decrypt. It asks for each again by itself.
func (c *Citizen) Broken() []string {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return slices.Clone(c.broken)
}

// Wait waits at most a minute for a message of the program that matches and that no earlier Wait has passed, and
// returns it. Without one the test fails, or the program panics where there is no test.
func (c *Citizen) Wait(match func(m Received) bool) Received {
	c.srv.helper()
	var found Received
	ok := c.srv.await(func() bool {
		for i := c.passed; i < len(c.inbox); i++ {
			if match(c.inbox[i]) {
				found, c.passed = c.inbox[i], i+1
				return true
			}
		}
		return false
	})
	if !ok {
		c.srv.fatal("no such message came; the chat is:\n%s", c.Transcript())
	}
	return found
}

// WaitFor waits like Wait for a message with these words in its text.
func (c *Citizen) WaitFor(words string) Received {
	c.srv.helper()
	return c.Wait(func(m Received) bool { return strings.Contains(m.Text, words) })
}

// Transcript is what has reached the citizen as text, one message after the other.
func (c *Citizen) Transcript() string {
	var b strings.Builder
	for _, m := range c.Messages() {
		text := m.Text
		if text == "" {
			text = m.Message.String()
		}
		fmt.Fprintf(&b, "%s: %s\n", m.ID, strings.ReplaceAll(text, "\n", "\n    "))
	}
	return b.String()
}

// Away switches the phone off: messages wait, and no receipts come.
func (c *Citizen) Away() {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.away = true
}

// Back switches the phone on again.
func (c *Citizen) Back() {
	c.srv.mu.Lock()
	held := c.held
	c.away, c.held = false, nil
	c.srv.mu.Unlock()
	for _, m := range held {
		c.receive(m)
	}
}

// Typing lists what the citizen was shown above the keyboard: "composing", "paused".
func (c *Citizen) Typing() []string {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return slices.Clone(c.typing)
}

// Call rings the account, and returns the id of the call.
func (c *Citizen) Call(a *Account) string {
	id := newID()
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	for _, d := range a.devices {
		d.pushLocked(node{
			Tag: "call", Attrs: attrs{"from": c.self.lid, "id": newID(), "t": now(), "platform": "android", "version": "2.26.1"},
			Content: []node{{Tag: "offer", Attrs: attrs{"call-id": id, "call-creator": c.self.lid, "caller_pn": c.self.pn}}},
		})
	}
	return id
}

// WaitTurnedAway waits until the program has rejected a call.
func (c *Citizen) WaitTurnedAway(call string) {
	c.srv.helper()
	if !c.srv.await(func() bool { return slices.Contains(c.turnedAway, call) }) {
		c.srv.fatal("the call was not rejected")
	}
}
