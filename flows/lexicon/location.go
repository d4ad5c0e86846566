package lexicon

import (
	"strings"

	"pulang/flows"
	"pulang/flows/places"
)

// links reads positions and map links; they are surer than any name.
func (s *reader) links() {
	for _, p := range places.Coordinates(s.text) {
		lat, lon := p.Lat, p.Lon
		kind := p.Kind
		if kind == "plus_code" {
			kind = "coords_text"
		}
		country, _ := s.gazetteer.CountryAt(lat, lon)
		s.r.Location = &Place{Lat: &lat, Lon: &lon, Country: country, Kind: kind, Sure: p.Sure}
		return
	}
	if places.MapLink(s.text) != "" {
		s.r.Location = &Place{Kind: "map_link"}
	}
}

// placeMatches finds the places named in the message; From and To count the words of doc.all.
func (s *reader) placeMatches() []places.Match {
	if s.placed {
		return s.spans
	}
	s.placed = true
	words := make([]string, len(s.all))
	known := make([]bool, len(s.all))
	for i, t := range s.all {
		words[i] = t.raw
		if c := collapse(t.raw, 1); c != t.raw && len(c) > 3 && t.id == 0 {
			words[i] = collapse(t.raw, 2)
		}
		known[i] = t.id != 0 && !t.fuzzy || s.common[t.raw]
		if t.id == 0 && strings.ContainsAny(t.raw, "0134") && letter(t.raw[0]) && len(t.raw) > 3 {
			words[i] = leet(t.raw)
		}
	}
	s.spans = s.gazetteer.FindWords(words, known)
	for i := range s.spans {
		s.spans[i].Start, s.spans[i].End = s.all[s.spans[i].From].start, s.all[s.spans[i].To-1].end
	}
	for _, m := range s.gazetteer.FindScripts(s.text) {
		m.From = -1
		s.spans = append(s.spans, m)
	}
	return s.spans
}

// at is the first content word at or after a byte offset.
func (s *reader) at(offset int) int {
	for i, t := range s.toks {
		if t.start >= offset {
			return i
		}
	}
	return len(s.toks)
}

// How a message speaks of a place; the largest is taken.
const (
	notThere  = 0 // origin, destination, promise, way, opposite side, or an ordinary word
	mentioned = 1
	answered  = 2 // the answer to the question where
	inPlace   = 3 // after "di", "dekat"
	nowThere  = 4 // after "ternyata di", "dipindah ke"
	statedNow = 5 // "sekarang di"
)

// location reads where the person is (or the person that the report is for): of all the places named, the one that
// the words around it put them at now.
func (s *reader) location() {
	if s.r.Location != nil && s.r.Location.Lat != nil {
		s.nameBeside()
		return
	}
	best, rank := -1, notThere
	country, countryRank := "", notThere
	ms := s.placeMatches()
	excluded := ""
	for i, m := range ms {
		r := s.stance(m, i)
		if m.CountryOnly {
			if (r > countryRank || r == countryRank && r > notThere && s.r.WhoFor == "other_person") && (m.Place.Country != "ID" || r >= inPlace && s.c.Step == flows.StepLocation) {
				country, countryRank = m.Place.Country, r
			}
			continue
		}
		if r == notThere && s.oppositeOf(m) {
			excluded = m.Place.Country
		}
		if r > rank || r == rank && best >= 0 && (s.finer(m, ms[best]) || (r == nowThere || s.r.WhoFor == "other_person") && !s.finer(ms[best], m)) {
			best, rank = i, r
		}
	}
	_ = excluded
	var p *Place
	if best >= 0 {
		m := ms[best]
		if countryRank >= rank && country != "" && country != m.Place.Country {
			for _, o := range m.Others { // the same name in the country that was named
				if o.Country == country {
					m.Place = o
				}
			}
			if m.Place.Country != country && countryRank > rank {
				best = -1
			}
		}
		if best >= 0 {
			p = place(m.Place)
			p.Sure = m.Exact
			for _, o := range m.Others {
				if o.Name != m.Place.Name {
					p.Others = append(p.Others, *place(o))
				}
			}
		}
	}
	if p == nil && country != "" {
		p = &Place{Country: country, Sure: true, Kind: "place_text"}
	}
	if p != nil {
		if s.r.Location != nil && s.r.Location.Kind == "map_link" {
			p.Kind = "map_link"
		}
		s.r.Location = p
		s.plusBeside(p)
		return
	}
	if c := s.network(); c != "" && s.c.Step != flows.StepLocation {
		s.r.Location = &Place{Country: c, Kind: "place_text"}
		return
	}
	if s.lost() {
		s.r.Location = &Place{Unknown: true, Kind: "unknown"}
	}
}

func place(p places.Place) *Place {
	return &Place{Place: p.Name, Province: p.Province, Country: p.Country, Kind: "place_text"}
}

// nameBeside adds the name of a place that was written beside coordinates, when it lies there.
func (s *reader) nameBeside() {
	for _, m := range s.placeMatches() {
		if !m.CountryOnly && !m.Weak && places.Distance(*s.r.Location.Lat, *s.r.Location.Lon, m.Place.Lat, m.Place.Lon) < 3*m.Place.PrecisionKm {
			s.r.Location.Place, s.r.Location.Province, s.r.Location.Country = m.Place.Name, m.Place.Province, m.Place.Country
			return
		}
	}
}

