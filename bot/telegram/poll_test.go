package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/telegram/telegramtest"
	"pulang/flows"
)

func TestPollTakesWhatPeopleDo(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := b.srv.User("id")
	u.Send("/start")
	b.poll(t)
	pin := u.Live(11.5, 104.9, time.Hour)
	u.Move(pin, 11.6, 104.9, time.Hour)
	u.StopLive(pin, 11.7, 104.9)
	b.hot.wait(t, "four updates", func() bool { return len(b.hot.got) == 4 })
	u.TapData(1, "v1:7f3a:safety_now:safe")
	u.Block()
	b.hot.wait(t, "a tap and a block", func() bool { return len(b.hot.got) == 6 && b.srv.Pending() == 0 })
	if got := fmt.Sprint(kinds(b.hot.got)); got != "[text location location location tap blocked]" && got != "[text location location location blocked tap]" {
		t.Error(got)
	}
	last := b.hot.got[3].Input
	if !last.Edit || !last.Location.Ended || last.Location.Lat != 11.7 || last.ID != fmt.Sprint(pin) {
		t.Errorf("the end of a live location: %+v %+v", last, last.Location)
	}
	if len(b.srv.Calls("answerCallbackQuery")) != 1 {
		b.hot.wait(t, "the tap's answer", func() bool { return len(b.srv.Calls("answerCallbackQuery")) == 1 })
	}
	if b.Username() != "pulang_test_bot" {
		t.Errorf("username %q", b.Username())
	}
}

