package lexicon

import (
	"strings"

	"pulang/flows"
)

// longestGuess is how long hours may be, in minutes, of which one end was worked out: what is longer was perhaps meant
// otherwise, and is asked.
const longestGuess = 6 * 60

// hours reads windows of time: "jam 1 siang sampe jam 2", "19.30 - 20.15", "11 malem ampe stgh 12". A single time is no
// window: it is left in SafeFrom. A phone that rings at the wrong hour can cost a life, so nothing is guessed: hours of
// which nobody knows whether morning or evening is meant are left in SafeOr, for a question.
func (s *reader) hours() {
	if s.c.Step == flows.StepSafeTimePart {
		s.partChosen()
	}
	prayers := s.hasPrayer()
	if !s.doc.hasNumbers() && !prayers {
		return
	}
	atStep := s.c.Step == flows.StepSafeTime || s.c.Step == flows.StepSafeTimePart
	if !atStep && s.c.Step != flows.StepContactPref && !s.says("clock", "talk") && !s.says("clock", "safe") {
		return
	}
	var h told
	for i := 0; i < len(s.toks); {
		i = s.hoursAt(i, prayers, atStep, &h)
	}
	if h.except {
		return
	}
	// In passing, hours count where it is said that they are safe, or that the phone may ring.
	if !atStep && s.r.Contact != flows.CallWindow && s.r.Contact != flows.CallAnytime && !s.says("clock", "safe") {
		return
	}
	if s.r.Contact == flows.CallAnytime && (len(h.sure)+len(h.either) > 0 || h.from != "" || h.prayed != "") {
		s.r.Contact = flows.CallWindow // call me at 10
	}
	switch {
	case len(h.sure) > 0:
		s.r.SafeTime = h.sure
	case h.from != "":
		s.r.SafeFrom = h.from
	case len(h.either) == 1:
		s.r.SafeOr = h.either[0]
	case len(h.either) == 0:
		s.r.SafeFrom = h.prayed
	}
}

// told is what a message says about hours.
type told struct {
	sure   [][2]string
	from   string        // the first single time of day
	prayed string        // the first one that is set by a prayer
	either [][][2]string // hours that may be morning or evening, each with what they may mean
	except bool          // hours are named that are not safe: all others, perhaps
}

// hoursAt reads what begins at word i, and returns the word to go on with.
func (s *reader) hoursAt(i int, prayers, atStep bool, h *told) int {
	if s.says2(i, "except") && !s.says2(min(i+1, len(s.toks)-1), "exceptnot") {
		h.except = true
		return i + 1
	}
	if s.says2(i, "outside") && i+1 < len(s.toks) && s.toks[i+1].gap == space {
		if _, ok := s.clockAt(i + 1); ok { // di luar jam 9 sampai 5
			h.except = true
			return i + 1
		}
	}
	a, ok := s.timeAt(i, prayers)
	if !ok {
		return i + 1
	}
	refused := s.refused(a.start)
	k, span := s.tillAt(a)
	if !span {
		if !refused {
			s.single(a, atStep, h)
		}
		return a.end
	}
	b, ok := s.clockAt(k)
	if !ok && prayers {
		b, ok = s.prayerAt(k, true)
	}
	if !ok {
		return a.end
	}
	if refused || s.unsafeAfter(b.end) || !atStep && !a.named && !b.named {
		return b.end
	}
	switch windows, sure := between(a, b); {
	case len(windows) == 0:
	case sure:
		h.sure = append(h.sure, windows[0])
	default:
		h.either = append(h.either, windows)
	}
	return b.end
}

// timeAt reads a time of day, by the clock or by a prayer: "habis isya jam 8" is both.
func (s *reader) timeAt(i int, prayers bool) (clock, bool) {
	if prayers {
		if a, ok := s.prayerAt(i, false); ok {
			if a.end < len(s.toks) && s.toks[a.end].gap == space && !s.says2(a.end, "till") {
				if b, named := s.clockAt(a.end); named {
					if b.form == bare {
						b.part, b.named = partOfPrayer[a.prayer], true
						b.settlePart()
					}
					return b, true
				}
			}
			return a, true
		}
	}
	return s.clockAt(i)
}

