package desk

import (
	"regexp"
	"strings"
	"unicode"
)

// A citizen writes numbers and pins into the chat. What the page masks elsewhere it masks there too, or a glance
// at the timeline would undo the gate: no number can be read off a case that may not be rung.

// sep is what people and messengers put between the digits of a number: WhatsApp writes +62 812‑3456‑7890 with hyphens that
// do not break, and 1️⃣ is a digit with two marks behind it.
const sep = `[\p{Zs}\p{Pd}−.…/()_,*·•~|\x{FE0F}\x{20E3}]`

var (
	// longDigits is a run of at least 7 digits with at most three separators between two of them.
	longDigits = regexp.MustCompile(`[+＋]?` + sep + `{0,2}\p{Nd}(?:` + sep + `{0,3}\p{Nd}){6,}`)
	// letterDigits is a passport number: one or two letters and six or seven digits.
	letterDigits = regexp.MustCompile(`(?i)\b[a-z]{1,2}[ .\-]?\p{Nd}{6,7}\b`)
	// precise is a coordinate with four or more decimals, a pair with three (about 100 m; alone that is an amount of
	// money), or degrees with minutes.
	precise = regexp.MustCompile(`-?\d{1,3}[.,]\d{4,}|-?\d{1,2}[.,]\d{3}\s*[,;/ ]\s*-?\d{2,3}[.,]\d{3}|\d{1,3}\s?[°º]\s?\d{1,2}\s?['′’]?(?:\s?[\d.]+\s?(?:"|″|”|''))?\s?[NSEWUTBnsewutb]?`)
	// plusCode is a place in ten symbols (Open Location Code).
	plusCode = regexp.MustCompile(`(?i)\b[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,4}\b`)
	// webLink may carry a pin, a phone number or an account.
	webLink = regexp.MustCompile(`(?i)\b(?:https?://|www\.|geo:|tel:|(?:maps\.app\.goo\.gl|goo\.gl|wa\.me|t\.me)/)\S+`)
	// dateLike and hoursLike are digits that nobody can ring.
	dateLike  = regexp.MustCompile(`^\d{1,2}[.\-/ ]\d{1,2}[.\-/ ](?:19|20)\d{2}$|^(?:19|20)\d{2}[.\-/]\d{1,2}[.\-/]\d{1,2}$`)
	hoursLike = regexp.MustCompile(`^\d{1,2}[.:]\d{2} ?[-–—] ?\d{1,2}[.:]\d{2}$`)
)

// shown says which kinds of numbers a text may show.
type shown struct {
	Phone bool // revealed, and MayCall allows it
	Pin   bool
	IDs   bool // NIK, passport
	Name  bool
	Word  bool // the code word
}

// mask replaces the numbers, links and coordinates of a cleaned text that may not be shown by dots. The last two
// digits stay, so that an officer recognises a number she already knows.
func mask(s string, may shown) string {
	if may.Phone && may.Pin && may.IDs {
		return s
	}
	if !may.Pin || !may.Phone {
		s = webLink.ReplaceAllStringFunc(s, func(m string) string {
			if i := strings.Index(m, "://"); i >= 0 {
				return m[:i+3] + "•••"
			}
			return "•••"
		})
	}
	if !may.Pin {
		s = plusCode.ReplaceAllString(precise.ReplaceAllString(s, "•.•"), "•••+••")
	}
	if !may.IDs {
		s = letterDigits.ReplaceAllStringFunc(s, func(m string) string { return dots(m, 2) })
	}
	return longDigits.ReplaceAllStringFunc(s, func(m string) string {
		t := strings.TrimLeft(m, " .,;(–—-") // malam, 21.00-22.00
		if dateLike.MatchString(t) || hoursLike.MatchString(t) {
			return m
		}
		if n := digits(m); (n >= 16 && may.IDs) || (n < 16 && may.Phone) {
			return m
		}
		return dots(m, 2)
	})
}

// masked is somebody's text, made safe to look at, without the numbers that may not be shown.
func masked(s string, may shown) words {
	w := clean(s)
	w.Text = mask(w.Text, may)
	return w
}

func digits(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// dots replaces letters and digits but the last keep ones.
func dots(s string, keep int) string {
	total := 0
	for _, r := range s {
		if unicode.IsDigit(r) || unicode.IsLetter(r) {
			total++
		}
	}
	i := 0
	return strings.Map(func(r rune) rune {
		if !unicode.IsDigit(r) && !unicode.IsLetter(r) {
			return r
		}
		if i++; i > total-keep {
			return r
		}
		return '•'
	}, s)
}

// maskName keeps the first letter of each word.
func maskName(s string) string {
	fields := strings.Fields(s)
	for i, f := range fields {
		r := []rune(f)
		fields[i] = string(r[0]) + "•••"
	}
	return strings.Join(fields, " ")
}

// maskNumber keeps the last two digits.
func maskNumber(s string) string {
	if s == "" {
		return ""
	}
	return dots(s, 2)
}
