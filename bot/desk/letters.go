package desk

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// lettersPage lists what was not sent: held rows with what they wait for, and dead letters with the reason.
type lettersPage struct {
	page
	Failed, Held []letterView
	AllHeld      int // how many are held, of which at most lettersLimit are listed
	Force        bool
}

type letterView struct {
	ID      string
	Code    string
	CaseID  string
	Line    string
	At      time.Time
	By      string
	Channel string
	Kind    string
	Why     string
	Damaged bool // nothing is left that could be sent
	Until   time.Time
	Tries   int
	Text    words
}

const lettersLimit = 200

func letters(q *request) error {
	ctx := q.r.Context()
	p := lettersPage{page: q.page("letters", q.t("desk.nav.letters")), Force: q.may(casework.ActForceSend)}
	codes, err := q.caseCodes()
	if err != nil {
		return err
	}
	for _, state := range []bot.RowState{bot.RowFailed, bot.RowUnknown, bot.RowHeld} {
		rows, err := q.d.Queue.Letters(ctx, q.mission.Code, state, lettersLimit)
		if err != nil {
			return fmt.Errorf("letters: %w", err)
		}
		for _, r := range rows {
			w := clean(r.Out.Text)
			w.Text = mask(w.Text, shown{})
			v := letterView{
				ID: r.ID, Code: codes[r.CaseID], CaseID: r.CaseID, Line: r.Line, At: r.CreatedAt, By: r.By, Channel: q.channelName(r.To.Channel),
				Damaged: r.Why == bot.WhyDamaged, Kind: q.t("desk.kind." + rowKind(r.Kind)), Why: q.whyText(r), Until: r.NotBefore, Tries: r.Attempts, Text: w,
			}
			if state == bot.RowHeld {
				p.Held = append(p.Held, v)
			} else {
				p.Failed = append(p.Failed, v)
			}
		}
	}
	byTime := func(a, b letterView) int { return a.At.Compare(b.At) }
	slices.SortFunc(p.Held, byTime)
	slices.SortFunc(p.Failed, byTime)
	if err := q.peek(&p.page); err != nil {
		return err
	}
	p.AllHeld = max(len(p.Held), p.Counts.Held)
	a := q.audit("list")
	a.Field, a.Result = "letters", fmt.Sprintf("%d/%d", len(p.Failed), len(p.Held))
	if err := q.record(a); err != nil {
		return err
	}
	return q.show("letters", p)
}

// caseByID leads from a row to its case, which need not be on the queue any more.
func caseByID(q *request) error {
	line, id := q.r.PathValue("line"), q.r.PathValue("id")
	if q.d.missions[line] == nil || idOnly(id) != id {
		return bot.ErrNotFound
	}
	c, _, err := q.d.Queue.LoadCase(q.r.Context(), line, id)
	if err != nil {
		return fmt.Errorf("case of a row: %w", err)
	}
	if c.Mission != q.mission.Code {
		return bot.ErrNotFound
	}
	return q.to("/case/" + url.PathEscape(c.Code))
}

// rowKind keeps the kinds that there is a text for.
func rowKind(k string) string {
	if slices.Contains([]string{"reply", "officer", "nudge", "stage", "safety", "again", "broadcast"}, k) {
		return k
	}
	return "reply"
}

// caseCodes maps internal ids to codes, for rows that name only the id.
func (q *request) caseCodes() (map[string]string, error) {
	qp, err := q.whole()
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	m := map[string]string{}
	for _, it := range qp.Items {
		m[it.Case.ID] = it.Case.Code
	}
	return m, nil
}

// retryLetter queues a dead letter again. A held row leaves against the gate only with a supervisor's reason.
func retryLetter(q *request) error {
	force := q.text("reason", maxReason)
	a := q.audit("retry")
	if q.r.PostFormValue("held") != "" {
		if !q.may(casework.ActForceSend) {
			q.denied()
			return nil
		}
		if force == "" {
			q.warn("desk.bad.reason")
			return q.to("/letters")
		}
		a.What, a.Purpose = "force_send", force
	} else {
		force = ""
	}
	a.Field = "row"
	if err := q.d.Queue.Retry(q.r.Context(), q.mission.Code, q.r.PathValue("row"), force, a); err != nil {
		return fmt.Errorf("retry: %w", err)
	}
	q.say("desk.flash.retried")
	return q.to("/letters")
}
