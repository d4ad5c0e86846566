package whatsapptest

import (
	"fmt"
	"sync"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// person is somebody's phone: a number, the LID that hides it, and the keys of device 0.
type person struct {
	mu   sync.Mutex // guards keys and more; taken before the server's lock, never after
	keys *keyring
	more []*keyring // of a citizen's linked devices, from 1

	companions int // len(more), guarded by the server's lock

	pn, lid types.JID
	account *Account // when this is the handset of a hotline
	citizen *Citizen // when this is a citizen

	keyless bool // guarded by the server's lock: the directory has no keys of this phone
}

// newPersonLocked enters a phone in the directory. LIDs have nothing of the number in them.
func (s *Server) newPersonLocked(number string) *person {
	p := &person{
		keys: newKeyring(),
		pn:   types.NewJID(number, types.DefaultUserServer),
		lid:  types.NewJID(fmt.Sprintf("%d", 180_000_000_000_000+int64(s.nextLID)*7919), types.HiddenUserServer),
	}
	s.nextLID++
	s.people[p.pn], s.people[p.lid] = p, p
	return p
}

// seal encrypts a message of the phone for a linked device of an account. The caller holds the person's lock.
func (p *person) seal(d *Device, m *waE2E.Message) (kind string, data []byte) {
	plain, err := proto.Marshal(m)
	must(err)
	kind, data, err = p.keys.encrypt(d.lid().SignalAddress(), plain, func() (publicKeys, error) {
		d.srv.mu.Lock()
		defer d.srv.mu.Unlock()
		return d.spendLocked(), nil
	})
	must(err)
	return kind, data
}

// find looks a user up by either address.
func (s *Server) find(jid types.JID) *person {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.people[jid.ToNonAD()]
}

// devicesLocked lists the devices of a user: the phone, and what is linked to it.
func (p *person) devicesLocked() []uint16 {
	list := []uint16{0}
	for i := range p.companions {
		list = append(list, uint16(i+1))
	}
	if p.account != nil {
		for _, d := range p.account.devices {
			list = append(list, d.id)
		}
	}
	return list
}

// bundle hands out the keys of one of the user's devices; false when there are none.
func (s *Server) bundle(jid types.JID) (publicKeys, bool) {
	p := s.find(jid)
	if p == nil {
		return publicKeys{}, false
	}
	if jid.Device == 0 {
		s.mu.Lock()
		keyless := p.keyless
		s.mu.Unlock()
		if keyless {
			return publicKeys{}, false
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.keys.bundle(), true
	}
	if p.account == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if int(jid.Device) > len(p.more) {
			return publicKeys{}, false
		}
		return p.more[jid.Device-1].bundle(), true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range p.account.devices {
		if d.id == jid.Device {
			return d.spendLocked(), true
		}
	}
	return publicKeys{}, false
}
