package lexicon

import (
	"fmt"
	"strings"
	"unicode"
)

// clock is a time of day as it was said.
type clock struct {
	minutes int // after midnight; of an hour of the twelve-hour clock, as it was said
	form    clockForm
	part    dayPart // the part of the day that stood beside it
	named   bool    // "jam", minutes or a part of the day stood beside it: more than a number
	full    bool    // hours and minutes were written: 08.00
	praying bool    // set by a prayer
	prayer  prayer
	start   int
	end     int
}

type clockForm int

const (
	bare   clockForm = iota // 1 to 12: morning or evening, nobody knows
	zeroed                  // 01, 09.30: the 24-hour clock, unless a part of the day is said
	fixed                   // 13 to 24, 00, or a part of the day was said
	broken                  // what was said contradicts itself: jam 8 siang
)

type dayPart int

const (
	anyPart dayPart = iota
	dawn
	morning
	noon
	afternoon
	evening
	am
	pm
)

const halfDay, wholeDay = 720, 1440

// partSpan is when a part of the day begins and ends. None is as long as half a day, so that an hour of the
// twelve-hour clock fits once or not at all. "12 pagi" is none: some mean noon by it.
var partSpan = map[dayPart][2]int{
	dawn: {0, 7*60 - 1}, morning: {1, 719}, noon: {10 * 60, 17*60 - 1}, afternoon: {13 * 60, 20*60 - 1},
	evening: {18 * 60, 29*60 - 1}, am: {0, 719}, pm: {720, 1439},
}

// holdsTime says whether a time of day, in minutes after midnight, lies in a part of the day.
func (p dayPart) holdsTime(m int) bool {
	s := partSpan[p]
	return m >= s[0] && m <= s[1] || m+wholeDay <= s[1]
}

// inPart moves an hour of the twelve-hour clock into a part of the day: 1 siang is 13:00, 12 malam is midnight, 1 malam
// is 01:00. It is false for an hour that this part of the day does not have.
func inPart(m int, p dayPart) (int, bool) {
	m %= halfDay
	for _, at := range [2]int{m, m + halfDay} {
		if p.holdsTime(at) {
			return at, true
		}
	}
	return 0, false
}

// times are the times of day that a clock may mean. elsewhere: a part of the day was said at the other end, so that
// the hours are those of the twelve-hour clock ("09.00-10.00 malam").
func (c clock) times(elsewhere bool) []int {
	if c.form == bare || c.form == zeroed && elsewhere {
		return []int{c.minutes % halfDay, c.minutes%halfDay + halfDay}
	}
	return []int{c.minutes % wholeDay}
}

// clockAt reads one time of day at word i.
func (s *reader) clockAt(i int) (clock, bool) {
	c := clock{start: i}
	for i < len(s.toks) && (i == c.start || s.toks[i].gap != stop) {
		if p, next := s.partAt(i); p != anyPart && next < len(s.toks) && s.toks[next].gap == space && !s.greetedBy(i) && (s.says2(next, "clockword") || s.says2(next, "half") || s.toks[next].num >= 0) {
			c.part, c.named = p, true
			i = next
			continue
		}
		if !s.says2(i, "clockword") {
			break
		}
		c.named = c.named || s.names[s.toks[i].id] == "jam" || s.names[s.toks[i].id] == "pukul" || s.toks[i].raw == "at"
		i++
	}
	half := i < len(s.toks) && s.says2(i, "half")
	if half {
		i++
	}
	v, next := s.numberAt(i)
	if next == i || v > 24 || s.partOfNumber(i) {
		return c, false
	}
	c.minutes = v * 60
	if v == 0 || v > 12 {
		c.form = fixed
	} else if raw := s.toks[i].raw; len(raw) == 2 && raw[0] == '0' {
		c.form = zeroed
	}
	if next < len(s.toks) && s.toks[i].id == s.number && s.toks[next].id == s.number && s.toks[next].start == s.toks[i].end+1 && s.toks[next].num < 60 && len(s.toks[next].raw) == 2 { // 19.30, 19:30
		if sep := s.text[s.toks[i].end]; sep == '.' || sep == ':' {
			c.minutes += s.toks[next].num
			c.named, c.full = true, true
			next++
		}
	}
	next = s.minutesAt(next, &c, half)
	if s.partOfNumber(next-1) && c.full {
		return c, false
	}
	if s.duration(next) {
		return c, false
	}
	c.end = s.partsAfter(next, &c)
	if c.minutes < 0 || c.minutes > wholeDay {
		return c, false
	}
	if c.part == anyPart {
		c.part = s.partBefore(c.start)
	}
	c.settlePart()
	return c, true
}

// minutesAt reads what is said beside the hour: "setengah 8", "jam 8 lewat 15", "kurang 10", "jam 8 setengah".
func (s *reader) minutesAt(next int, c *clock, half bool) int {
	if half {
		c.minutes -= 30
		if c.minutes < 30 && c.form == bare { // setengah 1
			c.minutes += halfDay
		}
		return next
	}
	if next >= len(s.toks) || s.toks[next].gap != space || s.dashBefore(next) {
		return next
	}
	number := next+1 < len(s.toks) && s.toks[next+1].gap == space && s.toks[next+1].num > 0 && s.toks[next+1].num < 60
	switch s.names[s.toks[next].id] {
	case "setengah":
		if !number {
			c.minutes += 30
			return next + 1
		}
	case "lewat":
		if number {
			c.minutes += s.toks[next+1].num
			return next + 2
		}
	case "kurang":
		if number {
			c.minutes -= s.toks[next+1].num
			return next + 2
		}
	}
	return next
}

