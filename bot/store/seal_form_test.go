package store

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

// What is sealed has Tink's form: what earlier versions stored opens, and they open what this one stores.
func TestSealedFormIsTinks(t *testing.T) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	theirs, err := subtle.NewAESGCM(raw)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := newAEAD(raw)
	if err != nil {
		t.Fatal(err)
	}
	d := dataKey{aead: ours}
	plain, place := []byte("kata-kata seorang warga"), associated(nil, "{kh}:case:x", "s", 7)
	sealed, err := theirs.Encrypt(plain, place)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.open("{kh}:case:x", "s", 7, string(sealed)); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%q %v", got, err)
	}
	for _, moved := range []struct {
		key, field string
		version    int64
	}{{"{kh}:case:y", "s", 7}, {"{kh}:case:x", "a", 7}, {"{kh}:case:x", "s", 8}} {
		if _, err := d.open(moved.key, moved.field, moved.version, string(sealed)); err == nil {
			t.Errorf("opened at %+v", moved)
		}
	}
	sealed, err = d.seal("{kh}:case:x", "s", 7, plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := theirs.Decrypt(sealed, place); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%q %v", got, err)
	}
}
