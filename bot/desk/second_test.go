package desk

import (
	"context"
	"strings"
	"testing"
	"time"

	"pulang/bot"
)

// Whoever may answer sees on every page how many requests of others wait: unseen, they lapse. It costs the store one
// question in ten seconds, however many pages are opened.
func TestSecondCounted(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	count := func(b *browser, page, erase, send string) {
		t.Helper()
		b.get(page).want(200)
		for path, n := range map[string]string{"/erasures": erase, "/broadcasts": send} {
			want := `href="` + path + `"`
			i := strings.Index(b.body, want)
			if i < 0 {
				t.Fatalf("%s: %s is not in the menu", page, path)
			}
			link := b.body[i : i+strings.Index(b.body[i:], "</a>")]
			if got := strings.Contains(link, `class="n"`); got != (n != "") || n != "" && !strings.Contains(link, ">"+n+"</span>") {
				t.Errorf("%s: %s, want %q", page, link, n)
			}
		}
	}
	one, admin, officer := w.as("supervisor"), w.as("admin"), w.as("officer")
	count(one, "/queue", "", "")
	_ = w.f.AskErase(context.Background(), "kh", bot.EraseAsk{Code: caseCode(3), By: "supervisor", Reason: "r", At: w.clock(), Until: w.clock().Add(bot.EraseAskLife)}, bot.Audit{})
	_ = w.f.AskErase(context.Background(), "kh", bot.EraseAsk{Code: caseCode(2), By: "sri", Reason: "r", At: w.clock(), Until: w.clock().Add(bot.EraseAskLife)}, bot.Audit{})
	_ = w.f.AskBroadcast(context.Background(), "kh", bot.Broadcast{ID: "b1", By: "sri", At: w.clock(), Until: w.clock().Add(bot.BroadcastAskLife), Texts: map[string]string{"id": "x"}}, bot.Audit{})
	w.advance(secondFor)
	w.f.seconds = 0
	for range 3 {
		for _, page := range []string{"/queue", "/mine", "/letters", "/case/" + caseCode(3)} {
			count(one, page, "1", "1")
		}
		for _, page := range []string{"/staff", "/upkeep", "/erasures"} {
			count(admin, page, "2", "1")
		}
	}
	if w.f.seconds != 1 {
		t.Errorf("the store was asked %d times in one moment", w.f.seconds)
	}
	if officer.get("/queue").want(200); strings.Contains(officer.body, `href="/erasures"`) {
		t.Error("an officer is shown what only others may answer")
	}
	// What this process does is counted at once.
	admin.get("/erasures").submit("/erasures/"+caseCode(2)+"/confirm", "sure", "1").want(200)
	count(one, "/queue", "", "1")
	w.advance(bot.BroadcastAskLife + time.Minute)
	count(w.as("admin"), "/staff", "1", "")
}
