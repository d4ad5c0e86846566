package whatsapptest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/state/record"
	signalstore "go.mau.fi/libsignal/state/store"
	"go.mau.fi/libsignal/util/optional"
	"go.mau.fi/whatsmeow/store"
)

var serializer = store.SignalProtobufSerializer

// publicKeys is a prekey bundle: what somebody needs to begin a Signal session with a device.
type publicKeys struct {
	registration uint32
	identity     [32]byte
	signed       signedKey
	once         *onceKey // nil when the device has none left
}

type signedKey struct {
	id        uint32
	pub       [32]byte
	signature [64]byte
}

type onceKey struct {
	id  uint32
	pub [32]byte
}

// keyring is one device's Signal keys and sessions, in memory. Sessions are kept as bytes, as a database would, so
// that a decryption that fails leaves no trace. It needs a lock around it.
type keyring struct {
	signalstore.SignalProtocol // nil: groups and the like, which nothing here calls

	registration uint32
	identity     pair
	signed       pair
	signedSig    [64]byte
	once         map[uint32]pair
	nextOnce     uint32
	sessions     map[string][]byte
}

const signedKeyID = 1

func newKeyring() *keyring {
	k := &keyring{identity: newPair(), signed: newPair(), once: map[uint32]pair{}, nextOnce: 1, sessions: map[string][]byte{}}
	var b [2]byte
	_, _ = rand.Read(b[:])
	k.registration = uint32(binary.BigEndian.Uint16(b[:]))%16380 + 1
	k.signedSig = k.identity.sign(append([]byte{ecc.DjbType}, k.signed.pub[:]...))
	return k
}

// bundle hands out the public keys, with a one-time key that nobody else gets.
func (k *keyring) bundle() publicKeys {
	id, p := k.nextOnce, newPair()
	k.nextOnce++
	k.once[id] = p
	return publicKeys{
		registration: k.registration, identity: k.identity.pub,
		signed: signedKey{id: signedKeyID, pub: k.signed.pub, signature: k.signedSig},
		once:   &onceKey{id: id, pub: p.pub},
	}
}

// encrypt pads and encrypts for a device. Without a session it begins one from the bundle that fetch returns.
func (k *keyring) encrypt(to *protocol.SignalAddress, plain []byte, fetch func() (publicKeys, error)) (kind string, data []byte, err error) {
	ctx := context.Background()
	builder := session.NewBuilderFromSignal(k, to, serializer)
	if k.sessions[to.String()] == nil {
		keys, err := fetch()
		if err != nil {
			return "", nil, err
		}
		if err := builder.ProcessBundle(ctx, keys.asBundle(to.DeviceID())); err != nil {
			return "", nil, fmt.Errorf("bundle of %s: %w", to, err)
		}
	}
	sealed, err := session.NewCipher(builder, to).Encrypt(ctx, pad(plain))
	if err != nil {
		return "", nil, err
	}
	if sealed.Type() == protocol.PREKEY_TYPE {
		return "pkmsg", sealed.Serialize(), nil
	}
	return "msg", sealed.Serialize(), nil
}

// decrypt decrypts and unpads what a device has sent.
func (k *keyring) decrypt(from *protocol.SignalAddress, kind string, data []byte) ([]byte, error) {
	ctx := context.Background()
	cipher := session.NewCipher(session.NewBuilderFromSignal(k, from, serializer), from)
	var plain []byte
	switch kind {
	case "pkmsg":
		m, err := protocol.NewPreKeySignalMessageFromBytes(data, serializer.PreKeySignalMessage, serializer.SignalMessage)
		if err != nil {
			return nil, err
		}
		if plain, err = cipher.DecryptMessage(ctx, m); err != nil {
			return nil, err
		}
	case "msg":
		m, err := protocol.NewSignalMessageFromBytes(data, serializer.SignalMessage)
		if err != nil {
			return nil, err
		}
		if plain, err = cipher.Decrypt(ctx, m); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("an unknown kind of encryption %q", kind)
	}
	return unpad(plain)
}

// forget drops the session with a device: the next message begins a new one.
func (k *keyring) forget(who *protocol.SignalAddress) { delete(k.sessions, who.String()) }

func pad(plain []byte) []byte {
	var b [1]byte
	_, _ = rand.Read(b[:])
	n := b[0]%15 + 1
	out := append([]byte(nil), plain...)
	for range n {
		out = append(out, n)
	}
	return out
}

func unpad(plain []byte) ([]byte, error) {
	if len(plain) == 0 || int(plain[len(plain)-1]) > len(plain) {
		return nil, errors.New("bad padding")
	}
	return plain[:len(plain)-int(plain[len(plain)-1])], nil
}

func (p publicKeys) asBundle(device uint32) *prekey.Bundle {
	id, once := optional.NewEmptyUint32(), ecc.ECPublicKeyable(nil)
	if p.once != nil {
		id, once = optional.NewOptionalUint32(p.once.id), ecc.NewDjbECPublicKey(p.once.pub)
	}
	return prekey.NewBundle(p.registration, device, id, p.signed.id, once, ecc.NewDjbECPublicKey(p.signed.pub),
		p.signed.signature, identity.NewKey(ecc.NewDjbECPublicKey(p.identity)))
}

// The rest is libsignal's store. Every identity is trusted: citizens of a test have nobody to be warned of.

func (p pair) keys() *ecc.ECKeyPair {
	return ecc.NewECKeyPair(ecc.NewDjbECPublicKey(p.pub), ecc.NewDjbECPrivateKey(p.priv))
}

func (k *keyring) GetIdentityKeyPair() *identity.KeyPair {
	return identity.NewKeyPair(identity.NewKey(ecc.NewDjbECPublicKey(k.identity.pub)), ecc.NewDjbECPrivateKey(k.identity.priv))
}

func (k *keyring) GetLocalRegistrationID() uint32 { return k.registration }

func (k *keyring) SaveIdentity(context.Context, *protocol.SignalAddress, *identity.Key) error {
	return nil
}

func (k *keyring) IsTrustedIdentity(context.Context, *protocol.SignalAddress, *identity.Key) (bool, error) {
	return true, nil
}

func (k *keyring) LoadPreKey(_ context.Context, id uint32) (*record.PreKey, error) {
	p, ok := k.once[id]
	if !ok {
		return nil, nil
	}
	return record.NewPreKey(id, p.keys(), serializer.PreKeyRecord), nil
}

func (k *keyring) RemovePreKey(_ context.Context, id uint32) error {
	delete(k.once, id)
	return nil
}

func (k *keyring) LoadSignedPreKey(_ context.Context, id uint32) (*record.SignedPreKey, error) {
	if id != signedKeyID {
		return nil, nil
	}
	return record.NewSignedPreKey(id, 0, k.signed.keys(), k.signedSig, serializer.SignedPreKeyRecord), nil
}

func (k *keyring) LoadSession(_ context.Context, who *protocol.SignalAddress) (*record.Session, error) {
	raw := k.sessions[who.String()]
	if raw == nil {
		return record.NewSession(serializer.Session, serializer.State), nil
	}
	return record.NewSessionFromBytes(raw, serializer.Session, serializer.State)
}

func (k *keyring) StoreSession(_ context.Context, who *protocol.SignalAddress, s *record.Session) error {
	k.sessions[who.String()] = s.Serialize()
	return nil
}

func (k *keyring) ContainsSession(_ context.Context, who *protocol.SignalAddress) (bool, error) {
	return k.sessions[who.String()] != nil, nil
}
