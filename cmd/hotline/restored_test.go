package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pulang/bot/needed"
	"pulang/bot/telegram/telegramtest"
)

// An older copy of Redis is put back by hand below a hotline that had acknowledged more since: the desk says how much
// is missing, whose cases it was and which numbers Telegram gave it; so do the log and the metrics, without a word of
// anybody. With PULANG_SOAK=1 the hotline has forgotten by itself what it acknowledged, and Telegram's numbers tell.
func TestRestoredCopyShowsOnTheDesk(t *testing.T) {
	needed.Program(t, "redis-server")
	t.Parallel()
	srv := telegramtest.New(t)
	data := filepath.Join(t.TempDir(), "data")
	t.Cleanup(func() {
		for _, pid := range redisServers(t, data) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	serve := func() *program {
		return startHotline(t, data, []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t), "TELEGRAM_TOKEN="+srv.Token(), "TELEGRAM_API_URL="+srv.URL())
	}
	p := serve()
	link, errs, exit := p.run("staff", "add", "siti", "--role", "supervisor")
	if exit != 0 {
		t.Fatal(errs)
	}
	_, token, _ := strings.Cut(strings.TrimSpace(link), "#")
	c := newClerk(t, p.Desk)
	c.open("/welcome").send("/welcome", "token", token, "password", deskWord, "again", deskWord)
	u := srv.User("id")
	u.Send("tolong saya, paspor ditahan bos")
	u.WaitFor("aman")
	p.stop(syscall.SIGTERM)
	dir, copied := filepath.Join(data, "appendonlydir"), filepath.Join(t.TempDir(), "copy")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.CopyFS(copied, os.DirFS(dir)))

	p = serve()
	for _, text := range script[1:] {
		u.Send(text)
	}
	deadline(t, time.Minute, "every update taken", func() bool { return srv.Pending() == 0 })
	p.stop(syscall.SIGTERM)
	must(os.RemoveAll(dir))
	must(os.CopyFS(dir, os.DirFS(copied)))
	soak := os.Getenv("PULANG_SOAK") == "1"
	if soak {
		must(os.Remove(filepath.Join(data, "acknowledged.log")))
	}

	p = serve()
	kind, tells := "acknowledged", "Redis lost what was acknowledged"
	if soak {
		kind, tells = "number", "updates of Telegram are missing"
		u.Send("masih di sini") // by the number of this one it shows
	}
	deadline(t, 2*time.Minute, "the loss is in the log", func() bool { return strings.Contains(p.text(&p.err), tells) })
	c.desk = strings.TrimSuffix(p.Desk, "/")
	c.open("/asides").sees("19 ", "tidak")
	if !soak {
		c.sees(caseCode.FindString(c.page), "K7")
	}
	if _, metrics := get(t, p.Metrics); !strings.Contains(metrics, `hotline_lost_total{kind="`+kind+`",line="kh"} 19`) {
		t.Errorf("the metrics do not have 19 of kind %s", kind)
	}
	if strings.Contains(p.text(&p.err), "catatan") {
		t.Error("somebody's words are in the log")
	}
}
