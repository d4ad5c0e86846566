package desk

import (
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// rowView is one case in a list: what an officer needs to choose, and never a name, a number or an exact place
// (shoulders and screenshots; OWASP ASVS 5.0, 14.2.6).
type rowView struct {
	Code       string
	Class      casework.Class
	Overridden bool
	Late       casework.Late
	Age        string
	Target     string
	Place      string
	Precision  string
	Passport   string
	Flags      []badge
	Channel    string
	Words      words
	Reasons    []string
	Call       callView
	Attempts   string
	Viewers    []string
	Holder     string
	HolderMe   bool
	Until      time.Time
	LaterUntil time.Time
	Simulated  bool
	Unread     bool
	Stage      string
	Lang       string
	Offered    string // the mission that is asked to take it over
}

// badge is a short label; Risk draws it in red.
type badge struct {
	Text string
	Risk bool
}

// callView is the state of the telephone gate in words. State is now, wait or no.
type callView struct {
	State string
	Text  string
}

const wordsInRow = 140

// row is the list's view of a case.
func (q *request) row(it bot.QueueItem, now time.Time) rowView {
	c := it.Case
	class := casework.Effective(c, now)
	v := rowView{
		Code: c.Code, Class: class, Overridden: c.Override != nil, Late: q.lateness(c, now),
		Age: q.span(now.Sub(waitingSince(c))), Target: q.span(q.mission.rules.Target(class)),
		Channel: q.channelName(c.Origin), Call: q.call(c, now), Viewers: without(it.Viewers, q.user.Name),
		Simulated: c.Simulated, Unread: unread(c), Stage: q.t("stage." + string(c.Stage)), LaterUntil: c.LaterUntil,
	}
	if c.Lang != "" && c.Lang != "id" {
		v.Lang = strings.ToUpper(c.Lang)
	}
	if c.Offer != nil {
		v.Offered = q.d.missionName(c.Offer.To)
	}
	v.Place, v.Precision = q.placeOf(c)
	if p := c.Answers[flows.StepPassportStatus].Value(); p != "" {
		v.Passport = q.valueText(flows.StepPassportStatus, p)
	}
	v.Flags = q.flags(c)
	v.Words = q.reasonWords(c)
	for _, r := range topReasons(c.Triage.Reasons, 3) {
		v.Reasons = append(v.Reasons, q.t("reason."+r.ID))
	}
	if n := len(c.Attempts); n > 0 {
		last := c.Attempts[n-1]
		o := q.t("desk.attempt.open")
		if last.Outcome != "" {
			o = q.t("outcome." + string(last.Outcome))
		}
		v.Attempts = q.t("desk.row.attempts", "N", n, "Last", o)
	} else {
		v.Attempts = q.t("desk.row.not_tried")
	}
	if it.Claim != nil && it.Claim.Until.After(now) {
		v.Holder, v.HolderMe, v.Until = it.Claim.Officer, it.Claim.Officer == q.user.Name, it.Claim.Until
	}
	return v
}

// waitingSince is when the present wait for a human began.
func waitingSince(c *casework.Case) time.Time {
	if !c.WaitSince.IsZero() {
		return c.WaitSince
	}
	return c.CreatedAt
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == name })
}

func topReasons(rs []casework.Reason, n int) []casework.Reason {
	rs = slices.Clone(rs)
	slices.SortStableFunc(rs, func(a, b casework.Reason) int {
		if a.Floor != b.Floor {
			if a.Floor {
				return -1
			}
			return 1
		}
		return b.Points - a.Points
	})
	return rs[:min(n, len(rs))]
}

// call puts the gate's verdict into words for a list.
func (q *request) call(c *casework.Case, now time.Time) callView {
	v := casework.MayCall(c, now, q.mission.rules)
	switch {
	case v.Why == casework.CallOutcomeFirst:
		return callView{"wait", q.t("desk.call.running")}
	case v.OK && !v.Closes.IsZero():
		return callView{"now", q.t("desk.call.open_until", "At", q.hm(v.Closes.In(q.zone())), "Left", q.span(v.Closes.Sub(now)))}
	case v.OK:
		return callView{"now", q.t("desk.call.now")}
	case !v.Opens.IsZero():
		return callView{"wait", q.t("desk.call.wait", "Why", q.t("call."+v.Why), "In", q.span(v.Opens.Sub(now)))}
	}
	return callView{"no", q.t("desk.call.no", "Why", q.t("call."+v.Why))}
}

