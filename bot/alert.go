package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"pulang/flows"
	"pulang/flows/casework"
)

// KindAlert is the kind of a row that goes to staff: no gate of a citizen applies, and it holds no personal data.
const KindAlert = "alert"

// AlertChannel is the name of the channel that posts alerts to https URLs.
const AlertChannel = "alert"

// AlertContacts are the contacts of a mission's alert targets: staff chats of the Telegram account, and URLs.
func AlertContacts(m *Mission, telegramAccount string) []Contact {
	var out []Contact
	for _, t := range m.Alerts {
		if t.Telegram != "" && telegramAccount != "" {
			out = append(out, Contact{Channel: "telegram", Account: telegramAccount, Address: t.Telegram})
		}
		if t.URL != "" {
			out = append(out, Contact{Channel: AlertChannel, Account: alertAccount(m.Code), Address: t.URL})
		}
	}
	return out
}

// happened puts what happened to the change's case on its timeline, tells the alert targets what concerns them, and
// asks a person whose case has gone quiet whether help is still needed.
func (h *Hotline) happened(ch *Change, events []casework.Event, now time.Time) {
	for _, e := range events {
		args := e.Args
		if !e.At.IsZero() {
			args = flows.Args{"At": e.At.Format(time.RFC3339)}
		}
		ch.Entries = append(ch.Entries, Entry{ID: h.newID(now), At: now, Kind: "event", Text: "event." + e.ID, Args: args})
		for _, mission := range AlertedMissions(e, ch.Case.Mission) {
			l := h.Lines[mission]
			if l == nil {
				l = h.Lines[ch.Line] // a mission that has left the installation
			}
			for _, to := range AlertsOn(ch.Line, l.Mission.Code, l.Alerts) {
				ch.Rows = append(ch.Rows, Row{
					ID: h.newID(now), Line: ch.Line, To: to, Lane: LaneSafety, Kind: KindAlert, State: RowQueued, CreatedAt: now,
					Out: Outgoing{Text: h.Catalogue.Text(l.Mission.Lang, flows.TextID("alert."+e.ID), h.named(e.Args))},
				})
			}
		}
		if e.Nudge {
			h.nudge(ch, now)
		}
	}
}

// named puts the missions' names in the place of their codes.
func (h *Hotline) named(args flows.Args) flows.Args {
	return NameMissions(args, func(code string) string {
		if l := h.Lines[code]; l != nil {
			return l.Mission.Name
		}
		return ""
	})
}

// nudge asks on the contact on which the person wrote last.
func (h *Hotline) nudge(ch *Change, now time.Time) {
	var to *casework.Contact
	for i := range ch.Case.Contacts {
		c := &ch.Case.Contacts[i]
		if !c.Blocked && (to == nil || c.LastIn.After(to.LastIn)) {
			to = c
		}
	}
	if to == nil {
		return
	}
	row := Row{
		ID: h.newID(now), Line: ch.Line, To: Contact{Channel: to.Channel, Account: to.Account, Address: to.Address},
		CaseID: ch.Case.ID, Lane: LaneStatus, Kind: casework.KindNudge, State: RowQueued, CreatedAt: now,
		Out: Outgoing{Text: h.Catalogue.Text(ch.Case.Lang, "check_in.neutral", nil)},
	}
	ch.Rows = append(ch.Rows, row)
	ch.Entries = append(ch.Entries, Entry{ID: row.ID, At: now, Kind: "out", Text: row.Out.Text, Row: row.ID, Channel: to.Channel, Contact: row.To.Tag()})
}

// AlertedMissions are the missions whose targets are told of an event of a case: none unless it is an alert.
func AlertedMissions(e casework.Event, mission string) []string {
	switch {
	case !e.Alert:
		return nil
	case len(e.For) > 0:
		return e.For
	}
	return []string{mission}
}

