package telegram

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/telegram/telegramtest"
)

// friend is a person who has started the bot.
func friend(b *bench) *telegramtest.User {
	u := b.srv.User("id")
	u.Send("/start")
	return u
}

func TestSendShowsWhatTheRowSays(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := friend(b)
	r := b.row(u, "Apakah Anda aman?\n\n1. Aman\n2. Sedang diawasi",
		bot.Button{Label: "1. Aman", Data: "v1:7f3a:safety_now:safe"}, bot.Button{Label: "2. Sedang diawasi", Data: "v1:7f3a:safety_now:watched"})
	r.Out.Protect = true
	id, err := b.Send(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	m := u.FromBot()[0]
	if id != fmt.Sprint(m.ID) || m.Text != r.Out.Text || !m.Protected || !m.NoPreview || !m.HasButton("1. Aman") {
		t.Errorf("id %s: %+v", id, m)
	}
	if p := b.srv.Calls("sendMessage")[0].Params; p["parse_mode"] != "" || p["allow_paid_broadcast"] != "" {
		t.Errorf("sent with %v", p)
	}
	if h, err := b.Health(context.Background()); err != nil || h.LastSend.IsZero() || h.Pending != 1 || h.Webhook {
		t.Errorf("health %+v %v", h, err)
	}
}

func TestKeyboards(t *testing.T) {
	t.Parallel()
	button := func(labels ...string) (out []bot.Button) {
		for i, l := range labels {
			out = append(out, bot.Button{Label: l, Data: fmt.Sprintf("v1:7f3a:x:%d", i)})
		}
		return out
	}
	for _, c := range []struct {
		name string
		out  bot.Outgoing
		want string // messages: text, rows of labels, reply keyboard, "remove"
	}{
		{"nothing to press", bot.Outgoing{Text: "Ok."}, "Ok. remove"},
		{"short ones share a row", bot.Outgoing{Text: "?", Buttons: button("1", "2", "3", "0")}, "? [1 2 3][0]"},
		{"long ones have their own", bot.Outgoing{Text: "?", Buttons: button("1. Aman", "2. Bahaya", "3. Dipegang bos atau kantor", "4. Ya")}, "? [1. Aman 2. Bahaya][3. Dipegang bos atau kantor][4. Ya]"},
		{"a place", bot.Outgoing{Text: "Di mana?", AskPlace: "Kirim lokasi"}, "Di mana? <Kirim lokasi:L>"},
		{"a number", bot.Outgoing{Text: "Nomor?", AskContact: "Kirim nomor"}, "Nomor? <Kirim nomor:C>"},
		{"both", bot.Outgoing{Text: "?", AskPlace: "Kirim lokasi", AskContact: "Kirim nomor"}, "? <Kirim lokasi:L><Kirim nomor:C>"},
		{"choices and a place", bot.Outgoing{Text: "Di mana?", AskPlace: "Kirim lokasi", Buttons: button("Tidak tahu")}, "Di mana? [Tidak tahu] / Kirim lokasi <Kirim lokasi:L>"},
		{"what Telegram would refuse is left out", bot.Outgoing{Text: "?", Buttons: append(button("1", ""), bot.Button{Label: "x", Data: strings.Repeat("x", 65)}, bot.Button{Label: "y"}, bot.Button{Label: "z", Data: strings.Repeat("z", 64)})}, "? [1 z]"},
		{"nothing left", bot.Outgoing{Text: "?", Buttons: button("")}, "? remove"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, nil)
			u := friend(b)
			r := b.row(u, "")
			r.Out = c.out
			ids, err := b.Send(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range u.FromBot() {
				s := m.Text + " "
				for _, row := range m.Buttons {
					var labels []string
					for _, k := range row {
						labels = append(labels, k.Text)
					}
					s += "[" + strings.Join(labels, " ") + "]"
				}
				for _, row := range m.Keyboard {
					for _, k := range row {
						s += "<" + k.Text + map[bool]string{true: ":L"}[k.Location] + map[bool]string{true: ":C"}[k.Contact] + ">"
					}
				}
				if m.RemoveKeyboard {
					s += "remove"
				}
				got = append(got, s)
			}
			if s := strings.Join(got, " / "); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
			if n := len(strings.Split(ids, ",")); n != len(got) {
				t.Errorf("%d ids of %d messages", n, len(got))
			}
		})
	}
	t.Run("a keyboard goes away with the next plain message", func(t *testing.T) {
		b := newBench(t, nil)
		u := friend(b)
		r := b.row(u, "Di mana?")
		r.Out.AskPlace = "Kirim lokasi"
		send := func(r bot.Row) {
			t.Helper()
			if _, err := b.Send(context.Background(), r); err != nil {
				t.Fatal(err)
			}
		}
		send(r)
		if u.Keyboard() == nil {
			t.Fatal("no keyboard")
		}
		send(b.row(u, "Terima kasih."))
		if u.Keyboard() != nil {
			t.Error("the keyboard is still there")
		}
	})
}

