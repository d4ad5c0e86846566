package lexicon

import (
	"strings"

	"pulang/flows"
	"pulang/flows/places"
)

// How a message speaks of a place; the largest is taken.
const (
	notThere  = 0 // origin, destination, promise, way, opposite side, or an ordinary word
	mentioned = 1
	answered  = 2 // the answer to the question where
	inPlace   = 3 // after "di", "dekat"
	nowThere  = 4 // after "ternyata di", "dipindah ke"
	statedNow = 5 // "sekarang di"
)

// stance says how the message speaks of one place: whatever rules it out, then the words before it, then, when a
// preposition puts somebody there, what governs that.
func (s *reader) stance(m places.Match) int {
	i := s.at(m.Start)
	var c int
	if i < len(s.toks) {
		c = s.clause[i]
	} else if len(s.times) > 0 {
		c = len(s.times) - 1
	}
	if m.From < 0 { // another script
		return inPlace
	}
	if s.noPlace(m, i) {
		return notThere
	}
	if rank, said := s.ahead(m, i); said {
		return rank
	} else if rank == inPlace {
		return s.governed(m, i, c)
	}
	return s.bare(m, i, c)
}

// noPlace says whether the name is no place here, or tells only where somebody or something comes from or was left.
// i is its token.
func (s *reader) noPlace(m places.Match, i int) bool {
	switch {
	case m.Weak && s.indonesian(m):
		return true
	case m.CountryOnly && i > 0 && (s.names[s.toks[i-1].id] == "perbatasan" || s.names[s.toks[i-1].id] == "dekat"):
		return true // the border with it is not in it
	case m.CountryOnly && i > 0 && (i == len(s.toks) || s.toks[i].start > m.Start || s.toks[i].gap == space) && s.someone(s.toks[i-1].id):
		return true // bos china, orang vietnam: where they come from
	}
	if m.CountryOnly && i > 0 && (i == len(s.toks) || s.toks[i].start > m.Start || s.toks[i].gap == space) && writing[s.toks[i-1].raw] {
		return true // banyak tulisan thailand: so it is on this side of the border as well
	}
	return s.c.Step != flows.StepLocation && s.thingAt(i) // paspor ketinggalan di bavet
}

// writing are the words before a country's name that tell of its letters, tongue or number plates.
var writing = map[string]bool{
	"tulisan": true, "tulisannya": true, "huruf": true, "hurufnya": true, "bahasa": true, "bahasanya": true, "bhs": true, "aksara": true, "plat": true,
}

// ahead reads the words before the place at token i, from there backwards: said when they settle it; otherwise inPlace
// after a preposition of place, mentioned without one.
func (s *reader) ahead(m places.Match, i int) (rank int, said bool) {
	steps := 0
	for k := i - 1; k >= 0 && steps < 5; k-- {
		t := &s.toks[k]
		if k+1 < len(s.toks) && k+1 <= i && s.gapAt(k+1, i) == stop {
			break
		}
		if s.gapAt(k+1, i) == comma && (steps > 0 || !s.on.Place.has(t.id)) {
			break
		}
		steps++
		switch id := t.id; {
		case s.on.Opposite.has(id):
			return notThere, true
		case s.on.Negator.has(id):
			if s.kind[s.toks[min(k+1, i)].id]&meNoun == 0 { // bukan saya yang di sana
				return notThere, true
			}
		case s.on.Via.has(id):
			return notThere, true
		case s.on.From.has(id):
			if s.on.Place.has(id) {
				continue
			}
			if s.c.Step == flows.StepLocation && steps == 1 && len(s.toks) <= 3 && !s.escaping(k) {
				return answered, true
			}
			return notThere, true
		case s.on.Toward.has(id):
			theirs := s.theirs(hit{start: k}) && s.r.WhoFor != "other_person" // orangnya kabur ke sana
			if !theirs && s.arrived(k) && !s.futureAt(k) {
				return nowThere, true
			}
			return notThere, true
		case s.on.At.has(id) || s.on.Here.has(id):
			return inPlace, false
		case s.on.Near.has(id) || s.on.Place.has(id) || s.kind[id]&meNoun != 0 || s.all[m.From].start == t.start:
		case id != 0 || steps > 1:
			steps += 2
		}
	}
	return mentioned, false
}

