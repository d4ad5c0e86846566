package whatsapp

import (
	"errors"
	"io"
	"strings"
	"testing"

	"pulang/bot"
	"pulang/bot/whatsapp/whatsapptest"
	"pulang/flows"
)

func TestConversationOverTheWire(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	id := budi.Say(r.number, "halo")
	m := r.keeper.wait(t, 1)[0]
	if m.Input.Kind != flows.KindText || m.Input.Text != "halo" || m.Input.ID != id || m.Line != "kh" {
		t.Fatalf("got %+v", m.Input)
	}
	if m.From.Channel != Name || m.From.Account != "wa-kh" || m.From.Address != budi.LID().String() {
		t.Fatal("the person's address is not the LID")
	}
	budi.WaitAccepted(id)
	budi.WaitReadBy(id)

	sent, err := r.send(m.From, "01ROW", "Selamat datang\n\n1. Aman")
	if err != nil {
		t.Fatal(err)
	}
	got := budi.WaitFor("Selamat datang")
	if got.ID != sent || sent != MessageID("01ROW") || got.Text != "Selamat datang\n\n1. Aman" {
		t.Fatalf("got %q as %q", got.Text, got.ID)
	}
	budi.Read(r.number, sent)
	until(t, "the receipts", func() bool {
		var delivered, read bool
		r.keeper.set(func() {
			for _, s := range r.keeper.receipts[sent] {
				delivered, read = delivered || s == bot.RowDelivered, read || s == bot.RowRead
			}
		})
		return delivered && read
	})

	// The same row again, as after a lost answer: the phone recognises it.
	if again, err := r.send(m.From, "01ROW", "Selamat datang\n\n1. Aman"); err != nil || again != sent {
		t.Fatalf("again: %q, %v", again, err)
	}
	until(t, "the repeat", func() bool { return budi.Repeats() == 1 })
	for _, secret := range []string{budi.Number(), budi.LID().User, "halo", "Selamat"} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

func TestNumberAndLIDAreOnePerson(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second whatsapptest.Shows
	}{
		{"number first", whatsapptest.OnlyNumber, whatsapptest.BothByNumber},
		{"hidden first", whatsapptest.OnlyLID, whatsapptest.BothByLID},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil).link().start().up()
			siti := r.srv.Citizen("+62 812 0000 003")
			siti.Shows(c.first).Say(r.number, "satu")
			siti.Shows(c.second).Say(r.number, "dua")
			siti.Shows(whatsapptest.OnlyNumber).Say(r.number, "tiga")
			siti.Shows(whatsapptest.OnlyLID).Say(r.number, "empat")
			all := r.keeper.wait(t, 4)
			for _, m := range all[1:] {
				if m.From != all[0].From {
					t.Error("one person, two contacts")
				}
			}
			if _, err := r.send(all[0].From, "01R", "jawaban"); err != nil {
				t.Fatal(err)
			}
			siti.WaitFor("jawaban")
		})
	}
}

func TestRefusedWhileTheStoreIsDown(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi, siti := r.srv.Citizen("+62 812 0000 002"), r.srv.Citizen("+62 812 0000 003")
	r.keeper.set(func() { r.keeper.down = true })
	var ids []string
	for _, s := range []string{"a", "b", "c"} {
		ids = append(ids, budi.Say(r.number, s), siti.Say(r.number, s))
	}
	until(t, "a refusal", func() bool { return r.c.Health().State == Refusing })
	for _, id := range ids {
		if len(append(budi.Receipts(id), siti.Receipts(id)...)) > 0 {
			t.Fatal("acknowledged what was not stored")
		}
	}
	if n := r.number.PendingMessages(); n != 6 {
		t.Fatalf("%d messages wait at the server, want 6", n)
	}
	r.keeper.set(func() { r.keeper.down = false })
	all := r.keeper.wait(t, 6)
	order := map[string]string{}
	for _, m := range all {
		order[m.From.Address] += m.Input.Text
	}
	if order[budi.LID().String()] != "abc" || order[siti.LID().String()] != "abc" {
		t.Fatalf("order: %q", order)
	}
	until(t, "acknowledgements", func() bool { return r.number.PendingMessages() == 0 })
}

func TestPanicIsARefusal(t *testing.T) {
	r := newRig(t, nil)
	first := true
	r.keeper.hook = func(m bot.Message) error {
		if m.Input.Text == "always" {
			return bot.ErrPanic
		}
		if first {
			first = false
			panic("once")
		}
		return nil
	}
	r.link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	budi.Say(r.number, "once")
	if m := r.keeper.wait(t, 1)[0]; m.Input.Text != "once" {
		t.Fatalf("got %q", m.Input.Text)
	}
	budi.Say(r.number, "always")
	budi.Say(r.number, "after")
	if m := r.keeper.wait(t, 2)[1]; m.Input.Text != "after" {
		t.Fatalf("got %q", m.Input.Text)
	}
	r.keeper.set(func() {
		if len(r.keeper.asides) != 1 || r.keeper.asides[0].Contact.Address != budi.LID().String() || len(r.keeper.asides[0].Raw) == 0 {
			t.Error("what always panics was not put aside")
		}
	})
}