// tillAt says whether the end of hours follows behind a, and where: "-", "sampai", "s/d". "9 dan 10" are two times
// unless it is "antara 9 dan 10".
func (s *reader) tillAt(a clock) (int, bool) {
	k, between := a.end, false
	for i := max(a.start-2, 0); i < a.end; i++ {
		between = between || s.names[s.toks[i].id] == "antara" || s.toks[i].raw == "between"
	}
	span := k < len(s.toks) && s.dashBefore(k)
	if k+1 < len(s.toks) && s.toks[k].raw == "s" && s.toks[k+1].raw == "d" {
		k, span = k+2, true
	}
	for k < len(s.toks) && (s.toks[k].gap != stop || s.toks[k-1].raw == "m") && s.says2(k, "till") { // 9 p.m. to 10
		if s.names[s.toks[k].id] == "sama" && !between {
			break
		}
		k, span = k+1, true
	}
	return k, span && k < len(s.toks)
}

// single keeps a time of day that stands alone. A bare number is one only where it is all that was answered.
func (s *reader) single(a clock, atStep bool, h *told) {
	if a.form == broken || s.unsafeAfter(a.end) || !a.praying && s.ends(a) {
		return
	}
	if !a.named && (!atStep || s.c.Step == flows.StepSafeTimePart || !s.timeOnly(a)) {
		return
	}
	switch at := a.times(false); {
	case a.praying:
		if h.prayed == "" {
			h.prayed = hhmm(at[0])
		}
	case len(at) == 2:
		h.either = append(h.either, [][2]string{{hhmm(at[0])}, {hhmm(at[1])}})
	case h.from == "":
		h.from = hhmm(at[0])
	}
}

// ends says whether a single time is the end of safe hours: "sebelum jam 8 pagi", "until 9pm".
func (s *reader) ends(c clock) bool {
	for k := c.start - 1; k < c.end && k < len(s.toks); k++ {
		if s.says2(k, "till") || s.says2(k, "prayerbefore") || s.says2(k, "latest") {
			return true
		}
	}
	return c.start > 1 && s.says2(c.start-2, "latest")
}

// timeOnly says whether a message says nothing besides a time.
func (s *reader) timeOnly(c clock) bool {
	for i, t := range s.toks {
		if (i < c.start || i >= c.end) && !s.on.Plain.has(t.id) && !s.says2(i, "clockword") {
			return false
		}
	}
	return true
}

// between returns the hours from a to b. When one end fits twice, it is the one that makes them shorter, which lies
// within the longer ones; when both do, both readings are returned. sure is false when the person has to be asked;
// nothing is returned for hours that contradict themselves.
func between(a, b clock) (windows [][2]string, sure bool) {
	if a.form == broken || b.form == broken {
		return nil, false
	}
	froms, tos := a.times(b.part != anyPart), b.times(a.part != anyPart)
	length := func(from, to int) int { return (to - from + wholeDay) % wholeDay }
	shortest := 0
	add := func(from int, tos []int) {
		best := -1
		for _, to := range tos {
			if n := length(from, to); n > 0 && (best < 0 || n < length(from, best)) {
				best = to
			}
		}
		if best >= 0 {
			windows = append(windows, [2]string{hhmm(from), hhmm(best)})
			shortest = length(from, best)
		}
	}
	switch {
	case len(froms) == 2 && len(tos) == 2:
		add(froms[0], tos)
		add(froms[1], tos)
		return windows, false
	case len(froms) == 2:
		from := froms[0]
		if n := length(froms[1], tos[0]); n > 0 && (n < length(from, tos[0]) || length(from, tos[0]) == 0) {
			from = froms[1]
		}
		add(from, tos)
		if x, ok := inPart(a.minutes, b.part); ok && x != from && b.part != anyPart { // 1-6 malam: not from one in the afternoon
			return windows, false
		}
	default:
		add(froms[0], tos)
	}
	said := len(froms) == 1 && len(tos) == 1 && (a.full && b.full || a.part != anyPart && b.part != anyPart || a.praying || b.praying)
	return windows, shortest <= longestGuess || said && shortest <= halfDay
}