func TestPollConfirmsOnlyWhatIsCommitted(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	down := errors.New("store down")
	b.hot.refuseWith(func(bot.Message) error { return down })
	var people []*telegramtest.User
	for range 30 {
		u := b.srv.User("id")
		u.Send("a")
		u.Send("b")
		people = append(people, u)
	}
	stop := b.poll(t)
	b.hot.wait(t, "tries while the store is down", func() bool { return b.hot.calls > 90 })
	if n := b.srv.Pending(); n != 60 {
		t.Fatalf("%d of 60 updates wait while nothing could be committed", n)
	}
	for _, c := range b.srv.Calls("getUpdates") {
		if c.Params.Int("offset") > 1000 { // the first update's id
			t.Fatalf("an offset of %d confirmed what was not committed", c.Params.Int("offset"))
		}
	}
	b.hot.refuseWith(nil)
	b.hot.wait(t, "all after the outage", func() bool { return len(b.hot.got) == 60 && b.srv.Pending() == 0 })
	for _, u := range people {
		if got := b.hot.texts(b.contact(u)); got != "a b" {
			t.Errorf("order of one person: %q", got)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(b.book.String(), "level=ERROR"); n != 1 {
		t.Errorf("an outage is an error once, not %d times", n)
	}
}

func TestPollGoesOnAfterAStopInTheMiddle(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.hot.refuseWith(func(bot.Message) error {
		once.Do(func() { close(entered); <-leave })
		return nil
	})
	b.srv.User("id").Send("a")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- b.Poll(ctx) }()
	<-entered
	cancel()
	select {
	case <-done:
		t.Fatal("Poll left an update under way")
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(b.hot.got) != 1 || b.srv.Pending() != 1 {
		t.Fatalf("%d committed, %d pending", len(b.hot.got), b.srv.Pending())
	}
	b.poll(t)
	b.hot.wait(t, "the confirmation of what was committed before", func() bool { return b.srv.Pending() == 0 })
	if len(b.hot.got) != 1 {
		t.Error("committed twice")
	}
}

func TestPoisonDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u, v := b.srv.User("id"), b.srv.User("id")
	u.Send("satu")
	poison := b.srv.Bot().Inject(fmt.Sprintf(`{"message":{"message_id":900,"chat":{"id":%d,"type":"private"},"date":1,"text":{"rahasia":1}}}`, u.ID()))
	b.srv.Bot().Inject(`{"message":{"message_id":900,"chat":{"id":"x"}}}`)
	u.Forward("dua", "from_the_future")
	v.Send("tiga")
	b.hot.refuseWith(func(m bot.Message) error {
		if m.Input.Text == "empat" {
			_ = []rune(m.Input.Text)[len(m.Input.Text)] // a programmer's mistake
		}
		return nil
	})
	v.Send("empat")
	v.Send("lima")
	b.poll(t)
	b.hot.wait(t, "everything else", func() bool {
		return b.hot.texts(b.contact(u)) == "satu dua" && b.hot.texts(b.contact(v)) == "tiga lima" && len(b.hot.aside) == 3 && b.srv.Pending() == 0
	})
	for _, a := range b.hot.aside {
		if a.Channel != "telegram" || a.Why == "" || len(a.Raw) == 0 || a.At.IsZero() || strings.Contains(a.Why, "rahasia") {
			t.Errorf("aside: %+v", a)
		}
		if a.ID == fmt.Sprintf("telegram:%s:u%d", b.Account(), poison) && a.Contact != b.contact(u) {
			t.Error("the broken update's person is not named")
		}
	}
	if n := b.hot.calls; n != 4+maxTries+3 {
		t.Errorf("%d calls of the hotline", n)
	}
	if strings.Contains(b.book.String(), "empat") || strings.Contains(b.book.String(), "rahasia") {
		t.Error("words of a person in the log")
	}
}

// The hotline recovers by itself, and says so with an error.
func TestARecoveredPanicIsPoisonToo(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.hot.refuseWith(func(bot.Message) error { return fmt.Errorf("handle: %w: %T", bot.ErrPanic, "x") })
	b.srv.User("id").Send("halo")
	b.poll(t)
	b.hot.wait(t, "putting aside on a quiet line", func() bool { return len(b.hot.aside) == 1 && b.srv.Pending() == 0 })
	if b.hot.calls != maxTries+1 {
		t.Errorf("%d calls", b.hot.calls)
	}
}

func TestAPanicThatPassesIsNoPoison(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	tries := 0
	b.hot.refuseWith(func(bot.Message) error {
		if tries++; tries < maxTries {
			panic("kata orang: tolong")
		}
		return nil
	})
	b.srv.User("id").Send("halo")
	b.poll(t)
	b.hot.wait(t, "the message", func() bool { return len(b.hot.got) == 1 && b.srv.Pending() == 0 })
	if len(b.hot.aside) != 0 || strings.Contains(b.book.String(), "tolong") {
		t.Errorf("aside %d; log %s", len(b.hot.aside), b.book)
	}
}

func TestWhatCannotBePutAsideComesAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.hot.noAside = errors.New("store down")
	b.srv.Bot().Inject(`{"message":"x"}`)
	b.poll(t)
	b.hot.wait(t, "several tries", func() bool { return b.hot.calls > 3 })
	if b.srv.Pending() != 1 {
		t.Fatal("confirmed although it is kept nowhere")
	}
	b.hot.set(func() { b.hot.noAside = nil })
	b.hot.wait(t, "putting aside", func() bool { return len(b.hot.aside) == 1 && b.srv.Pending() == 0 })
}

// One person whose message never can be committed must not stop the line: neither what is below it in the batch, nor
// for ever what is above.
func TestOneHopelessPersonDoesNotStopTheLine(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.PutAsideAfter = 300 * time.Millisecond })
	b.srv.Speed(60) // whoever asks for one offset twice within half a second gets one update only
	bad := b.srv.User("id")
	b.hot.refuseWith(func(m bot.Message) error {
		if m.From == b.contact(bad) {
			return errors.New("this state cannot be read")
		}
		return nil
	})
	bad.Send("x")
	b.poll(t)
	for i := range 150 { // more than a batch
		b.srv.User("id").Send(fmt.Sprint(i))
	}
	b.hot.wait(t, "everybody else, and the hopeless one put aside", func() bool {
		return len(b.hot.got) == 150 && len(b.hot.aside) == 1 && b.srv.Pending() == 0
	})
	if b.hot.aside[0].Contact != b.contact(bad) {
		t.Error("the wrong one was put aside")
	}
}

