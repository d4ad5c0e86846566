package casework

import (
	"strings"
	"unicode"
)

// Alphabet are the symbols of every code: no I, O, 0 or 1, which people confuse on paper and on the phone.
const Alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// A case code has two symbols of the line, five drawn ones and a check symbol: K7M4-692Q. A group's join code has
// six drawn ones and nine in all, K7M-469-2XQ: nobody hands out the leader's case code for it, and neither is taken
// for the other.
const (
	codeLen = 8
	joinLen = 9
)

// The check is one symbol over the field of 32 elements: the sum of all symbols, each times its own power of the
// generator, is zero. A single wrong symbol and two symbols changed round always disturb that sum.
var (
	powers [joinLen]byte // powers[i] belongs to the i-th symbol from the right; the check symbol's is 1
	times  [32][32]byte
	symbol [256]int8
)

func init() {
	for i := range symbol {
		symbol[i] = -1
	}
	for i := range len(Alphabet) {
		symbol[Alphabet[i]] = int8(i)
	}
	for a := range 32 {
		for b := range 32 {
			times[a][b] = gf32(byte(a), byte(b))
		}
	}
	powers[0] = 1
	for i := 1; i < len(powers); i++ {
		powers[i] = times[powers[i-1]][2]
	}
}

// gf32 multiplies modulo x^5 + x^2 + 1, which is primitive: the powers of 2 are 31 different elements.
func gf32(a, b byte) byte {
	var p byte
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			p ^= a
		}
		a <<= 1
		if a&32 != 0 {
			a ^= 0b100101
		}
	}
	return p
}

// ValidPrefix reports whether p can lead a line's codes: two symbols of the Alphabet.
func ValidPrefix(p string) bool {
	return len(p) == 2 && symbol[p[0]] >= 0 && symbol[p[1]] >= 0
}

// NewCode makes a case code, as it is shown, from the line's prefix and five random bytes. An unusable prefix
// panics: the mission file was checked at the start.
func NewCode(prefix string, rnd [5]byte) string {
	s := draw(prefix, rnd[:])
	return s[:4] + "-" + s[4:]
}

// NewJoinCode makes the join code of a group.
func NewJoinCode(prefix string, rnd [6]byte) string {
	return showJoin(draw(prefix, rnd[:]))
}

func showJoin(s string) string { return s[:3] + "-" + s[3:6] + "-" + s[6:] }

func draw(prefix string, rnd []byte) string {
	if !ValidPrefix(prefix) {
		panic("casework: prefix of a line is not two symbols of the alphabet")
	}
	b := []byte(prefix)
	for _, r := range rnd {
		b = append(b, Alphabet[r&31])
	}
	b = append(b, Alphabet[0]) // stands for zero
	return string(append(b[:len(b)-1], Alphabet[parity(b)]))
}

// parity is zero exactly for a code with the right check symbol.
func parity(code []byte) byte {
	var sum byte
	for i, s := range code {
		sum ^= times[symbol[s]][powers[len(code)-1-i]]
	}
	return sum
}

// ParseCode reads a case code as people type it: lower case, without the dash, with spaces, in full-width symbols,
// and with O, 0, I or 1 for what they were misread from where the check symbol leaves exactly one possibility.
// The result is in the form in which codes are shown and stored.
func ParseCode(s string) (code string, ok bool) {
	c, ok := parse(s, codeLen)
	if !ok {
		return "", false
	}
	return c[:4] + "-" + c[4:], true
}

// ParseJoinCode reads the join code of a group in the same way.
func ParseJoinCode(s string) (code string, ok bool) {
	c, ok := parse(s, joinLen)
	if !ok {
		return "", false
	}
	return showJoin(c), true
}

// misread are the symbols that each foreign one may stand for.
var misread = map[byte]string{'O': "QD", '0': "QD", 'I': "LJ", '1': "LJ7"}

func parse(s string, length int) (string, bool) {
	if len(s) > 64 {
		return "", false
	}
	var b []byte
	for _, r := range s {
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFEE0
		}
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r), strings.ContainsRune("._/−", r):
			continue
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		if r > 127 || symbol[byte(r)] < 0 && misread[byte(r)] == "" {
			return "", false
		}
		b = append(b, byte(r))
	}
	if len(b) != length {
		return "", false
	}
	found := repair(b, 0)
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

// repair tries every meaning of the foreign symbols from position i on and returns those whose check is right.
func repair(b []byte, i int) []string {
	for ; i < len(b); i++ {
		if symbol[b[i]] >= 0 {
			continue
		}
		var found []string
		was := b[i]
		for _, s := range []byte(misread[was]) {
			b[i] = s
			found = append(found, repair(b, i+1)...)
		}
		b[i] = was
		return found
	}
	if parity(b) != 0 {
		return nil
	}
	return []string{string(b)}
}

// CodePrefix is the line's part of a code in the form ParseCode returns.
func CodePrefix(code string) string {
	if len(code) < 2 {
		return ""
	}
	return code[:2]
}
