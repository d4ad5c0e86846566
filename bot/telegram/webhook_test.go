package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/telegram/telegramtest"
	"pulang/flows"
)

// listen serves the webhook and registers it.
func (b *bench) listen(t *testing.T) *httptest.Server {
	t.Helper()
	web := httptest.NewServer(b.Webhook())
	t.Cleanup(web.Close)
	if err := b.RegisterWebhook(context.Background(), web.URL+"/telegram", testSecret); err != nil {
		t.Fatal(err)
	}
	return web
}

func TestWebhookTakesWhatPeopleDo(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.listen(t)
	u := b.srv.User("id")
	u.Send("halo")
	u.Photo([]byte("x"), "paspor")
	u.TapData(1, "v1:a:safety_now:safe")
	b.hot.wait(t, "three updates", func() bool { return len(b.hot.got) == 3 && b.srv.Pending() == 0 })
	for _, d := range b.srv.Bot().Deliveries() {
		if d.Status != 200 || d.Body != "" {
			t.Errorf("answered %d %q", d.Status, d.Body)
		}
	}
	p := b.srv.Calls("setWebhook")[0].Params
	if p.Bool("drop_pending_updates") || p["allowed_updates"] != `["message","edited_message","callback_query","my_chat_member"]` {
		t.Errorf("registered with %v", p)
	}
}

func TestWebhookConfirmsOnlyWhatIsCommitted(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.srv.Speed(50)
	b.listen(t)
	b.hot.refuseWith(func(bot.Message) error { return errors.New("store down") })
	var people []*telegramtest.User
	for range 20 {
		u := b.srv.User("id")
		u.Send("a")
		u.Send("b")
		people = append(people, u)
	}
	b.hot.wait(t, "tries", func() bool { return b.hot.calls > 60 })
	if n := b.srv.Pending(); n != 40 {
		t.Fatalf("%d of 40 wait", n)
	}
	for _, d := range b.srv.Bot().Deliveries() {
		if d.Status != 503 || d.RetryAfter != "1" || d.Body != "" {
			t.Fatalf("answered %+v", d)
		}
	}
	b.hot.refuseWith(nil)
	b.hot.wait(t, "all", func() bool { return len(b.hot.got) == 40 && b.srv.Pending() == 0 })
	for _, u := range people {
		if got := b.hot.texts(b.contact(u)); got != "a b" {
			t.Errorf("order: %q", got)
		}
	}
	if n := strings.Count(b.book.String(), "level=ERROR"); n != 1 {
		t.Errorf("an outage is an error once, not %d times", n)
	}
}

func TestWebhookRepeatsAndPoison(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.srv.Speed(50)
	b.srv.Copies(func(id int64) int { return int(id%5) + 1 })
	b.hot.refuseWith(func(m bot.Message) error {
		if m.Input.Text == "13" {
			panic("x")
		}
		return nil
	})
	b.listen(t)
	u := b.srv.User("id")
	for i := range 20 {
		u.Send(fmt.Sprint(i))
	}
	b.srv.Bot().Inject(`{"message":[]}`)
	b.hot.wait(t, "each once", func() bool { return len(b.hot.got) == 19 && len(b.hot.aside) >= 2 && b.srv.Pending() == 0 })
	for _, d := range b.srv.Bot().Deliveries() {
		if d.Status != 200 {
			t.Fatalf("an update that cannot be handled was answered %d: it would come for a day", d.Status)
		}
	}
}

