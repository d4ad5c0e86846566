package telegram

import (
	"encoding/json"
	"errors"
	"strconv"

	jsonv1 "github.com/go-json-experiment/json/v1"
	"github.com/go-telegram/bot/models"

	"pulang/bot"
)

// update is what is read of an Update. Only the fields that are used are declared, and none of the library's union
// types is among them: a kind of forward, background or member that Telegram invents tomorrow cannot make a
// citizen's words unreadable.
type update struct {
	ID       int64    `json:"update_id"`
	Message  *message `json:"message"`
	Edited   *message `json:"edited_message"`
	Callback *struct {
		ID      string      `json:"id"`
		From    models.User `json:"from"`
		Data    string      `json:"data"`
		Message *struct {
			// Only what an inaccessible (old) message has as well.
			Chat models.Chat `json:"chat"`
		} `json:"message"`
	} `json:"callback_query"`
	Member *struct {
		Chat models.Chat `json:"chat"`
		From models.User `json:"from"`
		Date int64       `json:"date"`
		Old  struct {
			Status models.ChatMemberType `json:"status"`
		} `json:"old_chat_member"`
		New struct {
			Status models.ChatMemberType `json:"status"`
		} `json:"new_chat_member"`
	} `json:"my_chat_member"`
}

// message is what is read of a Message.
type message struct {
	ID        int64              `json:"message_id"`
	From      *models.User       `json:"from"`
	Chat      models.Chat        `json:"chat"`
	Date      int64              `json:"date"`
	EditDate  int64              `json:"edit_date"`
	Text      string             `json:"text"`
	Caption   string             `json:"caption"`
	Location  *models.Location   `json:"location"`
	Venue     *models.Venue      `json:"venue"`
	Contact   *models.Contact    `json:"contact"`
	Photo     []models.PhotoSize `json:"photo"`
	Voice     *models.Voice      `json:"voice"`
	Audio     *models.Audio      `json:"audio"`
	Video     *models.Video      `json:"video"`
	VideoNote *models.VideoNote  `json:"video_note"`
	Animation *models.Animation  `json:"animation"`
	Document  *models.Document   `json:"document"`
	Sticker   *models.Sticker    `json:"sticker"`
	Dice      *models.Dice       `json:"dice"`
	Poll      *struct {
		Question string `json:"question"`
	} `json:"poll"`
}

// serviceFields mark messages in which a person says nothing.
var serviceFields = []string{
	"pinned_message", "message_auto_delete_timer_changed", "chat_background_set", "write_access_allowed",
	"connected_website", "proximity_alert_triggered", "users_shared", "chat_shared", "boost_added", "invoice",
	"successful_payment", "refunded_payment", "gift", "unique_gift", "gift_upgrade_sent", "new_chat_members",
	"left_chat_member", "new_chat_title", "new_chat_photo", "delete_chat_photo", "group_chat_created",
	"supergroup_chat_created", "channel_chat_created", "migrate_to_chat_id", "migrate_from_chat_id",
	"forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened",
	"general_forum_topic_hidden", "general_forum_topic_unhidden", "video_chat_scheduled", "video_chat_started",
	"video_chat_ended", "video_chat_participants_invited", "giveaway_created", "giveaway_completed",
	"paid_message_price_changed", "direct_message_price_changed", "chat_owner_left", "chat_owner_changed",
}

// service reports whether the message of this update tells of something that happened in the chat, and nobody said
// anything.
func service(raw []byte) bool {
	var u struct {
		Message map[string]json.RawMessage `json:"message"`
		Edited  map[string]json.RawMessage `json:"edited_message"`
	}
	if decode(raw, &u) != nil {
		return false
	}
	for _, f := range serviceFields {
		if u.Message[f] != nil || u.Edited[f] != nil {
			return true
		}
	}
	return false
}

// parsed is an update on its way to the handler.
type parsed struct {
	raw []byte
	// id is the update's id; 0 when even that cannot be read. place is the number by which polling confirms it.
	id, place int64
	// key orders: updates of one key are handled one after the other.
	key string
	// broken says, without any content, why the update cannot be understood; msg.From is then set if it could be read.
	broken string
	// skip is true for what is acknowledged and not handled.
	skip bool
	// tap is the callback query that waits for an answer.
	tap string
	// late is true for what shows how long the way took: a new message, not a correction of an old one.
	late bool
	msg  bot.Message
}

// parse reads one update. It never fails: what cannot be understood is marked broken and put aside later.
func (c *Channel) parse(raw []byte) parsed {
	p := parsed{raw: raw}
	var u update
	if err := decode(raw, &u); err != nil {
		p.id, p.msg.From = c.salvage(raw)
		p.key = p.msg.From.Address
		p.broken = "not readable as an update: " + jsonTrouble(err)
		return p
	}
	p.id = u.ID
	c.convert(&u, &p)
	if u.ID <= 0 {
		p.skip, p.broken = false, "no update_id" // without it a repeat could not be told from news
	}
	p.key = p.msg.From.Address
	return p
}

// salvage reads from a broken update what can be read: its id, and whose it is.
func (c *Channel) salvage(raw []byte) (id int64, from bot.Contact) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return 0, from
	}
	_ = json.Unmarshal(fields["update_id"], &id) // stays 0
	for _, kind := range allowedUpdates {
		var inner map[string]json.RawMessage
		if json.Unmarshal(fields[kind], &inner) != nil {
			continue
		}
		for _, who := range []string{"chat", "from"} {
			var x struct {
				ID   int64           `json:"id"`
				Type models.ChatType `json:"type"`
			}
			if json.Unmarshal(inner[who], &x) == nil && x.ID > 0 {
				return id, c.contact(x.ID)
			}
		}
	}
	return id, from
}

// jsonTrouble names the place of a decoding error, never the value.
func jsonTrouble(err error) string {
	var typ *jsonv1.UnmarshalTypeError
	if errors.As(err, &typ) {
		return "field " + typ.Field + " has another type"
	}
	return "not JSON"
}

func (c *Channel) contact(chat int64) bot.Contact {
	return bot.Contact{Channel: Name, Account: c.account, Address: strconv.FormatInt(chat, 10)}
}
