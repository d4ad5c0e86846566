package places

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Point is a position read from a text, in WGS 84 degrees.
type Point struct {
	Lat, Lon float64
	// Kind is coords_text, map_link or plus_code.
	Kind string
	// Text is what was read, as it stood in the message.
	Text string
	// Sure is false for a short plus code, whose point was completed by a place named beside it.
	Sure bool
}

// Coordinates returns the positions written in a text: decimal degrees with point or comma, degrees, minutes and
// seconds with any quote style, geo: URIs, links of map services (read, never fetched), and full plus codes. Pairs
// of amounts ("11.500 usd … 104.9") and telephone numbers are not positions.
func Coordinates(text string) []Point {
	var out []Point
	for _, f := range strings.Fields(text) {
		if p, ok := linkPoint(f); ok {
			out = append(out, p)
		}
	}
	if len(out) > 0 {
		return out
	}
	if !hasDigit(fullWidth(text)) {
		return nil
	}
	text = fullWidth(text)
	if p, ok := degreesMinutes(text); ok {
		return []Point{p}
	}
	if p, ok := decimals(text); ok {
		return []Point{p}
	}
	for f := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '(' || r == ')' }) {
		if lat, lon, ok := DecodePlus(f); ok {
			out = append(out, Point{lat, lon, "plus_code", f, true})
		}
	}
	return out
}

// onEarth refuses 0,0 too: no person stands there, and broken devices send it.
func onEarth(lat, lon float64) bool {
	return math.Abs(lat) <= 90 && math.Abs(lon) <= 180 && (lat != 0 || lon != 0)
}

// numeral is one number of a text with what stands around it.
type numeral struct {
	value      float64
	decimals   int
	start, end int
	hemisphere byte // n, s, e, w; 0 when none stands beside it
}

// decimals finds two decimal degrees that stand together.
func decimals(text string) (Point, bool) {
	ns := numerals(text)
	for i := 0; i+1 < len(ns); i++ {
		a, b := ns[i], ns[i+1]
		between := strings.ToLower(text[a.end:b.start])
		if !separates(between) {
			continue
		}
		marked := a.hemisphere != 0 && b.hemisphere != 0 || strings.Contains(between, "l")
		fine := max(a.decimals, b.decimals)
		switch {
		case marked && fine >= 2:
		case strings.ContainsAny(between, ",;/") && min(a.decimals, b.decimals) >= 3:
		case min(a.decimals, b.decimals) >= 2 && fine >= 4:
		default:
			continue
		}
		lat, lon := a.value, b.value
		if a.hemisphere == 'e' || a.hemisphere == 'w' || math.Abs(lat) > 90 {
			lat, lon = lon, lat
			a, b = b, a
		}
		if a.hemisphere == 's' {
			lat = -math.Abs(lat)
		}
		if b.hemisphere == 'w' {
			lon = -math.Abs(lon)
		}
		if onEarth(lat, lon) {
			from, to := min(a.start, b.start), max(a.end, b.end)
			return Point{lat, lon, "coords_text", text[from:to], true}, true
		}
	}
	return Point{}, false
}

// separates says whether what stands between two numbers may stand between latitude and longitude.
func separates(s string) bool {
	if s == "" || len(s) > 24 {
		return false
	}
	for _, w := range []string{"longitude", "latitude", "bujur", "lintang", "long", "lng", "lon", "lat", "ls", "lu", "bt", "bb", "dan", "°", "º", "˚", "n", "s", "e", "w", "u", ":", "="} {
		s = strings.ReplaceAll(s, w, "")
	}
	return strings.Trim(s, " ,;/\t\n|") == "" && strings.Count(s, ",") <= 1
}

// numerals finds the numbers of a text; a comma directly between digits is a decimal comma unless the number
// before it already has a decimal point ("11.0829,106.1561").
func numerals(text string) []numeral {
	var out []numeral
	for i := 0; i < len(text); {
		if text[i] < '0' || text[i] > '9' {
			i++
			continue
		}
		n := numeral{start: i}
		j := i
		for j < len(text) && isDigit(text[j]) {
			j++
		}
		whole, frac := text[i:j], ""
		if j+1 < len(text) && isDigit(text[j+1]) && (text[j] == '.' || text[j] == ',' && !dotSoon(text[j+1:])) {
			k := j + 1
			for k < len(text) && isDigit(text[k]) {
				k++
			}
			frac, j = text[j+1:k], k
		}
		n.end = j
		n.decimals = len(frac)
		if len(whole) <= 3 && len(frac) <= 15 {
			n.value, _ = strconv.ParseFloat(whole+"."+frac+"0", 64)
			if i > 0 && text[i-1] == '-' && (i == 1 || !isDigit(text[i-2])) {
				n.value = -n.value
				n.start--
			}
			n.hemisphere = beside(text, n.start, n.end)
			out = append(out, n)
		} else {
			out = append(out, numeral{start: i, end: j, value: 1e9})
		}
		i = j
	}
	return out
}

