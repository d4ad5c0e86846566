package intake

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// Kinds of a flows.Location.
const (
	kindPin     = "pin"
	kindLive    = "live"
	kindText    = "place_text"
	kindUnknown = "unknown"
)

var locationQuestions = []question{
	{
		id: flows.StepLocation, open: true, silent: true, other: true, group: true, askPlace: true,
		take: func(t *turn, r *lexicon.Reading) (flows.Answer, bool) {
			if countryAlone(r.Location) {
				t.inCountry(flows.Value(r.Location.Country))
				return flows.Answer{}, false
			}
			return t.takeLocation(r)
		},
		read: readLocation, keep: (*turn).setLocation,
	},
	{
		id: flows.StepPlaceConfirm, cond: "the place is not certain", forget: memoPlaces,
		due: func(t *turn) bool { return t.memo(memoPlaces) != "" },
		dynamic: func(t *turn) []flows.Value {
			n := len(t.places())
			if n < 2 {
				return []flows.Value{flows.Yes, flows.No}
			}
			vs := make([]flows.Value, 0, n+1)
			for i := range n {
				vs = append(vs, flows.Value("p"+strconv.Itoa(i+1)))
			}
			return append(vs, flows.No)
		},
		label: func(t *turn, v flows.Value) flows.Text {
			if ps := t.places(); len(ps) > 1 && v != flows.No {
				if i, _ := strconv.Atoi(string(v[1:])); i >= 1 && i <= len(ps) {
					p := ps[i-1]
					return t.text("choice.place_confirm.place", "Place", p.Place, "Province", p.Province, "In", t.f.countryName(t.s.Lang, p.Country))
				}
			}
			return t.text(flows.TextID("choice.place_confirm." + string(v)))
		},
		text: func(t *turn) []flows.Text {
			ps := t.places()
			if len(ps) != 1 {
				return []flows.Text{t.text("ask.place_confirm.which")}
			}
			return []flows.Text{t.text("ask.place_confirm", "Place", ps[0].Place, "Province", ps[0].Province,
				"In", t.f.countryName(t.s.Lang, ps[0].Country))}
		},
		pick: confirmPlace,
		keep: func(t *turn, a flows.Answer) {
			if a.Location != nil { // said anew instead of yes or no
				t.setLocation(a)
				return
			}
			confirmPlace(t, a.Value())
		},
		read: func(t *turn, text string) (flows.Answer, bool) {
			q := t.byID(flows.StepPlaceConfirm)
			if a, ok := q.answerOf(t); ok {
				return a, true
			}
			if t.r.Location != nil && !t.r.Location.Unknown {
				return t.takeLocation(&t.r)
			}
			return flows.Answer{}, false
		},
	},
	{
		id: flows.StepCountry, cond: "the place has no country", when: countryUnclear, other: true,
		label: func(t *turn, v flows.Value) flows.Text { return t.text(flows.TextID("country." + string(v))) },
		read: func(t *turn, _ string) (flows.Answer, bool) {
			if l := t.r.Location; l != nil && l.Country != "" {
				if slices.Contains(flows.Menus[flows.StepCountry], flows.Value(l.Country)) {
					return one(flows.Value(l.Country))
				}
				return one("other")
			}
			return t.byID(flows.StepCountry).answerOf(t)
		},
		pick: func(t *turn, v flows.Value) {
			t.record(flows.StepCountry, flows.Answer{Values: []flows.Value{v}})
			t.elsewhere(string(v))
		},
		keep: func(t *turn, a flows.Answer) {
			t.record(flows.StepCountry, a)
			t.elsewhere(string(a.Value()))
		},
	},
	{
		id: flows.StepLocationHint, open: true, free: true, media: true, cond: "location=unknown, or a country alone",
		when: func(t *turn) bool {
			l := t.answer(flows.StepLocation).Location
			return l != nil && (l.Kind == kindUnknown || l.Kind == kindText && l.Place == "" && l.Country != "" && t.memo(memoPlaces) == "" && !t.answer(flows.StepLocation).Review)
		},
		read: words,
	},
	{
		id: flows.StepPlaceKind, other: true, group: true,
		take: func(_ *turn, r *lexicon.Reading) (flows.Answer, bool) { return one(r.PlaceKind) },
	},
}

// words takes any words as the answer.
func words(t *turn, text string) (flows.Answer, bool) {
	return flows.Answer{Text: t.in.Text}, fold(text) != "" && !t.r.Greeting
}

// countryUnclear reports whether nobody can tell in which country the place is.
func countryUnclear(t *turn) bool {
	a, ok := t.s.Answers[flows.StepLocation]
	if !ok || a.Skipped || t.memo(memoPlaces) != "" {
		return false
	}
	l := a.Location
	return l == nil || l.Country == "" && !l.HasPoint
}

// countryAlone reports whether words name a country and no place in it: said in passing that answers nothing, for the
// embassy is in one country.
func countryAlone(p *lexicon.Place) bool {
	return p != nil && p.Country != "" && p.Place == "" && p.Lat == nil && !p.Unknown && p.Kind != "map_link"
}

// inCountry keeps the country that was named in passing; where in it is still asked.
func (t *turn) inCountry(v flows.Value) {
	if _, ok := t.s.Answers[flows.StepLocation]; ok || t.answer(flows.StepCountry).Value() == v {
		return
	}
	if !slices.Contains(flows.Menus[flows.StepCountry], v) {
		v = "other"
	}
	t.record(flows.StepCountry, flows.Answer{Values: []flows.Value{v}})
	t.elsewhere(string(v))
}

