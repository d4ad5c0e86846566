package telegram

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxText is Telegram's limit for a message, in UTF-16 units.
const maxText = 4096

// split cuts a text into parts of at most limit units, after a paragraph, a line, a word, or else between two
// characters. Joined again the parts are the text; a part of nothing but white space, which Telegram refuses, is
// dropped.
func split(s string, limit int) []string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	var parts []string
	for s != "" {
		end := fit(s, limit)
		if end < len(s) {
			end = seam(s, end)
		}
		if strings.TrimSpace(s[:end]) != "" {
			parts = append(parts, s[:end])
		}
		s = s[end:]
	}
	return parts
}

// fit is the length in bytes of the longest beginning of s that has at most limit units.
func fit(s string, limit int) int {
	units := 0
	for i, r := range s {
		if units += utf16.RuneLen(r); units > limit {
			return i
		}
	}
	return len(s)
}

// seam is the best place to cut at or before end, which does not throw away more than half.
func seam(s string, end int) int {
	for _, sep := range []string{"\n\n", "\n", " "} {
		if i := strings.LastIndex(s[:end], sep); i >= end/2 {
			return i + len(sep)
		}
	}
	// Between two characters, but not between a letter and its accent or inside a joined emoji.
	for at := end; at > end/2; {
		next, _ := utf8.DecodeRuneInString(s[at:])
		prev, size := utf8.DecodeLastRuneInString(s[:at])
		if !joins(next) && prev != zeroWidthJoiner {
			return at
		}
		at -= size
	}
	return end
}

const zeroWidthJoiner = '\u200d'

// joins reports whether r belongs to the character before it.
func joins(r rune) bool {
	return r == zeroWidthJoiner || unicode.Is(unicode.M, r) || r >= 0x1F3FB && r <= 0x1F3FF
}
