package desk

import (
	"net/url"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// handoverView is what the case page shows of a hand-over to another mission.
type handoverView struct {
	May   bool     // this officer may propose one, or take it back
	To    []option // the other missions
	Offer *offerView
}

// offerView is an offer that awaits its answer.
type offerView struct {
	From, To string // names of the missions
	By       string // "" where the person's place proposed it
	Reason   words
	At, Ends time.Time
}

// missionName is the mission's name; "" for a code that is none here.
func (d *Desk) missionName(code string) string {
	if m := d.missions[code]; m != nil {
		return m.Name
	}
	return ""
}

func (q *request) handover(c *casework.Case, mine bool) handoverView {
	if len(q.d.Missions) < 2 || c.Closed() || !q.may(casework.ActHandover) {
		return handoverView{}
	}
	v := handoverView{May: mine || q.may(casework.ActTakeOver), Offer: q.offer(c)}
	for _, m := range q.d.Missions {
		if m.Code != c.Mission {
			v.To = append(v.To, option{Value: m.Code, Label: m.Name})
		}
	}
	return v
}

func (q *request) offer(c *casework.Case) *offerView {
	if c.Offer == nil {
		return nil
	}
	reason := clean(c.Offer.Reason)
	reason.Text = mask(reason.Text, shown{})
	return &offerView{
		From: q.d.missionName(c.Mission), To: q.d.missionName(c.Offer.To), By: c.Offer.By, Reason: reason, At: c.Offer.At,
		Ends: casework.OfferEnds(c, q.d.rulesOf(c)),
	}
}

// inBothLogs makes the audit row of an edit stand in the other mission's log as well. The mission that owns the line
// reads the whole log of its line.
func (q *request) inBothLogs(ch *bot.Change, other string) {
	ch.Audit[0].Mission = q.mission.Code
	switch {
	case ch.Line == other:
	case ch.Line == q.mission.Code:
		ch.Audit[0].Mission = other
	default:
		row := ch.Audit[0]
		row.Mission = other
		ch.Audit = append(ch.Audit, row)
	}
}

// offerCase proposes the case to another mission, with a reason. An officer needs the lease, a supervisor does not.
func offerCase(q *request) error {
	to := q.r.PostFormValue("to")
	e := edit{form: "offer", audit: q.audit("handover_offered"), hold: !q.may(casework.ActTakeOver), gate: true}
	e.audit.Field = q.missionCode() + ">" + idOnly(to)
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		if q.d.missions[to] == nil {
			return nil, &bad{Key: "desk.bad.mission"}
		}
		reason, err := q.need("reason", maxReason, "desk.bad.reason")
		if err != nil {
			return nil, err
		}
		events, err := casework.Propose(c, to, reason, q.user.Name, now)
		if err != nil {
			return nil, err
		}
		q.inBothLogs(ch, to)
		ch.Entries = append(ch.Entries, q.noteEntry(reason, now))
		return events, nil
	}
	return q.apply(e, "desk.flash.offered", "Mission", q.d.missionName(to))
}

// withdrawOffer takes back what the other mission has not answered.
func withdrawOffer(q *request) error {
	e := edit{form: "offer", audit: q.audit("handover_withdrawn"), hold: !q.may(casework.ActTakeOver)}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		if c.Offer == nil {
			return nil, &casework.Refused{Why: casework.RefusedNotOffered}
		}
		q.inBothLogs(ch, c.Offer.To)
		return casework.Withdraw(c), nil
	}
	return q.apply(e, "desk.flash.offer_withdrawn")
}

// offeredHere reports whether another mission offers that case to this one.
func (q *request) offeredHere(code string, now time.Time) bool {
	if !q.may(casework.ActHandover) {
		return false
	}
	_, err := q.d.Queue.OpenOffered(q.r.Context(), q.mission.Code, code, now, bot.Audit{})
	return err == nil
}

// elsewhere answers for a case that is not with the mission in hand: where it is offered to it, or with another mission
// of this officer, that is where it opens. For everybody else there is no such case.
func (q *request) elsewhere(code string, now time.Time) error {
	if q.background() {
		return bot.ErrNotFound // the page that is open reloads, and then somebody asks
	}
	if q.route.path != "/offers/{code}" && q.offeredHere(code, now) {
		return q.to("/offers/" + url.PathEscape(code))
	}
	for _, m := range q.d.Missions {
		if m.Code == q.mission.Code && q.route.path == "/case/{code}" || !mayMission(*q.user, m.Code) {
			continue
		}
		if _, err := q.d.Queue.Open(q.r.Context(), m.Code, code, now, bot.Audit{}); err == nil {
			q.changeMission(m.Code)
			return q.to("/case/" + url.PathEscape(code))
		}
	}
	return bot.ErrNotFound
}
