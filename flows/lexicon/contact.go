package lexicon

import (
	"fmt"
	"regexp"

	"pulang/flows"
)

// dontCall is read in the letters: to the lists "don't call" and "nobody calls" are the same words.
var dontCall = regexp.MustCompile(`(?i)\b(?:don[’']?t|do not|never|no) (?:phone )?calls?\b`)

// contact reads how an officer may reach the person. What forbids a call outweighs what allows one.
func (s *reader) contact() {
	got := map[flows.Value]bool{}
	if dontCall.MatchString(s.text) {
		got[flows.TextOnly] = true
	}
	for _, h := range s.hits {
		switch s.topics[s.topicOf[h.section]] {
		case "contact", "@contact_pref":
			v := s.valueOf[h.section]
			if s.denied(h) {
				if (v == flows.CallAnytime || v == flows.CallWindow && s.holds(h, "telepon")) && (s.c.Step == flows.StepContactPref || s.forbidden(h)) { // not: jangan siang; kok tidak ditelepon
					got[flows.TextOnly] = true
				}
				continue
			}
			if s.on.Condition.has(s.wordBefore(h)) && v != flows.TextOnly {
				continue // kalau mau nelpon
			}
			if (v == flows.CallAnytime || v == flows.CallWindow) && (s.c.Step != flows.StepContactPref && s.otherCall(h) || s.rings(h)) {
				continue
			}
			got[v] = true
		}
	}
	for _, v := range []flows.Value{flows.WaitForMe, flows.TextOnly, flows.CallWindow, flows.CallAnytime} {
		if got[v] {
			s.r.Contact = v
			return
		}
	}
}

// forbidden says whether it is "jangan" that stands before a phrase, and not a complaint that nobody rang.
func (s *reader) forbidden(h hit) bool {
	for _, t := range s.before(h.start, 4) {
		if s.names[t.id] == "jangan" || s.names[t.id] == "tidak_usah" {
			return true
		}
	}
	return false
}

// holds says whether a word stands in a phrase.
func (s *reader) holds(h hit, name string) bool {
	for i := h.start; i < h.end; i++ {
		if s.names[s.toks[i].id] == name {
			return true
		}
	}
	return false
}

// otherCall says whether a phrase about calling gives no leave to ring the writer: somebody else is to be rung ("tolong
// telepon ibu saya"), somebody rang ("tadi petugas telepon saya"), or it is a question.
func (s *reader) otherCall(h hit) bool {
	if s.asks {
		return true
	}
	other := func(t token) bool {
		return s.kind[t.id]&personNoun != 0 || s.on.Employer.has(t.id) || s.on.Authority.has(t.id) || s.lists["callee"].has(t.id)
	}
	for i := h.start; i < len(s.toks) && i < h.end+2; i++ {
		if i > h.start && s.toks[i].gap != space {
			break
		}
		if other(s.toks[i]) {
			return true
		}
	}
	for i, t := range s.before(h.start, 4) {
		if other(t) || s.on.Past.has(t.id) || i == 0 && s.lists["called"].has(t.id) {
			return true
		}
	}
	return false
}

// rings says whether somebody else is to be rung: "telepon istri saya saja".
func (s *reader) rings(h hit) bool {
	return h.end < len(s.toks) && s.toks[h.end].gap == space && s.holds(h, "telepon") && s.on.Relative.has(s.toks[h.end].id)
}

func (s *reader) wordBefore(h hit) word {
	for i := h.start - 1; i >= 0 && h.start-i <= 2; i-- {
		if s.on.Condition.has(s.toks[i].id) {
			return s.toks[i].id
		}
	}
	return 0
}

// clock is a time of day as it was said: minutes after midnight, and whether morning or evening was settled.
type clock struct {
	minutes int
	part    dayPart
	sure    bool // 24-hour writing, or a part of the day stood beside it
	start   int
	end     int
}

type dayPart int

