package whatsapptest

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
)

func TestKindsOfMessages(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	quoted := p.say(budi.LID(), "Di mana Anda?")
	for name, c := range map[string]struct {
		send  func() string
		check func(m *waE2E.Message) bool
	}{
		"pin": {func() string { return budi.Location(hotline, 33.5138, 36.2765) }, func(m *waE2E.Message) bool {
			return m.GetLocationMessage().GetDegreesLatitude() == 33.5138 && m.GetLocationMessage().GetDegreesLongitude() == 36.2765
		}},
		"place": {func() string { return budi.Place(hotline, 1, 2, "Masjid", "Jalan 1") }, func(m *waE2E.Message) bool {
			return m.GetLocationMessage().GetName() == "Masjid"
		}},
		"live": {func() string { return budi.Live(hotline, 1, 2, 15) }, func(m *waE2E.Message) bool {
			return m.GetLiveLocationMessage().GetAccuracyInMeters() == 15
		}},
		"contact": {func() string { return budi.Contact(hotline, "Siti", "+62 813") }, func(m *waE2E.Message) bool {
			return strings.Contains(m.GetContactMessage().GetVcard(), "waid=62813:+62 813")
		}},
		"contacts": {func() string { return budi.Contacts(hotline, "A", "1", "B", "2") }, func(m *waE2E.Message) bool {
			return len(m.GetContactsArrayMessage().GetContacts()) == 2
		}},
		"reply": {func() string { return budi.Reply(hotline, quoted, "Damaskus") }, func(m *waE2E.Message) bool {
			return m.GetExtendedTextMessage().GetContextInfo().GetStanzaID() == quoted
		}},
		"reaction": {func() string { return budi.React(hotline, quoted, "👍") }, func(m *waE2E.Message) bool {
			return m.GetReactionMessage().GetText() == "👍"
		}},
		"edit": {func() string { return budi.Edit(hotline, "OLD", "Aleppo") }, func(m *waE2E.Message) bool {
			e := m.GetProtocolMessage()
			return e.GetType() == waE2E.ProtocolMessage_MESSAGE_EDIT && e.GetKey().GetID() == "OLD" && e.GetEditedMessage().GetConversation() == "Aleppo"
		}},
		"revoke": {func() string { return budi.Revoke(hotline, "OLD") }, func(m *waE2E.Message) bool {
			return m.GetProtocolMessage().GetType() == waE2E.ProtocolMessage_REVOKE
		}},
	} {
		id := c.send()
		if m := expect[*events.Message](p); m.Info.ID != id || !c.check(m.Message) {
			t.Errorf("%s: %v", name, m.Message)
		}
		budi.WaitAccepted(id)
	}
	at := time.Now().Add(-3 * time.Hour).Truncate(time.Second)
	budi.Say(hotline, "lama", WithID("CHOSEN"), SentAt(at))
	if m := expect[*events.Message](p); m.Info.ID != "CHOSEN" || !m.Info.Timestamp.Equal(at) {
		t.Errorf("%+v", m.Info)
	}
	budi.Say(hotline, "di grup", InGroup("120363000000000001@g.us"))
	if m := expect[*events.Message](p); !m.Info.IsGroup || m.Info.Sender.User != budi.LID().User {
		t.Errorf("%+v", m.Info)
	}
	hotline.WaitSettled()
}

