package bot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"pulang/flows"
	"pulang/flows/casework"
	"pulang/locales"
)

// Flow is the conversation of a line; *intake.Flow satisfies it.
type Flow interface {
	Next(env flows.Env, s flows.State, in flows.Input) flows.Turn
}

// Line is the set of channel accounts that one mission answers.
type Line struct {
	Mission *Mission
	Flow    Flow
	// Alerts are the contacts of the mission's alert targets, see AlertContacts.
	Alerts []Contact
}

// Options are what a Hotline is made of. Clock and Random default to the machine's.
type Options struct {
	Store     Store
	Catalogue *locales.Catalogue
	Lines     map[string]*Line // by the mission's code
	// Cans is what each channel is able to do, by its name, for turns that a timer begins.
	Cans map[string]flows.Can
	// Officers answers CEK: whether a code belongs to somebody on duty. Nil: the question is put to an officer.
	// mission is the one whose case it is.
	Officers func(ctx context.Context, mission, code string) (bool, error)
	// Groups answers GABUNG: whether a group with this join code exists on the line. Nil: every code of the right form
	// is taken.
	Groups func(ctx context.Context, line, code string) (bool, error)
	// Round is told each round of the loops of RunTimers ("timers", or a chore's name), so that one that stands still is
	// noticed. nil for nobody.
	Round func(line, loop string)
	// Retain removes what has been kept long enough. nil: everything is kept.
	Retain Retainer
	Clock  func() time.Time
	Random io.Reader
	Log    *slog.Logger
}

// Hotline turns messages into committed turns. It is safe for concurrent use; one person's messages are taken one
// at a time, different people's in parallel.
type Hotline struct {
	Options
	rules    map[string]casework.Rules
	seed     maphash.Seed
	lanes    [8192]sync.Mutex           // by contact; few enough people share one that nobody waits for a stranger
	dispatch func([]Leased)             // to the relay; nil before Attach
	direct   func(context.Context, Row) // sends past the outbox, for the one line of an outage
	outage   outage
}

