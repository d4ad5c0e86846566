package lexicon

import (
	"fmt"
	"time"

	"pulang/flows"
)

// born reads a date of birth, or an age.
func (s *reader) born() {
	if !s.doc.hasNumbers() && !s.digits {
		return
	}
	atStep := s.c.Step == flows.StepBirthDate
	if atStep || s.says("birth", "talk") {
		if y, m, d, ok := s.date(); ok {
			if t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC); t.Day() == d && (s.c.At.Year() < 2 || !t.After(s.c.At)) && y > 1900 {
				s.r.BirthDate = fmt.Sprintf("%04d-%02d-%02d", y, m, d)
				return
			}
		}
	}
	for i := range s.toks {
		v, next := s.numberAt(i)
		if next == i || v < 1 || v > 100 {
			continue
		}
		years := next < len(s.toks) && s.toks[next].gap == space && s.names[s.toks[next].id] == "tahun"
		if !years && s.unit(next) {
			continue // umur 9 bulan
		}
		said := s.ageWord(i) || s.ageWord(next) && !years || years && s.ageWord(next+1) || years && s.stillAge(i, next, v)
		if v < 8 && s.c.Step != flows.StepGroupSize && (atStep || said) { // a child of the writer's
			continue
		}
		switch {
		case said && !s.theirAge(i):
			s.age(v)
			return
		case atStep && (years || len(s.toks) <= 2 && v >= 5 && !s.unit(next)):
			s.age(v)
			return
		}
	}
}

// nobody reads that nobody is with the person, or no adult. At the questions that "sendirian" answers it only counts heads.
func (s *reader) nobody() {
	if s.says("alone", "adult") {
		s.r.Alone = true
	}
	if s.c.Step == flows.StepWhoFor || s.c.Step == flows.StepGroupSize {
		return
	}
	for i, t := range s.toks {
		if (t.raw == "sendirian" || t.raw == "alone") && !s.denied(hit{start: i, end: i + 1}) {
			s.r.Alone = true
		}
	}
}

func (s *reader) age(v int) {
	s.r.Age = v
	if v < 18 && s.r.WhoFor != "other_person" && (s.c.Step == "" || s.c.Step == flows.StepBirthDate || s.c.Step == flows.StepUrgentNeeds) {
		if s.c.Step != flows.StepBirthDate {
			s.need("child")
		}
		s.signal("minor")
	}
	if v < 18 && s.r.WhoFor == "other_person" && s.c.Step == "" {
		s.need("child")
	}
}

// stillAge reads "saya masih 16 tahun", which people write of children only, and "saya 16 tahun" where nothing follows or an
// illness does; not "kontrak masih 10 tahun di sini", "saya 15 tahun di malaysia".
func (s *reader) stillAge(i, next, v int) bool {
	if v >= 8 && v <= 17 && i > 0 && s.toks[i].gap == space && s.kind[s.toks[i-1].id]&meNoun != 0 && (i == 1 || s.kind[s.toks[i-2].id] == 0) {
		return next+1 >= len(s.toks) || s.toks[next+1].gap != space || s.needAt(next+1)
	}
	if v < 8 || v > 17 || i == 0 || s.names[s.toks[i-1].id] != "masih" || i > 1 && s.kind[s.toks[i-2].id]&(meNoun|personNoun) == 0 {
		return false
	}
	if i > 2 && s.kind[s.toks[i-3].id]&^(meNoun|personNoun) != 0 {
		return false
	}
	return next+1 >= len(s.toks) || s.toks[next+1].gap != space
}

// needAt says whether a need begins at word i: "hamil", "sakit".
func (s *reader) needAt(i int) bool {
	for _, h := range s.hits {
		if h.start == i && s.topics[s.topicOf[h.section]] == "need" {
			return true
		}
	}
	return false
}