// plusBeside completes a short plus code by the place that was named beside it.
func (s *reader) plusBeside(p *Place) {
	if !strings.Contains(s.text, "+") {
		return
	}
	g, ok := s.gazetteer.ByName(p.Place)
	if !ok {
		return
	}
	for f := range strings.FieldsSeq(s.text) {
		if lat, lon, ok := places.ShortPlus(strings.Trim(f, ",.;"), g.Lat, g.Lon); ok && strings.ContainsAny(strings.ToUpper(f), "CFGHJMPQRVWX") {
			p.Lat, p.Lon, p.Kind, p.Sure = &lat, &lon, "coords_text", false
			return
		}
	}
}

// stance says how the message speaks of one place.
func (s *reader) stance(m places.Match, nth int) int {
	i := s.at(m.Start)
	var c int
	if i < len(s.toks) {
		c = s.clause[i]
	} else if len(s.times) > 0 {
		c = len(s.times) - 1
	}
	alone := s.alone(m)
	if m.From < 0 { // another script
		return inPlace
	}
	if m.Weak && s.indonesian(m) {
		return notThere
	}
	if m.CountryOnly && i > 0 && s.names[s.toks[i-1].id] == "perbatasan" {
		return notThere // the border with it is not in it
	}
	rank := mentioned
	prep := false
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
			return notThere
		case s.on.Negator.has(id):
			if s.kind[s.toks[min(k+1, i)].id]&meNoun != 0 { // bukan saya yang di sana
				break
			}
			return notThere
		case s.on.Via.has(id):
			return notThere
		case s.on.From.has(id):
			if s.on.Place.has(id) {
				break
			}
			if s.c.Step == flows.StepLocation && steps == 1 && len(s.toks) <= 3 && !s.escaping(k) {
				return answered
			}
			return notThere
		case s.on.Toward.has(id):
			if s.theirs(hit{start: k}) && s.r.WhoFor != "other_person" {
				return notThere // orangnya kabur ke sana
			}
			if s.arrived(k) && !s.futureAt(k) {
				return nowThere
			}
			return notThere
		case s.on.At.has(id) || s.on.Here.has(id):
			rank = inPlace
			prep = true
		case s.on.Near.has(id) || s.on.Place.has(id) || s.kind[id]&meNoun != 0 || s.all[m.From].start == t.start:
			continue
		default:
			if !prep && (id != 0 || steps > 1) {
				steps += 2
			}
			if prep {
				steps = 5
			}
		}
		if prep {
			break
		}
	}
	if rank == inPlace {
		// what governs the preposition: promise, past, plan
		for k := i - 1; k >= 0 && s.clause[k] == c && i-k <= 8; k-- {
			id := s.toks[k].id
			if s.on.Turned.has(id) || s.on.Now.has(id) {
				rank = nowThere
				break
			}
			if s.on.Promise.has(id) || s.on.Escape.has(id) && s.on.From.has(s.toks[min(k+1, i-1)].id) {
				return notThere
			}
			if s.on.Future.has(id) && !s.says2(k+1, "telling") && !s.on.At.has(s.toks[min(k+1, i-1)].id) {
				return notThere
			}
			if s.on.Negator.has(id) && i-k <= 3 && s.kind[s.toks[k+1].id]&meNoun == 0 {
				return notThere
			}
			if s.on.Past.has(id) && s.laterNow(c) && !s.times[c].now {
				return notThere
			}
		}
		if s.times[c].now {
			rank = statedNow
		}
		if s.times[c].longPast && !s.times[c].now {
			return notThere
		}
		if s.ownerPlace(i) {
			return notThere
		}
		return rank
	}
	if m.Weak && !(alone && (s.c.Step == flows.StepLocation || s.c.Step == "")) && !(s.c.Step == flows.StepLocation && m.Exact && i == 0 && m.Place.Kind != "mission" && !s.ordinaryTalk()) {
		return notThere
	}
	if m.Weak && s.c.Step != flows.StepLocation && len(s.toks) > 0 {
		return notThere
	}
	if s.times[c].future && s.c.Step != flows.StepLocation || s.times[c].longPast {
		return notThere
	}
	for k := i - 1; k >= 0 && s.clause[k] == c && i-k <= 6; k-- {
		id := s.toks[k].id
		if s.on.Promise.has(id) || s.on.Via.has(id) || s.on.Opposite.has(id) {
			return notThere
		}
		if s.on.Past.has(id) && s.laterNow(c) {
			return notThere
		}
		if s.on.Turned.has(id) {
			return nowThere
		}
	}
	if s.ownerPlace(i) {
		return notThere
	}
	if m.Place.Kind == "mission" && !m.CountryOnly {
		if s.c.Step == flows.StepLocation && len(s.toks) <= 3 {
			return answered
		}
		return notThere
	}
	if s.c.Step == flows.StepLocation || s.c.Step == flows.StepPlaceConfirm || s.c.Step == flows.StepCountry {
		return answered
	}
	return mentioned
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
		if s.on.Future.has(s.toks[j].id) {
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

func (s *reader) oppositeOf(m places.Match) bool {
	for _, t := range s.before(s.at(m.Start), 3) {
		if s.on.Opposite.has(t.id) {
			return true
		}
	}
	return false
}

// network returns the country of the mobile network that was named; names that several countries share say nothing.
func (s *reader) network() string {
	for _, h := range s.hits {
		if s.topics[s.topicOf[h.section]] == "network" && !s.denied(h) {
			return string(s.valueOf[h.section])
		}
	}
	return ""
}

// lost says whether the person does not know where they are; asking how to send a location is not that.
func (s *reader) lost() bool {
	if s.says("lost", "how") {
		return false
	}
	for _, h := range s.hits {
		switch s.sections[h.section] {
		case "lost.yes":
			return true
		case "lost.bare", "yn.unknown":
			if s.c.Step == flows.StepLocation || s.c.Step == flows.StepLocationHint {
				return true
			}
		}
	}
	return false
}