// NewHotline returns a Hotline. Connect it to a Relay with (*Relay).Attach, or rows wait for the relay's next look.
func NewHotline(o Options) *Hotline {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Round == nil {
		o.Round = func(string, string) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Hotline{Options: o, seed: maphash.MakeSeed(), rules: map[string]casework.Rules{}}
	for code, l := range o.Lines {
		h.rules[code] = l.Mission.Rules()
	}
	return h
}

// tries bounds how often a turn is decided again because somebody else committed in between.
const tries = 12

// Handle decides and commits one message. Nil means: it is durable (or was before), acknowledge it. An error means
// that nothing of it was stored: do not acknowledge, and bring it again before this person's later messages.
func (h *Hotline) Handle(ctx context.Context, m Message) (err error) {
	l := h.Lines[m.Line]
	if l == nil {
		return fmt.Errorf("handle: no line %q", m.Line)
	}
	defer func() {
		// A turn that panics must not be acknowledged; the adapter puts the update aside after a few tries.
		if p := recover(); p != nil {
			h.Log.Error("turn panicked", "line", m.Line, "channel", m.From.Channel, "kind", m.Input.Kind)
			err = fmt.Errorf("handle: %w: %T", ErrPanic, p)
		}
	}()
	lane := &h.lanes[maphash.Comparable(h.seed, m.From)%uint64(len(h.lanes))]
	lane.Lock()
	defer lane.Unlock()

	now := h.Clock()
	if m.Input.At.IsZero() || m.Input.At.After(now.Add(time.Minute)) {
		m.Input.At = now // a clock that runs ahead must not order this person behind everybody else
	}
	for range tries {
		snap, err := h.Store.Load(ctx, m.Line, m.From, m.UpdateID)
		if err != nil {
			return h.storeDown(ctx, l, m, fmt.Errorf("load: %w", err))
		}
		if snap.Seen {
			return nil
		}
		change, asks := h.decide(l, m, snap, nil, now)
		if asks.group != "" && h.Groups != nil {
			known, err := h.Groups(ctx, m.Line, asks.group)
			if err != nil {
				return h.storeDown(ctx, l, m, fmt.Errorf("group: %w", err))
			}
			// Deciding wrote on the case that was loaded: it is read anew.
			if snap, err = h.Store.Load(ctx, m.Line, m.From, m.UpdateID); err != nil {
				return h.storeDown(ctx, l, m, fmt.Errorf("load: %w", err))
			}
			if snap.Seen {
				return nil
			}
			change, asks = h.decide(l, m, snap, &flows.GroupView{Code: asks.group, Known: known}, now)
		}
		if asks.officer != "" {
			h.checkOfficer(ctx, &change, l, m, asks.officer, now)
		}
		done, err := h.Store.Commit(ctx, change)
		switch {
		case err == nil:
			h.outage.over()
			if h.dispatch != nil && len(done.Mine) > 0 {
				h.dispatch(done.Leased(change, func(Contact) time.Time {
					if Wrote(m.Input) {
						return m.Input.At
					}
					return lastWrote(change.Case, m.From)
				}))
			}
			return nil
		case errors.Is(err, ErrConflict), errors.Is(err, ErrCodeTaken):
			continue
		default:
			return h.storeDown(ctx, l, m, fmt.Errorf("commit: %w", err))
		}
	}
	return fmt.Errorf("handle: %w after %d tries", ErrConflict, tries)
}

// SetAside keeps an update that no turn can be made of where staff see it.
func (h *Hotline) SetAside(ctx context.Context, line string, a Aside) error {
	if a.ID == "" {
		a.ID = h.newID(h.Clock())
	}
	return h.Store.SetAside(ctx, line, a)
}

// lookUp is what a turn has to be told before it is whole: codes that a person sent.
type lookUp struct{ officer, group string }

// decide makes the one Change that this input leads to, and names the codes that are to be looked up. group is what
// is known of a group's code by then.
func (h *Hotline) decide(l *Line, m Message, snap Snapshot, group *flows.GroupView, now time.Time) (ch Change, asks lookUp) {
	c := snap.Case
	rules := h.rulesOf(m.Line, c)
	var before []casework.TimerAt
	env := flows.Env{
		NewCode: casework.NewCode(l.Mission.Prefix, [5]byte(h.random(5))), NewScope: hex.EncodeToString(h.random(2)),
		Waiting: snap.Waiting, Can: m.Can, Group: group,
	}
	if c != nil {
		env.Case = casework.View(c)
		before = casework.Timers(c, now, rules)
		if m.Input.Kind == flows.KindTimer {
			v := casework.MaySend(casework.Message{Kind: casework.KindOfficer, CreatedAt: now}, c, lastWrote(c, m.From), now, rules)
			env.MaySend, env.SendAt = v.OK, v.NotBefore
		}
	}
	turn := h.flowOf(l, c).Next(env, snap.State, m.Input)
	lang := turn.State.Lang
	if lang == "" {
		lang = l.Mission.Lang
	}

	ch = Change{
		Line: m.Line, Request: m.UpdateID, Number: m.Number, Who: &m.From, State: &turn.State, Version: snap.Version,
		CaseVer: snap.CaseVer, Wrote: Wrote(m.Input),
	}
	// What opens a new case belongs to that case only: a borrowed phone may hold somebody else's.
	opens := len(turn.Effects) > 0 && isOpening(turn.Effects[0])
	if c != nil && !opens {
		ch.Entries = h.heard(ch.Entries, m.From, m.Input, m.UpdateID, now)
	}
	wipe, woken := false, false
	for _, e := range turn.Effects {
		switch e := e.(type) {
		case flows.OpenCase:
			c = casework.New(h.newID(now), e.Code, m.Line, l.Mission.Code, m.From.Channel, firstAt(e, m.Input))
			before, ch.CaseVer, rules = nil, 0, h.rules[m.Line]
			for _, old := range e.Heard {
				ch.Entries = h.heard(ch.Entries, m.From, old.Input, "", now)
			}
			ch.Entries = h.heard(ch.Entries, m.From, m.Input, m.UpdateID, now)
		case flows.Wake:
			woken = woken || e.Timer == m.Input.Timer
			ch.Timers = append(ch.Timers, Timer{Line: m.Line, Name: e.Timer, Contact: m.From, At: e.At})
		case flows.DeleteChat:
			wipe = true
		case flows.CheckOfficer:
			asks.officer = e.Code
		default:
			if j, ok := e.(flows.JoinGroup); ok {
				asks.group = j.Code
			}
			if c != nil {
				c.Apply(e, m.Input.At, rules)
			}
		}
	}
	if m.Input.Kind == flows.KindTimer && !woken {
		ch.Timers = append(ch.Timers, Timer{Line: m.Line, Name: m.Input.Timer, Contact: m.From})
	}

	if c != nil {
		h.touch(c, m)
		if c.Leads == "" && c.Answers[flows.StepWhoFor].Value() == "group" {
			// The group's own code, for its members: the leader's case code opens STATUS and must not be passed round.
			c.Leads = casework.NewJoinCode(l.Mission.Prefix, [6]byte(h.random(6)))
		}
		if turn.State.Case != c.Code {
			c.Left() // BARU: the matter goes on in another case
		}
		c.Lang = lang
		ch.Case = c
		h.place(&ch, l, now)
		rules = h.rulesOf(m.Line, c)
		h.happened(&ch, c.Rescore(now, rules), now)
		ch.Timers = append(ch.Timers, timerChanges(m.Line, c.ID, before, casework.Timers(c, now, rules))...)
	}
	h.say(&ch, m, turn.Replies, lang, wipe, now)
	return ch, asks
}

// say renders the replies into rows and, where there is a case, into its timeline.
func (h *Hotline) say(ch *Change, m Message, replies []flows.Reply, lang string, wipe bool, now time.Time) {
	if wipe && len(replies) == 0 {
		replies = []flows.Reply{{}}
	}
	for i, r := range replies {
		out := Render(h.Catalogue, lang, r, m.Can)
		out.Delete = wipe && i == 0
		row := Row{
			ID: h.newID(now), Line: m.Line, To: m.From, Lane: LaneBot, Kind: replyKind(m.Input), Out: out,
			State: RowQueued, CreatedAt: now,
		}
		if r.Safety {
			row.Lane = LaneSafety
		}
		if ch.Case != nil {
			row.CaseID = ch.Case.ID
			if out.Text != "" {
				ch.Entries = append(ch.Entries, Entry{
					ID: row.ID, At: now, Kind: "out", Text: out.Text, Row: row.ID, Channel: m.From.Channel, Contact: m.From.Tag(), Clear: out.Delete,
				})
			}
		}
		ch.Rows = append(ch.Rows, row)
	}
}

// replyKind is the kind by which MaySend judges a row: what a timer leads to was not asked for.
func replyKind(in flows.Input) string {
	if in.Kind != flows.KindTimer {
		return "reply"
	}
	switch in.Timer {
	case "again", "nudge":
		return in.Timer
	case flows.TimerRescue:
		return casework.KindOfficer // an officer asked for it
	}
	return "reply"
}

// heard appends an input to a timeline. Timers are nobody's words.
func (h *Hotline) heard(to []Entry, from Contact, in flows.Input, update string, now time.Time) []Entry {
	if in.Kind == flows.KindTimer {
		return to
	}
	return append(to, Entry{ID: h.newID(now), At: in.At, Kind: "in", Input: &in, Channel: from.Channel, Contact: from.Tag(), Update: update})
}

// touch keeps the case's contacts: where the person can be written to, when they last wrote, whether they blocked.
func (h *Hotline) touch(c *casework.Case, m Message) {
	i := contactIndex(c, m.From)
	if i < 0 {
		c.Contacts = append(c.Contacts, casework.Contact{
			Channel: m.From.Channel, Account: m.From.Account, Address: m.From.Address,
		})
		i = len(c.Contacts) - 1
	}
	switch m.Input.Kind {
	case flows.KindBlocked:
		c.Contacts[i].Blocked = true
	case flows.KindTimer:
	default:
		c.Contacts[i].Blocked = false
	}
	if Wrote(m.Input) {
		if m.Input.At.After(c.Contacts[i].LastIn) {
			c.Contacts[i].LastIn = m.Input.At
		}
		c.Heard(m.Input.At)
	}
}

// Wrote reports whether the person did this by hand, now: a moving live location sends itself.
func Wrote(in flows.Input) bool {
	switch in.Kind {
	case flows.KindTimer, flows.KindBlocked, flows.KindUnblock:
		return false
	case flows.KindLocation:
		return !in.Edit
	}
	return true
}

func lastWrote(c *casework.Case, who Contact) time.Time {
	if c == nil {
		return time.Time{}
	}
	if i := contactIndex(c, who); i >= 0 {
		return c.Contacts[i].LastIn
	}
	return time.Time{}
}

func contactIndex(c *casework.Case, who Contact) int {
	for i, x := range c.Contacts {
		if x.Channel == who.Channel && x.Account == who.Account && x.Address == who.Address {
			return i
		}
	}
	return -1
}

func isOpening(e flows.Effect) bool {
	_, ok := e.(flows.OpenCase)
	return ok
}

// firstAt is when the person first wrote: the case's clock starts there.
func firstAt(e flows.OpenCase, in flows.Input) time.Time {
	if len(e.Heard) > 0 && !e.Heard[0].Input.At.IsZero() {
		return e.Heard[0].Input.At
	}
	return in.At
}

// timerChanges is the difference between the timers a case had and has to have.
func timerChanges(line, caseID string, before, now []casework.TimerAt) []Timer {
	var out []Timer
	had := map[string]time.Time{}
	for _, t := range before {
		had[t.Name] = t.At
	}
	for _, t := range now {
		if at, ok := had[t.Name]; !ok || !at.Equal(t.At) {
			out = append(out, Timer{Line: line, Name: t.Name, CaseID: caseID, At: t.At})
		}
		delete(had, t.Name)
	}
	for name := range had {
		out = append(out, Timer{Line: line, Name: name, CaseID: caseID})
	}
	return out
}

// newID is a ULID: it orders rows and entries by time, and is never shown to a citizen, since it tells that time.
func (h *Hotline) newID(at time.Time) string {
	return ulid.MustNew(ulid.Timestamp(at), h.Random).String()
}

func (h *Hotline) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(h.Random, b); err != nil {
		panic(err) // the machine has no randomness: no code may be drawn
	}
	return b
}
