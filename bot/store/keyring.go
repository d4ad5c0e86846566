package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"pulang/bot"
)

// Keyring holds the keys that never enter Redis: the one that wraps data keys (a Tink keyset, so that every wrapped
// key says by its first bytes which key wrapped it), and the index key, which names contacts and makes values
// findable without showing them. The index key names keys and is therefore never changed while data exist.
type Keyring struct {
	handle *keyset.Handle
	kek    tink.AEAD
	index  []byte
	names  *recent[lineContact, string]
}

type lineContact struct {
	line string
	who  bot.Contact
}

// keyFile is the key file's JSON.
type keyFile struct {
	Version int             `json:"version"`
	Data    json.RawMessage `json:"data"`  // Tink keyset in clear
	Index   []byte          `json:"index"` // 32 bytes
}

const keyFileVersion = 1

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
	kek, err := aead.New(h)
	if err != nil {
		return nil, err
	}
	return &Keyring{handle: h, kek: kek, index: index, names: newRecent[lineContact, string](8192)}, nil
}

// ReadKeyring reads a key file. Its errors name the file and never its content; fs.ErrNotExist when there is none.
func ReadKeyring(path string) (*Keyring, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s: others may read it (mode %04o): chmod 600 it", path, st.Mode().Perm())
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	bad := fmt.Errorf("key file %s: not a key file of this program", path)
	var f keyFile
	if json.Unmarshal(raw, &f) != nil || f.Version != keyFileVersion || len(f.Index) != 32 {
		return nil, bad
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.Data)))
	if err != nil {
		return nil, bad
	}
	k, err := newKeyring(h, f.Index)
	if err != nil {
		return nil, bad
	}
	return k, nil
}

// Write creates the key file, mode 0600, and flushes it to the disk before it returns: what is sealed with a key
// that a power cut took away is lost. fs.ErrExist when the file is there already.
func (k *Keyring) Write(path string) error {
	var ks bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewJSONWriter(&ks)); err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	raw, err := json.MarshalIndent(keyFile{Version: keyFileVersion, Data: ks.Bytes(), Index: k.index}, "", "  ")
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	// Written beside and linked into place: a reader sees the whole file or none.
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // a leftover is harmless beside the real one
	_, err = tmp.Write(append(raw, '\n'))
	err = errors.Join(err, tmp.Chmod(0o600), tmp.Sync(), tmp.Close())
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	if err := os.Link(tmp.Name(), path); err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // our own data directory
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// keyringFor finds the keys of a store: the key file when there is one, a new one only for an empty store.
func keyringFor(path string, empty bool) (*Keyring, error) {
	k, err := ReadKeyring(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if !empty {
		return nil, &KeyError{Path: path, Missing: true}
	}
	if k, err = NewKeyring(); err != nil {
		return nil, err
	}
	err = k.Write(path)
	if errors.Is(err, fs.ErrExist) { // another process was quicker
		return ReadKeyring(path)
	}
	return k, err
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
func (k *Keyring) Blind(kind, value string) string {
	return base64.RawURLEncoding.EncodeToString(k.mac("blind", kind, value)[:16])
}

// contactID names a contact in keys.
func (k *Keyring) contactID(line string, c bot.Contact) string {
	if name, ok := k.names.get(lineContact{line, c}); ok {
		return name
	}
	name := base64.RawURLEncoding.EncodeToString(k.mac("contact", line, c.Channel, c.Account, c.Address)[:16])
	k.names.put(lineContact{line, c}, name)
	return name
}

// digest shortens a request id to 16 characters.
func (k *Keyring) digest(request string) string {
	return base64.RawURLEncoding.EncodeToString(k.mac("request", request)[:12])
}
