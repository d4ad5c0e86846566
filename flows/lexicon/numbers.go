package lexicon

// numberAt reads the number that begins at word i: digits, "dua belas", "dua puluh tujuh", "seratus". It returns
// the word after it; i itself when there is none.
func (s *reader) numberAt(i int) (value, next int) {
	if i < 0 || i >= len(s.toks) || s.toks[i].num < 0 {
		return 0, i
	}
	v := s.toks[i].num
	next = i + 1
	name := func(k int) string {
		if k < len(s.toks) && s.toks[k].gap == space {
			return s.names[s.toks[k].id]
		}
		return ""
	}
	if v < 10 && s.toks[i].id != s.number {
		switch name(next) {
		case "belas":
			return 10 + v, next + 1
		case "puluh":
			v *= 10
			next++
			if next < len(s.toks) && s.toks[next].gap == space && s.toks[next].num > 0 && s.toks[next].num < 10 && s.toks[next].id != s.number {
				v += s.toks[next].num
				next++
			}
			return v, next
		case "ratus":
			v, next = v*100, next+1
			if w, n := s.numberAt(next); n > next && w < 100 {
				return v + w, n
			}
			return v, next
		}
	}
	if v == 100 && s.toks[i].id != s.number {
		if w, n := s.numberAt(next); n > next && w < 100 && s.toks[next].id != s.number {
			return v + w, n
		}
	}
	return v, next
}

var months = map[string]int{"januari": 1, "februari": 2, "maret": 3, "april": 4, "mei": 5, "juni": 6, "juli": 7, "agustus": 8, "september": 9, "oktober": 10, "november": 11, "desember": 12}

// month is the number of a month's canonical name, 0 for any other word.
func month(name string) int { return months[name] }
