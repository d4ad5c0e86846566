package whatsapptest

import (
	"testing"

	"go.mau.fi/whatsmeow/types/events"
	"go.uber.org/goleak"

	"pulang/bot/ended"
)

// whatsmeow's reader stays behind for ever when a frame comes after its consumer has stopped.
func TestMain(m *testing.M) {
	ended.Main(m, goleak.IgnoreAnyFunction("go.mau.fi/whatsmeow/socket.(*FrameSocket).readPump"))
}

func TestPairByQRAndTalk(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("+62 812 0000 002")

	id := budi.Say(hotline, "halo")
	m := expect[*events.Message](p)
	if m.Message.GetConversation() != "halo" || m.Info.ID != id || m.Info.PushName != budi.Name() {
		t.Errorf("%v: %v", m.Info, m.Message)
	}
	if m.Info.Chat != budi.LID() || m.Info.SenderAlt != budi.JID() {
		t.Errorf("chat %v, alternative %v", m.Info.Chat, m.Info.SenderAlt)
	}
	budi.WaitAccepted(id)

	reply := p.say(m.Info.Chat, "Selamat datang")
	if r := budi.WaitFor("Selamat datang"); r.ID != reply || r.From != hotline {
		t.Errorf("%+v", r)
	}
	hotline.WaitSettled()
	if odd := srv.Oddities(); len(odd) > 0 {
		t.Error(odd)
	}
}
