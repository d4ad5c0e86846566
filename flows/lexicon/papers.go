package lexicon

import (
	"strings"

	"pulang/flows"
)

// passport reads where the passport is and in what state. Held, lost, dead and torn are read by their noun: a
// telephone can be held, a visa dead and a child lost.
func (s *reader) passport() {
	atStep := s.c.Step == flows.StepPassportStatus
	found := map[flows.Value]int{}
	alive := 0 // where it was said that it is valid still: "yang lama mati, yang baru masih berlaku"
	note := func(v flows.Value, h hit) {
		if v != "" {
			found[v] = max(found[v], h.start+1)
		}
	}
	for _, h := range s.hits {
		topic, v := s.topics[s.topicOf[h.section]], s.valueOf[h.section]
		if h.start > 0 && s.names[s.toks[h.start-1].id] == "rebutan" { // sobek waktu rebutan sama satpam
			continue
		}
		if !atStep && (s.supposed(h) || v == "splp_in_hand" && s.howTo(h)) {
			continue
		}
		switch topic {
		case "pass", "@passport_status":
			if v == "with_me_valid" && !s.withMe(h) {
				continue
			}
			if v == "unknown" && s.c.Step == flows.StepPassportStatus || !s.denied(h) {
				if v == "holder" {
					note(s.holder(h, false, true), h)
					continue
				}
				if v == "with_me_expired" {
					v = s.deadOrNot(h, "with_me_valid", v)
				}
				note(v, h)
			} else if v == "never_had" {
				continue
			}
		case "thing":
			active := v == "keeping"
			n := s.nouns(h, active)
			if n&passportNoun == 0 && !(atStep && n&^(meNoun|personNoun|moneyNoun|bodyNoun) == 0) {
				continue
			}
			if n&passportNoun == 0 && (v == "kept" || v == "lost") && s.writer(h) {
				continue // kami dipindah ke poipet, saya ditahan bos: not the passport
			}
			if s.denied(h) {
				if atStep && v == "dead" {
					note("with_me_valid", h)
				}
				continue
			}
			if s.word(h, "bawa-ed") && h.start > 0 && s.toks[h.start].gap != space && !atStep {
				continue // paspornya tidak dicap, dibawa agen malam-malam: the person was
			}
			if v == "keptat" && s.subject(h)&passportNoun == 0 && !(atStep && h.start == 0) {
				continue // sama teman … paspor hilang
			}
			switch v {
			case "kept", "keptat", "keeping":
				note(s.holder(h, active, n&passportNoun != 0 || atStep), h)
			case "lost":
				note("lost_stolen", h)
			case "torn":
				note("damaged", h)
			case "dead":
				note(s.deadOrNot(h, "with_me_valid", "with_me_expired"), h)
			case "alive", "withme":
				if v == "withme" && s.inHands(h) {
					note(s.holder(h, false, true), h)
					continue
				}
				note("with_me_valid", h)
				if v == "alive" {
					alive = h.start + 1
				}
			case "absent":
				if atStep {
					note("never_had", h)
				}
			}
		}
	}
	if s.says("pass", "returned") {
		for _, v := range []flows.Value{"held_by_employer", "held_by_authority", "held_by_other"} {
			delete(found, v)
		}
	}
	if alive > found["with_me_expired"] {
		delete(found, "with_me_expired")
	}
	order := []flows.Value{"splp_in_hand", "held_by_employer", "held_by_authority", "held_by_other", "damaged", "lost_stolen", "never_had", "with_me_expired", "with_me_valid", "unknown"}
	for _, v := range order {
		if found[v] > 0 {
			s.r.Passport = v
			return
		}
	}
}

// writer says whether it is the writer to whom a phrase says something was done; not "punya saya ditahan bos".
func (s *reader) writer(h hit) bool {
	words := s.before(h.start, 3)
	for i, t := range words {
		if s.kind[t.id]&meNoun != 0 {
			return i+1 >= len(words) || !s.on.Of.has(words[i+1].id)
		}
	}
	return false
}

