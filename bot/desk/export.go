package desk

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// exportsPage lists the requests for files with personal data, and asks for another one. The file itself is written at
// the command line, by who asked: it never passes the desk.
type exportsPage struct {
	page
	Waiting  []exportView
	Answered []exportView // of the last day
	Kinds    []option
	Bad      string
	// What had been typed.
	From, To, Words string
}

type exportView struct {
	bot.ExportAsk
	KindText string
	Days     string
	Rows     string // how many it would have now; empty where that is not known
	Mine     bool   // this officer asked for it: cannot answer it, but take it back while Withdraw
	Withdraw bool
	Outcome  string // how it was answered
	// Command is what writes the file, word by word; empty unless this officer may.
	Command []string
}

func exports(q *request) error { return q.exportsWith(http.StatusOK, exportsPage{}, "") }

func (q *request) exportsWith(status int, p exportsPage, kind string) error {
	p.page = q.page("exports", q.t("desk.nav.exports"))
	if err := q.peek(&p.page); err != nil {
		return err
	}
	all, err := q.d.Queue.Exports(q.r.Context(), q.d.Clock())
	if err != nil {
		return fmt.Errorf("exports: %w", err)
	}
	var waiting []bot.ExportAsk
	for _, a := range all {
		switch {
		case a.Mission != q.mission.Code:
		case a.State == bot.ExportAsked:
			waiting = append(waiting, a)
		default:
			p.Answered = append(p.Answered, q.exportView(a))
		}
	}
	slices.Reverse(waiting) // the oldest lapses first
	rows := q.exportRows(waiting)
	for i, a := range waiting {
		v := q.exportView(a)
		v.Rows = rows(i)
		p.Waiting = append(p.Waiting, v)
	}
	for _, k := range bot.ExportKinds {
		p.Kinds = append(p.Kinds, option{Value: k, Label: q.exportKind(k), On: k == kind})
	}
	return q.showStatus(status, "exports", p)
}

// exportRows tells how many rows the i-th request would have now.
func (q *request) exportRows(asks []bot.ExportAsk) func(i int) string {
	var n []int
	if q.d.ExportRows != nil && len(asks) > 0 {
		n = q.d.ExportRows(q.r.Context(), q.mission.Mission, asks)
	}
	return func(i int) string {
		switch {
		case i >= len(n) || n[i] < 0:
			return ""
		case n[i] > bot.ExportMostRows:
			return q.t("desk.export.too_many", "N", q.number(bot.ExportMostRows))
		}
		return q.t("desk.export.rows", "N", q.number(n[i]))
	}
}

func (q *request) exportView(a bot.ExportAsk) exportView {
	v := exportView{ExportAsk: a, KindText: q.exportKind(a.Kind), Mine: a.By == q.user.Name}
	v.Withdraw = v.Mine && (a.State == bot.ExportAsked || a.State == bot.ExportAllowed) && q.may(casework.ActExport)
	from, to := q.isoDay(a.From), q.isoDay(a.To)
	switch {
	case from != "" && to != "":
		v.Days = q.t("desk.export.between", "From", from, "To", to)
	case from != "":
		v.Days = q.t("desk.export.since", "From", from)
	case to != "":
		v.Days = q.t("desk.export.before", "To", to)
	default:
		v.Days = q.t("desk.export.all_days")
	}
	switch a.State {
	case bot.ExportAsked:
	case bot.ExportWithdrawn:
		v.Outcome = q.t("desk.export.state.withdrawn", "By", cleanLine(a.By).Text)
	default:
		v.Outcome = q.t("desk.export.state."+a.State, "By", cleanLine(a.Second).Text)
	}
	if a.State != bot.ExportAsked && a.State != bot.ExportAllowed {
		v.Until = time.Time{}
	}
	if a.State == bot.ExportAllowed && v.Mine && q.may(casework.ActExport) {
		name := a.By
		if strings.Contains(name, " ") {
			name = strconv.Quote(name)
		}
		v.Command = []string{"hotline export", a.Kind, "--mission " + a.Mission, "--personal", "--request " + a.ID, "--as " + name, "--out " + a.Kind + "-" + a.ID + ".csv"}
	}
	return v
}

// exportKind is a kind in words. The queue can be written without names, too; here it never is.
func (q *request) exportKind(kind string) string {
	if kind == "operational" {
		return q.t("desk.export.queue")
	}
	return q.t("export.kind." + kind)
}

