package casework

import (
	"strconv"
	"strings"
	"time"
)

// ParseWindows reads the normalised form of stated hours, "21:00-22:00,13:00-14:00". Parts that make no sense are
// left out: an hour that was not understood is not a safe hour.
func ParseWindows(norm string) []Window {
	var out []Window
	for part := range strings.SplitSeq(norm, ",") {
		from, to, ok := strings.Cut(strings.TrimSpace(part), "-")
		if !ok {
			continue
		}
		a, okA := minuteOfDay(from)
		b, okB := minuteOfDay(to)
		if okA && okB && a != b && a < 24*60 {
			out = append(out, Window{From: a, To: b})
		}
	}
	return out
}

func minuteOfDay(s string) (int, bool) {
	h, m, ok := strings.Cut(strings.TrimSpace(s), ":")
	if !ok {
		return 0, false
	}
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if err1 != nil || err2 != nil || hour < 0 || minute < 0 || minute > 59 || hour*60+minute > 24*60 {
		return 0, false
	}
	return hour*60 + minute, true
}

// Span is one occurrence of a safe window: from From up to, not including, To.
type Span struct {
	From, To time.Time
}

func (s Span) holds(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// OpenSpan returns the occurrence of the windows that t falls into. Windows that touch or overlap count as one.
func OpenSpan(ws []Window, zone *time.Location, t time.Time) (Span, bool) {
	for _, s := range spans(ws, zone, t) {
		if s.holds(t) {
			return s, true
		}
	}
	return Span{}, false
}

// NextSpan returns the first occurrence of the windows that begins after t; false when there are no windows.
func NextSpan(ws []Window, zone *time.Location, t time.Time) (Span, bool) {
	for _, s := range spans(ws, zone, t) {
		if s.From.After(t) {
			return s, true
		}
	}
	return Span{}, false
}

// spans are the merged occurrences round t, the day before to two days after, in order. Hours are those of the
// wall clock of each date, so a change to summer time moves none of them.
func spans(ws []Window, zone *time.Location, t time.Time) []Span {
	if len(ws) == 0 {
		return nil
	}
	if zone == nil {
		zone = time.UTC
	}
	local := t.In(zone)
	y, m, d := local.Date()
	all := make([]Span, 0, 4*len(ws))
	for day := -1; day <= 2; day++ {
		for _, w := range ws {
			to := w.To
			if to <= w.From {
				to += 24 * 60
			}
			s := Span{
				From: time.Date(y, m, d+day, 0, w.From, 0, 0, zone),
				To:   time.Date(y, m, d+day, 0, to, 0, 0, zone),
			}
			if s.To.After(s.From) {
				all = append(all, s)
			}
		}
	}
	return merge(all)
}

// merge sorts by beginning and joins what touches. There are a handful of spans: insertion is enough.
func merge(all []Span) []Span {
	for i := 1; i < len(all); i++ {
		for j := i; j > 0 && all[j].From.Before(all[j-1].From); j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	out := all[:0]
	for _, s := range all {
		if n := len(out); n > 0 && !s.From.After(out[n-1].To) {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out
}
