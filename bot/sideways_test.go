package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

// talk lets somebody say one thing after the other.
func (l *line) talk(who string, words ...string) {
	l.t.Helper()
	for _, w := range words {
		l.step++
		l.say(who, fmt.Sprint("t", l.step), w)
	}
}

// read is everything that somebody was sent, once n messages are there.
func (l *line) read(who string, n int) string {
	l.t.Helper()
	until(l.t, fmt.Sprint(n, " messages to ", who), func() bool { return len(l.phone.got(who)) >= n })
	var b strings.Builder
	for _, r := range l.phone.got(who) {
		b.WriteString(r.Out.Text + "\n")
	}
	return b.String()
}

// act is what an officer does to somebody's case at the desk.
func (l *line) act(who string, do func(c *casework.Case, ch *bot.Change)) {
	l.t.Helper()
	f := l.file(who)
	ch := bot.Change{Line: "kh", Request: fmt.Sprint("desk", l.step), Case: f.Case, CaseVer: f.Version}
	l.step++
	do(f.Case, &ch)
	f.Case.Rescore(l.now(), casework.DefaultRules())
	if _, err := l.store.Commit(l.t.Context(), ch); err != nil {
		l.t.Fatal(err)
	}
}

// A leader reports a group and is told its own code; members join with it, each with a case and a choice of their own.
// Nothing that a member says reaches the leader's phone, and a code that is none joins nobody.
func TestGroup(t *testing.T) {
	storetest.Both(t, store.Options{}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		l := newLine(t, s)
		l.talk("leader", "aman, kami 3 orang di bavet", "2", "0", "1", "1", "3", "2")
		leader := l.file("leader").Case
		if leader.Leads == "" || leader.Leads == leader.Code || leader.Group != "" {
			t.Fatalf("leads %q, member of %q", leader.Leads, leader.Group)
		}
		if got := l.read("leader", 7); strings.Count(got, leader.Leads) != 1 {
			t.Errorf("the leader is told the code %d times:\n%s", strings.Count(got, leader.Leads), got)
		}
		told := len(l.phone.got("leader"))

		l.talk("stranger", "gabung K7M-689-6A9")
		if c := l.file("stranger").Case; c.Group != "" {
			t.Errorf("a code that nobody has joins %q", c.Group)
		}
		l.talk("member", "gabung "+strings.ToLower(strings.ReplaceAll(leader.Leads, "-", " ")), "2", "rahasia di mondulkiri", "1", "3", "3")
		member := l.file("member").Case
		if member.Group != leader.Leads || member.Leads != "" || member.Code == leader.Code {
			t.Errorf("member of %q, leads %q, code %s", member.Group, member.Leads, member.Code)
		}
		if member.Safety != flows.Watched || member.Permission != flows.WaitForMe || leader.Permission != flows.TextOnly {
			t.Errorf("member %s, %s; leader %s", member.Safety, member.Permission, leader.Permission)
		}
		l.talk("leader", "status", "gabung", "menu")
		got := l.read("leader", told+3)
		for _, hidden := range []string{member.Code, "mondulkiri", "diawasi"} {
			if strings.Contains(strings.ToLower(got), strings.ToLower(hidden)) {
				t.Errorf("the leader was sent %q:\n%s", hidden, got)
			}
		}
		l.talk("late", "gabung "+leader.Code)
		if c := l.file("late").Case; c.Group != "" || strings.Contains(l.read("late", 1), leader.Leads) {
			t.Errorf("the leader's case code joins %q", c.Group)
		}
		items, _, err := s.Group(t.Context(), "kh", leader.Leads)
		if err != nil || len(items) != 2 {
			t.Errorf("%d cases in the group: %v", len(items), err)
		}
	})
}

// Nothing of a person of age goes to relatives without consent: STATUS tells a reporter that the report is there,
// until an officer has recorded that the person agrees.
func TestReporterIsToldNothing(t *testing.T) {
	storetest.Both(t, store.Options{}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		l := newLine(t, s)
		l.talk("mother", "anak saya di bavet, paspor ditahan bos", "1")
		l.act("mother", func(c *casework.Case, ch *bot.Change) {
			_, err := casework.SetStage(c, casework.StageArrived, "", "officer", l.now())
			if err != nil {
				t.Fatal(err)
			}
			if v := casework.MaySend(casework.Message{Kind: casework.KindStage, CreatedAt: l.now()}, c, l.now(), l.now(), casework.DefaultRules()); v.OK || v.Why != casework.HoldNoConsent {
				t.Errorf("news of the stage leaves: %+v", v)
			}
		})
		l.talk("mother", "status", "ubah", "2", "1", "status")
		if got := l.read("mother", 7); strings.Contains(got, "tiba di") {
			t.Errorf("the mother is told where her son is:\n%s", got)
		}
		l.act("mother", func(c *casework.Case, ch *bot.Change) {
			c.Apply(flows.Record{Step: flows.StepSubjectConsent, Answer: flows.Answer{Values: []flows.Value{flows.Yes}, By: "officer"}}, l.now(), casework.DefaultRules())
		})
		l.talk("mother", "status")
		if got := l.read("mother", 8); !strings.Contains(got, "tiba di") {
			t.Errorf("the recorded consent changes nothing:\n%s", got)
		}
	})
}

