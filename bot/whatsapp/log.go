package whatsapp

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	waLog "go.mau.fi/whatsmeow/util/log"
)

// masked is the library's logger. Its messages are full of addresses, names and whole stanzas, at every level, so of
// its arguments only counts, times and truth values are believed, errors are masked, and all else is left out. Debug
// prints every stanza and is dropped.
type masked struct {
	log  *slog.Logger
	full func() // told when the library's queue of received stanzas is full; nil: nobody is
}

var _ waLog.Logger = masked{}

func (m masked) write(level slog.Level, msg string, args []any) {
	for i, a := range args {
		switch v := a.(type) {
		case int, int64, uint32, bool, time.Duration:
		case error:
			args[i] = mask(v.Error())
		default:
			args[i] = hidden{}
		}
	}
	m.log.Log(context.Background(), level, "whatsmeow: "+mask(fmt.Sprintf(msg, args...)))
}

// hidden prints as … whatever the verb.
type hidden struct{}

// Format writes the ellipsis.
func (hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("…")) }

func (m masked) Errorf(msg string, args ...any) { m.write(slog.LevelError, msg, args) }
func (m masked) Warnf(msg string, args ...any) {
	// The only word that the library gives about it.
	if m.full != nil && strings.HasPrefix(msg, "Handler queue is full") {
		m.full()
		return
	}
	m.write(slog.LevelWarn, msg, args)
}
func (m masked) Infof(msg string, args ...any) { m.write(slog.LevelDebug, msg, args) }
func (masked) Debugf(string, ...any)           {}
func (m masked) Sub(string) waLog.Logger       { return m }

var (
	jidForm = regexp.MustCompile(`[0-9A-Za-z._:+-]*@(?:s\.whatsapp\.net|c\.us|g\.us|lid|hosted(?:\.lid)?|broadcast|newsletter|bot|msgr|interop)`)
	numbers = regexp.MustCompile(`\+?\d{6,}`)
	stanzas = regexp.MustCompile(`(?s)<.*>`)
)

// mask takes addresses, numbers and stanzas out of a text and makes it one short line.
func mask(s string) string {
	s = stanzas.ReplaceAllString(s, "<…>")
	s = jidForm.ReplaceAllString(s, "…@")
	s = numbers.ReplaceAllString(s, "…")
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}

// maskedError is an error without addresses; what it wraps can still be asked for by errors.Is.
type maskedError struct{ err error }

func clean(err error) error {
	if err == nil {
		return nil
	}
	return maskedError{err}
}

func (e maskedError) Error() string { return mask(e.err.Error()) }
func (e maskedError) Unwrap() error { return e.err }

// Masked is err with people's addresses taken out of its text, for a log.
func Masked(err error) error { return clean(err) }

// silent is a Signal logger that says nothing.
type silent struct{}

// Debug says nothing.
func (silent) Debug(string, string) {}

// Info says nothing.
func (silent) Info(string, string) {}

// Warning says nothing.
func (silent) Warning(string, string) {}

// Error says nothing.
func (silent) Error(string, string) {}

// Configure does nothing.
func (silent) Configure(string) {}
