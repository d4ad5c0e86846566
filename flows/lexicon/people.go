package lexicon

import "pulang/flows"

// who reads for whom the report is: for the writer, a group with the writer in it, or somebody else.
func (s *reader) who() {
	group, other, self := false, false, false
	for _, h := range s.hits {
		switch s.sections[h.section] {
		case "who.group":
			group = group || !s.denied(h)
		case "who.other":
			other = other || !s.within(h, s.on.Reach) // tolong beri tahu keluarga saya
		case "who.self":
			self = self || !s.denied(h)
		case "@who_for.group":
			group = true
		case "@who_for.self":
			if s.denied(h) {
				other = other || len(s.toks) > 2
			} else {
				self = true
			}
		case "@who_for.other_person":
			other = true
		}
	}
	related := !other && s.relativeSubject()
	if related && s.ownPlight() {
		// Both are told of: whom the report is for is asked.
		related = false
	}
	other = other || related
	if other && s.says("who", "myself") {
		other, self = false, true
	}
	n, _ := s.groupNumber()
	if n > 1 && s.weNumber() {
		group = true
	}
	for i, t := range s.toks { // "disekap kami": we, as the one it is done to
		if s.on.We.has(t.id) && !s.ownerOf(i) {
			group = true
		}
	}
	switch {
	case self && !other && !s.weNumber() && (s.c.Step == flows.StepWhoFor || !group && s.says("who", "myself")):
		s.r.WhoFor = "self"
	case group && other && (s.together() || s.c.Step == flows.StepWhoFor && n > 1):
		s.r.WhoFor = "group"
	case other:
		s.r.WhoFor = "other_person"
	case group:
		s.r.WhoFor = "group"
	}
}

// nationality notes that somebody is no Indonesian citizen: they are listened to all the same, and an officer sees it.
func (s *reader) nationality() {
	for _, h := range s.topic("nation") {
		if !s.denied(h) && !s.theirs(h) {
			s.signal("nationality_other")
		}
	}
}

// ownerOf says whether "kami" at i only says whose: "warga kami", "anak kami".
func (s *reader) ownerOf(i int) bool {
	return i > 0 && s.toks[i].gap == space && (s.kind[s.toks[i-1].id]&personNoun != 0 || s.on.Kin.has(s.toks[i-1].id))
}

// weNumber says whether the writer counts among a number of people: "kami 3", "bertiga", "we are 6".
func (s *reader) weNumber() bool { return s.says("who", "group") || s.says("who", "number") }

func (s *reader) together() bool {
	for i, t := range s.toks {
		if s.on.We.has(t.id) && !s.ownerOf(i) {
			return true
		}
	}
	return s.says("who", "group")
}

// relativeSubject says whether a relative or friend is the one of whom the message tells: "anak saya hilang", "tolong
// suami saya"; not "dipegang teman", "sama teman", "teman sekamar saya pergi" beside a plight of one's own.
func (s *reader) relativeSubject() bool {
	for i, t := range s.toks {
		if !s.on.Relative.has(t.id) || s.inName(t) {
			continue
		}
		if i > 0 && t.gap == space {
			p := s.toks[i-1].id
			if raw := s.toks[i-1].raw; len(raw) > 4 && raw[:2] == "di" && s.kind[p] == 0 && !t.mine && !(i+1 < len(s.toks) && s.kind[s.toks[i+1].id]&meNoun != 0) {
				continue // ditolong warga, ditinggal suami: by whom; not: mohon diselamatkan suami saya
			}
			if s.on.With.has(p) || s.on.Joiner.has(p) || s.on.From.has(p) || s.on.Toward.has(p) || s.on.Promise.has(p) || s.passive(p) || s.kind[p]&(passportNoun|phoneNoun) != 0 || s.on.Number.has(p) || i > 1 && s.on.Of.has(p) && (s.kind[s.toks[i-2].id]&(passportNoun|phoneNoun) != 0 || s.on.Number.has(s.toks[i-2].id)) {
				continue
			}
		}
		owned := t.mine || t.its
		j := i + 1
		for j < len(s.toks) && s.toks[j].gap == space && s.on.Relative.has(s.toks[j].id) { // kakak ipar
			j++
		}
		if j < len(s.toks) && s.toks[j].gap == space && s.kind[s.toks[j].id]&meNoun != 0 {
			owned = true
			j++
		}
		atHead := i == 0 || t.gap != space || s.on.Named.has(s.toks[i-1].id) || s.kind[s.toks[i-1].id] == 0 && i < 3
		if !owned && s.names[t.id] == "abang" {
			continue // a form of address
		}
		if !owned && !(atHead && j < len(s.toks)) {
			continue
		}
		if s.gone(j) {
			continue
		}
		if s.c.Step == flows.StepWhoFor && owned {
			return true
		}
		if s.says("who", "here") || s.says("who", "along") {
			continue
		}
		if j >= len(s.toks) { // tolong suami saya
			if i > 0 && s.on.Named.has(s.toks[i-1].id) {
				return true
			}
			continue
		}
		for k := j; k < len(s.toks) && k < j+7; k++ {
			if s.toks[k].gap == stop || s.names[t.id] == "kk" && s.toks[k].gap != space { // kk is a family card as well
				break
			}
			if s.plight(k) {
				return true
			}
		}
	}
	return false
}