func TestRestartBetweenMessages(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	budi.Say(r.number, "satu")
	from := r.keeper.wait(t, 1)[0].From
	sent, err := r.send(from, "01R", "sebelum")
	if err != nil {
		t.Fatal(err)
	}
	budi.WaitFor("sebelum")
	r.end()
	r.number.WaitGone()
	budi.Say(r.number, "dua")
	r.start().up()
	if m := r.keeper.wait(t, 2)[1]; m.Input.Text != "dua" || m.From != from {
		t.Fatalf("got %+v", m)
	}
	// The phone could not decrypt what was sent before the restart.
	budi.AskAgain(r.number, sent)
	until(t, "the copy", func() bool {
		for _, m := range budi.Messages() {
			if m.ID == sent && m.Copy > 0 && m.Text == "sebelum" {
				return true
			}
		}
		return false
	})
}

func TestSendErrors(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	budi.Say(r.number, "halo")
	from := r.keeper.wait(t, 1)[0].From
	var se *bot.SendError
	if _, err := r.send(from, "1", " "); !errors.As(err, &se) || se.Do != bot.SendBad || se.Why != whyEmpty {
		t.Errorf("empty: %v", err)
	}
	if _, err := r.send(bot.Contact{Channel: Name, Account: "wa-kh", Address: "not an address"}, "1", "x"); !errors.As(err, &se) || se.Do != bot.SendBad {
		t.Errorf("address: %v", err)
	}
	r.number.RefuseSends(1, 400)
	if _, err := r.send(from, "2", "x"); !errors.As(err, &se) || se.Do != bot.SendBad {
		t.Errorf("400: %v", err)
	}
	r.number.RefuseSends(1, 463)
	if _, err := r.send(from, "3", "x"); !errors.As(err, &se) || se.Do != bot.SendRetry || !se.Account || se.After < leastHold {
		t.Errorf("463: %v", err)
	}
	if a := <-r.alarms; a != AlarmRestricted {
		t.Errorf("alarm %q", a)
	}
	if !r.c.Idle() {
		t.Error("sends on after 463")
	}
	if _, err := r.send(from, "4", "x"); !errors.As(err, &se) || se.Why != whyRestricted {
		t.Errorf("while restricted: %v", err)
	}
}

func TestMediaOverTheWire(t *testing.T) {
	r := newRig(t, nil).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	photo := []byte("\x89PNG\r\n\x1a\n and so on")
	budi.Image(r.number, photo, "paspor")
	m := r.keeper.wait(t, 1)[0]
	if m.Input.Media == nil || m.Input.Media.Kind != "photo" || m.Input.Text != "paspor" {
		t.Fatalf("got %+v", m.Input)
	}
	if r.srv.Downloads() != 0 {
		t.Error("downloaded before anybody asked")
	}
	f, kind, err := r.c.File(t.Context(), m.Input.Media.Ref)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err != nil || string(got) != string(photo) || kind != "image/png" {
		t.Errorf("%q as %s, %v", got, kind, err)
	}
	r.srv.FailMedia(1, 410)
	if _, err := r.c.Open(t.Context(), m.Input.Media.Ref); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("gone: %v", err)
	}
	r.srv.SwellMedia(MaxFile)
	if _, err := r.c.Open(t.Context(), m.Input.Media.Ref); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("swollen: %v", err)
	}
	if strays := r.srv.Strays(); len(strays) > 0 {
		t.Errorf("asked %v", strays)
	}
}

func TestCallsEditsAndGroups(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Words.TextOnly = "tulis saja" }).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	id := budi.Say(r.number, "satu")
	budi.Edit(r.number, id, "dua")
	budi.Say(r.number, "di grup", whatsapptest.InGroup("120363000000000001@g.us"))
	budi.React(r.number, id, "👍")
	call := budi.Call(r.number)
	budi.WaitTurnedAway(call)
	budi.WaitFor("tulis saja")
	all := r.keeper.wait(t, 3)
	if len(all) != 3 || all[1].Input.Text != "dua" || !all[1].Input.Edit || all[1].Input.ID != id || all[1].UpdateID == all[0].UpdateID {
		t.Fatalf("got %+v", all)
	}
	if all[2].Input.Kind != flows.KindMedia || all[2].Input.Media.Name != "call" {
		t.Errorf("the call: %+v", all[2].Input)
	}
}
