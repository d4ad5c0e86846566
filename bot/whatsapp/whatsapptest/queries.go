package whatsapptest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// handle takes one stanza of a client.
func (s *Server) handle(l *line, n *node) {
	s.mu.Lock()
	device, pairing := l.device, l.offer != nil
	s.mu.Unlock()
	switch {
	case n.Tag == "iq" && (n.Attrs["type"] == "result" || n.Attrs["type"] == "error"):
		if pairing {
			s.countersigned(l, n)
		}
	case n.Tag == "iq":
		s.query(l, device, n)
	case n.Tag == "ib":
		// Telemetry, and marks of what is in sync.
	case device == nil:
		if n.Tag != "ack" && n.Tag != "presence" {
			s.complain("a %s before login", n.Tag)
		}
	case n.Tag == "message":
		s.message(l, device, n)
	case n.Tag == "receipt":
		s.receipt(l, device, n)
	case n.Tag == "ack":
		device.settle(keyOf(fmt.Sprint(n.Attrs["class"]), n.Attrs, "to"), true)
	case n.Tag == "presence":
		s.presence(device, n)
	case n.Tag == "chatstate":
		s.chatstate(n)
	case n.Tag == "call":
		s.rejected(n)
	default:
		s.complain("a stanza with tag %s", n.Tag)
	}
}

// query answers an iq. What a client may ask before it is logged in has no device.
func (s *Server) query(l *line, device *Device, q *node) {
	kids := q.GetChildren()
	first := node{}
	if len(kids) > 0 {
		first = kids[0]
	}
	space, _ := q.Attrs["xmlns"].(string)
	switch what := space + " " + first.Tag; {
	case space == "w:p": // keep-alive
		l.result(q)
	case what == "md link_code_companion_reg" && first.Attrs["stage"] == "companion_hello":
		s.helloCode(l, q, first)
	case what == "md link_code_companion_reg" && first.Attrs["stage"] == "companion_finish":
		s.finishCode(l, q, first)
	case device == nil:
		l.refuse(q, 401, "not-authorized")
	case what == "md remove-companion-device":
		s.logout(l, device, q)
	case what == "passive active":
		l.result(q)
		s.mu.Lock()
		if device.line == l {
			device.resumeLocked()
		}
		s.mu.Unlock()
	case what == "encrypt count":
		s.mu.Lock()
		left := len(device.once)
		s.mu.Unlock()
		l.result(q, node{Tag: "count", Attrs: attrs{"value": left}})
	case what == "encrypt registration":
		s.upload(l, device, q)
	case what == "encrypt key":
		l.result(q, node{Tag: "list", Content: s.bundles(first)})
	case what == "usync usync":
		l.result(q, s.usync(first))
	case what == "w:m media_conn":
		l.result(q, mediaConnection())
	case what == "privacy privacy":
		l.result(q, privacySettings)
	case what == "w:sync:app:state sync":
		l.result(q, s.appState(device, first))
	case space == "blocklist":
		l.result(q, node{Tag: "list", Attrs: attrs{"dhash": "none"}})
	case space == "w:profile:picture", space == "w:g2":
		l.refuse(q, 404, "item-not-found")
	case what == "privacy tokens", space == "passive", space == "tos", space == "urn:xmpp:whatsapp:dirty",
		space == "urn:xmpp:whatsapp:push", space == "disappearing_mode", space == "status":
		l.result(q)
	default:
		s.complain("a query for %q", what)
		l.refuse(q, 501, "feature-not-implemented")
	}
}

// logout unlinks the device at its own wish.
func (s *Server) logout(l *line, device *Device, q *node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := device.account
	a.devices = slices.DeleteFunc(a.devices, func(d *Device) bool { return d == device })
	l.result(q)
	s.wakeLocked()
}

