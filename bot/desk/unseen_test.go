package desk

import (
	"testing"
	"time"

	"pulang/flows/casework"
)

// Words that came while an officer had an older page before them are neither read nor settled by what is done on that page:
// the case is offered again.
func TestWordsBehindAForm(t *testing.T) {
	for name, act := range map[string]func(b *browser, path string){
		"settle": func(b *browser, path string) { b.submit(path+"/later", "settle", "1").want(200) },
		"outcome": func(b *browser, path string) {
			b.submit(path+"/outcome", "outcome", string(casework.ReachedOK)).want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.f.make(person{n: 1, ago: time.Minute, safety: "safe", pref: "call_anytime", number: "+85512345678", says: []string{"halo"}})
			code := caseCode(1)
			path := "/case/" + code
			b := w.as("officer")
			b.get(path).submit(path + "/claim")
			if name == "outcome" {
				b.submit(path+"/call", "via", "phone").want(200)
			}
			page := b.body
			w.advance(20 * time.Second)
			w.f.hear(code, "nomor saya yang baru nanti malam")
			w.advance(20 * time.Second)
			b.body = page
			act(b, path)
			if c := w.f.cases[code].open(); !c.SettledAt.IsZero() || !casework.Queued(c) {
				t.Errorf("settled together with words that nobody had seen: %v", c.SettledAt)
			}
			// Read by now, it can be settled.
			if b.get(path); name == "settle" {
				b.submit(path + "/claim")
			}
			b.submit(path+"/later", "settle", "1").want(200)
			if c := w.f.cases[code].open(); c.SettledAt.IsZero() || c.Unread() {
				t.Errorf("settled %v, unread %v", c.SettledAt, c.Unread())
			}
		})
	}
}
