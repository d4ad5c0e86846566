package lexicon

import (
	"strings"

	"pulang/flows"
	"pulang/flows/places"
)

// links reads positions and map links; they are surer than any name.
func (s *reader) links() {
	if ps := places.Coordinates(s.text); len(ps) > 0 {
		p := ps[0]
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
	for i, m := range ms {
		r := s.stance(m)
		if m.CountryOnly {
			if (r > countryRank || r == countryRank && r > notThere && s.r.WhoFor == "other_person") && (m.Place.Country != "ID" || r >= inPlace && s.c.Step == flows.StepLocation) {
				country, countryRank = m.Place.Country, r
			}
			continue
		}
		if r > rank || r == rank && best >= 0 && (s.finer(m, ms[best]) || (r == nowThere || s.r.WhoFor == "other_person") && !s.finer(ms[best], m)) {
			best, rank = i, r
		}
	}
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
