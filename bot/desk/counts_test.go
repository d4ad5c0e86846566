package desk

import (
	"testing"
	"time"
)

// Every page sounds the same alarm: one that looks only at the head of the queue still counts every unread P1.
func TestUnreadOnEveryPage(t *testing.T) {
	w := newWorld(t)
	for n := range 12 {
		w.f.make(person{n: n + 1, ago: time.Duration(30-n) * time.Minute, safety: "danger", says: []string{"bahaya"}})
	}
	b := w.as("officer")
	b.get("/queue").want(200, "12 P1 BELUM DIBACA")
	b.get("/new").want(200, "12 P1 BELUM DIBACA")
	for n := range 9 { // those that stand first
		b.get("/case/"+caseCode(n+1)).want(200, caseCode(n+1))
	}
	for _, path := range []string{"/queue", "/mine", "/new", "/case/" + caseCode(1)} {
		b.get(path).want(200, "3 P1 BELUM DIBACA")
	}
}
