package lexicon

import (
	"slices"

	"pulang/flows"
)

// needs reads what is urgent. A need that is denied, long over, or only a figure of speech does not count.
func (s *reader) needs() {
	none := false
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
		if s.denied(h) || s.deniedInside(h) || s.ofThing(h) || s.healed(h) && (v == "injured" || v == "sick" || v == "medical" || s.scar(h)) {
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
			if n := s.subject(h); n&(passportNoun|paperNoun|phoneNoun|permitNoun) == 0 && !s.over(h) && !s.feared(h) && !s.left(h) && !(s.asks && n&meNoun == 0 && s.placeBefore(h)) && !(s.theirs(h) && s.r.WhoFor != "other_person") {
				s.need(v)
			}
		case "sick":
			if !s.over(h) && !s.kindBefore(h, moneyNoun|phoneNoun|thingNoun) {
				s.need(v)
			}
		case "child":
			if !s.grown(h) {
				s.need(v)
			}
		default:
			if !s.over(h) {
				s.need(v)
			}
		}
	}
	if s.hasNeed("detained") && !s.captors() {
		s.r.Needs = slices.DeleteFunc(s.r.Needs, func(v flows.Value) bool { return v == "held_or_threatened" })
	}
	if none && len(s.r.Needs) == 0 && s.c.Step == flows.StepUrgentNeeds {
		s.need(flows.None)
	}
	if len(s.topic("threat")) > 0 {
		s.signal("threatened")
	}
}

// placeBefore says whether it is a place to which something was done: "katanya myawaddy digerebek ya?"
func (s *reader) placeBefore(h hit) bool {
	for _, m := range s.placeMatches() {
		if m.From >= 0 && h.start > 0 && m.Start <= s.toks[h.start-1].start && m.End >= s.toks[h.start-1].end {
			return true
		}
	}
	return false
}

// captors says whether somebody besides the authorities holds the writer or does violence: that a cell may not be left is
// no threat of its own.
func (s *reader) captors() bool {
	for _, t := range s.toks {
		if s.on.Employer.has(t.id) {
			return true
		}
	}
	for _, h := range s.hits {
		switch s.sections[h.section] {
		case "need.violence", "need.ransom", "need.sexual":
			if !s.denied(h) && !s.over(h) {
				return true
			}
		}
	}
	return false
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