const (
	anyPart dayPart = iota
	dawn
	morning
	noon
	afternoon
	evening
)

// hours reads windows of time: "jam 1 siang sampe jam 2", "19.30 - 20.15", "11 malem ampe stgh 12". A single time
// is no window: it is left in SafeFrom.
func (s *reader) hours() {
	prayers := s.hasPrayer()
	if !s.doc.hasNumbers() && !prayers {
		return
	}
	if s.c.Step != flows.StepSafeTime && s.c.Step != flows.StepContactPref && !s.says("clock", "talk") {
		return
	}
	from, prayed := "", ""
	defer func() {
		if len(s.r.SafeTime) > 0 {
			return
		}
		if s.r.SafeFrom = from; from == "" {
			s.r.SafeFrom = prayed
		}
	}()
	for i := 0; i < len(s.toks); i++ {
		a, ok := clock{}, false
		if prayers {
			a, ok = s.prayerAt(i, false)
		}
		if ok && a.end < len(s.toks) && s.toks[a.end].gap == space { // habis isya jam 8
			if b, named := s.clockAt(a.end); named && !s.says2(a.end, "till") {
				if !b.sure {
					b.minutes, b.part, b.sure = inPart(b.minutes, a.part), a.part, true
				}
				a = b
			}
		}
		praying := ok && a.start == i
		if !ok {
			a, ok = s.clockAt(i)
		}
		if !ok || s.refused(a.start) {
			continue
		}
		k := a.end
		dash := k < len(s.toks) && s.dashBefore(k)
		if k+1 < len(s.toks) && s.toks[k].raw == "s" && s.toks[k+1].raw == "d" { // s/d
			k, dash = k+2, true
		}
		for k < len(s.toks) && s.toks[k].gap != stop && s.says2(k, "till") {
			k++
			dash = true
		}
		if !dash {
			switch {
			case praying && prayed == "":
				prayed = hhmm(a.minutes)
			case !praying && from == "" && a.sure:
				from = hhmm(a.minutes)
			}
			i = a.end - 1
			continue
		}
		b, ok := s.clockAt(k)
		if !ok && prayers {
			b, ok = s.prayerAt(k, true)
		}
		if !ok {
			continue
		}
		begin, end := settle(a, b)
		if begin == end {
			continue
		}
		s.r.SafeTime = append(s.r.SafeTime, [2]string{hhmm(begin), hhmm(end)})
		i = b.end - 1
	}
}

func (d *doc) hasNumbers() bool {
	for _, t := range d.toks {
		if t.num >= 0 {
			return true
		}
	}
	return false
}

// says2 says whether the word at k stands in a list of lists.txt.
func (s *reader) says2(k int, list string) bool { return s.lists[list].has(s.toks[k].id) }

// dashBefore says whether the message has a dash between words k-1 and k.
func (s *reader) dashBefore(k int) bool {
	if k == 0 {
		return false
	}
	for _, c := range s.text[s.toks[k-1].end:max(s.toks[k-1].end, s.toks[k].start)] {
		if c == '-' || c == '–' || c == '—' || c == '~' {
			return true
		}
	}
	return false
}

// refused says whether a time stands under "jangan".
func (s *reader) refused(i int) bool {
	for _, t := range s.before(i, 3) {
		if s.on.Negator.has(t.id) {
			return true
		}
	}
	return false
}

