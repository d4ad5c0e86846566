package telegram

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/telegram/telegramtest"
)

// clock is a clock that only moves when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// gaps collects what OnGap was told.
type gaps struct {
	mu  sync.Mutex
	got []time.Duration
}

func (g *gaps) tell(from, to time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got = append(g.got, to.Sub(from))
}

func (g *gaps) list() []time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]time.Duration(nil), g.got...)
}

func gapBench(t *testing.T) (*bench, *clock, *gaps) {
	c, g := &clock{now: time.Now()}, &gaps{}
	return newBench(t, func(o *Options) { o.Now, o.OnGap = c.Now, g.tell }), c, g
}

func TestPollTellsOfAGap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		store bool // the store fails, else Telegram
		d     time.Duration
		want  int
	}{
		{"store down for three minutes", true, 3 * time.Minute, 1},
		{"Telegram out of reach for three minutes", false, 3 * time.Minute, 1},
		{"a short trouble", true, 100 * time.Second, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, clock, gaps := gapBench(t)
			u := b.srv.User("id")
			u.Send("satu")
			b.poll(t)
			b.hot.wait(t, "the first", func() bool { return len(b.hot.got) == 1 && b.srv.Pending() == 0 })
			if c.store {
				b.hot.refuseWith(func(bot.Message) error { return errors.New("down") })
			} else {
				b.srv.Fail("getUpdates", 1, 1000, telegramtest.Fault{Code: 500})
			}
			u.Send("dua")
			failed := func() bool { b.health.mu.Lock(); defer b.health.mu.Unlock(); return !b.health.h.LastFail.IsZero() }
			b.hot.wait(t, "a failure", failed)
			clock.add(c.d)
			b.hot.refuseWith(nil)
			b.srv.Heal()
			b.hot.wait(t, "the second", func() bool { return len(b.hot.got) == 2 })
			b.hot.wait(t, "the end of the trouble", func() bool { return strings.Contains(b.book.String(), "accepted again") })
			got := gaps.list()
			if len(got) != c.want || c.want == 1 && got[0] < c.d {
				t.Errorf("gaps %v", got)
			}
		})
	}
}

func TestWebhookTellsOfAGap(t *testing.T) {
	t.Parallel()
	b, clock, gaps := gapBench(t)
	hook := b.Webhook()
	post := func(text string, sent time.Time) int {
		body := strings.Replace(private("message", `"text":"`+text+`"`), `"date":1768894000`, fmt.Sprintf(`"date":%d`, sent.Unix()), 1)
		body = strings.Replace(body, `"update_id":42`, fmt.Sprintf(`"update_id":%d`, len(text)+100), 1)
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		req.Header.Set(secretHeader, testSecret)
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, req)
		return w.Code
	}
	want := func(n int) {
		t.Helper()
		if got := gaps.list(); len(got) != n {
			t.Fatalf("gaps %v, want %d", got, n)
		}
	}
	post("a", clock.Now())
	clock.add(3 * time.Hour) // nobody writes: no gap
	post("bb", clock.Now())
	want(0)

	b.hot.refuseWith(func(bot.Message) error { return errors.New("down") })
	sent := clock.Now()
	if code := post("ccc", sent); code != 503 {
		t.Fatal(code)
	}
	clock.add(10 * time.Minute)
	b.hot.refuseWith(nil)
	if code := post("ccc", sent); code != 200 {
		t.Fatal(code)
	}
	want(1)
	if got := gaps.list()[0]; got != 10*time.Minute {
		t.Errorf("gap of %v", got)
	}
	post("dddd", sent.Add(time.Minute)) // also of that time: known
	want(1)

	// The way to us was cut: nothing failed here, but what arrives is old. It is told once.
	clock.add(time.Hour)
	post("eeeee", clock.Now().Add(-5*time.Minute))
	post("ffffff", clock.Now().Add(-4*time.Minute))
	want(2)
	post("ggggggg", clock.Now())
	want(2)
}