// partChosen reads the answer to "morning or evening?": the part of the day into which one of the offered hours falls.
func (s *reader) partChosen() {
	var parts []dayPart
	for i := range s.toks {
		if p, _ := s.partAt(i); p != anyPart {
			parts = append(parts, p)
		}
		if s.on.Negator.has(s.toks[i].id) || s.toks[i].num >= 0 && s.toks[i].num <= 24 {
			return // jangan malam; an hour is read with its part of the day
		}
	}
	if len(parts) != 1 {
		return
	}
	var fit []flows.Value
	for _, v := range s.c.Choices {
		from, _, ok := strings.Cut(string(v), "-")
		if !ok || len(from) != 5 {
			continue
		}
		if m := (int(from[0]-'0')*10+int(from[1]-'0'))*60 + int(from[3]-'0')*10 + int(from[4]-'0'); parts[0].holdsTime(m) {
			fit = append(fit, v)
		}
	}
	if len(fit) == 1 {
		from, to, _ := strings.Cut(strings.ReplaceAll(string(fit[0]), ".", ":"), "-")
		s.r.SafeTime = [][2]string{{from, to}}
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
func (s *reader) says2(k int, list string) bool {
	return k >= 0 && k < len(s.toks) && s.lists[list].has(s.toks[k].id)
}

// dashBefore says whether the message has a dash between words k-1 and k.
func (s *reader) dashBefore(k int) bool {
	if k == 0 {
		return false
	}
	return strings.ContainsAny(s.text[s.toks[k-1].end:max(s.toks[k-1].end, s.toks[k].start)], "-–—~")
}

// refused says whether a time stands under "jangan", or is when the person works: "kerja jam 9 pagi sampai 9 malam".
func (s *reader) refused(i int) bool {
	for n, t := range s.before(i, 6) {
		k := i - 1 - n
		switch name := s.names[t.id]; {
		case name == "jangan" || name == "tidak_usah":
			return true
		case n < 3 && s.on.Negator.has(t.id) && name != "tidak_ada" && !(s.on.Have.has(s.toks[k+1].id) && k+1 < i):
			return true // not: tidak ada bos jam 9
		case n < 2 && s.says2(k, "busy"):
			return !s.says2(k-1, "busyover") && !s.on.Negator.has(s.toks[max(k-1, 0)].id)
		}
	}
	return false
}

// unsafeAfter says whether the words behind hours say that they are not safe: "jam 9 sampai 5 jangan telepon", "… kerja",
// "… ada bos".
func (s *reader) unsafeAfter(k int) bool {
	for i := k; i < len(s.toks) && i < k+3 && s.toks[i].gap == space; i++ {
		last := i+1 == len(s.toks) || s.toks[i+1].gap != space
		switch name := s.names[s.toks[i].id]; {
		case name == "jangan" || name == "tidak_usah" || name == "tidak_bisa" || s.says2(i, "unsafe"):
			return true
		case name == "tidak_ada":
			return false
		case s.on.Negator.has(s.toks[i].id):
			return last || s.says2(i+1, "callable")
		case s.says2(i, "busy"):
			return !s.says2(i-1, "busyover")
		case s.on.Have.has(s.toks[i].id) && !last && (s.on.Guard.has(s.toks[i+1].id) || s.on.Employer.has(s.toks[i+1].id)):
			return true
		case !last && s.on.Have.has(s.toks[i+1].id) && s.on.Employer.has(s.toks[i].id):
			return true
		}
	}
	return false
}
