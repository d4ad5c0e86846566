package desk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// claim takes one case out of the list.
func claim(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	if pending, err := q.pending(); err != nil {
		return err
	} else if pending != "" && pending != code {
		q.warn("desk.flash.outcome_first", "Code", pending)
		return q.to("/case/" + url.PathEscape(pending) + "#call")
	}
	now := q.d.Clock()
	a := q.audit("claim")
	a.Code = code
	held, err := q.d.Queue.Claim(q.r.Context(), q.mission.Code, code, q.officer(), now, q.formKey(), a)
	var other *bot.ClaimedError
	if errors.As(err, &other) {
		held = other.Claim
	}
	switch {
	case errors.Is(err, bot.ErrClaimed):
		if held.Officer == "" {
			q.warn("desk.error.claimed")
		} else {
			q.warn("desk.flash.claimed_by", "By", held.Officer, "Ago", q.span(now.Sub(held.Since)))
		}
		return q.to("/case/" + url.PathEscape(code))
	case err != nil:
		return fmt.Errorf("claim: %w", err)
	}
	return q.to("/case/" + url.PathEscape(code))
}

// release gives the case back with one line for whoever takes it next. Next does not offer it to the same officer
// for ten minutes; from the third time on it also asks why.
func release(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	e := edit{form: "release", audit: q.audit("release"), hold: true}
	often := len(q.session.skipped(q.d.Clock())) >= skipsNoWords
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		if a, ok := casework.OpenAttempt(c); ok && a.By == q.user.Name {
			return nil, &bad{Key: "refused.outcome_first"}
		}
		text, err := q.need("summary", maxReason, "desk.bad.summary")
		if err != nil {
			return nil, err
		}
		if often {
			reason, err := q.need("reason", maxReason, "desk.bad.skip_reason")
			if err != nil {
				return nil, err
			}
			ch.Audit[0].Purpose = reason
		}
		ch.Entries = append(ch.Entries, q.event("event.released", nil, now), q.noteEntry(text, now))
		ch.Release = true
		q.session.addSkip(code, now)
		return nil, nil
	}
	err = q.commit(code, e)
	var no *bad
	switch {
	case err == nil:
		q.say("desk.flash.released", "Code", code) // also stores the skip
		return q.to("/queue")
	case errors.As(err, &no):
		return q.again(code, e.form, http.StatusUnprocessableEntity, no.Key)
	case errors.Is(err, bot.ErrLease):
		return q.again(code, e.form, http.StatusConflict, "desk.error.lease")
	}
	return err
}

// takeOver ends somebody else's lease, with a reason, and takes the case.
func takeOver(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	reason := q.text("reason", maxReason)
	if reason == "" {
		return q.again(code, "takeover", http.StatusUnprocessableEntity, "desk.bad.reason")
	}
	ctx, now := q.r.Context(), q.d.Clock()
	file, err := q.d.Queue.Open(ctx, q.mission.Code, code, now, bot.Audit{})
	if err != nil {
		return err
	}
	key := q.formKey()
	if file.Claim != nil && file.Claim.Officer != q.user.Name && file.Claim.Until.After(now) {
		a := q.audit("take_over")
		a.Code, a.Purpose, a.Field = code, reason, file.Claim.Officer
		if err := q.d.Queue.Release(ctx, q.mission.Code, code, file.Claim.Officer, key+":end", a); err != nil && !errors.Is(err, bot.ErrLease) {
			return fmt.Errorf("end lease: %w", err)
		}
	}
	a := q.audit("claim")
	a.Code = code
	if _, err := q.d.Queue.Claim(ctx, q.mission.Code, code, q.officer(), now, key+":take", a); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	from := ""
	if file.Claim != nil {
		from = file.Claim.Officer
	}
	e := edit{form: "takeover", audit: q.audit("note"), hold: true}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		ch.Entries = append(ch.Entries, q.event("event.taken_over", flows.Args{"From": from}, now), q.noteEntry(reason, now))
		return nil, nil
	}
	return q.apply(e, "desk.flash.taken")
}

// seenCase is the open page's heartbeat: it keeps the lease and shows in the list who looks at the case. It says
// nothing about a person having read anything.
func seenCase(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	ctx, now := q.r.Context(), q.d.Clock()
	if err := q.d.Queue.Seen(ctx, q.mission.Code, code, q.user.Name, now); err != nil {
		return fmt.Errorf("seen: %w", err)
	}
	if _, err := q.d.Queue.Renew(ctx, q.mission.Code, code, q.user.Name, now); err != nil &&
		!errors.Is(err, bot.ErrLease) && !errors.Is(err, bot.ErrClaimed) && !errors.Is(err, bot.ErrNotFound) {
		return fmt.Errorf("renew: %w", err)
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// stay is the button of the idle warning.
func stay(q *request) error {
	q.session.Seen = q.d.Clock()
	q.d.saveSession(q.r.Context(), q.session)
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
