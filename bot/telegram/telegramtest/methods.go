package telegramtest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"
)

// query is a tap that may be answered once.
type query struct {
	expires  time.Time
	answered bool
}

// deletable is how long a bot may delete a message.
const deletable = 48 * time.Hour

// run carries out one call.
func (b *Bot) run(r *http.Request, method string, p Params) response {
	switch strings.ToLower(method) {
	case "getupdates":
		return b.getUpdates(r, p)
	case "setwebhook":
		return b.setWebhook(p)
	case "deletewebhook":
		return b.deleteWebhook(p)
	case "getwebhookinfo":
		return b.webhookInfo()
	}
	b.srv.mu.Lock()
	defer b.srv.mu.Unlock()
	switch strings.ToLower(method) {
	case "getme":
		me := b.asUser()
		me["can_join_groups"] = true
		return success(me)
	case "sendmessage":
		return b.sendMessage(p)
	case "sendlocation":
		return b.send(p, &Message{Content: map[string]any{"location": json.RawMessage(
			`{"latitude":` + p["latitude"] + `,"longitude":` + p["longitude"] + `}`)}})
	case "sendchataction":
		_, fail := b.target(p)
		if fail != nil {
			return *fail
		}
		return success(true)
	case "editmessagetext", "editmessagereplymarkup":
		return b.edit(method, p)
	case "deletemessage":
		return b.deleteMessages(p, []int64{p.Int("message_id")}, true)
	case "deletemessages":
		var ids []int64
		if p.JSON("message_ids", &ids) != nil || len(ids) == 0 || len(ids) > 100 {
			return failure(400, "Bad Request: message_ids must have from 1 to 100 identifiers")
		}
		return b.deleteMessages(p, ids, false)
	case "answercallbackquery":
		q := b.queries[p["callback_query_id"]]
		if q == nil || q.answered || b.srv.nowLocked().After(q.expires) {
			return failure(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
		}
		q.answered = true
		return success(true)
	case "setmycommands":
		return b.setCommands(p)
	case "getmycommands":
		if list := b.commands[commandKey(p)]; list != nil {
			return success(list)
		}
		return success([]any{})
	case "getfile":
		return b.getFile(p)
	}
	return failure(404, "Not Found: method not found")
}

func (b *Bot) asUser() map[string]any {
	return map[string]any{"id": b.id, "is_bot": true, "first_name": b.username, "username": b.username}
}

// target finds the chat of a call, and why it cannot be written to.
func (b *Bot) target(p Params) (*chat, *response) {
	c := b.chats[p.Int("chat_id")]
	fail := func(r response) (*chat, *response) { return nil, &r }
	switch {
	case c == nil, c.user != nil && !c.started:
		return fail(failure(400, "Bad Request: chat not found"))
	case c.migrated != 0:
		r := failure(400, "Bad Request: group chat was upgraded to a supergroup chat")
		r.Parameters = map[string]any{"migrate_to_chat_id": c.migrated}
		return fail(r)
	case c.user != nil && c.user.deactivated:
		return fail(failure(403, "Forbidden: user is deactivated"))
	case c.blocked && c.user != nil:
		return fail(failure(403, "Forbidden: bot was blocked by the user"))
	case c.blocked:
		return fail(failure(403, "Forbidden: bot was kicked from the group chat"))
	}
	return c, nil
}

func (b *Bot) sendMessage(p Params) response {
	switch n := len(utf16.Encode([]rune(p["text"]))); {
	case strings.TrimSpace(p["text"]) == "":
		return failure(400, "Bad Request: message text is empty")
	case n > 4096:
		return failure(400, "Bad Request: message is too long")
	}
	m := &Message{Text: p["text"]}
	var preview struct {
		Off bool `json:"is_disabled"`
	}
	_ = p.JSON("link_preview_options", &preview)
	m.NoPreview = preview.Off
	return b.send(p, m)
}

func (b *Bot) send(p Params, m *Message) response {
	c, fail := b.target(p)
	if fail != nil {
		return *fail
	}
	if why := c.markup(p["reply_markup"], m); why != "" {
		return failure(400, why)
	}
	now, l := b.srv.nowLocked(), b.srv.limits
	if wait := c.bucket.take(now, l.PerChat, l.ChatBurst); wait > 0 {
		return tooMany(wait)
	}
	if wait := b.bulk.take(now, l.Bulk, l.BulkBurst); wait > 0 {
		return tooMany(wait)
	}
	m.FromBot, m.Protected = true, p.Bool("protect_content")
	c.add(m)
	if m.Keyboard != nil {
		c.keyboard = m.Keyboard
	}
	if m.RemoveKeyboard {
		c.keyboard = nil
	}
	return success(c.asMessage(m, b.asUser()))
}

func (b *Bot) edit(method string, p Params) response {
	c, fail := b.target(p)
	if fail != nil {
		return *fail
	}
	m := c.find(p.Int("message_id"))
	switch {
	case m == nil:
		return failure(400, "Bad Request: message to edit not found")
	case !m.FromBot, m.Keyboard != nil, m.RemoveKeyboard:
		return failure(400, "Bad Request: message can't be edited")
	}
	changed := Message{Text: m.Text}
	if strings.EqualFold(method, "editMessageText") {
		changed.Text = p["text"]
	}
	if why := c.markup(p["reply_markup"], &changed); why != "" {
		return failure(400, why)
	}
	before, _ := json.Marshal(m.Buttons)
	after, _ := json.Marshal(changed.Buttons)
	if changed.Text == m.Text && string(before) == string(after) {
		return failure(400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	m.Text, m.Buttons, m.Edited = changed.Text, changed.Buttons, true
	b.srv.wakeLocked()
	return success(c.asMessage(m, b.asUser()))
}

// deleteMessages deletes on both sides. Unknown ids are skipped; one that is too old refuses the whole list.
func (b *Bot) deleteMessages(p Params, ids []int64, must bool) response {
	c, fail := b.target(p)
	if fail != nil {
		return *fail
	}
	now := b.srv.nowLocked()
	for _, id := range ids {
		switch m := c.find(id); {
		case m == nil && must:
			return failure(400, "Bad Request: message to delete not found")
		case m != nil && now.Sub(m.At) > deletable:
			return failure(400, "Bad Request: message can't be deleted for everyone")
		}
	}
	for _, id := range ids {
		if m := c.find(id); m != nil {
			m.Deleted = true
		}
	}
	b.srv.wakeLocked()
	return success(true)
}

var commandForm = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

func (b *Bot) setCommands(p Params) response {
	var list []struct {
		Command     string `json:"command"`
		Description string `json:"description"`
	}
	if p.JSON("commands", &list) != nil || len(list) > 100 {
		return failure(400, "Bad Request: can't parse commands")
	}
	for _, c := range list {
		if !commandForm.MatchString(c.Command) || c.Description == "" || len([]rune(c.Description)) > 256 {
			return failure(400, "Bad Request: BOT_COMMAND_INVALID")
		}
	}
	b.commands[commandKey(p)] = json.RawMessage(p["commands"])
	return success(true)
}

func commandKey(p Params) string {
	scope := struct {
		Type string `json:"type"`
	}{"default"}
	_ = p.JSON("scope", &scope)
	return scope.Type + "/" + p["language_code"]
}
