package desk

import (
	"math"
	"strings"

	"pulang/flows"
	"pulang/flows/casework"
)

// lastPlace is the newest statement of where the person is; nil when there is none.
func lastPlace(c *casework.Case) *flows.Location {
	for i := len(c.Locations) - 1; i >= 0; i-- {
		if l := &c.Locations[i]; l.HasPoint || l.Place != "" || l.Text != "" {
			return l
		}
	}
	return nil
}

// placeOf names the newest place and says how well it is known. Words that no place matched stay off the list: they
// may hold anything.
func (q *request) placeOf(c *casework.Case) (place, precision string) {
	l := lastPlace(c)
	if l == nil {
		return q.t("desk.place.none"), ""
	}
	place = cleanLine(l.Place).Text
	if l.HasPoint && place == "" {
		if near, km := nearest(l.Lat, l.Lon); near != "" {
			place = q.t("desk.place.near", "Place", near, "Km", q.coarse(km))
		}
	}
	if place == "" {
		return q.t("desk.place.words"), q.t("desk.place.kind." + kindOf(l.Kind))
	}
	if p := cleanLine(l.Province).Text; p != "" && !strings.Contains(place, p) {
		place += ", " + p
	}
	if l.Country != "" && l.Country != q.mission.Country {
		place += " (" + cleanLine(l.Country).Text + ")"
	}
	precision = q.t("desk.place.kind." + kindOf(l.Kind))
	if l.HasPoint && l.AccuracyM > 0 {
		precision += " " + q.t("desk.place.accuracy", "M", q.metres(l.AccuracyM))
	}
	return place, precision
}

// province is that of the newest place that has one.
func (q *request) province(c *casework.Case) string {
	for i := len(c.Locations) - 1; i >= 0; i-- {
		if p := c.Locations[i].Province; p != "" {
			return cleanLine(p).Text
		}
	}
	return ""
}

func (q *request) km(km float64) string {
	if km < 10 {
		return q.decimal(km)
	}
	return q.number(int(math.Round(km)))
}

// coarse is a distance from a masked pin, in steps of 5 km: exact ones to three places would give the pin away.
func (q *request) coarse(km float64) string {
	if km < 5 {
		return "<5"
	}
	return q.number(int(math.Round(km/5)) * 5)
}

func (q *request) metres(m float64) string {
	if m >= 1000 {
		return q.km(m/1000) + " km"
	}
	return q.number(int(math.Round(m))) + " m"
}

// decimal is a number with one decimal, with the comma of Indonesian.
func (q *request) decimal(f float64) string {
	whole := int(math.Round(f * 10))
	mark := "."
	if q.lang == "id" {
		mark = ","
	}
	return q.number(whole/10) + mark + string(rune('0'+whole%10))
}
