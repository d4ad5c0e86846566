package telegram

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
)

// at and edited are the times in the payloads below.
var (
	at     = time.Unix(1768894000, 0).UTC()
	edited = time.Unix(1768894060, 0).UTC()
	tapped = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)
)

// private wraps a message's fields as Telegram does in a private chat.
func private(kind, fields string) string {
	return `{"update_id":42,"` + kind + `":{"message_id":7,"from":{"id":9007199254740991,"is_bot":false,"first_name":"Siti","language_code":"id"},` +
		`"chat":{"id":9007199254740991,"first_name":"Siti","type":"private"},"date":1768894000,` + fields + `}}`
}

func tap(message, data string) string {
	return `{"update_id":42,"callback_query":{"id":"777","from":{"id":9007199254740991,"is_bot":false,"first_name":"Siti","language_code":"id"},` +
		message + `"chat_instance":"1","data":"` + data + `"}}`
}

func member(before, after string) string {
	return `{"update_id":42,"my_chat_member":{"chat":{"id":9007199254740991,"type":"private"},"from":{"id":9007199254740991,"is_bot":false,"first_name":"Siti","language_code":"id"},"date":1768894000,` +
		`"old_chat_member":{"user":{"id":1,"is_bot":true,"first_name":"b"},"status":"` + before + `"},"new_chat_member":{"user":{"id":1,"is_bot":true,"first_name":"b"},"status":"` + after + `","until_date":0}}}`
}

