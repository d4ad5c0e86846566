package desk

import (
	"errors"
	"fmt"
	"net/url"

	"pulang/bot"
	"pulang/flows/casework"
)

// next claims the most urgent case there is for this officer and opens it.
func next(q *request) error { return q.takeNext(q.formKey()) }

// takeNext is next for the request with that key.
func (q *request) takeNext(key string) error {
	if pending, err := q.pending(); err != nil {
		return err
	} else if pending != "" {
		q.warn("desk.flash.outcome_first", "Code", pending)
		return q.to("/case/" + url.PathEscape(pending) + "#call")
	}
	now := q.d.Clock()
	code, err := q.d.Queue.Next(q.r.Context(), q.mission.Code, q.officer(), now, q.session.skipped(now), key, q.audit("claim"))
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
	if !q.may(casework.ActClaim) {
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
