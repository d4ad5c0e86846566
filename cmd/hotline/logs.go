package main

import (
	"io"
	"log/slog"
	"regexp"
)

// newLog is the program's log: JSON lines. What persons are and say never gets there by type (bot.Contact redacts
// itself) and by habit; this is the last net under both: only known fields are written, and things that look like
// tokens, numbers or addresses are cut out of errors.
func newLog(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: redact}))
}

const redacted = "[redacted]"

// logged are the fields that may stand in the log. Everything else is dropped, so that a new field is a decision: a
// test reads the source for fields that are not here. true means that the value is one of ours (an id, a code, a word
// of a closed set, a number that names no person) and is written as it is; out of the others, which bear texts of
// errors, whatever looks personal or secret is cut.
var logged = map[string]bool{
	// closed words and codes
	"alarm": true, "channel": true, "command": true, "kind": true, "lang": true, "line": true, "mission": true, "part": true,
	"state": true, "status": true, "timer": true, "type": true, "why": true,
	// names that we or a messenger gave to things: a bot, a row, an update, an error page, a group of staff
	"account": true, "chat": true, "file": true, "id": true, "message": true, "new": true, "old": true, "row": true, "route": true,
	"update": true,
	// counts, codes and times
	"attempts": true, "code": true, "for": true, "from": true, "kept_bytes": true, "left_out_bytes": true, "messages": true, "reason": true,
	"to": true, "cases": true, "count": true, "first": true, "last": true, "lost": true,
	"tries": true, "until": true,
	// texts
	"err": false, "stack": false, "telegram": false, "what": false,
}

// leaks are shapes of secrets and personal data: a Bot API token and the URL that bears one, credentials in a URL,
// telephone numbers, NIK and other long numbers, coordinates.
var leaks = []*regexp.Regexp{
	regexp.MustCompile(`\d{6,}:[A-Za-z0-9_-]{20,}`),
	regexp.MustCompile(`/bot[^/\s"]+`),
	regexp.MustCompile(`//[^/\s"@]+@`),
	regexp.MustCompile(`-?\d{1,3}\.\d{4,}\s*,\s*-?\d{1,3}\.\d{4,}`),
	regexp.MustCompile(`\+?\d[\d .-]{7,}\d`),
	regexp.MustCompile(`\?[^\s"]+`),
}

func redact(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return a
	}
	ours, ok := logged[a.Key]
	if !ok || len(groups) > 0 {
		return slog.String(a.Key, redacted)
	}
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		if ours && oneWord.MatchString(v.String()) {
			return slog.String(a.Key, v.String())
		}
		return slog.String(a.Key, scrub(v.String()))
	case slog.KindAny:
		switch x := v.Any().(type) {
		case nil:
			return a
		case error:
			return slog.String(a.Key, scrub(x.Error()))
		default:
			// A struct could hold anything.
			return slog.String(a.Key, redacted)
		}
	}
	return a
}

// oneWord is the form of a value that may stand as it is: without it, a sentence that strayed into such a field is
// scrubbed like any other.
var oneWord = regexp.MustCompile(`^[A-Za-z0-9_.:/ {}-]{1,80}$`)

func scrub(s string) string {
	for _, re := range leaks {
		s = re.ReplaceAllString(s, redacted)
	}
	return s
}
