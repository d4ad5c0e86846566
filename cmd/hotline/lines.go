package main

import (
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
func newFlow(m *bot.Mission, all []*bot.Mission, cat *locales.Catalogue) *intake.Flow {
	gaz := places.Default()
	c := intake.Config{
		Mission: m.Name, Service: m.Service, Country: m.Country, Address: m.Address, Hours: m.Hours,
		Number: publicNumber(m.Numbers), Currency: m.Currency, CountryName: m.CountryName, ZoneName: m.ZoneName,
		Zone: m.Rules().Zone, Langs: languages(m.Lang), Offices: map[string]intake.Office{},
		Reader: lexicon.Default(), Text: cat.Text,
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
		c.Offices[o.Country] = intake.Office{Name: o.Name, Number: publicNumber(o.Numbers)}
	}
	for _, o := range all {
		if o.Code == m.Code {
			continue
		}
		for _, country := range append([]string{o.Country}, o.Countries...) {
			c.Offices[country] = intake.Office{Name: o.Name, Number: publicNumber(o.Numbers), Here: true}
		}
	}
	return intake.New(c)
}

// languages are those of the citizens' texts, the mission's own first.
func languages(first string) []string {
	langs := []string{"id", "en"}
	if first == "en" {
		langs[0], langs[1] = langs[1], langs[0]
	}
	return langs
}

// publicNumber is the first number that may be shown to everybody; empty when none is.
func publicNumber(numbers []bot.Number) string {
	for _, n := range numbers {
		if n.Public {
			return n.Number
		}
	}
	return ""
}

// cans are what each channel is able to do, for turns that no message began.
func cans() map[string]flows.Can {
	return map[string]flows.Can{
		"telegram": {Buttons: true, AskPlace: true, AskContact: true, Delete: true},
		"webchat":  {Buttons: true, Delete: true},
		"whatsapp": whatsapp.Can,
	}
}
