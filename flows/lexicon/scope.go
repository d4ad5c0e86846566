package lexicon

import (
	"fmt"
	"slices"
)

// noun says what sort of thing a word names: the ambiguous words ("ditahan", "hilang", "mati", "habis") are read
// by the noun that they go with.
type noun uint16

const (
	passportNoun noun = 1 << iota
	permitNoun
	phoneNoun
	moneyNoun
	foodNoun
	medicineNoun
	paperNoun // another document: KTP, KK, diploma
	thingNoun // any other thing: lamp, chat, signal
	meNoun
	personNoun // a third person
	bodyNoun
)

// wordLists are the lists that the code itself asks for; each must stand in lists.txt.
type wordLists struct {
	Negator, Through, Contrast, Now, Past, Long, Employer, Keeper, Authority, Me, We, Relative, Person, With, Unit,
	Joiner, ChoiceFill, At, Toward, From, Via, Moved, Future, Promise, Turned, Opposite, Guard, Condition, Time, People, NotPeople,
	NumberMark, Ordinal, Plus, Escape, Greet, Place, Here, Near, Have, Plain, Named, NameStop, Kin, NotName, Doubt, Asking, Alone, Borrowed, Called, Callee, Copied, Done,
	Home, Left, Maybe, Nationals, Number, Of, Payment, Pledged, Reach, Wished, Together, Hearsay, OneOf set
}

// resolve looks up the lists by name and sorts the nouns.
func (l *Lexicon) resolve() error {
	o := &l.on
	for name, into := range map[string]*set{
		"negator": &o.Negator, "through": &o.Through, "contrast": &o.Contrast, "now": &o.Now, "past": &o.Past, "longago": &o.Long,
		"employer": &o.Employer, "keeper": &o.Keeper, "authority": &o.Authority, "me": &o.Me, "we": &o.We, "relative": &o.Relative,
		"person": &o.Person, "with": &o.With, "unit": &o.Unit, "joiner": &o.Joiner, "choicefill": &o.ChoiceFill, "at": &o.At,
		"toward": &o.Toward, "from": &o.From, "via": &o.Via, "moved": &o.Moved, "future": &o.Future, "promise": &o.Promise,
		"turned": &o.Turned, "opposite": &o.Opposite, "guard": &o.Guard, "condition": &o.Condition, "time": &o.Time, "people": &o.People,
		"notpeople": &o.NotPeople, "numbermark": &o.NumberMark, "ordinal": &o.Ordinal, "plus": &o.Plus, "escape": &o.Escape, "greet": &o.Greet,
		"place": &o.Place, "here": &o.Here, "near": &o.Near, "have": &o.Have, "plain": &o.Plain, "named": &o.Named, "namestop": &o.NameStop,
		"kin": &o.Kin, "notname": &o.NotName, "doubt": &o.Doubt, "asking": &o.Asking, "alone": &o.Alone, "borrowed": &o.Borrowed,
		"called": &o.Called, "callee": &o.Callee, "copied": &o.Copied, "done": &o.Done, "home": &o.Home, "left": &o.Left, "maybe": &o.Maybe,
		"nationals": &o.Nationals, "number": &o.Number, "of": &o.Of, "payment": &o.Payment, "pledged": &o.Pledged, "reach": &o.Reach,
		"wished": &o.Wished, "together": &o.Together, "hearsay": &o.Hearsay, "oneof": &o.OneOf,
	} {
		s, ok := l.lists[name]
		if !ok {
			return fmt.Errorf("word list lists.txt: there is no [%s]", name)
		}
		*into = s
	}
	l.kind = map[word]noun{}
	for name, k := range map[string]noun{"n_passport": passportNoun, "n_permit": permitNoun, "n_phone": phoneNoun, "n_money": moneyNoun, "n_food": foodNoun,
		"n_medicine": medicineNoun, "n_paper": paperNoun, "n_thing": thingNoun, "me": meNoun, "we": meNoun, "person": personNoun, "relative": personNoun, "n_body": bodyNoun} {
		s, ok := l.lists[name]
		if !ok {
			return fmt.Errorf("word list lists.txt: there is no [%s]", name)
		}
		for w := range word(len(l.names)) {
			if s.has(w) {
				l.kind[w] |= k
			}
		}
	}
	return nil
}

