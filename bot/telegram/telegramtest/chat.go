package telegramtest

import (
	"encoding/json"
	"strings"
	"time"
)

// Message is one message of a chat, as the person sees it.
type Message struct {
	ID   int64
	Chat int64
	// FromBot is true for what the bot sent.
	FromBot bool
	Text    string // or the caption
	// Buttons are the choices below the message; Keyboard is the reply keyboard that came with it.
	Buttons        [][]Button
	Keyboard       [][]Key
	RemoveKeyboard bool
	Protected      bool
	NoPreview      bool
	At             time.Time
	Edited         bool
	Deleted        bool
	// Content is the raw content of what is not text: location, photo, …
	Content map[string]any
}

// Button is a choice below a message.
type Button struct {
	Text string `json:"text"`
	Data string `json:"callback_data"`
	URL  string `json:"url"`
}

// Key is a button of a reply keyboard.
type Key struct {
	Text     string `json:"text"`
	Location bool   `json:"request_location"`
	Contact  bool   `json:"request_contact"`
}

// HasButton reports whether there is a choice with this label below the message.
func (m Message) HasButton(label string) bool {
	_, ok := m.button(label)
	return ok
}

// Labels are the labels of the choices, in order.
func (m Message) Labels() []string {
	var out []string
	for _, row := range m.Buttons {
		for _, b := range row {
			out = append(out, b.Text)
		}
	}
	return out
}

func (m Message) button(label string) (Button, bool) {
	for _, row := range m.Buttons {
		for _, b := range row {
			if b.Text == label {
				return b, true
			}
		}
	}
	return Button{}, false
}

// chat is a conversation of one bot with a person or a group.
type chat struct {
	bot      *Bot
	id       int64
	kind     string
	title    string
	user     *person // nil for a group
	messages []*Message
	nextID   int64
	keyboard [][]Key // the reply keyboard that is up
	started  bool    // the person has written: before that the bot may not
	blocked  bool
	migrated int64
	seen     int64 // the last message that Wait returned
	bucket   bucket
}

func (b *Bot) chatOf(p *person) *chat {
	c := b.chats[p.id]
	if c == nil {
		c = &chat{bot: b, id: p.id, kind: "private", user: p, nextID: 1}
		b.chats[p.id] = c
	}
	return c
}

func (c *chat) add(m *Message) *Message {
	m.ID, m.Chat, m.At = c.nextID, c.id, c.bot.srv.nowLocked()
	c.nextID++
	c.messages = append(c.messages, m)
	c.bot.srv.wakeLocked()
	return m
}

func (c *chat) find(id int64) *Message {
	for _, m := range c.messages {
		if m.ID == id && !m.Deleted {
			return m
		}
	}
	return nil
}

// asChat is the chat as the Bot API tells it.
func (c *chat) asChat() map[string]any {
	if c.user == nil {
		return map[string]any{"id": c.id, "type": c.kind, "title": c.title}
	}
	return map[string]any{"id": c.id, "type": "private", "first_name": c.user.name}
}

// asMessage is a message as the Bot API tells it.
func (c *chat) asMessage(m *Message, from map[string]any) map[string]any {
	out := map[string]any{"message_id": m.ID, "from": from, "chat": c.asChat(), "date": m.At.Unix()}
	for k, v := range m.Content {
		out[k] = v
	}
	if m.Text != "" {
		if len(m.Content) > 0 && m.Content["forward_origin"] == nil {
			out["caption"] = m.Text
		} else {
			out["text"] = m.Text
		}
	}
	if m.FromBot && len(m.Buttons) > 0 {
		out["reply_markup"] = map[string]any{"inline_keyboard": m.Buttons}
	}
	return out
}

// markup reads a reply_markup and checks what Telegram checks. The description is empty when all is well.
func (c *chat) markup(raw string, m *Message) (description string) {
	if raw == "" {
		return ""
	}
	var k struct {
		Inline   [][]json.RawMessage `json:"inline_keyboard"`
		Keyboard [][]json.RawMessage `json:"keyboard"`
		Remove   bool                `json:"remove_keyboard"`
	}
	if raw == "null" || json.Unmarshal([]byte(raw), &k) != nil {
		return "Bad Request: object expected as reply markup"
	}
	for _, row := range k.Inline {
		var buttons []Button
		for _, r := range row {
			var b Button
			switch {
			case json.Unmarshal(r, &b) != nil || strings.TrimSpace(b.Text) == "":
				return "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
			case b.URL == "" && len(b.Data) == 0, len(b.Data) > 64:
				return "Bad Request: BUTTON_DATA_INVALID"
			}
			buttons = append(buttons, b)
		}
		m.Buttons = append(m.Buttons, buttons)
	}
	for _, row := range k.Keyboard {
		var keys []Key
		for _, r := range row {
			var b Key
			switch {
			case json.Unmarshal(r, &b) != nil || strings.TrimSpace(b.Text) == "":
				return "Bad Request: can't parse keyboard button: Text must be non-empty"
			case c.kind != "private" && (b.Location || b.Contact):
				return "Bad Request: phone number and location can be requested in private chats only"
			}
			keys = append(keys, b)
		}
		m.Keyboard = append(m.Keyboard, keys)
	}
	m.RemoveKeyboard = k.Remove
	if m.Keyboard != nil && m.Buttons != nil {
		return "Bad Request: a message has one kind of keyboard"
	}
	return ""
}
