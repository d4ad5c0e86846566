package desk

import (
	"fmt"
	"slices"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

const (
	// readLimit is how many open cases the queue page looks at: filters and groups need them all.
	readLimit = 10000
	// showLimit is how many rows are drawn; the rest is counted.
	showLimit = 200
	// peekLimit is how many cases a page that does not list the queue looks at, unless more than these are P1.
	peekLimit = 8
)

// queuePage is the list of what waits.
type queuePage struct {
	page
	Groups  []queueGroup
	Later   []rowView
	Claimed []rowView
	Filters []filter
	Shown   int
	All     int
	More    int // rows that match but are not drawn
	Active  bool
	CanNext bool
}

// queueGroup are the rows of one degree of lateness.
type queueGroup struct {
	ID, Title string
	Rows      []rowView
	N         int
}

// groupOf names the group of a case: every waiting P1 stands first, whatever its age; the others by lateness.
func (q *request) groupOf(c *casework.Case, now time.Time) string {
	if casework.Effective(c, now) == casework.P1 {
		return "P1"
	}
	return string(q.lateness(c, now))
}

// groupIDs are the groups in the order of the page.
func groupIDs() []string {
	ids := []string{"P1"}
	for _, l := range casework.Lates {
		ids = append(ids, string(l))
	}
	return ids
}

func queue(q *request) error {
	now := q.d.Clock()
	qp, err := q.whole()
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	p := queuePage{page: q.page("queue", q.t("desk.nav.queue")), CanNext: q.may(casework.ActClaim)}
	p.Live = "queue"
	waiting, later, claimed := split(qp.Items, now)
	late := 0
	for _, it := range waiting {
		if l := q.lateness(it.Case, now); l == casework.LateOverdue || l == casework.LateCritical {
			late++
		}
	}
	p.Counts = q.countsOf(qp, late, true)
	var keep func(bot.QueueItem) bool
	p.Filters, keep, p.Active = q.filters(waiting, now)
	p.All = len(waiting)

	groups := map[string]*queueGroup{}
	for _, it := range waiting {
		if !keep(it) {
			continue
		}
		p.Shown++
		id := q.groupOf(it.Case, now)
		g := groups[id]
		if g == nil {
			g = &queueGroup{ID: id, Title: q.t("late." + id)}
			groups[id] = g
		}
		g.N++
		if p.Shown > showLimit {
			p.More++
			continue
		}
		g.Rows = append(g.Rows, q.row(it, now))
	}
	for _, id := range groupIDs() {
		if g := groups[id]; g != nil {
			p.Groups = append(p.Groups, *g)
		}
	}
	for _, it := range claimed {
		if keep(it) && len(p.Claimed) < showLimit {
			p.Claimed = append(p.Claimed, q.row(it, now))
		}
	}
	for _, it := range later {
		if keep(it) && len(p.Later) < showLimit {
			p.Later = append(p.Later, q.row(it, now))
		}
	}
	if p.Pending, err = q.pending(); err != nil {
		return err
	}
	p.countNav(qp)
	if err := q.countSecond(&p.page); err != nil {
		return err
	}
	a := q.audit("list")
	a.Result = fmt.Sprintf("%d/%d", p.Shown, p.All)
	if p.Active {
		a.Field = "filtered"
	}
	if !q.background() || !q.session.openedLately("", now) { // the page that refreshes itself is one look at the list
		if err := q.record(a); err != nil {
			return err
		}
		q.session.opened("", now)
		q.d.saveSession(q.r.Context(), q.session)
	}
	return q.show("queue", p)
}

// split sorts the page's items into what waits, what waits for a scheduled attempt and what somebody holds.
func split(items []bot.QueueItem, now time.Time) (waiting, later, claimed []bot.QueueItem) {
	for _, it := range items {
		switch {
		case it.Claim != nil && it.Claim.Until.After(now):
			claimed = append(claimed, it)
		case !casework.CandidateOf(it.Case).Waiting(now):
			later = append(later, it)
		default:
			waiting = append(waiting, it)
		}
	}
	slices.SortStableFunc(later, func(a, b bot.QueueItem) int { return a.Case.LaterUntil.Compare(b.Case.LaterUntil) })
	return waiting, later, claimed
}

// lateness is the group of the page in which a case stands.
func (q *request) lateness(c *casework.Case, now time.Time) casework.Late {
	return casework.Lateness(c, now, q.mission.rules)
}
