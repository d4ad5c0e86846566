package desk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// offersPage lists what other missions ask this one to take over.
type offersPage struct {
	page
	Rows []offerRow
}

type offerRow struct {
	rowView
	Offer *offerView
}

const offersLimit = 200

func offers(q *request) error {
	now := q.d.Clock()
	items, err := q.d.Queue.Offered(q.r.Context(), q.mission.Code, now, offersLimit)
	if err != nil {
		return fmt.Errorf("offers: %w", err)
	}
	p := offersPage{page: q.page("offers", q.t("desk.nav.offers"))}
	p.Live = "queue"
	for _, it := range items {
		p.Rows = append(p.Rows, offerRow{q.row(it, now), q.offer(it.Case)})
	}
	if err := q.peek(&p.page); err != nil {
		return err
	}
	if !q.background() {
		a := q.audit("list")
		a.Field, a.Result = "offers", fmt.Sprint(len(p.Rows))
		if err := q.record(a); err != nil {
			return err
		}
	}
	return q.show("offers", p)
}

// openOffer shows a case that is offered, to read: what is masked stays masked, and it does not count as read by the
// mission that still has it.
func openOffer(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	now := q.d.Clock()
	file, err := q.look(q.d.Queue.OpenOffered, code, now, q.offeredRow(), false)
	if errors.Is(err, bot.ErrNotFound) {
		return q.elsewhere(code, now)
	}
	if err != nil {
		return fmt.Errorf("open offered case: %w", err)
	}
	return q.showOffer(http.StatusOK, file, now, "", "")
}

// offeredRow is the audit row of reading a case that is another mission's still.
func (q *request) offeredRow() bot.Audit {
	a := q.audit("open")
	a.Result = "offered"
	return a
}

func (q *request) showOffer(status int, file bot.CaseFile, now time.Time, form, why string) error {
	p, err := q.caseView(file, now)
	if err != nil {
		return err
	}
	p.Live, p.Mine, p.Edit, p.Groups = "", false, nil, nil
	p.Handover = handoverView{Offer: q.offer(file.Case)}
	for i := range p.Timeline {
		p.Timeline[i].Media = closedMedia(p.Timeline[i].Media)
	}
	p.form, p.was, p.Bad = form, q.r.PostForm, why
	return q.showStatus(status, "offer", p)
}

// closedMedia is a file that is not opened before the case is accepted.
func closedMedia(m *mediaView) *mediaView {
	if m == nil {
		return nil
	}
	shut := *m
	shut.Opens, shut.Shut = false, true
	return &shut
}

// acceptOffer moves the case to this mission, into this officer's hands, in one step; the person is told in words that
// give nothing away, if and when the gate lets them leave.
func acceptOffer(q *request) error {
	if pending, err := q.pending(); err != nil {
		return err
	} else if pending != "" {
		q.warn("desk.flash.outcome_first", "Code", pending)
		return q.to("/case/" + url.PathEscape(pending) + "#call")
	}
	e := edit{form: "accept", audit: q.audit("handover_accepted"), offered: true}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		from := c.Mission
		events, err := casework.Accept(c, q.mission.Code, q.user.Name, now, q.mission.rules)
		if err != nil {
			return nil, err
		}
		ch.Audit[0].Field = from + ">" + q.mission.Code
		ch.Take = q.user.Name
		q.inBothLogs(ch, from)
		q.tellNewMission(c, ch, now)
		return events, nil
	}
	return q.answerOffer(e, "desk.flash.offer_accepted", "/case/")
}

// returnOffer gives the case back to the mission that offered it, with a reason.
func returnOffer(q *request) error {
	e := edit{form: "return", audit: q.audit("handover_returned"), offered: true}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		reason, err := q.need("reason", maxReason, "desk.bad.reason")
		if err != nil {
			return nil, err
		}
		events, err := casework.Return(c, q.mission.Code, reason, now, q.d.rulesOf(c))
		if err != nil {
			return nil, err
		}
		ch.Audit[0].Field = c.Mission + ">" + q.mission.Code
		q.inBothLogs(ch, c.Mission)
		ch.Entries = append(ch.Entries, q.noteEntry(reason, now))
		return events, nil
	}
	return q.answerOffer(e, "desk.flash.offer_returned", "/offers")
}