// isoDay is a day of a request as it is read; empty for no bound.
func (q *request) isoDay(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return ""
	}
	return q.day(t)
}

// askExport asks for a second person; no file is made by it.
func askExport(q *request) error {
	kind := q.r.PostFormValue("kind")
	p := exportsPage{From: q.text("from", 10), To: q.text("to", 10), Words: q.text("reason", 300)}
	switch {
	case !slices.Contains(bot.ExportKinds, kind):
		p.Bad = q.t("desk.export.bad_kind")
	case p.From != "" && q.isoDay(p.From) == "" || p.To != "" && q.isoDay(p.To) == "":
		p.Bad = q.t("desk.export.bad_day")
	case p.From != "" && p.To != "" && p.To < p.From:
		p.Bad = q.t("desk.export.bad_days")
	case !bot.ExportReasonFits(p.Words):
		p.Bad = q.t("desk.export.bad_reason")
	}
	if p.Bad != "" {
		return q.exportsWith(http.StatusUnprocessableEntity, p, kind)
	}
	a := bot.ExportAsk{ID: q.exportID(), Mission: q.mission.Code, Kind: kind, From: p.From, To: p.To, Reason: p.Words, By: q.user.Name, At: q.d.Clock().UTC()}
	if err := q.d.Queue.AskExport(q.r.Context(), a, q.audit("export_request")); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	q.say("desk.flash.export_asked", "Id", a.ID)
	return q.to("/exports")
}

// exportID is the number of the request that this form makes: the form sent twice makes one.
func (q *request) exportID() string {
	sum := sha256.Sum256([]byte("export\x00" + q.formKey()))
	b := sum[:6]
	for i := range b {
		b[i] = casework.Alphabet[b[i]&31]
	}
	return string(b)
}

// approveExport lets the other person write the file, as the second one.
func approveExport(q *request) error {
	if q.r.PostFormValue("sure") == "" {
		return q.exportsWith(http.StatusUnprocessableEntity, exportsPage{Bad: q.t("desk.second.sure_first")}, "")
	}
	return q.answerExport(true, q.audit("export_approve"))
}

func refuseExport(q *request) error { return q.answerExport(false, q.audit("export_refuse")) }

func (q *request) answerExport(allow bool, row bot.Audit) error {
	a, err := q.d.Queue.DecideExport(q.r.Context(), q.mission.Code, q.exportAsked(), q.user.Name, allow, q.d.Clock(), row)
	if err != nil {
		return q.exportTrouble(a, err)
	}
	if allow {
		q.say("desk.flash.export_allowed", "Id", a.ID, "By", a.By)
	} else {
		q.say("desk.flash.export_refused", "Id", a.ID)
	}
	return q.to("/exports")
}

// withdrawExport takes back what this officer asked for, answered or not.
func withdrawExport(q *request) error {
	a, err := q.d.Queue.WithdrawExport(q.r.Context(), q.mission.Code, q.exportAsked(), q.user.Name, q.d.Clock(), q.audit("export_withdraw"))
	if err != nil {
		return q.exportTrouble(a, err)
	}
	q.say("desk.flash.export_withdrawn", "Id", a.ID)
	return q.to("/exports")
}

// exportAsked is the number of the request that a form is about.
func (q *request) exportAsked() string { return strings.ToUpper(q.r.PathValue("id")) }

// exportTrouble shows the page again, with why a request cannot be answered or taken back.
func (q *request) exportTrouble(a bot.ExportAsk, err error) error {
	switch {
	case errors.Is(err, bot.ErrOwnExport):
		return q.exportsWith(http.StatusUnprocessableEntity, exportsPage{Bad: q.t("desk.export.two")}, "")
	case errors.Is(err, bot.ErrExportState):
		key := "desk.export.answered_already"
		switch a.State {
		case bot.ExportWithdrawn:
			key = "desk.export.withdrawn_already"
		case bot.ExportTaken:
			key = "desk.export.written_already"
		}
		return q.exportsWith(http.StatusConflict, exportsPage{Bad: q.t(key, "Id", a.ID)}, "")
	case errors.Is(err, bot.ErrNotFound):
		return q.exportsWith(http.StatusConflict, exportsPage{Bad: q.t("desk.export.gone")}, "")
	}
	return fmt.Errorf("export: %w", err)
}
