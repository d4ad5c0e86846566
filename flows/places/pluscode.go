package places

import (
	"math"
	"strings"
)

// The alphabet and the sizes of the Open Location Code specification (Google, Apache-2.0,
// github.com/google/open-location-code): five pairs of base 20, then a grid of 4 columns and 5 rows.
const plusAlphabet = "23456789CFGHJMPQRVWX"

// DecodePlus returns the middle of the area of a full plus code ("7P5WX3X4+2V"); false when s is none.
func DecodePlus(s string) (lat, lon float64, ok bool) {
	s = strings.ToUpper(strings.Trim(s, ".,;:!?()\"'"))
	if len(s) < 9 || len(s) > 16 || s[8] != '+' || len(s) == 10 {
		return 0, 0, false
	}
	return decodeDigits(s[:8] + s[9:])
}

func decodeDigits(d string) (lat, lon float64, ok bool) {
	step := 20.0
	lat, lon = -90, -180
	width, height := 20.0, 20.0
	padded := false
	for i := 0; i < len(d) && i < 10; i += 2 {
		if d[i] == '0' { // padding stands in pairs, only before the plus sign, and ends the digits
			if i == 0 || d[i+1] != '0' || len(d) > 8 {
				return 0, 0, false
			}
			padded = true
			continue
		}
		if i+1 >= len(d) || padded {
			return 0, 0, false
		}
		a, b := strings.IndexByte(plusAlphabet, d[i]), strings.IndexByte(plusAlphabet, d[i+1])
		if a < 0 || b < 0 || i == 0 && (a > 8 || b > 17) {
			return 0, 0, false
		}
		lat += float64(a) * step
		lon += float64(b) * step
		height, width = step, step
		step /= 20
	}
	for i := 10; i < len(d) && i < 15; i++ {
		v := strings.IndexByte(plusAlphabet, d[i])
		if v < 0 {
			return 0, 0, false
		}
		height /= 5
		width /= 4
		lat += float64(v/4) * height
		lon += float64(v%4) * width
	}
	return lat + height/2, lon + width/2, true
}

// ShortPlus completes a short plus code ("X3X4+2V") by the point of the place that was named beside it; false
// when s is none.
func ShortPlus(s string, nearLat, nearLon float64) (lat, lon float64, ok bool) {
	s = strings.ToUpper(strings.Trim(s, ".,;:!?()\"'"))
	plus := strings.IndexByte(s, '+')
	if plus != 4 && plus != 6 || len(s) < plus+3 || len(s) > plus+8 {
		return 0, 0, false
	}
	for i := range len(s) {
		if i != plus && strings.IndexByte(plusAlphabet, s[i]) < 0 {
			return 0, 0, false
		}
	}
	missing := 8 - plus
	prefix := encodePairs(nearLat, nearLon)[:missing]
	lat, lon, ok = decodeDigits(prefix + s[:plus] + s[plus+1:])
	if !ok {
		return 0, 0, false
	}
	size := math.Pow(20, 2-float64(missing)/2)
	switch half := size / 2; { // the neighbouring cell may be nearer than the one that holds the reference point
	case lat-nearLat > half && lat-size >= -90:
		lat -= size
	case nearLat-lat > half && lat+size <= 90:
		lat += size
	}
	switch half := size / 2; {
	case lon-nearLon > half:
		lon -= size
	case nearLon-lon > half:
		lon += size
	}
	return lat, lon, true
}

// encodePairs returns the first eight digits of the plus code of a point.
func encodePairs(lat, lon float64) string {
	var b [8]byte
	lat, lon = min(lat, 89.9999)+90, lon+180
	step := 20.0
	for i := 0; i < 8; i += 2 {
		a, o := int(lat/step), int(lon/step)
		b[i], b[i+1] = plusAlphabet[min(max(a, 0), 19)], plusAlphabet[min(max(o, 0), 19)]
		lat -= float64(a) * step
		lon -= float64(o) * step
		step /= 20
	}
	return string(b[:])
}