// dotSoon says whether the number that begins s has a decimal point: then the comma before it separates two numbers.
func dotSoon(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return s[i] == '.' && i+1 < len(s) && isDigit(s[i+1])
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// beside returns the hemisphere letter that stands directly after a number, or before it.
func beside(text string, start, end int) byte {
	if start > 0 && strings.IndexByte("nsewNSEW", text[start-1]) >= 0 && (start == 1 || !isLetter(text[start-2])) {
		return text[start-1] | 0x20 // N10°37'33" E103°…: what follows belongs to the next number
	}
	rest := strings.TrimLeft(text[end:], " °º˚")
	if rest != "" && strings.ContainsRune("nsewNSEW", rune(rest[0])) && (len(rest) == 1 || !isLetter(rest[1])) {
		return rest[0] | 0x20
	}
	if up := strings.ToUpper(rest); strings.HasPrefix(up, "LU") || strings.HasPrefix(up, "LS") || strings.HasPrefix(up, "BT") || strings.HasPrefix(up, "BB") {
		return map[string]byte{"LU": 'n', "LS": 's', "BT": 'e', "BB": 'w'}[up[:2]]
	}
	front := strings.TrimRight(text[:start], " ")
	if n := len(front); n > 0 && strings.IndexByte("nsewNSEW", front[n-1]) >= 0 && (n == 1 || !isLetter(front[n-2])) {
		return front[n-1] | 0x20
	}
	return 0
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf }

// degreesMinutes reads two angles such as 10°37'33.0"N 103°30'08.7"E, with whatever signs a telephone makes of the
// quotes, and 10d37m33s N. Seconds may be missing.
func degreesMinutes(text string) (Point, bool) {
	type angle struct {
		value float64
		hemi  byte
		s, e  int
	}
	var found []angle
	for i := 0; i < len(text); {
		if !isDigit(text[i]) || i > 0 && (isDigit(text[i-1]) || text[i-1] == '.' || text[i-1] == ',') {
			i++
			continue
		}
		a := angle{s: i}
		rest, parts := text[i:], 0
		for parts < 3 {
			v, tail, n := plain(rest)
			if n == 0 {
				break
			}
			sign, after := angleSign(tail)
			if sign == 0 || sign != parts+1 && !(parts == 2 && sign == 2) {
				break
			}
			if parts > 0 && v >= 60 {
				break
			}
			a.value += v / [3]float64{1, 60, 3600}[parts]
			parts++
			rest = strings.TrimLeft(after, " ")
		}
		if parts < 2 {
			for i < len(text) && isDigit(text[i]) {
				i++
			}
			continue
		}
		a.e = len(text) - len(rest)
		a.hemi = beside(text, a.s, a.e)
		found = append(found, a)
		i = a.e
	}
	for i := 0; i+1 < len(found); i++ {
		a, b := found[i], found[i+1]
		if b.s-a.e > 20 {
			continue
		}
		if a.hemi == 'e' || a.hemi == 'w' {
			a, b = b, a
		}
		lat, lon := a.value, b.value
		if a.hemi == 's' {
			lat = -lat
		}
		if b.hemi == 'w' {
			lon = -lon
		}
		if onEarth(lat, lon) {
			return Point{lat, lon, "coords_text", text[min(a.s, b.s):max(a.e, b.e)], true}, true
		}
	}
	return Point{}, false
}

// plain reads an unsigned number with a decimal point or comma.
func plain(s string) (float64, string, int) {
	i, seen := 0, false
	for i < len(s) && i < 16 && (isDigit(s[i]) || (s[i] == '.' || s[i] == ',') && !seen && i+1 < len(s) && isDigit(s[i+1])) {
		if !isDigit(s[i]) {
			seen = true
		}
		i++
	}
	v, err := strconv.ParseFloat(strings.Replace(s[:i], ",", ".", 1), 64)
	if err != nil {
		return 0, s, 0
	}
	return v, s[i:], i
}

// angleSign says whether a text begins with the sign of degrees (1), minutes (2) or seconds (3); 0 for none.
func angleSign(s string) (int, string) {
	s = strings.TrimLeft(s, " ")
	for _, c := range []struct {
		sign string
		is   int
	}{{"''", 3}, {"’’", 3}, {"′′", 3}, {"``", 3}, {"\"", 3}, {"”", 3}, {"“", 3}, {"″", 3}, {"„", 3}, {"detik", 3}, {"sec", 3},
		{"'", 2}, {"’", 2}, {"‘", 2}, {"′", 2}, {"`", 2}, {"´", 2}, {"menit", 2}, {"min", 2}, {"m", 2},
		{"°", 1}, {"º", 1}, {"˚", 1}, {"derajat", 1}, {"deg", 1}, {"d", 1}} {
		if rest, ok := strings.CutPrefix(s, c.sign); ok {
			return c.is, rest
		}
	}
	return 0, s
}

// fullWidth turns full-width digits and signs into ASCII.
func fullWidth(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			return r - 0xFEE0
		case r == 0x3000 || r == 0xA0 || r == 0x202F:
			return ' '
		case r == 0x2212 || r == 0x2013:
			return '-'
		case r == 0x200B || r == 0x200E || r == 0x200F || r >= 0x202A && r <= 0x202E:
			return -1
		}
		return r
	}, s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