// takeLocation reads a place from words, whatever was asked.
func (t *turn) takeLocation(r *lexicon.Reading) (flows.Answer, bool) {
	p := r.Location
	if p == nil {
		return flows.Answer{}, false
	}
	l := flows.Location{Kind: p.Kind, Text: t.in.Text, Place: p.Place, Province: p.Province, Country: p.Country, At: t.in.At}
	if p.Lat != nil && p.Lon != nil && !(*p.Lat == 0 && *p.Lon == 0) && p.Place == "" {
		l.HasPoint, l.Lat, l.Lon = true, *p.Lat, *p.Lon
	}
	switch {
	case p.Unknown:
		l.Kind = kindUnknown
	case l.Kind == "":
		l.Kind = kindText
	}
	a := flows.Answer{Text: t.in.Text, Location: &l}
	if l.HasPoint {
		t.name(&l)
	}
	if p.Place != "" && (len(p.Others) > 0 || !p.Sure) && l.Kind == kindText {
		// Not certain: the words are kept as they are, and the place is offered.
		offered := []flows.Location{l}
		for _, o := range p.Others {
			if len(offered) < 4 && o.Place != "" {
				offered = append(offered, flows.Location{Place: o.Place, Province: o.Province, Country: o.Country})
			}
		}
		for i := range offered {
			offered[i].Text, offered[i].Kind, offered[i].At = "", kindText, t.in.At
		}
		if b, err := json.Marshal(offered); err == nil {
			a.Norm = string(b)
		}
		l.Place, l.Province = "", ""
		if len(offered) > 1 {
			l.Country = ""
		}
		a.Review = true
	}
	return a, true
}

// readLocation takes the answer to "where are you": a known place, "I don't know", or any words, for an officer.
func readLocation(t *turn, text string) (flows.Answer, bool) {
	if a, ok := t.takeLocation(&t.r); ok {
		return a, true
	}
	switch {
	case t.r.YesNo == flows.Unknown:
		return flows.Answer{Location: &flows.Location{Kind: kindUnknown, Text: t.in.Text, At: t.in.At}}, true
	case (strings.HasSuffix(text, "?") || t.cries() || t.complains()) && t.s.Shown.Misses == 0:
		// A question back, or a cry, is no address, the first time.
		return flows.Answer{}, false
	case t.danger(), t.r.Greeting, t.r.YesNo != "", len([]rune(fold(text))) < 2, isDigits(text):
		return flows.Answer{}, false // in danger, words that name no place are news, not an address
	}
	return flows.Answer{Review: true, Location: &flows.Location{Kind: kindText, Text: t.in.Text, At: t.in.At}}, true
}

// setLocation keeps a place, and what follows from where it is.
func (t *turn) setLocation(a flows.Answer) {
	offered := a.Norm
	a.Norm = ""
	if t.silent() || t.danger() {
		offered = "" // nothing more is asked there: an officer reads the words
	}
	t.note(memoPlaces, offered)
	if a.Location != nil {
		a.Values = []flows.Value{flows.Value(a.Location.Kind)}
	}
	t.record(flows.StepLocation, a)
	t.done(t.byID(flows.StepLocation))
	if l := a.Location; l != nil && l.HasPoint && t.wants(flows.StepRescueLocation) {
		t.record(flows.StepRescueLocation, a)
	}
	if t.rescueGap() != "" && t.mode() != flows.Safe {
		return // the next item follows, in few words
	}
	if t.danger() {
		t.say("danger.located")
		t.urgent = true
	}
	if a.Location != nil && offered == "" {
		t.elsewhere(a.Location.Country)
	}
}

// newPlace reports whether a place told in passing differs from the one that is known.
func (t *turn) newPlace(a flows.Answer) bool {
	l, old := a.Location, t.answer(flows.StepLocation).Location
	if l == nil || l.Kind == kindUnknown {
		return false
	}
	if l.HasPoint {
		return true
	}
	if a.Review || l.Place == "" {
		return old == nil || old.Kind == kindUnknown
	}
	return old == nil || old.Place != l.Place
}

// places are those offered for confirmation.
func (t *turn) places() []flows.Location {
	var ps []flows.Location
	if raw := t.memo(memoPlaces); raw != "" && json.Unmarshal([]byte(raw), &ps) != nil {
		return nil
	}
	return ps
}

// confirmPlace settles which place was meant. "No" leaves the person's own words.
func confirmPlace(t *turn, v flows.Value) {
	ps := t.places()
	t.note(memoPlaces, "")
	t.known, t.content = true, true
	i := 0
	if strings.HasPrefix(string(v), "p") {
		n, _ := strconv.Atoi(string(v[1:]))
		i = n - 1
	}
	if v == flows.No || i < 0 || i >= len(ps) {
		return
	}
	l := ps[i]
	old := t.answer(flows.StepLocation)
	l.Text, l.At = old.Text, t.in.At
	t.record(flows.StepLocation, flows.Answer{Values: []flows.Value{kindText}, Text: old.Text, Location: &l, From: old.From})
	t.elsewhere(l.Country)
}

// knownCountry reports whether the catalogue has a name for the country.
func knownCountry(iso string) bool {
	return iso == "ID" || slices.Contains(flows.Menus[flows.StepCountry], flows.Value(iso))
}

// isDigits reports whether the text holds no letter at all.
func isDigits(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > '9' && r != '．' }) < 0
}
