package lexicon

import "pulang/flows"

// needs reads what is urgent. A need that is denied, long over, or only a figure of speech does not count.
func (s *reader) needs() {
	none, healed := false, s.says("well", "again")
	for _, h := range s.hits {
		topic, v := s.topics[s.topicOf[h.section]], s.valueOf[h.section]
		switch topic {
		case "need", "@urgent_needs":
		case "thing":
			if v == "kept" {
				s.keptPerson(h)
			}
			continue
		default:
			continue
		}
		if v == "none" {
			none = true
			continue
		}
		if s.denied(h) || s.ofThing(h) || healed && (v == "injured" || v == "sick" || v == "medical" || s.scar(h)) {
			continue
		}
		switch v {
		case "figure": // "sakit hati": nothing
		case "violence", "held_or_threatened":
			if !s.over(h) && !s.paymentAsked(h) {
				s.need("held_or_threatened")
			}
		case "ransom":
			s.signal("ransom_asked")
			s.need("held_or_threatened")
		case "medical":
			if !s.over(h) {
				s.signal("medical_emergency")
			}
		case "emergency": // ill, and at once
			if !s.over(h) {
				s.signal("medical_emergency")
				s.need("sick")
			}
		case "pregnant":
			s.need(v)
			if s.lateMonth(h) {
				s.signal("pregnant_late")
			}
		case "injured", "female_officer":
			s.need(v)
		case "sexual":
			s.signal("sexual_violence")
			s.need("held_or_threatened")
		case "detained":
			if n := s.subject(h); n&(passportNoun|paperNoun|phoneNoun|permitNoun) == 0 && !s.over(h) && !s.feared(h) && !s.left(h) && !(s.theirs(h) && s.r.WhoFor != "other_person") {
				s.need(v)
			}
		case "sick":
			if !s.over(h) && !s.kindBefore(h, moneyNoun|phoneNoun|thingNoun) {
				s.need(v)
			}
		case "child":
			s.need(v)
		default:
			if !s.over(h) {
				s.need(v)
			}
		}
	}
	if none && len(s.r.Needs) == 0 && s.c.Step == flows.StepUrgentNeeds {
		s.need(flows.None)
	}
	if len(s.topic("threat")) > 0 {
		s.signal("threatened")
	}
}

// ofThing says whether "ditahan" or "dikunci" is told of a thing: what a boss keeps most often is the passport, and
// nobody is locked in by that.
func (s *reader) ofThing(h hit) bool {
	if s.kind[s.toks[h.start].id]&meNoun != 0 {
		for h.start < h.end-1 && !s.shut(h) { // paspor saya dikunci
			h.start++
		}
	}
	const things = ^(meNoun | personNoun | bodyNoun)
	if !s.shut(h) || s.nouns(h, false)&things == 0 {
		return false
	}
	for i := h.start - 1; i >= 0 && s.toks[i+1].gap == space; i-- {
		k := s.kind[s.toks[i].id]
		if k == 0 || k&(meNoun|personNoun) != 0 && i > 0 && s.toks[i].gap == space && s.kind[s.toks[i-1].id]&things != 0 {
			continue
		}
		if k&things != 0 {
			return true
		}
		for j := h.end; j < len(s.toks) && s.toks[j].gap == space; j++ { // kami ditahan paspornya; not: kami ditahan, paspor juga
			if s.kind[s.toks[j].id]&things != 0 {
				return true
			}
		}
		return false
	}
	return true
}

// shut says whether a phrase begins with what is done to people and to things alike: "ditahan", "dikunci", "dijual".
func (s *reader) shut(h hit) bool {
	return s.word(h, "tahan-ed") || s.word(h, "kunci-ed") || s.word(h, "jual-ed")
}

// paymentAsked says whether a phrase of payment is a question of what it costs: "harus bayar 300 dolar kalau mau pulang?"
func (s *reader) paymentAsked(h hit) bool {
	if !s.asks {
		return false
	}
	for i := h.start; i < h.end; i++ {
		if s.lists["payment"].has(s.toks[i].id) {
			return true
		}
	}
	return false
}

// lateMonth says whether a pregnancy is told to be in its seventh month or later: "hamil 8 bulan", "30 minggu", "tua".
func (s *reader) lateMonth(h hit) bool {
	for i := h.start; i < len(s.toks) && i < h.end+4 && (i <= h.start || s.toks[i].gap != stop); i++ {
		if s.toks[i].raw == "tua" || s.toks[i].raw == "besar" {
			return true
		}
		v, next := s.numberAt(i)
		if next == i || next >= len(s.toks) {
			continue
		}
		switch s.names[s.toks[next].id] {
		case "bulan":
			return v >= 7 && v <= 10
		case "minggu":
			return v >= 28 && v <= 44
		}
	}
	return false
}

// left says whether a phrase is where the person came from: "keluar dari penjara".
func (s *reader) left(h hit) bool {
	for _, t := range s.before(h.start, 1) {
		return s.on.From.has(t.id)
	}
	return false
}

// scar says whether a phrase is told of what is left of it: "bekas luka pukulan".
func (s *reader) scar(h hit) bool {
	for _, t := range s.before(h.start, 2) {
		if s.names[t.id] == "luka" || t.raw == "bekas" {
			return true
		}
	}
	return false
}

// feared says whether a phrase is only asked or feared: "apa saya ditangkap kalau lapor", "takut ditangkap polisi".
func (s *reader) feared(h hit) bool {
	for _, t := range s.before(h.start, 5) {
		if s.on.Asking.has(t.id) || s.on.Condition.has(t.id) || s.lists["wished"].has(t.id) || s.asks && s.on.Future.has(t.id) {
			return true
		}
	}
	return h.end < len(s.toks) && s.asks && s.on.Negator.has(s.toks[h.end].id) && s.denialOf(h.end)
}

// keptPerson reads "ditahan" of a person: by the police it is detained, by a boss it is held.
func (s *reader) keptPerson(h hit) {
	if s.denied(h) || s.over(h) || s.feared(h) || s.theirs(h) && s.r.WhoFor != "other_person" || !s.word(h, "tahan-ed") && !s.word(h, "ambil-ed") {
		return
	}
	n := s.nouns(h, false)
	if n&^(meNoun|personNoun) != 0 {
		return
	}
	by := s.holder(h, false, false)
	switch {
	case by == "held_by_authority" && (n != 0 || s.c.Step != flows.StepPassportStatus):
		s.need("detained")
	case by == "held_by_employer" && n != 0 && s.word(h, "tahan-ed"):
		s.need("held_or_threatened")
	case n == 0 && s.c.Step == flows.StepUrgentNeeds && s.word(h, "tahan-ed"):
		s.need("detained")
	}
}

func (s *reader) kindBefore(h hit, k noun) bool {
	for _, t := range s.before(h.start, 2) {
		if s.kind[t.id]&k != 0 {
			return true
		}
	}
	return false
}

// harm reads words of self-harm; a laugh ("ngakak sampe mati") is none.
func (s *reader) harm() {
	for _, h := range s.hits {
		if s.sections[h.section] == "harm.self" && !s.denied(h) && !s.kindBefore(h, phoneNoun|thingNoun|passportNoun|permitNoun) {
			s.r.SelfHarm = true
			s.signal("self_harm")
		}
	}
}

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
		if v == "at_mission" && s.asks && s.lists["maybe"].has(s.toks[max(0, s.clauseStart(h.start))].id) {
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
	of := func(k int) noun { return s.kind[s.toks[k].id] &^ bodyNoun }
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
