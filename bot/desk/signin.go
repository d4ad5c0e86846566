package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"pulang/bot"
)

// Sign-in tries per minute, for an account and for an address. Throttle backs off by itself when they go on.
const signInTries = 5

// signInPage is the sign-in form.
type signInPage struct {
	page
	Name string
	Bad  string // what went wrong, in the reader's language
}

func signInForm(q *request) error {
	if q.user != nil {
		return q.to("/")
	}
	return q.show("signin", signInPage{page: q.page("", q.t("desk.signin.title"))})
}

// signIn answers an unknown account, a wrong password and a disabled account alike, in words and in time.
func signIn(q *request) error {
	ctx := q.r.Context()
	name := accountName(q.r.PostFormValue("name"))
	wait, err := q.throttle(ctx, "signin", name)
	if err != nil {
		return err
	}
	p := signInPage{page: q.page("", q.t("desk.signin.title")), Name: name}
	if wait > 0 {
		q.w.Header().Set("Retry-After", fmt.Sprint(int(wait.Seconds())+1))
		p.Bad = q.t("desk.signin.wait", "Wait", q.span(wait+time.Second))
		if err := q.signInAudit(name, "throttled"); err != nil {
			return err
		}
		return q.showStatus(http.StatusTooManyRequests, "signin", p)
	}
	a, err := q.d.Staff.Account(ctx, name)
	known := err == nil
	if err != nil && !errors.Is(err, bot.ErrNotFound) {
		return fmt.Errorf("sign-in: %w", err)
	}
	ok, err := q.d.check(ctx, q.r.PostFormValue("password"), a, known)
	if err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	if !ok {
		if err := q.signInAudit(name, "refused"); err != nil {
			return err
		}
		p.Bad = q.t("desk.signin.wrong")
		return q.showStatus(http.StatusUnauthorized, "signin", p)
	}
	return q.passed(a)
}

// throttle counts a try for the account and for the address, and returns the longer wait.
func (q *request) throttle(ctx context.Context, what, name string) (time.Duration, error) {
	var longest time.Duration
	for _, key := range []string{what + ":account:" + name, what + ":ip:" + q.d.clientIP(q.r)} {
		wait, err := q.d.Staff.Throttle(ctx, key, signInTries, time.Minute)
		if err != nil {
			return 0, fmt.Errorf("throttle: %w", err) // fails closed
		}
		longest = max(longest, wait)
	}
	return longest, nil
}

// begin signs the account in: a new token, so that one planted before is worth nothing.
func (q *request) begin(a bot.Account) error {
	ctx := q.r.Context()
	q.half, q.halfOf = nil, nil
	if err := q.d.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	now := q.d.Clock()
	s := &session{Name: a.Name, At: now, Seen: now}
	q.session, q.user = s, &a
	q.mission = q.d.missionOf(a, "")
	q.d.saveSession(ctx, s)
	row := q.audit("sign_in")
	row.Result = "ok"
	if err := q.d.Queue.Record(ctx, "", row); err != nil {
		_ = q.d.sessions.Destroy(ctx) // no session without its audit row
		return fmt.Errorf("audit: %w", err)
	}
	return q.to("/")
}

// signInAudit notes a failed try. A name that is no account may be a password typed into the wrong field, so only
// its hash is kept.
func (q *request) signInAudit(name, result string) error {
	sum := sha256.Sum256([]byte(name))
	a := q.audit("sign_in")
	a.Who, a.Result = "#"+hex.EncodeToString(sum[:4]), result
	if _, err := q.d.Staff.Account(q.r.Context(), name); err == nil {
		a.Who = name
	}
	if err := q.d.Queue.Record(q.r.Context(), "", a); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

func signOut(q *request) error {
	if err := q.record(q.audit("sign_out")); err != nil {
		return err
	}
	if err := q.d.sessions.Destroy(q.r.Context()); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	q.w.Header().Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	return q.to("/signin")
}

// welcomePage takes a one-time link: it sets the password and signs in.
type welcomePage struct {
	page
	Bad string
}

func welcomeForm(q *request) error {
	return q.show("welcome", welcomePage{page: q.page("", q.t("desk.welcome.title"))})
}

// welcome spends a one-time link. The password is judged before the link is spent, so that a refused one costs
// nothing.
func welcome(q *request) error {
	ctx := q.r.Context()
	p := welcomePage{page: q.page("", q.t("desk.welcome.title"))}
	token := strings.TrimSpace(q.r.PostFormValue("token"))
	if i := strings.LastIndexByte(token, '#'); i >= 0 {
		token = token[i+1:] // the whole link was pasted
	}
	wait, err := q.d.Staff.Throttle(ctx, "link:ip:"+q.d.clientIP(q.r), signInTries*2, time.Minute)
	if err != nil {
		return fmt.Errorf("throttle: %w", err)
	}
	if wait > 0 {
		p.Bad = q.t("desk.signin.wait", "Wait", q.span(wait+time.Second))
		return q.showStatus(http.StatusTooManyRequests, "welcome", p)
	}
	name, err := q.d.Staff.PeekLink(ctx, token)
	if errors.Is(err, bot.ErrNotFound) || (err == nil && token == "") {
		p.Bad = q.t("desk.welcome.spent")
		return q.showStatus(http.StatusForbidden, "welcome", p)
	}
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	pw := q.r.PostFormValue("password")
	if !q.d.Demo || pw != "" {
		key := badPassword(pw, name)
		if key == "" && pw != q.r.PostFormValue("again") {
			key = "desk.password.differs"
		}
		if key != "" {
			p.Bad = q.t(key, "N", minPassword)
			return q.showStatus(http.StatusUnprocessableEntity, "welcome", p)
		}
	}
	a, err := q.d.Staff.Account(ctx, name)
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	if a.Disabled {
		p.Bad = q.t("desk.welcome.spent")
		return q.showStatus(http.StatusForbidden, "welcome", p)
	}
	if pw != "" {
		if a.Hash, err = q.d.hash(ctx, pw); err != nil {
			return fmt.Errorf("password: %w", err)
		}
	}
	if _, err := q.d.Staff.UseLink(ctx, token); err != nil {
		if errors.Is(err, bot.ErrNotFound) {
			p.Bad = q.t("desk.welcome.spent")
			return q.showStatus(http.StatusForbidden, "welcome", p)
		}
		return fmt.Errorf("link: %w", err)
	}
	if pw != "" {
		a.SignedOutAt = q.d.Clock()
		row := q.audit("password_set")
		row.Who, row.Role = a.Name, string(a.Role)
		if err := q.d.Staff.SaveAccount(ctx, a, row); err != nil {
			return fmt.Errorf("password: %w", err)
		}
		if err := q.d.Staff.EndSessions(ctx, a.Name); err != nil {
			return fmt.Errorf("password: %w", err)
		}
	}
	return q.passed(a)
}

// accountName is the form in which account names are typed, counted and compared.
func accountName(s string) string {
	s = strings.ToLower(cleanLine(s).Text)
	if r := []rune(s); len(r) > 64 {
		s = string(r[:64])
	}
	return s
}