// governed says what a preposition before the place at token i, in clause c, is governed by: a promise, the past, a
// plan, a move, now.
func (s *reader) governed(m places.Match, i, c int) int {
	rank := inPlace
	if i > 1 && s.names[s.toks[i-2].id] == "naik" {
		return notThere // ikut naik di battambang
	}
	for k := i - 1; k >= 0 && s.clause[k] == c && i-k <= 8; k-- {
		id := s.toks[k].id
		if s.on.Turned.has(id) || s.on.Now.has(id) {
			rank = nowThere
			break
		}
		switch next := s.toks[min(k+1, i-1)].id; {
		case s.promised(k),
			s.on.Escape.has(id) && s.on.From.has(next) && !s.townOf(m, k+2, i),
			s.plan(k) && !s.says2(k+1, "telling") && !s.on.At.has(next),
			s.on.Negator.has(id) && i-k <= 3 && s.kind[s.toks[k+1].id]&meNoun == 0,
			s.on.Past.has(id) && s.laterNow(c) && !s.times[c].now:
			return notThere
		}
	}
	if s.times[c].now {
		rank = statedNow
	}
	if s.times[c].longPast && !s.times[c].now || s.ownerPlace(i) {
		return notThere
	}
	return rank
}

// bare says how a message speaks of a place, at token i in clause c, that no preposition stands before.
func (s *reader) bare(m places.Match, i, c int) int {
	where := s.c.Step == flows.StepLocation
	if m.Place.Kind == "mission" && !s.asks {
		for _, h := range s.hits { // sudah sampai depan gerbang kbri
			if s.sections[h.section] == "kind.at_mission" && h.start <= i && i < h.end && !s.denied(h) && !s.away(h) {
				return inPlace
			}
		}
	}
	if m.Weak {
		nothingElse := s.alone(m) && (where || s.c.Step == "")
		first := where && m.Exact && i == 0 && m.Place.Kind != "mission" && !s.ordinaryTalk()
		if !nothingElse && !first || !where && len(s.toks) > 0 {
			return notThere
		}
	}
	if s.times[c].future && !where || s.times[c].longPast {
		return notThere
	}
	for k := i - 1; k >= 0 && s.clause[k] == c && i-k <= 6; k-- {
		id := s.toks[k].id
		if s.promised(k) || s.on.Via.has(id) || s.on.Opposite.has(id) || s.on.Past.has(id) && s.laterNow(c) {
			return notThere
		}
		if s.on.Turned.has(id) {
			return nowThere
		}
	}
	switch {
	case s.ownerPlace(i):
		return notThere
	case m.Place.Kind == "mission" && !m.CountryOnly:
		if where && len(s.toks) <= 3 {
			return answered
		}
		return notThere
	case where, s.c.Step == flows.StepPlaceConfirm, s.c.Step == flows.StepCountry:
		return answered
	}
	return mentioned
}

// townOf says whether what was left, between tokens from and to, is a building, and the place the town that it stands in:
// "keluar dari kompleks di sihanoukville".
func (s *reader) townOf(m places.Match, from, to int) bool {
	return to-from == 2 && s.on.At.has(s.toks[to-1].id) && s.on.Near.has(s.toks[from].id) && m.Place.Kind != "compound" && !m.CountryOnly
}

// promised says whether the word at k makes of a place what was only promised. "katanya" does not where somebody else is
// reported, whose place is known by hearsay, nor before "ini": "katanya ini malai".
func (s *reader) promised(k int) bool {
	id := s.toks[k].id
	if !s.on.Promise.has(id) {
		return false
	}
	if !s.on.Hearsay.has(id) {
		return true
	}
	for j := k + 1; j < len(s.toks) && j < k+3; j++ { // kata teman ini malai
		if s.names[s.toks[j].id] == "ini" {
			return false
		}
	}
	return s.r.WhoFor != "other_person"
}

