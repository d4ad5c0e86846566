package whatsapp

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"

	"pulang/flows"
)

func TestInput(t *testing.T) {
	at := time.Date(2026, 1, 20, 3, 4, 5, 0, time.UTC)
	number := types.NewJID("628120000002", types.DefaultUserServer)
	text := func(s string) *waE2E.Message { return &waE2E.Message{Conversation: &s} }
	key := func() []byte { return make([]byte, 32) }
	for _, c := range []struct {
		name  string
		m     *waE2E.Message
		want  flows.Input
		quiet string
	}{
		{"text", text("halo"), flows.Input{Kind: flows.KindText, Text: "halo"}, ""},
		{"quoted text", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("1")}}, flows.Input{Kind: flows.KindText, Text: "1"}, ""},
		{"not UTF-8", text("a\xff"), flows.Input{Kind: flows.KindText, Text: "a\uFFFD"}, ""},
		{"blank", text(" \n"), flows.Input{Kind: flows.KindText, Text: " \n"}, "empty"},
		{"pin", &waE2E.Message{LocationMessage: &waE2E.LocationMessage{DegreesLatitude: proto.Float64(11.5), DegreesLongitude: proto.Float64(104.9), Name: proto.String("Pasar"), AccuracyInMeters: proto.Uint32(20)}},
			flows.Input{Kind: flows.KindLocation, Location: &flows.Location{Kind: "pin", HasPoint: true, Lat: 11.5, Lon: 104.9, AccuracyM: 20, Text: "Pasar", At: at}}, ""},
		{"0,0 is nowhere", &waE2E.Message{LocationMessage: &waE2E.LocationMessage{}}, flows.Input{Kind: flows.KindLocation, Location: &flows.Location{Kind: "pin", At: at}}, ""},
		{"off the globe", &waE2E.Message{LocationMessage: &waE2E.LocationMessage{DegreesLatitude: proto.Float64(math.NaN()), DegreesLongitude: proto.Float64(500)}},
			flows.Input{Kind: flows.KindLocation, Location: &flows.Location{Kind: "pin", At: at}}, ""},
		{"live", &waE2E.Message{LiveLocationMessage: &waE2E.LiveLocationMessage{DegreesLatitude: proto.Float64(1), DegreesLongitude: proto.Float64(2), Caption: proto.String("sini")}},
			flows.Input{Kind: flows.KindLocation, Text: "sini", Location: &flows.Location{Kind: "live", HasPoint: true, Lat: 1, Lon: 2, At: at}}, ""},
		{"own card", &waE2E.Message{ContactMessage: &waE2E.ContactMessage{DisplayName: proto.String("Budi"), Vcard: proto.String("BEGIN:VCARD\nFN:Budi\nitem1.TEL;waid=628120000002:+62 812-0000-002\nEND:VCARD")}},
			flows.Input{Kind: flows.KindContact, Contact: &flows.Card{Phone: "+628120000002", Name: "Budi", Own: true}}, ""},
		{"somebody's card", &waE2E.Message{ContactMessage: &waE2E.ContactMessage{Vcard: proto.String("BEGIN:VCARD\r\nFN:Ani\r\nTEL;TYPE=CELL:0812 999\r\nTEL:1")}},
			flows.Input{Kind: flows.KindContact, Contact: &flows.Card{Phone: "0812 999", Name: "Ani"}}, ""},
		{"photo", &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("paspor"), URL: proto.String("https://evil.example/"), Mimetype: proto.String("image/jpeg"), FileLength: proto.Uint64(10)}},
			flows.Input{Kind: flows.KindMedia, Text: "paspor", Media: &flows.Media{Kind: "photo", MIME: "image/jpeg", Bytes: 10}}, ""},
		{"voice", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{PTT: proto.Bool(true), Seconds: proto.Uint32(7)}}, flows.Input{Kind: flows.KindMedia, Media: &flows.Media{Kind: "voice", Seconds: 7}}, ""},
		{"document", &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{FileName: proto.String("a.pdf")}}, flows.Input{Kind: flows.KindMedia, Media: &flows.Media{Kind: "document", Name: "a.pdf", Document: true}}, ""},
		{"sticker", &waE2E.Message{StickerMessage: &waE2E.StickerMessage{}}, flows.Input{Kind: flows.KindMedia, Media: &flows.Media{Kind: "sticker"}}, ""},
		{"poll", &waE2E.Message{PollCreationMessage: &waE2E.PollCreationMessage{}}, flows.Input{Kind: flows.KindMedia, Media: &flows.Media{Kind: "other"}}, ""},
		{"reaction", &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Text: proto.String("👍")}}, flows.Input{}, "invisible"},
		{"group keys", &waE2E.Message{SenderKeyDistributionMessage: &waE2E.SenderKeyDistributionMessage{}}, flows.Input{}, "invisible"},
		{"revoke", &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_REVOKE.Enum()}}, flows.Input{}, "protocol"},
		{"edit", &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), Key: &waCommon.MessageKey{ID: proto.String("OLD")}, EditedMessage: text("baru")}},
			flows.Input{Kind: flows.KindText, ID: "OLD", Text: "baru", Edit: true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, quiet := input(c.m, "ID1", at, number)
			if quiet != c.quiet {
				t.Fatalf("quiet %q, want %q", quiet, c.quiet)
			}
			if quiet != "" {
				return
			}
			c.want.At = at
			if c.want.ID == "" {
				c.want.ID = "ID1"
			}
			if !reflect.DeepEqual(in, c.want) {
				t.Errorf("got  %+v\nwant %+v", in, c.want)
			}
		})
	}
	img := &waE2E.ImageMessage{URL: proto.String("https://evil.example/x"), DirectPath: proto.String("/v/t62/x?a=1"), MediaKey: key(), FileEncSHA256: key(), FileSHA256: key()}
	ref := reference("image", img)
	r, err := parseRef(ref)
	if err != nil || r.Path != "/v/t62/x?a=1" || strings.Contains(ref, "evil") {
		t.Errorf("reference %+v %v", r, err)
	}
	img.DirectPath = proto.String("@evil.example/")
	if reference("image", img) != "" {
		t.Error("a reference to another host")
	}
}

