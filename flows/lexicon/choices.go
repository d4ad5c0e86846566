package lexicon

import (
	"strings"

	"pulang/flows"
)

// choices fills Chosen: the values of the question that was asked, typed as number, ordinal, word or value.
func (s *reader) choices() {
	step := s.c.Step
	menu := s.c.Choices
	if len(menu) == 0 {
		menu = flows.Menus[step]
	}
	if step == "" {
		return
	}
	picked := s.numbered(menu, step)
	if len(picked) == 0 && flows.Multi[step] {
		picked = s.numbersBeside(menu)
	}
	if len(picked) == 0 {
		picked = s.literal(menu)
	}
	words := s.worded(step, menu)
	switch {
	case step == flows.StepSafetyNow:
		s.chooseSafety(picked, words)
	case len(picked) == 0:
		s.r.Chosen = words
	case flows.Multi[step]:
		s.r.Chosen = s.inMenu(menu, append(picked, words...))
		s.onlyNone()
	default:
		s.r.Chosen = picked[:1]
		if len(picked) > 1 && picked[0] != picked[1] {
			s.r.Chosen = nil // "antara 2 sama 3": ask
		}
	}
	s.store(step)
}

// chooseSafety takes the most dangerous of the numbers and the words: "1 tapi ada bos" is not safe.
func (s *reader) chooseSafety(picked, words []flows.Value) {
	v := flows.Value("")
	for _, p := range append(picked, words...) {
		if level[p] > level[v] {
			v = p
		}
	}
	if v == flows.Safe {
		for _, t := range s.toks {
			if s.on.Condition.has(t.id) || len(picked) > 0 && s.on.Negator.has(t.id) && len(s.toks) < 4 {
				v = ""
			}
			if s.on.Doubt.has(t.id) || s.on.Guard.has(t.id) && len(s.toks) > 1 && len(words) == 0 {
				v = flows.Watched
			}
		}
	}
	s.r.Chosen = nil
	if v != "" {
		s.r.Chosen = []flows.Value{v}
	}
	s.r.SafetyNow = v
}

// store writes what was chosen into the field of the step.
func (s *reader) store(step flows.StepID) {
	if len(s.r.Chosen) == 0 {
		return
	}
	v := s.r.Chosen[0]
	switch step {
	case flows.StepWhoFor:
		s.r.WhoFor = v
	case flows.StepPlaceKind:
		s.r.PlaceKind = v
	case flows.StepUrgentNeeds:
		s.r.Needs = s.r.Chosen
	case flows.StepPassportStatus:
		s.r.Passport = v
	case flows.StepImmigration:
		s.r.Permit = v
	case flows.StepContactPref:
		s.r.Contact = v
	case flows.StepCountry:
		if v != "other" && s.r.Location == nil {
			s.r.Location = &Place{Country: string(v), Kind: "place_text", Sure: true}
		}
	case flows.StepConfirmYesNo:
		s.r.YesNo = v
	}
}

// worded returns the values that the words say.
func (s *reader) worded(step flows.StepID, menu []flows.Value) []flows.Value {
	one := func(v flows.Value) []flows.Value {
		if v == "" {
			return nil
		}
		return []flows.Value{v}
	}
	switch step {
	case flows.StepSafetyNow:
		return one(s.r.SafetyNow)
	case flows.StepWhoFor:
		return one(s.r.WhoFor)
	case flows.StepPlaceKind:
		return one(s.r.PlaceKind)
	case flows.StepUrgentNeeds:
		return append([]flows.Value(nil), s.r.Needs...)
	case flows.StepPassportStatus:
		return one(s.r.Passport)
	case flows.StepImmigration:
		return one(s.r.Permit)
	case flows.StepContactPref:
		return one(s.r.Contact)
	case flows.StepCountry:
		if s.r.Location != nil && s.r.Location.Country != "" {
			if v := s.inMenu(menu, one(flows.Value(s.r.Location.Country))); len(v) > 0 {
				return v
			}
			return one("other")
		}
	}
	var out []flows.Value
	for _, h := range s.hits {
		if s.stepOf[h.section] == step && !s.denied(h) {
			out = append(out, s.valueOf[h.section])
		}
	}
	if len(out) == 0 && s.r.YesNo != "" {
		switch step {
		case flows.StepConfirm:
			return one(map[flows.Value]flows.Value{flows.Yes: "continue", flows.No: "later"}[s.r.YesNo])
		case flows.StepConsentShare:
			return one(map[flows.Value]flows.Value{flows.Yes: "agree", flows.No: "mission_only", flows.Unknown: "ask_officer"}[s.r.YesNo])
		}
		return s.inMenu(menu, one(s.r.YesNo))
	}
	if len(menu) > 0 {
		out = s.inMenu(menu, out)
	}
	if !flows.Multi[step] && len(out) > 1 {
		for _, v := range out[1:] {
			if v != out[0] {
				return nil
			}
		}
		out = out[:1]
	}
	return out
}

// inMenu keeps the values that the menu has, in the order of the menu, each once. splp_in_hand and the like are
// not shown but may be typed.
func (s *reader) inMenu(menu, vs []flows.Value) []flows.Value {
	var out []flows.Value
	for _, m := range menu {
		for _, v := range vs {
			if v == m {
				out = append(out, m)
				break
			}
		}
	}
	return out
}

// onlyNone drops "none" beside anything else.
func (s *reader) onlyNone() {
	if len(s.r.Chosen) < 2 {
		return
	}
	kept := s.r.Chosen[:0]
	for _, v := range s.r.Chosen {
		if v != flows.None {
			kept = append(kept, v)
		}
	}
	s.r.Chosen = kept
}

