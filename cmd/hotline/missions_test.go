package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/needed"
	"pulang/bot/telegram/telegramtest"
)

// listed is a line of `queue list --json`, as far as the test looks at it.
type listed struct {
	Code, Mission, Class string
	OfferedTo            string `json:"offered_to"`
	DueAt                string `json:"due_at"`
}

func (p *program) queue(mission string) []listed {
	p.t.Helper()
	out, errs, exit := p.run("queue", "list", "--json", "--mission", mission)
	if exit != 0 {
		p.t.Fatalf("queue list --mission %s: %d %s", mission, exit, errs)
	}
	var all []listed
	for l := range strings.Lines(out) {
		var v listed
		if err := json.Unmarshal([]byte(l), &v); err != nil {
			p.t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// Two missions in one installation, from the outside: two bots, two queues, two staffs; a case that goes from one to
// the other with everything on it, by hand and by where the person is.
func TestTwoMissions(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	srv := telegramtest.New(t)
	khBot, mmBot := srv.Bot(), srv.AddBot("yangon_test_bot")
	khStaff, mmStaff := khBot.Group("Staf Phnom Penh"), mmBot.Group("Staf Yangon")
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	missions := filepath.Join(dir, "missions")
	if err := os.Mkdir(missions, 0o700); err != nil {
		t.Fatal(err)
	}
	file := func(token string, staff *telegramtest.Group) *strings.Replacer {
		return strings.NewReplacer(
			"# telegram_token_file", "telegram_token_file = \""+token+"\"\n# telegram_token_file",
			"# [[alerts]]\n# telegram = \"-1001234567890\"", "[[alerts]]\ntelegram = \""+staff.Address()+"\"",
		)
	}
	write("missions/kh.toml", file(write("kh.token", khBot.Token()), khStaff).Replace(bot.ExampleMission()))
	write("missions/mm.toml", file(write("mm.token", mmBot.Token()), mmStaff).Replace(strings.NewReplacer(
		`code    = "kh"`, `code = "mm"`, `prefix  = "K7"`, `prefix = "M5"`, `KBRI Phnom Penh`, `KBRI Yangon`, `country  = "KH"`, `country = "MM"`,
		`Asia/Phnom_Penh`, `Asia/Yangon`, "[[others]]\ncountry = \"MM\"\nname    = \"KBRI Yangon\"", "[[others]]\ncountry = \"KH\"\nname    = \"KBRI Phnom Penh\"",
		`+855 12 813 282`, `+95 9 000 1000`, `id = "Kamboja"`, `id = "Myanmar"`, `en = "Cambodia"`, `en = "Myanmar"`,
	).Replace(bot.ExampleMission())))
	data := filepath.Join(dir, "data")
	p := startHotline(t, data, []string{"serve"}, "HOTLINE_MISSION="+missions, "TELEGRAM_API_URL="+srv.URL())

	// Each bot answers in its mission's name, and fills its mission's queue.
	u, other := srv.User("id"), srv.User("id").With(mmBot)
	u.Send("halo, tolong saya, paspor saya hilang")
	other.Send("halo, tolong saya, paspor saya hilang")
	if m := u.WaitFor("KBRI Phnom Penh"); strings.Contains(m.Text, "Yangon") {
		t.Errorf("the bot of kh says %q", m.Text)
	}
	if m := other.WaitFor("KBRI Yangon"); strings.Contains(m.Text, "Phnom Penh") {
		t.Errorf("the bot of mm says %q", m.Text)
	}
	u.Send("1") // safe
	u.WaitFor("untuk siapa")
	kh, mm := p.queue("kh"), p.queue("mm")
	if len(kh) != 1 || len(mm) != 1 || !strings.HasPrefix(kh[0].Code, "K7") || !strings.HasPrefix(mm[0].Code, "M5") {
		t.Fatalf("queues: kh %+v, mm %+v", kh, mm)
	}
	code := kh[0].Code

	clerk := func(name, mission, role string) *clerk {
		t.Helper()
		link, errs, exit := p.run("staff", "add", name, "--role", role, "--mission", mission)
		if exit != 0 {
			t.Fatal(errs)
		}
		_, token, _ := strings.Cut(strings.TrimSpace(link), "#")
		c := newClerk(t, p.Desk)
		c.open("/welcome").send("/welcome", "token", token, "password", deskWord, "again", deskWord)
		return c
	}
	dara, aung := clerk("dara", "kh", "officer"), clerk("aung", "mm", "officer")
	aung.open("/case/" + code).sees("Tidak ditemukan")
	aung.open("/queue").sees(mm[0].Code)
	if strings.Contains(aung.page, code) {
		t.Error("an officer of mm sees kh's case")
	}
	at := "/case/" + code
	dara.open(at).send(at + "/claim")
	due := p.queue("kh")[0].DueAt
	dara.send(at+"/offer", "to", "mm", "reason", "sudah di Myawaddy").sees("Kasus ditawarkan ke KBRI Yangon")
	mmStaff.Wait(func(m telegramtest.Message) bool { return strings.Contains(m.Text, "KBRI Yangon") })
	if got := p.queue("kh"); len(got) != 1 || got[0].OfferedTo != "mm" || len(p.queue("mm")) != 1 {
		t.Errorf("while it is offered: kh %+v, mm %+v", got, p.queue("mm"))
	}
	dara.open(at).send(at+"/reply", "text", "Baik, kami hubungi kantor di sana.")
	u.WaitFor("kami hubungi kantor di sana")

	aung.open("/offers").sees(code, "sudah di Myawaddy")
	aung.open("/offers/"+code).sees("kami hubungi kantor di sana", "paspor saya hilang")
	aung.send("/offers/" + code + "/accept").sees("Kasus diterima")
	if m := u.WaitFor("Tidak perlu mengulang"); !strings.Contains(m.Text, "KBRI Yangon") || !strings.Contains(m.Text, "+95 9 000 1000") {
		t.Errorf("told %q", m.Text)
	}
	got := p.queue("mm")
	i := slices.IndexFunc(got, func(v listed) bool { return v.Code == code })
	if len(p.queue("kh")) != 0 || i < 0 || got[i].DueAt != due || got[i].OfferedTo != "" {
		t.Fatalf("accepted: kh %+v, mm %+v, due %s", p.queue("kh"), got, due)
	}
	dara.open(at).sees("Tidak ditemukan")
	// The person goes on where the question stood, on the same bot; what they write reaches the new mission.
	u.Send("1")
	u.WaitFor("di mana")
	u.Send("kemarin kami dibawa naik perahu")
	deadline(t, time.Minute, "the words on the new mission's page", func() bool {
		return strings.Contains(aung.open(at).page, "naik perahu")
	})
	if _, errs, exit := p.run("case", "show", code, "--mission", "kh"); exit != 1 {
		t.Errorf("case show --mission kh: %d %s", exit, errs)
	}
	if out, errs, exit := p.run("case", "show", code, "--json", "--mission", "mm"); exit != 0 || !strings.Contains(out, "event.handover_accepted") || !strings.Contains(out, "naik perahu") {
		t.Errorf("case show --mission mm: %d %s", exit, errs)
	}
	if _, errs, exit := p.run("queue", "list", "--mission", "zz"); exit != 2 || strings.Count(errs, "\n") != 1 {
		t.Errorf("queue list of no mission: %d %q", exit, errs)
	}

	// Where the person is moves what nobody has read, and only offers what somebody has.
	fresh := srv.User("id")
	fresh.Send("tolong saya, saya dalam bahaya")
	fresh.WaitFor("kirim lokasi")
	fresh.Location(16.6893, 98.5084) // Myawaddy
	deadline(t, time.Minute, "the unread case at mm", func() bool { return len(p.queue("mm")) == 3 })
	if left := p.queue("kh"); len(left) != 0 {
		t.Errorf("and at kh as well: %+v", left)
	}
	third := srv.User("id")
	third.Send("halo, tolong, visa saya habis")
	third.WaitFor("KBRI Phnom Penh")
	deadline(t, time.Minute, "the third case", func() bool { return len(p.queue("kh")) == 1 })
	dara.open("/case/" + p.queue("kh")[0].Code).sees("visa saya habis")
	third.Send("1")
	third.WaitFor("untuk siapa")
	third.Location(16.6893, 98.5084)
	third.WaitFor("sedang menghubungi mereka")
	if left := p.queue("kh"); len(left) != 1 || left[0].OfferedTo != "mm" {
		t.Errorf("a case that was read: %+v", left)
	}
	aung.open("/offers").sees("menurut tempat orangnya")
	if log := p.text(&p.err); strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("errors in the log:\n%s", log)
	}
}
