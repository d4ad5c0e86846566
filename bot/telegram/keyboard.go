package telegram

import (
	"unicode/utf8"

	"github.com/go-telegram/bot/models"

	"pulang/bot"
)

const (
	maxData    = 64 // bytes of a button's data
	shortLabel = 12 // characters: three such buttons fit into one row of a small phone
	perRow     = 3
)

// inlineButtons lays the choices out below a message: short ones up to three in a row, a long one in a row of its
// own, in their order. A button that Telegram would refuse, and the whole message with it, is left out: its line
// stands in the text and can be typed. The result is a nil interface when there is none; a typed nil would be sent
// as "null".
func inlineButtons(buttons []bot.Button) models.ReplyMarkup {
	var rows [][]models.InlineKeyboardButton
	room := 0
	for _, b := range buttons {
		if b.Label == "" || b.Data == "" || len(b.Data) > maxData || !utf8.ValidString(b.Data) {
			continue
		}
		key := models.InlineKeyboardButton{Text: b.Label, CallbackData: b.Data}
		short := utf8.RuneCountInString(b.Label) <= shortLabel
		if short && room > 0 {
			rows[len(rows)-1] = append(rows[len(rows)-1], key)
			room--
			continue
		}
		rows = append(rows, []models.InlineKeyboardButton{key})
		room = 0
		if short {
			room = perRow - 1
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return &models.InlineKeyboardMarkup{InlineKeyboard: rows}
}

// askKeyboard is the keyboard with Telegram's own buttons for a place and for the person's number; a nil interface
// when neither is asked for.
func askKeyboard(out bot.Outgoing) models.ReplyMarkup {
	var rows [][]models.KeyboardButton
	if out.AskPlace != "" {
		rows = append(rows, []models.KeyboardButton{{Text: out.AskPlace, RequestLocation: true}})
	}
	if out.AskContact != "" {
		rows = append(rows, []models.KeyboardButton{{Text: out.AskContact, RequestContact: true}})
	}
	if len(rows) == 0 {
		return nil
	}
	return &models.ReplyKeyboardMarkup{Keyboard: rows, ResizeKeyboard: true, OneTimeKeyboard: true}
}

// askLabel is the text of the message that brings the keyboard of askKeyboard.
func askLabel(out bot.Outgoing) string {
	if out.AskPlace != "" {
		return out.AskPlace
	}
	return out.AskContact
}