// literal reads a value as it is called in buttons: "held_by_employer".
func (s *reader) literal(menu []flows.Value) []flows.Value {
	text := trimLower(s.text)
	for _, v := range menu {
		if text == trimLower(string(v)) {
			return []flows.Value{v}
		}
	}
	return nil
}

// countsPeople are the questions that "sendiri" answers.
var countsPeople = map[flows.StepID]bool{flows.StepWhoFor: true, flows.StepGroupSize: true}

// numbered reads typed numbers: "3", "yg ketiga", "no 2", "1 ama 7", "1,4", "2 dan 7", and a number in front of words
// ("2, jam istirahat"). A number that counts something ("4 orang", "lantai 3", "2 hari") is none.
func (s *reader) numbered(menu []flows.Value, step flows.StepID) []flows.Value {
	if len(menu) == 0 || len(s.toks) == 0 {
		return nil
	}
	var out []flows.Value
	add := func(n int) bool {
		switch {
		case n == 0 && flows.ZeroIsNone[step] && menu[len(menu)-1] == flows.None:
			out = append(out, flows.None)
		case n >= 1 && n <= len(menu) && !(flows.ZeroIsNone[step] && n == len(menu)):
			out = append(out, menu[n-1])
		default:
			return false
		}
		return true
	}
	run := false // digits written together, "14" for 1 and 4, only where several may be chosen
	for i := 0; i < len(s.toks); {
		t := s.toks[i]
		if t.its && (t.num >= 0 || ordinals[s.names[t.id]] > 0) { // dua duanya, keduanya: both
			return nil
		}
		if v, next := s.ordinalAt(i); next > i {
			if v < 0 {
				v = len(menu)
				if flows.ZeroIsNone[step] {
					v--
				}
			}
			if !add(v) {
				return nil
			}
			i = next
			continue
		}
		if v, next := s.numberAt(i); next > i {
			if s.unit(next) || s.on.Alone.has(t.id) && !countsPeople[step] || next < len(s.toks) && s.toks[next].gap == space && (s.on.People.has(s.toks[next].id) || s.on.Relative.has(s.toks[next].id)) || s.toks[i].approx {
				return nil
			}
			if s.on.Together.has(t.id) {
				return nil
			}
			if !add(v) {
				if flows.Multi[step] && len(t.raw) <= len(menu) && t.id == s.number && len(s.toks) == 1 {
					for k := range len(t.raw) {
						if !add(int(t.raw[k] - '0')) {
							return nil
						}
					}
					run = true
				} else {
					return nil
				}
			}
			i = next
			continue
		}
		if s.on.ChoiceFill.has(t.id) || s.on.Plain.has(t.id) || s.on.Greet.has(t.id) {
			i++
			continue
		}
		if len(out) > 0 && i > 0 && !run && s.frontNumber(i) {
			return out
		}
		return nil
	}
	return out
}

// numbersBeside reads the numbers of a question that takes several, where they stand before or behind words: "belum
// makan, 7 8", "3 sama perut kram".
func (s *reader) numbersBeside(menu []flows.Value) []flows.Value {
	var out []flows.Value
	take := func(i int) bool {
		v := s.toks[i].num
		if s.toks[i].id != s.number || v < 1 || v >= len(menu) || s.toks[i].approx {
			return false
		}
		out = append(out, menu[v-1])
		return true
	}
	last := len(s.toks) - 1
	i := last
	for i > 0 && s.toks[i].gap != stop && take(i) {
		if s.toks[i].gap != space {
			return out
		}
		i--
	}
	out = nil
	if last > 1 && s.names[s.toks[1].id] == "sama" && s.toks[2].num < 0 && !s.on.Relative.has(s.toks[2].id) && !s.on.People.has(s.toks[2].id) && take(0) {
		return out
	}
	return nil
}

// frontNumber says whether the words from i on only explain a number that stands in front.
func (s *reader) frontNumber(i int) bool {
	t := s.toks[i]
	return t.gap != space || s.names[s.toks[i-1].id] == "saja" || s.on.Contrast.has(t.id) || s.on.NumberMark.has(s.toks[0].id) || !s.on.Unit.has(t.id) && s.toks[i-1].num >= 0 && i <= 2 && !s.lists["counted"].has(t.id)
}

// ordinalAt reads "yang ketiga", "ke 2", "terakhir" (-1).
func (s *reader) ordinalAt(i int) (int, int) {
	t := s.toks[i]
	if n, ok := ordinals[s.names[t.id]]; ok {
		return n, i + 1
	}
	if s.names[t.id] == "ke" && i+1 < len(s.toks) {
		if v, next := s.numberAt(i + 1); next > i+1 && s.toks[i+1].gap == space && !s.unit(next) {
			return v, next
		}
	}
	return 0, i
}

var ordinals = map[string]int{"pertama": 1, "kesatu": 1, "kedua": 2, "ketiga": 3, "keempat": 4, "kelima": 5, "keenam": 6, "ketujuh": 7, "kedelapan": 8, "kesembilan": 9, "kesepuluh": 10, "terakhir": -1}

// agree settles fields that depend on each other once all are read.
func (s *reader) agree() {
	if s.r.SelfHarm && s.r.SafetyNow == flows.Safe {
		s.r.SafetyNow = ""
	}
	if s.r.Command == "skip" || s.r.Command == "edit" || s.r.Command == "back" {
		s.r.FullName = ""
	}
	if len(s.r.Needs) > 1 {
		var kept []flows.Value // in the order of the menu; "none" only by itself
		for _, v := range flows.Menus[flows.StepUrgentNeeds] {
			if v != flows.None && s.hasNeed(v) {
				kept = append(kept, v)
			}
		}
		s.r.Needs = kept
	}
}

func trimLower(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
