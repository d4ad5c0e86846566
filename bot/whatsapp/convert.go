package whatsapp

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/reflect/protoreflect"

	"pulang/flows"
)

// Bounds of what a sender can make us keep.
const (
	maxText = 64 << 10 // bytes; WhatsApp's own limit for a text
	maxName = 200
	maxCard = 32 << 10
)

// input is the table of contents of what people can do on WhatsApp. m is unwrapped, at is the server's time, number
// is the sender's own if it is known. quiet is why nothing is to be done, in a word; empty when in counts.
func input(m *waE2E.Message, id string, at time.Time, number types.JID) (in flows.Input, quiet string) {
	in = flows.Input{Kind: flows.KindText, ID: messageID(id), At: at.UTC()}
	if p := m.GetProtocolMessage(); p != nil {
		if p.GetType() != waE2E.ProtocolMessage_MESSAGE_EDIT || p.GetEditedMessage() == nil {
			return in, "protocol" // deleted by its sender, a timer set, keys: what was said stays said
		}
		edited, q := input(p.GetEditedMessage(), p.GetKey().GetID(), at, number)
		edited.Edit = true
		return edited, q
	}
	switch {
	case m.GetConversation() != "":
		in.Text = words(m.GetConversation())
	case m.GetExtendedTextMessage() != nil:
		in.Text = words(m.GetExtendedTextMessage().GetText())
	case m.GetLocationMessage() != nil:
		l := m.GetLocationMessage()
		in.Kind, in.Location = flows.KindLocation, place(l.GetDegreesLatitude(), l.GetDegreesLongitude(), l.GetAccuracyInMeters(), l.GetIsLive(), in.At)
		in.Location.Text = short(strings.Trim(l.GetName()+", "+l.GetAddress(), ", "), maxName)
		in.Text = words(l.GetComment())
	case m.GetLiveLocationMessage() != nil:
		l := m.GetLiveLocationMessage()
		in.Kind, in.Location = flows.KindLocation, place(l.GetDegreesLatitude(), l.GetDegreesLongitude(), l.GetAccuracyInMeters(), true, in.At)
		in.Text = words(l.GetCaption())
	case m.GetContactMessage() != nil:
		in.Kind, in.Contact = flows.KindContact, card(m.GetContactMessage(), number)
	case len(m.GetContactsArrayMessage().GetContacts()) > 0:
		in.Kind, in.Contact = flows.KindContact, card(m.GetContactsArrayMessage().GetContacts()[0], number)
	// A tap below a message that somebody else's program sent: we send none, its label is words.
	case m.GetButtonsResponseMessage() != nil:
		in.Text = words(m.GetButtonsResponseMessage().GetSelectedDisplayText())
	case m.GetListResponseMessage() != nil:
		in.Text = words(m.GetListResponseMessage().GetTitle())
	case m.GetTemplateButtonReplyMessage() != nil:
		in.Text = words(m.GetTemplateButtonReplyMessage().GetSelectedDisplayText())
	case m.GetInteractiveResponseMessage() != nil:
		in.Text = words(m.GetInteractiveResponseMessage().GetBody().GetText())
	default:
		in.Kind = flows.KindMedia
		if in.Media, in.Text = media(m); in.Media == nil {
			if !visible(m) {
				return in, "invisible"
			}
			in.Media = &flows.Media{Kind: "other"}
		}
	}
	if in.Kind == flows.KindText && strings.TrimSpace(in.Text) == "" {
		return in, "empty"
	}
	return in, ""
}

