package desk

import (
	"fmt"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// boardPage is the wall board: numbers without anything of a person, since visitors see it.
type boardPage struct {
	page
	P1       int
	OldestP1 time.Time
	P1Late   bool
	Unread   int
	Classes  []boardClass
	Today    int
	Late     int
	Later    int
	Claimed  int
	Dead     int
	Held     int
	Officers int
}

type boardClass struct {
	Class casework.Class
	N     int
	Late  int
	Old   time.Time
}

func board(q *request) error {
	now := q.d.Clock()
	qp, err := q.whole()
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	p := boardPage{
		page: q.page("board", q.t("desk.nav.board")), P1: qp.Total[casework.P1], OldestP1: qp.OldestP1,
		Later: qp.Later, Claimed: qp.Claimed, Dead: qp.Dead, Held: qp.Held,
	}
	p.Live = "board"
	p.countNav(qp)
	p.P1Late = !qp.OldestP1.IsZero() && now.Sub(qp.OldestP1) > q.mission.rules.Target(casework.P1)/2
	y, m, d := now.In(q.zone()).Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, q.zone())
	officers := map[string]bool{}
	byClass := map[casework.Class]*boardClass{}
	for _, c := range casework.Classes {
		byClass[c] = &boardClass{Class: c, N: qp.Total[c]}
	}
	for _, it := range qp.Items {
		class := byClass[casework.Effective(it.Case, now)]
		if !it.Case.CreatedAt.Before(midnight) {
			p.Today++
		}
		if unreadP1(it.Case, now) {
			p.Unread++
		}
		if it.Claim != nil && it.Claim.Until.After(now) {
			officers[it.Claim.Officer] = true
			continue
		}
		if class == nil {
			continue
		}
		if l := q.lateness(it.Case, now); l == casework.LateOverdue || l == casework.LateCritical {
			class.Late++
			p.Late++
		}
		if w := waitingSince(it.Case); casework.CandidateOf(it.Case).Waiting(now) && (class.Old.IsZero() || w.Before(class.Old)) {
			class.Old = w
		}
	}
	for _, c := range casework.Classes {
		p.Classes = append(p.Classes, *byClass[c])
	}
	p.Officers = len(officers)
	p.Counts = q.countsOf(bot.QueuePage{Items: qp.Items, Total: qp.Total, OldestP1: qp.OldestP1, Later: qp.Later, Claimed: qp.Claimed, Dead: qp.Dead, Held: qp.Held, Aside: qp.Aside}, p.Late, true)
	return q.show("board", p)
}
