package main

import (
	"slices"

	"pulang/bot"
	"pulang/bot/whatsapp"
	"pulang/flows"
	"pulang/flows/intake"
	"pulang/flows/lexicon"
	"pulang/flows/places"
	"pulang/locales"
)

// nearKm is how far a known place may lie from a pin to be named for it.
const nearKm = 40

// newFlow is the conversation of one mission. The others of the installation are those a case can be passed on to.
func newFlow(m *bot.Mission, all []*bot.Mission, cat *locales.Catalogue, words *lexicon.Lexicon) *intake.Flow {
	gaz := places.Default()
	langs := languages(cat, m.Lang)
	c := intake.Config{
		Mission: m.Name, Service: m.Service, Country: m.Country, Address: m.Address, Hours: m.Hours,
		Number: m.PublicNumber(), Currency: m.Currency, CountryName: everyLang(langs, m.CountryName), ZoneName: everyLang(langs, m.ZoneName),
		Zone: m.Rules().Zone, Langs: langs, Offices: map[string]intake.Office{},
		Reader: words, Text: cat.Text,
		Nearest: func(lat, lon float64) (intake.Near, bool) {
			p, km := gaz.Nearest(lat, lon)
			country, _ := gaz.CountryAt(lat, lon)
			if country == "" && km > nearKm {
				return intake.Near{}, false
			}
			n := intake.Near{Country: country, Km: km}
			if km <= nearKm && (country == "" || p.Country == country) {
				n.Place, n.Province, n.Country = p.Name, p.Province, p.Country
			}
			return n, true
		},
	}
	for _, o := range m.Others {
		c.Offices[o.Country] = intake.Office{Name: o.Name, Number: o.PublicNumber()}
	}
	for _, o := range all {
		if o.Code == m.Code {
			continue
		}
		for _, country := range append([]string{o.Country}, o.Countries...) {
			c.Offices[country] = intake.Office{Name: o.Name, Number: o.PublicNumber(), Here: true}
		}
	}
	return intake.New(c)
}

// languages are those of the catalogue, the mission's own first: a further file there is a further language here.
func languages(cat *locales.Catalogue, first string) []string {
	langs := cat.Langs()
	slices.SortStableFunc(langs, func(a, b string) int {
		switch {
		case a == first && b != first:
			return -1
		case b == first && a != first:
			return 1
		}
		return 0
	})
	return langs
}

// everyLang fills in what a mission file, which must name Indonesian and English, leaves out in another language.
func everyLang(langs []string, names map[string]string) map[string]string {
	out := map[string]string{}
	for _, l := range langs {
		if out[l] = names[l]; out[l] == "" {
			out[l] = names["en"]
		}
	}
	return out
}

// cans are what each channel is able to do, for turns that no message began.
func cans() map[string]flows.Can {
	return map[string]flows.Can{
		"telegram": {Buttons: true, AskPlace: true, AskContact: true, Delete: true},
		"webchat":  {Buttons: true, Delete: true},
		"whatsapp": whatsapp.Can,
	}
}
