package intake

import (
	"strings"

	"pulang/flows"
	"pulang/flows/casework"
)

// command is something a person may say at any time.
type command string

// The commands, by the names that the reader gives them.
const (
	cmdStart    command = "start"
	cmdDanger   command = "danger"
	cmdStop     command = "stop"
	cmdResume   command = "resume"
	cmdStatus   command = "status"
	cmdOfficer  command = "officer"
	cmdEdit     command = "edit"
	cmdBack     command = "back"
	cmdSkip     command = "skip"
	cmdMenu     command = "menu"
	cmdLanguage command = "language"
	cmdDelete   command = "delete"
	cmdJoin     command = "join"
	cmdSafeNow  command = "safe_now"
	cmdNew      command = "new"
	cmdCheck    command = "check_officer"
)

// commandWords are the exact words. Typing errors and further words are the reader's business; these work without it,
// and with a slash before them as Telegram sends commands.
var commandWords = map[string]command{
	"start": cmdStart, "mulai": cmdStart,
	"bahaya": cmdDanger, "danger": cmdDanger, "sos": cmdDanger, "darurat": cmdDanger,
	"berhenti": cmdStop, "stop": cmdStop, "x": cmdStop,
	"lanjut": cmdResume, "lanjutkan": cmdResume, "continue": cmdResume, "resume": cmdResume,
	"status":  cmdStatus,
	"petugas": cmdOfficer, "officer": cmdOfficer, "cs": cmdOfficer,
	"ubah": cmdEdit, "edit": cmdEdit,
	"kembali": cmdBack, "back": cmdBack,
	"lewati": cmdSkip, "skip": cmdSkip, "lompati": cmdSkip,
	"menu": cmdMenu, "bantuan": cmdMenu, "help": cmdMenu,
	"bahasa": cmdLanguage, "language": cmdLanguage,
	"hapus": cmdDelete, "delete": cmdDelete, "hapus chat": cmdDelete,
	"gabung": cmdJoin, "join": cmdJoin,
	"sudah aman": cmdSafeNow, "sudah_aman": cmdSafeNow, "sudahaman": cmdSafeNow,
	"safe now": cmdSafeNow, "safe_now": cmdSafeNow,
	"baru": cmdNew, "new": cmdNew,
	"cek": cmdCheck, "check": cmdCheck,
}

// slash reads a Telegram command: /bahaya, /gabung@bot ABCD.
func slash(text string) (command, string, bool) {
	if !strings.HasPrefix(text, "/") {
		return "", "", false
	}
	word, arg, _ := strings.Cut(text[1:], " ")
	word, _, _ = strings.Cut(word, "@")
	cmd, ok := commandWords[strings.ToLower(word)]
	if !ok {
		cmd = cmdMenu // an unknown command: show what there is
	}
	return cmd, strings.TrimSpace(arg), word != ""
}

// exact reads a command that is the whole message. A few take a code behind them.
func exact(text string) (command, string, bool) {
	if strings.Contains(text, "🆘") {
		return cmdDanger, "", true
	}
	if len(text) > 32 {
		return "", "", false
	}
	if cmd, ok := commandWords[fold(text)]; ok {
		return cmd, "", true
	}
	word, arg, ok := strings.Cut(text, " ")
	switch cmd := commandWords[fold(word)]; cmd {
	case cmdStatus, cmdJoin, cmdCheck:
		return cmd, arg, ok && looksLikeCode(arg)
	}
	return "", "", false
}

// looksLikeCode tells "K7M4-692Q" and "abcd 1234" from further words.
func looksLikeCode(s string) bool {
	if _, ok := casework.ParseJoinCode(s); ok {
		return true
	}
	code := codeOf(s)
	if len(code) < 3 || len(code) > 12 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return false
	}
	return strings.ContainsAny(code, "0123456789-")
}

