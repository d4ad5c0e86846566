package whatsapptest

import (
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"
)

// Say types a text to a citizen on the account's own handset: somebody has taken the phone into their hand. The citizen
// gets it, and the linked devices see it as a message of their own account.
func (a *Account) Say(to *Citizen, text string) string {
	id, at := newID(), time.Now()
	m := &waE2E.Message{Conversation: &text}
	a.fromHandset(attrs{"id": id, "recipient": to.self.lid, "peer_recipient_pn": to.self.pn}, &waE2E.Message{
		DeviceSentMessage: &waE2E.DeviceSentMessage{DestinationJID: proto.String(to.self.lid.String()), Message: m},
	})
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	to.known[id] = true
	to.inbox = append(to.inbox, Received{ID: id, From: a, To: to.self.lid, Message: m, Text: text, At: at})
	a.srv.wakeLocked()
	return id
}

// fromHandset sends a message of the handset to the account's linked devices.
func (a *Account) fromHandset(envelope attrs, m *waE2E.Message) string {
	id, _ := envelope["id"].(string)
	if id == "" {
		id = newID()
	}
	a.self.mu.Lock()
	defer a.self.mu.Unlock()
	for _, d := range a.Devices() {
		kind, data := a.self.seal(d, m)
		n := node{
			Tag:     "message",
			Attrs:   attrs{"from": a.self.lid, "id": id, "t": now(), "type": "text"},
			Content: []node{{Tag: "enc", Attrs: attrs{"v": 2, "type": kind}, Content: data}},
		}
		for k, v := range envelope {
			n.Attrs[k] = v
		}
		a.srv.mu.Lock()
		d.pushLocked(n)
		a.srv.mu.Unlock()
	}
	return id
}