func TestLongTextsArriveWhole(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := friend(b)
	text := strings.Repeat("Kata panjang dan emoji 😀. ", 600)
	r := b.row(u, text, bot.Button{Label: "1. Ya", Data: "v1:7f3a:x:yes"})
	b.srv.Fail("sendMessage", 3, 1, telegramtest.Fault{Code: 429, RetryAfter: 1})
	_, err := b.Send(context.Background(), r)
	var se *bot.SendError
	if !errors.As(err, &se) || se.Do != bot.SendRetry {
		t.Fatalf("got %v", err)
	}
	ids, err := b.Send(context.Background(), r) // goes on with the third part
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	list := u.FromBot()
	for i, m := range list {
		all.WriteString(m.Text)
		if m.HasButton("1. Ya") != (i == len(list)-1) {
			t.Errorf("buttons on part %d", i)
		}
	}
	if all.String() != text || len(strings.Split(ids, ",")) != len(list) || len(list) < 4 {
		t.Errorf("%d parts, %d of %d bytes, ids %s", len(list), all.Len(), len(text), ids)
	}
}

func TestEveryFailureSaysWhatComesNext(t *testing.T) {
	t.Parallel()
	const text = "Paspor A1234567 atas nama Siti Rahasia"
	for _, c := range []struct {
		name  string
		fault telegramtest.Fault
		do    bot.SendNext
		why   string
		after time.Duration
		acct  bool
		sent  int // messages that arrived all the same
	}{
		{"blocked", telegramtest.Fault{Code: 403, Description: "Forbidden: bot was blocked by the user"}, bot.SendGone, "blocked", 0, false, 0},
		{"kicked", telegramtest.Fault{Code: 403, Description: "Forbidden: bot was kicked from the group chat"}, bot.SendGone, "blocked", 0, false, 0},
		{"deactivated", telegramtest.Fault{Code: 403, Description: "Forbidden: user is deactivated"}, bot.SendGone, "deactivated", 0, false, 0},
		{"never started", telegramtest.Fault{Code: 403, Description: "Forbidden: bot can't initiate conversation with a user"}, bot.SendGone, "no_chat", 0, false, 0},
		{"no chat", telegramtest.Fault{Code: 400, Description: "Bad Request: chat not found"}, bot.SendGone, "no_chat", 0, false, 0},
		{"bad", telegramtest.Fault{Code: 400, Description: "Bad Request: message is too long"}, bot.SendBad, "bad_request", 0, false, 0},
		{"too large", telegramtest.Fault{Code: 413, Description: "Request Entity Too Large"}, bot.SendBad, "bad_request", 0, false, 0},
		{"too many", telegramtest.Fault{Code: 429, RetryAfter: 7}, bot.SendRetry, "rate", 7 * time.Second, false, 0},
		{"too many, no wait named", telegramtest.Fault{Code: 429}, bot.SendRetry, "rate", time.Second, false, 0},
		{"token withdrawn", telegramtest.Fault{Code: 401, Description: "Unauthorized"}, bot.SendRetry, "unauthorised", time.Minute, true, 0},
		{"token malformed", telegramtest.Fault{Code: 404, Description: "Not Found"}, bot.SendRetry, "unauthorised", time.Minute, true, 0},
		{"server error", telegramtest.Fault{Code: 500, Description: "Internal Server Error"}, bot.SendRetry, "down", 0, false, 0},
		{"bad gateway", telegramtest.Fault{Code: 502, Body: "<html>" + text}, bot.SendRetry, "down", 0, false, 0},
		{"a proxy's 403", telegramtest.Fault{Code: 403, Body: "<html>forbidden</html>"}, bot.SendRetry, "down", 0, false, 0},
		{"a proxy's 404", telegramtest.Fault{Code: 404, Body: "<html>not found</html>"}, bot.SendRetry, "down", 0, false, 0},
		{"a captive portal", telegramtest.Fault{Code: 200, Body: "<html>" + text}, bot.SendUnknown, "unknown", 0, false, 0},
		{"dropped", telegramtest.Fault{Drop: true}, bot.SendUnknown, "unknown", 0, false, 0},
		{"answer lost", telegramtest.Fault{Drop: true, After: true}, bot.SendUnknown, "unknown", 0, false, 1},
		{"hangs", telegramtest.Fault{Hang: true}, bot.SendUnknown, "unknown", 0, false, 0},
		{"hangs after sending", telegramtest.Fault{Hang: true, After: true}, bot.SendUnknown, "unknown", 0, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, nil)
			u := friend(b)
			b.srv.Fail("sendMessage", 1, 1, c.fault)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			if c.fault.Hang {
				ctx, cancel = context.WithTimeout(context.Background(), 2*time.Second) // time enough to arrive
			}
			defer cancel()
			id, err := b.Send(ctx, b.row(u, text))
			var se *bot.SendError
			if !errors.As(err, &se) || id != "" {
				t.Fatalf("got %q, %v", id, err)
			}
			if se.Do != c.do || se.Why != c.why || se.After != c.after || se.Account != c.acct {
				t.Errorf("got %+v", *se)
			}
			for _, secret := range []string{b.srv.Token(), strings.SplitN(b.srv.Token(), ":", 2)[1], "Siti", fmt.Sprint(u.ID())} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q stands in %q", secret, err)
				}
			}
			if n := len(u.FromBot()); n != c.sent {
				t.Errorf("%d messages arrived", n)
			}
			if _, err := b.Send(context.Background(), b.row(u, text)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestNothingListens(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.APIURL = "http://127.0.0.1:1" })
	_, err := b.Send(context.Background(), b.row(b.srv.User("id"), "x"))
	var se *bot.SendError
	if !errors.As(err, &se) || se.Do != bot.SendRetry || se.Why != "down" || strings.Contains(err.Error(), b.srv.Token()) {
		t.Errorf("got %v", err)
	}
}

