package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pulang/bot/needed"
)

// In the running program: one person writes a broadcast, another one confirms it, who is safe reads it in the chat and
// who is in danger does not.
func TestBroadcastFromTheDesk(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	p := startHotline(t, filepath.Join(t.TempDir(), "data"), []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t), "WEBCHAT=on")
	staff := map[string]*clerk{}
	for name, role := range map[string]string{"siti": "supervisor", "adi": "admin"} {
		link, errs, code := p.run("staff", "add", name, "--role", role)
		if code != 0 {
			t.Fatal(errs)
		}
		_, token, _ := strings.Cut(strings.TrimSpace(link), "#")
		staff[name] = newClerk(t, p.Desk)
		staff[name].open("/welcome").send("/welcome", "token", token, "password", deskWord, "again", deskWord)
	}
	safe, danger := newChat(t, p.Chat), newChat(t, p.Chat)
	safe.say("halo, paspor saya hilang")
	safe.until("Aman")
	safe.say("1")
	danger.say("tolong saya disekap")
	danger.until("Utamakan keselamatan")

	const words = "Halo. Mulai Senin loket buka setiap hari."
	siti, adi := staff["siti"], staff["adi"]
	deadline(t, 60*time.Second, "the answers are stored", func() bool {
		siti.open("/broadcasts").send("/broadcasts", "text_id", words)
		return strings.Contains(visible(siti.page), "1 orang akan menerimanya")
	})
	siti.send("/broadcasts", "text_id", words, "do", "ask").sees("Menunggu orang kedua", words)
	confirm := regexp.MustCompile(`action="(/broadcasts/[0-9a-f]+)/confirm"`)
	m := confirm.FindStringSubmatch(adi.open("/broadcasts").page)
	if m == nil || confirm.MatchString(siti.page) {
		t.Fatalf("who may confirm: %v", m)
	}
	adi.send(m[1]+"/confirm", "sure", "1").sees("disetujui adi")
	safe.until(words)
	deadline(t, 60*time.Second, "it is counted as sent", func() bool {
		return strings.Contains(visible(siti.open("/broadcasts").page), "Semua sudah diantrekan") && strings.Contains(siti.page, "terkirim 1")
	})
	if strings.Contains(danger.until("Utamakan keselamatan"), words) {
		t.Error("who is in danger reads it")
	}
	if out, errs, code := p.run("audit", "verify"); code != 0 {
		t.Errorf("audit verify: %d %q %q", code, out, errs)
	}
	p.stop(15)
}