// callable sorts a case for the filter: now, wait (a window will open) or no.
func (q *request) callable(c *casework.Case, now time.Time) string {
	v := casework.MayCall(c, now, q.mission.rules)
	switch {
	case v.OK:
		return "now"
	case !v.Opens.IsZero():
		return "wait"
	}
	return "no"
}

// flags are the vulnerabilities and facts that change how an officer works.
func (q *request) flags(c *casework.Case) []badge {
	var out []badge
	switch c.Safety {
	case flows.Danger, flows.Watched:
		out = append(out, badge{q.t("desk.safety." + string(c.Safety)), true})
	}
	for _, v := range c.Answers[flows.StepUrgentNeeds].Values {
		if v == flows.None {
			continue
		}
		out = append(out, badge{q.valueText(flows.StepUrgentNeeds, v), v == "injured" || v == "held_or_threatened"})
	}
	names := make([]string, 0, len(c.Signals))
	for name, s := range c.Signals {
		if s.Done.IsZero() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if text := q.signalText(name); text != "" {
			out = append(out, badge{text, riskySignal[name]})
		}
	}
	if v := c.Answers[flows.StepPlaceKind].Value(); v == "in_compound" || v == "moving" || v == "hospital" || v == "police" || v == "immigration_detention" {
		out = append(out, badge{q.valueText(flows.StepPlaceKind, v), v == "in_compound"})
	}
	switch c.Answers[flows.StepWhoFor].Value() {
	case "group":
		text := q.valueText(flows.StepWhoFor, "group")
		if n := c.Answers[flows.StepGroupSize].Norm; n != "" {
			text = q.t("desk.row.group", "N", cleanLine(n).Text)
		}
		out = append(out, badge{text, false})
	case "other_person":
		out = append(out, badge{q.valueText(flows.StepWhoFor, "other_person"), false})
	}
	if c.Muted {
		out = append(out, badge{q.t("desk.row.muted"), false})
	}
	return out
}

// riskySignal are the signals that are drawn in red.
var riskySignal = map[string]bool{
	"self_harm": true, "medical_emergency": true, "duress": true, "danger": true, "ransom_asked": true,
	"wrong_person": true, "suspected_impostor": true, "p1_review": true, "contact_lost": true,
}

func (q *request) signalText(name string) string {
	if s := q.t("signal." + name); s != "signal."+name {
		return s
	}
	return strings.ReplaceAll(cleanLine(name).Text, "_", " ")
}

// reasonWords are the person's own words that best say why the case is urgent, masked and short.
func (q *request) reasonWords(c *casework.Case) words {
	var best casework.Signal
	for name, s := range c.Signals {
		if s.Words == "" || !s.Done.IsZero() || name == casework.SignalImpostorCheck || name == casework.SignalDuress {
			continue
		}
		if best.Words == "" || riskySignal[name] && s.At.After(best.At) {
			best = s
		}
	}
	text := best.Words
	for _, step := range []flows.StepID{flows.StepUrgentNeeds, flows.StepSafetyNow, flows.StepHealthDetail, flows.StepExtra, flows.StepPassportStatus} {
		if text != "" {
			break
		}
		if a := c.Answers[step]; len([]rune(strings.TrimSpace(a.Text))) > 2 {
			text = a.Text
		}
	}
	w := cleanLine(text)
	w.Text = mask(w.Text, shown{})
	if r := []rune(w.Text); len(r) > wordsInRow {
		w.Text, w.Cut = string(r[:wordsInRow])+"…", true
	}
	return w
}

// valueText is the label of an answer's value at the desk. A value of a later version is shown as it is.
func (q *request) valueText(step flows.StepID, v flows.Value) string {
	if s := q.d.Catalogue.Value(q.lang, step, v); s != "" {
		return s
	}
	return strings.ReplaceAll(cleanLine(string(v)).Text, "_", " ")
}

// channelName is what staff call an origin or a channel.
func (q *request) channelName(s string) string {
	if t := q.t("desk.channel." + s); t != "desk.channel."+s {
		return t
	}
	return cleanLine(s).Text
}