// A transport's own error may hold the address, and with it the token.
type leaky struct{}

func (leaky) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("cannot reach %s (%s)", r.URL, r.URL.EscapedPath())
}

func TestNoErrorHoldsTheToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.Transport = leaky{} })
	ctx := context.Background()
	r := b.row(b.srv.User("id"), "x")
	r.Out.Delete, r.Out.DeleteIDs = true, []string{"1"}
	_, send := b.Send(ctx, r)
	_, me := b.Me(ctx)
	_, health := b.Health(ctx)
	_, _, _, file := b.File(ctx, "x")
	_, _, _, link := b.download(ctx, "photos/x")
	_, poll := b.api.updates(ctx, 0, time.Second)
	hook := b.RegisterWebhook(ctx, "https://example.org", testSecret)
	_, bad := New(Options{Token: b.srv.Token() + " ", Handler: b.hot})
	for i, err := range []error{send, me, health, file, link, poll, hook, bad} {
		if err == nil || strings.Contains(err.Error(), strings.SplitN(b.srv.Token(), ":", 2)[1]) {
			t.Errorf("%d: %v", i, err)
		}
	}
	o := Options{Token: b.srv.Token()}
	for _, s := range []string{fmt.Sprintf("%v %+v %#v", o, o, o), fmt.Sprintf("%v %+v %#v", b.Channel, b.Channel, b.Channel)} {
		if strings.Contains(s, b.srv.Token()) {
			t.Error(s)
		}
	}
}

