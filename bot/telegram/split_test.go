package telegram

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func TestSplitLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.OneOf(
			rapid.SampledFrom([]rune("ab \n\n😀\u200d👩👶\u0301\U0001F3FD漢")), rapid.RuneFrom(nil, unicode.L, unicode.M),
		)).Draw(t, "text")
		limit := rapid.IntRange(10, 30).Draw(t, "limit")
		parts := split(s, limit)
		for _, p := range parts {
			if units(p) > limit || strings.TrimSpace(p) == "" || !utf8.ValidString(p) {
				t.Fatalf("part %q", p)
			}
		}
		strip := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := strings.Join(parts, ""); strip(got) != strip(s) {
			t.Fatalf("lost something: %q of %q", got, s)
		}
	})
}

func TestSplitPlaces(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // parts, joined by |
	}{
		{"", ""},
		{"pendek", "pendek"},
		{"satu dua tiga empat", "satu dua |tiga empat"},
		{"baris satu\nbaris dua", "baris satu\n|baris dua"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaa|aaaaaaaaaaaa|a"},
		{"aaaaaaaaaaae\u0301bbb", "aaaaaaaaaaa|e\u0301bbb"},
		{"aaaaaaaaa👩\u200d👶", "aaaaaaaaa|👩\u200d👶"},
	} {
		if got := strings.Join(split(c.text, 12), "|"); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
