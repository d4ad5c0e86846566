package store_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

// aof is everything in the files of a data directory, the log included.
func aof(t testing.TB, dir string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		raw, err := os.ReadFile(path)
		if os.IsNotExist(err) { // a rewrite takes files away
			return nil
		}
		all = append(all, raw...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func contactsOf(c bot.Contact) []casework.Contact {
	return []casework.Contact{{Channel: c.Channel, Account: c.Account, Address: c.Address}}
}

// TestNothingPersonalInRedis plants strings in every place that holds something personal and looks for them in the
// append-only file, the dump, the log and every key name.
func TestNothingPersonalInRedis(t *testing.T) {
	srv := storetest.Redis(t, "--auto-aof-rewrite-percentage", "0")
	now := atNoon()
	s := storetest.Open(t, srv.Client, store.Options{Clock: now.Now})
	n := 0
	var planted []string
	plant := func(what string) string {
		n++
		p := fmt.Sprintf("Planted%02dof%s", n, what)
		planted = append(planted, p)
		return p
	}
	who := bot.Contact{Channel: "whatsapp", Account: "kh", Address: plant("Address")}
	phone, passport, nik := "+855719876543", "X7654321", "3174098765432101"
	planted = append(planted, phone, phone[1:], passport, nik, "KolamRenang")

	c := turn(who, plant("Request"), bot.Snapshot{})
	c.State.Case = "K7M4-692Q"
	c.State.Answers = map[flows.StepID]flows.Answer{"full_name": {Text: plant("Name")}}
	c.State.Memo = map[string]string{"place": plant("Memo")}
	c.State.Heard = []flows.Heard{{Input: flows.Input{Text: plant("Heard"), At: noon}}}
	cs := aCase("c1", "K7M4-692Q")
	cs.Contacts = contactsOf(who)
	cs.Answers = map[flows.StepID]flows.Answer{
		"full_name":           {Text: plant("CaseName")},
		"callback_number":     {Text: phone, Norm: phone},
		"passport_copy":       {Text: "nomor " + passport},
		"id_proof":            {Text: "NIK " + nik},
		"code_word":           {Text: plant("CodeWord")},
		flows.StepUrgentNeeds: {Values: []flows.Value{"female_officer"}},
	}
	cs.Locations = []flows.Location{{Kind: "place_text", Text: plant("Location"), Place: "KolamRenang", At: noon}}
	cs.Signals = map[string]casework.Signal{"self_harm": {Words: plant("Signal"), At: noon}}
	cs.Attempts = []casework.Attempt{{ID: "a", Note: plant("Note"), At: noon}}
	c.Case = cs
	in := flows.Input{Kind: flows.KindText, ID: "wamid1", Text: plant("Words"), At: noon}
	c.Entries = []bot.Entry{{ID: "e1", Kind: "in", Input: &in, Text: plant("Entry")}}
	r := row("r1", who)
	r.CaseID, r.Out.Text, r.Force = "c1", plant("Reply"), plant("Force")
	c.Rows = []bot.Row{r}
	c.Timers = []bot.Timer{{Name: "nudge", Contact: who, At: noon}}
	c.Audit = []bot.Audit{{At: noon, Who: plant("Officer"), What: "open", Purpose: plant("Purpose")}}
	done := commit(t, s, c)

	// every way of a row, with the same content
	x := done.Mine[0]
	x.State, x.Why = bot.RowHeld, "outside_window"
	finish(t, s, noon, bot.Sent{Row: x, CaseVer: 1, LastIn: noon})
	w := turn(who, plant("Request"), load(t, s, who, "?"))
	commit(t, s, w)
	rows, err := s.Take(ctx, "kh", "kh", noon, 1, bot.LaneBroadcast, time.Minute)
	if err != nil || len(rows) != 1 || rows[0].Row.Out.Text != r.Out.Text {
		t.Fatal(rows, err)
	}
	x = rows[0].Row
	x.State, x.Why = bot.RowFailed, "gone"
	finish(t, s, noon, bot.Sent{Row: x, Blocked: true})
	if err := s.SetAside(ctx, "kh", bot.Aside{ID: "x", At: noon, Contact: who, Why: "broken", Raw: []byte(plant("Raw"))}); err != nil {
		t.Fatal(err)
	}

	for _, k := range srv.Client.Keys(ctx, "*").Val() {
		for _, p := range planted {
			if strings.Contains(strings.ToLower(k), strings.ToLower(p)) {
				t.Errorf("a key name holds %s", p)
			}
		}
	}
	look := func(where string) {
		all := bytes.ToLower(aof(t, srv.Dir))
		if len(all) < 1000 {
			t.Fatal("nothing was written")
		}
		for _, p := range planted {
			if bytes.Contains(all, bytes.ToLower([]byte(p))) {
				t.Errorf("%s holds %s", where, p)
			}
		}
	}
	look("the append-only file")
	if err := srv.Client.Save(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	look("the dump")
	if len(planted) < 20 {
		t.Fatal("planted only", len(planted))
	}
	if got := dump(t, srv.Client); strings.Contains(strings.ToLower(got), "planted") {
		t.Error("a value holds something planted")
	}
}
