package desk

import (
	"fmt"
	"slices"
	"strings"

	"pulang/bot"
)

// auditPage is the log of who did what. It holds no word, name or number of a citizen.
type auditPage struct {
	page
	Rows  []bot.Audit
	Area  string // mission code, "" for the staff area
	Areas []option
	N     int
	Who   string
	What  string
	Whats []string
}

const auditRows = 1000

func auditLog(q *request) error {
	query := q.r.URL.Query()
	p := auditPage{page: q.page("audit", q.t("desk.nav.audit")), Who: query.Get("who"), What: query.Get("what")}
	p.Area = query.Get("area")
	if p.Area == "" && q.mission != nil && !query.Has("area") {
		p.Area = q.mission.Code
	}
	p.Areas = append(p.Areas, option{Value: "", Label: q.t("desk.audit.staff"), On: p.Area == ""})
	known := p.Area == ""
	for _, m := range p.Missions() {
		on := m.Code == p.Area
		known = known || on
		p.Areas = append(p.Areas, option{Value: m.Code, Label: m.Name, On: on})
	}
	if !known {
		return bot.ErrNotFound
	}
	rows, err := q.d.Queue.AuditLog(q.r.Context(), p.Area, auditRows)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	if p.Area == "" {
		if rows, err = q.ownStaff(rows); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if !slices.Contains(p.Whats, r.What) {
			p.Whats = append(p.Whats, r.What)
		}
		if (p.What == "" || p.What == r.What) && (p.Who == "" || strings.EqualFold(p.Who, r.Who)) {
			p.Rows = append(p.Rows, r)
		}
	}
	slices.Sort(p.Whats)
	p.N = len(rows)
	a := q.audit("audit_read")
	a.Field = p.Area
	if err := q.d.Queue.Record(q.r.Context(), p.Area, a); err != nil {
		return err
	}
	return q.show("audit", p)
}

// ownStaff leaves of the staff area's rows those of accounts of the auditor's own missions. Whoever works for all sees
// all of them.
func (q *request) ownStaff(rows []bot.Audit) ([]bot.Audit, error) {
	if len(q.user.Missions) == 0 {
		return rows, nil
	}
	all, err := q.d.Staff.Accounts(q.r.Context())
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	own := map[string]bool{}
	for _, a := range all {
		own[a.Name] = q.manages(a)
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r bot.Audit) bool { return !own[r.Who] && !own[r.Field] }), nil
}
