package whatsapptest

import (
	"fmt"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

// Citizen is somebody with WhatsApp on a phone, with Signal keys of their own. The methods do what a person does with
// the app; those that send return the id of the message.
type Citizen struct {
	srv  *Server
	self *person
	name string

	// sending keeps the order of encryption the order on the wire. It is taken before all other locks.
	sending sync.Mutex
	sent    map[string]*sent // by id; guarded by sending

	// Guarded by the server's lock.
	shows      Shows
	inbox      []Received
	passed     int // how much of inbox Wait has passed
	receipts   map[string][]string
	asked      map[string]int
	known      map[string]bool // ids of messages that have come
	away       bool
	held       []sealed
	mute       bool
	garble     int
	typing     []string
	turnedAway []string
	repeats    int
	broken     []string
	reached    map[string]int // devices that have a message, by id
}

// Shows is how the program sees a citizen's address.
type Shows int

const (
	// BothByLID is a message from the LID that has the number beside it, BothByNumber the other way round: the two
	// ways in which WhatsApp writes today.
	BothByLID Shows = iota
	BothByNumber
	// OnlyLID hides the number. OnlyNumber is a message as they were before LIDs.
	OnlyLID
	OnlyNumber
)

// sent is a message that the program may ask for again.
type sent struct {
	to    *Account
	frame frame
}

// frame is what is around the encrypted content.
type frame struct {
	id       string
	shows    Shows
	at       time.Time
	message  *waE2E.Message
	group    types.JID // empty for a chat of two
	mangle   bool
	resends  int
	envelope attrs
}

// Citizen adds a person with a phone number in international format, or returns the one with that number.
func (s *Server) Citizen(number string) *Citizen {
	s.mu.Lock()
	defer s.mu.Unlock()
	number = digits(number)
	if p := s.people[types.NewJID(number, types.DefaultUserServer)]; p != nil && p.citizen != nil {
		return p.citizen
	}
	p := s.newPersonLocked(number)
	p.citizen = &Citizen{
		srv: s, self: p, name: "Warga " + number[max(0, len(number)-3):], sent: map[string]*sent{},
		receipts: map[string][]string{}, asked: map[string]int{}, known: map[string]bool{}, reached: map[string]int{},
	}
	return p.citizen
}

// Number is the citizen's number, digits only; Name what the app calls them.
func (c *Citizen) Number() string { return c.self.pn.User }
func (c *Citizen) Name() string   { return c.name }

// JID is the number's address, LID the hidden one.
func (c *Citizen) JID() types.JID { return c.self.pn }
func (c *Citizen) LID() types.JID { return c.self.lid }

// Shows sets how the citizen's next messages show the address.
func (c *Citizen) Shows(how Shows) *Citizen {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.shows = how
	return c
}

// Keyless lets the directory have no keys of the phone, or have them again. A client that begins to write to it
// believes that it has sent.
func (c *Citizen) Keyless(on bool) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.self.keyless = on
}

// Reinstall gives the phone new keys, as a new installation does, and tells the accounts that the citizen has
// written to.
func (c *Citizen) Reinstall() {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.self.mu.Lock()
	c.self.keys = newKeyring()
	c.self.mu.Unlock()
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	told := map[*Account]bool{}
	for _, m := range c.sent {
		if told[m.to] {
			continue
		}
		told[m.to] = true
		for _, d := range m.to.devices {
			d.pushLocked(node{
				Tag: "notification", Attrs: attrs{"from": c.self.lid, "type": "encrypt", "id": newID(), "t": now()},
				Content: []node{{Tag: "identity"}},
			})
		}
	}
}

// Garble breaks the encryption of the citizen's next n messages. The program asks for each again, and gets it whole.
func (c *Citizen) Garble(n int) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.garble = n
}

// Option changes how a message is sent.
type Option func(*frame)

// WithID gives the message an id; senders choose them. The default is a new one.
func WithID(id string) Option { return func(f *frame) { f.id = id } }

