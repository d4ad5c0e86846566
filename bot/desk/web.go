package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"pulang/bot"
	"pulang/bot/headers"
	"pulang/flows/casework"
)

// request is what every page knows of who asks.
type request struct {
	d       *Desk
	w       http.ResponseWriter
	r       *http.Request
	nonce   string
	lang    string
	user    *bot.Account // nil: nobody is signed in
	session *session
	mission *mission // of the signed-in account
	// half is the session, and halfOf the account, of somebody who gave the first factor and not yet the second: nobody
	// is signed in.
	half   *session
	halfOf *bot.Account
	// route is the matched pattern, the only part of an address that is ever logged.
	route route
}

// maxBody bounds what a form may send: 4,096 characters of reply and the rest.
const maxBody = 128 << 10

// headers go on every answer, the static files' included.
func (d *Desk) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := rand.Text()
		h := w.Header()
		headers.SetPage(h, "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self'; "+
			"img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "+
			"require-trusted-types-for 'script'; trusted-types 'none'",
			"camera=(), microphone=(), geolocation=(), interest-cohort=()")
		if d.secure {
			h.Set("Strict-Transport-Security", "max-age=63072000")
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), nonceKey{}, nonce)))
	})
}

type nonceKey struct{}

// serve wraps the handler of one route: the body is bounded, a panic becomes an error page, and nobody passes
// whose role does not allow the route's act.
func (d *Desk) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce, _ := r.Context().Value(nonceKey{}).(string)
		q := &request{d: d, w: w, r: r, nonce: nonce, route: rt, lang: d.firstLang(r)}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				q.broken(fmt.Errorf("panic: %v\n%s", redactPanic(p), debug.Stack()))
			}
		}()
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if d.Ready != nil && rt.act != open {
			if err := d.Ready(r.Context()); err != nil {
				d.down(w, r, err)
				return
			}
		}
		if err := q.identify(); err != nil {
			q.fail(err)
			return
		}
		if rt.act != open && q.user == nil {
			q.toSignIn()
			return
		}
		if rt.act != open && !rt.allows(q.user.Role) {
			q.denied()
			return
		}
		if rt.ofMission() && q.mission == nil {
			q.noMission()
			return
		}
		if r.Method == http.MethodPost {
			if err := r.ParseForm(); err != nil {
				q.sorry(http.StatusBadRequest, "desk.error.form")
				return
			}
		}
		if err := rt.handle(q); err != nil {
			q.fail(err)
		}
		if r.Method == http.MethodPost && q.mission != nil {
			d.snapshots.changed(q.mission.Code)
			d.seconds.changed()
		}
	})
}

// noMission answers an account that works for no mission of this installation. What an address names is not there for it.
func (q *request) noMission() {
	if strings.Contains(q.route.path, "{") {
		q.fail(bot.ErrNotFound)
		return
	}
	q.sorry(http.StatusForbidden, "desk.error.no_mission")
}

// redactPanic keeps values out of the log: only runtime errors and our own say what happened.
func redactPanic(p any) string {
	if err, ok := p.(error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", p)
}

// identify finds the account behind the session. The account is read each time, so that a disabled account or a
// new role takes effect with the next click.
func (q *request) identify() error {
	ctx := q.r.Context()
	s := q.d.loadSession(ctx)
	if s == nil {
		return nil
	}
	a, err := q.d.Staff.Account(ctx, s.Name)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("account: %w", err)
	case a.Disabled, s.At.Before(a.SignedOutAt):
		return nil
	}
	if q.d.Catalogue.Has(a.Lang) {
		q.lang = a.Lang
	}
	if s.Half != "" {
		if l := q.r.URL.Query().Get("lang"); q.d.Catalogue.Has(l) {
			q.lang = l
		}
		q.half, q.halfOf = s, &a
		return nil
	}
	q.user, q.session = &a, s
	q.mission = q.d.missionOf(a, s.Mission)
	now := q.d.Clock()
	if !q.background() && now.Sub(s.Seen) > seenGrain {
		s.Seen = now
		q.d.saveSession(ctx, s)
	}
	return nil
}

// background reports whether the page itself asks, not a person. The wall board has nobody in front of it.
func (q *request) background() bool {
	return q.r.Header.Get("X-Background") != "" && q.route.path != "/board"
}

// missionOf is the mission the account works for now; nil when none of its missions is on this installation.
func (d *Desk) missionOf(a bot.Account, want string) *mission {
	var first *mission
	for _, m := range d.Missions {
		if !mayMission(a, m.Code) {
			continue
		}
		if m.Code == want {
			return d.missions[m.Code]
		}
		if first == nil {
			first = d.missions[m.Code]
		}
	}
	return first
}

// mayMission reports whether the account works for the mission. An account that names none works for all.
func mayMission(a bot.Account, code string) bool {
	if len(a.Missions) == 0 {
		return true
	}
	for _, c := range a.Missions {
		if c == code {
			return true
		}
	}
	return false
}

// firstLang is the language of somebody who is not signed in: what the link asks for, then the browser.
func (d *Desk) firstLang(r *http.Request) string {
	if l := r.URL.Query().Get("lang"); d.Catalogue.Has(l) {
		return l
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		l, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		l, _, _ = strings.Cut(l, "-")
		if d.Catalogue.Has(strings.ToLower(l)) {
			return strings.ToLower(l)
		}
	}
	return "id"
}

// audit is an audit row of the signed-in account.
func (q *request) audit(what string) bot.Audit {
	a := bot.Audit{At: q.d.Clock(), What: what, Session: q.d.sessionHash(q.r.Context())}
	if q.user != nil {
		a.Who, a.Role = q.user.Name, string(q.user.Role)
	}
	return a
}

// record appends an audit row that goes with no other change.
func (q *request) record(a bot.Audit) error {
	return q.d.Queue.Record(q.r.Context(), q.missionCode(), a)
}

// missionCode is the code of the mission in hand, empty for the staff area.
func (q *request) missionCode() string {
	if q.mission == nil {
		return ""
	}
	return q.mission.Code
}

// to redirects after a form.
func (q *request) to(path string) error {
	http.Redirect(q.w, q.r, path, http.StatusSeeOther)
	return nil
}

// say leaves a sentence for the next page.
func (q *request) say(key string, args ...any) { q.flash(false, key, args) }

// warn leaves a sentence that something was not done.
func (q *request) warn(key string, args ...any) { q.flash(true, key, args) }

func (q *request) flash(bad bool, key string, args []any) {
	if q.session == nil {
		return
	}
	q.session.Flash = &flash{Key: key, Args: pairs(args), Bad: bad}
	q.d.saveSession(q.r.Context(), q.session)
}

func (q *request) toSignIn() {
	if q.r.Method != http.MethodGet || q.background() {
		q.sorry(http.StatusUnauthorized, "desk.error.signed_out")
		return
	}
	http.Redirect(q.w, q.r, "/signin", http.StatusSeeOther)
}

// denied answers a role that may not, and says so in the audit log.
func (q *request) denied() {
	a := q.audit("denied")
	a.Field, a.Result = q.route.pattern(), "denied"
	if err := q.record(a); err != nil {
		q.fail(err)
		return
	}
	q.sorry(http.StatusForbidden, "desk.error.denied")
}

// may reports whether the signed-in account may do something beside the route's own act.
func (q *request) may(act casework.Act) bool {
	return q.user != nil && casework.May(q.user.Role, act)
}
