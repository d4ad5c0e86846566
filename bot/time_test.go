package bot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

// settled waits until every reply to who is sent and stored as sent: before the clock may be put forward, or what is
// under way would look like an ended lease and be sent again.
func (l *line) settled(who string) {
	l.t.Helper()
	until(l.t, "every reply to "+who+" stored as sent", func() bool {
		f := l.file(who)
		for _, e := range f.Entries {
			if e.Kind == "out" && f.Rows[e.Row].State != bot.RowSent {
				return false
			}
		}
		return true
	})
}

// timers lets due timers fire until the test is over.
func (l *line) timers() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = l.hot.RunTimers(ctx) }()
	l.t.Cleanup(func() { stop(); <-ended })
}

func TestUnreadP1GoesToStaffAfterOneFiveAndTenMinutes(t *testing.T) {
	clk := &clock{}
	s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
	l := newLine(t, s, clk)
	l.say("1", "u1", "tolong saya disekap di Bavet, nama saya Budi Santoso 081234567890")
	l.say("1", "u2", "3")
	if got := l.file("1").Case.Triage.Class; got != casework.P1 {
		t.Fatalf("class %s", got)
	}
	l.settled("1")
	l.timers()
	for i, minutes := range []string{"1", "5", "10"} {
		l.forward([]time.Duration{61 * time.Second, 4 * time.Minute, 5 * time.Minute}[i])
		until(t, "the alert after "+minutes+" minutes", func() bool { return len(l.phone.got("staff")) == i+1 })
		text := l.phone.got("staff")[i].Out.Text
		if !strings.Contains(text, minutes) || !strings.Contains(text, "P1") {
			t.Errorf("alert %q", text)
		}
		for _, personal := range []string{"Budi", "Bavet", "0812", "disekap", l.file("1").Case.Code} {
			if strings.Contains(text, personal) {
				t.Errorf("alert %q says %q", text, personal)
			}
		}
	}
}

