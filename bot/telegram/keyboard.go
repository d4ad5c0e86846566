package telegram

import (
	"unicode/utf8"

	"pulang/bot"
)

const (
	maxData    = 64 // bytes of a button's data
	shortLabel = 12 // characters: three such buttons fit into one row of a small phone
	perRow     = 3
)

// The keyboards as Telegram reads them. The library's buttons carry a field for every kind of button that there is,
// some of them even where they are empty.
type (
	inlineKeyboard struct {
		Rows [][]inlineKey `json:"inline_keyboard"`
	}
	inlineKey struct {
		Text string `json:"text"`
		Data string `json:"callback_data"`
	}
	replyKeyboard struct {
		Rows    [][]askKey `json:"keyboard"`
		Resize  bool       `json:"resize_keyboard"`
		OneTime bool       `json:"one_time_keyboard"`
	}
	askKey struct {
		Text     string `json:"text"`
		Contact  bool   `json:"request_contact,omitempty"`
		Location bool   `json:"request_location,omitempty"`
	}
	noKeyboard struct {
		Remove bool `json:"remove_keyboard"`
	}
)

// inlineButtons lays the choices out below a message: short ones up to three in a row, a long one in a row of its
// own, in their order. A button that Telegram would refuse, and the whole message with it, is left out: its line
// stands in the text and can be typed. nil when there is none.
func inlineButtons(buttons []bot.Button) any {
	var rows [][]inlineKey
	room := 0
	for _, b := range buttons {
		if b.Label == "" || b.Data == "" || len(b.Data) > maxData || !utf8.ValidString(b.Data) {
			continue
		}
		key := inlineKey{Text: b.Label, Data: b.Data}
		short := utf8.RuneCountInString(b.Label) <= shortLabel
		if short && room > 0 {
			rows[len(rows)-1] = append(rows[len(rows)-1], key)
			room--
			continue
		}
		rows = append(rows, []inlineKey{key})
		room = 0
		if short {
			room = perRow - 1
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return inlineKeyboard{rows}
}

// askKeyboard is the keyboard with Telegram's own buttons for a place and for the person's number; nil when neither is
// asked for.
func askKeyboard(out bot.Outgoing) any {
	var rows [][]askKey
	if out.AskPlace != "" {
		rows = append(rows, []askKey{{Text: out.AskPlace, Location: true}})
	}
	if out.AskContact != "" {
		rows = append(rows, []askKey{{Text: out.AskContact, Contact: true}})
	}
	if len(rows) == 0 {
		return nil
	}
	return replyKeyboard{Rows: rows, Resize: true, OneTime: true}
}

// askLabel is the text of the message that brings the keyboard of askKeyboard.
func askLabel(out bot.Outgoing) string {
	if out.AskPlace != "" {
		return out.AskPlace
	}
	return out.AskContact
}