func TestReceiptsBothWays(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	id := budi.Say(hotline, "halo")
	m := expect[*events.Message](p)
	budi.WaitAccepted(id)
	if r := budi.Receipts(id); !slices.Equal(r, []string{"inactive"}) {
		t.Errorf("%q", r)
	}
	if err := p.MarkRead(t.Context(), []string{id}, time.Now(), m.Info.Chat, m.Info.Sender); err != nil {
		t.Fatal(err)
	}
	budi.WaitReadBy(id)

	reply := p.say(m.Info.Chat, "Selamat datang")
	if r := expect[*events.Receipt](p); r.Type != types.ReceiptTypeDelivered || r.MessageIDs[0] != reply || r.Chat != m.Info.Chat {
		t.Errorf("%+v", r)
	}
	budi.Read(hotline, reply)
	if r := expect[*events.Receipt](p); r.Type != types.ReceiptTypeRead || r.MessageIDs[0] != reply {
		t.Errorf("%+v", r)
	}
	budi.Mute(true)
	budi.Away()
	late := p.say(m.Info.Chat, "Masih di sana?")
	budi.Back()
	budi.WaitFor("Masih di sana?")
	budi.Read(hotline, reply, late)
	if r := expect[*events.Receipt](p); len(r.MessageIDs) != 2 {
		t.Errorf("%+v", r)
	}
	if err := p.SendChatPresence(t.Context(), m.Info.Chat, types.ChatPresenceComposing, ""); err != nil {
		t.Fatal(err)
	}
	if !srv.await(func() bool { return slices.Equal(budi.typing, []string{"composing"}) }) {
		t.Error(budi.Typing())
	}
}

func TestMessagesThatCannotBeReadComeAgain(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	budi.Say(hotline, "satu")
	expect[*events.Message](p)
	budi.Garble(1)
	id := budi.Say(hotline, "dua")
	if e := expect[*events.UndecryptableMessage](p); e.Info.ID != id {
		t.Error(e.Info.ID)
	}
	if m := expect[*events.Message](p); m.Info.ID != id || m.RetryCount != 1 || m.Message.GetConversation() != "dua" {
		t.Errorf("%+v", m)
	}
	budi.WaitAccepted(id)
	hotline.WaitSettled()

	reply := p.say(budi.LID(), "tiga")
	if r := budi.WaitFor("tiga"); r.Copy != 0 {
		t.Error(r.Copy)
	}
	budi.AskAgain(hotline, reply)
	if r := budi.WaitFor("tiga"); r.Copy != 1 || r.ID != reply {
		t.Errorf("%+v", r)
	}
	if b := budi.Broken(); len(b) != 0 {
		t.Error(b)
	}
	// whatsmeow keeps the sessions of a LID although it was told of new keys: the phone cannot read the next message,
	// and asks again.
	budi.Reinstall()
	expect[*events.IdentityChange](p)
	p.say(budi.LID(), "empat")
	budi.WaitFor("empat")
	budi.Say(hotline, "lima")
	if m := expect[*events.Message](p); m.Message.GetConversation() != "lima" {
		t.Error(m.Message)
	}
}

func TestOneKeyForEachCitizen(t *testing.T) {
	srv, hotline, p := linked(t)
	device := hotline.Devices()[0]
	if !srv.await(func() bool { return len(device.once) == 812 }) {
		t.Fatal(device.Left())
	}
	for _, number := range []string{"628120000002", "628120000003"} {
		c := srv.Citizen(number)
		c.Say(hotline, "halo")
		c.Say(hotline, "halo lagi")
		expect[*events.Message](p)
		expect[*events.Message](p)
	}
	if device.Spent() != 2 {
		t.Errorf("%d keys spent", device.Spent())
	}
	srv.mu.Lock()
	device.once = device.once[:fewKeys+1]
	srv.mu.Unlock()
	srv.Citizen("628120000004").Say(hotline, "halo")
	if !srv.await(func() bool { return len(device.once) > fewKeys }) {
		t.Error("no new keys came")
	}
}

