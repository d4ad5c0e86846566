package bot

import (
	"strings"

	"pulang/flows"
	"pulang/locales"
)

// dataVersion leads every button's data, so that a later form of it can be told apart.
const dataVersion = "v1"

// TapData is the data of a button: it ends in STEP:VALUE and stays below Telegram's 64 bytes.
func TapData(scope string, step flows.StepID, value flows.Value) string {
	return dataVersion + ":" + scope + ":" + string(step) + ":" + string(value)
}

// ParseTap reads a button's data back. Data that is not ours gives a Tap with an empty Step: somebody pressed
// something, and is answered.
func ParseTap(data string) *flows.Tap {
	p := strings.Split(data, ":")
	if len(p) != 4 || p[0] != dataVersion {
		return &flows.Tap{}
	}
	return &flows.Tap{Scope: p[1], Step: flows.StepID(p[2]), Value: flows.Value(p[3])}
}

// Render puts a reply into words in lang: its parts, then one numbered line a choice. Every choice can be typed on
// every channel; where the channel has buttons they are below the text as well.
func Render(cat *locales.Catalogue, lang string, r flows.Reply, can flows.Can) Outgoing {
	if r.Lang != "" {
		lang = r.Lang
	}
	var b strings.Builder
	for i, p := range r.Parts {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(cat.Text(lang, p.ID, p.Args))
	}
	out := Outgoing{Protect: r.Protect}
	lines := 0
	for _, c := range r.Choices {
		label := cat.Text(lang, c.Label.ID, c.Label.Args)
		if c.Picked {
			label = "✓ " + label
		}
		if c.Number != "" {
			label = c.Number + ". " + label
		}
		if !r.Bare && c.Number != "" {
			b.WriteString("\n")
			if lines == 0 {
				b.WriteString("\n")
			}
			b.WriteString(label)
			lines++
		}
		if can.Buttons {
			if r.Bare && c.Number != "" {
				label = c.Number
			}
			out.Buttons = append(out.Buttons, Button{Label: label, Data: TapData(r.Scope, r.Step, c.Value)})
		}
	}
	if r.AskPlace && can.AskPlace {
		out.AskPlace = cat.Text(lang, "button.send_location", nil)
	}
	if r.AskContact && can.AskContact {
		out.AskContact = cat.Text(lang, "button.send_contact", nil)
	}
	out.Text = b.String()
	return out
}