// howTo says whether the clause of a phrase asks how or when one gets a thing: "splp berapa lama jadinya".
func (s *reader) howTo(h hit) bool {
	c := s.clause[h.start]
	for i, t := range s.toks {
		if n := s.names[t.id]; s.clause[i] == c && (n == "berapa" || n == "kapan" || n == "gimana" || n == "cara") {
			return true
		}
	}
	return false
}

// inHands says whether "di tangan" goes on with whose: "di tangan agen".
func (s *reader) inHands(h hit) bool {
	if h.end >= len(s.toks) || s.toks[h.end].gap != space {
		return false
	}
	id := s.toks[h.end].id
	return s.on.Employer.has(id) || s.on.Keeper.has(id) || s.on.Authority.has(id)
}

// withMe says whether "ada paspor" and the like is told of the passport itself and of the person: not of a copy, not
// under a negation inside the phrase, and not at some other place ("paspor ada di bos", "paspor ga ada sama saya").
func (s *reader) withMe(h hit) bool {
	if s.c.Step == flows.StepPassportStatus {
		for i, t := range s.toks { // ada, tapi cuma fotokopi
			if i >= h.end && s.on.Copied.has(t.id) {
				return false
			}
		}
	}
	for i := h.start; i < h.end; i++ {
		if i > h.start && s.on.Negator.has(s.toks[i].id) {
			return false
		}
		if s.kind[s.toks[i].id]&passportNoun != 0 && (i > 0 && s.on.Copied.has(s.toks[i-1].id) || s.copyOf(h.start, i)) {
			return false
		}
	}
	if h.end >= len(s.toks) || s.toks[h.end].gap != space {
		return true
	}
	if s.on.With.has(s.toks[h.end].id) { // still with the boss
		return s.holder(hit{h.section, h.end, h.end + 1}, false, true) == "with_me_valid"
	}
	if !s.on.At.has(s.toks[h.end].id) {
		return true
	}
	for _, o := range s.hits {
		if s.sections[o.section] == "thing.withme" && o.start <= h.end && o.end > h.end {
			return true
		}
	}
	return false
}

// copyOf says whether what stands between from and the passport at token i is a picture of it: "i have a photo of my
// passport".
func (s *reader) copyOf(from, i int) bool {
	for k := from; k+1 < i; k++ {
		if s.on.Copied.has(s.toks[k].id) && s.toks[k+1].raw == "of" {
			return true
		}
	}
	return false
}

// holder finds who keeps a passport. Nobody named means no value: one question settles it.
func (s *reader) holder(h hit, active, near bool) flows.Value {
	kind := func(i int) flows.Value {
		id := s.toks[i].id
		switch {
		case i >= h.end && i <= h.end+1 && s.on.Pledged.has(id) && (i == h.end || s.on.At.has(s.toks[h.end].id)):
			return "held_by_other" // ditahan hotel, jaminan di rental
		case s.on.Authority.has(id):
			return "held_by_authority"
		case s.on.Employer.has(id):
			return "held_by_employer"
		case s.on.Keeper.has(id) || s.on.Relative.has(id):
			return "held_by_other"
		}
		return ""
	}
	if active {
		for i := h.start - 1; i >= 0 && h.start-i <= 6; i-- {
			if s.toks[i+1].gap == stop {
				break
			}
			if v := kind(i); v != "" {
				return v
			}
			if s.kind[s.toks[i].id]&meNoun != 0 && !(i > 0 && kind(i-1) != "") {
				if i == h.start-1 {
					return "with_me_valid" // saya pegang sendiri
				}
				break
			}
		}
	}
	for i := h.start; i < len(s.toks) && i-h.end < 6; i++ {
		if i >= h.end && (s.toks[i].gap == stop || s.on.Contrast.has(s.toks[i].id)) {
			break
		}
		if v := kind(i); v != "" {
			return v
		}
		if s.kind[s.toks[i].id]&meNoun != 0 && i == h.end && s.toks[i].gap == space && !active && near {
			if i+1 < len(s.toks) && kind(i+1) != "" {
				continue
			}
			return "with_me_valid" // dipegang saya
		}
	}
	if !active {
		for i := h.start - 1; i >= 0 && h.start-i <= 8; i-- {
			if s.toks[i+1].gap == stop {
				break
			}
			if v := kind(i); v == "held_by_employer" || v == "held_by_authority" {
				return v
			}
		}
	}
	return ""
}

