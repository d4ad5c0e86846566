package lexicon

import (
	"math"
	"strings"
	"time"
)

// prayer is one of the five, in the order of the day. People set their hours by them: "habis isya", "sebelum subuh".
type prayer int

const (
	subuh prayer = iota
	zuhur
	asar
	magrib
	isya
)

var prayerNames = [...]string{"subuh", "zuhur", "asar", "magrib", "isya"}

// partOfPrayer settles whether "habis isya jam 8" is eight in the morning.
var partOfPrayer = [...]dayPart{dawn, noon, afternoon, evening, evening}

const (
	afterPrayer  = 20 // minutes until a prayer in company is over
	beforePrayer = 45 // minutes before the call, so that half an hour from then ends before it
)

// prayerAt reads "habis isya", "setelah sholat magrib", "sebelum subuh" at word i: the time of day that begins there.
// bare takes a prayer alone as well, as the end of a window.
func (s *reader) prayerAt(i int, bare bool) (clock, bool) {
	start, after, before := i, false, false
	if i < len(s.toks) {
		after, before = s.says2(i, "prayerafter") || s.toks[i].raw == "bada", s.says2(i, "prayerbefore")
	}
	if after || before {
		i++
	}
	for i < len(s.toks) && i-start < 3 && s.toks[i].gap == space && s.says2(i, "prayerword") {
		i++
	}
	if i >= len(s.toks) || i > start && s.toks[i].gap != space || !(after || before || bare) {
		return clock{}, false
	}
	for p, name := range prayerNames {
		if s.names[s.toks[i].id] != name {
			continue
		}
		m := s.prayerTime(prayer(p))
		switch {
		case after:
			m = (m + afterPrayer + 4) / 5 * 5
		case before:
			m = (m - beforePrayer) / 5 * 5
		default:
			m = m / 5 * 5
		}
		return clock{minutes: (m + 1440) % 1440, form: fixed, named: true, prayer: prayer(p), praying: true, start: start, end: i + 1}, true
	}
	return clock{}, false
}

// hasPrayer says whether a prayer is named at all.
func (s *reader) hasPrayer() bool {
	for i := range s.toks {
		for _, name := range prayerNames {
			if s.names[s.toks[i].id] == name {
				return true
			}
		}
	}
	return false
}

// capitals is where the sun is looked at, by country. Within any of these countries prayers differ by up to half an
// hour from those of the capital; whoever needs it to the minute names the hour.
var capitals = map[string][2]float64{
	"KH": {11.56, 104.92}, "TH": {13.75, 100.50}, "LA": {17.97, 102.60}, "VN": {10.78, 106.70}, "MM": {16.84, 96.17},
	"PH": {14.60, 120.98}, "MY": {3.14, 101.69}, "ID": {-6.20, 106.83}, "SG": {1.29, 103.85},
}

// prayerTime is when the prayer is called on the day of the message, in minutes after midnight of the person's clock.
// The angles are those of Indonesia's Ministry of Religious Affairs: dawn at 20 degrees below the horizon, nightfall at
// 18; the afternoon begins when a shadow has grown by its object's length. The sun's place is the usual approximation
// (NOAA, "General Solar Position Calculations"), good to a minute or two.
func (s *reader) prayerTime(p prayer) int {
	at, ok := capitals[strings.ToUpper(s.c.Country)]
	if !ok {
		at = capitals["KH"]
	}
	zone := s.c.Zone
	if zone == nil {
		zone = time.FixedZone("", 7*3600)
	}
	day := s.c.At.In(zone)
	_, east := day.Zone()
	lat := at[0] * math.Pi / 180
	g := 2 * math.Pi / 365 * float64(day.YearDay()-1)
	equation := 229.18 * (0.000075 + 0.001868*math.Cos(g) - 0.032077*math.Sin(g) - 0.014615*math.Cos(2*g) - 0.040849*math.Sin(2*g))
	sun := 0.006918 - 0.399912*math.Cos(g) + 0.070257*math.Sin(g) - 0.006758*math.Cos(2*g) + 0.000907*math.Sin(2*g)
	noon := 720 + float64(east)/60 - 4*at[1] - equation
	// away is how many minutes from noon the sun stands at this height above the horizon.
	away := func(height float64) float64 {
		c := (math.Sin(height) - math.Sin(lat)*math.Sin(sun)) / (math.Cos(lat) * math.Cos(sun))
		return math.Acos(max(-1, min(1, c))) * 180 / math.Pi * 4
	}
	const degree = math.Pi / 180
	switch p {
	case subuh:
		return int(noon - away(-20*degree))
	case zuhur:
		return int(noon) + 3
	case asar:
		return int(noon + away(math.Atan(1/(1+math.Tan(math.Abs(lat-sun))))))
	case magrib:
		return int(noon + away(-0.833*degree))
	}
	return int(noon + away(-18*degree))
}