// commandOf is the reader's name for a command.
func commandOf(name string) (command, bool) {
	switch c := command(name); c {
	case cmdStart, cmdDanger, cmdStop, cmdResume, cmdStatus, cmdOfficer, cmdEdit, cmdBack, cmdSkip, cmdMenu, cmdLanguage,
		cmdDelete, cmdJoin, cmdSafeNow, cmdNew, cmdCheck:
		return c, true
	}
	return "", false
}

// command carries out a command. It returns true when the reply is complete, false when the next question follows.
func (t *turn) command(c command, arg string) bool {
	t.known = true
	switch c {
	case cmdStart:
		return t.start()
	case cmdDanger:
		t.content = true
		if t.danger() && t.told(flows.StepLocation) && !t.s.Paused && !t.closed() {
			t.setSafety(flows.Danger)
			t.say("danger.noted")
			t.urgent = true
			return true
		}
		t.reopen()
		t.alarm()
		return true
	case cmdStop:
		t.stop()
		return true
	case cmdResume:
		return t.resume()
	case cmdStatus:
		return t.status(arg)
	case cmdOfficer:
		return t.officer()
	case cmdEdit:
		t.content = true
		if v := t.named(t.in.Text); v != "" {
			t.s.Ask, t.s.Shown = flows.StepID(v), nil
			return t.complete()
		}
		if t.silent() { // a list would show what was said
			return t.back()
		}
		return t.out(flows.StepEdit, len(t.editable()) > 0)
	case cmdBack:
		t.content = true
		return t.back()
	case cmdSkip:
		t.content = true
		if q := t.current(); q != nil {
			t.skip(q)
		}
		return t.complete()
	case cmdMenu:
		t.content = true
		return t.out(flows.StepMenu, true)
	case cmdLanguage:
		return t.language(arg)
	case cmdDelete:
		return t.erase()
	case cmdJoin:
		return t.join(arg)
	case cmdSafeNow:
		t.content = true
		t.setSafety(flows.Safe)
		return t.complete()
	case cmdNew:
		return t.renew()
	case cmdCheck:
		t.check(arg)
		if t.s.Case != "" {
			return true
		}
		t.content = true // who has to ask whether an officer is real may have met a false one
		return t.complete()
	}
	return false
}

// complete ends a command with the next question.
func (t *turn) complete() bool {
	t.goOn()
	return true
}

// out asks a question out of order. Where it makes no sense the conversation goes on.
func (t *turn) out(step flows.StepID, sensible bool) bool {
	if sensible {
		t.s.Ask = step
		if t.s.Shown != nil && t.s.Shown.Step != step {
			t.s.Shown = nil
		}
		q := t.byID(step)
		t.show(q)
		return true
	}
	return t.complete()
}

// start is the first thing a messenger sends. Later it repeats what is open.
func (t *turn) start() bool {
	switch {
	case t.s.Case == "" && t.s.Ask == "":
		t.fresh = true
		return t.greet()
	case t.s.Paused:
		return t.resume()
	}
	return t.complete()
}

// stop is BERHENTI: nothing unprompted is sent any more, the case stays. As a very first message it opens one, like
// everything that is more than a greeting: it may be the only word that somebody gets out, and officers see it on a case
// that says that nothing may be sent.
func (t *turn) stop() {
	again := t.s.Paused
	t.content = true
	t.s.Paused, t.s.Ask, t.s.Shown = true, "", nil
	t.note(memoPaused, "")
	if t.s.Case != "" && !again {
		t.effects = append(t.effects, flows.Mute{On: true})
	}
	t.parts = t.parts[:0]
	if t.mode() == flows.Safe {
		t.say("stopped")
		return
	}
	t.say("silent.ok")
}

// resume is LANJUT: after BERHENTI, after "later", or simply to see the question again.
func (t *turn) resume() bool {
	if t.s.Paused {
		t.s.Paused = false
		t.note(memoPaused, "")
		if t.s.Case != "" {
			t.effects = append(t.effects, flows.Mute{On: false})
		}
	}
	t.content = true
	if q := t.current(); q != nil && q.id == flows.StepConfirm {
		t.accept(q, flows.Answer{Values: []flows.Value{goOn}})
	} else if t.told(flows.StepConfirm) && !t.silent() && !t.danger() {
		t.s.Optional = true
	}
	return t.complete()
}

