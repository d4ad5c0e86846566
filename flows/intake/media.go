package intake

import (
	"strings"

	"pulang/flows"
)

// received handles photos, voice, documents and whatever else a messenger can carry. It stays on the case; a caption is
// read like words.
func (t *turn) received() {
	t.content = true
	kind := "other"
	if t.in.Media != nil {
		kind = t.in.Media.Kind
	}
	if t.closed() || t.s.Paused {
		if caption := strings.TrimSpace(t.in.Text); caption != "" {
			t.words(caption)
			if t.urgent {
				return
			}
			t.parts, t.asked, t.list, t.step = nil, nil, nil, ""
		}
		t.aside()
		return
	}
	line := t.text(mediaLine(kind))
	q := t.current()
	if caption := strings.TrimSpace(t.in.Text); caption != "" {
		if t.words(caption) {
			return // danger, a command: their reply is enough
		}
	}
	if kind != "sticker" && q != nil && q.media && t.asks(q.id) {
		a := flows.Answer{Text: t.in.Text}
		if q.mediaValue != "" && (kind == "photo" || kind == "document") {
			a.Values = []flows.Value{q.mediaValue}
		} else {
			a.Review = true
		}
		t.accept(q, a)
	}
	if q != nil && t.asks(q.id) && (kind == "voice" || kind == "audio" || kind == "video") {
		// A person who can only speak is not asked the same a third time.
		if t.s.Shown.Misses > 0 && t.s.Ask == "" {
			a, had := t.s.Answers[q.id]
			if !had {
				a = flows.Answer{}
			}
			a.Review, a.At, a.From = true, t.in.At, ""
			t.record(q.id, a)
			t.done(q)
			if q.forget != "" {
				t.note(q.forget, "")
			}
		} else {
			t.s.Shown.Misses++
		}
	}
	t.known = true
	switch {
	case t.danger() && t.rescueGap() != "":
	case t.danger():
		t.say("danger.noted")
		t.urgent = true
		return
	case t.silent():
		if t.gap() == "" {
			t.say("silent.ok")
			return
		}
	default:
		t.parts = append(t.parts, line)
	}
	t.goOn()
}

// sayKept says that something is kept; to a person who is watched in as few letters as there are.
func (t *turn) sayKept(line flows.TextID) {
	if t.silent() {
		line = "silent.ok"
	}
	t.say(line)
}

// mediaLine is what is said about a file of this kind.
func mediaLine(kind string) flows.TextID {
	switch kind {
	case "voice", "audio":
		return "media.voice"
	case "photo":
		return "media.photo"
	case "video":
		return "media.video"
	case "document":
		return "media.document"
	case "sticker":
		return "media.sticker"
	}
	return "media.other"
}
