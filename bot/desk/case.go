package desk

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// casePage is one case.
type casePage struct {
	page
	Code      string
	Class     casework.Class
	Late      casework.Late
	Waited    string
	Target    string
	Simulated bool
	Origin    string
	Language  string
	Created   time.Time
	CreatedBy string

	// What every form carries.
	Gate string
	Ver  int64
	Seen string

	Holder   string
	Mine     bool
	Until    time.Time
	Viewers  []string
	Closed   string
	ClosedAt time.Time

	Banner   bannerView
	Stages   []stageView
	Timeline []lineView
	Known    []knownView
	Edit     *editView
	Signals  []signalView
	Reasons  []reasonView
	Score    int
	Override *casework.Override
	Because  string

	Call     callPanel
	Contacts []contactView
	NotSafe  bool
	Reply    replyView
	Held     []heldView
	Places   placesView
	Next     nextView
	Purpose  string
	Reveals  []revealView
	Details  []stageOption
	Often    bool

	// Form is the form that was sent but not done, with what was typed; Bad says why.
	form string
	was  url.Values
	Bad  string
}

// Was is what had been typed into a field of a form that is shown again.
func (p casePage) Was(form, field string) string {
	if p.form != form {
		return ""
	}
	return p.was.Get(field)
}

// Open reports whether a form is the one shown again.
func (p casePage) Open(form string) bool { return p.form == form }

// Kept is what had been typed into a form that is not shown any more, because the case is not in hand.
func (p casePage) Kept() []string {
	if p.Mine || p.Bad == "" {
		return nil
	}
	var out []string
	for _, field := range []string{"text", "summary", "reason", "override"} {
		if s := clean(p.was.Get(field)).Text; s != "" {
			out = append(out, s)
		}
	}
	return out
}

// openCase shows a case. Opening is audited; for whoever works on cases it also ends the escalation clock of a P1.
func openCase(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	now := q.d.Clock()
	a := q.audit("open")
	a.Code = code
	if q.background() && q.session.openedLately(code, now) {
		a = bot.Audit{} // the page that is already open asks for what is new
	} else {
		q.session.opened(code, now)
		q.d.saveSession(q.r.Context(), q.session)
	}
	file, err := q.d.Queue.Open(q.r.Context(), q.mission.Code, code, now, a)
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	if !q.background() {
		if file, err = q.markRead(file, now); err != nil {
			return err
		}
		if err := q.d.Queue.Seen(q.r.Context(), q.mission.Code, code, q.user.Name, now); err != nil {
			return fmt.Errorf("seen: %w", err)
		}
	}
	p, err := q.caseView(file, now)
	if err != nil {
		return err
	}
	return q.show("case", p)
}

// markRead notes that a human has read the case. A conflict means that the case has just changed: it is then read
// again, so that what is shown is what was noted.
func (q *request) markRead(file bot.CaseFile, now time.Time) (bot.CaseFile, error) {
	ctx := q.r.Context()
	for range decideAgain {
		c := file.Case
		if !unread(c) && !c.LastRead.Before(c.P1Since) {
			return file, nil
		}
		before := casework.Timers(c, now, q.mission.rules)
		c.MarkRead(q.user.Name, now)
		c.Rescore(now, q.mission.rules)
		ch := bot.Change{
			Line: c.Line, Request: "desk:read:" + newID(now), Case: c, CaseVer: file.Version,
			Timers: timerChanges(c.Line, c.ID, before, casework.Timers(c, now, q.mission.rules)),
		}
		_, err := q.d.Queue.Commit(ctx, ch)
		if err == nil {
			file.Version++
			return file, nil
		}
		if !errors.Is(err, bot.ErrConflict) {
			return file, fmt.Errorf("mark read: %w", err)
		}
		if file, err = q.d.Queue.Open(ctx, q.mission.Code, c.Code, now, bot.Audit{}); err != nil {
			return file, fmt.Errorf("open case: %w", err)
		}
	}
	return file, nil // the person writes faster than we do; the alarm goes on
}

