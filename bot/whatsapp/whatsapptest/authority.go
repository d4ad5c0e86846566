package whatsapptest

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/libsignal/logger"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCert"
	"google.golang.org/protobuf/proto"
)

// authority signs the servers of this process: a root key, which clients are told to trust, an intermediate
// certificate under it, and under that a leaf for the static Noise key.
type authority struct {
	root   [32]byte
	static *ecdh.PrivateKey
	chain  []byte // a waCert.CertChain
}

// trusted is the process's one authority. All servers share it, because the key that clients trust is one variable of
// whatsmeow: it is written here, once, before any client of this process can have connected.
var trusted = sync.OnceValue(func() *authority {
	a := newAuthority()
	trust(a.root)
	return a
})

// trust has the clients of this process believe servers under a root key. It also turns libsignal's own logger off,
// which writes to stderr; one that the program has set stays.
func trust(root [32]byte) {
	if whatsmeow.WACertPubKey != root {
		whatsmeow.WACertPubKey = root
	}
	if kind := fmt.Sprintf("%T", logger.Logger); logger.Logger == nil || kind == "*logger.defaultLogger" {
		logger.Logger = silence{}
	}
}

// silence keeps libsignal from writing to stderr.
type silence struct{}

func (silence) Debug(_, _ string)   {}
func (silence) Info(_, _ string)    {}
func (silence) Warning(_, _ string) {}
func (silence) Error(_, _ string)   {}
func (silence) Configure(string)    {}

func newAuthority() *authority {
	root, intermediate := newPair(), newPair()
	static, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(err)
	const serial = 1
	chain, err := proto.Marshal(&waCert.CertChain{
		Intermediate: certificate(root, serial, whatsmeow.WACertIssuerSerial, intermediate.pub[:]),
		Leaf:         certificate(intermediate, serial+1, serial, static.PublicKey().Bytes()),
	})
	must(err)
	return &authority{root: root.pub, static: static, chain: chain}
}

func certificate(issuer pair, serial, issuerSerial uint32, key []byte) *waCert.CertChain_NoiseCertificate {
	details, err := proto.Marshal(&waCert.CertChain_NoiseCertificate_Details{
		Serial: &serial, IssuerSerial: &issuerSerial, Key: key,
		NotBefore: proto.Uint64(uint64(time.Now().Add(-time.Hour).Unix())),
		NotAfter:  proto.Uint64(uint64(time.Now().AddDate(10, 0, 0).Unix())),
	})
	must(err)
	signature := issuer.sign(details)
	return &waCert.CertChain_NoiseCertificate{Details: details, Signature: signature[:]}
}

// pair is a Curve25519 key that can both agree (X25519) and sign (XEdDSA), as all of WhatsApp's long-lived keys do.
type pair struct{ priv, pub [32]byte }

func newPair() pair {
	k, err := ecc.GenerateKeyPair()
	must(err)
	return pair{priv: k.PrivateKey().Serialize(), pub: k.PublicKey().PublicKey()}
}

func (p pair) sign(message []byte) [64]byte {
	return ecc.CalculateSignature(ecc.NewDjbECPrivateKey(p.priv), message)
}

// agree is the X25519 secret with another key.
func (p pair) agree(pub []byte) ([]byte, error) {
	mine, err := ecdh.X25519().NewPrivateKey(p.priv[:])
	if err != nil {
		return nil, err
	}
	theirs, err := ecdh.X25519().NewPublicKey(pub)
	if err != nil {
		return nil, err
	}
	return mine.ECDH(theirs)
}

// must is for what cannot fail in a test binary: random bytes, and messages that this package made itself.
func must(err error) {
	if err != nil {
		panic("whatsapptest: " + err.Error())
	}
}
