package desk

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

const (
	// readLimit is how many open cases the queue page looks at: filters and groups need them all.
	readLimit = 10000
	// showLimit is how many rows are drawn; the rest is counted.
	showLimit = 200
	// peekLimit is enough to see whether an unread P1 waits.
	peekLimit = 8
)

// counts is the top bar.
type counts struct {
	Classes              []classCount
	OldestP1             time.Time
	Late                 int
	LateKnown            bool
	Later, Claimed       int
	Dead, Held, Aside    int
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
		Dead: page.Dead, Held: page.Held, Aside: page.Aside,
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
func unread(c *casework.Case) bool { return c.LastRead.IsZero() || c.LastIn.After(c.LastRead) }

func unreadP1(c *casework.Case, now time.Time) bool {
	return unread(c) && casework.Effective(c, now) == casework.P1
}

// peek fills the top bar of a page that does not list the queue.
func (q *request) peek(p *page) error {
	if q.mission == nil || !q.may(casework.ActQueue) {
		return nil
	}
	qp, err := q.d.Queue.Queue(q.r.Context(), q.mission.Code, q.d.Clock(), peekLimit)
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	p.Counts = q.countsOf(qp, 0, false)
	for i := range p.Nav {
		switch p.Nav[i].ID {
		case "scheduled":
			p.Nav[i].N = qp.Later
		case "letters":
			p.Nav[i].N = qp.Dead + qp.Held
		case "asides":
			p.Nav[i].N = qp.Aside
		}
	}
	return nil
}

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
	if q.mission == nil {
		q.sorry(http.StatusForbidden, "desk.error.no_mission")
		return nil
	}
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
	for i := range p.Nav {
		switch p.Nav[i].ID {
		case "scheduled":
			p.Nav[i].N = qp.Later
		case "letters":
			p.Nav[i].N = qp.Dead + qp.Held
		case "asides":
			p.Nav[i].N = qp.Aside
		}
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

// filter is one visible filter with its values and how many waiting cases each has.
type filter struct {
	Name, Label string
	Options     []option
	Select      bool // drawn as a list, where there are many values
}

type option struct {
	Value, Label string
	N            int
	On           bool
}

// The filters, in the order of the page. They stand in the query: words of a closed list, and a province only as
// the beginning of its hash, since places stay out of addresses.
func (q *request) filters(items []bot.QueueItem, now time.Time) ([]filter, func(bot.QueueItem) bool, bool) {
	defs := []struct {
		name  string
		value func(bot.QueueItem) (value, label string)
		list  bool
	}{
		{"class", func(it bot.QueueItem) (string, string) {
			c := string(casework.Effective(it.Case, now))
			return c, c + " – " + q.t("class."+c)
		}, false},
		{"call", func(it bot.QueueItem) (string, string) {
			v := q.callable(it.Case, now)
			return v, q.t("desk.filter.call." + v)
		}, false},
		{"safety", func(it bot.QueueItem) (string, string) {
			v := cmp.Or(string(it.Case.Safety), "none")
			return v, q.t("desk.safety." + v)
		}, false},
		{"passport", func(it bot.QueueItem) (string, string) {
			v := cmp.Or(string(it.Case.Answers[flows.StepPassportStatus].Value()), "none")
			return v, q.valueText(flows.StepPassportStatus, flows.Value(v))
		}, true},
		{"channel", func(it bot.QueueItem) (string, string) { return it.Case.Origin, q.channelName(it.Case.Origin) }, false},
		{"place", func(it bot.QueueItem) (string, string) {
			province := q.province(it.Case)
			if province == "" {
				return "none", q.t("desk.filter.place.none")
			}
			sum := sha256.Sum256([]byte(province))
			return hex.EncodeToString(sum[:4]), province
		}, true},
		{"officer", func(it bot.QueueItem) (string, string) {
			if it.Case.Answers[flows.StepUrgentNeeds].Has("female_officer") {
				return "female", q.t("desk.filter.officer.female")
			}
			return "any", ""
		}, false},
		{"sim", func(it bot.QueueItem) (string, string) {
			if it.Case.Simulated {
				return "yes", q.t("desk.filter.sim.yes")
			}
			return "no", q.t("desk.filter.sim.no")
		}, false},
	}
	query := q.r.URL.Query()
	wanted := map[string][]string{}
	active := false
	var out []filter
	for _, def := range defs {
		f := filter{Name: def.name, Label: q.t("desk.filter." + def.name), Select: def.list}
		at := map[string]int{}
		for _, it := range items {
			v, label := def.value(it)
			i, ok := at[v]
			if !ok {
				i = len(f.Options)
				at[v] = i
				f.Options = append(f.Options, option{Value: v, Label: label, On: slices.Contains(query[def.name], v)})
			}
			f.Options[i].N++
		}
		for _, v := range query[def.name] {
			if v != "" {
				wanted[def.name] = append(wanted[def.name], v)
				active = true
			}
		}
		slices.SortFunc(f.Options, func(a, b option) int { return strings.Compare(order(def.name, a), order(def.name, b)) })
		f.Options = slices.DeleteFunc(f.Options, func(o option) bool { return o.Label == "" })
		if def.name == "sim" && len(f.Options) < 2 && !active {
			continue // nothing to choose where all cases are of one kind
		}
		if len(f.Options) > 0 {
			out = append(out, f)
		}
	}
	return out, func(it bot.QueueItem) bool {
		for _, def := range defs {
			if w := wanted[def.name]; len(w) > 0 {
				if v, _ := def.value(it); !slices.Contains(w, v) {
					return false
				}
			}
		}
		return true
	}, active
}

// order sorts the values of a filter: closed lists as their menu, the rest by label.
func order(name string, o option) string {
	rank := func(values ...string) string {
		i := slices.Index(values, o.Value)
		if i < 0 {
			i = len(values)
		}
		return fmt.Sprintf("%02d%s", i, o.Label)
	}
	switch name {
	case "class", "channel", "sim":
		return o.Value
	case "call":
		return rank("now", "wait", "no")
	case "safety":
		return rank("danger", "watched", "none", "safe")
	case "passport":
		var values []string
		for _, v := range flows.Menus[flows.StepPassportStatus] {
			values = append(values, string(v))
		}
		return rank(values...)
	}
	if o.Value == "none" {
		return "~"
	}
	return o.Label
}

// next claims the most urgent case there is for this officer and opens it.
func next(q *request) error {
	if q.mission == nil {
		q.sorry(http.StatusForbidden, "desk.error.no_mission")
		return nil
	}
	if pending, err := q.pending(); err != nil {
		return err
	} else if pending != "" {
		q.warn("desk.flash.outcome_first", "Code", pending)
		return q.to("/case/" + url.PathEscape(pending) + "#call")
	}
	now := q.d.Clock()
	code, err := q.d.Queue.Next(q.r.Context(), q.mission.Code, q.officer(), now, q.session.skipped(now), q.formKey(), q.audit("claim"))
	if errors.Is(err, bot.ErrNotFound) {
		q.say("desk.flash.queue_empty")
		return q.to("/queue")
	}
	if err != nil {
		return fmt.Errorf("next: %w", err)
	}
	return q.to("/case/" + url.PathEscape(code))
}

// pending is the code of a case that this officer holds with an attempt that has no outcome yet; "" for none.
func (q *request) pending() (string, error) {
	if q.mission == nil || !q.may(casework.ActClaim) {
		return "", nil
	}
	held, err := q.d.Queue.Mine(q.r.Context(), q.mission.Code, q.user.Name)
	if err != nil {
		return "", fmt.Errorf("my cases: %w", err)
	}
	for _, it := range held {
		if a, ok := casework.OpenAttempt(it.Case); ok && a.By == q.user.Name {
			return it.Case.Code, nil
		}
	}
	return "", nil
}

// lateness is the group of the page in which a case stands.
func (q *request) lateness(c *casework.Case, now time.Time) casework.Late {
	return casework.Lateness(c, now, q.mission.rules)
}
