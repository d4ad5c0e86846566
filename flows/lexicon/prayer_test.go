package lexicon

import (
	"testing"
	"time"

	"pulang/flows"
)

// The times that Indonesia's Ministry of Religious Affairs gives for Jakarta, and Malaysia's JAKIM for Kuala Lumpur,
// within five minutes: they add two or three for safety.
func TestPrayerTimes(t *testing.T) {
	for _, c := range []struct {
		country string
		zone    int
		day     time.Time
		want    [5]string
	}{
		{"ID", 7, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), [5]string{"04:03", "11:41", "15:04", "17:54", "19:08"}},
		{"ID", 7, time.Date(2026, 6, 21, 0, 0, 0, 0, time.UTC), [5]string{"04:38", "11:57", "15:18", "17:48", "19:02"}},
		{"MY", 8, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), [5]string{"05:42", "13:02", "16:24", "18:58", "20:10"}},
	} {
		s := reader{c: Context{Country: c.country, At: c.day.Add(5 * time.Hour), Zone: time.FixedZone("", c.zone*3600)}}
		for p, w := range c.want {
			at, err := time.Parse("15:04", w)
			if err != nil {
				t.Fatal(err)
			}
			want := at.Hour()*60 + at.Minute()
			if got := s.prayerTime(prayer(p)); got < want-5 || got > want+5 {
				t.Errorf("%s %s %s: %s, want %s", c.country, c.day.Format(time.DateOnly), prayerNames[p], hhmm(got), w)
			}
		}
	}
}

// Hours that are set by prayers: after one, before one, until one, and with the hour said as well.
func TestHoursSetByPrayers(t *testing.T) {
	at := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC) // Phnom Penh: about 04:40, 11:47, 15:05, 17:33, 18:45
	for text, want := range map[string]string{
		"habis isya":                       "19:10",
		"abis isya aja pak":                "19:10",
		"bakda isya":                       "19:10",
		"ba'da isya":                       "19:10",
		"abis sholat maghrib":              "17:55",
		"stlh magrib":                      "17:55",
		"sebelum subuh":                    "03:50",
		"sblm subuh pas bos tidur":         "03:50",
		"habis subuh":                      "05:00",
		"sehabis dzuhur":                   "12:10",
		"habis ashar":                      "15:25",
		"habis isya jam 9":                 "21:00",
		"jam 9 malam habis isya":           "21:00",
		"habis subuh jam 6":                "06:00",
		"habis isya sampai jam 10":         "19:10-22:00",
		"habis magrib sampai isya":         "17:55-18:45",
		"jam 1 siang sampai sebelum ashar": "13:00-14:20",
		"isya":                             "",
		"magrib":                           "",
		"jangan habis isya":                "",
		"sebelum pulang":                   "",
	} {
		r := Default().Read(text, Context{Step: flows.StepSafeTime, Country: "KH", At: at})
		got := r.SafeFrom
		if len(r.SafeTime) > 0 {
			got = r.SafeTime[0][0] + "-" + r.SafeTime[0][1]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if r := Default().Read("telpon habis isya aja", Context{Country: "KH", At: at}); r.Contact != flows.CallWindow || r.SafeFrom != "19:10" {
		t.Errorf("in passing: %q from %q", r.Contact, r.SafeFrom)
	}
}