func TestIdentity(t *testing.T) {
	a := updateID("1", "x@lid", "ID", false)
	for _, other := range []string{updateID("2", "x@lid", "ID", false), updateID("1", "y@lid", "ID", false), updateID("1", "x@lid", "ID2", false), updateID("1", "x@lid", "ID", true)} {
		if other == a {
			t.Error("two acts, one identity")
		}
	}
	if got := messageID("a b\n" + strings.Repeat("x", 1000)); len(got) > 64 || strings.ContainsAny(got, " \n") {
		t.Errorf("hostile id %q", got)
	}
	first, again := MessageID("r1"), MessageID("r1")
	one, other := MessageID(""), MessageID("")
	if first != again || first == MessageID("r2") || one == other {
		t.Error("message ids do not follow the row")
	}
}

func TestMask(t *testing.T) {
	for _, s := range []string{"Failed for 628120000002:3@s.whatsapp.net", `got <message from="123@lid" notify="Budi"/>`, "number +628120000002", "session 98765432101.1:0@lid gone"} {
		if m := mask(s); strings.Contains(m, "62812") || strings.Contains(m, "Budi") || strings.Contains(m, "987654") || strings.Contains(m, "123@") {
			t.Errorf("%q", m)
		}
	}
}

func TestOnlyMediaHosts(t *testing.T) {
	for _, url := range []string{"http://mmg.whatsapp.net/x", "https://evil.example/x", "https://mmg.whatsapp.net:8443/x", "https://whatsapp.net.evil.example/", "https://169.254.169.254/latest"} {
		res, err := mediaClient(nil).Get(url)
		if err == nil {
			res.Body.Close()
			t.Errorf("%s was asked", url)
		}
	}
	for _, a := range []string{"127.0.0.1:443", "10.0.0.1:443", "[::1]:443", "169.254.169.254:443", "[fd00::1]:443"} {
		if publicOnly("tcp", a, nil) == nil {
			t.Errorf("%s is not public", a)
		}
	}
}