// when says in which time a clause speaks.
type when struct {
	past, longPast, now, future, contrast bool
}

// scope cuts the message into clauses and finds the time of each.
func (s *reader) scope() {
	s.clause = make([]int, len(s.toks)+1)
	n := 0
	for i, t := range s.toks {
		if i > 0 && (t.gap != space || s.on.Contrast.has(t.id) || s.on.Now.has(t.id)) {
			n++
		}
		s.clause[i] = n
	}
	s.clause[len(s.toks)] = n + 1
	s.times = make([]when, n+1)
	for i, t := range s.toks {
		w := &s.times[s.clause[i]]
		ago := s.yearAgo(i)
		since := i > 0 && t.gap == space && s.on.From.has(s.toks[i-1].id) && !s.on.Long.has(t.id) // dari kemarin: until now
		w.past = w.past || s.on.Past.has(t.id) && !since || s.on.Long.has(t.id) || ago
		w.longPast = w.longPast || s.on.Long.has(t.id) || ago
		w.now = w.now || s.on.Now.has(t.id)
		w.future = w.future || s.plan(i) && !(i+1 < len(s.toks) && s.lists["telling"].has(s.toks[i+1].id))
		w.contrast = w.contrast || s.on.Contrast.has(t.id)
	}
}

// plan says whether word i speaks of what is to come; "hp mau mati" is nobody's plan.
func (s *reader) plan(i int) bool {
	t := s.toks[i]
	return s.on.Future.has(t.id) && !(i > 0 && t.gap == space && s.kind[s.toks[i-1].id]&phoneNoun != 0)
}

// yearAgo says whether word i is the year in "tahun 2019 saya pernah kerja di filipina".
func (s *reader) yearAgo(i int) bool {
	y := s.toks[i].num
	if y < 1990 || y >= s.c.At.Year() || i == 0 || s.names[s.toks[i-1].id] != "tahun" || i > 1 && (s.on.From.has(s.toks[i-2].id) || s.names[s.toks[i-2].id] == "sejak") {
		return false
	}
	for k := i + 1; k < len(s.toks) && s.toks[k].gap == space; k++ {
		if n := s.names[s.toks[k].id]; n == "pernah" || n == "dulu" {
			return true
		}
	}
	return false
}

// before returns the words of the clause before token i, nearest first, up to n of them.
func (s *reader) before(i, n int) []token {
	from := i
	for from > 0 && i-from < n && s.toks[from].gap == space {
		from--
	}
	out := make([]token, 0, i-from)
	for k := i - 1; k >= from; k-- {
		out = append(out, s.toks[k])
	}
	return out
}

// denied says whether a phrase stands under a negation: "tidak pernah dipukul", "ga ada yang liat", "belum aman",
// "bahaya sih engga".
func (s *reader) denied(h hit) bool {
	if h.end < len(s.toks) && s.toks[h.end].gap == space && s.on.Negator.has(s.toks[h.end].id) && s.denialOf(h.end) && !s.asks && s.toks[h.end].end-s.toks[h.end].start > 1 {
		return true
	}
	for i := h.start; i > 0 && h.start-i < 5; i-- {
		if s.toks[i].gap != space && i != h.start || s.toks[i].gap == stop || i == h.start && s.toks[i].gap != space {
			return false
		}
		t := &s.toks[i-1]
		if s.on.Negator.has(t.id) {
			return true
		}
		if !s.on.Through.has(t.id) {
			return false
		}
	}
	return false
}

