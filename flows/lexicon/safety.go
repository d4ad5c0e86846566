package lexicon

import "pulang/flows"

// level orders the safety values; the most dangerous reading wins.
var level = map[flows.Value]int{flows.Safe: 1, flows.Watched: 2, flows.Danger: 3}

// safety reads how safe the writer is. Negation comes first, and where two readings remain the more dangerous one
// is taken; "safe" needs a plain statement about the person, outside quotes, conditions, questions and sarcasm.
func (s *reader) safety() {
	worst := flows.Value("")
	raise := func(v flows.Value) {
		if level[v] > level[worst] {
			worst = v
		}
	}
	var safe []hit
	for _, h := range s.hits {
		switch s.sections[h.section] {
		case "safety.danger", "need.violence", "@safety_now.danger":
			if s.denied(h) || s.deniedInside(h) || s.over(h) || s.ofThing(h) {
				continue
			}
			if s.theirs(h) && (s.r.WhoFor == "other_person" || s.sections[h.section] == "safety.danger") {
				continue
			}
			if s.r.WhoFor == "other_person" && s.sections[h.section] == "need.violence" && !s.mine(h) && !s.answers(h) {
				continue
			}
			raise(flows.Danger)
		case "safety.watched", "@safety_now.watched":
			if s.denied(h) { // nobody is looking
				if s.c.Step == flows.StepSafetyNow {
					safe = append(safe, h)
				}
				continue
			}
			if !s.over(h) && !(s.r.WhoFor == "other_person" && s.theirs(h)) {
				raise(flows.Watched)
			}
		case "safety.calm":
			if !s.denied(h) && s.c.Step == flows.StepSafetyNow && !s.says("alone", "adult") { // ga ada orang dewasa
				safe = append(safe, h)
			}
		case "safety.safe", "@safety_now.safe":
			safe = append(safe, h)
		}
	}
	for _, h := range safe {
		if s.sections[h.section] != "safety.safe" && s.sections[h.section] != "@safety_now.safe" {
			if worst == "" {
				worst = flows.Safe
			}
			continue
		}
		raise(s.safeWord(h))
	}
	if worst == flows.Safe && s.hasNeed("held_or_threatened") {
		worst = "" // aman, but locked in: let the person be asked
	}
	s.r.SafetyNow = worst
}

// safeWord reads one "aman": danger when it is denied, watched when a doubt follows, nothing when it is not a plain
// statement about the person.
func (s *reader) safeWord(h hit) flows.Value {
	if n := s.nouns(h, false); n&^(meNoun|personNoun|bodyNoun) != 0 && s.nounNear(h) {
		return "" // paspor mah aman
	}
	if s.denied(h) {
		if s.over(h) && s.laterSafe(h) {
			return ""
		}
		return flows.Danger
	}
	if s.reallyDenied(h) {
		return flows.Danger
	}
	if last := len(s.toks) - 1; s.asks && last >= h.end && s.on.Negator.has(s.toks[last].id) && s.clause[last] != s.clause[h.start] {
		return "" // amankah? kayaknya engga
	}
	if h.end < len(s.toks) && s.on.Negator.has(s.toks[h.end].id) && s.toks[h.end].gap != stop && s.denialOf(h.end) {
		return "" // aman ga ya?, aman enggak juga
	}
	c := s.clause[h.start]
	if s.times[c].past && !s.times[c].now || s.times[c].longPast {
		for i := h.end; i < len(s.toks); i++ { // kemarin sudah aman, sekarang tidak
			if s.clause[i] > c && s.times[s.clause[i]].now && s.on.Negator.has(s.toks[i].id) {
				return flows.Danger
			}
		}
		return ""
	}
	if s.times[c].future {
		return ""
	}
	for _, t := range s.before(h.start, 4) {
		if s.on.Condition.has(t.id) || s.on.Asking.has(t.id) || s.kind[t.id]&personNoun != 0 && s.r.WhoFor == "other_person" {
			return ""
		}
	}
	if s.toks[h.start].quoted || s.says("doubt", "sarcasm") || s.says("doubt", "quote") || s.asks && s.c.Step != flows.StepSafetyNow {
		return ""
	}
	doubt := flows.Value("")
	for i := h.end; i < len(s.toks); i++ {
		if s.on.Negator.has(s.toks[i].id) && s.clause[i] > c && s.times[s.clause[i]].now {
			return flows.Danger
		}
		if s.on.Condition.has(s.toks[i].id) {
			return ""
		}
		if s.clause[i] > c && (s.on.Contrast.has(s.toks[i].id) || s.times[s.clause[i]].contrast || s.toks[i].gap != space) {
			if s.on.Guard.has(s.toks[i].id) || s.on.Employer.has(s.toks[i].id) || s.on.Doubt.has(s.toks[i].id) {
				doubt = flows.Watched
			}
		}
	}
	if doubt != "" && !s.says("safety", "calm") {
		return doubt
	}
	if s.c.Step == flows.StepSafetyNow || s.says("plainly", "safe") && (s.c.Step == "" || s.mine(h)) {
		return flows.Safe
	}
	return ""
}

// reallyDenied finds a negation that does not stand directly before: "gak bisa dibilang aman", "mana ada aman".
func (s *reader) reallyDenied(h hit) bool {
	for i, t := range s.before(h.start, 6) {
		if s.on.Contrast.has(t.id) {
			return false
		}
		if s.on.Negator.has(t.id) {
			return i < 4 || s.c.Step == flows.StepSafetyNow
		}
	}
	return false
}

// denialOf says whether the negation at i stands alone: nothing follows that it could deny instead.
func (s *reader) denialOf(i int) bool {
	return i+1 >= len(s.toks) || s.toks[i+1].gap != space || s.on.Plain.has(s.toks[i+1].id)
}

func (s *reader) nounNear(h hit) bool {
	for _, t := range s.before(h.start, 3) {
		if k := s.kind[t.id]; k&^(meNoun|personNoun|bodyNoun) != 0 {
			return true
		}
	}
	return false
}

// laterSafe says whether a clause after the phrase speaks of now and of safety.
func (s *reader) laterSafe(h hit) bool {
	for _, o := range s.hits {
		if o.start >= h.end && (s.sections[o.section] == "safety.safe" || s.sections[o.section] == "safety.over") && !s.denied(o) {
			return true
		}
	}
	return false
}

// mine says whether a phrase is told of the writer: "saya dipukul", "kami dikurung".
func (s *reader) mine(h hit) bool {
	for _, t := range s.before(h.start, 3) {
		if k := s.kind[t.id]; k&meNoun != 0 {
			return !s.theirs(h)
		} else if k&personNoun != 0 {
			return false
		}
	}
	return h.end < len(s.toks) && s.toks[h.end].gap == space && s.kind[s.toks[h.end].id]&meNoun != 0
}

// answers says whether a phrase is a sentence of its own where it was asked how safe the writer is: whoever else the
// message is about, the answer is the writer's.
func (s *reader) answers(h hit) bool {
	return s.c.Step == flows.StepSafetyNow && (h.start == 0 || s.toks[h.start].gap == stop) &&
		(h.end >= len(s.toks) || s.toks[h.end].gap == stop)
}

func (s *reader) word(h hit, name string) bool {
	return s.names[s.toks[h.start].id] == name
}

func (s *reader) hasNeed(v flows.Value) bool {
	for _, x := range s.r.Needs {
		if x == v {
			return true
		}
	}
	return false
}
