package whatsapptest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"go.mau.fi/whatsmeow/proto/waWa6"
	"google.golang.org/protobuf/proto"
)

// The Noise protocol framework, revision 34, with the name that WhatsApp uses, padded to the hash's length.
const noiseName = "Noise_XX_25519_AESGCM_SHA256\x00\x00\x00\x00"

// noise is the symmetric state of the responder (section 5.2 of the framework).
type noise struct {
	hash, salt []byte
	cipher     *counted
}

// counted is an AEAD whose nonce counts.
type counted struct {
	aead cipher.AEAD
	n    uint32
}

func newCounted(key []byte) *counted {
	block, err := aes.NewCipher(key)
	must(err)
	aead, err := cipher.NewGCM(block)
	must(err)
	return &counted{aead: aead}
}

func (c *counted) nonce() []byte {
	iv := make([]byte, 12)
	binary.BigEndian.PutUint32(iv[8:], c.n)
	c.n++
	return iv
}

func (c *counted) seal(plain, with []byte) []byte { return c.aead.Seal(nil, c.nonce(), plain, with) }

func (c *counted) open(sealed, with []byte) ([]byte, error) {
	return c.aead.Open(nil, c.nonce(), sealed, with)
}

func newNoise(header []byte) *noise {
	n := &noise{hash: []byte(noiseName), salt: []byte(noiseName), cipher: newCounted([]byte(noiseName))}
	n.mixHash(header)
	return n
}

func (n *noise) mixHash(data []byte) {
	h := sha256.New()
	h.Write(n.hash)
	h.Write(data)
	n.hash = h.Sum(nil)
}

func (n *noise) mixKey(mine *ecdh.PrivateKey, theirs []byte) error {
	pub, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return err
	}
	secret, err := mine.ECDH(pub)
	if err != nil {
		return err
	}
	var key []byte
	n.salt, key = n.expand(secret)
	n.cipher = newCounted(key)
	return nil
}

func (n *noise) expand(secret []byte) (first, second []byte) {
	out, err := hkdf.Key(sha256.New, secret, n.salt, "", 64)
	must(err)
	return out[:32], out[32:]
}

func (n *noise) encrypt(plain []byte) []byte {
	sealed := n.cipher.seal(plain, n.hash)
	n.mixHash(sealed)
	return sealed
}

func (n *noise) decrypt(sealed []byte) ([]byte, error) {
	plain, err := n.cipher.open(sealed, n.hash)
	if err == nil {
		n.mixHash(sealed)
	}
	return plain, err
}

// hello is what a client has proved and said at the end of the handshake.
type hello struct {
	noiseKey [32]byte // the client's static key
	payload  *waWa6.ClientPayload
	in, out  *counted // the transport ciphers
}

// respond is the responder of the XX pattern: it reads the client's two messages and writes one.
func respond(a *authority, header []byte, read func() ([]byte, error), write func([]byte) error) (*hello, error) {
	n := newNoise(header)
	first, err := readHandshake(read)
	if err != nil {
		return nil, err
	}
	theirs := first.GetClientHello().GetEphemeral() // -> e
	if len(theirs) != 32 {
		return nil, errors.New("a client hello without a key")
	}
	n.mixHash(theirs)

	mine, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(err)
	n.mixHash(mine.PublicKey().Bytes()) // <- e, ee, s, es
	if err := n.mixKey(mine, theirs); err != nil {
		return nil, err
	}
	static := n.encrypt(a.static.PublicKey().Bytes())
	if err := n.mixKey(a.static, theirs); err != nil {
		return nil, err
	}
	answer, err := proto.Marshal(&waWa6.HandshakeMessage{ServerHello: &waWa6.HandshakeMessage_ServerHello{
		Ephemeral: mine.PublicKey().Bytes(), Static: static, Payload: n.encrypt(a.chain),
	}})
	must(err)
	if err := write(answer); err != nil {
		return nil, err
	}

	last, err := readHandshake(read) // -> s, se
	if err != nil {
		return nil, err
	}
	key, err := n.decrypt(last.GetClientFinish().GetStatic())
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("the client's static key: %w", err)
	}
	if err := n.mixKey(mine, key); err != nil {
		return nil, err
	}
	raw, err := n.decrypt(last.GetClientFinish().GetPayload())
	if err != nil {
		return nil, fmt.Errorf("the client's payload: %w", err)
	}
	h := &hello{noiseKey: [32]byte(key), payload: &waWa6.ClientPayload{}}
	if err := proto.Unmarshal(raw, h.payload); err != nil {
		return nil, fmt.Errorf("the client's payload: %w", err)
	}
	in, out := n.expand(nil)
	h.in, h.out = newCounted(in), newCounted(out)
	return h, nil
}

func readHandshake(read func() ([]byte, error)) (*waWa6.HandshakeMessage, error) {
	raw, err := read()
	if err != nil {
		return nil, err
	}
	var m waWa6.HandshakeMessage
	if err := proto.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return &m, nil
}
