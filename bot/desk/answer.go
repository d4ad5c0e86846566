package desk

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"pulang/flows"
	"pulang/flows/casework"
	"pulang/flows/places"
)

// editable are the answers that an officer may enter. safety_now has a form of its own, secret words come from the
// person alone, and steering steps are nobody's answers.
func editable(s flows.StepID) bool {
	switch s {
	case flows.StepSafetyNow, flows.StepCodeWord, flows.StepDuressWord, flows.StepPlaceConfirm, flows.StepConfirm,
		flows.StepMenu, flows.StepEdit, flows.StepDelete, flows.StepLanguage, flows.StepSameMatter, flows.StepNew,
		flows.StepConfirmYesNo, flows.StepNumberCountry, flows.StepSafeTimePart:
		return false
	}
	return slices.Contains(knownOrder, s)
}

// editView is the form for one answer.
type editView struct {
	Step, Label string
	Options     []option
	Multi       bool
	Kind        string // phone, hours, date, place, number or text
	Text        string // what is there, where it is not masked
}

func (q *request) editForm(c *casework.Case, s flows.StepID) *editView {
	if !editable(s) {
		return nil
	}
	v := &editView{Step: string(s), Label: q.stepText(s), Multi: flows.Multi[s], Kind: answerKind(s)}
	v.Options = q.options(s, c.Answers[s].Values)
	if maskedAs[s] == "" && len(v.Options) == 0 && v.Kind == "text" {
		v.Text = mask(clean(c.Answers[s].Text).Text, shown{})
	}
	return v
}

// options are the values of a closed question.
func (q *request) options(s flows.StepID, on []flows.Value) []option {
	var out []option
	values := flows.Menus[s]
	if s == flows.StepPassportStatus {
		values = append(slices.Clone(values), "splp_in_hand")
	}
	for _, v := range values {
		out = append(out, option{Value: string(v), Label: q.valueText(s, v), On: slices.Contains(on, v)})
	}
	return out
}

func answerKind(s flows.StepID) string {
	switch s {
	case flows.StepCallbackNumber, flows.StepSubjectContact:
		return "phone"
	case flows.StepSafeTime:
		return "hours"
	case flows.StepLocation, flows.StepRescueLocation:
		return "place"
	case flows.StepGroupSize:
		return "number"
	case flows.StepBirthDate:
		return "date"
	}
	return "text"
}

var (
	isoDate  = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	clockHM  = regexp.MustCompile(`^([01]?\d|2[0-3])[:.]([0-5]\d)$`)
	onlyNums = regexp.MustCompile(`^\d{1,4}$`)
)

// readAnswer reads the answer to a step from the form. Names of fields are the prefix and "value", "text", "from",
// "to", "country".
func (q *request) readAnswer(s flows.StepID, prefix string, now time.Time) (flows.Answer, error) {
	a := flows.Answer{At: now, By: q.user.Name, Text: q.text(prefix+"text", 1000)}
	if menu := q.options(s, nil); len(menu) > 0 {
		for _, v := range q.r.PostForm[prefix+"value"] {
			if v == "" {
				continue
			}
			if !slices.ContainsFunc(menu, func(o option) bool { return o.Value == v }) {
				return a, &bad{Key: "refused.unknown_value"}
			}
			a.Values = append(a.Values, flows.Value(v))
		}
		if len(a.Values) > 1 && !flows.Multi[s] {
			return a, &bad{Key: "refused.unknown_value"}
		}
		if len(a.Values) > 1 {
			a.Values = slices.DeleteFunc(a.Values, func(v flows.Value) bool { return v == flows.None })
		}
		return a, nil
	}
	switch answerKind(s) {
	case "phone":
		if a.Text != "" {
			n, err := phoneNumber(a.Text, q.r.PostFormValue(prefix+"country"))
			if err != nil {
				return a, err
			}
			a.Norm = n
		}
	case "hours":
		from, to := q.text(prefix+"from", 5), q.text(prefix+"to", 5)
		if from == "" && to == "" {
			break
		}
		f, t := clockHM.FindStringSubmatch(from), clockHM.FindStringSubmatch(to)
		if f == nil || t == nil || from == to {
			return a, &bad{Key: "desk.bad.hours"}
		}
		a.Norm = fmt.Sprintf("%02s:%s-%02s:%s", f[1], f[2], t[1], t[2])
		a.Text = strings.ReplaceAll(a.Norm, ":", ".")
	case "place":
		if a.Text != "" {
			a.Location = placeIn(a.Text, now)
		}
	case "number":
		if a.Text != "" && !onlyNums.MatchString(a.Text) {
			return a, &bad{Key: "desk.bad.number"}
		}
		a.Norm = a.Text
	case "date":
		switch {
		case isoDate.MatchString(a.Text):
			if _, err := time.Parse(time.DateOnly, a.Text); err != nil {
				return a, &bad{Key: "desk.bad.date"}
			}
			a.Norm = a.Text
		case a.Text != "":
			if n, err := strconv.Atoi(a.Text); err != nil || n < 0 || n > 110 {
				return a, &bad{Key: "desk.bad.date"}
			}
			a.Norm = a.Text
		}
	}
	return a, nil
}

// phoneNumber reads a number: with its country's prefix, or by the country that was chosen beside it. 08… is both
// Cambodian and Indonesian, so nothing is guessed.
func phoneNumber(s, country string) (string, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "00") {
		s = "+" + s[2:]
	}
	if !strings.HasPrefix(s, "+") && country == "" {
		return "", &bad{Key: "desk.bad.phone_country"}
	}
	n, err := phonenumbers.Parse(s, country)
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return "", &bad{Key: "desk.bad.phone"}
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// phoneCountries are the choices beside a number.
var phoneCountries = []string{"KH", "ID", "TH", "VN", "LA", "MM", "PH", "MY"}

// placeIn reads a place from an officer's words: coordinates, a map link or a name of the gazetteer.
func placeIn(text string, now time.Time) *flows.Location {
	g := places.Default()
	l := &flows.Location{Kind: "place_text", Text: text, At: now}
	if pts := places.Coordinates(text); len(pts) > 0 {
		l.Kind, l.HasPoint, l.Lat, l.Lon = "coords_text", true, pts[0].Lat, pts[0].Lon
		if pts[0].Kind == "map_link" {
			l.Kind = "map_link"
		}
		if p, km := g.Nearest(l.Lat, l.Lon); km < 30 {
			l.Place, l.Province, l.Country = p.Name, p.Province, p.Country
		} else if country, _ := g.CountryAt(l.Lat, l.Lon); country != "" {
			l.Country = country
		}
		return l
	}
	for _, m := range g.Find(text) {
		l.Country = m.Place.Country
		if !m.CountryOnly && len(m.Others) == 0 {
			l.Place, l.Province = m.Place.Name, m.Place.Province
			break
		}
	}
	return l
}
