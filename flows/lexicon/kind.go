package lexicon

import "pulang/flows"

// placeKind reads what sort of place the person is at; where they were, go, or what they only mention does not
// count.
func (s *reader) placeKind() {
	best, rank := flows.Value(""), 0
	for _, h := range s.hits {
		topic, v := s.topics[s.topicOf[h.section]], s.valueOf[h.section]
		n := 0
		switch topic {
		case "kind": // needs no preposition: "dipenjara", "di jalan"
			n = 2
		case "spot": // a noun: counts after "di", or as the answer
			switch {
			case s.inside(h, "kind"):
			case s.c.Step == flows.StepPlaceKind && s.nearby(h):
				n = 1 // hotel kecil dekat terminal
			case s.c.Step == flows.StepPlaceKind:
				n = 2
			case s.atWord(h):
				n = 2
			}
		case "@place_kind":
			n = 2
		}
		if n == 0 || v == "not" || v == "floor" || s.denied(h) || s.away(h) || s.ofThing(h) {
			continue
		}
		if v == "at_mission" && s.asks && s.on.Maybe.has(s.toks[s.clauseStart(h.start)].id) {
			continue // bisa diperpanjang di kbri?
		}
		if s.c.Step != flows.StepPlaceKind && s.thingAt(h.start) {
			continue // paspor masih di kantor
		}
		if s.times[s.clause[h.start]].now {
			n++
		}
		if n > rank || n == rank && kindRank[v] > kindRank[best] {
			best, rank = v, n
		}
	}
	if best == "" && s.r.Location != nil && s.r.Location.Place != "" {
		if p, ok := s.gazetteer.ByName(s.r.Location.Place); ok && p.Kind == "mission" && s.r.WhoFor != "other_person" {
			best = "at_mission"
		}
	}
	if best == "" && s.c.Step == "" && s.hasNeed("held_or_threatened") && s.says("kind", "floor") {
		best = "in_compound"
	}
	s.r.PlaceKind = best
}

// thingAt says whether what stands before token i tells where a passport or a telephone is, and not the person: "paspor
// saya ketinggalan di bus". Who lost it there was there.
func (s *reader) thingAt(i int) bool {
	of := func(k int) noun {
		if s.names[s.toks[k].id] == "telepon" {
			return 0 // terakhir telpon bilang ada di bavet
		}
		return s.kind[s.toks[k].id] &^ bodyNoun
	}
	const thing = passportNoun | phoneNoun
	k := i - 1
	clause := s.clause[min(i, len(s.toks)-1)]
	for ; k >= 0 && s.clause[k] == clause; k-- {
		if owner := of(k)&(meNoun|personNoun) != 0 && k > 0 && s.toks[k].gap == space && of(k-1)&thing != 0; of(k) != 0 && !owner {
			break
		}
	}
	if k < 0 || s.clause[k] != clause || of(k)&thing == 0 {
		return false
	}
	for k--; k >= 0 && s.clause[k] == clause; k-- {
		if of(k)&meNoun != 0 {
			return false
		}
	}
	return true
}

// clauseStart is the first token of the clause of token i.
func (s *reader) clauseStart(i int) int {
	for i > 0 && s.clause[i-1] == s.clause[i] {
		i--
	}
	return i
}

// kindRank settles two kinds told with the same force: the more particular place, and the less safe one.
var kindRank = map[flows.Value]int{"moving": 1, "guesthouse": 2, "border": 2, "outdoors": 3, "shelter": 4, "at_mission": 5, "hospital": 6, "in_compound": 5, "police": 7, "immigration_detention": 7}

// inside says whether a phrase lies inside one of another topic.
func (s *reader) inside(h hit, topic string) bool {
	for _, o := range s.hits {
		if s.topics[s.topicOf[o.section]] == topic && o.start <= h.start && o.end >= h.end && o.end-o.start > h.end-h.start {
			return true
		}
	}
	return false
}

// nearby says whether "dekat" or the like stands before a phrase.
func (s *reader) nearby(h hit) bool {
	for _, t := range s.before(h.start, 2) {
		if s.on.Near.has(t.id) {
			return true
		}
	}
	return false
}

// atWord says whether "di", "dekat" or the like stands before a phrase.
func (s *reader) atWord(h hit) bool {
	for i, t := range s.before(h.start, 3) {
		if s.names[t.id] == "dekat" {
			return false
		}
		if s.on.At.has(t.id) {
			return true
		}
		if i > 0 && !s.on.Near.has(t.id) {
			return false
		}
	}
	return false
}

// away says whether a place is one the person was at, goes to or only passed.
func (s *reader) away(h hit) bool {
	if now := &s.times[s.clause[h.start]]; now.now && s.names[s.toks[h.start].id] == "di" {
		return false // lari, sekarang sembunyi di semak
	}
	for _, t := range s.before(h.start, 4) {
		if s.on.At.has(t.id) && !s.times[s.clause[h.start]].past {
			return false
		}
		if s.on.Toward.has(t.id) && !s.arrived(h.start) || s.on.From.has(t.id) || s.on.Promise.has(t.id) || s.on.Escape.has(t.id) {
			return true
		}
	}
	return s.over(h) || s.times[s.clause[h.start]].future && !s.atWord(h)
}