// clockAt reads one time of day at word i.
func (s *reader) clockAt(i int) (clock, bool) {
	start, half := i, false
	part := anyPart
	skip := func() {
		for i < len(s.toks) && (i == start || s.toks[i].gap != stop) {
			if p := s.partOfDay(i); p != anyPart && i+1 < len(s.toks) && (s.says2(i+1, "clockword") || s.toks[i+1].num >= 0) {
				part = p
				i++
				continue
			}
			if !s.says2(i, "clockword") {
				return
			}
			i++
		}
	}
	skip()
	if i < len(s.toks) && s.says2(i, "half") {
		half = true
		i++
	}
	if i >= len(s.toks) {
		return clock{}, false
	}
	v, next := s.numberAt(i)
	if next == i || v > 24 {
		return clock{}, false
	}
	c := clock{minutes: v * 60, start: start}
	// 19.30, 19:30
	if next < len(s.toks) && s.toks[i].id == s.number && s.toks[next].id == s.number && s.toks[next].start == s.toks[i].end+1 && s.toks[next].num < 60 && len(s.toks[next].raw) == 2 {
		if sep := s.text[s.toks[i].end]; sep == '.' || sep == ':' {
			c.minutes += s.toks[next].num
			c.sure = v > 12 || v == 0 || len(s.toks[i].raw) == 2 && s.toks[i].raw[0] == '0'
			next++
		}
	}
	if v > 12 {
		c.sure = true
	}
	if half {
		c.minutes -= 30
	}
	// jam 8 lewat 15, kurang 15
	if next+1 < len(s.toks) && s.names[s.toks[next].id] == "setengah" && !half {
		c.minutes += 30
		next++
	} else if next+1 < len(s.toks) && s.toks[next+1].num > 0 && s.toks[next+1].num < 60 {
		switch s.names[s.toks[next].id] {
		case "lewat":
			c.minutes += s.toks[next+1].num
			next += 2
		case "kurang":
			c.minutes -= s.toks[next+1].num
			next += 2
		}
	}
	if next < len(s.toks) && s.toks[next].gap == space && s.names[s.toks[next].id] != "jam" {
		if s.unit(next) && s.partOfDay(next) == anyPart {
			return clock{}, false // 2 hari
		}
	}
	for next < len(s.toks) && s.toks[next].gap == space {
		p := s.partOfDay(next)
		if p == anyPart {
			break
		}
		part = p
		next++
	}
	c.part, c.end = part, next
	if part != anyPart && !c.sure {
		c.minutes, c.sure = inPart(c.minutes, part), true
	}
	return c, true
}

func (s *reader) partOfDay(i int) dayPart {
	for name, p := range map[string]dayPart{"pagi": morning, "subuh": dawn, "siang": noon, "zuhur": noon, "sore": afternoon, "asar": afternoon, "malam": evening} {
		if s.names[s.toks[i].id] == name {
			return p
		}
	}
	return anyPart
}

// inPart moves a twelve-hour time into a part of the day: 1 siang is 13:00, 12 malam is midnight, 1 malam is 01:00.
func inPart(m int, p dayPart) int {
	h := m / 60
	switch p {
	case noon:
		if h >= 1 && h <= 5 {
			m += 720
		}
	case afternoon:
		if h >= 1 && h <= 7 {
			m += 720
		}
	case evening:
		switch {
		case h >= 5 && h <= 11:
			m += 720
		case h == 12:
			m -= 720
		}
	case morning, dawn:
		if h == 12 {
			m -= 720
		}
	}
	return (m + 1440) % 1440
}

// settle brings the ends of a window together: a part of the day said once goes for both, and the end comes after
// the beginning.
func settle(a, b clock) (int, int) {
	from, to := a.minutes, b.minutes
	switch {
	case a.sure && !b.sure:
		if to <= from%1440 {
			to += 720
		}
		if from >= 720 && to < from {
			to += 720
		}
		if a.part == evening && to-from > 720 {
			to -= 720
		}
	case !a.sure && b.sure:
		if b.part != anyPart {
			from = inPart(from, b.part)
		}
		if from > to && from >= 720 {
			from -= 720
		} else if to-from > 720 && from+720 < to {
			from += 720
		}
	case !a.sure && !b.sure:
		if from < 360 { // 1 to 5: nobody sets hours of the night without saying so
			from += 720
		}
		for to <= from {
			to += 720
		}
	}
	return (from + 1440) % 1440, (to + 1440) % 1440
}

func hhmm(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