// partsAfter reads the part of the day behind an hour, and returns the word after it: "jam 2 malam", "jam 2 nanti
// malam", "jam 2 dini hari", "7 pm".
func (s *reader) partsAfter(next int, c *clock) int {
	for k := next; k < len(s.toks) && s.toks[k].gap == space && k-next < 4; {
		p, after := s.partAt(k)
		if p == anyPart {
			if !s.says2(k, "partlead") || s.names[s.toks[k].id] == "atau" {
				break
			}
			k++
			continue
		}
		if after < len(s.toks) && s.toks[after].gap == space && k > next && (s.toks[after].num >= 0 || s.names[s.toks[after].id] == "jam") {
			break // jam 9 besok malam jam 10
		}
		if c.part == anyPart || p != noon && p != morning || c.part == p {
			c.part = p
		} else {
			c.form = broken // malam jam 9 pagi
		}
		c.named = true
		next, k = after, after
	}
	return next
}

// partBefore is the part of the day that stands a word or two before an hour: "malam di atas jam 11".
func (s *reader) partBefore(start int) dayPart {
	for k := start - 1; k >= 0 && start-k <= 3 && s.toks[k+1].gap == space; k-- {
		if p, _ := s.partAt(k); p != anyPart && !s.greetedBy(k) {
			return p
		}
		if s.names[s.toks[k].id] == "makan" && k == start-1 { // jam makan 12-1
			return noon
		}
		if !s.says2(k, "partlead") {
			break
		}
	}
	return anyPart
}

// greetedBy says whether the part of the day at word i is a greeting: "selamat malam", "pagi pak".
func (s *reader) greetedBy(i int) bool {
	if i > 0 {
		return s.toks[i].gap == space && s.names[s.toks[i-1].id] == "selamat"
	}
	return len(s.toks) > 1 && strings.ContainsFunc(s.text[s.toks[0].end:max(s.toks[0].end, s.toks[1].start)], unicode.IsLetter)
}

// settlePart puts the hour into its part of the day.
func (c *clock) settlePart() {
	if c.part == anyPart || c.form == broken {
		return
	}
	if c.form == fixed {
		if !c.part.holdsTime(c.minutes % wholeDay) {
			c.form = broken
		}
		return
	}
	m, ok := inPart(c.minutes, c.part)
	if !ok {
		c.form = broken
		return
	}
	c.minutes, c.form = m, fixed
}

// partAt reads a part of the day at word i, and the word after it; anyPart when there is none.
func (s *reader) partAt(i int) (dayPart, int) {
	if i < 0 || i >= len(s.toks) {
		return anyPart, i
	}
	next := func(raw string) bool {
		return i+1 < len(s.toks) && (s.toks[i+1].raw == raw || s.names[s.toks[i+1].id] == raw)
	}
	switch s.names[s.toks[i].id] {
	case "pagi":
		return morning, i + 1
	case "subuh":
		return dawn, i + 1
	case "siang", "zuhur":
		return noon, i + 1
	case "sore", "asar":
		return afternoon, i + 1
	case "malam":
		return evening, i + 1
	}
	switch raw := s.toks[i].raw; {
	case raw == "dini" && next("hari"):
		return dawn, i + 2
	case raw == "dinihari":
		return dawn, i + 1
	case raw == "am":
		return am, i + 1
	case raw == "pm":
		return pm, i + 1
	case (raw == "a" || raw == "p") && next("m") && s.toks[i+1].start == s.toks[i].end+1 && i > 0 && s.toks[i-1].num >= 0: // 9 p.m.
		if raw == "a" {
			return am, i + 2
		}
		return pm, i + 2
	}
	return anyPart, i
}

// duration says whether the word after a number makes it no time of day: 2 hari, 2 jam lagi.
func (s *reader) duration(next int) bool {
	if next >= len(s.toks) || s.toks[next].gap != space || s.dashBefore(next) {
		return false
	}
	if s.names[s.toks[next].id] == "jam" { // from jam 1 jam 2
		return next+1 >= len(s.toks) || s.toks[next+1].num < 0 || s.toks[next+1].gap != space
	}
	p, _ := s.partAt(next)
	return s.unit(next) && p == anyPart
}

// partOfNumber says whether the number at word i is a piece of a longer one: a date, a telephone number.
func (s *reader) partOfNumber(i int) bool {
	glued := func(a, b int) bool { // joined by a dash or a stroke, and not two hours
		return a >= 0 && b < len(s.toks) && s.toks[a].num >= 0 && s.toks[b].num >= 0 && s.toks[a].id == s.number && s.toks[b].id == s.number &&
			s.toks[b].start == s.toks[a].end+1 && (s.text[s.toks[a].end] == '-' || s.text[s.toks[a].end] == '/')
	}
	return glued(i-2, i-1) && glued(i-1, i) || glued(i-1, i) && glued(i, i+1) || glued(i, i+1) && glued(i+1, i+2)
}

func hhmm(m int) string { return fmt.Sprintf("%02d:%02d", m/60%24, m%60) }