func TestAFloodOfTheWholeAccount(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	var account []bool
	for range 4 {
		u := friend(b)
		b.srv.Fail("sendMessage", 1, 1, telegramtest.Fault{Code: 429, RetryAfter: 3})
		_, err := b.Send(context.Background(), b.row(u, "x"))
		var se *bot.SendError
		if !errors.As(err, &se) {
			t.Fatal(err)
		}
		account = append(account, se.Account)
	}
	if fmt.Sprint(account) != "[false false true true]" {
		t.Error(account)
	}
}

func TestServerLimitsAreReturned(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := friend(b)
	b.srv.Speed(.001) // the time between two calls counts for nothing
	b.srv.Limit(telegramtest.Limits{PerChat: 0.5, ChatBurst: 1})
	if _, err := b.Send(context.Background(), b.row(u, "a")); err != nil {
		t.Fatal(err)
	}
	_, err := b.Send(context.Background(), b.row(u, "b"))
	var se *bot.SendError
	if !errors.As(err, &se) || se.After != 2*time.Second {
		t.Fatal(err)
	}
	b.srv.Advance(se.After)
	if _, err := b.Send(context.Background(), b.row(u, "b")); err != nil {
		t.Error(err)
	}
}

func TestBlockedPeopleAndKeyboardsThatTelegramRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := friend(b)
	u.Block()
	_, err := b.Send(context.Background(), b.row(u, "x"))
	var se *bot.SendError
	if !errors.As(err, &se) || se.Do != bot.SendGone {
		t.Error(err)
	}
	v := friend(b)
	b.srv.Fail("sendMessage", 1, 1, telegramtest.Fault{Code: 400, Description: "Bad Request: BUTTON_DATA_INVALID"})
	if _, err := b.Send(context.Background(), b.row(v, "1. Ya", bot.Button{Label: "1. Ya", Data: "v1:a:b:c"})); err != nil {
		t.Fatal(err)
	}
	if m := v.FromBot()[0]; m.Text != "1. Ya" || len(m.Buttons) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := b.srv.User("id")
	var ids []string
	old := u.Send("terlalu lama")
	b.srv.Advance(49 * time.Hour)
	for i := range 230 {
		ids = append(ids, fmt.Sprint(u.Send(fmt.Sprint(i))))
	}
	id, err := b.Send(context.Background(), b.row(u, "satu"))
	if err != nil {
		t.Fatal(err)
	}
	r := b.row(u, "Selesai.")
	r.Out.Delete = true
	r.Out.DeleteIDs = append(ids, id+",99999", fmt.Sprint(old), "tap:777", "", "x")
	if _, err := b.Send(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, m := range u.Messages() {
		if !m.Deleted {
			left = append(left, m.Text)
		}
	}
	if strings.Join(left, "|") != "terlalu lama|Selesai." {
		t.Errorf("left: %v", left)
	}
	for _, c := range b.srv.Calls("deleteMessages") {
		var list []int
		if c.Params.JSON("message_ids", &list) != nil || len(list) > 100 {
			t.Errorf("deleted %d at once", len(list))
		}
	}
	r.Out.Text, r.Out.DeleteIDs = "", nil
	if id, err := b.Send(context.Background(), r); err != nil || id != "" {
		t.Errorf("nothing to delete and nothing to say: %q, %v", id, err)
	}
	b.srv.Fail("deleteMessages", 1, 1, telegramtest.Fault{Code: 429, RetryAfter: 5})
	r.Out.Text, r.Out.DeleteIDs = "Selesai.", ids[:1]
	_, err = b.Send(context.Background(), r)
	var se *bot.SendError
	if !errors.As(err, &se) || se.After != 5*time.Second {
		t.Error(err)
	}
	if n := len(u.FromBot()); n != 2 {
		t.Errorf("%d messages: the text went before the deletion", n)
	}
}

