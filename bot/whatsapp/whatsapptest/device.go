package whatsapptest

import (
	"maps"
	"slices"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// Device is a linked device: what the server knows of the program under test.
type Device struct {
	srv      *Server
	account  *Account
	id       uint16
	noiseKey [32]byte
	name     string // how the phone lists it

	// Guarded by the server's lock.
	keys  publicKeys // without one-time key
	once  []onceKey  // uploaded and not spent
	spent int
	queue []*pending // not acknowledged, oldest first
	line  *line
}

// pending is a stanza that the server keeps until the device has acknowledged it.
type pending struct {
	node node
	key  string
	// spare is how many acks to overlook: a client that asks for a message again acknowledges the copy that it could
	// not read, too.
	spare int
}

// ID is the device's number, from 1; 0 is the handset.
func (d *Device) ID() uint16 { return d.id }

// Name is how the handset lists the device.
func (d *Device) Name() string { return d.name }

// Spent is how many of the device's one-time keys citizens have used, Left how many the server still has.
func (d *Device) Spent() int {
	d.srv.mu.Lock()
	defer d.srv.mu.Unlock()
	return d.spent
}

func (d *Device) Left() int {
	d.srv.mu.Lock()
	defer d.srv.mu.Unlock()
	return len(d.once)
}

// lid and pn are the device's two addresses.
func (d *Device) lid() types.JID { return at(d.account.self.lid, d.id) }
func (d *Device) pn() types.JID  { return at(d.account.self.pn, d.id) }

func at(user types.JID, device uint16) types.JID {
	user.Device = device
	return user
}

// spendLocked hands out the keys with the next one-time key, which nobody gets again.
func (d *Device) spendLocked() publicKeys {
	k := d.keys
	if len(d.once) > 0 {
		k.once = &d.once[0]
		d.once = d.once[1:]
		d.spent++
		if len(d.once) == fewKeys {
			d.pushLocked(node{Tag: "notification", Attrs: attrs{
				"type": "encrypt", "from": types.ServerJID, "id": newID(), "t": now(),
			}, Content: []node{{Tag: "count", Attrs: attrs{"value": len(d.once)}}}})
		}
	}
	return k
}

// fewKeys is when the server asks for more one-time keys; whatsmeow uploads below five.
const fewKeys = 4

// pushLocked queues a stanza for the device, and sends it if the device is there.
func (d *Device) pushLocked(n node) {
	d.queueLocked(&pending{node: n, key: keyOf(n.Tag, n.Attrs, "from")})
}

func (d *Device) queueLocked(p *pending) {
	d.queue = append(d.queue, p)
	if d.line != nil && d.line.active {
		d.line.send(p.node)
	}
	d.srv.wakeLocked()
}

// keyOf names a stanza for its acknowledgement. side is the attribute with the other party: "from" in what the
// server sends, "to" in what comes back.
func keyOf(class string, a attrs, side string) string {
	text := func(v any) string {
		switch v := v.(type) {
		case types.JID:
			return v.String()
		case string:
			return v
		}
		return ""
	}
	return class + " " + text(a[side]) + " " + text(a["participant"]) + " " + text(a["id"])
}

// settle takes a stanza off the queue: the device has acknowledged it, with a receipt or with an ack.
func (d *Device) settle(key string, byAck bool) {
	d.srv.mu.Lock()
	defer d.srv.mu.Unlock()
	for i, p := range d.queue {
		if p.key != key {
			continue
		}
		if byAck && p.spare > 0 {
			p.spare--
			return
		}
		d.queue = slices.Delete(d.queue, i, i+1)
		break
	}
	d.srv.wakeLocked()
}

// resumeLocked sends everything that is not acknowledged, after the device has asked for it.
func (d *Device) resumeLocked() {
	l := d.line
	l.active = true
	count := map[string]int{}
	for _, p := range d.queue {
		count[p.node.Tag]++
	}
	if len(d.queue) > 0 {
		l.send(node{Tag: "ib", Attrs: attrs{"from": types.ServerJID}, Content: []node{{Tag: "offline_preview", Attrs: attrs{
			"count": len(d.queue), "message": count["message"], "receipt": count["receipt"],
			"notification": count["notification"], "appdata": 0,
		}}}})
	}
	for i, p := range d.queue {
		p.spare = 0 // acks of the line before can no longer come
		l.send(offline(p.node, i))
	}
	l.send(node{Tag: "ib", Attrs: attrs{"from": types.ServerJID}, Content: []node{{Tag: "offline", Attrs: attrs{"count": len(d.queue)}}}})
	d.srv.wakeLocked()
}

// offline is a copy of a stanza, marked as one that has waited.
func offline(n node, i int) node {
	n.Attrs = maps.Clone(n.Attrs)
	n.Attrs["offline"] = i % 7
	return n
}

// bytesOf is a node's content when that is bytes, and nil else.
func bytesOf(n waBinary.Node) []byte {
	b, _ := n.Content.([]byte)
	return b
}
