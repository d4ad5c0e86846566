package desk

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"pulang/bot"
)

// What a session still waits for after the first factor, and for how long.
const (
	halfCode  = "code"   // a code of the second factor
	halfSetUp = "set up" // a second factor, which the account does not have yet
	halfLife  = 10 * time.Minute
)

// Tries of codes: Signal's bucket, and a bound for the day, because a stolen password and patience would find a code of
// six digits in the end.
const (
	codeBurst  = 5
	codeRefill = 6 * time.Second
	CodesADay  = 100 // tries of one account in 24 hours
	codeStep   = 30 * time.Second
)

// codePage asks for a code.
type codePage struct {
	page
	Name string
	Bad  string
}

// factorPage sets a second factor up.
type factorPage struct {
	codePage
	Secret string // in groups of four, to be typed
	QR     *qrView
	URL    template.URL // opens the app on a phone that is also the desk's screen
}

// passed goes on after the first factor: to the code, to setting a second factor up, or in.
func (q *request) passed(a bot.Account) error {
	ctx := q.r.Context()
	f, err := q.d.Staff.Factor(ctx, a.Name)
	if err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	if f.Secret == "" && q.d.OneFactor {
		return q.begin(a)
	}
	if err := q.d.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	now := q.d.Clock()
	s := &session{Name: a.Name, At: now, Seen: now, Half: halfCode}
	if f.Secret == "" {
		k, err := totp.Generate(totp.GenerateOpts{Issuer: "-", AccountName: "-"})
		if err != nil {
			return fmt.Errorf("draw second factor: %w", err)
		}
		s.Half, s.Key = halfSetUp, k.Secret()
	}
	q.d.saveSession(ctx, s)
	q.half, q.halfOf = s, &a
	if err := q.d.Queue.Record(ctx, "", q.halfAudit("sign_in", "password")); err != nil {
		_ = q.d.sessions.Destroy(ctx) // no session without its audit row
		return fmt.Errorf("audit: %w", err)
	}
	if s.Half == halfSetUp {
		return q.to("/signin/factor")
	}
	return q.to("/signin/code")
}

// halfAudit is an audit row of somebody who is on the way in.
func (q *request) halfAudit(what, result string) bot.Audit {
	a := q.audit(what)
	a.Who, a.Role, a.Result = q.halfOf.Name, string(q.halfOf.Role), result
	return a
}

// halfway reports whether the first factor was given and this is what is missing. Everybody else begins anew.
func (q *request) halfway(what string) bool { return q.half != nil && q.half.Half == what }

func codeForm(q *request) error {
	if !q.halfway(halfCode) {
		return q.to("/signin")
	}
	return q.codeWith(http.StatusOK, "")
}

func (q *request) codeWith(status int, bad string) error {
	return q.showStatus(status, "code", codePage{page: q.page("", q.t("desk.code.title")), Name: q.halfOf.Name, Bad: bad})
}

// signInCode takes the code of the second factor. A code opens one session, whichever process is asked.
func signInCode(q *request) error {
	if !q.halfway(halfCode) {
		return q.to("/signin")
	}
	ctx, a := q.r.Context(), *q.halfOf
	if done, err := q.codeThrottled(q.codeWith); done {
		return err
	}
	f, err := q.d.Staff.Factor(ctx, a.Name)
	if err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	step, ok := matchCode(f.Secret, q.r.PostFormValue("code"), q.d.Clock())
	if !ok {
		if err := q.d.Queue.Record(ctx, "", q.halfAudit("factor_code", "refused")); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		return q.codeWith(http.StatusUnauthorized, q.t("desk.code.wrong"))
	}
	err = q.d.Staff.UseFactor(ctx, a.Name, f, step, q.halfAudit("factor_code", "ok"))
	if errors.Is(err, bot.ErrConflict) {
		if err := q.d.Queue.Record(ctx, "", q.halfAudit("factor_code", "used before")); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		return q.codeWith(http.StatusUnauthorized, q.t("desk.code.used"))
	}
	if err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	return q.begin(a)
}

// codeThrottled counts a try and answers when it is one too many.
func (q *request) codeThrottled(answer func(status int, bad string) error) (bool, error) {
	ctx, name := q.r.Context(), q.halfOf.Name
	wait, err := q.d.Staff.Bucket(ctx, "code:"+name, codeBurst, codeRefill)
	if err == nil && wait == 0 {
		wait, err = q.d.Staff.Throttle(ctx, CodesKey(name), CodesADay, 24*time.Hour)
	}
	if err != nil {
		return true, fmt.Errorf("throttle: %w", err) // fails closed
	}
	if wait == 0 {
		return false, nil
	}
	if err := q.d.Queue.Record(ctx, "", q.halfAudit("factor_code", "throttled")); err != nil {
		return true, fmt.Errorf("audit: %w", err)
	}
	q.w.Header().Set("Retry-After", fmt.Sprint(int(wait.Seconds())+1))
	return true, answer(http.StatusTooManyRequests, q.t("desk.signin.wait", "Wait", q.span(wait+time.Second)))
}

func factorForm(q *request) error {
	if !q.halfway(halfSetUp) {
		return q.to("/signin")
	}
	return q.factorWith(http.StatusOK, "")
}

