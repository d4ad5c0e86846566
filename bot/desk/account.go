package desk

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"pulang/flows/casework"
)

// accountPage is one's own account.
type accountPage struct {
	page
	Since time.Time
	Ends  time.Time
	Bad   string
}

func accountForm(q *request) error { return q.accountWith(http.StatusOK, "") }

func (q *request) accountWith(status int, bad string) error {
	p := accountPage{page: q.page("", q.t("desk.account.title")), Since: q.session.At, Ends: q.session.At.Add(sessionLife), Bad: bad}
	if err := q.peek(&p.page); err != nil {
		return err
	}
	return q.showStatus(status, "account", p)
}

// setPassword changes one's own password and ends every other session of the account.
func setPassword(q *request) error {
	ctx := q.r.Context()
	wait, err := q.throttle(ctx, "password", q.user.Name)
	if err != nil {
		return err
	}
	if wait > 0 {
		return q.accountWith(http.StatusTooManyRequests, q.t("desk.signin.wait", "Wait", q.span(wait+time.Second)))
	}
	ok, err := q.d.check(ctx, q.r.PostFormValue("old"), *q.user, true)
	if err != nil {
		return err
	}
	pw := q.r.PostFormValue("password")
	key := badPassword(pw, q.user.Name)
	switch {
	case !ok:
		key = "desk.password.wrong"
	case key == "" && pw != q.r.PostFormValue("again"):
		key = "desk.password.differs"
	}
	if key != "" {
		return q.accountWith(http.StatusUnprocessableEntity, q.t(key, "N", minPassword))
	}
	a := *q.user
	if a.Hash, err = q.d.hash(ctx, pw); err != nil {
		return fmt.Errorf("password: %w", err)
	}
	a.SignedOutAt = q.d.Clock()
	if err := q.d.Staff.SaveAccount(ctx, a, q.audit("password_set")); err != nil {
		return fmt.Errorf("password: %w", err)
	}
	if err := q.d.Staff.EndSessions(ctx, a.Name); err != nil {
		return fmt.Errorf("password: %w", err)
	}
	return q.begin(a)
}

// langsPerMinute bounds how often an account is written by its owner: whoever does it all the time makes the admin who
// dismisses them find the account changed meanwhile, again and again.
const langsPerMinute = 10

// setLang changes the account's language, from whatever page the reader is on.
func setLang(q *request) error {
	lang := q.r.PostFormValue("lang")
	if !q.d.Catalogue.Has(lang) {
		return q.to(q.back())
	}
	if q.user.Lang != lang {
		wait, err := q.d.Staff.Throttle(q.r.Context(), "lang:"+q.user.Name, langsPerMinute, time.Minute)
		if err != nil {
			return fmt.Errorf("throttle: %w", err)
		}
		if wait > 0 {
			q.sorry(http.StatusTooManyRequests, "desk.signin.wait", "Wait", q.span(wait+time.Second))
			return nil
		}
		a := *q.user
		a.Lang = lang
		row := q.audit("language")
		row.Field = lang
		if err := q.d.Staff.SaveAccount(q.r.Context(), a, row); err != nil {
			return fmt.Errorf("language: %w", err)
		}
	}
	return q.to(q.back())
}

// setMission changes the mission in hand.
func setMission(q *request) error {
	code := q.r.PostFormValue("mission")
	if q.d.missions[code] != nil && mayMission(*q.user, code) {
		q.changeMission(code)
	}
	return q.to("/")
}

// changeMission puts another mission of the account in hand. What was revealed in the former one closes.
func (q *request) changeMission(code string) {
	q.session.Mission = code
	q.session.Skips, q.session.Grants = nil, nil
	q.d.saveSession(q.r.Context(), q.session)
}

// back is the page that a small form of the frame was sent from; referrers are switched off, so the form says it.
func (q *request) back() string {
	p := q.r.PostFormValue("back")
	if code, ok := strings.CutPrefix(p, "/case/"); ok {
		if code, ok = casework.ParseCode(code); ok {
			return "/case/" + url.PathEscape(code)
		}
	}
	if len(p) > 1 && p[0] == '/' && p[1] != '/' && p[1] != '\\' && slices.ContainsFunc(q.d.routes, func(rt route) bool { return rt.method == "GET" && rt.path == p }) {
		return p
	}
	return "/"
}
