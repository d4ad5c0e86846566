package whatsapptest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

func TestTheHandsetTakesOver(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	for _, text := range []string{"Saya petugas", "Sebentar"} {
		id := hotline.Say(budi, text)
		m := expect[*events.Message](p)
		if m.Info.ID != id || !m.Info.IsFromMe || m.Info.Chat != budi.LID() || m.Message.GetConversation() != text {
			t.Errorf("%+v: %v", m.Info, m.Message)
		}
		budi.WaitFor(text)
	}
	hotline.WaitSettled()
}

func TestACitizenWithTwoDevices(t *testing.T) {
	srv, _, p := linked(t)
	budi := srv.Citizen("628120000002")
	first := p.say(budi.LID(), "satu")
	budi.WaitFor("satu")
	budi.LinkDevice()
	p.say(budi.LID(), "dua") // the answer tells the client that its list of devices is old
	budi.WaitFor("dua")
	third := p.say(budi.LID(), "tiga")
	budi.WaitFor("tiga")
	if a, b := budi.Reached(first), budi.Reached(third); a != 1 || b != 2 {
		t.Errorf("reached %d and %d devices", a, b)
	}
}

func TestSealedEdits(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	for _, how := range []Shows{BothByLID, OnlyNumber} {
		id := budi.Say(hotline, "Damaskus", WithSecret(), As(how))
		expect[*events.Message](p)
		budi.EditSealed(hotline, id, "Aleppo")
		m, err := p.DecryptSecretEncryptedMessage(t.Context(), expect[*events.Message](p))
		if err != nil {
			t.Fatal(err)
		}
		e := m.GetProtocolMessage()
		if e.GetKey().GetID() != id || e.GetEditedMessage().GetConversation() != "Aleppo" {
			t.Error(m)
		}
	}
}

func TestNewChatsAreLocked(t *testing.T) {
	_, hotline, p := linked(t)
	until := time.Now().Add(6 * time.Hour).Truncate(time.Second)
	hotline.LockNewChats(until)
	if e := expect[*events.NotifyAccountReachoutTimelock](p); !e.IsActive || !e.TimeEnforcementEnds.Equal(until) {
		t.Errorf("%+v", e)
	}
	hotline.WaitSettled()
}

func TestWhatsAppIsGoneForAWhile(t *testing.T) {
	srv, hotline, p := linked(t)
	srv.Dark(true)
	expect[*events.Disconnected](p)
	id := srv.Citizen("628120000002").Say(hotline, "halo?")
	srv.Dark(false)
	if m := expect[*events.Message](p); m.Info.ID != id {
		t.Error(m.Info.ID)
	}
}

func TestTheProfileNameAllowsPresence(t *testing.T) {
	srv, hotline, p := linked(t)
	if err := p.SendPresence(t.Context(), types.PresenceUnavailable); !errors.Is(err, whatsmeow.ErrNoPushName) {
		t.Error(err)
	}
	hotline.Named("Hotline Damaskus")
	if e := expect[*events.PushNameSetting](p); e.Action.GetName() != "Hotline Damaskus" {
		t.Error(e.Action)
	}
	if err := p.SendPresence(t.Context(), types.PresenceUnavailable); err != nil {
		t.Error(err)
	}
	if !srv.await(func() bool { return slices.Equal(hotline.presence, []string{"unavailable"}) }) {
		t.Error(hotline.Presence())
	}
}
