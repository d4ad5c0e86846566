package desk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
	"pulang/flows/places"
)

// nearest is the gazetteer's nearest place; empty beyond 150 km.
func nearest(lat, lon float64) (string, float64) {
	p, km := places.Default().Nearest(lat, lon)
	if km > 150 {
		return "", km
	}
	return p.Name, km
}

// pinGrain is to what a pin is rounded until it is revealed: about 5 km.
const pinGrain = 0.05

func roundPin(deg float64) float64 { return math.Round(deg/pinGrain) * pinGrain }

// placesView is where the person was and is, newest first, with a map drawn here: no tile server sees a place.
type placesView struct {
	Items    []placeView
	Map      *mapView
	Rounded  bool
	HasPoint bool
}

type placeView struct {
	At     time.Time
	Text   string
	Border string
	Office string
	Warn   string
}

// shownPlaces is how many places of the history are listed.
const shownPlaces = 12

func (q *request) places(c *casework.Case, see shown) placesView {
	v := placesView{Rounded: !see.Pin}
	g := places.Default()
	for i := len(c.Locations) - 1; i >= 0 && len(v.Items) < shownPlaces; i-- {
		l := c.Locations[i]
		p := placeView{At: l.At, Text: q.pinText(l, see)}
		if l.HasPoint {
			v.HasPoint = true
			if name, km := g.NearestBorder(l.Lat, l.Lon); name != "" && km < 300 {
				p.Border = q.t("desk.place.border", "Name", name, "Km", q.distance(km, see))
			}
			if q.mission.Lat != 0 || q.mission.Lon != 0 {
				p.Office = q.t("desk.place.office", "Name", q.mission.Name, "Km", q.distance(places.Distance(l.Lat, l.Lon, q.mission.Lat, q.mission.Lon), see))
			}
			if l.Country == "ID" && c.Answers[flows.StepWhoFor].Value() != "other_person" {
				p.Warn = q.t("desk.place.in_indonesia")
			}
		}
		v.Items = append(v.Items, p)
	}
	if v.HasPoint {
		v.Map = q.drawMap(c, see)
	}
	return v
}

// mapView is a small map: the pins of the case, the towns round them and a scale. Units are those of its viewBox.
type mapView struct {
	W, H   int
	Pins   []mapPin
	Line   string
	Towns  []mapTown
	ScaleW int
	Scale  string
	Circle float64
	Alt    string
}

type mapPin struct {
	X, Y float64
	Last bool
}

type mapTown struct {
	X, Y float64
	Name string
	End  bool // the label stands left of the dot
}

func (q *request) drawMap(c *casework.Case, see shown) *mapView {
	const w, h = 340, 240
	type pt struct{ lat, lon float64 }
	var pins []pt
	acc := 0.0
	for _, l := range c.Locations {
		if !l.HasPoint || math.Abs(l.Lat) > 85 {
			continue
		}
		p := pt{l.Lat, l.Lon}
		acc = l.AccuracyM
		if !see.Pin {
			p = pt{roundPin(l.Lat), roundPin(l.Lon)}
			acc = max(acc, 4000)
		}
		pins = append(pins, p)
	}
	if len(pins) == 0 {
		return nil
	}
	if len(pins) > 30 {
		pins = pins[len(pins)-30:]
	}
	last := pins[len(pins)-1]
	k := math.Cos(last.lat * math.Pi / 180)
	const perDeg = 111.2 // km
	// Half the width of the map in km: everything the person told of lately, at least 12 km.
	half := 12.0
	for _, p := range pins[max(0, len(pins)-8):] {
		half = max(half, 1.25*math.Abs(p.lon-last.lon)*perDeg*k, 1.25*math.Abs(p.lat-last.lat)*perDeg*w/h)
	}
	half = min(half, 900)
	if _, km := nearest(last.lat, last.lon); km < 150 {
		half = max(half, km*1.3)
	}
	px := (w / 2) / half // pixels per km
	at := func(lat, lon float64) (float64, float64) {
		return round1(w/2 + (lon-last.lon)*perDeg*k*px), round1(h/2 - (lat-last.lat)*perDeg*px)
	}
	m := &mapView{W: w, H: h, Alt: q.t("desk.map.alt")}
	for i, p := range pins {
		x, y := at(p.lat, p.lon)
		m.Pins = append(m.Pins, mapPin{x, y, i == len(pins)-1})
		m.Line += fmt.Sprintf("%g,%g ", x, y)
	}
	m.Circle = min(max(round1(acc/1000*px), 0), w)
	type near struct {
		mapTown
		d float64
	}
	var towns []near
	for _, t := range places.Default().All() {
		x, y := at(t.Lat, t.Lon)
		if x < 8 || x > w-8 || y < 12 || y > h-24 {
			continue
		}
		towns = append(towns, near{mapTown{x, y, t.Name, x > w*0.62}, places.Distance(last.lat, last.lon, t.Lat, t.Lon)})
	}
	slices.SortStableFunc(towns, func(a, b near) int { return cmp.Compare(a.d, b.d) })
	for _, t := range towns {
		if len(m.Towns) == 9 {
			break
		}
		if !slices.ContainsFunc(m.Towns, func(o mapTown) bool { return math.Abs(o.Y-t.Y) < 13 && math.Abs(o.X-t.X) < 110 }) {
			m.Towns = append(m.Towns, t.mapTown)
		}
	}
	step := 1.0
	for _, s := range []float64{1, 2, 5, 10, 20, 50, 100, 200, 500} {
		if s*px <= 110 {
			step = s
		}
	}
	m.ScaleW, m.Scale = int(step*px), q.number(int(step))+" km"
	return m
}

func round1(f float64) float64 { return math.Round(f*10) / 10 }
