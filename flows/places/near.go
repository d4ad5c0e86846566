package places

import (
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
)

// outline is a coarse hand-drawn border of a country: good to some 20 km, decided near the border by what lies
// nearest instead.
type outline struct {
	country string
	lat     []float64
	lon     []float64
}

type crossing struct {
	name string
	lat  float64
	lon  float64
}

// Nearest returns the gazetteer place nearest to a point and its distance in kilometres along the earth's surface.
func (g *Gazetteer) Nearest(lat, lon float64) (Place, float64) {
	best, at := math.Inf(1), -1
	for i, p := range g.places {
		if d := Distance(lat, lon, p.Lat, p.Lon); d < best {
			best, at = d, i
		}
	}
	if at < 0 {
		return Place{}, best
	}
	return g.places[at], best
}

// NearestBorder returns the border crossing nearest to a point and its distance in kilometres.
func (g *Gazetteer) NearestBorder(lat, lon float64) (string, float64) {
	best, name := math.Inf(1), ""
	for _, c := range g.borders {
		if d := Distance(lat, lon, c.lat, c.lon); d < best {
			best, name = d, c.name
		}
	}
	return name, best
}

// ToMission returns the distance in kilometres to the nearest mission of the gazetteer in that country, and false
// when it has none.
func (g *Gazetteer) ToMission(lat, lon float64, country string) (float64, bool) {
	best := math.Inf(1)
	for _, p := range g.places {
		if p.Kind == "mission" && p.Country == country {
			best = min(best, Distance(lat, lon, p.Lat, p.Lon))
		}
	}
	return best, !math.IsInf(best, 1)
}

// How a country was decided by CountryAt.
const (
	ByNearestPlace = "nearest place"  // a gazetteer place lies within its own precision and 6 km
	ByOutline      = "coarse outline" // the point lies inside the country's hand-drawn outline
	ByFarPlace     = "far place"      // outside every outline, but a place lies within 60 km
)

// CountryAt returns the country of a point and how that was decided; both are empty for a point that nothing is
// known about. Near a border the nearest known place decides, because the outlines are coarse.
func (g *Gazetteer) CountryAt(lat, lon float64) (code, how string) {
	p, km := g.Nearest(lat, lon)
	if km <= math.Min(p.PrecisionKm, 6) {
		return p.Country, ByNearestPlace
	}
	inside := ""
	for _, o := range g.outlines {
		if o.holds(lat, lon) {
			if inside != "" && inside != o.country && km < 60 { // outlines overlap a little along the borders
				return p.Country, ByNearestPlace
			}
			if inside == "" {
				inside = o.country
			}
		}
	}
	switch {
	case inside != "":
		return inside, ByOutline
	case km < 60:
		return p.Country, ByFarPlace
	}
	return "", ""
}

// Distance is the great-circle distance in kilometres between two points in degrees.
func Distance(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	a, b := lat1*rad, lat2*rad
	s, t := math.Sin((b-a)/2), math.Sin((lon2-lon1)*rad/2)
	h := s*s + math.Cos(a)*math.Cos(b)*t*t
	return 2 * 6371.0088 * math.Asin(math.Sqrt(math.Min(1, h)))
}

// holds is the even-odd rule.
func (o outline) holds(lat, lon float64) bool {
	in := false
	for i, j := 0, len(o.lat)-1; i < len(o.lat); j, i = i, i+1 {
		if (o.lat[i] > lat) != (o.lat[j] > lat) && lon < (o.lon[j]-o.lon[i])*(lat-o.lat[i])/(o.lat[j]-o.lat[i])+o.lon[i] {
			in = !in
		}
	}
	return in
}

func (g *Gazetteer) loadBorders(dir fs.FS) error {
	return rows(dir, "borders.csv", "name,from,to,lat,lon,precision_km", func(r []string) error {
		lat, lon, err := point(r[3], r[4])
		if err != nil {
			return err
		}
		g.borders = append(g.borders, crossing{r[0], lat, lon})
		return nil
	})
}

func (g *Gazetteer) loadOutlines(dir fs.FS) error {
	return rows(dir, "outlines.csv", "country,points", func(r []string) error {
		o := outline{country: r[0]}
		for pair := range strings.FieldsSeq(r[1]) {
			a, b, _ := strings.Cut(pair, "/")
			lat, err1 := strconv.ParseFloat(a, 64)
			lon, err2 := strconv.ParseFloat(b, 64)
			if err1 != nil || err2 != nil {
				return fmt.Errorf("point %q is not lat/lon", pair)
			}
			o.lat, o.lon = append(o.lat, lat), append(o.lon, lon)
		}
		if len(o.lat) < 3 {
			return fmt.Errorf("an outline needs three points")
		}
		g.outlines = append(g.outlines, o)
		return nil
	})
}
