package telegramtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"pulang/bot/ended"
)

func TestMain(m *testing.M) { ended.Main(m) }

// ask makes a call with a JSON body and returns the answer.
func ask(t *testing.T, s *Server, method, body string) response {
	t.Helper()
	return post(t, s, method, "application/json", strings.NewReader(body))
}

func post(t *testing.T, s *Server, method, kind string, body io.Reader) response {
	t.Helper()
	res, err := http.Post(s.URL()+"/bot"+s.Token()+"/"+method, kind, body)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	var r response
	if err := json.NewDecoder(res.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

// ids fetches updates and returns their ids.
func ids(t *testing.T, s *Server, offset int64) string {
	t.Helper()
	r := ask(t, s, "getUpdates", fmt.Sprintf(`{"offset":%d,"timeout":0}`, offset))
	if !r.OK {
		return r.Description
	}
	var out []string
	for _, u := range r.Result.([]any) {
		out = append(out, fmt.Sprint(u.(map[string]any)["update_id"]))
	}
	return strings.Join(out, " ")
}

func TestUpdatesComeUntilTheyAreConfirmed(t *testing.T) {
	s := New(t)
	s.Speed(.001) // what this test takes is nothing to the server's clock
	u := s.User("id")
	for range 3 {
		u.Send("x")
	}
	if got := ids(t, s, 0); got != "1000 1001 1002" {
		t.Error(got)
	}
	if got := ids(t, s, 0); got != "1000" {
		t.Errorf("the same offset at once: %s", got)
	}
	s.Advance(time.Second)
	if got := ids(t, s, 0); got != "1000 1001 1002" {
		t.Error(got)
	}
	if got := ids(t, s, 1002); got != "1002" {
		t.Error(got)
	}
	if s.Pending() != 1 {
		t.Error(s.Pending())
	}
	for range 120 {
		u.Send("x")
	}
	if n := len(strings.Fields(ids(t, s, 1003))); n != 100 {
		t.Errorf("%d at once", n)
	}
}

func TestTapsAreKept150Seconds(t *testing.T) {
	s := New(t)
	s.Speed(.001)
	u := s.User("id")
	u.Send("x")
	u.TapData(1, "a")
	s.Advance(149 * time.Second)
	if s.Pending() != 2 {
		t.Error(s.Pending())
	}
	s.Advance(2 * time.Second)
	if got := ids(t, s, 0); got != "1000" {
		t.Error(got)
	}
	s.Advance(24 * time.Hour)
	if s.Pending() != 0 {
		t.Error(s.Pending())
	}
}

func TestOnePollerOnly(t *testing.T) {
	s := New(t)
	first := make(chan response)
	go func() { first <- ask(t, s, "getUpdates", `{"timeout":50}`) }()
	for end := time.Now().Add(time.Minute); len(pollers(s)) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody polls")
		}
	}
	go func() { first <- ask(t, s, "getUpdates", `{"timeout":50}`) }()
	if r := <-first; r.ErrorCode != 409 {
		t.Errorf("%+v", r)
	}
	s.User("id").Send("x")
	if r := <-first; !r.OK || len(r.Result.([]any)) != 1 {
		t.Errorf("%+v", r)
	}
	if r := ask(t, s, "setWebhook", `{"url":"http://127.0.0.1:1/x"}`); !r.OK {
		t.Errorf("%+v", r)
	}
	if got := ids(t, s, 0); !strings.Contains(got, "webhook is active") {
		t.Error(got)
	}
}

func pollers(s *Server) []*poller {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.poller == nil {
		return nil
	}
	return []*poller{s.first.poller}
}

