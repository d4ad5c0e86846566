package desk

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pulang/flows/casework"
)

// groupView is a group that the case leads or joined: the members by code, whoever needs care first. No member's
// answers are in it; each case has its own page, and its opening is audited.
type groupView struct {
	Code    string // the join code
	Leads   bool
	Members []memberView
	Names   []string // typed by the leader, unconfirmed
	// Elsewhere says how many members' cases are with which other mission.
	Elsewhere []string
}

type memberView struct {
	Code         string
	Class        casework.Class
	Leader, Here bool
	Safety       string
	Flags        []badge
	Closed       string
}

func (q *request) groups(c *casework.Case, see shown, now time.Time) ([]groupView, error) {
	var out []groupView
	for _, code := range casework.Groups(c) {
		items, elsewhere, err := q.d.Queue.Group(q.r.Context(), q.mission.Code, code)
		if err != nil {
			return nil, fmt.Errorf("group: %w", err)
		}
		g := groupView{Code: code, Leads: c.Leads == code}
		members := make([]*casework.Case, 0, len(items))
		for _, it := range items {
			members = append(members, it.Case)
		}
		slices.SortFunc(members, casework.ByNeed(code))
		for _, m := range members {
			g.Members = append(g.Members, q.member(m, code, c.Code, now))
			if m.Leads == code {
				for _, name := range casework.Unconfirmed(m) {
					name = cleanLine(name).Text
					if !see.Name {
						name = maskName(name)
					}
					g.Names = append(g.Names, name)
				}
			}
		}
		for _, m := range slices.Sorted(maps.Keys(elsewhere)) {
			g.Elsewhere = append(g.Elsewhere, q.t("desk.group.elsewhere", "N", elsewhere[m], "Mission", q.d.missionName(m)))
		}
		out = append(out, g)
	}
	return out, nil
}

func (q *request) member(m *casework.Case, group, here string, now time.Time) memberView {
	v := memberView{Code: m.Code, Class: casework.Effective(m, now), Leader: m.Leads == group, Here: m.Code == here}
	level := string(m.Safety)
	if level == "" {
		level = "none"
	}
	v.Safety = q.t("desk.safety." + level)
	for _, f := range q.flags(m) {
		if f.Text != v.Safety {
			v.Flags = append(v.Flags, f)
		}
	}
	if m.Closed() {
		v.Closed = q.t("closed." + m.ClosedAs)
	}
	return v
}