// NameMissions are the arguments of an event with the missions' names in the place of their codes (From, To); name
// gives "" for what is no mission.
func NameMissions(args flows.Args, name func(code string) string) flows.Args {
	out := args
	for _, k := range []string{"From", "To"} {
		code, ok := args[k].(string)
		if !ok || name(code) == "" {
			continue
		}
		if len(out) == len(args) {
			out = maps.Clone(args)
		}
		out[k] = name(code)
	}
	return out
}

// through begins the address of a staff chat that another line's bot reaches.
const through = "through:"

// AlertsOn are a mission's alert targets as rows of a line name them. A row never leaves its line's outbox, so those of
// another mission go by the line's own alert channel, which hands them to that mission's bot.
func AlertsOn(line, mission string, targets []Contact) []Contact {
	if line == mission {
		return targets
	}
	out := make([]Contact, len(targets))
	for i, t := range targets {
		out[i] = Contact{Channel: AlertChannel, Account: alertAccount(line), Address: t.Address}
		if t.Channel != AlertChannel {
			out[i].Address = through + t.Channel + "|" + t.Account + "|" + t.Address
		}
	}
	return out
}

// URLAlerts posts alerts as JSON {"text": …} to https URLs, and hands those for the staff chat of another line's bot to
// that bot.
type URLAlerts struct {
	mission string
	client  *http.Client
	// Through finds the channel of another line's account; nil when there is none.
	Through func(channel, account string) Channel
}

var _ Channel = (*URLAlerts)(nil)

// NewURLAlerts returns the alert channel of a mission. A nil client means one with a timeout of 10 seconds that
// follows no redirects.
func NewURLAlerts(mission string, client *http.Client) *URLAlerts {
	if client == nil {
		client = &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &URLAlerts{mission: mission, client: client}
}

// Name returns AlertChannel.
func (u *URLAlerts) Name() string { return AlertChannel }

// Account is the mission's code behind "alert-".
func (u *URLAlerts) Account() string { return alertAccount(u.mission) }

// alertAccount keeps alerts apart from a web chat whose account is the code itself: the outbox of a line goes by
// account, whatever the channel.
func alertAccount(mission string) string { return "alert-" + mission }

// Send posts one alert. The URL may hold a secret and therefore never stands in an error.
func (u *URLAlerts) Send(ctx context.Context, r Row) (string, error) {
	if rest, ok := strings.CutPrefix(r.To.Address, through); ok {
		return u.handOn(ctx, r, rest)
	}
	body, err := json.Marshal(map[string]string{"text": r.Out.Text})
	if err != nil {
		return "", &SendError{Do: SendBad, Why: "bad_request", Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.To.Address, bytes.NewReader(body))
	if err != nil {
		return "", &SendError{Do: SendBad, Why: "bad_request", Err: fmt.Errorf("alert address")}
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := u.client.Do(req)
	if err != nil {
		if ue, ok := err.(*url.Error); ok {
			err = ue.Err
		}
		return "", &SendError{Do: SendRetry, Why: "down", Err: err}
	}
	res.Body.Close()
	switch {
	case res.StatusCode/100 == 2:
		return "", nil
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode >= 500:
		return "", &SendError{Do: SendRetry, Why: "down", Err: fmt.Errorf("status %d", res.StatusCode)}
	}
	return "", &SendError{Do: SendBad, Why: "bad_request", Err: fmt.Errorf("status %d", res.StatusCode)}
}

// handOn sends an alert by another line's bot.
func (u *URLAlerts) handOn(ctx context.Context, r Row, to string) (string, error) {
	f := strings.SplitN(to, "|", 3)
	if len(f) != 3 || u.Through == nil {
		return "", &SendError{Do: SendBad, Why: "bad_request", Err: fmt.Errorf("alert address")}
	}
	ch := u.Through(f[0], f[1])
	if ch == nil {
		return "", &SendError{Do: SendRetry, Why: "down", Err: fmt.Errorf("no such account in this process")}
	}
	r.To = Contact{Channel: f[0], Account: f[1], Address: f[2]}
	return ch.Send(ctx, r)
}
