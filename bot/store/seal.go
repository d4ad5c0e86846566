package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// dataKey seals the fields of one record (a case, a contact, a line's audit log). It is stored wrapped beside them;
// without the wrapped form they are unreadable, which is how a case is erased.
type dataKey struct {
	wrapped string
	aead    cipher.AEAD
}

// newDataKey draws a data key for the record under that Redis key.
func (k *Keyring) newDataKey(key string) (dataKey, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return dataKey{}, fmt.Errorf("draw data key: %w", err)
	}
	wrapped, err := k.wrap(raw, key)
	if err != nil {
		return dataKey{}, fmt.Errorf("wrap data key: %w", err)
	}
	a, err := newAEAD(raw)
	if err != nil {
		return dataKey{}, err
	}
	return dataKey{wrapped: string(wrapped), aead: a}, nil
}

// openDataKey unwraps a data key; it fails for one that belongs to another record or another key file.
func (k *Keyring) openDataKey(key, wrapped string) (dataKey, error) {
	raw, err := k.unwrap(wrapped, key)
	if err != nil {
		return dataKey{}, err
	}
	a, err := newAEAD(raw)
	if err != nil {
		return dataKey{}, errSealed
	}
	return dataKey{wrapped: wrapped, aead: a}, nil
}

// newAEAD is AES-256-GCM with a nonce drawn for each value, which stands before it: Tink's own form, made in place.
func newAEAD(raw []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}

// associated binds a sealed value to its place: key name, field and version. A value that was moved does not open.
func associated(b []byte, key, field string, version int64) []byte {
	b = append(b, key...)
	b = append(b, '|')
	b = append(b, field...)
	b = append(b, '|')
	return strconv.AppendInt(b, version, 10)
}

// seal seals plain for that place. version is 0 for what is written once.
func (d dataKey) seal(key, field string, version int64, plain []byte) ([]byte, error) {
	return d.sealTo(make([]byte, 0, len(plain)+d.aead.Overhead()), key, field, version, plain), nil
}

// sealTo appends the sealed value to b.
func (d dataKey) sealTo(b []byte, key, field string, version int64, plain []byte) []byte {
	var place [128]byte
	return d.aead.Seal(b, nil, plain, associated(place[:0], key, field, version))
}

// sealJSON seals the JSON of v behind a copy of head.
func (d dataKey) sealJSON(head []byte, key, field string, version int64, v any) ([]byte, error) {
	p := plains.Get().(*bytes.Buffer)
	defer func() {
		clear(p.Bytes())
		p.Reset()
		plains.Put(p)
	}()
	if err := jsonv2.MarshalWrite(p, v, asBefore, jsonv2.Deterministic(false)); err != nil {
		return nil, errJSON
	}
	b := make([]byte, len(head), len(head)+p.Len()+d.aead.Overhead())
	copy(b, head)
	return d.sealTo(b, key, field, version, p.Bytes()), nil
}

// plains are buffers for what is about to be sealed.
var plains = sync.Pool{New: func() any { return new(bytes.Buffer) }}

var errJSON = errors.New("a value cannot be written as JSON") // the error itself may quote it

// open opens what seal made for the same place. Its error says nothing of the content.
func (d dataKey) open(key, field string, version int64, sealed string) ([]byte, error) {
	var place [128]byte
	plain, err := d.aead.Open(nil, nil, []byte(sealed), associated(place[:0], key, field, version))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// asBefore makes decode read JSON as encoding/json does, which wrote it.
var asBefore = jsonv1.DefaultOptionsV1()

// encode writes the JSON of a value that is to be sealed. The order of a map's keys is left open.
func encode(v any) ([]byte, error) {
	b, err := jsonv2.Marshal(v, asBefore, jsonv2.Deterministic(false))
	if err != nil {
		return nil, errJSON
	}
	return b, nil
}

// decode reads the JSON of a sealed value. A quarter of what a message costs here went into encoding/json's decoder;
// this one, its designated successor, takes about a third of that time.
func decode(plain []byte, into any) error {
	if err := jsonv2.Unmarshal(plain, into, asBefore); err != nil {
		return errors.New("a sealed value does not hold what it should") // the error itself may quote it
	}
	return nil
}

// unwrapped returns the data key of a record from its wrapped form, out of the cache when it is the same. The cache
// lets a commit seal without asking for the key again; it is never trusted: the script compares the wrapped form.
func (s *Store) unwrapped(key, wrapped string) (dataKey, error) {
	if d, ok := s.cache.get(key); ok && d.wrapped == wrapped {
		return d, nil
	}
	d, err := s.keys.openDataKey(key, wrapped)
	if err != nil {
		return dataKey{}, err
	}
	s.cache.put(key, d)
	return d, nil
}
