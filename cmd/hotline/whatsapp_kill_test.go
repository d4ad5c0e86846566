package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/whatsapp"
	"pulang/bot/whatsapp/whatsapptest"
	"pulang/locales"
)

// The proofs over WhatsApp: the server is in the test and survives; the program is a child process that is killed.
// Full counts with PULANG_SOAK=1, a tenth otherwise.

// whatsappVictim is a `hotline serve` with a linked number, which is killed and started again on the same data.
func whatsappVictim(t *testing.T, srv *whatsapptest.Server, env ...string) *victim {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, dir: filepath.Join(dir, "data"), out: out, cmd: exec.Command(self)}
	v.env = append(environment(t, v.dir, "HOTLINE_MISSION="+exampleFile(t), childAt+"="+srv.Address(),
		"WHATSAPP=on", "WHATSAPP_VERSION=builtin", "WHATSAPP_RATE=500"), env...)
	t.Cleanup(v.bury)
	return v
}

var shownCode = regexp.MustCompile(`Code: (\S+)`)

// pair links the number by the code that `hotline whatsapp link` prints.
func (v *victim) pair(phone *whatsapptest.Account) {
	v.t.Helper()
	cmd := exec.Command(v.cmd.Path, "whatsapp", "link", "--phone", "+"+phone.Number())
	cmd.Env, cmd.Stderr = v.env, v.out
	var out lockedText
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	deadline(v.t, time.Minute, "a code to type", func() bool { return shownCode.MatchString(out.String()) })
	if err := phone.EnterCode(shownCode.FindStringSubmatch(out.String())[1]); err != nil {
		v.t.Error(err)
	}
	if err := <-ended; err != nil {
		v.t.Fatalf("link: %v %s", err, out.String())
	}
}

// writers lets people type their script, each in their own order, until all of it is said.
func writers(t *testing.T, phone *whatsapptest.Account, people []*whatsapptest.Citizen, pause time.Duration) *sync.WaitGroup {
	var writing sync.WaitGroup
	writing.Go(func() {
		for _, text := range script {
			for _, c := range people {
				c.Say(phone, text)
				wait(t.Context(), pause)
			}
		}
	})
	return &writing
}

func citizens(srv *whatsapptest.Server, n int) (out []*whatsapptest.Citizen) {
	for i := range n {
		c := srv.Citizen(fmt.Sprintf("+62 812 0000 1%02d", i))
		out = append(out, c.Shows(whatsapptest.Shows(i%4)))
	}
	return out
}

func TestWhatsAppKilledLosesNothing(t *testing.T) {
	needed.Program(t, "redis-server")
	t.Parallel()
	people, instants := 3, 10
	if os.Getenv("PULANG_SOAK") == "1" {
		people, instants = 25, 100
	}
	srv := whatsapptest.New(t)
	phone := srv.Account("+62 811 0000 001")
	v := whatsappVictim(t, srv)
	v.pair(phone)
	v.start()
	deadline(t, time.Minute, "the line", phone.Connected)

	all := citizens(srv, people)
	seed := rand.Uint64()
	chance := rand.New(rand.NewPCG(seed, 1))
	kills, drops := 0, 0
	writing := writers(t, phone, all, time.Duration(instants)*450*time.Millisecond/time.Duration(people*len(script)))
	// A line may also end around a message of the program: before WhatsApp has it, or after, when only the answer is lost.
	var cut atomic.Int32
	srv.Watch(func(st whatsapptest.Stanza) whatsapptest.Verdict {
		if st.ToUs && st.Node.Tag == "message" {
			time.Sleep(15 * time.Millisecond) // so that sends are under way when the end comes
			return whatsapptest.Verdict(cut.Swap(int32(whatsapptest.Pass)))
		}
		return whatsapptest.Pass
	})
	for i := range instants {
		wait(t.Context(), time.Duration(chance.IntN(900))*time.Millisecond)
		switch {
		case i%4 == 0:
			drops++
			phone.Drop()
			continue
		case i%2 == 0:
			drops++
			cut.Store(int32([]whatsapptest.Verdict{whatsapptest.Cut, whatsapptest.CutAfter}[chance.IntN(2)]))
			continue
		}
		kills++
		v.kill()
		v.start()
	}
	writing.Wait()
	deadline(t, 4*time.Minute, "every message taken", func() bool { v.revive(); return phone.PendingMessages() == 0 })
	t.Logf("soak: seed %d, %d messages, %d kills, %d drops", seed, people*len(script), kills, drops)
	examineWhatsApp(t, v, v.open(), phone, all)
}