// SentAt gives the message the time at which the server took it.
func SentAt(t time.Time) Option { return func(f *frame) { f.at = t } }

// As shows the address otherwise than Citizen.Shows has set.
func As(how Shows) Option { return func(f *frame) { f.shows = how } }

// InGroup sends the message to a group in which the account is, as("120363000000000001@g.us"), or as a status
// update, as("status@broadcast").
func InGroup(jid string) Option {
	return func(f *frame) {
		parsed, err := types.ParseJID(jid)
		must(err)
		f.group = parsed
	}
}

// Send sends any message.
func (c *Citizen) Send(to *Account, m *waE2E.Message, opts ...Option) string {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.srv.mu.Lock()
	f := frame{id: newID(), shows: c.shows, at: time.Now(), message: m, mangle: c.garble > 0, envelope: attrs{}}
	if c.garble > 0 {
		c.garble--
	}
	c.srv.mu.Unlock()
	for _, opt := range opts {
		opt(&f)
	}
	c.sent[f.id] = &sent{to: to, frame: f}
	for _, d := range to.Devices() {
		c.push(d, f)
	}
	return f.id
}

// push encrypts a message for a device and hands it to the server. The caller holds sending.
func (c *Citizen) push(d *Device, f frame) {
	c.self.mu.Lock()
	kind, data := c.self.seal(d, f.message)
	c.self.mu.Unlock()
	if f.mangle {
		data = append([]byte(nil), data...)
		data[len(data)-1] ^= 0xff
	}
	n := node{Tag: "message", Attrs: c.envelope(f)}
	enc := node{Tag: "enc", Attrs: attrs{"v": 2, "type": kind}, Content: data}
	if media := mediaType(f.message); media != "" {
		enc.Attrs["mediatype"] = media
		n.Attrs["type"] = "media"
	}
	if f.resends > 0 {
		enc.Attrs["count"] = f.resends
	}
	n.Content = []node{enc}
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	d.queueLocked(&pending{node: n, key: keyOf(n.Tag, n.Attrs, "from"), spare: min(f.resends, 1)})
}

// envelope is the attributes of a message: who it is from, in the way in which the citizen shows themselves.
func (c *Citizen) envelope(f frame) attrs {
	a := attrs{"id": f.id, "t": f.at.Unix(), "type": "text", "notify": c.name}
	for k, v := range f.envelope {
		a[k] = v
	}
	lid, pn := c.self.lid, c.self.pn
	if !f.group.IsEmpty() {
		a["from"], a["participant"], a["addressing_mode"] = f.group, lid, "lid"
		if f.shows != OnlyLID {
			a["participant_pn"] = pn
		}
		if f.shows == BothByNumber || f.shows == OnlyNumber {
			a["participant"], a["participant_lid"], a["addressing_mode"] = pn, lid, "pn"
			delete(a, "participant_pn")
		}
		return a
	}
	switch f.shows {
	case BothByLID:
		a["from"], a["sender_pn"], a["addressing_mode"] = lid, pn, "lid"
	case OnlyLID:
		a["from"], a["addressing_mode"] = lid, "lid"
	case BothByNumber:
		a["from"], a["sender_lid"] = pn, lid
	case OnlyNumber:
		a["from"] = pn
	}
	return a
}

// repeat answers a retry receipt: the session is thrown away, and the message comes again under the same id.
func (c *Citizen) repeat(d *Device, receipt *node) {
	c.sending.Lock()
	defer c.sending.Unlock()
	retry := receipt.GetChildByTag("retry")
	id := fmt.Sprint(retry.Attrs["id"])
	m := c.sent[id]
	if m == nil {
		c.srv.complain("a request for a message that was never sent")
		return
	}
	d.settle(keyOf("message", receipt.Attrs, "to"), false)
	f := m.frame
	f.mangle, f.resends = false, retry.AttrGetter().OptionalInt("count")
	c.self.mu.Lock()
	c.self.keys.forget(d.lid().SignalAddress())
	c.self.mu.Unlock()
	c.push(d, f)
}
