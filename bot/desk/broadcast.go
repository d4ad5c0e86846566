package desk

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
	"pulang/flows/places"
)

// maxBroadcast is how long a broadcast may be, in UTF-16 units, which is how Telegram counts: one message everywhere.
const maxBroadcast = 4000

// broadcastsPage lists the latest broadcasts and writes another one.
type broadcastsPage struct {
	page
	Items  []broadcastView
	Bad    string
	Texts  []broadcastText
	Groups []broadcastGroup
	Risky  bool   // the box for words that stand on a lock screen is to be shown
	Ticked bool   // and was ticked
	Key    string // of the form, so that it is written once
	// Look is what the writer asked to see; nil before.
	Look *broadcastLook
	Max  int
}

type broadcastText struct {
	Lang, Label, Text string
	Required          bool
}

// broadcastGroup is one list of the filter.
type broadcastGroup struct {
	Name, Label string
	Options     []option
	N           int // how many are chosen
}

type broadcastLook struct {
	Texts []broadcastText
	Reach reachView
}

type reachView struct {
	All, Now, Later int
	Not             []reachNot
}

type reachNot struct {
	Label string
	N     int
}

type broadcastView struct {
	bot.Broadcast
	StateText        string
	Shown            []broadcastText
	To               []string
	ReachView        reachView
	Waits            bool // for a second person
	Mine             bool // this officer wrote it and cannot confirm it
	Stops, Withdraws bool // may be stopped, taken back
	Going            bool
}

func broadcasts(q *request) error { return q.broadcastsWith(http.StatusOK, broadcastsPage{}) }

func (q *request) broadcastsWith(status int, p broadcastsPage) error {
	p.page = q.page("broadcasts", q.t("desk.nav.broadcasts"))
	if err := q.peek(&p.page); err != nil {
		return err
	}
	all, err := q.d.Queue.Broadcasts(q.r.Context(), q.mission.Code)
	if err != nil {
		return fmt.Errorf("broadcasts: %w", err)
	}
	p.Max = maxBroadcast
	if p.Texts == nil {
		p.Texts = q.broadcastTexts(nil)
	}
	if p.Groups == nil {
		p.Groups = q.broadcastGroups(casework.Audience{})
	}
	p.Key = cmp.Or(p.Key, p.Req())
	for _, b := range all {
		p.Items = append(p.Items, q.broadcastView(b))
	}
	return q.showStatus(status, "broadcasts", p)
}

func (q *request) broadcastView(b bot.Broadcast) broadcastView {
	v := broadcastView{Broadcast: b, ReachView: q.reachView(b.Reach), Mine: b.By == q.user.Name}
	state := string(b.State)
	switch b.State {
	case bot.BroadcastAsked:
		v.Waits, v.Withdraws = b.Until.After(q.d.Clock()), true
		if !v.Waits {
			state, v.Withdraws = "lapsed", false
		}
	case bot.BroadcastRunning, bot.BroadcastStopping:
		v.Stops, v.Going = b.State == bot.BroadcastRunning, true
	case bot.BroadcastQueued:
		v.Stops = b.Sent.Queued+b.Sent.Held > 0
		v.Going = b.Sent.Queued > 0
	}
	v.StateText = q.t("desk.broadcast.state." + state)
	for _, t := range q.broadcastTexts(b.Texts) {
		if t.Text != "" {
			v.Shown = append(v.Shown, t)
		}
	}
	for _, g := range q.broadcastGroups(b.To) {
		var chosen []string
		for _, o := range g.Options {
			if o.On {
				chosen = append(chosen, o.Label)
			}
		}
		if len(chosen) > 0 {
			v.To = append(v.To, g.Label+": "+strings.Join(chosen, ", "))
		}
	}
	return v
}

func (q *request) reachView(r bot.Reach) reachView {
	v := reachView{All: r.All(), Now: r.Now, Later: r.Later}
	for _, why := range casework.NoBroadcastWhys {
		if n := r.Not[why]; n > 0 {
			v.Not = append(v.Not, reachNot{q.t("desk.broadcast.not." + why), n})
		}
	}
	return v
}

// broadcastTexts are the languages with what is written in each.
func (q *request) broadcastTexts(texts map[string]string) []broadcastText {
	var out []broadcastText
	for _, lang := range q.d.Catalogue.Langs() {
		t := broadcastText{Lang: lang, Label: q.t("lang." + lang), Text: texts[lang], Required: lang == "id"}
		if t.Required {
			out = slices.Insert(out, 0, t)
		} else {
			out = append(out, t)
		}
	}
	return out
}