// While the store is down nothing is to blame but the store, however long it takes.
func TestAnOutageBlamesNoUpdate(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.PutAsideAfter = time.Millisecond })
	b.hot.refuseWith(func(bot.Message) error { return errors.New("store down") })
	for range 5 {
		b.srv.User("id").Send("a")
	}
	b.poll(t)
	b.hot.wait(t, "many tries", func() bool { return b.hot.calls > 5*(maxTries+3) })
	if len(b.hot.aside) != 0 || b.srv.Pending() != 5 {
		t.Errorf("%d aside, %d pending", len(b.hot.aside), b.srv.Pending())
	}
	b.hot.refuseWith(nil)
	b.hot.wait(t, "all", func() bool { return len(b.hot.got) == 5 })
}

func TestUpdateNumbersMayStartAgainLower(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := b.srv.User("id")
	b.longPoll = time.Second // an empty answer comes while the line is idle
	u.Send("satu")
	b.poll(t)
	b.hot.wait(t, "the first", func() bool { return len(b.hot.got) == 1 })
	before := len(b.srv.Calls("getUpdates"))
	b.hot.wait(t, "an idle poll", func() bool { return len(b.srv.Calls("getUpdates")) >= before+2 })
	b.srv.Bot().Renumber(17)
	u.Send("dua")
	b.hot.wait(t, "an update with a lower number", func() bool { return len(b.hot.got) == 2 })
}

func TestRepeatsAndTheirAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.srv.Copies(func(id int64) int { return int(id%5) + 1 })
	u := b.srv.User("id")
	u.Send("a")
	for i := range 20 {
		u.TapData(1, fmt.Sprintf("v1:7f3a:safety_now:%d", i))
	}
	b.poll(t)
	b.hot.wait(t, "each once, repeats drained", func() bool { return len(b.hot.got) == 21 && b.srv.Pending() == 0 && b.hot.calls > 40 })
	b.hot.wait(t, "each tap answered", func() bool { return len(b.srv.Calls("answerCallbackQuery")) >= 20 })
	b.Close()
	if n := len(b.srv.Calls("answerCallbackQuery")); n != 20 {
		t.Errorf("%d answers to 20 taps", n)
	}
}

func TestAnAnswerToATapIsNeverRepeated(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.srv.Fail("answerCallbackQuery", 1, 1, telegramtest.Fault{Code: 429, RetryAfter: 1})
	u := b.srv.User("id")
	b.hot.refuseWith(func(bot.Message) error { return errors.New("store down") })
	u.TapData(1, "v1:a:safety_now:safe")
	b.poll(t)
	b.hot.wait(t, "several tries of the tap", func() bool { return b.hot.calls > 5 })
	b.hot.refuseWith(nil)
	b.hot.wait(t, "the tap", func() bool { return len(b.hot.got) == 1 })
	if n := len(b.srv.Calls("answerCallbackQuery")); n != 1 {
		t.Errorf("answered %d times", n)
	}
}

