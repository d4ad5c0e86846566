package desk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// newCasePage is the form for somebody at the door or on the phone.
type newCasePage struct {
	page
	Steps     []editView
	Origins   []option
	Safety    []option
	Countries []option
	Was       url.Values
	Bad       string
}

// byHand are the questions of the form, in its order; safety comes first and has a field of its own.
var byHand = []flows.StepID{
	flows.StepWhoFor, flows.StepFullName, flows.StepLocation, flows.StepPlaceKind, flows.StepUrgentNeeds,
	flows.StepPassportStatus, flows.StepImmigration, flows.StepContactPref, flows.StepSafeTime, flows.StepCallbackNumber,
	flows.StepGroupSize, flows.StepExtra,
}

// origins are the ways to the desk that no bot sees.
var origins = []string{"walk_in", "phone", "referral"}

func (q *request) newCasePage() (newCasePage, error) {
	p := newCasePage{page: q.page("new", q.t("desk.new.title")), Was: q.r.PostForm}
	for _, s := range byHand {
		v := editView{Step: string(s), Label: q.stepText(s), Multi: flows.Multi[s], Kind: answerKind(s)}
		v.Options = q.options(s, nil)
		for i := range v.Options {
			v.Options[i].On = slices.Contains(q.r.PostForm[string(s)+".value"], v.Options[i].Value)
		}
		p.Steps = append(p.Steps, v)
	}
	for _, o := range origins {
		p.Origins = append(p.Origins, option{Value: o, Label: q.channelName(o), On: q.r.PostFormValue("origin") == o})
	}
	for _, v := range flows.Menus[flows.StepSafetyNow] {
		p.Safety = append(p.Safety, option{Value: string(v), Label: q.t("desk.safety." + string(v)), On: q.r.PostFormValue("safety") == string(v)})
	}
	for _, c := range phoneCountries {
		p.Countries = append(p.Countries, option{Value: c, Label: q.t("desk.v.country." + c)})
	}
	err := q.peek(&p.page)
	return p, err
}

func newCaseForm(q *request) error {
	p, err := q.newCasePage()
	if err != nil {
		return err
	}
	return q.show("new", p)
}

// newCase opens a case by hand, through the same rules as one from a chat.
func newCase(q *request) error {
	code, err := q.openByHand()
	var no *bad
	if errors.As(err, &no) {
		p, perr := q.newCasePage()
		if perr != nil {
			return perr
		}
		p.Bad = q.t(no.Key, no.Args...)
		return q.showStatus(http.StatusUnprocessableEntity, "new", p)
	}
	if err != nil {
		return err
	}
	q.say("desk.flash.new_case", "Code", code)
	return q.to("/case/" + url.PathEscape(code))
}

// drawCodes is how often a code is drawn before we give up: of 33 million, with 5,000 cases, twice is rare.
const drawCodes = 8

func (q *request) openByHand() (string, error) {
	ctx, now := q.r.Context(), q.d.Clock()
	origin := q.r.PostFormValue("origin")
	if !slices.Contains(origins, origin) {
		return "", &bad{Key: "desk.bad.origin"}
	}
	safety := flows.Value(q.r.PostFormValue("safety"))
	if !slices.Contains(flows.Menus[flows.StepSafetyNow], safety) {
		return "", &bad{Key: "desk.bad.safety"}
	}
	// The permission comes last: danger or watched, entered now, would withdraw it.
	type record struct {
		step flows.StepID
		a    flows.Answer
	}
	records := []record{{flows.StepSafetyNow, flows.Answer{Values: []flows.Value{safety}, At: now, By: q.user.Name}}}
	said := false
	for _, s := range byHand {
		a, err := q.readAnswer(s, string(s)+".", now)
		if err != nil {
			return "", err
		}
		if len(a.Values) > 0 || a.Text != "" || a.Norm != "" {
			records = append(records, record{s, a})
			said = true
		}
	}
	text := q.text("note", maxNote)
	if !said && text == "" {
		return "", &bad{Key: "desk.bad.empty_case"}
	}
	request := q.formKey()
	id := newID(now)
	for range drawCodes {
		var rnd [5]byte
		_, _ = rand.Read(rnd[:])
		c := casework.New(id, casework.NewCode(q.mission.Prefix, rnd), q.mission.Code, q.mission.Code, origin, now)
		c.CreatedBy, c.Lang = q.user.Name, "id"
		for _, r := range records {
			c.Apply(flows.Record{Step: r.step, Answer: r.a}, now, q.mission.rules)
		}
		c.LastIn = now
		c.MarkRead(q.user.Name, now)
		events := c.Rescore(now, q.mission.rules)
		ch := bot.Change{Line: c.Line, Request: request, Case: c}
		ch.Entries = append(ch.Entries, q.event("event.by_hand", flows.Args{"Origin": origin}, now))
		ch.Entries[0].Update = request
		if text != "" {
			ch.Entries = append(ch.Entries, q.noteEntry(text, now))
		}
		ch.Entries = append(ch.Entries, q.eventEntries(events, now)...)
		ch.Timers = timerChanges(c.Line, c.ID, nil, casework.Timers(c, now, q.mission.rules))
		a := q.audit("new_case")
		a.Code, a.Field = c.Code, origin
		ch.Audit = []bot.Audit{a}
		done, err := q.d.Queue.Commit(ctx, ch)
		if errors.Is(err, bot.ErrCodeTaken) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("new case: %w", err)
		}
		if done.Repeat {
			// The form came twice. Which code the first one drew is on the list of registered cases.
			return q.firstCode()
		}
		return c.Code, nil
	}
	return "", fmt.Errorf("new case: %w", bot.ErrCodeTaken)
}

// firstCode finds the case that the first copy of a form opened.
func (q *request) firstCode() (string, error) {
	qp, err := q.whole()
	if err != nil {
		return "", fmt.Errorf("queue: %w", err)
	}
	var best *casework.Case
	for _, it := range qp.Items {
		c := it.Case
		if c.CreatedBy == q.user.Name && (best == nil || c.CreatedAt.After(best.CreatedAt)) {
			best = c
		}
	}
	if best == nil {
		return "", bot.ErrNotFound
	}
	return best.Code, nil
}