func TestPayloadToMessage(t *testing.T) {
	text := func(s string) flows.Input {
		return flows.Input{Kind: flows.KindText, ID: "7", Text: s, At: at, Lang: "id"}
	}
	place := func(l flows.Location, edit bool) flows.Input {
		in := flows.Input{Kind: flows.KindLocation, ID: "7", Location: &l, At: at, Lang: "id", Edit: edit}
		if edit {
			in.At = edited
		}
		l.At = in.At
		return in
	}
	media := func(caption string, m flows.Media) flows.Input {
		return flows.Input{Kind: flows.KindMedia, ID: "7", Text: caption, Media: &m, At: at, Lang: "id"}
	}
	card := func(k flows.Card) flows.Input {
		return flows.Input{Kind: flows.KindContact, ID: "7", Contact: &k, At: at, Lang: "id"}
	}
	button := func(k flows.Tap) flows.Input {
		return flows.Input{Kind: flows.KindTap, ID: "tap:777", Tap: &k, At: tapped, Lang: "id"}
	}
	full := flows.Tap{Scope: "7f3a", Step: "safety_now", Value: "safe"}
	for _, c := range []struct {
		name, raw string
		want      flows.Input
	}{
		{"text", private("message", `"text":"Halo, saya di Bavet"`), text("Halo, saya di Bavet")},
		{"start", private("message", `"text":"/start","entities":[{"offset":0,"length":6,"type":"bot_command"}]`), text("/start")},
		{"start with a payload and the bot's name", private("message", `"text":"/start@pulang_test_bot kh"`), text("/start kh")},
		{"command in capitals", private("message", `"text":"/BAHAYA@Pulang_Test_Bot"`), text("/BAHAYA")},
		{"an address is no command", private("message", `"text":"surat ke a@b_cde.id"`), text("surat ke a@b_cde.id")},
		{"a command after a letter beyond ASCII, with an entity past the end", private("message", `"text":"é /start@pulang_test_bot","entities":[{"offset":999,"length":6,"type":"bot_command"}]`), text("é /start@pulang_test_bot")},
		{"hostile text stays as it is", private("message", `"text":"<b>\u202e{{.X}}\ud83d\ude00 ' OR 1=1"`), text("<b>\u202e{{.X}}😀 ' OR 1=1")},
		{"forwarded", private("message", `"text":"tolong adik saya","forward_origin":{"type":"user","date":1,"sender_user":{"id":5,"is_bot":false,"first_name":"X"}}`), text("tolong adik saya")},
		{"forwarded from a kind of origin that nobody knows", private("message", `"text":"tolong","forward_origin":{"type":"from_the_future","date":1}`), text("tolong")},
		{"a reply to an unknown kind of message", private("message", `"text":"ya","reply_to_message":{"message_id":1,"chat_background_set":{"type":{"type":"plasma"}}}`), text("ya")},
		{"edited text", private("edited_message", `"edit_date":1768894060,"text":"Poipet"`), flows.Input{Kind: flows.KindText, ID: "7", Text: "Poipet", Edit: true, At: edited, Lang: "id"}},
		{"dice", private("message", `"dice":{"emoji":"🎲","value":3}`), text("🎲")},
		{"poll", private("message", `"poll":{"id":"1","question":"Di mana?","options":[]}`), text("Di mana?")},

		{"pin", private("message", `"location":{"latitude":11.082,"longitude":106.176,"horizontal_accuracy":65}`), place(flows.Location{Kind: "pin", HasPoint: true, Lat: 11.082, Lon: 106.176, AccuracyM: 65}, false)},
		{"a pin at 0,0 is no point", private("message", `"location":{"latitude":0,"longitude":0}`), place(flows.Location{Kind: "pin"}, false)},
		{"a pin outside the world is no point", private("message", `"location":{"latitude":911,"longitude":106}`), place(flows.Location{Kind: "pin"}, false)},
		{"live location begins", private("message", `"location":{"latitude":11.5,"longitude":104.9,"live_period":900}`), place(flows.Location{Kind: "live", HasPoint: true, Lat: 11.5, Lon: 104.9}, false)},
		{"live location moves", private("edited_message", `"edit_date":1768894060,"location":{"latitude":11.6,"longitude":104.8,"live_period":900,"heading":90}`), place(flows.Location{Kind: "live", HasPoint: true, Lat: 11.6, Lon: 104.8}, true)},
		{"live location ends", private("edited_message", `"edit_date":1768894060,"location":{"latitude":11.6,"longitude":104.8}`), place(flows.Location{Kind: "live", HasPoint: true, Lat: 11.6, Lon: 104.8, Ended: true}, true)},
		{"venue", private("message", `"location":{"latitude":11.5,"longitude":104.9},"venue":{"location":{"latitude":11.5,"longitude":104.9},"title":"Pasar Bavet","address":"Jalan 1"}`), place(flows.Location{Kind: "pin", HasPoint: true, Lat: 11.5, Lon: 104.9, Text: "Pasar Bavet, Jalan 1"}, false)},

		{"own contact", private("message", `"contact":{"phone_number":"85512345678","first_name":"Siti","last_name":"A","user_id":9007199254740991}`), card(flows.Card{Phone: "+85512345678", Name: "Siti A", Own: true})},
		{"own contact with a plus", private("message", `"contact":{"phone_number":"+6281234567","first_name":"Siti","user_id":9007199254740991}`), card(flows.Card{Phone: "+6281234567", Name: "Siti", Own: true})},
		{"somebody else's contact", private("message", `"contact":{"phone_number":"081234567","first_name":"Ibu","user_id":5}`), card(flows.Card{Phone: "081234567", Name: "Ibu"})},
		{"a contact without an account", private("message", `"contact":{"phone_number":"081234567","first_name":"Ibu"}`), card(flows.Card{Phone: "081234567", Name: "Ibu"})},

		{"photo: the largest size", private("message", `"caption":"paspor","photo":[{"file_id":"s","file_unique_id":"a","width":90,"height":60,"file_size":1},{"file_id":"l","file_unique_id":"b","width":1280,"height":960,"file_size":90000},{"file_id":"m","file_unique_id":"c","width":320,"height":240}]`), media("paspor", flows.Media{Kind: "photo", Ref: "l", MIME: "image/jpeg", Bytes: 90000})},
		{"voice", private("message", `"voice":{"file_id":"v","file_unique_id":"u","duration":12,"mime_type":"audio/ogg","file_size":4000}`), media("", flows.Media{Kind: "voice", Ref: "v", MIME: "audio/ogg", Bytes: 4000, Seconds: 12})},
		{"audio", private("message", `"audio":{"file_id":"a","file_unique_id":"u","duration":60,"file_name":"x.mp3","mime_type":"audio/mpeg"}`), media("", flows.Media{Kind: "audio", Ref: "a", Name: "x.mp3", MIME: "audio/mpeg", Seconds: 60})},
		{"video", private("message", `"video":{"file_id":"v","file_unique_id":"u","width":1,"height":1,"duration":5,"mime_type":"video/mp4"},"caption":"lihat"`), media("lihat", flows.Media{Kind: "video", Ref: "v", MIME: "video/mp4", Seconds: 5})},
		{"round video", private("message", `"video_note":{"file_id":"n","file_unique_id":"u","length":240,"duration":4}`), media("", flows.Media{Kind: "video", Ref: "n", MIME: "video/mp4", Seconds: 4})},
		{"animation, which comes with a document", private("message", `"animation":{"file_id":"g","file_unique_id":"u","width":1,"height":1,"duration":2,"mime_type":"video/mp4"},"document":{"file_id":"g","file_unique_id":"u"}`), media("", flows.Media{Kind: "video", Ref: "g", MIME: "video/mp4", Seconds: 2})},
		{"document", private("message", `"document":{"file_id":"d","file_unique_id":"u","file_name":"paspor.pdf","mime_type":"application/pdf","file_size":123456}`), media("", flows.Media{Kind: "document", Ref: "d", Name: "paspor.pdf", MIME: "application/pdf", Bytes: 123456})},
		{"sticker", private("message", `"sticker":{"file_id":"s","file_unique_id":"u","type":"regular","width":1,"height":1,"is_animated":false,"is_video":false,"emoji":"👍"}`), media("", flows.Media{Kind: "sticker", Ref: "s", Name: "👍"})},
		{"a kind of message that nobody knows", private("message", `"hologram":{"file_id":"h"}`), media("", flows.Media{Kind: "other"})},
		{"edited caption", private("edited_message", `"edit_date":1768894060,"caption":"KTP","photo":[{"file_id":"l","file_unique_id":"b","width":1,"height":1,"file_size":0}]`), flows.Input{Kind: flows.KindMedia, ID: "7", Text: "KTP", Media: &flows.Media{Kind: "photo", Ref: "l", MIME: "image/jpeg"}, Edit: true, At: edited, Lang: "id"}},

		{"tap", tap(`"message":{"message_id":6,"date":1768894000,"chat":{"id":9007199254740991,"type":"private"},"text":"?"},`, "v1:7f3a:safety_now:safe"), button(full)},
		{"tap on a message too old to be shown", tap(`"message":{"message_id":6,"date":0,"chat":{"id":9007199254740991,"type":"private"}},`, "v1:7f3a:safety_now:safe"), button(full)},
		{"tap without a message", tap(`"inline_message_id":"x",`, "v1:7f3a:safety_now:safe"), button(full)},
		{"tap with somebody's own data", tap("", "<script>"), button(flows.Tap{})},
		{"tap with too many parts", tap("", "v1:a:b:c:d"), button(flows.Tap{})},

		{"blocked", member("member", "kicked"), flows.Input{Kind: flows.KindBlocked, At: at, Lang: "id"}},
		{"unblocked", member("kicked", "member"), flows.Input{Kind: flows.KindUnblock, At: at, Lang: "id"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := benchless(t).parse([]byte(c.raw))
			if p.broken != "" || p.skip {
				t.Fatalf("broken %q, skip %v", p.broken, p.skip)
			}
			want := bot.Message{
				UpdateID: "u42", Number: 42, Line: "kh", Can: flows.Can{Buttons: true, AskPlace: true, AskContact: true, Delete: true},
				From: bot.Contact{Channel: "telegram", Account: "123456", Address: "9007199254740991"}, Input: c.want,
			}
			if !reflect.DeepEqual(p.msg, want) {
				t.Errorf("got  %+v\n%+v %+v %+v %+v\nwant %+v", p.msg.Input, p.msg.Input.Location, p.msg.Input.Media, p.msg.Input.Contact, p.msg.Input.Tap, want.Input)
			}
		})
	}
}

