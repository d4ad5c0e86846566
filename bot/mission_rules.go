package bot

import (
	"slices"
	"strings"
	"time"

	"pulang/flows/casework"
)

// Location is the mission's time zone; UTC while Zone names none that exists (ParseMission refuses such a file).
func (m *Mission) Location() *time.Location {
	if m.location != nil {
		return m.location
	}
	if zone, err := time.LoadLocation(m.Zone); err == nil && m.Zone != "" {
		return zone
	}
	return time.UTC
}

// Rules are the mission's numbers as package casework takes them. What the file leaves out has the default.
func (m *Mission) Rules() casework.Rules {
	r := casework.DefaultRules()
	r.Country, r.Zone = m.Country, m.Location()
	for class, d := range map[casework.Class]Duration{
		casework.P1: m.Targets.P1, casework.P2: m.Targets.P2, casework.P3: m.Targets.P3, casework.P4: m.Targets.P4,
	} {
		if d > 0 {
			r.Targets[class] = time.Duration(d)
		}
	}
	if m.Targets.LiftP4 > 0 {
		r.LiftP4 = time.Duration(m.Targets.LiftP4)
	}
	if m.Targets.LiftP3 > 0 {
		r.LiftP3 = time.Duration(m.Targets.LiftP3)
	}
	r.Conflict = map[string]bool{}
	for _, p := range m.ConflictPlaces {
		r.Conflict[strings.ToLower(p)] = true
	}
	return r
}

// Serves reports whether the mission is competent for the country (ISO 3166-1 alpha-2), its own or a further one.
func (m *Mission) Serves(country string) bool {
	return country != "" && (strings.EqualFold(country, m.Country) ||
		slices.ContainsFunc(m.Countries, func(c string) bool { return strings.EqualFold(c, country) }))
}

// Other is the mission for a country that this installation does not serve, as the mission file knows it.
func (m *Mission) Other(country string) (OtherOffice, bool) {
	i := slices.IndexFunc(m.Others, func(o OtherOffice) bool { return strings.EqualFold(o.Country, country) })
	if i < 0 {
		return OtherOffice{}, false
	}
	return m.Others[i], true
}

// PublicNumber is the first number that may be shown to everybody; empty when none is.
func (m *Mission) PublicNumber() string { return publicNumber(m.Numbers) }

// PublicNumber is the first number that may be shown to everybody; empty when none is.
func (o OtherOffice) PublicNumber() string { return publicNumber(o.Numbers) }

func publicNumber(numbers []Number) string {
	for _, n := range numbers {
		if n.Public {
			return n.Number
		}
	}
	return ""
}