// answerOffer does an answer to an offer and goes on to the case or back to the list.
func (q *request) answerOffer(e edit, done, next string) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	err = q.commit(code, e)
	if err == nil && next == "/case/" {
		err = q.bringLinked(code)
	}
	var no *bad
	var refused *casework.Refused
	switch {
	case err == nil:
		q.say(done)
		if next == "/case/" {
			next += url.PathEscape(code)
		}
		return q.to(next)
	case errors.Is(err, bot.ErrNotFound), errors.As(err, &refused) && refused.Why == casework.RefusedNotOffered:
		q.warn("refused." + casework.RefusedNotOffered)
		return q.to("/offers")
	case errors.As(err, &no):
		return q.offerAgain(code, e.form, http.StatusUnprocessableEntity, no.Key)
	case errors.As(err, &refused):
		return q.offerAgain(code, e.form, http.StatusUnprocessableEntity, refused.Key())
	case errors.Is(err, bot.ErrConflict):
		return q.offerAgain(code, e.form, http.StatusConflict, "desk.error.conflict")
	}
	return err
}

// bringLinked takes the cases that go on in an accepted one along. They are closed, and nobody waits for them: should
// it fail half-way, the same form sent again does the rest.
func (q *request) bringLinked(code string) error {
	ctx := q.r.Context()
	file, err := q.d.Queue.Open(ctx, q.mission.Code, code, q.d.Clock(), bot.Audit{})
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	for _, l := range file.Case.Linked {
		for try := 0; ; try++ {
			c, ver, err := q.d.Queue.LoadCase(ctx, file.Case.Line, l.ID)
			if errors.Is(err, bot.ErrNotFound) || err == nil && !casework.Follow(c, file.Case) {
				break
			}
			if err != nil {
				return fmt.Errorf("linked case: %w", err)
			}
			_, err = q.d.Queue.Commit(ctx, bot.Change{Line: c.Line, Request: "desk:follow:" + newID(q.d.Clock()), Case: c, CaseVer: ver})
			if err == nil {
				break
			}
			if !errors.Is(err, bot.ErrConflict) || try == decideAgain {
				return fmt.Errorf("linked case: %w", err)
			}
		}
	}
	return nil
}

// offerAgain shows the offer with an answer that was not given.
func (q *request) offerAgain(code, form string, status int, key string) error {
	now := q.d.Clock()
	file, err := q.look(q.d.Queue.OpenOffered, code, now, q.offeredRow(), true)
	if err != nil {
		return err
	}
	return q.showOffer(status, file, now, form, q.t(key))
}

// tellNewMission tells the person who answers from now on, once it is so. The mission is named only to somebody who is
// safe and writes for themselves; the first words are harmless on a lock screen either way, and nothing is asked.
func (q *request) tellNewMission(c *casework.Case, ch *bot.Change, now time.Time) {
	to, ok := contactOf(c, "")
	if !ok {
		return
	}
	key, args := "handover.told_neutral", flows.Args(nil)
	if c.Safety == flows.Safe && !casework.Reporter(c) {
		key, args = "handover.told", flows.Args{"Service": q.mission.Service, "Number": q.mission.PublicNumber()}
		if q.mission.PublicNumber() == "" {
			key = "handover.told_nonumber"
		}
	}
	lang := c.Lang
	if !q.d.Catalogue.Has(lang) {
		lang = q.mission.Lang
	}
	row := bot.Row{
		ID: newID(now), Line: c.Line, To: to, CaseID: c.ID, Lane: bot.LaneStatus, Kind: casework.KindOfficer,
		Out: bot.Outgoing{Text: q.d.Catalogue.Text(lang, flows.TextID(key), args)}, State: bot.RowQueued, CreatedAt: now,
	}
	ch.Rows = append(ch.Rows, row)
	ch.Entries = append(ch.Entries, bot.Entry{ID: row.ID, At: now, Kind: "out", Text: row.Out.Text, Row: row.ID, Channel: to.Channel, Contact: to.Tag()})
}
