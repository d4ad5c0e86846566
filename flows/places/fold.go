package places

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Word is one folded word of a text and where it stood.
type Word struct {
	Text       string
	Start, End int // byte offsets
}

// Words splits a text into words: lower case, without diacritics, full-width forms as ASCII, apostrophes and
// hyphens inside a word dropped.
func Words(text string) []Word {
	var out []Word
	var b strings.Builder
	start := -1
	flush := func(end int) {
		if start >= 0 && b.Len() > 0 {
			out = append(out, Word{b.String(), start, end})
		}
		b.Reset()
		start = -1
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if s := FoldRune(r); s != "" {
			if start < 0 {
				start = i
			}
			b.WriteString(s)
		} else if start >= 0 && joins(r) && i+n < len(text) && isWordStart(text[i+n:]) {
			// o'smach, chrey-thom: the sign vanishes, the word goes on
		} else if !unicode.Is(unicode.Mn, r) {
			flush(i)
		}
		i += n
	}
	flush(len(text))
	return out
}

func joins(r rune) bool { return r == '\'' || r == '’' || r == '`' || r == '‘' }

func isWordStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return FoldRune(r) != ""
}

var ascii = func() (t [128]string) {
	for c := byte(0); c < 128; c++ {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			t[c] = string(rune(c))
		case c >= 'A' && c <= 'Z':
			t[c] = string(rune(c + 32))
		}
	}
	return t
}()

// FoldRune returns the lower-case ASCII letters and digits that a rune stands for; "" when it stands for none.
// Letters of scripts without a Latin base stay as they are.
func FoldRune(r rune) string {
	if r < 128 {
		if r < 0 {
			return ""
		}
		return ascii[r]
	}
	switch r {
	case 'đ', 'Đ', 'ð':
		return "d"
	case 'ø', 'Ø':
		return "o"
	case 'ł', 'Ł':
		return "l"
	case 'ß':
		return "ss"
	case 'æ', 'Æ':
		return "ae"
	case 'ı':
		return "i"
	}
	if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		if r < 0x2000 || r < 0xFF00 && !(r >= 0x2460 && r <= 0x2473) {
			return ""
		}
	}
	d := norm.NFKD.String(string(r))
	var b strings.Builder
	for _, c := range d {
		switch {
		case c < 128:
			b.WriteString(ascii[c])
		case unicode.IsLetter(c):
			b.WriteRune(unicode.ToLower(c))
		case unicode.IsDigit(c):
			if v := digitValue(c); v >= 0 {
				b.WriteByte(byte('0' + v))
			}
		}
	}
	return b.String()
}

// digitValue is the value of a decimal digit of any script: each block of ten begins at a code point whose digits
// run upwards from zero.
func digitValue(r rune) int {
	for v := range 10 {
		if !unicode.IsDigit(r - rune(v) - 1) {
			return v
		}
	}
	return -1
}

func spaceless(s string) string {
	var b strings.Builder
	for _, w := range Words(s) {
		b.WriteString(w.Text)
	}
	return b.String()
}

// sound reduces a folded spelling to how an Indonesian ear may have heard the name: voiced and voiceless stops,
// aspirates, e and i, o and u, and the final stop are not told apart ("bavek", "bafed" and "bavet" are one).
func sound(s string) string {
	var buf [48]byte
	b := buf[:0]
	for i := 0; i < len(s) && len(b) < cap(buf); i++ {
		var c byte
		switch s[i] {
		case 'v', 'f', 'w', 'p', 'b':
			c = 'p'
		case 't', 'd':
			c = 't'
		case 'k', 'g', 'q', 'c':
			c = 'k'
			if s[i] == 'g' && i > 0 && s[i-1] == 'n' {
				continue
			}
		case 's', 'z', 'x', 'j':
			c = 's'
		case 'e', 'i', 'y':
			c = 'i'
		case 'o', 'u':
			c = 'u'
		case 'h':
			continue
		default:
			c = s[i]
		}
		if len(b) > 0 && b[len(b)-1] == c {
			continue
		}
		b = append(b, c)
	}
	if n := len(b); n > 1 && (b[n-1] == 'p' || b[n-1] == 'k') {
		b[n-1] = 't'
	}
	return string(b)
}
