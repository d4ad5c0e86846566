package desk

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// What the shared parts of the templates are given.

// rowPair is a row with the page it stands on.
type rowPair struct {
	Page page
	Row  rowView
}

// Pair puts a row and its page together for the part "row".
func (p page) Pair(r rowView) rowPair { return rowPair{p, r} }

// linePair is a line of a timeline with the page it stands on.
type linePair struct {
	Page casePage
	Line lineView
}

// Line puts a line of the timeline and its page together for the part "said".
func (p casePage) Line(l lineView) linePair { return linePair{p, l} }

// fieldView is one question of a form.
type fieldView struct {
	Page      page
	Field     editView
	Name      string // prefix of the names of its inputs
	Text      string
	From, To  string
	Countries []option
}

// FieldOf prepares the part "field"; what had been typed comes back.
func (p page) FieldOf(f any, name string, countries []option) fieldView {
	v := fieldView{Page: p, Name: name, Countries: countries}
	switch f := f.(type) {
	case editView:
		v.Field = f
	case *editView:
		v.Field = *f
	}
	was := p.q.r.PostForm
	v.Text = cmp.Or(was.Get(name+"text"), v.Field.Text)
	v.From, v.To = was.Get(name+"from"), was.Get(name+"to")
	return v
}

// Clean is a stored text of one line, fit to be shown.
func (p page) Clean(s string) string { return cleanLine(s).Text }

// askedView is what two pages tell of a request that waits for a second person: who asks, when, until when, and why.
type askedView struct {
	Page       page
	By, Reason string
	At, Until  time.Time // no Until: it waits no more
}

// Asked is the data of the part "asked".
func (p page) Asked(by, reason string, at, until time.Time) askedView {
	return askedView{p, by, reason, at, until}
}

// Act is an audited act in words.
func (p page) Act(what string) string {
	if s := p.Known("desk.audit.act." + what); s != "" {
		return s
	}
	return strings.ReplaceAll(cleanLine(what).Text, "_", " ")
}

// Classes are the classes to choose from.
func (p casePage) Classes() []casework.Class { return casework.Classes }

// Levels are the levels of safety that an officer may establish.
func (p casePage) Levels() []option {
	var out []option
	for _, v := range flows.Menus[flows.StepSafetyNow] {
		out = append(out, option{Value: string(v), Label: p.T("desk.safety." + string(v))})
	}
	return out
}

// CloseReasons are the reasons for closing.
func (p casePage) CloseReasons() []option {
	var out []option
	for _, r := range casework.CloseReasons {
		out = append(out, option{Value: r, Label: p.T("closed." + r)})
	}
	return out
}

// Editable are the answers that may be entered.
func (p casePage) Editable() []option {
	var out []option
	for _, s := range knownOrder {
		if editable(s) {
			out = append(out, option{Value: string(s), Label: p.q.stepText(s)})
		}
	}
	slices.SortFunc(out, func(a, b option) int { return cmp.Compare(a.Label, b.Label) })
	return out
}

// Countries are the choices beside a phone number.
func (p casePage) Countries() []option {
	var out []option
	for _, c := range phoneCountries {
		out = append(out, option{Value: c, Label: p.T("desk.v.country." + c)})
	}
	return out
}

// WasText is what had been typed into a field.
func (p newCasePage) WasText(field string) string { return url.Values(p.Was).Get(field) }
