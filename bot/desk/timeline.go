package desk

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
)

// lineView is one line of a case's timeline.
type lineView struct {
	ID    string
	Code  string // of the case in whose timeline it stands
	Kind  string // in, out, note, event
	Who   string
	At    time.Time
	Words words
	// Chosen is what a tap said; Media, Place and Card what else was sent.
	Chosen  string
	Media   *mediaView
	Place   string
	Card    string
	Channel string
	Edit    bool
	ByStaff bool
	// State is the outbox row's, in words; StateID its id for the style.
	State, StateID, Why string
}

// mediaView is a file that the person sent. It is opened by a form, since looking at it is audited.
type mediaView struct {
	Kind  string
	Size  string
	Opens bool
	Shut  bool // not before the case is accepted
}

// timeline puts the case's entries into words. They stand in the order in which they were stored.
func (q *request) timeline(file bot.CaseFile, see shown) []lineView {
	out := make([]lineView, 0, len(file.Entries))
	for _, e := range file.Entries {
		v := lineView{ID: e.ID, Code: cmp.Or(file.From[e.ID], file.Case.Code), Kind: e.Kind, At: e.At}
		if e.Channel != "" {
			v.Channel = q.channelName(e.Channel)
		}
		switch e.Kind {
		case "in":
			v.Who = q.t("desk.who.citizen")
			q.heard(&v, e, see)
		case "out":
			v.Who, v.ByStaff = q.t("desk.who.bot"), e.By != ""
			if e.By != "" {
				v.Who = q.whoText(e.By)
			}
			v.Words = clean(e.Text)
			v.Words.Text = mask(v.Words.Text, see)
			if r, ok := file.Rows[e.Row]; ok && e.Row != "" {
				v.StateID = string(r.State)
				v.State = q.t("desk.state." + string(r.State))
				v.Why = q.whyText(r)
			}
		case "note":
			v.Who = q.whoText(e.By)
			v.Words = clean(e.Text)
			v.Words.Text = mask(v.Words.Text, see)
		default:
			v.Kind = "event"
			v.Who = q.whoText(e.By)
			v.Words = clean(q.eventText(e, see))
		}
		out = append(out, v)
	}
	return out
}

// heard puts what a person did into a line.
func (q *request) heard(v *lineView, e bot.Entry, see shown) {
	in := e.Input
	if in == nil {
		v.Words = clean(e.Text)
		v.Words.Text = mask(v.Words.Text, see)
		return
	}
	v.Edit = in.Edit
	v.Words = clean(in.Text)
	v.Words.Text = mask(v.Words.Text, see)
	switch in.Kind {
	case flows.KindTap:
		if in.Tap != nil {
			v.Chosen = q.stepText(in.Tap.Step) + ": " + q.valueText(in.Tap.Step, in.Tap.Value)
		}
	case flows.KindLocation:
		if in.Location != nil {
			v.Place = q.pinText(*in.Location, see)
		}
	case flows.KindMedia:
		if m := in.Media; m != nil {
			v.Media = &mediaView{Kind: q.t("desk.media." + mediaKind(m.Kind)), Size: q.bytes(m.Bytes), Opens: q.d.Files != nil}
			if m.Seconds > 0 {
				v.Media.Size = strings.TrimSpace(v.Media.Size + " " + q.span(time.Duration(m.Seconds)*time.Second))
			}
		}
	case flows.KindContact:
		if in.Contact != nil {
			number, name := maskNumber(cleanLine(in.Contact.Phone).Text), maskName(cleanLine(in.Contact.Name).Text)
			if see.Phone {
				number = cleanLine(in.Contact.Phone).Text
			}
			if see.Name {
				name = cleanLine(in.Contact.Name).Text
			}
			v.Card = strings.TrimSpace(name + " " + number)
		}
	case flows.KindBlocked:
		v.Kind, v.Words.Text = "event", q.t("event.blocked")
	case flows.KindUnblock:
		v.Kind, v.Words.Text = "event", q.t("event.unblocked")
	}
}

func mediaKind(k string) string {
	if slices.Contains([]string{"photo", "voice", "audio", "video", "document", "sticker"}, k) {
		return k
	}
	return "other"
}

func (q *request) bytes(n int64) string {
	switch {
	case n <= 0:
		return ""
	case n < 1<<20:
		return q.number(int(n>>10)+1) + " KB"
	}
	return q.decimal(float64(n)/(1<<20)) + " MB"
}

// eventText puts an event into words. Arguments that are ids of ours are put into words too; what people wrote is masked,
// not the sentence: a date with its hour would pass for a number to ring.
func (q *request) eventText(e bot.Entry, see shown) string {
	args := flows.Args{}
	for k, v := range e.Args {
		args[k] = v
		s, isText := v.(string)
		if !isText {
			continue
		}
		switch k {
		case "Stage":
			args[k] = q.t("stage." + s)
		case "Outcome":
			args[k] = q.t("outcome." + s)
		case "Safety":
			args[k] = q.t("desk.safety." + s)
		case "Signal":
			args[k] = q.signalText(s)
		case "Step":
			args[k] = q.stepText(flows.StepID(s))
		case "Via":
			args[k] = q.t("desk.via." + s)
		case "At":
			args[k] = mask(s, see)
			if t, err := time.Parse(time.RFC3339, s); err == nil {
				args[k] = q.when(t)
			}
		case "From", "To":
			args[k] = mask(s, see)
			if name := q.d.missionName(s); name != "" {
				args[k] = name
			}
		case "Reason":
			args[k] = mask(s, see)
			if t := q.t("closed." + s); t != "closed."+s {
				args[k] = t
			}
		case "Code": // a case's, or a group's
		default:
			args[k] = mask(s, see)
		}
	}
	key := e.Text
	if !strings.HasPrefix(key, "event.") {
		key = "event." + key
	}
	if s := q.d.Catalogue.Text(q.lang, flows.TextID(key), args); s != key {
		return s
	}
	return mask(strings.ReplaceAll(strings.TrimPrefix(key, "event."), "_", " "), see)
}

// stepText is what staff call a question.
func (q *request) stepText(s flows.StepID) string {
	if t := q.t("desk.step." + string(s)); t != "desk.step."+string(s) {
		return t
	}
	return strings.ReplaceAll(cleanLine(string(s)).Text, "_", " ")
}
