package places

import (
	"strconv"
	"strings"
)

// MapLink returns the first link of a map service in a text, also a short one that holds no position; it is kept
// as it came and never fetched.
func MapLink(text string) string {
	for f := range strings.FieldsSeq(text) {
		l := strings.ToLower(f)
		for _, host := range []string{"maps.app.goo.gl", "goo.gl/maps", "maps.google.", "google.com/maps", "g.co/maps", "maps.apple.com", "openstreetmap.org", "osm.org", "waze.com", "geo:", "google.co.id/maps", "map.baidu.com", "amap.com"} {
			if strings.Contains(l, host) {
				return f
			}
		}
	}
	return ""
}

// linkPoint reads a position out of one word that is a link or a geo: URI.
func linkPoint(s string) (Point, bool) {
	s = strings.Trim(s, "<>()[]\"'")
	l := strings.ToLower(s)
	if rest, ok := strings.CutPrefix(l, "geo:"); ok {
		if _, q, ok := strings.Cut(rest, "q="); ok {
			if lat, lon, ok := pair(q); ok {
				return Point{lat, lon, "map_link", s, true}, true
			}
		}
		lat, lon, ok := pair(rest)
		return Point{lat, lon, "map_link", s, true}, ok
	}
	if !strings.Contains(l, "://") && MapLink(l) == "" {
		return Point{}, false
	}
	l = unescape(l)
	if i := strings.Index(l, "!3d"); i >= 0 {
		if lat, rest, ok := number(l[i+3:]); ok && strings.HasPrefix(rest, "!4d") {
			if lon, _, ok := number(rest[3:]); ok && onEarth(lat, lon) {
				return Point{lat, lon, "map_link", s, true}, true
			}
		}
	}
	for _, mark := range []string{"?q=", "&q=", "query=", "?ll=", "&ll=", "destination=", "daddr=", "center=", "loc:", "/place/", "/search/", "/dir//", "sll=", "@"} {
		for rest := l; ; {
			i := strings.Index(rest, mark)
			if i < 0 {
				break
			}
			rest = rest[i+len(mark):]
			if lat, lon, ok := pair(strings.TrimPrefix(rest, "loc:")); ok {
				return Point{lat, lon, "map_link", s, true}, true
			}
		}
	}
	if i := strings.Index(l, "mlat="); i >= 0 {
		if j := strings.Index(l, "mlon="); j >= 0 {
			lat, _, ok1 := number(l[i+5:])
			lon, _, ok2 := number(l[j+5:])
			if ok1 && ok2 && onEarth(lat, lon) {
				return Point{lat, lon, "map_link", s, true}, true
			}
		}
	}
	if i := strings.Index(l, "map="); i >= 0 { // openstreetmap: #map=zoom/lat/lon
		if parts := strings.Split(l[i+4:], "/"); len(parts) >= 3 {
			lat, _, ok1 := number(parts[1])
			lon, _, ok2 := number(parts[2])
			if ok1 && ok2 && onEarth(lat, lon) {
				return Point{lat, lon, "map_link", s, true}, true
			}
		}
	}
	return Point{}, false
}

// pair reads "lat,lon" at the beginning of s.
func pair(s string) (float64, float64, bool) {
	lat, rest, ok := number(s)
	if !ok {
		return 0, 0, false
	}
	rest = strings.TrimLeft(rest, " +")
	if !strings.HasPrefix(rest, ",") {
		return 0, 0, false
	}
	lon, _, ok := number(strings.TrimLeft(rest[1:], " +"))
	return lat, lon, ok && onEarth(lat, lon)
}

// number reads a decimal number with a point at the beginning of s.
func number(s string) (float64, string, bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for dots := 0; i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' && dots == 0); i++ {
		if s[i] == '.' {
			dots++
		}
	}
	v, err := strconv.ParseFloat(s[:i], 64)
	return v, s[i:], err == nil
}

// unescape undoes the percent-encoding of a link as far as it is well formed.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
