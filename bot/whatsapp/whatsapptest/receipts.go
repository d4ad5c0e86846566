package whatsapptest

import (
	"time"

	"go.mau.fi/whatsmeow/types"
)

// receipt takes a receipt of the program: it acknowledges a message, or says that it was read, or asks for it again.
func (s *Server) receipt(l *line, d *Device, n *node) {
	ids := idsOf(n)
	to := n.AttrGetter().OptionalJIDOrEmpty("to")
	kind, _ := n.Attrs["type"].(string)
	p := s.find(to)
	if kind == "retry" {
		if p != nil && p.citizen != nil {
			p.citizen.repeat(d, n)
		}
		l.send(ackOf(n, nil))
		return
	}
	for _, id := range ids {
		a := attrs{"to": n.Attrs["to"], "participant": n.Attrs["participant"], "id": id}
		d.settle(keyOf("message", a, "to"), false)
	}
	if p != nil && p.citizen != nil {
		p.citizen.seen(ids, kind)
	}
	l.send(ackOf(n, nil))
}

// idsOf lists the messages that a receipt is about.
func idsOf(n *node) []string {
	first, _ := n.Attrs["id"].(string)
	ids := []string{first}
	list := n.GetChildByTag("list")
	for _, item := range list.GetChildren() {
		if id, ok := item.Attrs["id"].(string); ok && item.Tag == "item" {
			ids = append(ids, id)
		}
	}
	return ids
}

// seen notes what the program has said about the citizen's messages.
func (c *Citizen) seen(ids []string, kind string) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	for _, id := range ids {
		c.receipts[id] = append(c.receipts[id], kind)
	}
	c.srv.wakeLocked()
}

// Receipts lists what the program has said about a message of the citizen, in order: "" delivered, "inactive"
// delivered while not in use, "read", "played".
func (c *Citizen) Receipts(id string) []string {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return append([]string(nil), c.receipts[id]...)
}

// WaitAccepted waits until the program has acknowledged a message of the citizen with a receipt.
func (c *Citizen) WaitAccepted(id string) {
	c.srv.helper()
	if !c.srv.await(func() bool { return len(c.receipts[id]) > 0 }) {
		c.srv.fatal("the message %s was never acknowledged", id)
	}
}

// WaitReadBy waits until the program has marked a message of the citizen as read.
func (c *Citizen) WaitReadBy(id string) {
	c.srv.helper()
	read := func() bool {
		for _, kind := range c.receipts[id] {
			if kind == "read" || kind == "read-self" {
				return true
			}
		}
		return false
	}
	if !c.srv.await(read) {
		c.srv.fatal("the message %s was never marked as read", id)
	}
}

// Delivered tells the program that messages have reached the phone. The phone does so by itself, unless Mute.
func (c *Citizen) Delivered(a *Account, ids ...string) { c.tell(a, "", ids) }

// Read tells the program that the citizen has read messages; Played, that they have listened to one.
func (c *Citizen) Read(a *Account, ids ...string)   { c.tell(a, "read", ids) }
func (c *Citizen) Played(a *Account, ids ...string) { c.tell(a, "played", ids) }

func (c *Citizen) tell(a *Account, kind string, ids []string) {
	if len(ids) == 0 {
		return
	}
	n := node{Tag: "receipt", Attrs: attrs{"from": c.answersAs(ids[0]), "id": ids[0], "type": kind, "t": now()}}
	if len(ids) > 1 {
		var items []node
		for _, id := range ids[1:] {
			items = append(items, node{Tag: "item", Attrs: attrs{"id": id}})
		}
		n.Content = []node{{Tag: "list", Content: items}}
	}
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	for _, d := range a.devices {
		d.pushLocked(n)
	}
}

// answersAs is the address under which the citizen was written to: receipts come from there.
func (c *Citizen) answersAs(id string) types.JID {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	for i := range c.inbox {
		if c.inbox[i].ID == id {
			return c.inbox[i].To
		}
	}
	return c.self.lid
}

// Mute keeps the phone from sending delivery receipts by itself, or lets it again.
func (c *Citizen) Mute(on bool) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.mute = on
}

// AskAgain tells the program that the phone could not decrypt a message, with fresh keys to send it once more. A
// message that comes again has Received.Copy above 0.
func (c *Citizen) AskAgain(a *Account, id string) {
	from := c.answersAs(id)
	for _, d := range a.Devices() {
		c.self.mu.Lock()
		c.self.keys.forget(d.lid().SignalAddress())
		keys := c.self.keys.bundle()
		c.self.mu.Unlock()
		c.srv.mu.Lock()
		c.asked[id]++
		d.pushLocked(node{
			Tag: "receipt", Attrs: attrs{"from": from, "id": id, "type": "retry", "t": now()},
			Content: []node{
				{Tag: "retry", Attrs: attrs{"id": id, "count": c.asked[id], "t": time.Now().Unix(), "v": 1}},
				{Tag: "registration", Content: bytes32(keys.registration)},
				{Tag: "keys", Content: keys.nodes()[1:]},
			},
		})
		c.srv.mu.Unlock()
	}
}
