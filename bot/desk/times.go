package desk

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// months in the reader's language; an officer's screen never shows a month as a number.
var months = map[string][12]string{
	"id": {"Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"},
	"en": {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
}

// zone is the mission's time zone.
func (q *request) zone() *time.Location {
	if q.mission == nil {
		return time.UTC
	}
	return q.mission.zone
}

// zoneName is what Indonesians call an offset: Cambodia's time is WIB.
func zoneName(t time.Time) string {
	_, off := t.Zone()
	switch off {
	case 7 * 3600:
		return "WIB"
	case 8 * 3600:
		return "WITA"
	case 9 * 3600:
		return "WIT"
	}
	h, m := off/3600, off%3600/60
	if m < 0 {
		m = -m
	}
	if m != 0 {
		return fmt.Sprintf("UTC%+d.%02d", h, m)
	}
	return fmt.Sprintf("UTC%+d", h)
}

// hm is "14.05" in Indonesian, "14:05" in English.
func (q *request) hm(t time.Time) string {
	if q.lang == "id" {
		return t.Format("15.04")
	}
	return t.Format("15:04")
}

// When is a moment with its date and zone: "22 Nov 2026 14.05 WIB". Empty for the zero time.
func (p page) When(t time.Time) string { return p.q.when(t) }

func (q *request) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(q.zone())
	return q.day(t) + " " + q.hm(t) + " " + zoneName(t)
}

// Moment is When to the second, for the audit log.
func (p page) Moment(t time.Time) string {
	t = t.In(p.q.zone())
	mark := ":"
	if p.q.lang == "id" {
		mark = "."
	}
	return p.q.day(t) + " " + t.Format("15"+mark+"04"+mark+"05") + " " + zoneName(t)
}

// day is "22 Nov 2026".
func (q *request) day(t time.Time) string {
	names, ok := months[q.lang]
	if !ok {
		names = months["en"]
	}
	return strconv.Itoa(t.Day()) + " " + names[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

// Hour is the time of day with its zone, with the date where it is not today.
func (p page) Hour(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(p.q.zone())
	now := p.Now().In(p.q.zone())
	if y, m, d := t.Date(); y == now.Year() && m == now.Month() && d == now.Day() {
		return p.q.hm(t) + " " + zoneName(t)
	}
	return p.q.when(t)
}

// ISO is the machine-readable form for <time datetime>.
func (p page) ISO(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Age is how long ago t was, in words.
func (p page) Age(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return p.q.span(p.Now().Sub(t))
}

// Until is how long it is until t, in words.
func (p page) Until(t time.Time) string { return p.q.span(t.Sub(p.Now())) }

// Span is a duration in words: "6 mnt", "1 j 52 mnt", "3 hr 4 j".
func (p page) Span(d time.Duration) string { return p.q.span(d) }

func (q *request) span(d time.Duration) string {
	if d < 0 {
		d = 0 // a clock that jumped never shows a negative age
	}
	switch {
	case d < time.Minute:
		return q.t("desk.span.sec", "N", int(d.Seconds()))
	case d < time.Hour:
		return q.t("desk.span.min", "N", int(d.Minutes()))
	case d < 24*time.Hour:
		h, m := int(d.Hours()), int(d.Minutes())%60
		if m == 0 {
			return q.t("desk.span.hour", "N", h)
		}
		return q.t("desk.span.hour_min", "H", h, "M", m)
	}
	days, h := int(d.Hours())/24, int(d.Hours())%24
	if h == 0 || days > 9 {
		return q.t("desk.span.day", "N", q.number(days))
	}
	return q.t("desk.span.day_hour", "D", days, "H", h)
}

// Number groups thousands: 1.234 in Indonesian, 1,234 in English.
func (p page) Number(n int) string { return p.q.number(n) }

func (q *request) number(n int) string {
	s := strconv.Itoa(n)
	mark := ","
	if q.lang == "id" {
		mark = "."
	}
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + mark + s[i:]
	}
	if neg {
		s = "-" + s
	}
	return s
}

// windowText is a daily window in local time: "21.00–22.00".
func (q *request) windowText(from, to int) string {
	at := func(m int) string {
		m = (m%1440 + 1440) % 1440
		if q.lang == "id" {
			return fmt.Sprintf("%02d.%02d", m/60, m%60)
		}
		return fmt.Sprintf("%02d:%02d", m/60, m%60)
	}
	return at(from) + "–" + at(to)
}