// idForm is what WhatsApp's own clients use as message ids. Ids are the senders' choice.
var idForm = regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`)

// messageID is a message's id where it is fit to be one, else a digest of it.
func messageID(id string) string {
	if idForm.MatchString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "x" + hex.EncodeToString(sum[:10])
}

// updateID is what dedupe goes by. Ids are chosen by senders, so our number and the person belong to it; hashed,
// because it stands in logs and those are numbers. An edit is another act on the same message.
func updateID(own, address, id string, edit bool) string {
	kind := "m"
	if edit {
		kind = "e"
	}
	sum := sha256.Sum256([]byte(own + "\x00" + address + "\x00" + kind + "\x00" + id))
	return "w" + hex.EncodeToString(sum[:16])
}

func words(s string) string { return short(s, maxText) }

// short is valid text of at most n bytes.
func short(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// place reads a position. It is what the sender's program claims.
func place(lat, lon float64, accuracy uint32, live bool, at time.Time) *flows.Location {
	out := &flows.Location{Kind: "pin", At: at}
	if live {
		out.Kind = "live"
	}
	if accuracy < 1_000_000 {
		out.AccuracyM = float64(accuracy)
	}
	// The comparisons are false for NaN.
	if lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 && (lat != 0 || lon != 0) {
		out.HasPoint, out.Lat, out.Lon = true, lat, lon
	}
	return out
}

// card reads the first number of a vCard (RFC 6350; WhatsApp writes the account as waid=). Anybody can pass on
// anybody's card: it is the sender's own only when it says the number that WhatsApp says is the sender's.
func card(c *waE2E.ContactMessage, number types.JID) *flows.Card {
	out := &flows.Card{Name: short(strings.Join(strings.Fields(c.GetDisplayName()), " "), maxName)}
	vcard := short(c.GetVcard(), maxCard)
	for line := range strings.Lines(vcard) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		key, params, _ := strings.Cut(strings.ToUpper(name), ";")
		if i := strings.LastIndexByte(key, '.'); i >= 0 { // item1.TEL
			key = key[i+1:]
		}
		switch {
		case key == "FN" && out.Name == "":
			out.Name = short(strings.Join(strings.Fields(value), " "), maxName)
		case key == "TEL" && out.Phone == "":
			out.Phone = short(strings.Join(strings.Fields(value), " "), 40)
			if _, id, ok := strings.Cut(params, "WAID="); ok {
				id, _, _ = strings.Cut(id, ";")
				if digits(id) != "" {
					out.Phone = "+" + digits(id)
				}
			}
		}
	}
	out.Own = number.User != "" && digits(out.Phone) == number.User
	return out
}

func digits(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unseen are fields of a message that show nothing in a chat, or only a mark on another message.
var unseen = map[protoreflect.Name]bool{
	"senderKeyDistributionMessage": true, "fastRatchetKeySenderKeyDistributionMessage": true, "messageContextInfo": true,
	"protocolMessage": true, "reactionMessage": true, "encReactionMessage": true, "pinInChatMessage": true,
	"keepInChatMessage": true, "pollUpdateMessage": true, "albumMessage": true, "messageHistoryBundle": true,
	"messageHistoryNotice": true, "deviceSentMessage": true, "stickerSyncRmrMessage": true, "placeholderMessage": true,
	"secretEncryptedMessage": true, "encEventResponseMessage": true, "statusMentionMessage": true, "call": true,
	"groupStatusMentionMessage": true, "conversation": true,
}

// visible reports whether the person sent something that shows in the chat, of a kind that is not read here.
func visible(m *waE2E.Message) bool {
	seen := false
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		seen = !unseen[f.Name()]
		return !seen
	})
	return seen || len(m.ProtoReflect().GetUnknown()) > 0
}

// expiration is after how many seconds this chat's messages disappear; 0 for never.
func expiration(m *waE2E.Message) uint32 {
	for _, c := range []interface{ GetContextInfo() *waE2E.ContextInfo }{
		m.GetExtendedTextMessage(), m.GetImageMessage(), m.GetAudioMessage(), m.GetVideoMessage(), m.GetDocumentMessage(),
		m.GetLocationMessage(), m.GetContactMessage(), m.GetStickerMessage(),
	} {
		if n := c.GetContextInfo().GetExpiration(); n > 0 {
			return n
		}
	}
	return 0
}
