package whatsapptest

import (
	"fmt"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/util/gcmutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"google.golang.org/protobuf/proto"
)

// Say types a text.
func (c *Citizen) Say(to *Account, text string, opts ...Option) string {
	return c.Send(to, &waE2E.Message{Conversation: &text}, opts...)
}

// Reply types a text that quotes a message of the program.
func (c *Citizen) Reply(to *Account, quoted, text string, opts ...Option) string {
	return c.Send(to, &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: &text,
		ContextInfo: &waE2E.ContextInfo{
			StanzaID: &quoted, Participant: proto.String(to.self.lid.String()), QuotedMessage: &waE2E.Message{Conversation: proto.String("")},
		},
	}}, opts...)
}

// Location sends a pin.
func (c *Citizen) Location(to *Account, lat, lon float64, opts ...Option) string {
	return c.Send(to, &waE2E.Message{LocationMessage: &waE2E.LocationMessage{
		DegreesLatitude: &lat, DegreesLongitude: &lon,
	}}, opts...)
}

// Place sends a pin with a name and an address.
func (c *Citizen) Place(to *Account, lat, lon float64, name, address string, opts ...Option) string {
	return c.Send(to, &waE2E.Message{LocationMessage: &waE2E.LocationMessage{
		DegreesLatitude: &lat, DegreesLongitude: &lon, Name: &name, Address: &address,
	}}, opts...)
}

// Live begins to share a live location.
func (c *Citizen) Live(to *Account, lat, lon float64, metres uint32, opts ...Option) string {
	return c.Send(to, &waE2E.Message{LiveLocationMessage: &waE2E.LiveLocationMessage{
		DegreesLatitude: &lat, DegreesLongitude: &lon, AccuracyInMeters: &metres, SequenceNumber: proto.Int64(1),
	}}, opts...)
}

// Contact sends somebody's contact card.
func (c *Citizen) Contact(to *Account, name, phone string, opts ...Option) string {
	return c.Send(to, &waE2E.Message{ContactMessage: card(name, phone)}, opts...)
}

// Contacts sends several cards, as pairs of name and phone.
func (c *Citizen) Contacts(to *Account, pairs ...string) string {
	list := &waE2E.ContactsArrayMessage{DisplayName: proto.String(fmt.Sprintf("%d kontak", len(pairs)/2))}
	for i := 0; i+1 < len(pairs); i += 2 {
		list.Contacts = append(list.Contacts, card(pairs[i], pairs[i+1]))
	}
	return c.Send(to, &waE2E.Message{ContactsArrayMessage: list})
}

func card(name, phone string) *waE2E.ContactMessage {
	vcard := fmt.Sprintf("BEGIN:VCARD\nVERSION:3.0\nN:;%s;;;\nFN:%s\nTEL;type=CELL;waid=%s:%s\nEND:VCARD", name, name, digits(phone), phone)
	return &waE2E.ContactMessage{DisplayName: &name, Vcard: &vcard}
}

// React puts an emoji on a message of the program; an empty one takes it away.
func (c *Citizen) React(to *Account, id, emoji string, opts ...Option) string {
	return c.Send(to, &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{
		Key:  &waCommon.MessageKey{RemoteJID: proto.String(to.self.lid.String()), FromMe: proto.Bool(false), ID: &id},
		Text: &emoji, SenderTimestampMS: proto.Int64(time.Now().UnixMilli()),
	}}, opts...)
}

// Edit corrects an earlier text of the citizen.
func (c *Citizen) Edit(to *Account, id, text string, opts ...Option) string {
	return c.Send(to, &waE2E.Message{EditedMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		ProtocolMessage: &waE2E.ProtocolMessage{
			Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), Key: c.own(to, id),
			EditedMessage: &waE2E.Message{Conversation: &text}, TimestampMS: proto.Int64(time.Now().UnixMilli()),
		},
	}}}, append([]Option{envelope("edit", "1")}, opts...)...)
}

// WithSecret adds to a message the key under which newer apps seal what they do to it later: see EditSealed.
func WithSecret() Option {
	return func(f *frame) {
		f.message = proto.CloneOf(f.message)
		f.message.MessageContextInfo = &waE2E.MessageContextInfo{MessageSecret: random(32)}
	}
}

// EditSealed corrects an earlier text that was sent WithSecret, as apps do that know people by LID: the correction is
// sealed once more, with the earlier message's secret.
func (c *Citizen) EditSealed(to *Account, id, text string, opts ...Option) string {
	c.sending.Lock()
	earlier := c.sent[id]
	c.sending.Unlock()
	if earlier == nil || earlier.frame.message.GetMessageContextInfo().GetMessageSecret() == nil {
		c.srv.fatal("edit: the citizen has sent no message %s with a secret", id)
		return ""
	}
	me := c.self.lid
	if earlier.frame.shows == BothByNumber || earlier.frame.shows == OnlyNumber {
		me = c.self.pn
	}
	use := id + me.String() + me.String() + string(whatsmeow.EncSecretMessageEdit)
	key := hkdfutil.SHA256(earlier.frame.message.MessageContextInfo.MessageSecret, nil, []byte(use), 32)
	plain, err := proto.Marshal(&waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), Key: c.own(to, id),
		EditedMessage: &waE2E.Message{Conversation: &text}, TimestampMS: proto.Int64(time.Now().UnixMilli()),
	}})
	must(err)
	iv := random(12)
	payload, err := gcmutil.Encrypt(key, iv, plain, nil)
	must(err)
	opts = append([]Option{envelope("edit", "1"), As(earlier.frame.shows)}, opts...)
	return c.Send(to, &waE2E.Message{SecretEncryptedMessage: &waE2E.SecretEncryptedMessage{
		TargetMessageKey: c.own(to, id), EncPayload: payload, EncIV: iv,
		SecretEncType: waE2E.SecretEncryptedMessage_MESSAGE_EDIT.Enum(),
	}}, opts...)
}

// Revoke deletes an earlier message of the citizen for everybody.
func (c *Citizen) Revoke(to *Account, id string, opts ...Option) string {
	return c.Send(to, &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_REVOKE.Enum(), Key: c.own(to, id),
	}}, append([]Option{envelope("edit", "7")}, opts...)...)
}

// own names a message of the citizen.
func (c *Citizen) own(to *Account, id string) *waCommon.MessageKey {
	return &waCommon.MessageKey{RemoteJID: proto.String(to.self.lid.String()), FromMe: proto.Bool(true), ID: &id}
}

func envelope(name, value string) Option { return func(f *frame) { f.envelope[name] = value } }

// mediaType is what the envelope tells of the content: the only part of it that the server sees.
func mediaType(m *waE2E.Message) string {
	switch {
	case m.ImageMessage != nil:
		return "image"
	case m.VideoMessage != nil:
		return "video"
	case m.AudioMessage.GetPTT():
		return "ptt"
	case m.AudioMessage != nil:
		return "audio"
	case m.DocumentMessage != nil:
		return "document"
	case m.StickerMessage != nil:
		return "sticker"
	case m.LocationMessage != nil, m.LiveLocationMessage != nil:
		return "location"
	case m.ContactMessage != nil:
		return "vcard"
	case m.ContactsArrayMessage != nil:
		return "contact_array"
	}
	return ""
}