// The rescue packet: never asked without an officer; after the click the first item leaves only when a message may
// leave, and the answers are on the case.
func TestRescuePacket(t *testing.T) {
	clk := &clock{}
	storetest.Both(t, store.Options{Clock: clk.now}, func(t *testing.T, s *store.Store, _ redis.UniversalClient) {
		l := newLine(t, s, clk)
		start := func(who string) {
			l.act(who, func(c *casework.Case, ch *bot.Change) {
				if _, err := casework.StartRescue(c, "", "officer", l.now()); err == nil {
					t.Error("started without consent")
				}
				if _, err := casework.StartRescue(c, "setuju lewat chat", "officer", l.now()); err != nil {
					t.Fatal(err)
				}
				ch.Timers = append(ch.Timers, bot.Timer{Line: "kh", Name: flows.TimerRescue, At: l.now(),
					Contact: bot.Contact{Channel: "test", Account: "a", Address: who}})
			})
			if err := l.hot.FireTimers(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		// Who wrote just now is asked at once.
		l.talk("1", "halo", "2", "bavet", "2", "3", "1", "4821", "0")
		const before = 8 // messages up to the confirmation
		if got := l.read("1", before); strings.Contains(got, "Titik lokasi?") {
			t.Fatal("asked without an officer")
		}
		start("1")
		if got := l.read("1", before+1); !strings.HasSuffix(got, "Titik lokasi? 0 lewati\n") {
			t.Errorf("after the click:\n%s", got)
		}
		l.talk("1", "https://maps.google.com/?q=11.0712,106.1734", "lantai 4", "0", "0", "BUDI SANTOSO", "+6281234567890")
		done := 0
		for _, it := range casework.RescueList(l.file("1").Case) {
			if it.Done {
				done++
			}
			if it.Asked {
				t.Errorf("%s is still asked", it.Step)
			}
		}
		if done != 4 {
			t.Errorf("%d items are there", done)
		}

		// Who is watched and silent is not written to: the item comes behind the next message.
		l.talk("2", "halo", "2", "bavet", "2", "3", "1", "4821", "0")
		l.read("2", before)
		l.forward(time.Hour)
		start("2")
		if n := len(l.phone.got("2")); n != before {
			t.Errorf("%d messages after an hour of silence, %d before", n, before)
		}
		l.talk("2", "1")
		if got := l.read("2", before+1); !strings.HasSuffix(got, "Titik lokasi? 0 lewati\n") {
			t.Errorf("behind the next message:\n%s", got)
		}
	})
}

// A first message that is more than a greeting opens a case, also one that asks for silence, for no trace or for a fact.
func TestFirstMessages(t *testing.T) {
	s := storetest.Open(t, storetest.Redis(t, "--appendonly", "no").Client, store.Options{})
	l := newLine(t, s)
	for i, x := range []struct {
		words string
		opens bool
	}{
		{"halo", false}, {"/start", false}, {"BERHENTI", true}, {"HAPUS", true}, {"CEK 4821", true}, {"CEK", true},
		{"STATUS", true}, {"BAHASA", true}, {"LANJUT", true}, {"BARU", true}, {"MENU", true}, {"UBAH", true}, {"KEMBALI", true},
		{"LEWATI", true}, {"PETUGAS", true}, {"GABUNG", true}, {"SUDAH AMAN", true}, {"BAHAYA", true}, {"1", true}, {"hujan", true},
	} {
		who := fmt.Sprint("p", i)
		l.talk(who, x.words)
		snap, err := s.Load(t.Context(), "kh", bot.Contact{Channel: "test", Account: "a", Address: who}, "look")
		if err != nil || (snap.Case != nil) != x.opens {
			t.Errorf("%q opens a case: %v (%v)", x.words, snap.Case != nil, err)
		}
	}
}
