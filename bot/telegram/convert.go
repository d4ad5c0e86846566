package telegram

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-telegram/bot/models"

	"pulang/bot"
	"pulang/flows"
)

// can is what Telegram is able to do.
var can = flows.Can{Buttons: true, AskPlace: true, AskContact: true, Delete: true}

// convert is the table of contents of what people can do on Telegram.
func (c *Channel) convert(u *update, p *parsed) {
	p.msg = bot.Message{UpdateID: "u" + strconv.FormatInt(u.ID, 10), Number: u.ID, Line: c.line, Can: can}
	switch {
	case u.Message != nil:
		c.fromMessage(u.Message, false, p)
	case u.Edited != nil:
		c.fromMessage(u.Edited, true, p)
	case u.Callback != nil:
		c.fromTap(u, p)
	case u.Member != nil:
		c.fromMember(u, p)
	default:
		// A kind that was not asked for; Telegram may have queued it before the list of kinds was set.
		p.skip = true
	}
}

func (c *Channel) fromMessage(m *message, edit bool, p *parsed) {
	if m.Chat.Type != models.ChatTypePrivate {
		// A staff chat that alerts go to, or somebody's group: nobody is interviewed in front of others.
		p.skip = true
		return
	}
	if m.Chat.ID == 0 {
		p.broken = "a message without a chat"
		return
	}
	p.msg.From = c.contact(m.Chat.ID)
	if m.From != nil && m.From.IsBot {
		p.skip = true // two bots would talk for ever
		return
	}
	in := &p.msg.Input
	in.ID, in.Edit, in.At = strconv.FormatInt(m.ID, 10), edit, time.Unix(m.Date, 0).UTC()
	if edit && m.EditDate > 0 {
		in.At = time.Unix(m.EditDate, 0).UTC()
	}
	if m.From != nil {
		in.Lang = m.From.LanguageCode
	}
	p.late = !edit && m.Date > 0
	in.Kind, in.Text = flows.KindText, m.Text
	switch {
	case m.Text != "":
		in.Text = command(m.Text)
	case m.Venue != nil: // before Location, which a venue has as well
		in.Kind, in.Location = flows.KindLocation, place(&m.Venue.Location, edit, in.At)
		in.Location.Text = strings.Trim(m.Venue.Title+", "+m.Venue.Address, ", ")
	case m.Location != nil:
		in.Kind, in.Location = flows.KindLocation, place(m.Location, edit, in.At)
	case m.Contact != nil:
		in.Kind, in.Contact = flows.KindContact, card(m.Contact, m.From)
	case m.Dice != nil:
		in.Text = m.Dice.Emoji
	case m.Poll != nil:
		in.Text = m.Poll.Question
	default:
		in.Kind, in.Media, in.Text = flows.KindMedia, media(m), m.Caption
		if in.Media.Kind == "other" && service(p.raw) {
			p.skip = true
		}
	}
}

// addressed is the name that Telegram's clients append to a command: /start@pulang_bot.
var addressed = regexp.MustCompile(`^(/[A-Za-z0-9_]+)@[A-Za-z0-9_]{3,32}(\s|$)`)

// command takes the bot's name off a command; everything else stays as it was typed.
func command(s string) string { return addressed.ReplaceAllString(s, "$1$2") }

// place reads a location. A live one comes as a message with a period, moves as edits with a period, and ends with
// an edit without one; a pin is never edited.
func place(l *models.Location, edit bool, at time.Time) *flows.Location {
	out := &flows.Location{Kind: "pin", AccuracyM: l.HorizontalAccuracy, At: at}
	if l.LivePeriod != 0 || edit {
		out.Kind, out.Ended = "live", l.LivePeriod == 0
	}
	if ok := l.Latitude >= -90 && l.Latitude <= 90 && l.Longitude >= -180 && l.Longitude <= 180; ok && (l.Latitude != 0 || l.Longitude != 0) {
		out.HasPoint, out.Lat, out.Lon = true, l.Latitude, l.Longitude
	}
	return out
}

// card reads a shared contact. Anybody can pass on anybody's card: the number is the sender's own only when Telegram
// says that the card's user is the sender.
func card(k *models.Contact, from *models.User) *flows.Card {
	out := &flows.Card{Phone: k.PhoneNumber, Name: strings.TrimSpace(k.FirstName + " " + k.LastName)}
	if from != nil && k.UserID != 0 && k.UserID == from.ID {
		out.Own = true
		// Telegram knows its users' numbers in full and sends them with or without the plus.
		if n := out.Phone; n != "" && n[0] >= '1' && n[0] <= '9' {
			out.Phone = "+" + n
		}
	}
	return out
}

