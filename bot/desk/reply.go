package desk

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// maxReply is what every messenger takes in one message.
const maxReply = 4000

// previewLen is what a lock screen shows of a message.
const previewLen = 40

// risky are the words that a person who is watched must not be seen to receive. The list is a warning's, not a
// filter's.
var risky = []string{
	"kbri", "kjri", "kedutaan", "konsulat", "embassy", "paspor", "passport", "splp", "lapor", "report", "korban",
	"victim", "petugas", "officer", "polisi", "police", "imigrasi", "immigration", "selamat", "rescue", "bantuan",
	"pulang", "kemlu", "hotline", "disekap", "tolong",
}

// riskyHead are the telling words among the first characters of a message.
func riskyHead(text string) []string {
	r := []rune(text)
	head := strings.ToLower(string(r[:min(len(r), previewLen)]))
	var out []string
	for _, w := range risky {
		if strings.Contains(head, w) {
			out = append(out, w)
		}
	}
	return out
}

// reply writes to the person. Whether and when it leaves, MaySend decides; its state stands in the timeline.
func reply(q *request) error {
	e := edit{form: "reply", audit: q.audit("reply"), hold: true, gate: true, words: true}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		text, err := q.need("text", maxReply, "desk.bad.reply")
		if err != nil {
			return nil, err
		}
		if c.Safety != flows.Safe && q.r.PostFormValue("risky") == "" {
			if words := riskyHead(text); len(words) > 0 {
				return nil, &bad{Key: "desk.bad.preview", Args: []any{"Words", strings.Join(words, ", ")}}
			}
		}
		to, ok := contactOf(c, q.r.PostFormValue("to"))
		if !ok {
			return nil, &bad{Key: "desk.bad.no_contact"}
		}
		row := bot.Row{
			ID: newID(now), Line: c.Line, To: to, CaseID: c.ID, Lane: bot.LaneOfficer, Kind: casework.KindOfficer,
			Out: bot.Outgoing{Text: text}, State: bot.RowQueued, CreatedAt: now, By: q.user.Name,
		}
		ch.Rows = append(ch.Rows, row)
		ch.Entries = append(ch.Entries, bot.Entry{
			ID: row.ID, At: now, Kind: "out", Text: text, By: q.user.Name, Row: row.ID, Channel: to.Channel, Contact: to.Tag(),
		})
		ch.Audit[0].Field = to.Channel
		return nil, nil
	}
	return q.apply(e, "desk.flash.reply")
}

// contactOf picks the contact by its place in the case; without one, that on which the person wrote last. A contact
// that blocked us is no choice.
func contactOf(c *casework.Case, which string) (bot.Contact, bool) {
	best := -1
	for i, k := range c.Contacts {
		if k.Blocked || k.Channel == "" {
			continue
		}
		if which == strconv.Itoa(i) {
			best = i
			break
		}
		if best < 0 || cmp.Compare(k.LastIn.UnixNano(), c.Contacts[best].LastIn.UnixNano()) > 0 {
			best = i
		}
	}
	if best < 0 {
		return bot.Contact{}, false
	}
	return bot.ContactOf(c.Contacts[best]), true
}

// note adds an internal note. It needs no lease: whoever knows something writes it down.
func note(q *request) error {
	e := edit{form: "note", audit: q.audit("note")}
	e.do = func(c *casework.Case, ch *bot.Change, now time.Time) ([]casework.Event, error) {
		text, err := q.need("note", maxNote, "desk.bad.note")
		if err != nil {
			return nil, err
		}
		ch.Entries = append(ch.Entries, q.noteEntry(text, now))
		return nil, nil
	}
	return q.apply(e, "desk.flash.note")
}

// sendHeld lets a held row leave against the gate, with a supervisor's reason.
func sendHeld(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	reason := q.text("reason", maxReason)
	if reason == "" {
		return q.again(code, "send", 422, "desk.bad.reason")
	}
	row := q.r.PostFormValue("row")
	file, err := q.d.Queue.Open(q.r.Context(), q.mission.Code, code, q.d.Clock(), bot.Audit{})
	if err != nil {
		return err
	}
	if r, ok := file.Rows[row]; !ok || r.State != bot.RowHeld {
		return q.again(code, "send", 409, "desk.bad.not_held")
	}
	a := q.audit("force_send")
	a.Code, a.Purpose = code, reason
	if err := q.d.Queue.Retry(q.r.Context(), q.mission.Code, row, reason, a); err != nil {
		return err
	}
	q.say("desk.flash.forced")
	return q.to("/case/" + url.PathEscape(code))
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

func (q *request) held(file bot.CaseFile, see shown) []heldView {
	var out []heldView
	for _, r := range file.Rows {
		if r.State == bot.RowHeld || r.State == bot.RowFailed || r.State == bot.RowUnknown {
			out = append(out, heldView{r.ID, r.CreatedAt, r.By, r.State, q.whyText(r), r.NotBefore, masked(r.Out.Text, see)})
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