// broadcastGroups are the lists of the filter, with what is chosen.
func (q *request) broadcastGroups(a casework.Audience) []broadcastGroup {
	class := broadcastGroup{Name: "class", Label: q.t("desk.filter.class")}
	for _, c := range []casework.Class{casework.P1, casework.P2, casework.P3, casework.P4} {
		class.add(string(c), string(c)+" – "+q.t("class."+string(c)), slices.Contains(a.Classes, c))
	}
	stage := broadcastGroup{Name: "stage", Label: q.t("desk.broadcast.stage")}
	for _, s := range casework.Stages {
		if s.Stage != casework.StageClosed {
			stage.add(string(s.Stage), q.t("stage."+string(s.Stage)), slices.Contains(a.Stages, s.Stage))
		}
	}
	return []broadcastGroup{
		class, stage,
		q.answerGroup("passport", q.t("desk.filter.passport"), flows.StepPassportStatus, a.Passports),
		q.answerGroup("kind", q.t("desk.step.place_kind"), flows.StepPlaceKind, a.Kinds),
		q.provinceGroup(a.Provinces),
	}
}

func (q *request) answerGroup(name, label string, step flows.StepID, chosen []flows.Value) broadcastGroup {
	g := broadcastGroup{Name: name, Label: label}
	for _, v := range flows.Menus[step] {
		g.add(string(v), q.valueText(step, v), slices.Contains(chosen, v))
	}
	g.add(casework.Unstated, q.t("desk.broadcast.unstated"), slices.Contains(chosen, casework.Unstated))
	return g
}

// provinceGroup lists the provinces of the mission's countries, and what was chosen elsewhere.
func (q *request) provinceGroup(chosen []string) broadcastGroup {
	g := broadcastGroup{Name: "province", Label: q.t("desk.filter.place")}
	names := slices.Clone(chosen)
	for _, p := range places.Default().All() {
		if p.Province != "" && (p.Country == q.mission.Country || slices.Contains(q.mission.Countries, p.Country)) {
			names = append(names, p.Province)
		}
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if n != casework.Unstated {
			g.add(n, cleanLine(n).Text, slices.Contains(chosen, n))
		}
	}
	g.add(casework.Unstated, q.t("desk.broadcast.unstated"), slices.Contains(chosen, casework.Unstated))
	return g
}

func (g *broadcastGroup) add(value, label string, on bool) {
	g.Options = append(g.Options, option{Value: value, Label: label, On: on})
	if on {
		g.N++
	}
}

// audience reads the filter of the form: values of the closed lists only.
func (q *request) audience() casework.Audience {
	var a casework.Audience
	for _, g := range q.broadcastGroups(a) {
		for _, o := range g.Options {
			if !slices.Contains(q.r.PostForm[g.Name], o.Value) {
				continue
			}
			switch g.Name {
			case "class":
				a.Classes = append(a.Classes, casework.Class(o.Value))
			case "stage":
				a.Stages = append(a.Stages, casework.Stage(o.Value))
			case "passport":
				a.Passports = append(a.Passports, flows.Value(o.Value))
			case "kind":
				a.Kinds = append(a.Kinds, flows.Value(o.Value))
			case "province":
				a.Provinces = append(a.Provinces, o.Value)
			}
		}
	}
	return a
}

// writeBroadcast shows what a broadcast would be, or asks for a second person; nothing is sent by it.
func writeBroadcast(q *request) error {
	texts := map[string]string{}
	for _, lang := range q.d.Catalogue.Langs() {
		if t := q.text("text_"+lang, 2*maxBroadcast); t != "" {
			texts[lang] = t
		}
	}
	to := q.audience()
	p := broadcastsPage{
		Texts: q.broadcastTexts(texts), Groups: q.broadcastGroups(to), Key: q.r.PostFormValue("req"),
		Ticked: q.r.PostFormValue("risky") != "",
	}
	if p.Bad = q.badBroadcast(texts, &p); p.Bad != "" {
		return q.broadcastsWith(http.StatusUnprocessableEntity, p)
	}
	now := q.d.Clock()
	b := bot.Broadcast{
		ID: strings.TrimPrefix(q.formKey(), "desk:"), By: q.user.Name, At: now, Until: now.Add(bot.BroadcastAskLife), Texts: texts, To: to,
	}
	if err := q.reach(&b, now); err != nil {
		return err
	}
	if q.r.PostFormValue("do") != "ask" {
		p.Look = &broadcastLook{Reach: q.reachView(b.Reach)}
		for _, t := range q.broadcastTexts(texts) {
			if t.Text == "" {
				t.Text, t.Lang = b.Text(t.Lang), "id"
			}
			p.Look.Texts = append(p.Look.Texts, t)
		}
		return q.broadcastsWith(http.StatusOK, p)
	}
	if b.Reach.All() == 0 {
		p.Bad = q.t("desk.broadcast.nobody")
		return q.broadcastsWith(http.StatusUnprocessableEntity, p)
	}
	row := q.audit("broadcast_asked")
	row.Result = fmt.Sprint(b.Reach.All())
	if err := q.d.Queue.AskBroadcast(q.r.Context(), q.mission.Code, b, row); err != nil {
		return fmt.Errorf("broadcast: %w", err)
	}
	q.say("desk.flash.broadcast_asked")
	return q.to("/broadcasts")
}