// officer is PETUGAS: a human being is asked for. The question stays open, so that an answer still counts.
func (t *turn) officer() bool {
	t.signal("officer_wanted", t.in.Text)
	if t.silent() || t.danger() {
		t.say("silent.ok")
	} else {
		t.say("officer.wanted", "Waiting", t.env.Waiting)
		if t.current() != nil {
			t.say("officer.meanwhile")
		}
	}
	if !t.answered(flows.StepSafetyNow) && !t.s.Paused {
		return t.complete()
	}
	return true
}

// skip is LEWATI. What was answered before stays.
func (t *turn) skip(q *question) {
	switch {
	case q.part == aside:
		t.cancel(q)
		return
	case q.id == flows.StepConfirm:
		t.accept(q, flows.Answer{Values: []flows.Value{later}})
		return
	case q.forget != "":
		t.note(q.forget, "")
		t.done(q)
		return
	}
	if t.told(q.id) {
		t.done(q)
		t.settle(q.id)
		return
	}
	t.record(q.id, flows.Answer{Skipped: true})
	t.done(q)
}

// join is GABUNG with a group's code. Whatever becomes of the code, the person has a case of their own; nothing of it
// is ever shown to whoever leads the group, and nothing of the group to the person.
func (t *turn) join(arg string) bool {
	t.content = true
	quiet := t.silent() || t.danger()
	own := ""
	if t.env.Case != nil {
		own = t.env.Case.JoinCode
	}
	code, ok := casework.ParseJoinCode(arg)
	_, isCase := casework.ParseCode(arg)
	g := t.env.Group
	switch {
	case quiet && codeOf(arg) == "":
		t.say("join.how.silent")
	case quiet && own != "" && code == own:
		t.say("silent.ok")
	case own != "" && (codeOf(arg) == "" || code == own):
		t.tell(own)
	case codeOf(arg) == "" && t.value(flows.StepWhoFor) == group: // the leader, whose group has no code yet
		t.say("join.leader")
	case codeOf(arg) == "":
		t.say("join.how")
	case t.wrongs() >= wrongLimit:
		t.later()
	case isCase && !quiet:
		t.say("join.case_code")
	case !ok, g != nil && (g.Code != code || !g.Known):
		t.countWrong()
		if quiet {
			t.say("status.wrong.silent")
		} else {
			t.say("join.unknown")
		}
	default:
		t.effects = append(t.effects, flows.JoinGroup{Code: code})
		if !t.answered(flows.StepWhoFor) { // each member speaks for himself
			t.record(flows.StepWhoFor, flows.Answer{Values: []flows.Value{self}})
		}
		if quiet {
			t.say("silent.ok")
		} else {
			t.say("join.done")
		}
	}
	return t.afterLine()
}

// check is CEK with an officer's code: is this officer real?
func (t *turn) check(arg string) {
	code := codeOf(arg)
	if len(code) < shortestOfficer { // "minta uang 5 juta" names nobody, and somebody may have been taken in
		if len(strings.Fields(t.in.Text)) > 2 {
			t.signal(casework.SignalImpostorCheck, t.in.Text)
		}
		t.say("check.how")
		return
	}
	t.effects = append(t.effects, flows.CheckOfficer{Code: code})
	if t.silent() || t.danger() {
		t.say("silent.ok")
		return
	}
	t.say("check.asked")
}

// shortestOfficer is how long an officer's code is at least.
const shortestOfficer = 3

// afterLine shows the open question behind a line, unless the person asked for silence.
func (t *turn) afterLine() bool {
	if t.s.Paused || t.closed() || t.gap() == "" {
		return true
	}
	return t.complete()
}

// codeOf takes a code as people type it: upper case, without spaces.
func codeOf(arg string) string {
	return strings.ToUpper(strings.Join(strings.Fields(arg), ""))
}