func TestAReadP1IsNotAlarmedAbout(t *testing.T) {
	clk := &clock{}
	s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
	l := newLine(t, s, clk)
	l.say("1", "u1", "tolong, saya mau dibunuh")
	f := l.file("1")
	f.Case.MarkRead("sri", l.now().Add(time.Second))
	rules := l.hot.Lines["kh"].Mission.Rules()
	f.Case.Rescore(l.now(), rules)
	if _, err := s.Commit(t.Context(), bot.Change{Line: "kh", Request: "read", Case: f.Case, CaseVer: f.Version}); err != nil {
		t.Fatal(err)
	}
	l.settled("1")
	l.forward(11 * time.Minute)
	l.timers()
	l.say("2", "u1", "halo, saya mau tanya soal paspor hilang")
	until(t, "the other person's answer", func() bool { return len(l.phone.got("2")) == 1 })
	due, err := s.TakeTimers(t.Context(), "kh", l.now(), 10, time.Second)
	for err == nil && len(due) > 0 {
		due, err = s.TakeTimers(t.Context(), "kh", l.now(), 10, time.Second)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := l.phone.got("staff"); len(got) != 0 {
		t.Errorf("%d alerts for a case that was read", len(got))
	}
}

func TestTenMinutesOfSilenceAfterAGreetingMakeACase(t *testing.T) {
	clk := &clock{}
	s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
	l := newLine(t, s, clk)
	l.say("1", "u1", "halo")
	if l.state("1").Case != "" {
		t.Fatal("a bare greeting made a case")
	}
	l.timers()
	l.forward(9 * time.Minute)
	l.say("2", "u1", "halo") // a later greeting: its own ten minutes have not begun to run out
	l.forward(90 * time.Second)
	until(t, "the case", func() bool { return l.state("1").Case != "" })
	f := l.file("1")
	if len(f.Entries) == 0 || f.Entries[0].Input == nil || f.Entries[0].Input.Text != "halo" {
		t.Errorf("the greeting is not on the case: %+v", f.Entries)
	}
	if l.state("2").Case != "" {
		t.Error("the other greeting made a case too early")
	}
}

// After an outage in which taps may have been lost, who is safe is asked again at once; nobody else is.
func TestAskedAgainAfterAnOutage(t *testing.T) {
	clk := &clock{}
	s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
	l := newLine(t, s, clk)
	for who, answer := range map[string]string{"safe": "1", "watched": "2", "silent": ""} {
		l.say(who, "u1", "saya perlu bantuan")
		if answer != "" {
			l.say(who, "u2", answer)
		}
	}
	until(t, "the prompts", func() bool {
		return len(l.phone.got("safe")) == 2 && len(l.phone.got("watched")) == 2 && len(l.phone.got("silent")) == 1
	})
	for _, who := range []string{"safe", "watched", "silent"} {
		l.settled(who)
	}
	asker := bot.Asker{Hotline: l.hot, Beats: s}
	from := l.now()
	l.forward(5 * time.Minute)
	for range 2 { // a restart in the middle of asking asks nobody twice
		if err := asker.Gap(t.Context(), "kh", "a", from, l.now()); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the question again", func() bool { return len(l.phone.got("safe")) == 3 })
	again := l.phone.got("safe")[2]
	if again.Kind != "again" || len(again.Out.Buttons) == 0 {
		t.Errorf("asked again with %+v", again)
	}
	l.say("watched", "u3", "?")
	until(t, "an answer to the next message", func() bool { return len(l.phone.got("watched")) == 3 })
	if n := len(l.phone.got("silent")); n != 1 {
		t.Errorf("somebody whose safety is unknown was written to: %d", n)
	}
}

func TestBlockedPersonIsMarkedOnTheCase(t *testing.T) {
	clk := &clock{}
	s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
	l := newLine(t, s, clk)
	l.say("1", "u1", "saya di poipet")
	for _, k := range []struct {
		kind flows.Kind
		want bool
	}{{flows.KindBlocked, true}, {flows.KindUnblock, false}} {
		if err := l.hot.Handle(t.Context(), l.message("1", string(k.kind), flows.Input{Kind: k.kind})); err != nil {
			t.Fatal(err)
		}
		if got := l.file("1").Case.Contacts[0].Blocked; got != k.want {
			t.Errorf("after %s: blocked %v", k.kind, got)
		}
	}
}

// What is written on a closed case and turns out to be a new matter stands on the new case: the closed one does not come
// back for it.
func TestWordsOnAClosedCaseGoAlongIntoTheNewOne(t *testing.T) {
	clk := &clock{}
	s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
	l := newLine(t, s, clk)
	l.say("1", "u1", "aman, saya di phnom penh")
	err := l.desk("1", "close", func(c *casework.Case) bot.Change {
		if _, err := casework.Close(c, "returned", "sri", l.now()); err != nil {
			t.Error(err)
		}
		return bot.Change{}
	})
	if err != nil {
		t.Fatal(err)
	}
	old := l.file("1").Case.Code
	l.settled("1")
	l.forward(30 * 24 * time.Hour)
	l.say("1", "u2", "min saya di poipet lagi, paspor diambil bos")
	wrote := l.now()
	l.forward(5 * time.Minute)
	l.say("1", "u3", "2")
	f := l.file("1")
	if f.Case.Code == old || len(f.Entries) == 0 || f.Entries[0].Input == nil || !strings.Contains(f.Entries[0].Input.Text, "poipet") {
		t.Errorf("the new case does not begin with what was said: %+v", f.Entries)
	}
	if got := f.Case.Answers[flows.StepPassportStatus].Value(); got != "held_by_employer" {
		t.Errorf("passport %q", got)
	}
	if f.Case.CreatedAt.After(wrote) {
		t.Errorf("the clock starts at %v, the words came before %v", f.Case.CreatedAt, wrote)
	}
	l.forward(3 * 24 * time.Hour)
	if err := l.hot.FireTimers(t.Context()); err != nil {
		t.Fatal(err)
	}
	id, err := s.CaseID(t.Context(), "kh", old)
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err := s.LoadCase(t.Context(), "kh", id); err != nil || !c.Closed() {
		t.Errorf("the closed case came back, %v", err)
	}
}
