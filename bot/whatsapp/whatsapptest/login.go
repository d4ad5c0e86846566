package whatsapptest

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// welcome reads the client's payload: one with a user name logs a linked device in, one without wants to be linked.
// It is false when the line ends with a refusal.
func (s *Server) welcome(l *line) bool {
	p := l.hello.payload
	version := versionOf(p)
	s.letGo(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if older(version, s.minimum) {
		l.end(failure(Refusal{Reason: 405}))
		return false
	}
	if p.Username == nil {
		return s.applyLocked(l)
	}
	account := s.accounts[fmt.Sprint(p.GetUsername())]
	if account == nil {
		l.end(failure(Refusal{Reason: 401}))
		return false
	}
	if r := account.nextRefusalLocked(); r != nil {
		l.end(failure(*r))
		return false
	}
	var device *Device
	for _, d := range account.devices {
		if uint32(d.id) == p.GetDevice() && d.noiseKey == l.hello.noiseKey {
			device = d
		}
	}
	if device == nil { // removed, or never linked
		l.end(failure(Refusal{Reason: 401}))
		return false
	}
	if old := device.line; old != nil {
		account.most = max(account.most, 2)
		old.active = false
		old.end(replaced)
	}
	account.most = max(account.most, 1)
	device.line, l.device = l, device
	account.logins = append(account.logins, Login{
		Device: device.id, Version: version, Payload: proto.CloneOf(p), At: time.Now(),
	})
	l.send(node{Tag: "success", Attrs: attrs{
		"t": now(), "lid": device.lid(), "props": 27, "companion_enc_static": "", "abprops": 0,
		"display_name": "", "location": "test", "creation": now() - 86400,
	}})
	s.wakeLocked()
	return true
}

// letGo gives the end of a device's connection before this one the time to be noticed: a client that has hung up and
// connects at once is one connection after the other, not two.
func (s *Server) letGo(p *waWa6.ClientPayload) {
	s.mu.Lock()
	var before *line
	if a := s.accounts[fmt.Sprint(p.GetUsername())]; a != nil {
		for _, d := range a.devices {
			if uint32(d.id) == p.GetDevice() {
				before = d.line
			}
		}
	}
	s.mu.Unlock()
	if before == nil {
		return
	}
	select {
	case <-before.over:
	case <-time.After(overlap):
	}
}

// overlap is how long two connections of one device may seem to overlap without being counted as two.
const overlap = 100 * time.Millisecond

// now is the time as stanzas tell it.
func now() int64 { return time.Now().Unix() }

func versionOf(p *waWa6.ClientPayload) [3]uint32 {
	v := p.GetUserAgent().GetAppVersion()
	return [3]uint32{v.GetPrimary(), v.GetSecondary(), v.GetTertiary()}
}

func older(a, b [3]uint32) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// application is a client that wants to be linked.
type application struct {
	line     *line
	noiseKey [32]byte
	keys     publicKeys
	name     string
	refs     []string // what its QR codes begin with

	// Pairing by code, see codePairing.
	code *codePairing

	// After the handset has agreed.
	agreed *agreement
}

// applyLocked answers a client without account: six references for QR codes, as many as WhatsApp gives.
func (s *Server) applyLocked(l *line) bool {
	d := l.hello.payload.GetDevicePairingData()
	var props waCompanionReg.DeviceProps
	if len(d.GetEIdent()) != 32 || len(d.GetESkeyVal()) != 32 || len(d.GetESkeySig()) != 64 || len(d.GetESkeyID()) != 3 ||
		len(d.GetERegid()) != 4 || proto.Unmarshal(d.GetDeviceProps(), &props) != nil {
		s.oddities = append(s.oddities, "a registration without its keys")
		l.end(failure(Refusal{Reason: 400}))
		return false
	}
	app := &application{line: l, noiseKey: l.hello.noiseKey, name: props.GetOs(), keys: publicKeys{
		registration: binary.BigEndian.Uint32(d.GetERegid()),
		identity:     [32]byte(d.GetEIdent()),
		signed: signedKey{
			id: id24(d.GetESkeyID()), pub: [32]byte(d.GetESkeyVal()), signature: [64]byte(d.GetESkeySig()),
		},
	}}
	l.offer = app
	var refs []node
	for range 6 {
		ref := "2@" + newID() + newID()
		app.refs = append(app.refs, ref)
		refs = append(refs, node{Tag: "ref", Content: []byte(ref)})
	}
	l.send(node{
		Tag:     "iq",
		Attrs:   attrs{"from": types.ServerJID, "type": "set", "xmlns": "md", "id": newID()},
		Content: []node{{Tag: "pair-device", Content: refs}},
	})
	s.wakeLocked()
	return true
}

// id24 reads the three bytes that ids of prekeys have on the wire.
func id24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

func bytes24(n uint32) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }

func bytes32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
