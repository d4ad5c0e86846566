// Package places knows the towns, districts, borders and other spots that people write from: it finds their names
// in a message however they are spelled, reads coordinates and map links without fetching anything, and says what
// lies nearest to a point. It is pure; its data are files that a consular officer can extend.
package places

import (
	"embed"
	"encoding/csv"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
)

// Place is one row of the gazetteer. Its point is the middle of something larger: PrecisionKm says how far off it
// may be.
type Place struct {
	Name     string
	Country  string // ISO 3166-1 alpha-2
	Province string
	Lat, Lon float64
	// Kind is city, town, district, province, compound, border, airport or mission.
	Kind string
	// Reported tells officers whether press or NGOs named the place: S (source seen), G (general knowledge only),
	// t (transit or arrival), n (no). It is a hint for the desk and never shown to citizens.
	Reported    string
	PrecisionKm float64
	// Source says where the point comes from.
	Source string
}

// Gazetteer finds places. It is made once, is never changed and may be used from many goroutines.
type Gazetteer struct {
	places    []Place
	keys      []key            // every Latin spelling, for the tolerant search
	exact     map[string][]int // spaceless spelling -> indexes into keys
	sounds    map[string][]int
	scripts   []script // spellings in other scripts, longest first
	longest   int      // words in the longest spelling
	homonyms  map[string]bool
	heads     map[string]bool // the first words of names of several
	words     map[string]bool // ordinary words that only look like places
	countries []Country
	names     map[string]string // spaceless country name -> ISO code
	outlines  []outline
	borders   []crossing
}

// Country is one row of countries.csv.
type Country struct {
	Code    string   // ISO 3166-1 alpha-2
	Name    string   // English short name
	Mission string   // the country whose mission is competent; empty when none is configured
	Names   []string // what people call it
}

//go:embed data
var embedded embed.FS

// Default is the gazetteer built into the program.
var Default = sync.OnceValue(func() *Gazetteer {
	sub, err := fs.Sub(embedded, "data")
	if err == nil {
		var g *Gazetteer
		if g, err = New(sub); err == nil {
			return g
		}
	}
	panic(err) // the embedded files are checked by a test
})

// New reads gazetteer.csv, countries.csv, borders.csv, outlines.csv, homonyms.txt and ordinary.txt from dir. An error names the file and
// line that cannot be read.
func New(dir fs.FS) (*Gazetteer, error) {
	g := &Gazetteer{exact: map[string][]int{}, sounds: map[string][]int{}, homonyms: map[string]bool{}, heads: map[string]bool{}, words: map[string]bool{}, names: map[string]string{}}
	for _, load := range []func(fs.FS) error{g.loadWords, g.loadPlaces, g.loadCountries, g.loadBorders, g.loadOutlines} {
		if err := load(dir); err != nil {
			return nil, err
		}
	}
	g.index()
	return g, nil
}

// All returns the places in the order of the file.
func (g *Gazetteer) All() []Place { return append([]Place(nil), g.places...) }

// Competent returns the country whose mission looks after Indonesians in country, or "" when none is configured.
func (g *Gazetteer) Competent(country string) string {
	for _, c := range g.countries {
		if c.Code == country {
			return c.Mission
		}
	}
	return ""
}

// Countries returns the known countries.
func (g *Gazetteer) Countries() []Country { return append([]Country(nil), g.countries...) }

// ByName returns the place of that exact gazetteer name.
func (g *Gazetteer) ByName(name string) (Place, bool) {
	for _, p := range g.places {
		if p.Name == name {
			return p, true
		}
	}
	return Place{}, false
}

// rows calls f for every data row of a CSV file with the given header.
func rows(dir fs.FS, name, header string, f func(r []string) error) error {
	file, err := dir.Open(name)
	if err != nil {
		return fmt.Errorf("gazetteer file %s: %w", name, err)
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.Comment = '#'
	all, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("gazetteer file %s: %w", name, err)
	}
	if len(all) == 0 || strings.Join(all[0], ",") != header {
		return fmt.Errorf("gazetteer file %s: its first line must be %s", name, header)
	}
	for _, row := range all[1:] {
		if err := f(row); err != nil {
			return fmt.Errorf("gazetteer file %s, row %s: %w", name, row[0], err)
		}
	}
	return nil
}

func (g *Gazetteer) loadPlaces(dir fs.FS) error {
	return rows(dir, "gazetteer.csv", "name,country,province,lat,lon,kind,reported,precision_km,source,variants", func(r []string) error {
		lat, lon, err := point(r[3], r[4])
		if err != nil {
			return err
		}
		prec, err := strconv.ParseFloat(r[7], 64)
		if err != nil || prec <= 0 {
			return fmt.Errorf("precision_km %q must be above 0", r[7])
		}
		if len(r[1]) != 2 || r[8] == "" {
			return fmt.Errorf("country and source are needed")
		}
		at := len(g.places)
		g.places = append(g.places, Place{Name: r[0], Country: r[1], Province: r[2], Lat: lat, Lon: lon, Kind: r[5], Reported: r[6], PrecisionKm: prec, Source: r[8]})
		g.add(strings.Split(r[0], "(")[0], at)
		for _, v := range strings.Split(r[9], "|") {
			g.add(v, at)
		}
		return nil
	})
}

func (g *Gazetteer) loadCountries(dir fs.FS) error {
	return rows(dir, "countries.csv", "code,name,mission,names", func(r []string) error {
		c := Country{Code: r[0], Name: r[1], Mission: r[2], Names: strings.Split(r[3], "|")}
		if len(c.Code) != 2 {
			return fmt.Errorf("code %q is not a two-letter country", c.Code)
		}
		g.countries = append(g.countries, c)
		for _, n := range append(c.Names, c.Name) {
			if isLatin(n) {
				g.names[spaceless(n)] = c.Code
			} else {
				g.scripts = append(g.scripts, script{text: n, country: c.Code})
			}
		}
		return nil
	})
}

// loadWords reads the two plain lists: one entry a line, several separated by spaces, # starts a comment.
func (g *Gazetteer) loadWords(dir fs.FS) error {
	for name, into := range map[string]map[string]bool{"homonyms.txt": g.homonyms, "ordinary.txt": g.words} {
		b, err := fs.ReadFile(dir, name)
		if err != nil {
			return fmt.Errorf("gazetteer file %s: %w", name, err)
		}
		for line := range strings.Lines(string(b)) {
			line, _, _ = strings.Cut(line, "#")
			for _, w := range strings.Fields(line) {
				into[strings.ReplaceAll(w, "_", "")] = true
			}
		}
	}
	return nil
}

func point(lat, lon string) (float64, float64, error) {
	a, err := strconv.ParseFloat(lat, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("latitude %q is not a number", lat)
	}
	o, err := strconv.ParseFloat(lon, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("longitude %q is not a number", lon)
	}
	if a < -90 || a > 90 || o < -180 || o > 180 {
		return 0, 0, fmt.Errorf("%s, %s is no point on earth", lat, lon)
	}
	return a, o, nil
}
