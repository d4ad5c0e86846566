package intake

import (
	"strconv"
	"strings"

	"pulang/flows"
)

// statusQuestions: the code word is asked before the stage is told.
var statusQuestions = []question{{
	id: flows.StepStatus, part: aside, open: true, free: true,
	read: func(t *turn, text string) (flows.Answer, bool) { return flows.Answer{Text: text}, true },
	keep: func(t *turn, a flows.Answer) {
		t.s.Ask, t.s.Shown = "", nil
		if t.env.Case != nil && fold(a.Text) == fold(t.env.Case.CodeWord) {
			t.stage()
			return
		}
		t.wrong()
	},
}}

const (
	wrongLimit = 5 // wrong codes or words an hour
	wrongHour  = 3600
)

// status is STATUS, with or without a code: only the stage of this conversation's own case is ever told.
func (t *turn) status(arg string) bool {
	switch {
	case t.s.Case == "":
		t.content = true
		t.say("status.none")
		return t.complete()
	case t.wrongs() >= wrongLimit:
		t.later()
	case arg != "" && plainCode(arg) != plainCode(t.s.Case):
		t.wrong()
	case t.env.Case != nil && t.env.Case.CodeWord != "" && t.mode() == flows.Safe:
		return t.out(flows.StepStatus, true)
	default:
		t.stage()
	}
	return true
}

// later says that too many codes were wrong.
func (t *turn) later() {
	if t.silent() || t.danger() {
		t.say("status.wait.silent")
		return
	}
	t.say("status.wait")
}

// stage tells how far the case is: no name, no number, no place. Whoever reported somebody else is told no more than
// that the report is there: the person of age may want no contact.
func (t *turn) stage() {
	if t.mode() != flows.Safe {
		t.say("status.silent", "Code", t.s.Case)
		return
	}
	if c := t.env.Case; c != nil && c.Reporter || c == nil && t.value(flows.StepWhoFor) == otherPerson {
		t.parts = append(t.parts, t.text("status.code", "Code", t.s.Case), t.text("status.reporter"))
		return
	}
	stage := "reported"
	if t.env.Case != nil && t.env.Case.Stage != "" {
		stage = t.env.Case.Stage
	}
	id := flows.TextID("status." + stage)
	if !stages[stage] {
		id = "status.reported"
	}
	t.parts = append(t.parts, t.text("status.code", "Code", t.s.Case), t.text(id, "Waiting", t.env.Waiting))
}

// stages are the milestones that there is a text for.
var stages = map[string]bool{
	"reported": true, "contacted": true, "travelling": true, "arrived": true, "sheltered": true, "interviewed": true,
	"citizenship_verified": true, "splp_applied": true, "splp_issued": true, "waiver_submitted": true, "waiver_granted": true,
	"exit_permit": true, "ticket_confirmed": true, "departed": true, "arrived_id": true, "closed": true,
}

// wrong answers a wrong code or word, and counts it.
func (t *turn) wrong() {
	t.countWrong()
	if t.silent() || t.danger() {
		t.say("status.wrong.silent")
		return
	}
	t.say("status.wrong")
}

func (t *turn) countWrong() {
	n, since := t.wrongs(), t.in.At.Unix()
	if n > 0 {
		_, raw, _ := strings.Cut(t.memo(memoWrong), "|")
		since, _ = strconv.ParseInt(raw, 10, 64)
	}
	t.note(memoWrong, strconv.Itoa(n+1)+"|"+strconv.FormatInt(since, 10))
}

// wrongs counts the wrong codes of the last hour.
func (t *turn) wrongs() int {
	a, b, ok := strings.Cut(t.memo(memoWrong), "|")
	n, err := strconv.Atoi(a)
	since, err2 := strconv.ParseInt(b, 10, 64)
	if !ok || err != nil || err2 != nil || t.in.At.Unix()-since >= wrongHour {
		return 0
	}
	return n
}

// plainCode compares codes without dashes, spaces and case.
func plainCode(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(s))
}