func TestOnePersonByNumberAndByLID(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	for _, c := range []struct {
		how       Shows
		chat, alt types.JID
	}{
		{OnlyNumber, budi.JID(), types.EmptyJID},
		{BothByNumber, budi.JID(), budi.LID()},
		{BothByLID, budi.LID(), budi.JID()},
		{OnlyLID, budi.LID(), types.EmptyJID},
	} {
		id := budi.Shows(c.how).Say(hotline, "halo")
		m := expect[*events.Message](p)
		if m.Info.ID != id || m.Info.Chat != c.chat || m.Info.SenderAlt != c.alt {
			t.Errorf("shown as %d: chat %v, alternative %v", c.how, m.Info.Chat, m.Info.SenderAlt)
		}
		p.say(m.Info.Chat, "ya")
		budi.WaitFor("ya")
	}
	hidden := srv.Citizen("628120000003").Shows(OnlyLID)
	hidden.Say(hotline, "halo")
	m := expect[*events.Message](p)
	if pn, _ := p.Store.LIDs.GetPNForLID(t.Context(), m.Info.Sender); !pn.IsEmpty() {
		t.Error("a hidden number was found out:", pn)
	}
	info, err := p.GetUserInfo(t.Context(), []types.JID{m.Info.Chat})
	if err != nil || info[m.Info.Chat].LID != hidden.LID() {
		t.Error(info, err)
	}
}

func TestMediaBothWays(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	picture := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("paspor"), 5000)...)
	budi.Image(hotline, picture, "paspor saya")
	m := expect[*events.Message](p)
	img := m.Message.GetImageMessage()
	if img.GetCaption() != "paspor saya" || img.GetMimetype() != "image/png" {
		t.Error(img)
	}
	if got, err := p.Download(t.Context(), img); err != nil || !bytes.Equal(got, picture) {
		t.Error(len(got), err)
	}
	budi.Voice(hotline, []byte("OggS"), 3)
	if v := expect[*events.Message](p).Message.GetAudioMessage(); !v.GetPTT() {
		t.Error(v)
	} else if got, err := p.Download(t.Context(), v); err != nil || string(got) != "OggS" {
		t.Error(got, err)
	}
	srv.FailMedia(1, 410)
	if _, err := p.Download(t.Context(), img); err == nil {
		t.Error("expired media were downloaded")
	}
	if n := srv.Downloads(); n != 2 {
		t.Errorf("%d downloads", n)
	}

	up, err := p.Upload(t.Context(), []byte("%PDF-1.7"), whatsmeow.MediaDocument)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.SendMessage(t.Context(), m.Info.Chat, &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
		URL: &up.URL, DirectPath: &up.DirectPath, MediaKey: up.MediaKey, FileEncSHA256: up.FileEncSHA256, FileSHA256: up.FileSHA256,
		FileLength: &up.FileLength, FileName: proto.String("surat.pdf"), Caption: proto.String("surat Anda"),
	}}); err != nil {
		t.Fatal(err)
	}
	r := budi.WaitFor("surat Anda")
	if got, err := r.Open(); err != nil || string(got) != "%PDF-1.7" {
		t.Error(got, err)
	}
	if _, err := srv.HTTPClient().Get("http://169.254.169.254/latest"); err == nil || len(srv.Strays()) != 1 {
		t.Error(err, srv.Strays())
	}
}

func TestCallsCanBeRejected(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	call := budi.Call(hotline)
	e := expect[*events.CallOffer](p)
	if e.CallID != call {
		t.Error(e.CallID)
	}
	if err := p.RejectCall(t.Context(), e.From, e.CallID); err != nil {
		t.Fatal(err)
	}
	budi.WaitTurnedAway(call)
	hotline.WaitSettled()
}

func TestSendsThatFail(t *testing.T) {
	srv, hotline, p := linked(t)
	budi := srv.Citizen("628120000002")
	hotline.RefuseSends(1, 463)
	_, err := p.SendMessage(t.Context(), budi.LID(), &waE2E.Message{Conversation: proto.String("x")})
	if err == nil || !strings.HasSuffix(err.Error(), " 463") {
		t.Error(err)
	}
	nobody := srv.Citizen("628120000003")
	nobody.Keyless(true)
	p.say(nobody.LID(), "halo") // the client believes to have sent
	nobody.Keyless(false)
	p.say(nobody.LID(), "halo lagi")
	nobody.WaitFor("halo lagi")
	if n := len(nobody.Messages()); n != 1 {
		t.Errorf("%d messages", n)
	}
}