// again shows the case with a form that was not done: what was typed stays in it.
func (q *request) again(code, form string, status int, key string, args ...any) error {
	now := q.d.Clock()
	file, err := q.d.Queue.Open(q.r.Context(), q.mission.Code, code, now, bot.Audit{})
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	p, err := q.caseView(file, now)
	if err != nil {
		return err
	}
	p.form, p.was, p.Bad = form, q.r.PostForm, q.t(key, args...)
	if form == "answer" {
		p.Edit = q.editForm(file.Case, flows.StepID(q.r.PostFormValue("step")))
	}
	return q.showStatus(status, "case", p)
}

// caseView makes the page of a case.
func (q *request) caseView(file bot.CaseFile, now time.Time) (casePage, error) {
	c := file.Case
	class := casework.Effective(c, now)
	p := casePage{
		page: q.page("", q.t("desk.case.title", "Code", c.Code)), Code: c.Code, Class: class,
		Late: q.lateness(c, now), Waited: q.span(now.Sub(waitingSince(c))), Target: q.span(q.mission.rules.Target(class)),
		Simulated: c.Simulated, Origin: q.channelName(c.Origin), Language: c.Lang, Created: c.CreatedAt,
		CreatedBy: c.CreatedBy, Gate: gateOf(file, now), Ver: file.Version, NotSafe: c.Safety != flows.Safe,
		Score: c.Triage.Score, Override: c.Override, Purpose: q.session.purpose(c.Code),
		Often: len(q.session.skipped(now)) >= skipsNoWords,
	}
	p.Live = "case"
	if n := len(file.Entries); n > 0 {
		p.Seen = file.Entries[n-1].ID
	}
	if file.Claim != nil && file.Claim.Until.After(now) {
		p.Holder, p.Until = file.Claim.Officer, file.Claim.Until
		p.Mine = p.Holder == q.user.Name
	}
	if c.Closed() {
		p.Closed, p.ClosedAt = q.t("closed."+c.ClosedAs), c.ClosedAt
	}
	see := q.sees(c, now)
	p.Banner = q.banner(c, now)
	p.Stages = q.stages(c)
	p.Details = q.stageOptions(c)
	p.Timeline = q.timeline(file, see)
	p.Known = q.known(c, see)
	p.Signals = q.signals(c, see)
	for _, r := range c.Triage.Reasons {
		p.Reasons = append(p.Reasons, reasonView{q.t("reason." + r.ID), r.Points, r.Floor})
	}
	if casework.Queued(c) {
		p.Because = q.t("because." + casework.Because(casework.CandidateOf(c), now, q.mission.rules))
	}
	p.Call = q.callPanel(c, now, see)
	p.Contacts = q.contacts(c)
	p.Reply = q.replyView(c)
	p.Held = q.held(file)
	p.Places = q.places(c, see)
	p.Next = q.nextView(c, now)
	p.Reveals = q.reveals(c, now)
	if step := flows.StepID(q.r.URL.Query().Get("edit")); step != "" && p.Mine {
		p.Edit = q.editForm(c, step)
	}
	if err := q.peek(&p.page); err != nil {
		return p, err
	}
	return p, nil
}

// reasonView is one contribution to the score.
type reasonView struct {
	Text   string
	Points int
	Floor  bool
}

// bannerView stands above everything else on the case: what must not be done wrong.
type bannerView struct {
	Colour string // red, amber, green
	Items  []badge
	First  string
	Call   callView
}

