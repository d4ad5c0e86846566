package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
)

// BenchmarkQueuePage draws the queue page over 5,000 open cases; the store's own time is not in it.
func BenchmarkQueuePage(b *testing.B) {
	w := newWorld(b)
	places := []string{"Poipet", "Bavet", "Phnom Penh", "Sihanoukville", "di gedung merah", ""}
	for n := range 500 {
		w.f.make(person{n: n, ago: time.Duration(n) * time.Minute, safety: []flows.Value{"safe", "watched", "danger", ""}[n%4], needs: []flows.Value{"sick"}, place: places[n%len(places)], pin: n%2 == 0, passport: "held_by_employer", pref: "call_anytime", number: "+85512345678", says: []string{fmt.Sprintf("tolong nomor %d", n)}})
	}
	page, err := w.f.Queue(b.Context(), "kh", w.clock(), 1000)
	if err != nil {
		b.Fatal(err)
	}
	items := page.Items
	for len(page.Items) < 5000 {
		page.Items = append(page.Items, items...)
	}
	w.d.Queue = fixedQueue{real: w.f, page: page}
	jar := w.as("officer").c.Jar
	u := httptest.NewRequest("GET", w.srv.URL, nil).URL
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		r := httptest.NewRequest("GET", w.srv.URL+"/queue", nil)
		for _, c := range jar.Cookies(u) {
			r.AddCookie(c)
		}
		rec := httptest.NewRecorder()
		w.d.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			b.Fatal(rec.Code)
		}
	}
}

// fixedQueue gives the same page each time.
type real = Queue

type fixedQueue struct {
	real
	page bot.QueuePage
}

func (f fixedQueue) Queue(ctx context.Context, mission string, now time.Time, limit int) (bot.QueuePage, error) {
	return f.page, nil
}
