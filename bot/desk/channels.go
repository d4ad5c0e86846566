package desk

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"rsc.io/qr"

	"pulang/bot"
	"pulang/flows/casework"
)

// channelsPage tells how the line's channels are doing. An admin links and unlinks the line's number here.
type channelsPage struct {
	page
	Channels []channelView
	Number   *numberView // nil for whoever may not
	Bad      string
}

// channelView is one account of a channel.
type channelView struct {
	Name, State, Text, Why string
	Good, Silent           bool
	Since, Until           time.Time
	LastIn, LastOut        time.Time
	Number, Version        string
	Leader                 string   // the process that sends and receives
	Others                 []string // those that stand by
}

// numberView is where the number is linked, and how far that has come.
type numberView struct {
	On      bool   // a process runs the channel
	State   string // the channel's
	Linked  bool
	Number  string
	Do      string // what is asked, "" for nothing
	Step    string
	QR      *qrView
	Code    string
	Until   time.Time
	Text    string // how far it has come, in words
	Failed  bool
	Waiting bool // nobody has taken it up yet
	Drop    bool // unlinking failed: deleting it here is offered
}

// qrView is a QR code as an SVG path, one square of 1 by 1 for each dark module.
type qrView struct {
	Size int // with the quiet zone
	Path string
}

// numberChannel is the channel whose account is a number that is linked.
const numberChannel = "whatsapp"

// numberAct begins the audit rows of what is asked of a number; the process that does it ends its own with "_done".
const numberAct = "number_"

// quiet is the width of the blank border that scanners need (ISO/IEC 18004: four modules).
const quiet = 4

func drawQR(text string) (*qrView, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil, fmt.Errorf("qr code: %w", err)
	}
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for x+run < code.Size && code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	return &qrView{Size: code.Size + 2*quiet, Path: b.String()}, nil
}

func channels(q *request) error { return q.channelsWith(http.StatusOK, "") }

func (q *request) channelsWith(status int, bad string) error {
	p := channelsPage{page: q.page("channels", q.t("desk.nav.channels")), Bad: bad}
	p.Live = "channels"
	if err := q.countAsking(&p.page); err != nil {
		return err
	}
	states, err := q.channelStates()
	if err != nil {
		return err
	}
	now := q.d.Clock()
	p.Channels = q.channelViews(states, now)
	if q.may(casework.ActNumber) && q.d.Channels != nil {
		if p.Number, err = q.numberView(states, now); err != nil {
			return err
		}
		if p.Number.Do != "" && p.Number.Step != bot.NumberDone && !p.Number.Failed {
			p.Again = 5
		}
	}
	return q.showStatus(status, "channels", p)
}

func (q *request) channelStates() ([]bot.ChannelState, error) {
	if q.d.Channels == nil {
		return nil, nil
	}
	states, err := q.d.Channels.ChannelStates(q.r.Context(), q.mission.Code)
	if err != nil {
		return nil, fmt.Errorf("channels: %w", err)
	}
	slices.SortFunc(states, func(a, b bot.ChannelState) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Process, b.Process))
	})
	return states, nil
}

