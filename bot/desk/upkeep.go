package desk

import (
	"fmt"
	"net/http"
	"time"

	"pulang/bot"
)

// upkeepPage tells an admin whether the data would survive: the ages of the last backup, drill and look at the audit log.
type upkeepPage struct {
	page
	Items []upkeepView
}

type upkeepView struct {
	bot.Upkeep
	Age   string // "" for never
	State string // good, overdue, never, failed
	Found bool   // what the last failure found is still shown: a later success that looked at less does not undo it
}

// foundFor is how long a failure is shown: as long as a backup of before it exists.
const foundFor = 35 * 24 * time.Hour

func upkeep(q *request) error {
	p := upkeepPage{page: q.page("upkeep", q.t("desk.nav.upkeep"))}
	if err := q.countAsking(&p.page); err != nil {
		return err
	}
	if q.d.Upkeep != nil {
		all, err := q.d.Upkeep(q.r.Context())
		if err != nil {
			return fmt.Errorf("upkeep: %w", err)
		}
		now := q.d.Clock()
		for _, u := range all {
			v := upkeepView{Upkeep: u, State: "good", Found: now.Sub(u.Failed) < foundFor}
			if !u.At.IsZero() {
				v.Age = q.span(now.Sub(u.At))
			}
			switch {
			case u.Failed.After(u.At):
				v.State = "failed"
			case u.At.IsZero():
				v.State = "never"
			case now.Sub(u.At) > u.Old:
				v.State = "overdue"
			}
			p.Items = append(p.Items, v)
		}
	}
	return q.showStatus(http.StatusOK, "upkeep", p)
}