func (q *request) banner(c *casework.Case, now time.Time) bannerView {
	b := bannerView{Call: q.call(c, now), First: q.t("desk.banner." + cmp.Or(string(c.Safety), "none"))}
	switch c.Safety {
	case flows.Danger:
		b.Colour = "red"
	case flows.Safe:
		b.Colour = "green"
	default:
		b.Colour = "amber"
	}
	if b.Call.State == "no" && b.Colour == "green" {
		b.Colour = "amber"
	}
	add := func(risk bool, key string, args ...any) { b.Items = append(b.Items, badge{q.t(key, args...), risk}) }
	switch {
	case c.Answers[flows.StepCodeWord].Text != "":
		add(false, "desk.banner.code_word")
	case c.Safety != flows.Safe:
		add(false, "desk.banner.no_code_word")
	}
	if len(c.Windows) > 0 {
		text := ""
		for i, w := range c.Windows {
			if i > 0 {
				text += ", "
			}
			text += q.windowText(w.From, w.To)
		}
		add(false, "desk.banner.windows", "Hours", text, "Zone", zoneName(now.In(q.zone())))
	}
	if c.Permission != flows.CallAnytime && c.Permission != flows.CallWindow || c.Safety != flows.Safe {
		add(true, "desk.banner.no_voicemail")
	}
	if c.Answers[flows.StepSubjectSafe].Value() != flows.Yes && c.Answers[flows.StepWhoFor].Value() == "other_person" {
		add(true, "desk.banner.reporter_only")
	}
	blocked := 0
	for _, k := range c.Contacts {
		if k.Blocked {
			blocked++
		}
	}
	if blocked > 0 && blocked == len(c.Contacts) {
		add(true, "desk.banner.blocked")
	}
	for _, f := range q.flags(c) {
		if f.Text != q.t("desk.safety."+string(c.Safety)) {
			b.Items = append(b.Items, f)
		}
	}
	return b
}

// stageView is a step of the way home.
type stageView struct {
	Text string
	Done bool
	Now  bool
	At   time.Time
}

// stageOption is a stage that may be set now.
type stageOption struct {
	Value, Label string
	Details      []option
	Free         bool
}

func (q *request) stages(c *casework.Case) []stageView {
	var out []stageView
	for _, s := range casework.Stages {
		v := stageView{Text: q.t("stage." + string(s.Stage)), Now: s.Stage == c.Stage}
		for _, m := range c.Milestones {
			if m.Stage == s.Stage && (s.Stage != casework.StageClosed || c.Closed()) {
				v.Done, v.At = true, m.At
			}
		}
		out = append(out, v)
	}
	return out
}

func (q *request) stageOptions(c *casework.Case) []stageOption {
	var out []stageOption
	for _, s := range casework.NextStages(c) {
		if s.Stage == casework.StageReported {
			continue
		}
		o := stageOption{Value: string(s.Stage), Label: q.t("stage." + string(s.Stage)), Free: len(s.Details) == 0}
		for _, d := range s.Details {
			o.Details = append(o.Details, option{Value: d, Label: q.t("detail." + d)})
		}
		out = append(out, o)
	}
	return out
}

// contactView is a channel on which the person can be written to.
type contactView struct {
	Value   string
	Label   string
	LastIn  time.Time
	Blocked bool
}

func (q *request) contacts(c *casework.Case) []contactView {
	var out []contactView
	for i, k := range c.Contacts {
		out = append(out, contactView{strconv.Itoa(i), q.channelName(k.Channel), k.LastIn, k.Blocked})
	}
	slices.SortStableFunc(out, func(a, b contactView) int { return b.LastIn.Compare(a.LastIn) })
	return out
}

// replyView is the composer.
type replyView struct {
	Can       bool
	Max       int
	Risky     string // the words it warns of, for the script
	Templates []option
	Gate      string // what MaySend would say now, in words
}

func (q *request) replyView(c *casework.Case) replyView {
	v := replyView{Max: maxReply}
	to, ok := contactOf(c, "")
	v.Can = ok
	for i, w := range risky {
		if i > 0 {
			v.Risky += " "
		}
		v.Risky += w
	}
	lang := c.Lang
	if !q.d.Catalogue.Has(lang) {
		lang = "id"
	}
	for _, id := range replyTemplates {
		key := flows.TextID("desk.template." + id)
		v.Templates = append(v.Templates, option{
			Value: q.d.Catalogue.Text(lang, key, flows.Args{"Code": c.Code, "Mission": q.mission.Name}),
			Label: q.t("desk.template_name." + id),
		})
	}
	if ok {
		now := q.d.Clock()
		s := casework.MaySend(casework.Message{Kind: casework.KindOfficer, CreatedAt: now}, c, lastIn(c, to), now, q.mission.rules)
		switch {
		case s.OK:
			v.Gate = q.t("desk.reply.now")
		case !s.NotBefore.IsZero():
			v.Gate = q.t("desk.reply.held_until", "Why", q.t("hold."+s.Why), "At", q.hm(s.NotBefore.In(q.zone())))
		default:
			v.Gate = q.t("desk.reply.held", "Why", q.t("hold."+s.Why))
		}
	}
	return v
}

