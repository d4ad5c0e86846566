package whatsapp

import (
	"errors"
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