// nouns returns what the thing a predicate speaks of is. For something done (passive) the subject stands before
// it; for somebody doing it the object stands behind it.
func (s *reader) nouns(h hit, active bool) noun {
	back := func() noun {
		for i := h.start - 1; i >= 0 && h.start-i <= 12; i-- {
			if s.toks[i+1].gap == stop {
				break
			}
			k := s.kind[s.toks[i].id]
			if k == 0 {
				continue
			}
			if k&(meNoun|personNoun) != 0 && i > 0 && s.toks[i].gap == space && s.kind[s.toks[i-1].id]&^(meNoun|personNoun|bodyNoun) != 0 {
				continue // paspor saya, hp teman: the owner
			}
			if k&^(meNoun|personNoun) == 0 && i > 0 && s.toks[i].gap == space && (s.on.At.has(s.toks[i-1].id) || s.names[s.toks[i-1].id] == "sama") {
				continue // ada di saya, sama saya, tapi mati
			}
			if i > 0 && s.names[s.toks[i-1].id] == "bukan" && s.toks[i].gap == space {
				return 0 // bukan paspor yang hilang
			}
			for i > 1 && k&^(meNoun|personNoun) != 0 { // paspor sama hp
				j := i - 1
				if s.kind[s.toks[j].id]&(meNoun|personNoun) != 0 {
					j--
				}
				if j > 0 && (s.on.Joiner.has(s.toks[j].id) || s.toks[i].gap == comma) {
					if !s.on.Joiner.has(s.toks[j].id) {
						j++
					}
					p := s.kind[s.toks[j-1].id]
					if p&(meNoun|personNoun) != 0 && j > 1 {
						j--
						p = s.kind[s.toks[j-1].id]
					}
					if p&^(meNoun|personNoun) == 0 {
						break
					}
					k |= p
					i = j - 1
					continue
				}
				break
			}
			return k
		}
		return 0
	}
	ahead := func() noun {
		for i := h.end; i < len(s.toks) && i-h.end < 5; i++ {
			if s.toks[i].gap == stop || s.on.Contrast.has(s.toks[i].id) {
				break
			}
			if k := s.kind[s.toks[i].id] &^ (meNoun | personNoun); k != 0 {
				for j := i + 1; j+1 < len(s.toks) && (s.on.Joiner.has(s.toks[j].id) || s.toks[j].gap == comma); j++ {
					if s.toks[j].gap == comma && s.kind[s.toks[j].id] != 0 {
						k |= s.kind[s.toks[j].id]
						continue
					}
					k |= s.kind[s.toks[j+1].id]
					j++
				}
				return k
			}
		}
		return 0
	}
	if active {
		if k := ahead(); k != 0 {
			return k
		}
		return back()
	}
	k := back()
	if k&paperNoun != 0 { // koper dicuri, termasuk paspor
		for i := h.end; i+1 < len(s.toks) && i < h.end+6 && s.toks[i].gap != stop; i++ {
			if s.on.Joiner.has(s.toks[i].id) && s.toks[i+1].gap == space {
				k |= s.kind[s.toks[i+1].id] & passportNoun
			}
		}
	}
	if k == 0 || k == meNoun || k == personNoun {
		if a := ahead(); a&(passportNoun|permitNoun|phoneNoun|paperNoun) != 0 && (k == 0 || s.toks[h.start].gap == space) {
			return a
		}
	}
	return k
}

// subject returns what the thing before a passive is.
func (s *reader) subject(h hit) noun {
	for _, t := range s.before(h.start, 6) {
		if k := s.kind[t.id]; k != 0 {
			return k
		}
	}
	return 0
}

// over says whether a thing told is over by now: it was long ago, or earlier and another clause tells of relief.
func (s *reader) over(h hit) bool {
	for _, t := range s.before(h.start, 2) { // sudah aman, tadinya disekap
		if s.on.Past.has(t.id) && slices.ContainsFunc(s.hits, s.better) {
			return true
		}
	}
	c := s.clause[h.start]
	if s.times[c].now {
		return false
	}
	if s.times[c].longPast {
		return true
	}
	if s.endedNow(c) {
		return true
	}
	past := s.times[c].past || s.escaped(h)
	for i := c - 1; i >= 0 && i >= c-2 && !past; i-- { // dulu kerja di sana, disiksa tiap hari
		if s.times[i].now || s.times[i].future {
			break
		}
		past = s.times[i].longPast && !s.times[c].now
	}
	return past && s.relief(c)
}