func TestPollStopsForAWrongToken(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]telegramtest.Fault{
		"unknown":   {Code: 401, Description: "Unauthorized"},
		"malformed": {Code: 404, Description: "Not Found"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.srv.Fail("", 1, 1, fault)
			err := b.Poll(context.Background())
			if !errors.Is(err, ErrToken) || strings.Contains(err.Error(), b.srv.Token()) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("withdrawn while polling", func(t *testing.T) {
		b := newBench(t, nil)
		b.srv.Fail("getUpdates", 2, 1, telegramtest.Fault{Code: 401, Description: "Unauthorized"})
		b.srv.User("id").Send("a")
		if err := b.Poll(context.Background()); !errors.Is(err, ErrToken) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPollEndures(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]telegramtest.Fault{
		"another poller":      {Code: 409, Description: "Conflict: terminated by other getUpdates request"},
		"too many requests":   {Code: 429, RetryAfter: 1},
		"server error":        {Code: 500},
		"a proxy's page":      {Code: 502, Body: "<html>Bad Gateway</html>"},
		"a proxy's 404":       {Code: 404, Body: "<html>no such host</html>"},
		"a page that says ok": {Code: 200, Body: "<html>Sign in to the hotel's network</html>"},
		"dropped connection":  {Drop: true},
		"lost answer":         {Drop: true, After: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			for _, method := range []string{"getMe", "deleteWebhook", "getUpdates"} {
				b.srv.Fail(method, 1, 1, fault)
			}
			b.srv.User("id").Send("halo")
			b.poll(t)
			b.hot.wait(t, "the message", func() bool { return len(b.hot.got) == 1 && b.srv.Pending() == 0 })
			if fault.Code == 409 && !strings.Contains(b.book.String(), "only one may") {
				t.Error("the conflict was not named")
			}
		})
	}
}

func TestPollHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.srv.Fail("getUpdates", 1, 1, telegramtest.Fault{Code: 429, RetryAfter: 1})
	b.srv.User("id").Send("halo")
	start := time.Now()
	b.poll(t)
	b.hot.wait(t, "the message", func() bool { return len(b.hot.got) == 1 })
	if d := time.Since(start); d < time.Second {
		t.Errorf("asked again after %v", d)
	}
}

func TestPollRemovesAWebhookAndKeepsWhatWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	if err := b.RegisterWebhook(context.Background(), "http://127.0.0.1:1/hook", testSecret); err != nil {
		t.Fatal(err)
	}
	b.srv.User("id").Send("halo")
	b.poll(t)
	b.hot.wait(t, "the message", func() bool { return len(b.hot.got) == 1 })
	for _, c := range b.srv.Calls("deleteWebhook") {
		if c.Params.Bool("drop_pending_updates") {
			t.Error("waiting updates were dropped")
		}
	}
}

func TestPollAsksForWhatItReads(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.srv.User("id").Send("a")
	b.poll(t)
	b.hot.wait(t, "the message", func() bool { return len(b.hot.got) == 1 && len(b.srv.Calls("getUpdates")) > 0 })
	var allowed []string
	if err := b.srv.Calls("getUpdates")[0].Params.JSON("allowed_updates", &allowed); err != nil || fmt.Sprint(allowed) != "[message edited_message callback_query my_chat_member]" {
		t.Error(allowed, err)
	}
}

func TestOrderPerPersonInABatchOfMany(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	var mu sync.Mutex
	busy := map[bot.Contact]bool{}
	b.hot.refuseWith(func(m bot.Message) error {
		mu.Lock()
		if busy[m.From] {
			t.Error("two messages of one person at once")
		}
		busy[m.From] = true
		mu.Unlock()
		time.Sleep(time.Duration(len(m.Input.Text)%3) * time.Millisecond)
		mu.Lock()
		busy[m.From] = false
		mu.Unlock()
		return nil
	})
	var people []*telegramtest.User
	for range 10 {
		people = append(people, b.srv.User("id"))
	}
	var want []string
	for i := range 30 {
		want = append(want, fmt.Sprint(i))
		for _, u := range people {
			u.Send(fmt.Sprint(i))
			if i%5 == 0 {
				u.TapData(1, "v1:a:who_for:self")
			}
		}
	}
	b.poll(t)
	b.hot.wait(t, "all", func() bool { return len(b.hot.got) == 10*36 })
	for _, u := range people {
		var got []string
		for _, m := range b.hot.got {
			if m.From == b.contact(u) && m.Input.Kind == flows.KindText {
				got = append(got, m.Input.Text)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("order: %v", got)
		}
	}
}

// An update whose very number cannot be read has a place all the same, or it would come for ever.
func TestAnUpdateWithoutANumberHasItsPlace(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	batch := b.parseAll([]json.RawMessage{
		json.RawMessage(private("message", `"text":"a"`)), json.RawMessage(`{"update_id":"x"}`), json.RawMessage(`{"update_id":[]}`),
	}, 42)
	if _, _, err := b.acceptAll(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(batch[0].place, batch[1].place, batch[2].place); got != "42 43 44" {
		t.Error(got)
	}
	if len(b.hot.aside) != 2 || b.hot.aside[0].ID == b.hot.aside[1].ID {
		t.Errorf("aside: %+v", b.hot.aside)
	}
}
