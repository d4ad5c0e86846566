package bot_test

import (
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

// A closed case goes by age: the references to files after 30 days, what was said after 180, all of it after two years,
// each to the day and with a row in the audit log. What is open, or under a legal hold, stays whole; a hold that is
// lifted lets go at once what is long due.
func TestAClosedCaseGoesByAge(t *testing.T) {
	const day = 24 * time.Hour
	clk := &clock{}
	s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
	l := newLine(t, s, clk)
	l.hot.Retain = s
	acts := 0
	desk := func(who string, act func(c *casework.Case) []casework.Event) {
		t.Helper()
		acts++
		rules := l.hot.Lines["kh"].Mission.Rules()
		err := l.desk(who, "act"+string(rune('a'+acts)), func(c *casework.Case) bot.Change {
			ch := bot.Change{Entries: []bot.Entry{{At: l.now(), Kind: "note", Text: "catatan petugas", By: "sri"}}}
			act(c)
			for _, name := range casework.TimerNames {
				ch.Timers = append(ch.Timers, bot.Timer{Line: "kh", Name: name, CaseID: c.ID})
			}
			for _, x := range casework.Timers(c, l.now(), rules) {
				ch.Timers = append(ch.Timers, bot.Timer{Line: "kh", Name: x.Name, CaseID: c.ID, At: x.At})
			}
			return ch
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	closed := func(c *casework.Case) []casework.Event {
		events, err := casework.Close(c, "self_resolved", "sri", l.now())
		if err != nil {
			t.Error(err)
		}
		return events
	}
	hold := func(reason string) func(c *casework.Case) []casework.Event {
		return func(c *casework.Case) []casework.Event {
			events, err := casework.SetHold(c, reason, "sri", l.now())
			if err != nil {
				t.Error(err)
			}
			return events
		}
	}
	for _, who := range []string{"closed", "held", "open"} {
		l.say(who, "u1", "tolong, paspor saya ditahan bos di bavet")
		if err := l.hot.Handle(t.Context(), l.message(who, "u2", flows.Input{Kind: flows.KindMedia, Text: "ini paspornya",
			Media: &flows.Media{Kind: "photo", Ref: "ref-of-" + who, Name: "paspor.jpg", Bytes: 1000}})); err != nil {
			t.Fatal(err)
		}
		l.settled(who)
	}
	desk("closed", closed)
	desk("held", closed)
	desk("held", hold("perkara"))
	code := l.file("closed").Case.Code
	// what is left of a case: references to files, words, notes
	left := func(who string) (refs, said, notes int) {
		t.Helper()
		for _, e := range l.file(who).Entries {
			switch {
			case e.Kind == "note":
				notes++
			case e.Kind == "in" || e.Kind == "out":
				said++
			}
			if e.Input != nil && e.Input.Media != nil && (e.Input.Media.Ref != "" || e.Input.Media.Name != "") {
				refs++
			}
		}
		return refs, said, notes
	}
	fire := func() {
		t.Helper()
		if err := l.hot.FireTimers(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	whole := func(who string) {
		t.Helper()
		if refs, said, _ := left(who); refs != 1 || said < 3 {
			t.Errorf("%s: %d references, %d entries", who, refs, said)
		}
	}
	l.forward(30*day - time.Minute)
	fire()
	whole("closed")
	l.forward(time.Minute)
	fire()
	if refs, said, notes := left("closed"); refs != 0 || said < 3 || notes != 1 {
		t.Errorf("after 30 days: %d references, %d entries, %d notes", refs, said, notes)
	}
	l.forward(150*day - time.Minute)
	fire()
	if _, said, _ := left("closed"); said < 3 {
		t.Errorf("before 180 days: %d entries", said)
	}
	l.forward(time.Minute)
	fire()
	if refs, said, notes := left("closed"); refs != 0 || said != 0 || notes != 1 || len(l.file("closed").Case.Answers) == 0 {
		t.Errorf("after 180 days: %d references, %d entries, %d notes", refs, said, notes)
	}
	whole("held")
	l.forward(550*day - time.Minute)
	fire()
	if _, err := s.Open(t.Context(), "kh", code, l.now(), bot.Audit{}); err != nil {
		t.Errorf("before two years: %v", err)
	}
	l.forward(time.Minute)
	fire()
	if _, err := s.Open(t.Context(), "kh", code, l.now(), bot.Audit{}); err == nil {
		t.Error("the case is there after two years")
	}
	whole("held")
	whole("open")
	id := l.file("held").Case.ID
	if err := s.Erase(t.Context(), "kh", id); err == nil || !strings.Contains(err.Error(), "legal hold") {
		t.Errorf("erased under a hold: %v", err)
	}
	desk("held", hold(""))
	fire()
	if _, _, err := s.LoadCase(t.Context(), "kh", id); err == nil {
		t.Error("the hold was lifted, and nothing went")
	}
	log, err := s.AuditLog(t.Context(), "kh", 100)
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, a := range log {
		if a.What == "retention" && a.Code == code {
			steps = append(steps, a.Field)
		}
	}
	if strings.Join(steps, " ") != "case chat files" {
		t.Errorf("audit log: %v", steps)
	}
}

// What was to be said and was not goes with the chat: whoever writes again long after gets no message of a year ago, and
// nothing of it is left.
func TestHeldRowsGoWithTheChat(t *testing.T) {
	const day = 24 * time.Hour
	clk := &clock{}
	s := storetest.Open(t, storetest.Mini(t), store.Options{Clock: clk.now})
	l := newLine(t, s, clk)
	l.hot.Retain = s
	rules := l.hot.Lines["kh"].Mission.Rules()
	l.say("1", "u1", "saya sedang diawasi di bavet")
	l.settled("1")
	l.forward(time.Hour)
	l.act("1", func(c *casework.Case, ch *bot.Change) {
		to := bot.ContactOf(c.Contacts[0])
		ch.Rows = []bot.Row{{ID: "01OLD", Line: "kh", To: to, CaseID: c.ID, Lane: bot.LaneOfficer, Kind: casework.KindOfficer, State: bot.RowQueued,
			CreatedAt: l.now(), Out: bot.Outgoing{Text: "Besok kami jemput"}}}
		ch.Entries = []bot.Entry{{ID: "01OLD", At: l.now(), Kind: "out", Text: "Besok kami jemput", Row: "01OLD", Contact: to.Tag()}}
	})
	until(t, "the held row", func() bool { return l.file("1").Rows["01OLD"].State == bot.RowHeld })
	l.act("1", func(c *casework.Case, ch *bot.Change) {
		if _, err := casework.Close(c, "lost_contact", "sri", l.now()); err != nil {
			t.Fatal(err)
		}
		ch.Timers = timersOf(c, l.now(), rules)
	})
	id := l.file("1").Case.ID
	for _, d := range []time.Duration{31 * day, 150 * day} {
		// The case changed, so the relay asks again whether the row may leave: for that moment it is not held.
		until(t, "the row that is held until its time", func() bool {
			n, err := s.Letters(t.Context(), "kh", bot.RowHeld, 10)
			return err == nil && len(n) == 1
		})
		l.forward(d)
		if err := l.hot.FireTimers(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if f := l.file("1"); f.Case.ID != id || f.Case.Faded != casework.FadeChat || len(f.Rows) > 0 && f.Rows["01OLD"].State != "" {
		t.Errorf("faded %v, rows %v", f.Case.Faded, f.Rows["01OLD"])
	}
	if n, err := s.Letters(t.Context(), "kh", "", 10); err != nil || len(n) != 0 {
		t.Errorf("%d letters, %v", len(n), err)
	}
	told := len(l.phone.got("1"))
	l.say("1", "u2", "halo, saya mau tanya lagi")
	until(t, "an answer", func() bool { return len(l.phone.got("1")) > told })
	for _, r := range l.phone.got("1") {
		if strings.Contains(r.Out.Text, "jemput") {
			t.Error("the message of half a year ago left")
		}
	}
}
