package desk

import (
	"fmt"
	"slices"
	"strings"

	"pulang/bot"
	"pulang/flows/casework"
)

// auditPage is the log of who did what. It holds no word, name or number of a citizen.
type auditPage struct {
	page
	Rows  []bot.Audit
	Area  string // mission code, "" for the staff area
	Areas []option
	N     int
	Who   string
	Code  string
	What  string
	Whats []string
}

const (
	// auditRows is how many rows a page shows; auditDeep how many of the newest are looked through for what was asked for:
	// about what ten officers leave in a busy day.
	auditRows = 1000
	auditDeep = 20_000
)

// Role is the role of a row in words.
func (p auditPage) Role(r bot.Audit) string {
	if s := p.Known("desk.role." + r.Role); r.Role != "" && s != "" {
		return s
	}
	return p.Clean(r.Role)
}

// Detail is what a row is about, in words where it is an id of ours.
func (p auditPage) Detail(r bot.Audit) string {
	if s := p.Known(detailOf[r.What] + r.Field); detailOf[r.What] != "" && s != "" {
		return s
	}
	return p.Clean(r.Field)
}

// detailOf are the texts for what an act is about.
var detailOf = map[string]string{
	"list": "desk.nav.", "outcome": "outcome.", "call": "desk.via.", "close": "closed.", "stage": "stage.", "safety": "desk.safety.",
	"reveal": "desk.field.", "reply": "desk.channel.", "new_case": "desk.channel.", "answer": "desk.step.", "signal_done": "signal.",
}

// Purpose is why it was done.
func (p auditPage) Purpose(r bot.Audit) string {
	if s := p.Known("desk.purpose." + r.Purpose); r.What == "reveal" && s != "" {
		return s
	}
	return p.Clean(r.Purpose)
}

func auditLog(q *request) error {
	query := q.r.URL.Query()
	p := auditPage{page: q.page("audit", q.t("desk.nav.audit")), Who: query.Get("who"), What: query.Get("what"), Code: strings.TrimSpace(query.Get("code"))}
	if code, ok := casework.ParseCode(p.Code); ok {
		p.Code = code
	}
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
	n := auditRows
	if p.Who != "" || p.What != "" || p.Code != "" {
		n = auditDeep
	}
	rows, err := q.d.Queue.AuditLog(q.r.Context(), p.Area, n)
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
		if (p.What == "" || p.What == r.What) && (p.Who == "" || strings.EqualFold(p.Who, r.Who)) &&
			(p.Code == "" || strings.EqualFold(p.Code, r.Code)) && len(p.Rows) < auditRows {
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
