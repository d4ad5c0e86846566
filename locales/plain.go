package locales

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"pulang/flows"
)

// plain is a text without plural forms and without more in it than {{.Name}}: nearly all of them. A reply is a dozen
// texts, and for these the general way costs more than everything else that is decided about a message.
type plain []piece

// piece is literal text, then a placeholder; name is "" for none.
type piece struct{ literal, name string }

var holder = regexp.MustCompile(`{{\s*\.(\w+)\s*}}`)

// plainOf parts a text; false when it holds more than placeholders.
func plainOf(text string) (plain, bool) {
	var p plain
	at := 0
	for _, m := range holder.FindAllStringSubmatchIndex(text, -1) {
		p = append(p, piece{text[at:m[0]], text[m[2]:m[3]]})
		at = m[1]
	}
	p = append(p, piece{literal: text[at:]})
	for _, x := range p {
		if strings.Contains(x.literal, "{{") || strings.Contains(x.literal, "}}") {
			return nil, false
		}
	}
	return p, true
}

// render fills in the placeholders as package text/template does.
func (p plain) render(args flows.Args) string {
	if len(p) == 1 {
		return p[0].literal
	}
	b := make([]byte, 0, 256)
	for _, x := range p {
		b = append(b, x.literal...)
		if x.name == "" {
			continue
		}
		switch v := args[x.name].(type) {
		case string:
			b = append(b, v...)
		case int:
			b = strconv.AppendInt(b, int64(v), 10)
		case nil:
			b = append(b, "<no value>"...)
		default:
			b = fmt.Append(b, v)
		}
	}
	return string(b)
}
