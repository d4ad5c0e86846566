package intake

import (
	"math"
	"strconv"

	"pulang/flows"
)

// elsewhere tells a person in another country whom to turn to, once and only after they said that they are safe, and warns the desk of a place in Indonesia.
func (t *turn) elsewhere(iso string) {
	if iso == "" || iso == t.f.cfg.Country {
		return
	}
	if iso == "ID" {
		if is(self)(t) {
			t.signal("pin_in_indonesia", "")
		}
		return
	}
	if t.mode() != flows.Safe || t.memo(memoOffice) == iso { // names and numbers are for who can read them safely, once
		return
	}
	t.note(memoOffice, iso)
	o, ok := t.f.cfg.Offices[iso]
	if !ok {
		t.say("location.elsewhere")
		return
	}
	id := flows.TextID("location.other")
	switch {
	case o.Here && t.env.Case != nil && t.env.Case.Read:
		id = "location.asked"
	case o.Here && o.Number == "":
		id = "location.passed_nonumber"
	case o.Here:
		id = "location.passed"
	case o.Number == "":
		id = "location.other.nonumber"
	}
	t.say(id, "Office", o.Name, "OfficeNumber", o.Number, "In", t.f.countryName(t.s.Lang, iso))
}

// country is where the person is, as far as it is known and settled; "" otherwise.
func (t *turn) country() string {
	if l := t.answer(flows.StepLocation).Location; l != nil && l.Country != "" && t.memo(memoPlaces) == "" {
		return l.Country
	}
	return string(t.value(flows.StepCountry))
}

// name gives a point the name of the nearest known place. The name is a hint beside the point, never instead of it.
func (t *turn) name(l *flows.Location) (Near, bool) {
	if t.f.cfg.Nearest == nil {
		return Near{}, false
	}
	n, ok := t.f.cfg.Nearest(l.Lat, l.Lon)
	if !ok {
		return Near{}, false
	}
	l.Place, l.Province, l.Country = n.Place, n.Province, n.Country
	return n, true
}

// located handles a pin or a live location.
func (t *turn) located() {
	t.content = true
	if t.in.Location == nil {
		t.miss()
		return
	}
	l := *t.in.Location
	if l.At.IsZero() {
		l.At = t.in.At
	}
	if l.Kind == "" {
		l.Kind = kindPin
	}
	if l.Lat == 0 && l.Lon == 0 {
		l.HasPoint = false
	}
	if !l.HasPoint && l.Text == "" {
		t.sayKept("media.other")
		t.known = true
		t.goOn()
		return
	}
	var near Near
	named := false
	if l.HasPoint {
		near, named = t.name(&l)
	}
	closed := t.closed() || t.s.Paused
	safe := t.mode() == flows.Safe
	if safe && named && !closed {
		t.say("location.near", "Km", strconv.Itoa(int(math.Ceil(near.Km))), "Place", near.Place, "Province", near.Province)
	}
	t.setLocation(flows.Answer{Location: &l, Review: !l.HasPoint})
	if closed && !t.danger() {
		t.aside()
		return
	}
	if t.danger() && t.rescueGap() == "" {
		return // nothing more is asked
	}
	t.goOn()
}