// escaped says whether a phrase tells of an escape that succeeded: "sudah kabur", not "kabur sekarang", and nothing behind
// it takes it back.
func (s *reader) escaped(h hit) bool {
	done := false
	for i := max(0, h.start-1); i < h.end; i++ {
		switch name := s.names[s.toks[i].id]; {
		case name == "kabur":
			return done && !s.asks && !s.takenBack(h)
		case s.on.Done.has(s.toks[i].id) || name == "berhasil":
			done = true
		}
	}
	return false
}

// takenBack says whether what follows an escape is no end of it: "tapi ketangkap lagi", "diseret balik", "masih dicari", "teman
// masih di dalam", another compound.
func (s *reader) takenBack(h hit) bool {
	for _, o := range s.hits {
		switch s.sections[o.section] {
		case "need.held_or_threatened", "need.detained", "kind.in_compound", "spot.in_compound":
			if o.start >= h.end && s.clause[o.start] > s.clause[h.start] && !s.denied(o) {
				return true
			}
		}
	}
	for i := h.end; i < len(s.toks); i++ {
		t := s.toks[i]
		switch s.names[t.id] {
		case "masih", "lagi":
			return true
		}
		if t.raw == "balik" || t.raw == "paksa" {
			return true
		}
		if s.on.Contrast.has(t.id) && !slices.ContainsFunc(s.hits, func(o hit) bool { return o.start > i && o.start <= i+3 && s.better(o) }) {
			return true
		}
	}
	return false
}

// endedNow says whether a later clause says that it is no more so: "dulu dipukul, sekarang sudah tidak".
func (s *reader) endedNow(c int) bool {
	last := len(s.toks) - 1
	return s.times[c].past && last > 0 && s.clause[last] > c && s.times[s.clause[last]].now && s.on.Negator.has(s.toks[last].id)
}

// relief says whether another clause tells that it is better now: safe, free, in a hotel, with the embassy.
func (s *reader) relief(c int) bool {
	return slices.ContainsFunc(s.hits, func(h hit) bool {
		o := s.clause[h.start]
		return o != c && (o > c || s.times[o].now) && s.better(h)
	})
}

// better says whether a phrase tells that it is better now.
func (s *reader) better(h hit) bool {
	x := s.sections[h.section]
	return (x == "safety.safe" || x == "safety.over") && !s.denied(h) && !s.nextCompound(h)
}

// nextCompound says whether "sudah di" goes on with the next compound: "tadi malam dijual, sekarang sudah di gedung baru".
func (s *reader) nextCompound(h hit) bool {
	for _, o := range s.hits {
		if x := s.sections[o.section]; (x == "spot.in_compound" || x == "kind.in_compound") && o.start >= h.start && o.start <= h.end {
			return true
		}
	}
	return false
}

func (s *reader) laterNow(c int) bool {
	for i := c + 1; i < len(s.times); i++ {
		if s.times[i].now {
			return true
		}
	}
	return false
}

// theirs says whether a phrase is told of a third person: "orangnya udah kabur", "teman saya dipukul".
func (s *reader) theirs(h hit) bool {
	for i := h.start - 1; i >= 0 && h.start-i <= 6; i-- {
		if s.toks[i+1].gap == stop {
			return false
		}
		t := &s.toks[i]
		k := s.kind[t.id]
		switch {
		case k&meNoun != 0 && i > 0 && s.kind[s.toks[i-1].id]&(personNoun) != 0 && t.gap == space:
			return !(i > 1 && (s.on.With.has(s.toks[i-2].id) || s.on.Joiner.has(s.toks[i-2].id))) // anak saya; not: sama anak saya
		case k&meNoun != 0:
			return false
		case k&personNoun != 0:
			j := i - 1
			if j > 0 && s.toks[j].num >= 0 { // saya sama 3 teman
				j--
			}
			if j >= 0 && (s.on.With.has(s.toks[j].id) || s.on.Joiner.has(s.toks[j].id)) {
				return false
			}
			return true
		}
	}
	return false
}
