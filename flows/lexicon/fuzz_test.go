package lexicon

import (
	"slices"
	"testing"
	"unicode/utf8"

	"pulang/flows"
)

// odd are texts that no person means well with.
var odd = []string{"", " ", "\x00", "\xff\xfe", "2️⃣1️⃣", "ａｍａｎ １２", "o'''''smach", "''", "1111111111111111111111", "ber-", "-5", "+", "08", "a2", "2a", "٣٤", "១២៣", "🆘🆘🆘", "\u202eaman\u202c", "tooooooolooooooong", "jam - jam", "setengah", "puluh", "ke ke ke", "nama saya", "99999999999-99999999999"}

func seed(f *testing.F) {
	for _, s := range sentences(f) {
		f.Add(s)
	}
	for _, s := range odd {
		f.Add(s)
	}
}

func FuzzRead(f *testing.F) {
	steps := []flows.StepID{""}
	for s := range flows.Menus {
		steps = append(steps, s)
	}
	for s := range open {
		steps = append(steps, s)
	}
	slices.Sort(steps)
	for i, text := range append(sentences(f), odd...) {
		f.Add(text, byte(0))
		f.Add(text, byte(i))
	}
	f.Fuzz(func(t *testing.T, text string, step byte) {
		for _, s := range steps[int(step)%len(steps):][:1] {
			r := read(text, s)
			if r.Age < 0 || r.Age > 120 || r.GroupSize < 0 {
				t.Fatalf("%q at %s: age %d, size %d", text, s, r.Age, r.GroupSize)
			}
			if utf8.ValidString(text) && !utf8.ValidString(r.FullName) {
				t.Fatalf("%q: the name %q is cut inside a letter", text, r.FullName)
			}
			if r.Phone != "" && r.Phone != Ambiguous && (r.Phone[0] != '+' || len(r.Phone) < 9 || len(r.Phone) > 16) {
				t.Fatalf("%q: %q is no E.164 number", text, r.Phone)
			}
			for _, w := range r.SafeTime {
				if len(w[0]) != 5 || len(w[1]) != 5 || w[0] >= "24:00" || w[1] >= "24:00" {
					t.Fatalf("%q: %q is no window", text, w)
				}
			}
		}
	})
}

func FuzzNormalise(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		d := Default().words(text)
		last := 0
		for _, x := range d.all {
			if x.start < last || x.end < x.start || x.end > len(text) {
				t.Fatalf("%q: word %q stands at %d-%d after %d", text, x.raw, x.start, x.end, last)
			}
			last = x.start
		}
	})
}

func FuzzNumbers(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		s := reader{Lexicon: Default(), doc: Default().words(text)}
		for i := range s.toks {
			if v, next := s.numberAt(i); next < i || next > len(s.toks) || next > i && v < 0 {
				t.Fatalf("%q: number %d at %d-%d", text, v, i, next)
			}
		}
	})
}

func FuzzDates(f *testing.F) {
	seed(f)
	for _, s := range []string{"31-02-2001", "00/00/00", "1 jan 1", "2001-08-17", "17082001", "99999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if r := read(text, flows.StepBirthDate); r.BirthDate != "" && len(r.BirthDate) != 10 {
			t.Fatalf("%q: %q is no date", text, r.BirthDate)
		}
	})
}

func FuzzPhones(f *testing.F) {
	seed(f)
	for _, s := range []string{"+855 12 345 678", "0812-3456-7890", "088 200 0456", "00855123456", "(+62) 812", "nol delapan", "+", "++++1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read(text, flows.StepCallbackNumber)
	})
}