// replyTemplates are the prepared messages. Their beginnings are harmless on a lock screen.
var replyTemplates = []string{
	"received", "ask_hours", "will_call", "not_reached", "splp", "overstay", "medical", "fraud", "closing",
}

// heldView is a row of this case that has not left.
type heldView struct {
	ID    string
	At    time.Time
	By    string
	State bot.RowState
	Why   string
	Until time.Time
	Text  words
}

func (q *request) held(file bot.CaseFile) []heldView {
	var out []heldView
	for _, r := range file.Rows {
		if r.State == bot.RowHeld || r.State == bot.RowFailed || r.State == bot.RowUnknown {
			out = append(out, heldView{r.ID, r.CreatedAt, r.By, r.State, q.whyText(r), r.NotBefore, clean(r.Out.Text)})
		}
	}
	slices.SortFunc(out, func(a, b heldView) int { return a.At.Compare(b.At) })
	return out
}

// whyText says what a row waits for, or why it failed.
func (q *request) whyText(r bot.Row) string {
	if r.Why == "" {
		return ""
	}
	prefix := "send."
	if r.State == bot.RowHeld {
		prefix = "hold."
	}
	for _, key := range []string{r.Why, prefix + r.Why, "hold." + r.Why, "send." + r.Why} {
		if s := q.t(key); s != key {
			return s
		}
	}
	return q.t("send.other")
}

// nextView is the proposal for the next attempt.
type nextView struct {
	Suggested time.Time
	Field     string // for <input type=datetime-local>
	Later     time.Time
	Settled   bool
	Dormant   bool
}

func (q *request) nextView(c *casework.Case, now time.Time) nextView {
	v := nextView{Settled: !c.SettledAt.IsZero(), Dormant: !c.DormantAt.IsZero()}
	if c.LaterUntil.After(now) {
		v.Later = c.LaterUntil
	}
	if at, ok := casework.SuggestNext(c, now, q.mission.rules); ok && at.After(now) {
		v.Suggested = at
		v.Field = at.In(q.zone()).Format("2006-01-02T15:04")
	}
	return v
}

// signalView is a fact read from words, with the button that says it was dealt with.
type signalView struct {
	Name, Text string
	Words      words
	At, Done   time.Time
	DoneBy     string
	Risk       bool
}

func (q *request) signals(c *casework.Case, see shown) []signalView {
	var out []signalView
	for name, s := range c.Signals {
		w := clean(s.Words)
		w.Text = mask(w.Text, see)
		if name == casework.SignalImpostorCheck || name == casework.SignalDuress {
			w = words{} // an officer's code, a secret word
		}
		out = append(out, signalView{name, q.signalText(name), w, s.At, s.Done, s.DoneBy, riskySignal[name]})
	}
	slices.SortFunc(out, func(a, b signalView) int {
		return cmp.Or(a.Done.Compare(b.Done), a.At.Compare(b.At), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// printCase is the case on one A4 sheet: no pin, what is masked stays masked, and who printed it when.
func printCase(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	now := q.d.Clock()
	a := q.audit("print")
	a.Code = code
	file, err := q.d.Queue.Open(q.r.Context(), q.mission.Code, code, now, a)
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	p, err := q.caseView(file, now)
	if err != nil {
		return err
	}
	p.Live, p.Counts = "", nil
	return q.showStatus(http.StatusOK, "print", p)
}
