package store

import "testing"

// BenchmarkSeal seals and opens 400 bytes, about an answer with its words; and unwraps a data key.
func BenchmarkSeal(b *testing.B) {
	k, err := NewKeyring()
	if err != nil {
		b.Fatal(err)
	}
	d, err := k.newDataKey("{kh}:case:x")
	if err != nil {
		b.Fatal(err)
	}
	plain := make([]byte, 400)
	sealed, err := d.seal("{kh}:case:x", "s", 1, plain)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = d.seal("{kh}:case:x", "s", 1, plain)
		}
	})
	b.Run("open", func(b *testing.B) {
		s := string(sealed)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = d.open("{kh}:case:x", "s", 1, s)
		}
	})
	b.Run("unwrap", func(b *testing.B) {
		for b.Loop() {
			_, _ = k.openDataKey("{kh}:case:x", d.wrapped)
		}
	})
	b.Run("blind", func(b *testing.B) {
		for b.Loop() {
			_ = k.Blind("phone", "+855712345678")
		}
	})
}