func media(m *message) *flows.Media {
	switch {
	case len(m.Photo) > 0:
		best := m.Photo[0]
		for _, s := range m.Photo[1:] {
			if s.Width*s.Height > best.Width*best.Height {
				best = s
			}
		}
		return &flows.Media{Kind: "photo", Ref: best.FileID, MIME: "image/jpeg", Bytes: int64(best.FileSize)}
	case m.Voice != nil:
		return &flows.Media{Kind: "voice", Ref: m.Voice.FileID, MIME: m.Voice.MimeType, Bytes: m.Voice.FileSize, Seconds: m.Voice.Duration}
	case m.Audio != nil:
		return &flows.Media{Kind: "audio", Ref: m.Audio.FileID, Name: m.Audio.FileName, MIME: m.Audio.MimeType, Bytes: m.Audio.FileSize, Seconds: m.Audio.Duration}
	case m.Video != nil:
		return &flows.Media{Kind: "video", Ref: m.Video.FileID, Name: m.Video.FileName, MIME: m.Video.MimeType, Bytes: m.Video.FileSize, Seconds: m.Video.Duration}
	case m.VideoNote != nil:
		return &flows.Media{Kind: "video", Ref: m.VideoNote.FileID, MIME: "video/mp4", Bytes: int64(m.VideoNote.FileSize), Seconds: m.VideoNote.Duration}
	case m.Animation != nil: // before Document, which an animation has as well
		return &flows.Media{Kind: "video", Ref: m.Animation.FileID, Name: m.Animation.FileName, MIME: m.Animation.MimeType, Bytes: m.Animation.FileSize, Seconds: m.Animation.Duration}
	case m.Document != nil:
		return &flows.Media{Kind: "document", Ref: m.Document.FileID, Name: m.Document.FileName, MIME: m.Document.MimeType, Bytes: m.Document.FileSize}
	case m.Sticker != nil:
		return &flows.Media{Kind: "sticker", Ref: m.Sticker.FileID, Name: m.Sticker.Emoji, Bytes: int64(m.Sticker.FileSize)}
	}
	return &flows.Media{Kind: "other"}
}

// fromTap reads a pressed button. The message may be too old for Telegram to show it to us, or be missing; in a
// private chat the chat's id is the person's id.
func (c *Channel) fromTap(u *update, p *parsed) {
	q := u.Callback
	p.tap = q.ID
	chat := q.From.ID
	if m := q.Message; m != nil {
		if m.Chat.Type != "" && m.Chat.Type != models.ChatTypePrivate {
			p.skip = true
			return
		}
		if m.Chat.ID != 0 {
			chat = m.Chat.ID
		}
	}
	if chat == 0 {
		p.broken = "a tap without a person"
		return
	}
	p.msg.From = c.contact(chat)
	in := &p.msg.Input
	// The query's own id: two taps on one message are two inputs. Taps bear no time, so it is that of receipt.
	in.Kind, in.ID, in.Tap, in.At, in.Lang = flows.KindTap, "tap:"+q.ID, bot.ParseTap(q.Data), c.now().UTC(), q.From.LanguageCode
}

// fromMember reads that a person blocked or unblocked the bot, or that the bot was put into a group.
func (c *Channel) fromMember(u *update, p *parsed) {
	m := u.Member
	p.msg.From = c.contact(m.Chat.ID)
	if m.Chat.Type != models.ChatTypePrivate {
		// Not a person: the id of the group is what an operator needs for an alert target.
		c.log.Info("the bot's place in a group has changed", "chat", m.Chat.ID, "status", string(m.New.Status))
		p.skip = true
		return
	}
	in := &p.msg.Input
	in.At, in.Lang = time.Unix(m.Date, 0).UTC(), m.From.LanguageCode
	switch {
	case m.New.Status == models.ChatMemberTypeBanned:
		in.Kind = flows.KindBlocked
	case m.Old.Status == models.ChatMemberTypeBanned:
		in.Kind = flows.KindUnblock
	default:
		p.skip = true
	}
}
