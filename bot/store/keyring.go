package store

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"pulang/bot"
)

// Keyring holds the keys that never enter Redis: those that wrap data keys (a Tink keyset, so that every wrapped
// key says by its first bytes which key wrapped it), and the index key, which names contacts and makes values
// findable without showing them. The index key names keys and is therefore never changed while data exist.
//
// A Keyring that was read from a file follows the file: a data key wrapped by a key that it does not know, and any
// data key that it draws itself, make it look whether the file has changed.
type Keyring struct {
	now   atomic.Pointer[wrapping]
	index []byte
	names *recent[lineContact, string]

	file   string // where it was read; "" for one that was drawn
	looked atomic.Int64
	mu     sync.Mutex
	have   fileState // of the file as it was last read; guarded by mu
}

// wrapping are the keys that wrap data keys. One of them, the primary, wraps new ones; all unwrap.
type wrapping struct {
	handle  *keyset.Handle
	kek     tink.AEAD
	primary uint32
	ids     []uint32 // in the order in which they were added
}

type lineContact struct {
	line string
	who  bot.Contact
}

// NewKeyring draws a new Keyring.
func NewKeyring() (*Keyring, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("draw keys: %w", err)
	}
	index := make([]byte, 32)
	if _, err := rand.Read(index); err != nil {
		return nil, fmt.Errorf("draw keys: %w", err)
	}
	return newKeyring(h, index)
}

func newKeyring(h *keyset.Handle, index []byte) (*Keyring, error) {
	w, err := newWrapping(h)
	if err != nil {
		return nil, err
	}
	k := &Keyring{index: index, names: newRecent[lineContact, string](8192)}
	k.now.Store(w)
	return k, nil
}

func newWrapping(h *keyset.Handle) (*wrapping, error) {
	kek, err := aead.New(h)
	if err != nil {
		return nil, err
	}
	info := h.KeysetInfo()
	w := &wrapping{handle: h, kek: kek, primary: info.GetPrimaryKeyId()}
	for _, k := range info.GetKeyInfo() {
		w.ids = append(w.ids, k.GetKeyId())
	}
	return w, nil
}

// newest is the key that was added last.
func (w *wrapping) newest() uint32 { return w.ids[len(w.ids)-1] }

// wrappedBy is the key that wrapped a data key: Tink writes a 1 and the key's number before the ciphertext.
func wrappedBy(wrapped string) (id uint32, ok bool) {
	if len(wrapped) < 5 || wrapped[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32([]byte(wrapped[1:5])), true
}

// lookEvery is how long a Keyring trusts what it has read before it wraps another key.
const lookEvery = 2 * time.Second

var began = time.Now()

// wrap wraps a data key for that place with the newest key known to be in force.
func (k *Keyring) wrap(raw []byte, place string) ([]byte, error) {
	if k.file != "" && time.Since(began)-time.Duration(k.looked.Load()) > lookEvery {
		// An unreadable file is KeepKeys' to tell; what we have is good until somebody retires it.
		_, _ = k.refresh()
	}
	return k.now.Load().kek.Encrypt(raw, []byte(place))
}

// unwrap is the reverse of wrap; errSealed when it does not open.
func (k *Keyring) unwrap(wrapped, place string) ([]byte, error) {
	w := k.now.Load()
	if id, ok := wrappedBy(wrapped); ok && k.file != "" && !slices.Contains(w.ids, id) {
		if _, err := k.refresh(); err == nil {
			w = k.now.Load()
		}
	}
	raw, err := w.kek.Decrypt([]byte(wrapped), []byte(place))
	if err != nil {
		return nil, errSealed
	}
	return raw, nil
}

// mac is the keyed digest of the parts. Lengths are part of it, so that no two lists of parts look alike.
func (k *Keyring) mac(use string, parts ...string) []byte {
	h := hmac.New(sha256.New, k.index)
	buf := make([]byte, 0, 128)
	for _, p := range append([]string{use}, parts...) {
		n := len(p)
		buf = append(buf, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		buf = append(buf, p...)
	}
	h.Write(buf)
	return h.Sum(buf[:0])
}

// Blind is the index value of a phone number (E.164), passport, NIK or other exact value: equal for equal values,
// and telling nothing without the key file. The caller brings the value into its one form.
func (k *Keyring) Blind(kind, value string) string { return named(k.mac("blind", kind, value)) }

// named shortens a digest to the 20 characters by which Redis knows a contact or a value: with them the names of a
// contact's keys fit memory blocks of 32 bytes, with two more they take 48. That any two of a million contacts share
// these 120 bits has a chance of less than 1 in 10^24.
func named(mac []byte) string { return base64.RawURLEncoding.EncodeToString(mac[:15]) }

// contactID names a contact in keys.
func (k *Keyring) contactID(line string, c bot.Contact) string {
	if name, ok := k.names.get(lineContact{line, c}); ok {
		return name
	}
	name := named(k.mac("contact", line, c.Channel, c.Account, c.Address))
	k.names.put(lineContact{line, c}, name)
	return name
}

// digest shortens a request id to a negative number of 63 bits: Redis keeps it in 10 bytes, half of what text takes,
// and beside a messenger's ids it cannot be taken for one. That a new request looks like one of n that are remembered
// beside it, and is dropped as its repeat, has a chance of n in 2^63: with the thousand messages of a busy fortnight 1
// in 10^16; and nobody can look for such a pair without the index key.
func (k *Keyring) digest(request string) string {
	n := binary.BigEndian.Uint64(k.mac("request", request)) | 1<<63
	return strconv.FormatInt(int64(n), 10) //nolint:gosec // the highest bit is the sign
}