// examineWhatsApp compares what the store and the people hold with what was said.
func examineWhatsApp(t *testing.T, v *victim, s *store.Store, phone *whatsapptest.Account, people []*whatsapptest.Citizen) {
	t.Helper()
	var files map[string]bot.CaseFile
	deadline(t, 4*time.Minute, "every reply sent", func() bool {
		v.revive()
		files = map[string]bot.CaseFile{}
		page, err := s.Queue(t.Context(), "kh", time.Now(), 10*len(people))
		if err != nil {
			return false
		}
		for _, item := range page.Items {
			f, err := s.Open(t.Context(), "kh", item.Case.Code, time.Now(), bot.Audit{})
			if err != nil {
				return false
			}
			files[f.Case.Contacts[0].Address] = f
			for _, e := range f.Entries {
				// A receipt that came between a send and a kill finds no sent row, and the repeat brings no other.
				if st := f.Rows[e.Row].State; e.Kind == "out" && st != bot.RowSent && st != bot.RowDelivered {
					return false
				}
			}
		}
		return len(page.Items) == len(people)
	})
	var own []string // the one line of an outage, and the channel's own words, are no reply and not on the case
	cat, err := locales.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range cat.Langs() {
		own = append(own, cat.Text(lang, "down.neutral", nil), cat.Text(lang, "whatsapp.send_again", nil))
	}
	// A phone that could not read a message asks for it again, and has it a little after WhatsApp took it.
	arrived := func() bool {
		for _, c := range people {
			come := map[string]bool{}
			for _, m := range c.Messages() {
				come[m.ID] = true
			}
			for _, e := range files[caseAddress(files, c)].Entries {
				if e.Kind == "out" && !come[whatsapp.MessageID(e.Row)] {
					return false
				}
			}
		}
		return true
	}
	for end := time.Now().Add(time.Minute); !arrived() && time.Now().Before(end); wait(t.Context(), 20*time.Millisecond) {
		v.revive()
	}
	like := files[slices.Sorted(maps.Keys(files))[0]].Case.Answers
	replies, repeats, again := 0, 0, 0
	for _, c := range people {
		f := files[caseAddress(files, c)]
		var said []string
		want := map[string]bool{}
		for _, e := range f.Entries {
			switch e.Kind {
			case "in":
				said = append(said, e.Input.Text)
			case "out":
				want[whatsapp.MessageID(e.Row)] = true
			}
		}
		if !slices.Equal(said, script) {
			t.Errorf("case %s: said %q", f.Case.Code, said)
		}
		for step, a := range like {
			if got := f.Case.Answers[step]; !slices.Equal(got.Values, a.Values) || got.Text != a.Text {
				t.Errorf("case %s: %s is %v %q, elsewhere %v %q", f.Case.Code, step, got.Values, got.Text, a.Values, a.Text)
			}
		}
		shown := map[string]int{}
		for _, m := range c.Messages() {
			if m.Copy == 0 {
				shown[m.ID]++
			} else {
				again++ // the phone had asked: a kill between two steps of the ratchet
			}
			if !want[m.ID] && shown[m.ID] < 2 && m.Copy == 0 && !slices.Contains(own, m.Text) {
				t.Errorf("case %s: a message that is no row's: %q", f.Case.Code, m.Text)
			}
			delete(want, m.ID)
		}
		for id, n := range shown {
			if n > 1 {
				t.Errorf("case %s: message %s was shown %d times", f.Case.Code, id, n)
			}
		}
		if len(want) > 0 {
			t.Errorf("case %s: %d replies never came; the phone could not read %v", f.Case.Code, len(want), c.Broken())
		}
		replies += len(c.Messages())
		repeats += c.Repeats()
	}
	t.Logf("soak: %d cases, %d replies; %d sent again under the same id, %d asked for again by the phone", len(files), replies, repeats, again)
	if n := phone.MostConnections(); n != 1 {
		t.Errorf("%d connections of one device at once", n)
	}
}

// caseAddress is the address under which a citizen's case is kept: the half that came first.
func caseAddress(files map[string]bot.CaseFile, c *whatsapptest.Citizen) string {
	if _, ok := files[c.LID().String()]; ok {
		return c.LID().String()
	}
	return c.JID().String()
}
