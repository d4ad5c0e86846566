package desk

import (
	"errors"
	"fmt"
	"net/http"

	"pulang/bot"
	"pulang/flows/casework"
)

// erasuresPage lists the cases that somebody asks to erase for good, and asks for another one.
type erasuresPage struct {
	page
	Items       []erasureView
	Bad         string
	Code, Words string // what had been typed
}

type erasureView struct {
	bot.EraseAsk
	Mine bool // this officer asked for it and cannot confirm it
}

func erasures(q *request) error { return q.erasuresWith(http.StatusOK, erasuresPage{}) }

func (q *request) erasuresWith(status int, p erasuresPage) error {
	p.page = q.page("erasures", q.t("desk.nav.erasures"))
	if err := q.peek(&p.page); err != nil {
		return err
	}
	all, err := q.d.Queue.Erasures(q.r.Context(), q.mission.Code)
	if err != nil {
		return fmt.Errorf("erasures: %w", err)
	}
	for _, a := range all {
		p.Items = append(p.Items, erasureView{a, a.By == q.user.Name})
	}
	return q.showStatus(status, "erasures", p)
}

// askErase asks for a second person; nothing is erased by it.
func askErase(q *request) error {
	typed := q.text("code", 20)
	p := erasuresPage{Code: typed, Words: q.text("reason", 300)}
	code, ok := casework.ParseCode(typed)
	switch {
	case !ok:
		p.Bad = q.t("desk.erase.bad_code")
	case p.Words == "":
		p.Bad = q.t("desk.erase.bad_reason")
	}
	if p.Bad != "" {
		return q.erasuresWith(http.StatusUnprocessableEntity, p)
	}
	now := q.d.Clock()
	row := q.audit("erase_asked")
	row.Code, row.Purpose = code, p.Words
	err := q.d.Queue.AskErase(q.r.Context(), q.mission.Code,
		bot.EraseAsk{Code: code, By: q.user.Name, Reason: p.Words, At: now, Until: now.Add(bot.EraseAskLife)}, row)
	switch {
	case errors.Is(err, bot.ErrHeld):
		p.Bad = q.t("desk.erase.held")
		return q.erasuresWith(http.StatusConflict, p)
	case errors.Is(err, bot.ErrLinked):
		p.Bad = q.t("desk.erase.linked")
		return q.erasuresWith(http.StatusConflict, p)
	case errors.Is(err, bot.ErrConflict):
		p.Bad = q.t("desk.erase.asked_already")
		return q.erasuresWith(http.StatusConflict, p)
	case errors.Is(err, bot.ErrNotFound):
		p.Bad = q.t("desk.erase.bad_code")
		return q.erasuresWith(http.StatusUnprocessableEntity, p)
	case err != nil:
		return fmt.Errorf("erasure: %w", err)
	}
	q.say("desk.flash.erase_asked", "Code", code)
	return q.to("/erasures")
}

// confirmErase erases the case, as the second person.
func confirmErase(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	if q.r.PostFormValue("sure") == "" {
		return q.erasuresWith(http.StatusUnprocessableEntity, erasuresPage{Bad: q.t("desk.second.sure_first")})
	}
	row := q.audit("erase")
	row.Code = code
	err = q.d.Queue.EraseAsked(q.r.Context(), q.mission.Code, code, q.user.Name, row)
	var taken *bot.ClaimedError
	switch {
	case errors.As(err, &taken):
		return q.erasuresWith(http.StatusConflict, erasuresPage{Bad: q.t("desk.erase.taken", "By", cleanLine(taken.Claim.Officer).Text)})
	case errors.Is(err, bot.ErrHeld):
		return q.erasuresWith(http.StatusConflict, erasuresPage{Bad: q.t("desk.erase.held")})
	case errors.Is(err, bot.ErrLinked):
		return q.erasuresWith(http.StatusConflict, erasuresPage{Bad: q.t("desk.erase.linked")})
	case errors.Is(err, bot.ErrRefused):
		return q.erasuresWith(http.StatusUnprocessableEntity, erasuresPage{Bad: q.t("desk.erase.two")})
	case errors.Is(err, bot.ErrNotFound), errors.Is(err, bot.ErrConflict):
		return q.erasuresWith(http.StatusConflict, erasuresPage{Bad: q.t("desk.erase.gone")})
	case err != nil:
		return fmt.Errorf("erase: %w", err)
	}
	q.say("desk.flash.erased", "Code", code)
	return q.to("/erasures")
}

func withdrawErase(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	row := q.audit("erase_withdrawn")
	row.Code = code
	err = q.d.Queue.WithdrawErase(q.r.Context(), q.mission.Code, code, row)
	switch {
	case errors.Is(err, bot.ErrNotFound), errors.Is(err, bot.ErrConflict):
		return q.erasuresWith(http.StatusConflict, erasuresPage{Bad: q.t("desk.erase.gone")})
	case err != nil:
		return fmt.Errorf("erasure: %w", err)
	}
	q.say("desk.flash.erase_withdrawn", "Code", code)
	return q.to("/erasures")
}
