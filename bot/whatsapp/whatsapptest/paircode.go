package whatsapptest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"regexp"
	"slices"
	"strings"

	"go.mau.fi/whatsmeow/types"
)

// codePairing is a client that waits for its eight symbols to be typed on the handset with this number.
type codePairing struct {
	number  string
	ref     []byte
	wrapped []byte // the client's ephemeral key, under the code
	// What the handset made when the code was typed.
	ephemeral pair
	theirs    []byte // the client's ephemeral key, if the code was right
	finished  chan finishedCode
}

type finishedCode struct {
	secret []byte
	err    error
}

// The names under which WhatsApp lists linked devices; it refuses others.
var display = regexp.MustCompile(`^(Chrome|Firefox|Edge|Safari|Opera|IE|Android|Desktop) \((Linux|Windows|Mac OS|macOS|Android|Ubuntu)\)$`)

// helloCode answers a client that asks for pairing by code.
func (s *Server) helloCode(l *line, q *node, reg node) {
	jid := reg.AttrGetter().JID("jid")
	wrapped := bytesOf(reg.GetChildByTag("link_code_pairing_wrapped_companion_ephemeral_pub"))
	name := string(bytesOf(reg.GetChildByTag("companion_platform_display")))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case l.offer == nil || len(wrapped) != 80 || !display.MatchString(name):
		l.refuse(q, 400, "bad-request")
	case s.accounts[jid.User] == nil:
		l.refuse(q, 404, "item-not-found")
	default:
		l.offer.code = &codePairing{number: jid.User, ref: []byte(newID()), wrapped: wrapped, finished: make(chan finishedCode, 1)}
		l.result(q, node{Tag: "link_code_companion_reg", Attrs: attrs{"stage": "companion_hello"}, Content: []node{
			{Tag: "link_code_pairing_ref", Content: l.offer.code.ref},
		}})
		s.wakeLocked()
	}
}

// EnterCode types a pairing code ("ABCD-1234") on the handset. The client that shows it is linked, as by Scan.
func (a *Account) EnterCode(code string) error {
	s := a.srv
	code = strings.ToUpper(strings.ReplaceAll(code, "-", ""))
	app := s.application(func(app *application) bool { return app.code != nil && app.code.number == a.Number() })
	if app == nil {
		return errors.New("nobody asked for a pairing code of this number")
	}
	pairing := app.code
	pairing.theirs = underCode(code, pairing.wrapped[:32], pairing.wrapped[32:48], pairing.wrapped[48:])
	pairing.ephemeral = newPair()
	salt, iv := random(32), random(16)
	wrapped := slices.Concat(salt, iv, underCode(code, salt, iv, pairing.ephemeral.pub[:]))
	app.line.send(node{
		Tag: "notification", Attrs: attrs{"from": types.ServerJID, "type": "link_code_companion_reg", "id": newID(), "t": now()},
		Content: []node{{Tag: "link_code_companion_reg", Attrs: attrs{"stage": "primary_hello"}, Content: []node{
			{Tag: "link_code_pairing_ref", Content: pairing.ref},
			{Tag: "link_code_pairing_wrapped_primary_ephemeral_pub", Content: wrapped},
			{Tag: "primary_identity_pub", Content: a.self.keys.identity.pub[:]},
		}}},
	})
	select {
	case f := <-pairing.finished:
		if f.err != nil {
			return f.err
		}
		return a.link(app, f.secret)
	case <-app.line.ctx.Done():
		return errors.New("the client went away")
	}
}

// finishCode opens the client's key bundle; with a wrong code it does not open.
func (s *Server) finishCode(l *line, q *node, reg node) {
	bundle := bytesOf(reg.GetChildByTag("link_code_pairing_wrapped_key_bundle"))
	identity := bytesOf(reg.GetChildByTag("companion_identity_public"))
	s.mu.Lock()
	var pairing *codePairing
	var account *Account
	if l.offer != nil && l.offer.code != nil {
		pairing, account = l.offer.code, s.accounts[l.offer.code.number]
	}
	s.mu.Unlock()
	if pairing == nil || len(bundle) < 44 || len(identity) != 32 {
		l.refuse(q, 400, "bad-request")
		return
	}
	l.result(q)
	secret, err := pairing.open(bundle, identity, account.self.keys.identity)
	pairing.finished <- finishedCode{secret, err}
}

// open agrees on the secret of the new link, from both ephemeral keys, both identities and the client's randomness.
func (p *codePairing) open(bundle, identity []byte, phone pair) ([]byte, error) {
	wrong := errors.New("the pairing code is wrong")
	shared, err := p.ephemeral.agree(p.theirs)
	if err != nil {
		return nil, wrong
	}
	key, err := hkdf.Key(sha256.New, shared, bundle[:32], "link_code_pairing_key_bundle_encryption_key", 32)
	must(err)
	block, err := aes.NewCipher(key)
	must(err)
	gcm, err := cipher.NewGCM(block)
	must(err)
	plain, err := gcm.Open(nil, bundle[32:44], bundle[44:], nil)
	if err != nil || len(plain) != 96 {
		return nil, wrong
	}
	if !slices.Equal(plain[:32], identity) || !slices.Equal(plain[32:64], phone.pub[:]) {
		return nil, errors.New("the client's key bundle has other identities in it")
	}
	between, err := phone.agree(identity)
	if err != nil {
		return nil, err
	}
	secret, err := hkdf.Key(sha256.New, slices.Concat(shared, between, plain[64:]), nil, "adv_secret", 32)
	must(err)
	return secret, nil
}

// underCode encrypts or decrypts a key with what is derived from a pairing code.
func underCode(code string, salt, iv, data []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, code, salt, 2<<16, 32)
	must(err)
	block, err := aes.NewCipher(key)
	must(err)
	out := make([]byte, len(data))
	cipher.NewCTR(block, iv).XORKeyStream(out, data)
	return out
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