// upload stores a device's keys.
func (s *Server) upload(l *line, device *Device, q *node) {
	signed := q.GetChildByTag("skey")
	identity := bytesOf(q.GetChildByTag("identity"))
	list := q.GetChildByTag("list")
	if len(identity) != 32 || [32]byte(identity) != device.keys.identity || len(bytesOf(signed.GetChildByTag("signature"))) != 64 {
		s.complain("an upload of keys that are not the device's")
		l.refuse(q, 406, "not-acceptable")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	device.keys.registration = binary.BigEndian.Uint32(bytesOf(q.GetChildByTag("registration")))
	device.keys.signed = signedKey{
		id: id24(bytesOf(signed.GetChildByTag("id"))), pub: [32]byte(bytesOf(signed.GetChildByTag("value"))),
		signature: [64]byte(bytesOf(signed.GetChildByTag("signature"))),
	}
	for _, k := range list.GetChildren() {
		device.once = append(device.once, onceKey{
			id: id24(bytesOf(k.GetChildByTag("id"))), pub: [32]byte(bytesOf(k.GetChildByTag("value"))),
		})
	}
	l.result(q)
	s.wakeLocked()
}

// bundles answers a request for keys of devices.
func (s *Server) bundles(asked node) (users []node) {
	for _, u := range asked.GetChildren() {
		jid := u.AttrGetter().JID("jid")
		user := node{Tag: "user", Attrs: attrs{"jid": jid}}
		if keys, ok := s.bundle(jid); ok {
			user.Content = keys.nodes()
		} else {
			user.Content = []node{{Tag: "error", Attrs: attrs{"code": 404, "text": "item-not-found"}}}
		}
		users = append(users, user)
	}
	return users
}

// nodes is how keys are written on the wire.
func (p publicKeys) nodes() []node {
	list := []node{
		{Tag: "registration", Content: bytes32(p.registration)},
		{Tag: "type", Content: []byte{5}},
		{Tag: "identity", Content: p.identity[:]},
		{Tag: "skey", Content: []node{
			{Tag: "id", Content: bytes24(p.signed.id)},
			{Tag: "value", Content: p.signed.pub[:]},
			{Tag: "signature", Content: p.signed.signature[:]},
		}},
	}
	if p.once != nil {
		list = append(list, node{Tag: "key", Content: []node{
			{Tag: "id", Content: bytes24(p.once.id)}, {Tag: "value", Content: p.once.pub[:]},
		}})
	}
	return list
}

// usync answers what is known of users: devices, LIDs, whether a number has WhatsApp. Never the number of a LID.
func (s *Server) usync(asked node) node {
	s.mu.Lock()
	defer s.mu.Unlock()
	query, list := asked.GetChildByTag("query"), asked.GetChildByTag("list")
	var users []node
	for _, u := range list.GetChildren() {
		jid := u.AttrGetter().OptionalJIDOrEmpty("jid")
		contact := string(bytesOf(u.GetChildByTag("contact")))
		if number, _, ok := strings.Cut(contact, "@"); ok {
			jid = types.NewJID(digits(number), types.DefaultUserServer)
		}
		p := s.people[jid.ToNonAD()]
		user := node{Tag: "user", Attrs: attrs{"jid": jid}}
		var facts []node
		for _, f := range query.GetChildren() {
			if fact, ok := p.fact(f, contact); ok {
				facts = append(facts, fact)
			}
		}
		user.Content = facts
		users = append(users, user)
	}
	return node{Tag: "usync", Attrs: asked.Attrs, Content: []node{{Tag: "list", Content: users}}}
}

// fact answers one question about a user; nil is a user who does not have WhatsApp.
func (p *person) fact(f waBinary.Node, contact string) (node, bool) {
	switch {
	case f.Tag == "contact" && p != nil:
		return node{Tag: "contact", Attrs: attrs{"type": "in"}, Content: []byte(contact)}, true
	case f.Tag == "contact":
		return node{Tag: "contact", Attrs: attrs{"type": "out"}, Content: []byte(contact)}, true
	case p == nil:
		return node{}, false
	case f.Tag == "lid":
		return node{Tag: "lid", Attrs: attrs{"val": p.lid}}, true
	case f.Tag == "devices":
		var list []node
		for _, id := range p.devicesLocked() {
			list = append(list, node{Tag: "device", Attrs: attrs{"id": int(id), "key-index": int(id)}})
		}
		return node{Tag: "devices", Content: []node{{Tag: "device-list", Content: list}}}, true
	}
	return node{}, false
}

var privacySettings = node{Tag: "privacy", Content: []node{
	{Tag: "category", Attrs: attrs{"name": "last", "value": "all"}},
	{Tag: "category", Attrs: attrs{"name": "online", "value": "all"}},
	{Tag: "category", Attrs: attrs{"name": "profile", "value": "all"}},
	{Tag: "category", Attrs: attrs{"name": "status", "value": "contacts"}},
	{Tag: "category", Attrs: attrs{"name": "groupadd", "value": "contacts"}},
	{Tag: "category", Attrs: attrs{"name": "readreceipts", "value": "all"}},
	{Tag: "category", Attrs: attrs{"name": "calladd", "value": "all"}},
}}
