package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
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
	l := h.Lines[ch.Line]
	for _, e := range events {
		args := e.Args
		if !e.At.IsZero() {
			args = flows.Args{"At": e.At.Format(time.RFC3339)}
		}
		ch.Entries = append(ch.Entries, Entry{ID: h.newID(now), At: now, Kind: "event", Text: "event." + e.ID, Args: args})
		if e.Alert {
			for _, to := range l.Alerts {
				ch.Rows = append(ch.Rows, Row{
					ID: h.newID(now), Line: ch.Line, To: to, Lane: LaneSafety, Kind: KindAlert, State: RowQueued, CreatedAt: now,
					Out: Outgoing{Text: h.Catalogue.Text(l.Mission.Lang, flows.TextID("alert."+e.ID), e.Args)},
				})
			}
		}
		if e.Nudge {
			h.nudge(ch, now)
		}
	}
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

// URLAlerts posts alerts as JSON {"text": …} to the https URLs of one mission.
type URLAlerts struct {
	mission string
	client  *http.Client
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