// someone says whether a word names people.
func (s *reader) someone(id word) bool {
	return s.on.Employer.has(id) || s.on.Person.has(id) || s.on.People.has(id)
}

// gapAt is the gap before token k on the way to token i.
func (s *reader) gapAt(k, i int) gap {
	if k < len(s.toks) && k <= i {
		return s.toks[k].gap
	}
	return space
}

// arrived says whether going there is already done: "dipindah ke", "udah sampai ke", "dibawa ke".
func (s *reader) arrived(k int) bool {
	for j := k; j >= 0 && k-j <= 3; j-- {
		if s.on.Moved.has(s.toks[j].id) {
			return true
		}
		if j < k && s.toks[j+1].gap != space {
			return false
		}
	}
	return false
}

func (s *reader) futureAt(k int) bool {
	for j := k; j >= 0 && k-j <= 5; j-- {
		if s.plan(j) {
			return true
		}
		if s.toks[j].gap != space {
			return false
		}
	}
	return false
}

func (s *reader) escaping(k int) bool {
	return k > 0 && (s.on.Escape.has(s.toks[k-1].id) || k > 1 && s.on.Escape.has(s.toks[k-2].id))
}

// ownerPlace says whether somebody else, the subject of the clause, is the one at the place: "bos lagi di cina"; and
// in a report for somebody else, whether the writer is: "saya di X, adik saya yang di Y".
func (s *reader) ownerPlace(i int) bool {
	for k := i - 1; k >= 0 && i-k <= 5; k-- {
		if k+1 < len(s.toks) && s.toks[k+1].gap != space {
			return false
		}
		id := s.toks[k].id
		kind := s.kind[id]
		head := k == 0 || s.toks[k].gap != space || s.on.Contrast.has(s.toks[k-1].id)
		switch {
		case s.passive(id):
			return false
		case s.r.WhoFor == "other_person" && kind&meNoun != 0:
			return head || !(s.kind[s.toks[k-1].id]&personNoun != 0 || s.on.Negator.has(s.toks[k-1].id))
		case s.r.WhoFor == "other_person":
			if kind&personNoun != 0 {
				return false
			}
		case head && (s.on.Employer.has(id) && s.names[id] != "perusahaan" || kind&personNoun != 0):
			return true
		case kind&meNoun != 0 && !(k > 0 && s.kind[s.toks[k-1].id]&personNoun != 0):
			return false
		}
	}
	return false
}

// finer says whether a says more than b: a compound or a town more than its province.
func (s *reader) finer(a, b places.Match) bool {
	size := func(m places.Match) float64 { return m.Place.PrecisionKm }
	return a.Place.Province == b.Place.Province && size(a) < size(b) && a.Exact
}

// alone says whether the message is nothing but the place and fillers.
func (s *reader) alone(m places.Match) bool {
	for i, t := range s.all {
		if (i < m.From || i >= m.To) && !t.filler && !s.on.At.has(t.id) && !s.on.Near.has(t.id) && !s.on.Plain.has(t.id) {
			return false
		}
	}
	return true
}

// indonesian says whether a weak name is the beginning of an Indonesian one: "kep. riau", "kep seribu".
func (s *reader) indonesian(m places.Match) bool {
	if m.To < len(s.all) {
		next := s.all[m.To].raw
		return s.names[s.all[m.From].id] == "kepulauan" || strings.HasPrefix(m.Place.Name, "Kep") && (s.all[m.To].gap == stop || s.all[m.To].gap == comma || next == "riau" || next == "seribu" || next == "bangka")
	}
	return false
}

// ordinaryTalk says whether the message denies knowing: then a weak name in it is an ordinary word.
func (s *reader) ordinaryTalk() bool { return s.says("lost", "yes") || len(s.topic("lost")) > 0 }
