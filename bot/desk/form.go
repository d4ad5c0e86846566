package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// formKey is the form's idempotency key, bound to who sends it. A form without one gets one of its own: it then
// counts as a new act.
func (q *request) formKey() string {
	k := q.r.PostFormValue("req")
	if len(k) < 16 || len(k) > 64 || strings.ContainsFunc(k, func(r rune) bool { return r < '0' || r > 'z' }) {
		k = ulid.Make().String()
	}
	sum := sha256.Sum256([]byte(q.user.Name + "\x00" + q.route.path + "\x00" + k))
	return "desk:" + hex.EncodeToString(sum[:16])
}

// text reads a field of a form: trimmed, at most n characters, with the invisible ones taken out.
func (q *request) text(name string, n int) string {
	s := strings.TrimSpace(clean(strings.ReplaceAll(q.r.PostFormValue(name), "\r\n", "\n")).Text)
	if r := []rune(s); len(r) > n {
		s = string(r[:n])
	}
	return s
}

// need is text that must not be empty.
func (q *request) need(name string, n int, key string) (string, error) {
	s := q.text(name, n)
	if s == "" {
		return "", &bad{Key: key}
	}
	return s, nil
}

// localTime reads a datetime-local field by the mission's clock; the zero time when it is empty.
func (q *request) localTime(name string) (time.Time, error) {
	s := strings.TrimSpace(q.r.PostFormValue(name))
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15.04"} {
		if t, err := time.ParseInLocation(layout, s, q.zone()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &bad{Key: "desk.bad.time"}
}