func TestBodiesOfEveryKind(t *testing.T) {
	s := New(t)
	u := s.User("id")
	u.Send("/start")
	id := fmt.Sprint(u.ID())
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	_ = w.WriteField("chat_id", id)
	_ = w.WriteField("text", "multipart")
	_ = w.Close()
	for _, r := range []response{
		ask(t, s, "sendMessage", `{"chat_id":`+id+`,"text":"json"}`),
		ask(t, s, "sendMessage", `{"chat_id":"`+id+`","text":"json with a quoted id"}`),
		post(t, s, "sendMessage", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"chat_id": {id}, "text": {"form"}}.Encode())),
		post(t, s, "sendMessage", w.FormDataContentType(), &form),
		post(t, s, "sendMessage?chat_id="+id+"&text=query", "application/json", nil),
		post(t, s, "getMe", "multipart/form-data; boundary=x", nil),
	} {
		if !r.OK {
			t.Errorf("%+v", r)
		}
	}
	if n := len(u.FromBot()); n != 5 {
		t.Errorf("%d messages", n)
	}
}

func TestWhatTelegramRefuses(t *testing.T) {
	s := New(t)
	u := s.User("id")
	u.Send("/start")
	stranger := s.User("id")
	for _, c := range []struct{ method, body, want string }{
		{"sendMessage", `{"chat_id":%d,"text":" \n"}`, "text is empty"},
		{"sendMessage", `{"chat_id":%d,"text":"` + strings.Repeat("😀", 2049) + `"}`, "too long"},
		{"sendMessage", `{"chat_id":%d,"text":"x","reply_markup":null}`, "object expected"},
		{"sendMessage", `{"chat_id":%d,"text":"x","reply_markup":{"inline_keyboard":[[{"text":"a","callback_data":"` + strings.Repeat("x", 65) + `"}]]}}`, "BUTTON_DATA_INVALID"},
		{"sendMessage", `{"chat_id":%d,"text":"x","reply_markup":{"inline_keyboard":[[{"text":"a"}]]}}`, "BUTTON_DATA_INVALID"},
		{"sendMessage", `{"chat_id":%d,"text":"x","reply_markup":{"inline_keyboard":[[{"text":"","callback_data":"x"}]]}}`, "button"},
		{"editMessageText", `{"chat_id":%d,"message_id":1,"text":"x"}`, "can't be edited"},
		{"deleteMessages", `{"chat_id":%d,"message_ids":[]}`, "1 to 100"},
		{"answerCallbackQuery", `{"chat_id":%d,"callback_query_id":"x"}`, "too old"},
		{"setMyCommands", `{"chat_id":%d,"commands":[{"command":"Bahaya","description":"x"}]}`, "BOT_COMMAND_INVALID"},
		{"getFile", `{"chat_id":%d,"file_id":"x"}`, "wrong file_id"},
		{"makeCoffee", `{"chat_id":%d}`, "method not found"},
	} {
		body := strings.Replace(c.body, "%d", fmt.Sprint(u.ID()), 1)
		if r := ask(t, s, c.method, body); r.OK || !strings.Contains(r.Description, c.want) {
			t.Errorf("%s: %+v, want %q", c.method, r, c.want)
		}
	}
	if r := ask(t, s, "sendMessage", fmt.Sprintf(`{"chat_id":%d,"text":"x"}`, stranger.ID())); !strings.Contains(r.Description, "chat not found") {
		t.Errorf("a person who never wrote: %+v", r)
	}
	g := s.Group("Piket")
	if r := ask(t, s, "sendMessage", fmt.Sprintf(`{"chat_id":%d,"text":"x","reply_markup":{"keyboard":[[{"text":"a","request_location":true}]]}}`, g.ID())); !strings.Contains(r.Description, "private chats only") {
		t.Errorf("%+v", r)
	}
	u.Deactivate()
	if r := ask(t, s, "sendMessage", fmt.Sprintf(`{"chat_id":%d,"text":"x"}`, u.ID())); r.ErrorCode != 403 {
		t.Errorf("%+v", r)
	}
	res, err := http.Post(s.URL()+"/bot1:x/getMe", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 401 {
		t.Error(res.Status)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestAConversation(t *testing.T) {
	s := New(t)
	u := s.User("id")
	u.Send("halo")
	ask(t, s, "sendMessage", fmt.Sprintf(`{"chat_id":%d,"text":"Aman?","reply_markup":{"inline_keyboard":[[{"text":"1. Aman","callback_data":"v1:a:safety_now:safe"}]]}}`, u.ID()))
	m := u.Wait(func(m Message) bool { return m.HasButton("1. Aman") })
	u.Tap("1. Aman")
	u.Edit(1, "halo lagi")
	ask(t, s, "editMessageReplyMarkup", fmt.Sprintf(`{"chat_id":%d,"message_id":%d}`, u.ID(), m.ID))
	if r := ask(t, s, "editMessageReplyMarkup", fmt.Sprintf(`{"chat_id":%d,"message_id":%d}`, u.ID(), m.ID)); !strings.Contains(r.Description, "not modified") {
		t.Errorf("%+v", r)
	}
	ask(t, s, "sendMessage", fmt.Sprintf(`{"chat_id":%d,"text":"Di mana?","reply_markup":{"keyboard":[[{"text":"Tidak tahu"},{"text":"Lokasi","request_location":true}]]}}`, u.ID()))
	u.Tap("Tidak tahu")
	r := ask(t, s, "getUpdates", `{}`)
	raw, _ := json.Marshal(r.Result)
	for _, want := range []string{`"data":"v1:a:safety_now:safe"`, `"edited_message"`, `"halo lagi"`, `"Tidak tahu"`, `"language_code":"id"`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s is missing in %s", want, raw)
		}
	}
	if got := u.Transcript(); !strings.HasPrefix(got, "orang 1: halo lagi\nbot 2: Aman?\n") {
		t.Error(got)
	}
}

func TestWebhookQueues(t *testing.T) {
	s := New(t)
	s.Speed(20)
	var mu sync.Mutex
	tries := map[string]int{}
	order := ""
	busy := 0
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var u struct {
			Message  *struct{ Text string }
			Callback *struct{ Data string } `json:"callback_query"`
		}
		_ = json.NewDecoder(r.Body).Decode(&u)
		mu.Lock()
		defer mu.Unlock()
		what := "tap"
		if u.Message != nil {
			what = u.Message.Text
			busy++
			defer func() { busy-- }()
			if busy > 1 {
				t.Error("two messages of one chat at once")
			}
		}
		tries[what]++
		if what == "satu" && tries[what] < 4 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
			return
		}
		if r.Header.Get("X-Telegram-Bot-Api-Secret-Token") != "rahasia" {
			t.Error("no secret")
		}
		order += what + " "
	}))
	defer hook.Close()
	ask(t, s, "setWebhook", `{"url":"`+hook.URL+`","secret_token":"rahasia","allowed_updates":["message","callback_query"]}`)
	u := s.User("id")
	u.Send("satu")
	u.Send("dua")
	u.TapData(1, "x")
	u.Edit(1, "tidak diminta")
	for end := time.Now().Add(time.Minute); s.Pending() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("still pending:", s.Pending())
		}
	}
	mu.Lock()
	defer mu.Unlock()
	// The tap overtakes the text that is refused; the second text does not.
	if order != "tap satu dua " || tries["satu"] != 4 {
		t.Errorf("%q, %v", order, tries)
	}
	for _, d := range s.Bot().Deliveries() {
		if d.Status == 503 && d.RetryAfter != "1" {
			t.Errorf("%+v", d)
		}
	}
}

func TestTwoBotsAreStrangers(t *testing.T) {
	s := New(t)
	b := s.AddBot("kedua")
	u := s.User("id")
	u.Send("satu")
	u.With(b).Send("dua")
	if s.Bot().Pending() != 1 || b.Pending() != 1 || len(u.Messages()) != 1 || b.Token() == s.Token() {
		t.Errorf("%d and %d", s.Bot().Pending(), b.Pending())
	}
}

func TestWithoutATest(t *testing.T) {
	s := Start()
	defer s.Close()
	u := s.User("en")
	u.Send("x")
	defer func() {
		if recover() == nil {
			t.Error("a button that is not there was tapped")
		}
	}()
	u.Tap("no such button")
}
