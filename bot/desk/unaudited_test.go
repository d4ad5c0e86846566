package desk

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// A form that is not done shows the case again. Whoever sends one to a case that they never opened has read it all the
// same: it was the way to read every case of the mission without a trace.
func TestNoCaseIsShownWithoutARow(t *testing.T) {
	for _, rt := range newWorld(t).d.table() {
		if rt.method != "POST" || !strings.HasPrefix(rt.path, "/case/{code}/") {
			continue
		}
		for _, background := range []string{"", "1"} {
			w := newWorld(t)
			w.f.make(person{n: 1, ago: time.Hour, safety: "safe", says: []string{"kata saya"}})
			code := caseCode(1)
			b := w.as("supervisor")
			r, _ := http.NewRequest("POST", w.srv.URL+strings.Replace(rt.path, "{code}", code, 1), strings.NewReader(""))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if background != "" {
				r.Header.Set("X-Background", background)
			}
			if b.do(r); strings.Contains(b.body, "kata saya") && w.audited("open", code) != 1 {
				t.Errorf("%s, in the background %q: %d shows the case, %d rows", rt.path, background, b.last.StatusCode, w.audited("open", code))
			}
		}
	}
}

// The same for a case that another mission offers.
func TestNoOfferIsShownWithoutARow(t *testing.T) {
	w := newPair(t)
	w.f.make(person{n: 1, ago: time.Hour, safety: "safe", says: []string{"kata saya"}})
	code := caseCode(1)
	w.f.offer(code, "kh", "mm", "sudah di Myawaddy")
	b := w.as("aung")
	b.post("/offers/"+code+"/return").want(422, "kata saya")
	if n := w.audited("open", code); n != 1 {
		t.Errorf("%d rows", n)
	}
	b.post("/offers/"+code+"/return").want(422, "kata saya")
	if n := w.audited("open", code); n != 1 {
		t.Errorf("%d rows after the same form again", n)
	}
}

// One look covers the page that refreshes itself; a form that is shown again to who opened the case is no second look. An
// opening that failed was none.
func TestOneLookIsOneRow(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Hour, safety: "safe", says: []string{"kata saya"}})
	code := caseCode(1)
	b := w.as("officer")
	b.get("/case/" + code).want(200)
	b.post("/case/"+code+"/note").want(422, "kata saya")
	if n := w.audited("open", code); n != 1 {
		t.Errorf("%d rows", n)
	}
	b.get("/case/" + caseCode(2)).want(404)
	w.f.make(person{n: 2, ago: time.Hour, safety: "safe", says: []string{"kata lain"}}) // handed over to us a moment later
	r, _ := http.NewRequest("GET", w.srv.URL+"/case/"+caseCode(2), nil)
	r.Header.Set("X-Background", "1")
	b.do(r).want(200, "kata lain")
	if n := w.audited("open", caseCode(2)); n != 1 {
		t.Errorf("%d rows: the opening that failed covered the next", n)
	}
}

// Staff write numbers, too, and rows that did not leave say what they would have said: what is masked in the timeline is
// masked there as well.
func TestNoNumberBesideTheTimeline(t *testing.T) {
	w := newWorld(t)
	const number = "081234567890"
	c := w.f.make(person{n: 1, ago: time.Hour, safety: "danger", says: []string{"jangan telepon"}})
	for i, state := range []bot.RowState{bot.RowFailed, bot.RowHeld, bot.RowUnknown} {
		id := newID(w.clock().Add(time.Duration(i)))
		w.f.rows[id] = &bot.Row{ID: id, CaseID: c.ID, State: state, Why: "bad_request", Out: bot.Outgoing{Text: "nomor " + number}, CreatedAt: w.clock()}
	}
	c.Attempts = append(c.Attempts, casework.Attempt{ID: "a", At: w.clock(), By: "sri", Via: casework.ViaPhone, Outcome: casework.NoAnswer, Note: number, Override: number})
	c.Override = &casework.Override{Class: casework.P1, By: "sri", At: w.clock(), Reason: number}
	c.Hold = &casework.Hold{By: "sri", At: w.clock(), Reason: number}
	c.Rescue = &casework.Rescue{By: "sri", At: w.clock(), Consent: number}
	w.f.put(c)
	path := "/case/" + caseCode(1)
	b := w.as("supervisor")
	b.get(path).want(200, "nomor •").lacks(number)
	b.get(path + "/print").want(200).lacks(number)
}
