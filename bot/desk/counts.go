package desk

import (
	"fmt"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// counts is the top bar.
type counts struct {
	Classes              []classCount
	OldestP1             time.Time
	Late                 int
	LateKnown            bool
	Later, Claimed       int
	Dead, Held, Aside    int
	Offered              int
	UnreadP1             int
	UnreadSince          time.Time
	Clock                string
	Millis               int64
	Offset               int
	Sep, Zone            string
	ShowLetters, ShowBox bool
}

type classCount struct {
	Class casework.Class
	N     int
}

// countsOf makes the top bar of a queue page.
func (q *request) countsOf(page bot.QueuePage, late int, lateKnown bool) *counts {
	now := q.d.Clock()
	local := now.In(q.zone())
	_, off := local.Zone()
	c := &counts{
		OldestP1: page.OldestP1, Late: late, LateKnown: lateKnown, Later: page.Later, Claimed: page.Claimed,
		Dead: page.Dead, Held: page.Held, Aside: page.Aside, Offered: page.Offered,
		Millis: now.UnixMilli(), Offset: off, Sep: ".", Zone: zoneName(local),
		ShowLetters: q.may(casework.ActLetters), ShowBox: q.may(casework.ActAsides),
	}
	if q.lang != "id" {
		c.Sep = ":"
	}
	c.Clock = local.Format("15" + c.Sep + "04" + c.Sep + "05")
	for _, class := range []casework.Class{casework.P1, casework.P2, casework.P3, casework.P4} {
		c.Classes = append(c.Classes, classCount{class, page.Total[class]})
	}
	for _, it := range page.Items {
		if unreadP1(it.Case, now) {
			c.UnreadP1++
			if c.UnreadSince.IsZero() || it.Case.P1Since.Before(c.UnreadSince) {
				c.UnreadSince = it.Case.P1Since
			}
		}
	}
	return c
}

// unread reports whether the person wrote after an officer last had the case open.
func unread(c *casework.Case) bool { return c.Unread() }

func unreadP1(c *casework.Case, now time.Time) bool {
	return unread(c) && casework.Effective(c, now) == casework.P1
}

// peek fills the top bar of a page that does not list the queue.
func (q *request) peek(p *page) error {
	if q.mission == nil || !q.may(casework.ActQueue) {
		return q.countAsking(p)
	}
	now := q.d.Clock()
	qp, err := q.d.Queue.Queue(q.r.Context(), q.mission.Code, now, peekLimit)
	// Every P1 stands before everything else: with as many rows as there are, none of them is left out of the alarm.
	if n := qp.Total[casework.P1] + qp.Claimed; err == nil && n > peekLimit {
		qp, err = q.d.Queue.Queue(q.r.Context(), q.mission.Code, now, n)
	}
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	p.Counts = q.countsOf(qp, 0, false)
	p.countNav(qp)
	return q.countSecond(p)
}

// countNav puts how much waits behind each entry of the navigation beside it.
func (p *page) countNav(qp bot.QueuePage) {
	for i := range p.Nav {
		switch p.Nav[i].ID {
		case "scheduled":
			p.Nav[i].N = qp.Later
		case "offers":
			p.Nav[i].N = qp.Offered
		case "letters":
			p.Nav[i].N = qp.Dead + qp.Held
		case "asides":
			p.Nav[i].N = qp.Aside
		case "exports":
			p.Nav[i].N = p.q.ofOthers(qp.Asking)
		}
	}
}

// countAsking counts, on a page that does not read the queue, what waits for a second person.
func (q *request) countAsking(p *page) error {
	if err := q.countSecond(p); err != nil {
		return err
	}
	if q.mission == nil || !q.may(casework.ActAllowExport) {
		return nil
	}
	asking, err := q.d.Queue.ExportsAsking(q.r.Context(), q.mission.Code, q.d.Clock())
	if err != nil {
		return fmt.Errorf("exports: %w", err)
	}
	p.countNav(bot.QueuePage{Asking: asking})
	return nil
}