func TestRowsThatCannotBeSent(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := friend(b)
	for name, change := range map[string]func(r *bot.Row){
		"empty":     func(r *bot.Row) { r.Out.Text = " \n" },
		"no id":     func(r *bot.Row) { r.To.Address = "@siti" },
		"other bot": func(r *bot.Row) { r.To.Account = "1" },
	} {
		r := b.row(u, "x")
		change(&r)
		_, err := b.Send(context.Background(), r)
		var se *bot.SendError
		if !errors.As(err, &se) || se.Do != bot.SendBad || strings.Contains(err.Error(), "siti") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(b.srv.Calls("sendMessage")); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestAlertsGoToAStaffChatAndFollowIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	g := b.srv.Group("Piket")
	g.Say("halo semua")
	r := bot.Row{ID: "a", To: bot.Contact{Channel: Name, Account: b.Account(), Address: g.Address()}, Out: bot.Outgoing{Text: "P1 menunggu 5 menit"}}
	send := func() {
		t.Helper()
		if _, err := b.Send(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	send()
	g.Wait(func(m telegramtest.Message) bool { return m.Text == "P1 menunggu 5 menit" && !m.RemoveKeyboard })
	n := g.Migrate()
	send()
	send()
	if len(n.Messages()) != 2 {
		t.Errorf("%d alerts in the new chat", len(n.Messages()))
	}
	if got := len(b.srv.Calls("sendMessage")); got != 4 {
		t.Errorf("%d calls: the new id was not remembered", got)
	}
	b.poll(t)
	b.hot.wait(t, "the group's messages passed over", func() bool { return b.srv.Pending() == 0 })
	if b.hot.calls != 0 {
		t.Error("the staff chat was interviewed")
	}
}

func TestCommandsPerLanguage(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) {
		o.Commands = map[string][]Command{
			"id": {{"bahaya", "Saya dalam bahaya"}, {"berhenti", strings.Repeat("x", 300)}, {"sudah aman", "Sudah aman"}, {"STATUS", "x"}, {"ubah", " "}},
			"en": {{"danger", "I am in danger"}},
		}
	})
	b.srv.Fail("setMyCommands", 1, 1, telegramtest.Fault{Code: 429, RetryAfter: 1})
	if err := b.SetMyCommands(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := string(b.srv.Bot().Commands("all_private_chats", "id")); strings.Count(got, `"command"`) != 2 {
		t.Errorf("menu %s", got)
	}
	b.srv.Fail("setMyCommands", 1, 3, telegramtest.Fault{Code: 400, Description: "Bad Request: BOT_COMMAND_INVALID"})
	if err := b.SetMyCommands(context.Background()); err != nil {
		t.Errorf("a menu must not keep people from writing: %v", err)
	}
	for lang, want := range map[string]string{"": "bahaya", "id": "bahaya", "en": "danger"} {
		if got := string(b.srv.Bot().Commands("all_private_chats", lang)); !strings.Contains(got, `"command":"`+want+`"`) {
			t.Errorf("%q: %s", lang, got)
		}
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{
		{Handler: newHotline()},
		{Handler: newHotline(), Token: "abc"},
		{Handler: newHotline(), Token: "12:abc/../x"},
		{Token: "12:abcdefgh"},
		{Handler: newHotline(), Token: "12:abcdefgh", APIURL: "ftp://x"},
		{Handler: newHotline(), Token: "12:abcdefgh", APIURL: "api.telegram.org"},
		{Handler: newHotline(), Token: "12:abcdefgh", Secret: "short"},
	} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "abc") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestManySendsShareConnections(t *testing.T) {
	t.Parallel()
	tr, ok := benchless(t).api.client.Transport.(*http.Transport)
	if !ok || tr.MaxIdleConnsPerHost < 256 || tr.MaxIdleConns != 0 {
		t.Errorf("%+v", tr)
	}
}
