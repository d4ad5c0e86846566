package desk

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// words is somebody's text made safe to look at. Hidden says that something invisible was taken out of it.
type words struct {
	Text   string
	Hidden bool
	// Cut says that only the beginning is shown.
	Cut bool
}

const (
	maxShown = 4096 // runes of one text on a page
	// maxMarks is how many combining marks in a row are shown: more than any script needs, fewer than it takes to
	// paint over the neighbouring lines.
	maxMarks = 6
)

// clean prepares hostile text for a page: NFC, without control characters and without the characters that reorder
// or hide what follows (Unicode TR 36; "Trojan Source", CVE-2021-42574). Joiners stay inside words that need them
// (emoji, Indic scripts). html/template does the escaping.
func clean(s string) words {
	var w words
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	var b strings.Builder
	n, marks := 0, 0
	var last rune
	for _, r := range s {
		if n >= maxShown {
			w.Cut = true
			break
		}
		if hides(r) || (r == 0x200D && !joins(last)) {
			w.Hidden = true
			continue
		}
		if r == '\r' || r == 0x2028 || r == 0x2029 || r == 0x85 {
			r = '\n'
		}
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			if marks++; marks > maxMarks {
				w.Hidden = true
				continue
			}
		} else {
			marks = 0
		}
		b.WriteRune(r)
		last = r
		n++
	}
	w.Text = strings.TrimRight(b.String(), "\n ")
	return w
}

// cleanLine is clean for a name or another text of one line.
func cleanLine(s string) words {
	w := clean(s)
	w.Text = strings.Join(strings.Fields(w.Text), " ")
	return w
}

// hides reports whether r has no shape of its own but changes how its neighbours look.
func hides(r rune) bool {
	switch {
	case r == '\n' || r == '\t' || r == '\r' || r == 0x85:
		return false
	case r < 0x20, r >= 0x7F && r <= 0x9F: // C0, DEL, C1
		return true
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069: // embeddings, overrides, isolates
		return true
	case r == 0x200B, r == 0x200C, r == 0x200E, r == 0x200F, r == 0x061C: // zero width, marks
		return true
	case r >= 0x2060 && r <= 0x2064, r >= 0x206A && r <= 0x206F, r == 0xFEFF, r == 0x00AD, r == 0x180E:
		return true
	case r >= 0xE0000 && r <= 0xE0FFF: // tags, variation selectors supplement
		return true
	case r >= 0xFFF9 && r <= 0xFFFB, r == 0xFFFD:
		return true
	case r == 0x115F, r == 0x1160, r == 0x3164, r == 0xFFA0: // blank "letters"
		return true
	}
	return false
}

// joins reports whether a zero-width joiner after r can mean something.
func joins(r rune) bool {
	return r >= 0x1F000 || (r >= 0x2600 && r <= 0x27BF) || r == 0xFE0F || (r >= 0x0900 && r <= 0x109F) ||
		(r >= 0x1780 && r <= 0x17FF)
}
