package desk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// knownView is one row of "what was understood", beside the person's own words.
type knownView struct {
	Step    string
	Label   string
	Value   string
	Masked  bool
	Shown   bool // revealed now: masked again after a while
	Words   words
	At      time.Time
	By      string
	Review  bool
	Skipped bool
	Edit    bool
}

// knownOrder is the order of the table; steps that only steer the conversation are not in it.
var knownOrder = []flows.StepID{
	flows.StepSafetyNow, flows.StepWhoFor, flows.StepLocation, flows.StepPlaceKind, flows.StepLocationHint,
	flows.StepUrgentNeeds, flows.StepHealthDetail, flows.StepPassportStatus, flows.StepPassportCopy,
	flows.StepImmigration, flows.StepOverstaySince, flows.StepEntryDate, flows.StepEntryPoint, flows.StepContactPref,
	flows.StepSafeTime, flows.StepSafeTimePart, flows.StepCallbackNumber, flows.StepNumberCountry, flows.StepCodeWord, flows.StepDuressWord,
	flows.StepFullName, flows.StepSex, flows.StepBirthDate, flows.StepHomeArea, flows.StepIDProof, flows.StepReturnPlan,
	flows.StepGroupSize, flows.StepGroupVulnerable, flows.StepGroupConsent, flows.StepGroupSamePlace,
	flows.StepRelation, flows.StepSubjectName, flows.StepSubjectContact, flows.StepSubjectSafe, flows.StepLastContact,
	flows.StepRansomAsked, flows.StepDocsAvailable, flows.StepTrustedAdult, flows.StepCountry,
	flows.StepFamilyContact, flows.StepFamilyConsent, flows.StepConsentShare, flows.StepExtra,
	flows.StepNationality, flows.StepGroupMembers, flows.StepRansomAmount, flows.StepSubjectConsent,
	flows.StepRescueLocation, flows.StepRescueRoom, flows.StepRescueBuilding, flows.StepRescuePhoto, flows.StepRescueID,
	flows.StepRescueContact,
}

func (q *request) known(c *casework.Case, see shown) []knownView {
	steps := slices.Clone(knownOrder)
	for s := range c.Answers { // whatever a later version asked is shown as well
		if !slices.Contains(steps, s) && !steering[s] {
			steps = append(steps, s)
		}
	}
	slices.Sort(steps[len(knownOrder):])
	var out []knownView
	for _, s := range steps {
		a, ok := c.Answers[s]
		if !ok {
			continue
		}
		v := knownView{
			Step: string(s), Label: q.stepText(s), At: a.At, By: a.By, Review: a.Review, Skipped: a.Skipped,
			Edit: editable(s),
		}
		can := see
		if s == flows.StepSubjectContact && c.Answers[flows.StepSubjectSafe].Value() != flows.Yes {
			can.Phone = false // the reporter did not say that the person may be contacted directly
		}
		v.Value, v.Masked, v.Shown = q.answerText(s, a, can)
		if !v.Masked && len(a.Values) > 0 && maskedAs[s] == "" {
			v.Words = clean(a.Text)
			v.Words.Text = mask(v.Words.Text, see)
		}
		out = append(out, v)
	}
	return out
}

// steering are steps whose answers only steer the conversation.
var steering = map[flows.StepID]bool{
	flows.StepConfirm: true, flows.StepMenu: true, flows.StepEdit: true, flows.StepDelete: true, flows.StepLanguage: true,
	flows.StepPlaceConfirm: true, flows.StepConfirmYesNo: true, flows.StepNew: true,
}

// answerText is an answer in words, masked where its field is.
func (q *request) answerText(s flows.StepID, a flows.Answer, see shown) (text string, masked, revealed bool) {
	if a.Location != nil {
		return q.pinText(*a.Location, see), !see.Pin && a.Location.HasPoint, see.Pin && a.Location.HasPoint
	}
	if len(a.Values) > 0 {
		parts := make([]string, len(a.Values))
		for i, v := range a.Values {
			parts[i] = q.valueText(s, v)
		}
		text = strings.Join(parts, ", ")
	} else {
		text = clean(a.Text).Text
	}
	switch maskedAs[s] {
	case fieldName:
		text = cleanLine(text).Text
		if !see.Name {
			return mask(maskName(text), shown{}), true, false
		}
		return mask(text, see), false, true
	case fieldPhone:
		if a.Norm != "" {
			text = cleanLine(a.Norm).Text
		}
		if !see.Phone {
			return maskNumber(text), true, false
		}
		return text, false, true
	case fieldWord:
		if !see.Word {
			return "•••", true, false
		}
		return text, false, true
	case fieldIDs:
		if !see.IDs {
			return mask(text, shown{}), len(a.Values) == 0, false
		}
		return text, false, true
	}
	if a.Norm != "" && len(a.Values) == 0 && a.Norm != a.Text {
		text += fmt.Sprintf(" (%s)", cleanLine(a.Norm).Text)
	}
	return mask(text, see), false, false
}

// pinText says where a statement of place points to, rounded until the exact pin is revealed.
func (q *request) pinText(l flows.Location, see shown) string {
	parts := []string{q.t("desk.place.kind." + kindOf(l.Kind))}
	if p := cleanLine(l.Place).Text; p != "" {
		if pr := cleanLine(l.Province).Text; pr != "" && !strings.Contains(p, pr) {
			p += ", " + pr
		}
		parts = append(parts, p)
	}
	if l.HasPoint {
		if near, km := nearest(l.Lat, l.Lon); near != "" && (near != l.Place || see.Pin) {
			parts = append(parts, q.t("desk.place.near", "Place", near, "Km", q.distance(km, see)))
		}
		if see.Pin {
			parts = append(parts, fmt.Sprintf("%.6f, %.6f", l.Lat, l.Lon))
		} else {
			parts = append(parts, q.t("desk.place.rounded", "Lat", fmt.Sprintf("%.2f", roundPin(l.Lat)), "Lon", fmt.Sprintf("%.2f", roundPin(l.Lon))))
		}
		if l.AccuracyM > 0 {
			parts = append(parts, q.t("desk.place.accuracy", "M", q.metres(l.AccuracyM)))
		}
	} else if t := clean(l.Text); t.Text != "" && t.Text != l.Place {
		parts = append(parts, "“"+mask(t.Text, see)+"”")
	}
	return strings.Join(parts, " · ")
}

// distance is exact only for a pin that is revealed.
func (q *request) distance(km float64, see shown) string {
	if see.Pin {
		return q.km(km)
	}
	return q.coarse(km)
}

func kindOf(k string) string {
	if slices.Contains([]string{"pin", "live", "map_link", "coords_text", "place_text"}, k) {
		return k
	}
	return "unknown"
}
