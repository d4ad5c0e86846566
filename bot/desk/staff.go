package desk

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// staffPage is where an admin keeps the accounts. A link is shown once, in the answer that made it.
type staffPage struct {
	page
	Accounts []accountView
	Roles    []option
	Link     string
	LinkFor  string
	Until    time.Time
	Bad      string
	Was      map[string]string
}

type accountView struct {
	bot.Account
	Works    []option // the admin's missions, with those of the account
	RoleText string
	Ready    bool // a password is set
	Me       bool
	Factor   bool       // a second factor is set up
	Reset    *resetView // somebody asks to reset it
}

// linkLife is how long a one-time link may be used.
const linkLife = 24 * time.Hour

// validName keeps account names to what can be said on the phone and stands in an address.
var validName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._-]{1,39}$`)

func staff(q *request) error { return q.staffWith(http.StatusOK, staffPage{}) }

func (q *request) staffWith(status int, p staffPage) error {
	p.page = q.page("staff", q.t("desk.nav.staff"))
	if err := q.countAsking(&p.page); err != nil {
		return err
	}
	all, err := q.d.Staff.Accounts(q.r.Context())
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	slices.SortFunc(all, func(a, b bot.Account) int { return cmp.Compare(a.Name, b.Name) })
	for _, a := range all {
		if !q.manages(a) {
			continue
		}
		f, err := q.d.Staff.Factor(q.r.Context(), a.Name)
		if err != nil {
			return fmt.Errorf("accounts: %w", err)
		}
		p.Accounts = append(p.Accounts, accountView{Account: a, Works: q.worksFor(a), RoleText: q.t("desk.role." + string(a.Role)),
			Ready: a.Hash != "", Me: a.Name == q.user.Name, Factor: f.Secret != "", Reset: q.resetView(f)})
	}
	for _, r := range casework.Roles {
		p.Roles = append(p.Roles, option{Value: string(r), Label: q.t("desk.role." + string(r))})
	}
	return q.showStatus(status, "staff", p)
}

// addStaff creates an account and shows its one-time link.
func addStaff(q *request) error {
	ctx, now := q.r.Context(), q.d.Clock()
	name := accountName(q.r.PostFormValue("name"))
	role := casework.Role(q.r.PostFormValue("role"))
	back := staffPage{Was: map[string]string{"name": name, "role": string(role)}}
	switch {
	case !validName.MatchString(name):
		back.Bad = q.t("desk.staff.bad_name")
	case !casework.ValidRole(role):
		back.Bad = q.t("desk.staff.bad_role")
	}
	if back.Bad != "" {
		return q.staffWith(http.StatusUnprocessableEntity, back)
	}
	_, err := q.d.Staff.Account(ctx, name)
	if err == nil {
		back.Bad = q.t("desk.staff.exists")
		return q.staffWith(http.StatusConflict, back)
	}
	if !errors.Is(err, bot.ErrNotFound) {
		return fmt.Errorf("account: %w", err)
	}
	a := bot.Account{Name: name, Role: role, Female: q.r.PostFormValue("female") != "", Lang: "id", Created: now, Code: officerCode()}
	var ok bool
	if a.Missions, ok = q.chosenMissions(); !ok {
		back.Bad = q.t("desk.bad.staff_missions")
		return q.staffWith(http.StatusForbidden, back)
	}
	row := q.audit("staff_add")
	row.Field, row.Result = name, string(role)
	if err := q.d.Staff.SaveAccount(ctx, a, row); err != nil {
		return fmt.Errorf("add account: %w", err)
	}
	return q.showLink(a)
}

// manages reports whether an admin keeps that account: one who works for some missions keeps those who work for these
// and no others. An account that names none works for all.
func (q *request) manages(a bot.Account) bool {
	if len(q.user.Missions) == 0 || a.Name == q.user.Name {
		return true
	}
	return len(a.Missions) > 0 && !slices.ContainsFunc(a.Missions, func(m string) bool { return !mayMission(*q.user, m) })
}

// chosenMissions are the missions of the form; the admin's own where none is ticked. false when one is not the admin's
// to give.
func (q *request) chosenMissions() ([]string, bool) {
	var out []string
	for _, m := range q.r.PostForm["mission"] {
		if q.d.missions[m] == nil || !mayMission(*q.user, m) {
			return nil, false
		}
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		out = slices.Clone(q.user.Missions)
	}
	return out, true
}

// worksFor are the missions that this admin may give, with those of the account ticked; nil where there is one only.
func (q *request) worksFor(a bot.Account) []option {
	var out []option
	for _, m := range q.d.Missions {
		if mayMission(*q.user, m.Code) {
			out = append(out, option{Value: m.Code, Label: m.Name, On: len(a.Missions) > 0 && mayMission(a, m.Code)})
		}
	}
	if len(q.d.Missions) < 2 {
		return nil
	}
	return out
}

// officerCode is what an officer tells a citizen, who may check it with CEK.
func officerCode() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = casework.Alphabet[b[i]&31]
	}
	return string(b)
}

// showLink makes a one-time link and shows it; it is nowhere else.
func (q *request) showLink(a bot.Account) error {
	token, until := NewToken(), q.d.Clock().Add(linkLife)
	if err := q.d.Staff.NewLink(q.r.Context(), a.Name, token, until); err != nil {
		return fmt.Errorf("one-time link: %w", err)
	}
	return q.staffWith(http.StatusOK, staffPage{Link: Link(cmp.Or(q.d.URL, "http://"+q.r.Host), token), LinkFor: a.Name, Until: until})
}

// other reads the account of the address. An admin does not change the own account here, so that the last one
// cannot lock the door from outside.
func (q *request) other() (bot.Account, error) {
	a, err := q.d.Staff.Account(q.r.Context(), accountName(q.r.PathValue("name")))
	if err != nil {
		return a, err
	}
	switch {
	case !q.manages(a):
		return a, bot.ErrNotFound
	case a.Name == q.user.Name:
		return a, bot.ErrRefused
	}
	return a, nil
}

func setRole(q *request) error {
	a, err := q.other()
	if err != nil {
		return err
	}
	role := casework.Role(q.r.PostFormValue("role"))
	if !casework.ValidRole(role) {
		return q.staffWith(http.StatusUnprocessableEntity, staffPage{Bad: q.t("desk.staff.bad_role")})
	}
	row := q.audit("staff_role")
	row.Field, row.Result = a.Name, string(a.Role)+">"+string(role)
	if q.r.PostFormValue("missions") != "" {
		var ok bool
		if a.Missions, ok = q.chosenMissions(); !ok {
			return q.staffWith(http.StatusForbidden, staffPage{Bad: q.t("desk.bad.staff_missions")})
		}
		row.Result += " " + strings.Join(a.Missions, ",")
	}
	a.Role, a.Female, a.SignedOutAt = role, q.r.PostFormValue("female") != "", q.d.Clock()
	if err := q.saveAndEnd(a, row); err != nil {
		return err
	}
	q.say("desk.flash.role", "Name", a.Name)
	return q.to("/staff")
}

// newStaffLink makes a link for a new password. The old password ends at once.
func newStaffLink(q *request) error {
	a, err := q.other()
	if err != nil {
		return err
	}
	row := q.audit("staff_link")
	row.Field = a.Name
	a.Hash, a.SignedOutAt = "", q.d.Clock()
	if err := q.saveAndEnd(a, row); err != nil {
		return err
	}
	return q.showLink(a)
}

func setEnabled(q *request) error {
	a, err := q.other()
	if err != nil {
		return err
	}
	on := q.r.PostFormValue("on") != ""
	row := q.audit("staff_disable")
	if on {
		row.What = "staff_enable"
	}
	row.Field = a.Name
	a.Disabled, a.SignedOutAt = !on, q.d.Clock()
	if err := q.saveAndEnd(a, row); err != nil {
		return err
	}
	q.say("desk.flash.account", "Name", a.Name)
	return q.to("/staff")
}

func endStaffSessions(q *request) error {
	a, err := q.other()
	if err != nil {
		return err
	}
	row := q.audit("staff_signout")
	row.Field = a.Name
	a.SignedOutAt = q.d.Clock()
	if err := q.saveAndEnd(a, row); err != nil {
		return err
	}
	q.say("desk.flash.account", "Name", a.Name)
	return q.to("/staff")
}

func (q *request) saveAndEnd(a bot.Account, row bot.Audit) error {
	if err := q.d.Staff.SaveAccount(q.r.Context(), a, row); err != nil {
		return fmt.Errorf("account: %w", err)
	}
	if err := q.d.Staff.EndSessions(q.r.Context(), a.Name); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// LangTag is the short name of a language for its button.
func (p page) LangTag(lang string) string { return strings.ToUpper(lang) }
