package lexicon

import (
	"slices"

	"pulang/flows"
)

// How a plight is told decides whether it is one: of a thing, asked, feared, healed since, or of where somebody came from.

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

// deniedInside says whether "kami … dikunci" has its denial in the gap: "kami tidak dikunci".
func (s *reader) deniedInside(h hit) bool {
	last := h.end - 1
	return last-h.start > 1 && s.kind[s.toks[h.start].id]&meNoun != 0 && s.passive(s.toks[last].id) && s.on.Negator.has(s.toks[last-1].id)
}

// shut says whether a phrase begins with what is done to people and to things alike: "ditahan", "dikunci", "dijual".
func (s *reader) shut(h hit) bool {
	return s.word(h, "tahan-ed") || s.word(h, "kunci-ed") || s.word(h, "jual-ed")
}

// paymentAsked says whether a phrase of payment is a question of what it costs: "harus bayar 300 dolar kalau mau pulang?"
func (s *reader) paymentAsked(h hit) bool {
	return s.asks && s.within(h, s.on.Payment)
}

// within says whether a word of the list stands in a phrase.
func (s *reader) within(h hit, list set) bool {
	return slices.ContainsFunc(s.toks[h.start:h.end], func(t token) bool { return list.has(t.id) })
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

// grown says whether the child of whom a phrase tells is said to be of age: "anak saya umur 19 hilang kontak".
func (s *reader) grown(h hit) bool {
	for i := h.start; i < len(s.toks) && i < h.end+4; i++ {
		if i >= h.end && (s.toks[i].gap != space || s.kind[s.toks[i].id]&meNoun != 0) {
			return false
		}
		v, next := s.numberAt(i)
		if next == i {
			continue
		}
		if i > 0 && s.names[s.toks[i-1].id] == "umur" || next < len(s.toks) && s.toks[next].gap == space && s.names[s.toks[next].id] == "tahun" {
			return v >= 18 && v < 100
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
	tag := h.end < len(s.toks) && s.toks[h.end].gap == space && s.on.Negator.has(s.toks[h.end].id) // nanti dipenjara ga di sana
	for _, t := range s.before(h.start, 5) {
		if s.on.Asking.has(t.id) || s.on.Condition.has(t.id) || s.on.Wished.has(t.id) || (s.asks || tag) && s.on.Future.has(t.id) {
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

// supposed says whether a phrase is only put as a case, in a question: "kalau paspor hilang gimana prosedurnya", "berapa
// dendanya kalau overstay".
func (s *reader) supposed(h hit) bool {
	asked := s.asks
	for _, t := range s.toks {
		if s.kind[t.id]&meNoun != 0 || s.on.Past.has(t.id) || s.on.Done.has(t.id) {
			return false // it is the writer's own, or took place
		}
		asked = asked || s.on.Asking.has(t.id) || s.on.Maybe.has(t.id)
	}
	for _, t := range s.before(h.start, 4) {
		if s.on.Condition.has(t.id) {
			return asked
		}
	}
	return asked && s.within(h, s.on.Condition)
}

// healed says whether a later phrase tells that the writer is well again: "kemarin muntah-muntah, sekarang sudah sembuh".
func (s *reader) healed(h hit) bool {
	for _, o := range s.hits {
		if s.sections[o.section] == "well.again" && o.start >= h.end && !s.denied(o) && !(s.theirs(o) && s.r.WhoFor != "other_person") {
			return true
		}
	}
	return false
}
