package desk

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// The fields that are masked until somebody asks for them with a purpose. Every click is audited.
const (
	fieldName  = "name"  // names of the person and of others
	fieldPhone = "phone" // numbers; never where the phone may not ring
	fieldIDs   = "ids"   // NIK, passport
	fieldPin   = "pin"   // the exact place
	fieldWord  = "word"  // the code word, where no call is on
)

var fields = []string{fieldName, fieldPhone, fieldIDs, fieldPin, fieldWord}

// purposes are what a field may be asked for.
var purposes = []string{"call", "identify", "locate", "documents", "medical", "family", "other"}

// maskedAs says which field an answer belongs to; an answer that is not here is shown.
var maskedAs = map[flows.StepID]string{
	flows.StepFullName: fieldName, flows.StepSubjectName: fieldName, flows.StepFamilyContact: fieldName,
	flows.StepCallbackNumber: fieldPhone, flows.StepSubjectContact: fieldPhone,
	flows.StepCodeWord: fieldWord, flows.StepDuressWord: fieldWord,
	flows.StepPassportCopy: fieldIDs, flows.StepGroupMembers: fieldName, flows.StepRescueContact: fieldPhone,
	flows.StepRescueID: fieldIDs,
}

// Revealed limits (Signal's limiters as a model): soft per hour, hard per hour; they fail closed.
const revealsPerHour = 120

// mayRevealPhone is the gate over every number of the case: with MayCall's yes, or while an attempt is on that this
// officer recorded. A masked number is not in the page at all.
func (q *request) mayRevealPhone(c *casework.Case, now time.Time) bool {
	if casework.MayCall(c, now, q.mission.rules).OK {
		return true
	}
	_, dialing := casework.Dialing(c, q.user.Name, now)
	return dialing
}

// sees says what of a case this officer has asked to see, as far as the gate allows.
func (q *request) sees(c *casework.Case, now time.Time) shown {
	return shown{
		Phone: q.session.granted(c.Code, fieldPhone, now) && q.mayRevealPhone(c, now),
		Pin:   q.session.granted(c.Code, fieldPin, now),
		IDs:   q.session.granted(c.Code, fieldIDs, now),
		Name:  q.session.granted(c.Code, fieldName, now),
		Word:  q.session.granted(c.Code, fieldWord, now),
	}
}

// revealView is one button of the list of masked fields.
type revealView struct {
	Field, Text string
	On          bool
	Refused     string // why it cannot be shown
}

func (q *request) reveals(c *casework.Case, now time.Time) []revealView {
	var out []revealView
	for _, f := range fields {
		v := revealView{Field: f, Text: q.t("desk.field." + f), On: q.session.granted(c.Code, f, now)}
		if f == fieldWord && c.Answers[flows.StepCodeWord].Text == "" && c.Answers[flows.StepDuressWord].Text == "" {
			continue
		}
		if f == fieldPhone && !q.mayRevealPhone(c, now) {
			v.On, v.Refused = false, q.t("call."+casework.MayCall(c, now, q.mission.rules).Why)
		}
		out = append(out, v)
	}
	return out
}

// reveal opens one masked field for two minutes of work.
func reveal(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	ctx, now := q.r.Context(), q.d.Clock()
	field, purpose := q.r.PostFormValue("field"), q.r.PostFormValue("purpose")
	if purpose == "" {
		purpose = q.session.purpose(code)
	}
	if !slices.Contains(fields, field) || !slices.Contains(purposes, purpose) {
		return q.again(code, "reveal", http.StatusUnprocessableEntity, "desk.bad.purpose")
	}
	wait, err := q.d.Staff.Throttle(ctx, "reveal:"+q.user.Name, revealsPerHour, time.Hour)
	if err != nil {
		return fmt.Errorf("throttle: %w", err)
	}
	if wait > 0 {
		return q.again(code, "reveal", http.StatusTooManyRequests, "desk.bad.reveals")
	}
	file, err := q.d.Queue.Open(ctx, q.mission.Code, code, now, bot.Audit{})
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	if field == fieldPhone && !q.mayRevealPhone(file.Case, now) {
		a := q.audit("reveal")
		a.Code, a.Field, a.Purpose, a.Result = code, field, purpose, "refused"
		if err := q.record(a); err != nil {
			return err
		}
		return q.again(code, "reveal", http.StatusForbidden, "call."+casework.MayCall(file.Case, now, q.mission.rules).Why)
	}
	if err := q.recordRead(ctx, code, "reveal", field, purpose); err != nil {
		return err
	}
	q.session.addGrant(code, field, purpose, now)
	q.d.saveSession(ctx, q.session)
	return q.to("/case/" + url.PathEscape(code) + "#known")
}
