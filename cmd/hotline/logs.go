package main

import (
	"io"
	"log/slog"
	"regexp"
	"strings"
)

// newLog is the program's log: JSON lines. What persons are and say never gets there by type (bot.Contact redacts
// itself) and by habit; this is the last net under both: fields with telling names are dropped, and things that look
// like tokens, numbers or addresses are cut out of errors.
func newLog(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: redact}))
}

const redacted = "[redacted]"

// neverLogged are field names that can only hold what must not be logged.
var neverLogged = map[string]bool{
	"text": true, "address": true, "phone": true, "number": true, "name": true, "token": true, "secret": true, "password": true,
	"url": true, "body": true, "words": true, "location": true, "place": true, "lat": true, "lon": true, "raw": true,
	"cookie": true, "query": true, "ip": true, "contact": true,
}

// leaks are shapes of secrets and personal data: a Bot API token and the URL that bears one, credentials in a URL,
// telephone numbers, NIK and other long numbers, coordinates.
var leaks = []*regexp.Regexp{
	regexp.MustCompile(`\d{6,}:[A-Za-z0-9_-]{20,}`),
	regexp.MustCompile(`/bot[^/\s"]+`),
	regexp.MustCompile(`//[^/\s"@]+@`),
	regexp.MustCompile(`\+?\d[\d .-]{7,}\d`),
	regexp.MustCompile(`-?\d{1,3}\.\d{4,}\s*,\s*-?\d{1,3}\.\d{4,}`),
	regexp.MustCompile(`\?[^\s"]+`),
}

func redact(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return a
	}
	if neverLogged[strings.ToLower(a.Key)] {
		return slog.String(a.Key, redacted)
	}
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, scrub(v.String()))
	case slog.KindAny:
		switch x := v.Any().(type) {
		case nil:
			return a
		case error:
			return slog.String(a.Key, scrub(x.Error()))
		case []string, []int:
			return a
		default:
			// A struct could hold anything.
			return slog.String(a.Key, redacted)
		}
	}
	return a
}

func scrub(s string) string {
	for _, re := range leaks {
		s = re.ReplaceAllString(s, redacted)
	}
	return s
}
