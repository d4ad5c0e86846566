package lexicon

import "pulang/flows"

// group reads how many people there are, the writer included.
func (s *reader) group() {
	n, approx := s.groupNumber()
	if n <= 0 || n > 5000 {
		return
	}
	if s.r.WhoFor == "other_person" && !s.says("who", "number") && s.c.Step != flows.StepGroupSize && !s.counted {
		return
	}
	s.r.GroupSize, s.r.Approx = n, approx
	if s.r.WhoFor == "" && n > 1 && (s.c.Step == flows.StepGroupSize || s.weNumber() || s.together()) {
		s.r.WhoFor = "group"
	}
	if n == 1 && s.c.Step != flows.StepGroupSize {
		s.r.GroupSize = 0
	}
}

// groupNumber finds the number of people.
func (s *reader) groupNumber() (n int, approx bool) {
	if n, approx, ok := s.total(); ok {
		return n, approx
	}
	if n, ok := s.remaining(); ok {
		return n, false
	}
	if n, ok := s.family(); ok {
		return n, false
	}
	for i := 0; i < len(s.toks); i++ {
		v, next := s.numberAt(i)
		if next == i {
			continue
		}
		if s.taken(i, next) {
			i = next - 1
			continue
		}
		head := i > 0 && s.toks[i].gap == space
		// berlima, ber 5
		if head && s.names[s.toks[i-1].id] == "ber" || s.ber(i) {
			return v, s.toks[i].approx || s.about(i)
		}
		if next+1 < len(s.toks) && s.toks[next].gap == space && s.toks[next].id != 0 && s.names[s.toks[next].id] == "indonesia" && s.on.People.has(s.toks[next+1].id) {
			next++ // five Indonesian girls
		}
		if next < len(s.toks) && s.toks[next].gap == space && s.on.People.has(s.toks[next].id) && !s.otherCount(i, next) {
			n := v
			// 5 orang 1 anak, 15 laki 5 perempuan
			first := s.names[s.toks[next].id]
			if w, after := s.numberAt(next + 1); after > next+1 && after < len(s.toks) && s.on.People.has(s.toks[after].id) && s.toks[next+1].gap == space {
				second := s.names[s.toks[after].id]
				if second == "anak" || (first == "laki" || first == "perempuan" || first == "dewasa") && (second == "laki" || second == "perempuan") {
					n += w
				}
			}
			s.counted = true
			return n + s.besides(i, next), s.toks[i].approx || s.about(i)
		}
		if head && s.names[s.toks[i-1].id] == "ada" && s.weBefore(i) && !s.unit(next) {
			return v, s.toks[i].approx
		}
		if head && s.on.We.has(s.toks[i-1].id) && !s.ownerOf(i-1) && !s.unit(next) || i > 1 && s.on.We.has(s.toks[i-2].id) && s.names[s.toks[i-1].id] == "ada" && !s.unit(next) ||
			i > 1 && s.on.We.has(s.toks[i-2].id) && s.names[s.toks[i-1].id] == "bersama" && !s.unit(next) {
			return v, s.toks[i].approx
		}
		i = next - 1
	}
	if s.c.Step == flows.StepGroupSize {
		if sum, ok := s.listed(); ok {
			return sum, false
		}
		for i := range s.toks {
			if v, next := s.numberAt(i); next > i && !s.unit(next) {
				if s.says("who", "plusme") {
					v++
				}
				return v, s.toks[i].approx || s.about(i)
			}
		}
	}
	if sum, ok := s.listed(); ok && (s.c.Step == flows.StepWhoFor || s.c.Step == flows.StepGroupSize) {
		return sum, false
	}
	return 0, false
}

// remaining reads how many are left: "tadinya ber 9, sisa kita ber 5", "ber dua puluh, yang indonesia cuma 6".
func (s *reader) remaining() (int, bool) {
	for i := range s.toks {
		v, next := s.numberAt(i)
		if next == i || v < 1 || s.unit(next) {
			continue
		}
		for k, t := range s.before(i, 4) {
			if s.on.Left.has(t.id) && (k > 0 || s.together() || s.says("who", "plusme")) {
				return v, true
			}
		}
		if s.nationals(i) {
			return v, true
		}
		if i > 0 && s.toks[i].gap == space && s.names[s.toks[i-1].id] == "cuma" {
			for _, t := range s.before(i, 6) {
				if s.on.Nationals.has(t.id) {
					return v, true
				}
			}
		}
	}
	return 0, false
}

// nationals says whether the number at i counts the Indonesians among others: "kami 8, wni nya 7".
func (s *reader) nationals(i int) bool {
	if i > 1 && s.toks[i-1].raw == "nya" {
		i--
	}
	return i > 0 && s.toks[i].gap == space && s.on.Nationals.has(s.toks[i-1].id) && !(i > 1 && s.toks[i-2].num >= 0)
}