// badBroadcast says what stands against the texts; "" for nothing.
func (q *request) badBroadcast(texts map[string]string, p *broadcastsPage) string {
	if texts["id"] == "" {
		return q.t("desk.broadcast.bad_text")
	}
	var words []string
	for _, t := range p.Texts {
		if n := len(utf16.Encode([]rune(t.Text))); n > maxBroadcast {
			return q.t("desk.broadcast.bad_long", "Lang", t.Label, "N", n, "Max", maxBroadcast)
		}
		for _, w := range riskyHead(t.Text) {
			if !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	if p.Risky = len(words) > 0; p.Risky && !p.Ticked {
		return q.t("desk.broadcast.bad_head", "Words", strings.Join(words, ", "))
	}
	return ""
}

// reach counts whom it would reach now.
func (q *request) reach(b *bot.Broadcast, now time.Time) error {
	err := q.d.Queue.EachCase(q.r.Context(), q.mission.Code, func(c *casework.Case) error {
		if b.To.Has(c, now) {
			b.Reach.Add(c, now, q.mission.rules)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("broadcast: %w", err)
	}
	return nil
}

// broadcastOf reads the broadcast that the address names.
func (q *request) broadcastOf() (bot.Broadcast, error) {
	all, err := q.d.Queue.Broadcasts(q.r.Context(), q.mission.Code)
	if err != nil {
		return bot.Broadcast{}, fmt.Errorf("broadcasts: %w", err)
	}
	i := slices.IndexFunc(all, func(b bot.Broadcast) bool { return b.ID == q.r.PathValue("id") })
	if i < 0 {
		return bot.Broadcast{}, bot.ErrNotFound
	}
	return all[i], nil
}

// confirmBroadcast begins it, as the second person.
func confirmBroadcast(q *request) error {
	b, err := q.broadcastOf()
	if err != nil {
		return err
	}
	if q.r.PostFormValue("sure") == "" {
		return q.broadcastsWith(http.StatusUnprocessableEntity, broadcastsPage{Bad: q.t("desk.second.sure_first")})
	}
	row := q.audit("broadcast_confirmed")
	row.Result = fmt.Sprint(b.Reach.All())
	err = q.d.Queue.ConfirmBroadcast(q.r.Context(), q.mission.Code, b.ID, q.user.Name, q.d.Clock(), row)
	switch {
	case errors.Is(err, bot.ErrRefused):
		return q.broadcastsWith(http.StatusUnprocessableEntity, broadcastsPage{Bad: q.t("desk.broadcast.two")})
	case errors.Is(err, bot.ErrNotFound), errors.Is(err, bot.ErrConflict):
		return q.broadcastsWith(http.StatusConflict, broadcastsPage{Bad: q.t("desk.broadcast.gone")})
	case err != nil:
		return fmt.Errorf("broadcast: %w", err)
	}
	q.say("desk.flash.broadcast_confirmed")
	return q.to("/broadcasts")
}

// stopBroadcast stops a broadcast, or takes back one that waits.
func stopBroadcast(q *request) error {
	b, err := q.broadcastOf()
	if err != nil {
		return err
	}
	row := q.audit("broadcast_stopped")
	row.Result = fmt.Sprintf("%d/%d", b.Sent.Sent, b.Reach.All())
	err = q.d.Queue.StopBroadcast(q.r.Context(), q.mission.Code, b.ID, q.user.Name, q.d.Clock(), row)
	switch {
	case errors.Is(err, bot.ErrNotFound), errors.Is(err, bot.ErrConflict):
		return q.broadcastsWith(http.StatusConflict, broadcastsPage{Bad: q.t("desk.broadcast.gone")})
	case err != nil:
		return fmt.Errorf("broadcast: %w", err)
	}
	if b.State == bot.BroadcastAsked {
		q.say("desk.flash.broadcast_dropped")
	} else {
		q.say("desk.flash.broadcast_stopped")
	}
	return q.to("/broadcasts")
}

// reachPair is a count of people with the page it stands on.
type reachPair struct {
	Page  page
	Reach reachView
}

// ReachOf hands the template both.
func (p page) ReachOf(r reachView) reachPair { return reachPair{p, r} }