// leader is the process whose word counts for an account: the one that leads, else the one heard last.
func leader(of []bot.ChannelState, now time.Time) bot.ChannelState {
	return slices.MaxFunc(of, func(a, b bot.ChannelState) int {
		rank := func(c bot.ChannelState) int {
			switch fresh := now.Sub(c.At) < bot.ChannelSilent; {
			case fresh && c.Leads:
				return 2
			case fresh:
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.At.Compare(b.At))
	})
}

// channelViews puts the states of all processes together, an account a view.
func (q *request) channelViews(states []bot.ChannelState, now time.Time) []channelView {
	var out []channelView
	for len(states) > 0 {
		n := 1
		for n < len(states) && states[n].Channel == states[0].Channel && states[n].Account == states[0].Account {
			n++
		}
		of := states[:n]
		states = states[n:]
		c := leader(of, now)
		v := channelView{
			Name: q.channelName(c.Channel), State: c.State, Good: c.State == "up", Since: c.Since, Until: c.Until,
			Number: maskNumber(plus(c.Number)), Version: cleanLine(c.Version).Text, Silent: now.Sub(c.At) >= bot.ChannelSilent,
		}
		if q.may(casework.ActNumber) {
			v.Number = plus(c.Number)
		}
		for _, x := range of {
			if x.LastIn.After(v.LastIn) {
				v.LastIn = x.LastIn
			}
			if x.LastOut.After(v.LastOut) {
				v.LastOut = x.LastOut
			}
			switch {
			case now.Sub(x.At) >= bot.ChannelSilent:
			case x.Leads:
				v.Leader = cleanLine(x.Process).Text
			default:
				v.Others = append(v.Others, cleanLine(x.Process).Text)
			}
		}
		if v.Silent {
			v.State, v.Good, v.Since, v.Why = "silent", false, c.At, ""
		} else if c.Why != "" {
			v.Why = q.t("desk.channels.why." + c.Why)
		}
		v.Text = q.t("desk.channels.state." + v.State)
		out = append(out, v)
	}
	return out
}

func plus(number string) string {
	if number == "" {
		return ""
	}
	return "+" + cleanLine(number).Text
}

// account is the account of the line's number, as the processes that run it name it; "" when none does.
func account(states []bot.ChannelState) string {
	for _, c := range states {
		if c.Channel == numberChannel {
			return c.Account
		}
	}
	return ""
}

func (q *request) numberView(states []bot.ChannelState, now time.Time) (*numberView, error) {
	v := &numberView{}
	of := slices.DeleteFunc(slices.Clone(states), func(c bot.ChannelState) bool { return c.Channel != numberChannel })
	if len(of) == 0 {
		return v, nil
	}
	c := leader(of, now)
	v.On = now.Sub(c.At) < bot.ChannelSilent
	v.State, v.Number = c.State, plus(c.Number)
	v.Linked = c.State != "unlinked" && c.State != "linking"
	ask, show, err := q.d.Channels.Number(q.r.Context(), q.mission.Code, c.Account)
	if err != nil {
		return nil, fmt.Errorf("number: %w", err)
	}
	if v.Do = ask.Do; v.Do == "" {
		return v, nil
	}
	v.Step, v.Code = show.Step, show.Code
	ended := !show.Until.IsZero() && !show.Until.After(now)
	switch {
	case show.Step == "":
		v.Waiting, v.Text = true, q.t("desk.channels.asked")
	case ended, show.Step == bot.NumberWorking:
		v.Code, v.Text = "", q.t("desk.channels.working")
	case show.Step == bot.NumberShowQR:
		v.Text, v.Until = q.t("desk.channels.scan"), show.Until
		if v.QR, err = drawQR(show.QR); err != nil {
			return nil, err
		}
	case show.Step == bot.NumberType:
		v.Text, v.Until = q.t("desk.channels.type"), show.Until
	case show.Step == bot.NumberDone && (ask.Do == bot.NumberUnlink || ask.Do == bot.NumberDrop):
		v.Text = q.t("desk.channels.unlinked")
	case show.Step == bot.NumberDone:
		v.Text = q.t("desk.channels.linked", "Number", plus(show.Number))
	default:
		v.Failed, v.Text = true, q.t("desk.channels.failed."+show.Why, "Number", plus(show.Number))
		v.Drop = ask.Do == bot.NumberUnlink && show.Why != "not_linked"
	}
	return v, nil
}

// linkNumber asks the process that has the number to show a code.
func linkNumber(q *request) error {
	a := bot.NumberAsk{Do: bot.NumberLink}
	if q.r.PostFormValue("by") == bot.NumberCode {
		a.Do, a.Phone = bot.NumberCode, bot.NumberDigits(q.r.PostFormValue("phone"))
		if len(a.Phone) < 8 || len(a.Phone) > 15 || a.Phone[0] == '0' {
			return q.channelsWith(http.StatusUnprocessableEntity, q.t("desk.channels.bad_phone"))
		}
	}
	return q.askNumber(a)
}

// unlinkNumber takes the program off the phone, once the admin has said so twice.
func unlinkNumber(q *request) error {
	if q.r.PostFormValue("sure") == "" {
		return q.channelsWith(http.StatusUnprocessableEntity, q.t("desk.channels.sure_first"))
	}
	a := bot.NumberAsk{Do: bot.NumberUnlink}
	if q.r.PostFormValue("drop") != "" {
		a.Do = bot.NumberDrop
	}
	return q.askNumber(a)
}

// stopNumber takes back what was asked, or puts its outcome away.
func stopNumber(q *request) error { return q.askNumber(bot.NumberAsk{}) }

func (q *request) askNumber(a bot.NumberAsk) error {
	if q.d.Channels == nil {
		return bot.ErrNotFound
	}
	ctx, line := q.r.Context(), q.mission.Code
	states, err := q.channelStates()
	if err != nil {
		return err
	}
	number := account(states)
	if number == "" {
		return q.channelsWith(http.StatusConflict, q.t("desk.channels.off"))
	}
	a.ID, a.By, a.At = q.formKey(), q.user.Name, q.d.Clock()
	if was, _, err := q.d.Channels.Number(ctx, line, number); err != nil {
		return fmt.Errorf("number: %w", err)
	} else if was.ID == a.ID && a.Do != "" {
		return q.to("/channels") // the same form again
	}
	row := q.audit(numberAct + cmp.Or(a.Do, "stop"))
	row.Field = numberChannel
	if err := q.d.Channels.AskNumber(ctx, line, number, a, row); err != nil {
		return fmt.Errorf("ask number: %w", err)
	}
	return q.to("/channels")
}