// benchless is a channel that never speaks.
func benchless(t *testing.T) *Channel {
	t.Helper()
	c, err := New(Options{Token: "123456:test-token-aaaaaaaa", Line: "kh", Handler: newHotline(), Now: func() time.Time { return tapped }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestNotForTheHotline(t *testing.T) {
	for name, raw := range map[string]string{
		"a group's message":     strings.Replace(private("message", `"text":"halo"`), `"type":"private"`, `"type":"group"`, 1),
		"a channel's post":      `{"update_id":42,"channel_post":{"message_id":1,"chat":{"id":-1,"type":"channel"},"date":1,"text":"x"}}`,
		"another bot":           strings.Replace(private("message", `"text":"halo"`), `"is_bot":false`, `"is_bot":true`, 1),
		"a pinned message":      private("message", `"pinned_message":{"message_id":1,"date":0,"chat":{"id":1,"type":"private"}}`),
		"a timer was set":       private("message", `"message_auto_delete_timer_changed":{"message_auto_delete_time":86400}`),
		"a background":          private("message", `"chat_background_set":{"type":{"type":"from_the_future"}}`),
		"a tap in a group":      tap(`"message":{"message_id":6,"date":1,"chat":{"id":-5,"type":"group"}},`, "v1:7f3a:safety_now:safe"),
		"the bot joins a group": strings.Replace(member("left", "administrator"), `"type":"private"`, `"type":"supergroup"`, 1),
		"nothing known":         `{"update_id":42,"from_the_future":{}}`,
	} {
		if p := benchless(t).parse([]byte(raw)); !p.skip || p.broken != "" || p.id != 42 {
			t.Errorf("%s: skip %v, broken %q, id %d", name, p.skip, p.broken, p.id)
		}
	}
}

func TestBrokenUpdatesTellWhoseTheyAreButNotWhatTheySay(t *testing.T) {
	for name, c := range map[string]struct {
		raw, address string
		id           int64
	}{
		"a text that is a number": {private("message", `"text":12345`), "9007199254740991", 42},
		"a place that is a list":  {private("message", `"location":["Bavet rahasia"]`), "9007199254740991", 42},
		"a message that is text":  {`{"update_id":42,"message":"Bavet rahasia"}`, "", 42},
		"an id that is text":      {`{"update_id":"Bavet rahasia","message":{"chat":{"id":5,"type":"private"}}}`, "5", 0},
		"no id":                   {`{"message":{"message_id":1,"chat":{"id":5,"type":"private"},"date":1,"text":"Bavet rahasia"}}`, "5", 0},
		"a list":                  {`["Bavet rahasia"]`, "", 0},
		"null":                    {`null`, "", 0},
		"a tap of nobody":         {`{"update_id":42,"callback_query":{"id":"1","data":"Bavet rahasia"}}`, "", 42},
	} {
		p := benchless(t).parse([]byte(c.raw))
		if p.broken == "" || p.skip {
			t.Errorf("%s: taken for whole", name)
		}
		if p.id != c.id || p.msg.From.Address != c.address || strings.Contains(p.broken, "rahasia") {
			t.Errorf("%s: id %d, address %q, why %q", name, p.id, p.msg.From.Address, p.broken)
		}
	}
}
