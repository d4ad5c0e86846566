package whatsapptest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// newID is an id as WhatsApp's own clients make them.
func newID() string { return "3EB0" + strings.ToUpper(hex.EncodeToString(random(9))) }

// message takes a message of the program: it is acknowledged, and brought to the citizen.
func (s *Server) message(l *line, d *Device, m *node) {
	a := m.AttrGetter()
	to, id := a.JID("to"), a.String("id")
	if !a.OK() {
		s.complain("a message without to or id")
		return
	}
	s.mu.Lock()
	bad := d.account.nextSendErrorLocked()
	p := s.people[to.ToNonAD()]
	s.mu.Unlock()
	if bad != 0 {
		l.send(ackOf(m, attrs{"error": bad}))
		return
	}
	if m.Attrs["category"] == "peer" { // for the program's own handset
		l.send(ackOf(m, nil))
		s.toHandset(d, m)
		return
	}
	extra := attrs{}
	if p != nil {
		s.mu.Lock()
		extra["phash"] = participants(p, d.account.self)
		s.mu.Unlock()
	}
	l.send(ackOf(m, extra))
	if p == nil || p.citizen == nil {
		return // a group, a channel, or a number without WhatsApp
	}
	again := m.Attrs["device_fanout"] == "false"
	copies := copiesFor(m, to)
	if len(copies) == 0 {
		return // the client had no keys: it believes to have sent, and nobody gets anything
	}
	p.citizen.receive(sealed{
		from: d, to: to, id: id, again: again, copies: copies, at: time.Now(),
	})
}

// sealed is a message on its way to a citizen.
type sealed struct {
	from   *Device
	to     types.JID // as the program wrote it
	id     string
	again  bool            // sent once more because the citizen asked
	copies map[uint16]node // by device of the citizen
	at     time.Time
}

// copiesFor finds the copies for a citizen's devices. What was asked for again is for the phone alone.
func copiesFor(m *node, to types.JID) map[uint16]node {
	if enc, ok := m.GetOptionalChildByTag("enc"); ok {
		return map[uint16]node{0: enc}
	}
	copies := map[uint16]node{}
	parts := m.GetChildByTag("participants")
	for _, c := range parts.GetChildren() {
		jid := c.AttrGetter().OptionalJIDOrEmpty("jid")
		if enc, ok := c.GetOptionalChildByTag("enc"); ok && jid.ToNonAD() == to.ToNonAD() {
			copies[jid.Device] = enc
		}
	}
	return copies
}

// ackOf acknowledges a stanza of a client.
func ackOf(n *node, extra attrs) node {
	a := attrs{"class": n.Tag, "id": n.Attrs["id"], "from": n.Attrs["to"], "t": now()}
	for _, k := range []string{"participant", "recipient"} {
		if v, ok := n.Attrs[k]; ok {
			a[k] = v
		}
	}
	if n.Tag != "message" {
		a["type"] = n.Attrs["type"]
	}
	for k, v := range extra {
		a[k] = v
	}
	return node{Tag: "ack", Attrs: a}
}

// participants is the hash of all devices that a message should have been encrypted for; a client whose list of
// devices is old finds out by it.
func participants(people ...*person) string {
	var all []string
	for _, p := range people {
		for _, id := range p.devicesLocked() {
			all = append(all, at(p.lid, id).ADString())
		}
	}
	slices.Sort(all)
	sum := sha256.Sum256([]byte(strings.Join(all, "")))
	return "2:" + base64.RawStdEncoding.EncodeToString(sum[:6])
}

// toHandset takes a message to the program's own handset: requests for messages that it could not decrypt.
func (s *Server) toHandset(d *Device, m *node) {
	p := d.account.self
	enc, ok := m.GetOptionalChildByTag("enc")
	if !ok {
		return
	}
	p.mu.Lock()
	plain, err := p.keys.decrypt(d.lid().SignalAddress(), fmt.Sprint(enc.Attrs["type"]), bytesOf(enc))
	p.mu.Unlock()
	var msg waE2E.Message
	if err != nil || proto.Unmarshal(plain, &msg) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d.account.peer = append(d.account.peer, &msg)
	s.wakeLocked()
}

// PeerMessages lists what linked devices have sent to their own handset.
func (a *Account) PeerMessages() []*waE2E.Message {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return slices.Clone(a.peer)
}

// presence takes "available" and "unavailable"; subscriptions are not answered.
func (s *Server) presence(d *Device, n *node) {
	kind, _ := n.Attrs["type"].(string)
	if kind != "available" && kind != "unavailable" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d.account.presence = append(d.account.presence, kind)
	s.wakeLocked()
}

// chatstate shows a citizen that the program is typing, or has stopped.
func (s *Server) chatstate(n *node) {
	to := n.AttrGetter().OptionalJIDOrEmpty("to")
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.people[to.ToNonAD()]; p != nil && p.citizen != nil && len(n.GetChildren()) == 1 {
		p.citizen.typing = append(p.citizen.typing, n.GetChildren()[0].Tag)
		s.wakeLocked()
	}
}

// rejected notes that a call was turned away.
func (s *Server) rejected(n *node) {
	to := n.AttrGetter().OptionalJIDOrEmpty("to")
	reject := n.GetChildByTag("reject")
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.people[to.ToNonAD()]; p != nil && p.citizen != nil && reject.Tag == "reject" {
		p.citizen.turnedAway = append(p.citizen.turnedAway, fmt.Sprint(reject.Attrs["call-id"]))
		s.wakeLocked()
	}
}
