package casework

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var samples = [][5]byte{
	{0, 0, 0, 0, 0}, {31, 31, 31, 31, 31}, {1, 2, 3, 4, 5}, {255, 128, 64, 32, 16}, {7, 7, 9, 9, 7}, {200, 3, 91, 17, 250},
}

func TestCodeForm(t *testing.T) {
	for _, rnd := range samples {
		code := NewCode("K7", rnd)
		if len(code) != 9 || code[4] != '-' || !strings.HasPrefix(code, "K7") {
			t.Fatalf("code %q", code)
		}
		if strings.ContainsAny(code, "IO01") {
			t.Errorf("code %q has a symbol that people confuse", code)
		}
		if got, ok := ParseCode(code); !ok || got != code {
			t.Errorf("ParseCode(%q) = %q, %v", code, got, ok)
		}
		if CodePrefix(code) != "K7" {
			t.Errorf("prefix of %q: %q", code, CodePrefix(code))
		}
	}
	if NewCode("K7", samples[0]) == NewCode("M5", samples[0]) {
		t.Error("two lines have the same code")
	}
}

func TestCodeAsTyped(t *testing.T) {
	code := NewCode("K7", [5]byte{3, 14, 15, 9, 26})
	bare := strings.ReplaceAll(code, "-", "")
	full := strings.Map(func(r rune) rune {
		if r == '-' {
			return r
		}
		return r + 0xFEE0
	}, code)
	for _, typed := range []string{
		strings.ToLower(code), bare, strings.ToLower(bare), " " + code + "\n", bare[:4] + " " + bare[4:], bare[:2] + "-" + bare[2:5] + "-" + bare[5:],
		code[:4] + "–" + code[5:], code[:4] + "\u00a0-\u200b" + code[5:], full, strings.Join(strings.Split(bare, ""), " "), bare[:4] + "." + bare[4:],
	} {
		if got, ok := ParseCode(typed); !ok || got != code {
			t.Errorf("ParseCode(%q) = %q, %v; want %q", typed, got, ok, code)
		}
	}
	for _, wrong := range []string{"", "K7", bare[:7], bare + "A", code + "!", "' OR 1=1", strings.Repeat("A", 1000), "ÄÖÜ4-692Q", bare[:4] + "\x00" + bare[4:]} {
		if got, ok := ParseCode(wrong); ok {
			t.Errorf("ParseCode(%q) = %q", wrong, got)
		}
	}
}

// O, 0, I and 1 are no symbols: they stand for what they were misread from, if the check symbol says which.
func TestCodeRepair(t *testing.T) {
	repaired := 0
	for _, rnd := range append(samples, [5]byte{14, 3, 10, 8, 14}, [5]byte{3, 8, 10, 30, 14}) {
		code := NewCode("K7", rnd)
		for i := range len(code) {
			var typed string
			switch code[i] {
			case 'Q', 'D':
				typed = "O0"
			case 'L', 'J':
				typed = "I1"
			case '7':
				typed = "1"
			}
			for _, x := range typed {
				s := code[:i] + string(x) + code[i+1:]
				if got, ok := ParseCode(s); !ok || got != code {
					t.Errorf("ParseCode(%q) = %q, %v; want %q", s, got, ok, code)
				}
				repaired++
			}
		}
	}
	if repaired < 8 {
		t.Errorf("only %d repairs tried", repaired)
	}
}

// Every single wrong symbol and every pair of neighbours changed round is caught, at every position, in both kinds of
// code.
func TestCheckSymbol(t *testing.T) {
	try := func(t *testing.T, good string, parse func(string) (string, bool)) {
		t.Helper()
		if _, ok := parse(good); !ok {
			t.Fatalf("%q itself is refused", good)
		}
		for i := range len(good) {
			for _, s := range []byte(Alphabet) {
				bad := []byte(good)
				if bad[i] == s {
					continue
				}
				bad[i] = s
				if _, ok := parse(string(bad)); ok {
					t.Fatalf("%s for %s: wrong symbol at %d not caught", bad, good, i)
				}
			}
			if i+1 < len(good) && good[i] != good[i+1] {
				bad := []byte(good)
				bad[i], bad[i+1] = bad[i+1], bad[i]
				if _, ok := parse(string(bad)); ok {
					t.Fatalf("%s for %s: swap at %d not caught", bad, good, i)
				}
			}
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		prefix := string([]byte{Alphabet[rapid.IntRange(0, 31).Draw(rt, "p1")], Alphabet[rapid.IntRange(0, 31).Draw(rt, "p2")]})
		var rnd [6]byte
		for i := range rnd {
			rnd[i] = rapid.Byte().Draw(rt, "random")
		}
		try(t, strings.ReplaceAll(NewCode(prefix, [5]byte(rnd[:5])), "-", ""), ParseCode)
		try(t, strings.ReplaceAll(NewJoinCode(prefix, rnd), "-", ""), ParseJoinCode)
	})
}

// A group's join code is never taken for a case code, nor the other way round.
func TestJoinCodeIsNoCaseCode(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var rnd [6]byte
		for i := range rnd {
			rnd[i] = rapid.Byte().Draw(rt, "random")
		}
		join, code := NewJoinCode("K7", rnd), NewCode("K7", [5]byte(rnd[:5]))
		if got, ok := ParseJoinCode(strings.ToLower(join)); !ok || got != join {
			rt.Fatalf("ParseJoinCode(%q) = %q, %v", join, got, ok)
		}
		if _, ok := ParseCode(join); ok {
			rt.Fatalf("join code %q read as a case code", join)
		}
		if _, ok := ParseJoinCode(code); ok {
			rt.Fatalf("case code %q read as a join code", code)
		}
	})
}

func FuzzParseCode(f *testing.F) {
	f.Add("K7M4-692Q")
	f.Add("k7m4 692q")
	f.Add("O0I1O0I1")
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := ParseCode(s)
		if !ok {
			return
		}
		if again, ok := ParseCode(code); !ok || again != code {
			t.Errorf("ParseCode(%q) = %q, which is read as %q, %v", s, code, again, ok)
		}
	})
}
