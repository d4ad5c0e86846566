package whatsapptest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// agreement is a device that the handset has signed, and whose counter-signature is awaited.
type agreement struct {
	account *Account
	device  *Device
	details []byte // of the ADVDeviceIdentity
	id      string // of the query
	done    chan error
}

// Scan links the client that shows this QR code, as "Linked devices" on the handset does. It returns when the client
// has counter-signed and was told to connect again (stream error 515).
func (a *Account) Scan(code string) error {
	_, fields, ok := strings.Cut(code, "#")
	parts := strings.Split(fields, ",")
	if !ok || !strings.HasPrefix(code, "https://wa.me/settings/linked_devices#") || len(parts) != 5 {
		return errors.New("not a QR code of WhatsApp")
	}
	var keys [3][]byte
	for i := range keys {
		b, err := base64.StdEncoding.DecodeString(parts[i+1])
		if err != nil || len(b) != 32 {
			return errors.New("a QR code with a bad key")
		}
		keys[i] = b
	}
	app := a.srv.application(func(app *application) bool { return slices.Contains(app.refs, parts[0]) })
	if app == nil {
		return errors.New("the QR code has expired")
	}
	if !bytes.Equal(keys[0], app.noiseKey[:]) || !bytes.Equal(keys[1], app.keys.identity[:]) {
		return errors.New("the QR code shows other keys than the connection has")
	}
	return a.link(app, keys[2])
}

// application finds a client that wants to be linked and is still connected.
func (s *Server) application(match func(*application) bool) *application {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.lines {
		if l.offer != nil && match(l.offer) {
			return l.offer
		}
	}
	return nil
}

// link signs the client's identity with the handset's, proves knowledge of the shared secret, and awaits the
// client's own signature.
func (a *Account) link(app *application, secret []byte) error {
	s := a.srv
	s.mu.Lock()
	device := &Device{
		srv: s, account: a, id: a.nextDevice, noiseKey: app.noiseKey, keys: app.keys, name: app.name,
	}
	a.nextDevice++
	details, err := proto.Marshal(&waAdv.ADVDeviceIdentity{
		RawID: proto.Uint32(1), Timestamp: proto.Uint64(uint64(now())), KeyIndex: proto.Uint32(uint32(device.id)),
	})
	must(err)
	phone := a.self.keys.identity
	signature := phone.sign(slices.Concat(whatsmeow.AdvAccountSignaturePrefix, details, app.keys.identity[:]))
	identity, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentity{
		Details: details, AccountSignatureKey: phone.pub[:], AccountSignature: signature[:],
	})
	must(err)
	mac := hmac.New(sha256.New, secret)
	mac.Write(identity)
	container, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentityHMAC{Details: identity, HMAC: mac.Sum(nil)})
	must(err)

	deal := &agreement{account: a, device: device, details: details, id: newID(), done: make(chan error, 1)}
	app.agreed = deal
	app.line.send(node{
		Tag:   "iq",
		Attrs: attrs{"from": types.ServerJID, "type": "set", "xmlns": "md", "id": deal.id, "t": now()},
		Content: []node{{Tag: "pair-success", Content: []node{
			{Tag: "device-identity", Content: container},
			{Tag: "device", Attrs: attrs{"jid": device.pn(), "lid": device.lid()}},
			{Tag: "platform", Attrs: attrs{"name": "android"}},
			{Tag: "biz", Attrs: attrs{"name": "Hotline"}},
		}}},
	})
	s.mu.Unlock()
	select {
	case err := <-deal.done:
		return err
	case <-app.line.ctx.Done():
		select {
		case err := <-deal.done:
			return err
		default:
			return errors.New("the client went away")
		}
	}
}

// countersigned reads the client's answer to pair-success.
func (s *Server) countersigned(l *line, answer *node) {
	s.mu.Lock()
	deal := l.offer.agreed
	s.mu.Unlock()
	if deal == nil || answer.Attrs["id"] != deal.id {
		return // the client has received pair-device
	}
	if answer.Attrs["type"] != "result" {
		refused := answer.GetChildByTag("error")
		deal.done <- fmt.Errorf("the client refused: %v %v", refused.Attrs["code"], refused.Attrs["text"])
		return
	}
	signed := answer.GetChildByTag("pair-device-sign", "device-identity")
	var identity waAdv.ADVSignedDeviceIdentity
	if err := proto.Unmarshal(bytesOf(signed), &identity); err != nil {
		deal.done <- fmt.Errorf("the client's signed identity: %w", err)
		return
	}
	d := deal.device
	message := slices.Concat(whatsmeow.AdvDeviceSignaturePrefix, deal.details, d.keys.identity[:], deal.account.self.keys.identity.pub[:])
	if len(identity.DeviceSignature) != 64 || !bytes.Equal(identity.Details, deal.details) ||
		!ecc.VerifySignature(ecc.NewDjbECPublicKey(d.keys.identity), message, [64]byte(identity.DeviceSignature)) {
		deal.done <- errors.New("the client's signature does not verify")
		return
	}
	s.mu.Lock()
	deal.account.devices = append(deal.account.devices, d)
	l.offer.agreed = nil
	s.wakeLocked()
	s.mu.Unlock()
	deal.done <- nil
	l.end(node{Tag: "stream:error", Attrs: attrs{"code": "515"}})
}