func TestATextAndATapOfOnePersonNeverOverlap(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	var mu sync.Mutex
	inside, overlaps := 0, 0
	b.hot.refuseWith(func(m bot.Message) error {
		mu.Lock()
		if inside++; inside > 1 {
			overlaps++
		}
		mu.Unlock()
		time.Sleep(2 * time.Millisecond) // what a commit takes: time for the other one to arrive
		mu.Lock()
		inside--
		mu.Unlock()
		return nil
	})
	b.listen(t)
	u := b.srv.User("id")
	for i := range 20 {
		u.Send(fmt.Sprint(i))
		u.TapData(1, fmt.Sprintf("v1:a:who_for:%d", i))
	}
	b.hot.wait(t, "all", func() bool { return len(b.hot.got) == 40 })
	if overlaps > 0 {
		t.Errorf("%d overlaps", overlaps)
	}
	next := map[flows.Kind]int{}
	for _, m := range b.hot.got {
		n := fmt.Sprint(next[m.Input.Kind])
		next[m.Input.Kind]++
		if m.Input.Kind == flows.KindText && m.Input.Text != n || m.Input.Kind == flows.KindTap && string(m.Input.Tap.Value) != n {
			t.Errorf("out of order: %+v", m.Input)
		}
	}
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	web := httptest.NewServer(b.Webhook())
	defer web.Close()
	body := private("message", `"text":"halo"`)
	for _, c := range []struct {
		name, method string
		secrets      []string
		body         string
		want         int
	}{
		{"right", "POST", []string{testSecret}, body, 200},
		{"no secret", "POST", nil, body, 401},
		{"empty secret", "POST", []string{""}, body, 401},
		{"wrong secret", "POST", []string{testSecret + "x"}, body, 401},
		{"the right one twice", "POST", []string{testSecret, testSecret}, body, 401},
		{"right and wrong", "POST", []string{testSecret, "x"}, body, 401},
		{"a beginning of it", "POST", []string{testSecret[:10]}, body, 401},
		{"GET", "GET", []string{testSecret}, "", 405},
		{"PUT", "PUT", []string{testSecret}, body, 405},
		{"too large", "POST", []string{testSecret}, `{"update_id":1,"x":"` + strings.Repeat("x", maxBody) + `"}`, 413},
		{"wrong secret and too large", "POST", []string{"x"}, strings.Repeat("x", maxBody+1), 401},
		{"not JSON, but from Telegram", "POST", []string{testSecret}, `{"update_id":`, 200},
		{"nothing, but from Telegram", "POST", []string{testSecret}, ``, 200},
	} {
		req, err := http.NewRequest(c.method, web.URL, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.secrets {
			req.Header.Add(secretHeader, s)
		}
		res, err := web.Client().Do(req)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != c.want || len(got) != 0 {
			t.Errorf("%s: %d %q, want %d and nothing", c.name, res.StatusCode, got, c.want)
		}
	}
	if len(b.hot.got) != 1 || len(b.hot.aside) != 2 {
		t.Errorf("%d messages, %d aside", len(b.hot.got), len(b.hot.aside))
	}
}

// watched notices whether the body was read.
type watched struct {
	io.Reader
	read bool
}

func (w *watched) Read(p []byte) (int, error) { w.read = true; return w.Reader.Read(p) }

// Requests without the one right secret store nothing, and their bodies are not even read.
func TestForgedRequestsStoreNothing(t *testing.T) {
	t.Parallel()
	n := 1_000
	if os.Getenv("PULANG_SOAK") == "1" {
		n = 10_000
	}
	b := newBench(t, nil)
	hook := b.Webhook()
	rng := rand.New(rand.NewPCG(1, 2))
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	for range n {
		guess := []byte(testSecret)
		switch rng.IntN(5) {
		case 0:
			guess[rng.IntN(len(guess))] ^= byte(1 + rng.IntN(255))
		case 1:
			guess = guess[:rng.IntN(len(guess))]
		case 2:
			guess = append(guess, letters[rng.IntN(len(letters))])
		case 3:
			guess = make([]byte, rng.IntN(300))
			for i := range guess {
				guess[i] = letters[rng.IntN(len(letters))]
			}
		}
		body := &watched{Reader: strings.NewReader(private("message", `"text":"palsu"`))}
		req := httptest.NewRequest(http.MethodPost, "/", body)
		switch rng.IntN(6) {
		case 0: // missing
		case 1:
			req.Header.Add(secretHeader, testSecret)
			req.Header.Add(secretHeader, string(guess))
		case 2:
			req.Header.Add(secretHeader, string(guess))
			req.Header.Add(secretHeader, testSecret)
		case 3:
			req.Header.Add("X-Telegram-Bot-Api-Secret", testSecret)
		default:
			if string(guess) == testSecret {
				guess = append(guess, 'x')
			}
			req.Header.Add(secretHeader, string(guess))
		}
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, req)
		if w.Code != http.StatusUnauthorized || w.Body.Len() != 0 || body.read {
			t.Fatalf("answered %d, body read: %v; headers %q", w.Code, body.read, req.Header)
		}
	}
	if b.hot.calls != 0 {
		t.Errorf("%d calls of the hotline", b.hot.calls)
	}
}

func TestNoSecretNoWebhook(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.Secret = "" })
	for _, secret := range []string{"", "x"} {
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(private("message", `"text":"x"`)))
		req.Header.Set(secretHeader, secret)
		w := httptest.NewRecorder()
		b.Webhook().ServeHTTP(w, req)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("secret %q: %d", secret, w.Code)
		}
	}
	for _, secret := range []string{"", "short", strings.Repeat("x", 257), "with spaces in it, long enough"} {
		if err := b.RegisterWebhook(context.Background(), "https://example.org/x", secret); err == nil || strings.Contains(err.Error(), "spaces in it") {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
}

func TestRegisterWebhookWaitsWhenReplicasAreAtIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.srv.Fail("setWebhook", 1, 1, telegramtest.Fault{Code: 429, RetryAfter: 1})
	if err := b.RegisterWebhook(context.Background(), "https://example.org/x", testSecret); err != nil {
		t.Error(err)
	}
	b.srv.Fail("getMe", 1, 1, telegramtest.Fault{Code: 401})
	if err := b.RegisterWebhook(context.Background(), "https://example.org/x", testSecret); !errors.Is(err, ErrToken) {
		t.Error(err)
	}
}

func TestWebhookFinishesWhatAClientGaveUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	entered := make(chan struct{})
	leave := make(chan struct{})
	b.hot.refuseWith(func(bot.Message) error { close(entered); <-leave; return nil })
	ctx, cancel := context.WithCancel(context.Background())
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(private("message", `"text":"halo"`)))
	req.Header.Set(secretHeader, testSecret)
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() { defer close(done); b.Webhook().ServeHTTP(w, req) }()
	<-entered
	cancel()
	close(leave)
	<-done
	if w.Code != http.StatusOK || len(b.hot.got) != 1 {
		t.Errorf("%d, %d committed", w.Code, len(b.hot.got))
	}
}

func TestAHandlerThatHangsIsBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) {
		o.HandleTimeout = 20 * time.Millisecond
		o.Handler = hanging{}
	})
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(private("message", `"text":"halo"`)))
	req.Header.Set(secretHeader, testSecret)
	w := httptest.NewRecorder()
	b.Webhook().ServeHTTP(w, req)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// hanging is a Handler whose store never answers.
type hanging struct{}

func (hanging) Handle(ctx context.Context, _ bot.Message) error { <-ctx.Done(); return ctx.Err() }

func (hanging) SetAside(ctx context.Context, _ string, _ bot.Aside) error {
	<-ctx.Done()
	return ctx.Err()
}