// family adds up the writer and a spouse, parents or counted relatives: "saya dan suami", "saya istri sama 2 anak".
func (s *reader) family() (int, bool) {
	for i := range s.toks {
		if s.kind[s.toks[i].id]&meNoun == 0 || s.on.We.has(s.toks[i].id) || s.ownerOf(i) {
			continue
		}
		sum, joined := 1, s.c.Step == flows.StepWhoFor || s.c.Step == flows.StepGroupSize
		for j := i + 1; j < len(s.toks) && s.toks[j].gap != stop; {
			if s.on.Joiner.has(s.toks[j].id) {
				joined = true
				j++
				continue
			}
			v, next := s.numberAt(j)
			if next >= len(s.toks) || !joined {
				break
			}
			kin := s.toks[next].id
			if !s.on.Relative.has(kin) && s.names[kin] != "balita" || s.on.Together.has(s.toks[min(next+1, len(s.toks)-1)].id) {
				break
			}
			if next == j { // istri; ipar 2
				if v, next = s.numberAt(j + 1); next == j+1 && s.on.OneOf.has(kin) {
					v = 1
				} else if next == j+1 || s.unit(next) {
					break
				}
				next--
			}
			sum += v
			j = next + 1
			if j < len(s.toks) && s.toks[j].gap == space && s.kind[s.toks[j].id]&meNoun != 0 { // suami saya
				j++
			}
		}
		if sum > 1 {
			return sum, true
		}
	}
	return 0, false
}

// taken says whether a number counts others, to whom something was done: "4 ketangkap", "teman saya 4 orang dibawa".
func (s *reader) taken(i, next int) bool {
	if s.c.Step != "" {
		return false
	}
	for k := next; k < len(s.toks) && k < next+2 && s.toks[k].gap == space; k++ {
		if s.passive(s.toks[k].id) && !s.weNear(i) {
			return true
		}
	}
	return false
}

// weNear says whether "kami" or "kita" stands right before a number: "kami 12 orang disekap".
func (s *reader) weNear(i int) bool {
	for _, t := range s.before(i, 3) {
		if s.on.We.has(t.id) || s.on.Together.has(t.id) || s.names[t.id] == "ber" || s.kind[t.id]&meNoun != 0 && !s.theirs(hit{start: i, end: i + 1}) {
			return true
		}
	}
	return i == 0 || s.names[s.toks[i-1].id] == "ada"
}

// weBefore says whether "kami" stands in the clause before word i.
func (s *reader) weBefore(i int) bool {
	for _, t := range s.before(i, 5) {
		if s.on.We.has(t.id) {
			return true
		}
	}
	return false
}

// total reads "32 ikut saya jadi 33", "total 12", "semua 8".
func (s *reader) total() (int, bool, bool) {
	for _, h := range s.hits {
		if x := s.sections[h.section]; x == "who.total" || x == "@group_size.total" && s.c.Step == flows.StepGroupSize {
			if v, next := s.numberAt(h.end - 1); next > h.end-1 && !s.unit(next) {
				return v, s.toks[h.end-1].approx, true
			}
		}
	}
	return 0, false, false
}

// besides adds the writer where a number counts only the others: "saya dan 3 teman".
func (s *reader) besides(from, next int) int {
	if !s.on.Relative.has(s.toks[next].id) {
		return 0
	}
	with := from > 0 && s.toks[from].gap == space && s.names[s.toks[from-1].id] == "sama" // saya di hotel dengan 2 kawan
	if with && !s.together() || s.says("who", "plusme") {
		return 1
	}
	return 0
}

// listed adds up "saya, istri, ipar 2".
func (s *reader) listed() (int, bool) {
	sum, me, others := 0, false, 0
	for i := 0; i < len(s.toks); i++ {
		t := s.toks[i]
		switch {
		case s.kind[t.id]&meNoun != 0 && !s.ownerOf(i):
			if !me {
				sum++
			}
			me = true
		case s.on.Relative.has(t.id) || s.on.People.has(t.id):
			n := 1
			if v, next := s.numberAt(i + 1); next > i+1 && s.toks[i+1].gap == space && !s.unit(next) {
				n = v
				i = next - 1
			}
			sum += n
			others += n
		case t.num >= 0:
			v, next := s.numberAt(i)
			if next < len(s.toks) && (s.on.Relative.has(s.toks[next].id) || s.on.People.has(s.toks[next].id)) {
				sum += v
				others += v
				i = next
				continue
			}
			return 0, false
		case s.on.Joiner.has(t.id) || s.on.With.has(t.id) || s.on.Plain.has(t.id):
		default:
			return 0, false
		}
	}
	return sum, me && others > 0
}

// otherCount says whether a number of people counts somebody else: "2 orang penjaga", "teman saya 3 orang sudah keluar".
func (s *reader) otherCount(i, next int) bool {
	for k := next + 1; k < len(s.toks) && k < next+3 && s.toks[k].gap == space; k++ {
		if k > next+1 && s.names[s.toks[k-1].id] != "yang" {
			break
		}
		if s.on.Guard.has(s.toks[k].id) || s.on.Employer.has(s.toks[k].id) || s.on.NotPeople.has(s.toks[k].id) {
			return true
		}
	}
	if i > 0 && s.toks[i].gap == space && s.names[s.toks[i-1].id] == "isi" {
		return true // kamar isi 12 cowok
	}
	return s.on.Guard.has(s.toks[next].id) || i > 0 && s.toks[i].gap == space && s.on.Ordinal.has(s.toks[i-1].id)
}

// unit says whether the word at i makes the number before it a measure of something else: days, floors, dollars.
func (s *reader) unit(i int) bool {
	return i < len(s.toks) && s.toks[i].gap != stop && s.on.Unit.has(s.toks[i].id)
}

func (s *reader) about(i int) bool {
	for _, t := range s.before(i, 3) {
		if n := s.names[t.id]; n == "sekitar" || n == "kira" {
			return true
		}
	}
	return s.says("who", "about")
}

// ber says whether the number word at i is one of "berdua", "bertiga", "limaan".
func (s *reader) ber(i int) bool { return s.on.Together.has(s.toks[i].id) }