// deadOrNot reads "mati", "habis", "lewat" against what stands around it: still to come, or past.
func (s *reader) deadOrNot(h hit, alive, dead flows.Value) flows.Value {
	c := s.clause[h.start]
	for i := h.end; i < len(s.toks) && i < h.end+3 && s.toks[i].gap != stop; i++ { // expirednya 2029
		if y := s.toks[i].num; y >= 1990 && y < 2100 && s.c.At.Year() > 1 && y > s.c.At.Year() {
			return alive
		}
	}
	for i := range s.toks {
		if s.clause[i] != c && !(i >= h.end && i < h.end+4 && s.toks[i].gap != stop) {
			continue
		}
		if s.names[s.toks[i].id] == "lagi" && i > h.start-4 && i < h.end+4 && s.hasNumber(c) {
			return alive
		}
	}
	for _, o := range s.hits {
		if s.sections[o.section] == "time.ahead" && (s.clause[o.start] == c || o.start >= h.end && o.start < h.end+4) {
			return alive
		}
	}
	return dead
}

func (s *reader) hasNumber(c int) bool {
	for i, t := range s.toks {
		if s.clause[i] == c && t.num >= 0 {
			return true
		}
	}
	return false
}

// permit reads the state of visa or stay permit.
func (s *reader) permit() {
	atStep := s.c.Step == flows.StepImmigration
	found := map[flows.Value]bool{}
	for _, h := range s.hits {
		topic, v := s.topics[s.topicOf[h.section]], s.valueOf[h.section]
		if !atStep && s.supposed(h) {
			continue
		}
		switch topic {
		case "permit", "@immigration_status":
			if v == "asked" {
				continue
			}
			if v == "overstay" && !s.denied(h) {
				found[s.deadOrNot(h, "valid", "overstay")] = true
			} else if !s.denied(h) {
				found[v] = true
			} else if v == "overstay" && atStep {
				found["valid"] = true
			}
		case "thing":
			n := s.nouns(h, v == "keeping")
			if n&permitNoun == 0 && !(atStep && n&^(meNoun|personNoun|moneyNoun|bodyNoun) == 0) {
				continue
			}
			switch {
			case v == "dead" && s.denied(h):
				found["valid"] = true
			case s.denied(h):
			case v == "dead":
				found[s.deadOrNot(h, "valid", "overstay")] = true
			case v == "alive" || v == "withme" && atStep:
				found["valid"] = true
			}
		}
	}
	for _, v := range []flows.Value{"no_entry_stamp", "overstay", "valid", "unknown"} {
		if found[v] {
			s.r.Permit = v
			break
		}
	}
	// a date until which something is valid
	if y := s.until(); y != 0 {
		past := s.c.At.Year() > 1 && y < s.c.At.Year()
		switch {
		case atStep || s.untilOf()&permitNoun != 0:
			s.r.Permit = pick(past, "overstay", "valid")
		case s.c.Step == flows.StepPassportStatus || s.untilOf()&passportNoun != 0:
			if s.r.Passport == "" || s.r.Passport == "with_me_valid" || s.r.Passport == "with_me_expired" {
				s.r.Passport = pick(past, "with_me_expired", "with_me_valid")
			}
		}
	}
}

func pick(cond bool, yes, no flows.Value) flows.Value {
	if cond {
		return yes
	}
	return no
}

// until returns the year of "sampai 2030", 9999 for a day of a month without a year, and 0 when there is none.
func (s *reader) until() int {
	for _, h := range s.hits {
		if s.sections[h.section] == "time.until" {
			for i := h.end; i < len(s.toks) && i < h.end+4; i++ {
				if n := s.toks[i].num; n >= 1990 && n < 2100 {
					return n
				}
				if month(s.names[s.toks[i].id]) > 0 || strings.HasSuffix(s.names[s.toks[i].id], "depan") {
					return 9999
				}
			}
		}
	}
	return 0
}

// untilOf returns the noun that "sampai 2030" goes with.
func (s *reader) untilOf() noun {
	for _, h := range s.hits {
		if s.sections[h.section] == "time.until" {
			return s.nouns(h, false)
		}
	}
	return 0
}
