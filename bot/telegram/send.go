package telegram

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"pulang/bot"
)

// Why is the reason of a failed send, a catalogue key below "send.".
const (
	whyBlocked      = "blocked"      // the person blocked the bot, or the bot was removed from the staff chat
	whyDeactivated  = "deactivated"  // the person's account is gone
	whyNoChat       = "no_chat"      // Telegram knows no such chat, or the person never started the bot
	whyBad          = "bad_request"  // Telegram will never take this message
	whyEmpty        = "empty"        // there is nothing to send
	whyRate         = "rate"         // too many messages; Telegram named the wait
	whyDown         = "down"         // Telegram cannot be reached, or is disturbed
	whyUnknown      = "unknown"      // the message may have been sent: the answer was lost
	whyUnauthorised = "unauthorised" // Telegram refuses the token
)

// Send sends one row: first the deletions, then the text. The returned id is Telegram's message id; a text that had
// to be split has several, joined by commas, all of which Out.DeleteIDs takes.
//
// The Bot API has no idempotency key. When the answer to a message that was written to the wire is lost, nobody can
// know whether it was sent, and the error says SendUnknown: a repeat may be seen twice. After 0 in an error asks the
// caller to back off; a wait that Telegram named stands in After.
func (c *Channel) Send(ctx context.Context, r bot.Row) (string, error) {
	chat, err := strconv.ParseInt(r.To.Address, 10, 64)
	if err != nil || chat == 0 {
		return "", &bot.SendError{Do: bot.SendBad, Why: whyNoChat, Err: errors.New("not a chat id")}
	}
	if r.To.Account != "" && r.To.Account != c.account {
		return "", &bot.SendError{Do: bot.SendBad, Why: whyBad, Err: errors.New("the contact belongs to another bot")}
	}
	if r.Out.Delete {
		if err := c.delete(ctx, chat, r.Out.DeleteIDs); err != nil {
			return "", c.sendError(chat, err)
		}
	}
	parts := c.parts(chat, r.Out)
	if len(parts) == 0 {
		if r.Out.Delete {
			return "", nil
		}
		return "", &bot.SendError{Do: bot.SendBad, Why: whyEmpty, Err: errors.New("no text")}
	}
	ids := c.sending.sent(r.ID)
	for i := len(ids); i < len(parts); i++ {
		id, err := c.sendPart(ctx, chat, parts[i], r.Out.Protect)
		if err != nil {
			se := c.sendError(chat, err)
			if se.Do != bot.SendRetry && se.Do != bot.SendUnknown {
				c.sending.forget(r.ID)
			}
			return "", se
		}
		ids = append(ids, id)
		if len(parts) > 1 {
			c.sending.note(r.ID, ids)
		}
		c.health.sent(c.now())
	}
	c.sending.forget(r.ID)
	return strings.Join(ids, ","), nil
}

// part is one message of a row.
type part struct {
	text   string
	markup any // nil for none
}

// parts are the messages that a row needs: nearly always one. A message cannot have both the buttons below it and
// the keyboard with Telegram's own location or contact button. Where both are wanted the choices go below the text,
// because those bear a scope and stay right for ever, and the keyboard comes with a second message that says no more
// than the keyboard's label.
func (c *Channel) parts(chat int64, out bot.Outgoing) []part {
	var parts []part
	for _, s := range split(out.Text, maxText) {
		parts = append(parts, part{text: s})
	}
	if len(parts) == 0 {
		return nil
	}
	last := &parts[len(parts)-1]
	inline, keyboard := inlineButtons(out.Buttons), askKeyboard(out)
	if chat < 0 {
		keyboard = nil // a group: only private chats may be asked for a place or a number
	}
	switch {
	case inline != nil && keyboard != nil:
		last.markup = inline
		parts = append(parts, part{text: askLabel(out), markup: keyboard})
	case inline != nil:
		last.markup = inline
	case keyboard != nil:
		last.markup = keyboard
	case chat > 0:
		// The keyboard of an earlier question goes away with the first message that has no buttons of its own.
		// Nothing is remembered for that: removing a keyboard that is not there is allowed.
		last.markup = noKeyboard{true}
	}
	return parts
}

