package main

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printed writes JSON that may hold what people wrote, so that it does nothing to a terminal: encoding/json leaves DEL, the
// C1 controls (which start escape sequences as ESC does) and what reorders or hides text as it came. Here they are written
// as \u escapes, so the values stay the same. Each Write takes whole values.
type printed struct{ w io.Writer }

// Write gives len(p) when all of it was written, however long it was then.
func (v printed) Write(p []byte) (int, error) {
	out := make([]byte, 0, len(p))
	for i := 0; i < len(p); {
		r, n := utf8.DecodeRune(p[i:])
		if r == '\n' || !unicode.IsControl(r) && !unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			out = append(out, p[i:i+n]...)
		} else if hi, lo := utf16.EncodeRune(r); hi != unicode.ReplacementChar {
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		} else {
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += n
	}
	if _, err := v.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