// ownPlight says whether the writer tells of himself, abroad: where he is or what happens to him; "saya sendiri yang
// minta tolong, adik saya sudah pulang".
func (s *reader) ownPlight() bool {
	if s.says("who", "myself") {
		return true
	}
	for i, t := range s.toks {
		if s.kind[t.id]&meNoun == 0 || i > 0 && t.gap == space && (s.ownedBy(i) || s.on.With.has(s.toks[i-1].id)) {
			continue
		}
		for k := i + 1; k < len(s.toks) && k < i+5 && s.toks[k].gap == space; k++ {
			if s.on.Past.has(s.toks[k].id) || s.kind[s.toks[k].id]&personNoun != 0 {
				break
			}
			for _, h := range s.hits {
				if h.start == k && s.topics[s.topicOf[h.section]] == "need" && s.valueOf[h.section] != "child" && !s.denied(h) {
					return true
				}
			}
			for _, m := range s.placeMatches() {
				if m.From >= 0 && s.all[m.From].start == s.toks[k].start && m.Place.Country != "ID" && !s.indonesian(m) && s.on.At.has(s.toks[k-1].id) {
					return true
				}
			}
		}
	}
	return false
}

// ownedBy says whether "saya" at i only says whose: "adik saya", "paspor saya".
func (s *reader) ownedBy(i int) bool { return s.ownerOf(i) || s.kind[s.toks[i-1].id] != 0 }

// inName says whether a word is part of a place's name: KK Park is nobody's elder brother.
func (s *reader) inName(t token) bool {
	for _, m := range s.placeMatches() {
		if m.From >= 0 && m.To-m.From > 1 && m.Start <= t.start && t.end <= m.End {
			return true
		}
	}
	return false
}

// gone says whether a relative is told to be home already: "teman saya sudah pulang".
func (s *reader) gone(k int) bool {
	for i := k; i+1 < len(s.toks) && i < k+3 && s.toks[i+1].gap == space; i++ {
		if s.on.Done.has(s.toks[i].id) && s.on.Home.has(s.toks[i+1].id) {
			return true
		}
	}
	return false
}

// plight says whether the words from k on tell what happened to somebody, or where they are.
func (s *reader) plight(k int) bool {
	for _, h := range s.hits {
		if h.start != k {
			continue
		}
		switch s.topics[s.topicOf[h.section]] {
		case "need", "plight", "safety", "spot", "kind", "thing":
			return true
		}
	}
	t := s.toks[k]
	if s.on.At.has(t.id) || s.on.Moved.has(t.id) || s.passive(t.id) {
		return true
	}
	for _, m := range s.placeMatches() {
		if s.all[m.From].start == t.start {
			return true
		}
	}
	return false
}

func (s *reader) passive(w word) bool {
	n := s.names[w]
	return len(n) > 3 && n[len(n)-3:] == "-ed"
}