// sendMessage is the call as Telegram reads it.
type sendMessage struct {
	Chat int64  `json:"chat_id"`
	Text string `json:"text"`
	// No parse mode: what people wrote may stand in the text. No preview: it would fetch a link, and show it.
	Preview preview `json:"link_preview_options"`
	Protect bool    `json:"protect_content,omitempty"`
	Markup  any     `json:"reply_markup,omitempty"`
}

type preview struct {
	Off bool `json:"is_disabled"`
}

// sendPart sends one message and returns its id. Its error is a *callError.
func (c *Channel) sendPart(ctx context.Context, chat int64, p part, protect bool) (string, error) {
	msg := sendMessage{Chat: c.sending.moved(chat), Text: p.text, Preview: preview{Off: true}, Protect: protect, Markup: p.markup}
	result, err := c.api.post(ctx, "sendMessage", &msg)
	var e *callError
	switch {
	case errors.As(err, &e) && e.MigrateTo != 0:
		// Only staff chats are groups. An operator has to know, because the next start knows the old id only.
		c.log.Warn("a staff chat became a supergroup: put its new id into the mission file", "old", chat, "new", e.MigrateTo)
		c.sending.move(chat, e.MigrateTo)
		msg.Chat = e.MigrateTo
		result, err = c.api.post(ctx, "sendMessage", &msg)
	case errors.As(err, &e) && e.Code == http.StatusBadRequest && p.markup != nil && keyboardFault(e):
		// The question matters more than its buttons: every choice can be typed.
		c.log.Error("Telegram refused a keyboard; the message goes without", "telegram", e.Description)
		msg.Markup = nil
		result, err = c.api.post(ctx, "sendMessage", &msg)
	}
	if err != nil {
		return "", err
	}
	var sent struct {
		ID int64 `json:"message_id"`
	}
	if decode(result, &sent) != nil || sent.ID == 0 {
		return "", nil // Telegram said ok: it was sent, and can only not be deleted later
	}
	return strconv.FormatInt(sent.ID, 10), nil
}

func keyboardFault(e *callError) bool {
	return e.says("button") || e.says("keyboard") || e.says("reply markup") || e.says("reply_markup")
}

// sendError sorts a failed call by what comes next.
func (c *Channel) sendError(chat int64, err error) *bot.SendError {
	var e *callError
	if !errors.As(err, &e) {
		return &bot.SendError{Do: bot.SendRetry, Why: whyDown, Err: err}
	}
	switch {
	case e.Description == notAPI && e.Code != 0:
		return &bot.SendError{Do: bot.SendRetry, Why: whyDown, Err: err} // a proxy's word, not Telegram's
	case e.Code == http.StatusTooManyRequests:
		wait := max(e.RetryAfter, time.Second)
		return &bot.SendError{Do: bot.SendRetry, After: wait, Account: c.sending.flooded(chat, c.now()), Why: whyRate, Err: err}
	case e.Code == http.StatusUnauthorized, e.Code == http.StatusNotFound:
		c.log.Error("Telegram refuses the token: nothing can be sent until it is right", "telegram", e.Description)
		return &bot.SendError{Do: bot.SendRetry, After: time.Minute, Account: true, Why: whyUnauthorised, Err: err}
	case e.Code == http.StatusForbidden && e.says("deactivated"):
		return &bot.SendError{Do: bot.SendGone, Why: whyDeactivated, Err: err}
	case e.Code == http.StatusForbidden && e.says("initiate"):
		return &bot.SendError{Do: bot.SendGone, Why: whyNoChat, Err: err}
	case e.Code == http.StatusForbidden:
		return &bot.SendError{Do: bot.SendGone, Why: whyBlocked, Err: err}
	case e.Code == http.StatusBadRequest && (e.says("chat not found") || e.says("user not found") || e.says("peer_id_invalid")):
		return &bot.SendError{Do: bot.SendGone, Why: whyNoChat, Err: err}
	case e.Code >= 400 && e.Code < 500 && e.Code != http.StatusRequestTimeout && e.Code != http.StatusConflict:
		return &bot.SendError{Do: bot.SendBad, Why: whyBad, Err: err}
	case e.Code == 0 && e.Written:
		return &bot.SendError{Do: bot.SendUnknown, Why: whyUnknown, Err: err}
	}
	return &bot.SendError{Do: bot.SendRetry, Why: whyDown, Err: err}
}