// ageWord says whether the word at i, or the one before number word i, is "umur" or the like.
func (s *reader) ageWord(i int) bool {
	for k := i - 1; k >= 0 && i-k <= 3; k-- {
		if s.names[s.toks[k].id] == "umur" {
			return true
		}
		if !(s.kind[s.toks[k].id]&meNoun != 0 || s.on.Plain.has(s.toks[k].id) || s.on.Now.has(s.toks[k].id)) {
			break
		}
	}
	return i < len(s.toks) && i >= 0 && s.names[s.toks[i].id] == "umur" && s.toks[i].gap == space
}

// theirAge says whether an age is told of somebody other than the one the report is for.
func (s *reader) theirAge(i int) bool {
	return s.r.WhoFor != "other_person" && s.theirs(hit{start: i, end: i + 1}) && s.c.Step != flows.StepBirthDate
}

// date reads a date in the Indonesian order, day first: 17-8-01, 5 peb 98, "tgl sepuluh bulan sepuluh taun sembilan
// sembilan". ISO dates (2001-08-17) are read as well.
func (s *reader) date() (y, m, d int, ok bool) {
	var nums []int // the parts in order; months by name stand as 100+month
	for i := 0; i < len(s.toks); {
		t := s.toks[i]
		name := s.names[t.id]
		if mo := month(name); mo > 0 {
			nums = append(nums, 100+mo)
			i++
			continue
		}
		if v, next := s.numberAt(i); next > i {
			// sembilan sembilan: a year digit by digit
			if len(nums) == 2 && v < 10 && t.id != s.number {
				digits, k := 0, i
				for k < len(s.toks) && s.toks[k].num >= 0 && s.toks[k].num <= 9 && s.toks[k].id != s.number && k-i < 4 {
					digits = digits*10 + s.toks[k].num
					k++
				}
				if k-i == 2 || k-i == 4 {
					v, next = digits, k
				}
			}
			if v == 2 && next < len(s.toks) && s.names[s.toks[next].id] == "ribu" { // dua ribu tiga
				v, next = 2000, next+1
				if w, n := s.numberAt(next); n > next && w < 100 {
					v, next = 2000+w, n
				}
			}
			if len(t.raw) == 8 && t.id == s.number && len(nums) == 0 { // 17082001
				var a, b, c int
				if n, _ := fmt.Sscanf(t.raw, "%2d%2d%4d", &a, &b, &c); n == 3 && b <= 12 {
					return c, b, a, b >= 1 && a >= 1 && a <= 31
				}
			}
			nums = append(nums, v)
			i = next
			continue
		}
		if t.num < 0 && t.id == s.number && len(t.raw) == 8 && len(nums) == 0 {
			var a, b, c int
			if n, _ := fmt.Sscanf(t.raw, "%2d%2d%4d", &a, &b, &c); n == 3 && b >= 1 && b <= 12 && a >= 1 && a <= 31 {
				return c, b, a, true
			}
		}
		if len(nums) > 0 && len(nums) < 3 && !s.lists["dateword"].has(t.id) {
			nums = nums[:0]
		}
		i++
	}
	for k := 0; k+2 < len(nums); k++ {
		a, b, c := nums[k], nums[k+1], nums[k+2]
		switch {
		case a > 1900 && a < 2100 && b >= 1 && b <= 12 && c >= 1 && c <= 31:
			return a, b, c, true
		case b > 100 && b < 200 && a >= 1 && a <= 31:
			return s.year(c), b - 100, a, s.year(c) > 0
		case a > 100 && a < 200 && b >= 1 && b <= 31: // August 17 2001
			return s.year(c), a - 100, b, s.year(c) > 0
		case a >= 1 && a <= 31 && b >= 1 && b <= 12:
			return s.year(c), b, a, s.year(c) > 0
		case a >= 1 && a <= 12 && b > 12 && b <= 31: // the American order, where no other is possible
			return s.year(c), a, b, s.year(c) > 0
		}
	}
	return 0, 0, 0, false
}

// year completes a year of two digits: above this year's it is of the last century.
func (s *reader) year(v int) int {
	switch {
	case v >= 1900 && v < 2100:
		return v
	case v < 0 || v > 99:
		return 0
	}
	now := s.c.At.Year()
	if now < 2 {
		now = 2026
	}
	if v > now%100 {
		return 1900 + v
	}
	return 2000 + v
}