func (q *request) factorWith(status int, bad string) error {
	address := factorURL(q.t("desk.brand"), q.halfOf.Name, q.half.Key)
	p := factorPage{codePage: codePage{page: q.page("", q.t("desk.factor.title")), Name: q.halfOf.Name, Bad: bad}}
	p.Secret = strings.Join(chunks(q.half.Key, 4), " ")
	p.URL = template.URL(address) //nolint:gosec // made of our own parts, each escaped
	var err error
	if p.QR, err = drawQR(address); err != nil {
		return err
	}
	return q.showStatus(status, "factor", p)
}

// setFactor makes the shown key the account's second factor, once a code proves that the app has it. That code is used
// by it.
func setFactor(q *request) error {
	if !q.halfway(halfSetUp) {
		return q.to("/signin")
	}
	ctx, a, now := q.r.Context(), *q.halfOf, q.d.Clock()
	if done, err := q.codeThrottled(q.factorWith); done {
		return err
	}
	step, ok := matchCode(q.half.Key, q.r.PostFormValue("code"), now)
	if !ok {
		if err := q.d.Queue.Record(ctx, "", q.halfAudit("factor_set", "refused")); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		return q.factorWith(http.StatusUnauthorized, q.t("desk.factor.wrong"))
	}
	err := q.d.Staff.SetFactor(ctx, a.Name, q.half.Key, now, step, q.halfAudit("factor_set", "ok"))
	if errors.Is(err, bot.ErrConflict) {
		// Somebody who knows the password was quicker: this browser has to give that one's code.
		return q.passed(a)
	}
	if err != nil {
		return fmt.Errorf("second factor: %w", err)
	}
	return q.begin(a)
}

// factorURL is what the QR code says to the app (the Key URI Format of Google Authenticator).
func factorURL(issuer, name, secret string) string {
	esc := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	return "otpauth://totp/" + esc(issuer) + ":" + esc(name) + "?secret=" + secret + "&issuer=" + esc(issuer)
}

// CodesKey is under what the tries of an account's codes are counted.
func CodesKey(name string) string { return "codes:" + name }

// CodeStep is matchCode for the command line: the step of 30 seconds whose code this is, to be used up with UseFactor.
func CodeStep(secret, code string, now time.Time) (step int64, ok bool) {
	return matchCode(secret, code, now)
}

// matchCode finds the step of 30 seconds whose code this is: the present one, or one beside it for a phone whose clock is
// off. Every step is compared, in the same time.
func matchCode(secret, code string, now time.Time) (step int64, ok bool) {
	code = bot.NumberDigits(code)
	if secret == "" || len(code) != 6 {
		return 0, false
	}
	for _, d := range []time.Duration{-codeStep, 0, codeStep} {
		at := now.Add(d)
		want, err := totp.GenerateCodeCustom(secret, at, totp.ValidateOpts{Period: uint(codeStep.Seconds()), Digits: otp.DigitsSix})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = at.Unix()/int64(codeStep.Seconds()), true
		}
	}
	return step, ok
}

func chunks(s string, n int) []string {
	var out []string
	for ; len(s) > n; s = s[n:] {
		out = append(out, s[:n])
	}
	return append(out, s)
}

// resetView is a reset of a second factor that waits for a second admin.
type resetView struct {
	By    string
	Until time.Time
	Mine  bool // this admin asked for it and cannot confirm it
}

func (q *request) resetView(f bot.Factor) *resetView {
	if f.Reset == nil {
		return nil
	}
	v := &resetView{By: cleanLine(f.Reset.By).Text, Until: f.Reset.Until, Mine: f.Reset.By == q.user.Name}
	if f.Reset.By == "" {
		v.By = q.t("desk.staff.command_line")
	}
	return v
}

// askFactorReset asks to take another account's second factor away: somebody lost the phone.
func askFactorReset(q *request) error {
	a, err := q.other()
	if err != nil {
		return err
	}
	now := q.d.Clock()
	row := q.audit("factor_reset_asked")
	row.Field = a.Name
	err = q.d.Staff.AskFactorReset(q.r.Context(), a.Name, bot.FactorReset{By: q.user.Name, At: now, Until: now.Add(bot.FactorResetLife)}, row)
	return q.resetDone(err, "desk.flash.factor_asked", a.Name)
}

func withdrawFactorReset(q *request) error {
	a, err := q.other()
	if err != nil {
		return err
	}
	row := q.audit("factor_reset_withdrawn")
	row.Field = a.Name
	err = q.d.Staff.AskFactorReset(q.r.Context(), a.Name, bot.FactorReset{}, row)
	return q.resetDone(err, "desk.flash.account", a.Name)
}

// confirmFactorReset takes it away, as the second admin, and shows the link by which the person begins anew.
func confirmFactorReset(q *request) error {
	a, err := q.other()
	if err != nil {
		return err
	}
	row := q.audit("factor_reset")
	row.Field = a.Name
	if err := q.d.Staff.ResetFactor(q.r.Context(), a.Name, q.user.Name, row); err != nil {
		return q.resetDone(err, "", a.Name)
	}
	return q.showLink(a)
}

func (q *request) resetDone(err error, flash, name string) error {
	switch {
	case err == nil:
		q.say(flash, "Name", name)
		return q.to("/staff")
	case errors.Is(err, bot.ErrConflict), errors.Is(err, bot.ErrNotFound):
		return q.staffWith(http.StatusConflict, staffPage{Bad: q.t("desk.staff.factor_gone")})
	case errors.Is(err, bot.ErrRefused):
		return q.staffWith(http.StatusForbidden, staffPage{Bad: q.t("desk.staff.factor_two")})
	}
	return fmt.Errorf("second factor: %w", err)
}
