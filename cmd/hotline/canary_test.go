package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/telegram/telegramtest"
)

// What nobody may read off a disk, a log or a metric (OWASP ASVS 5.0, 14.2 and 16.2). Every string is invented, and
// stands for a kind of thing that people really send.
const (
	saidFirst   = "tolong, bos Hartawanpalsu tahan paspor saya"
	saidPlace   = "Bavet, belakang toko Cendrawasihbiru"
	passportNo  = "C7654329"
	nik         = "3276015307940005"
	ownNumber   = "+855 11 998 877"
	fullName    = "Sulistyowandari Prameswara"
	birthDate   = "13-07-1994"
	homeArea    = "Tulangbawangbarat, dusun Rejomulyosari"
	entryRoad   = "bandara lalu mobil si Hendrokusumo"
	illness     = "asma sejak kecil, salbutamolku habis"
	familyName  = "Wartiningsih"
	familyPhone = "0813 9988 7766"
	codeWord    = "rambutanmerah"
	extraWords  = "alamat bos di Jalan Kenangapalsu 77"
	pinLat      = 11.0723456
	pinLon      = 106.1623456
	venueTitle  = "Losmen Melatisukma"
	venueStreet = "Gang Kunangkunang 9"
	cardName    = "Wahyuningtyas"
	cardPhone   = "+6285712349876"
	fileName    = "ktp-sulistyo-kanarikuning.pdf"
	fileCaption = "ini KTP kakakku Darmawangsa"
	photoWords  = "fotoku di kamar nomor 4711"
	typed       = "di samping warung ada dua orang bertopi ungu"
	corrected   = "di samping warung Bugenvilia ada tiga orang"
	brokenName  = "Bangbangwetan"
	webWords    = "saya di wartel Flamboyanungu"
	deskWord    = "kuda nil biru sangat lima"
	wrongWord   = "sandikeliru-Kutilang-99"
	officerSays = "Baik, mobil perak menjemput di gerbang Anyelir"
	officerNote = "keluarga di Rejomulyosari sudah dikabari Bu Lurah"
	callNote    = "yang menjawab mengaku bernama Supriyadinata"
	classReason = "pengawalnya tahu nama Prameswara"
	closeWords  = "diantar oleh Pak Mangunkusumo"
)

// fraction is what a sample's value has behind the point: a time of 0.00700000001 s holds somebody's number by chance.
var fraction = regexp.MustCompile(`(?m)( \d+)\.\d+(e[+-]\d+)?$`)

func TestNothingPersonalIsReadable(t *testing.T) {
	needed.Program(t, "redis-server")
	srv := telegramtest.New(t)
	data := filepath.Join(t.TempDir(), "data")
	t.Cleanup(func() {
		for _, pid := range redisServers(t, data) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	p := startHotline(t, data, []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t), "WEBCHAT=on", "HOTLINE_LOG_LEVEL=debug",
		"TELEGRAM_TOKEN="+srv.Token(), "TELEGRAM_API_URL="+srv.URL())
	link, errs, exit := p.run("staff", "add", "siti", "--role", "supervisor")
	if exit != 0 {
		t.Fatal(errs)
	}
	_, linkToken, _ := strings.Cut(strings.TrimSpace(link), "#")

	u := srv.User("id")
	interview(t, srv, u)
	chat := newChat(t, p.Chat)
	chat.say(webWords)
	chat.until("Apakah Anda aman")
	secrets := atTheDesk(t, p.Desk, linkToken, u)
	u.WaitFor(officerSays)

	planted := []string{
		saidFirst, "Sulistyowandari", "Hartawanpalsu", saidPlace, "Cendrawasihbiru", passportNo, nik, ownNumber, fullName, birthDate, "1994-07-13",
		homeArea, "Rejomulyosari", entryRoad, "Hendrokusumo", illness, "salbutamolku", familyName, familyPhone, codeWord, extraWords, "Kenangapalsu",
		fmt.Sprint(pinLat), fmt.Sprint(pinLon), "11.0723", "106.1623", venueTitle, venueStreet, cardName, cardPhone, fileName, fileCaption, photoWords,
		typed, corrected, brokenName, webWords, deskWord, wrongWord, officerSays, officerNote, callNote, classReason, closeWords,
		srv.Token(), strings.SplitN(srv.Token(), ":", 2)[1], linkToken, strconv.FormatInt(u.ID(), 10),
	}
	planted = append(planted, secrets...)
	planted = append(planted, cookies(t, chat.http, p.Chat)...)
	if len(planted) < 45 {
		t.Fatalf("only %d strings", len(planted))
	}

	// The comparison itself is proved: one string is stored in clear, and has to be found wherever Redis keeps things.
	const control = "kontrol-terbaca-kontrol-terbaca-4711"
	places := everywhere(t, p, control)
	for place, text := range places {
		text = strings.ToLower(text)
		if place == "/metrics" {
			text = fraction.ReplaceAllString(text, "$1")
		}
		for _, secret := range planted {
			for _, form := range spellings(secret) {
				if i := strings.Index(text, strings.ToLower(form)); i >= 0 {
					t.Errorf("%q is readable in %s: …%q…", secret, place, text[max(0, i-60):min(len(text), i+len(form)+20)])
				}
			}
		}
	}
	for _, place := range []string{"key names", "values", "the snapshot", "the append-only file"} {
		if !strings.Contains(places[place], control) {
			t.Errorf("the control string is not found in %s (%d bytes): the search proves nothing", place, len(places[place]))
		}
	}
	checkLabels(t, samples(t, places["/metrics"]))
	if !strings.Contains(places["/metrics"], "hotline_open_cases") || !strings.Contains(places["standard error"], `"level"`) {
		t.Error("no metrics, or no log to search")
	}
}

// spellings are the forms in which a string may have been written down.
func spellings(s string) []string {
	out := []string{s, hex.EncodeToString([]byte(s))}
	for _, pad := range []string{"", "x", "xx"} { // base64 of the string at any offset, without its uncertain ends
		b := base64.StdEncoding.EncodeToString([]byte(pad + s))
		if mid := strings.TrimRight(b, "="); len(mid) > 12 {
			out = append(out, mid[4:len(mid)-3])
		}
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	if len(digits) >= 9 && len(digits)+6 > len(s) { // a telephone number without its blanks, as it is dialled
		out = append(out, digits, strings.TrimPrefix(digits, "0"))
	}
	return out
}

// interview is a whole conversation on Telegram, with everything that a person can send.
func interview(t *testing.T, srv *telegramtest.Server, u *telegramtest.User) {
	t.Helper()
	answers := []struct{ ask, say string }{
		{"Apakah Anda aman untuk membalas", "1"}, {"Laporan ini untuk siapa", "1"}, {"Anda sekarang di mana", saidPlace}, {"Maksudnya", "1"},
		{"Yang mana maksudnya", "1"}, {"Tempatnya seperti apa", "2"}, {"Apakah ada yang darurat", "2"}, {"Paspor Anda bagaimana", "3"},
		{"foto paspor atau nomornya", passportNo}, {"Visa atau izin tinggal", "2"}, {"Bagaimana petugas boleh", "1"}, {"Nomor mana", ownNumber},
		{"Mau lanjut isi data", "1"}, {"Siapa nama lengkap", fullName}, {"laki-laki atau perempuan", "2"}, {"Tanggal lahir", birthDate},
		{"Asal kabupaten", homeArea}, {"Bukti apa", "2"}, {"sejak kapan", "Maret 2025"}, {"Kapan Anda masuk", "Januari 2024"},
		{"Lewat mana", entryRoad}, {"Sakit apa", illness}, {"Rencana Anda", "2"}, {"Siapa keluarga", familyName + " " + familyPhone},
		{"boleh kami sampaikan", "1"}, {"Setuju?", "1"}, {"satu kata rahasia", codeWord}, {"ingin ditambahkan", extraWords},
		{"0. Lewati", "0"}, // a question that this test does not know
	}
	u.Send(saidFirst)
	for done, misses := false, 0; !done; {
		m := u.Wait(func(telegramtest.Message) bool { return true })
		done = strings.Contains(m.Text, "semua pertanyaan sudah selesai")
		for _, a := range answers {
			if strings.Contains(m.Text, a.ask) && !done {
				if strings.Contains(m.Text, "belum paham") {
					if misses++; misses > 3 {
						t.Fatalf("not understood:\n%s", u.Transcript())
					}
					a.say = "1"
				}
				u.Send(a.say)
				break
			}
		}
	}
	// A broken answer of Telegram is what errors are made of, and their texts bear the address with the token.
	srv.Fail("sendMessage", 1, 1, telegramtest.Fault{Drop: true})
	srv.Fail("sendMessage", 2, 1, telegramtest.Fault{Code: 500, Description: "Internal Server Error " + typed})
	id := u.Send(typed)
	u.Edit(id, corrected)
	u.Send("NIK saya " + nik)
	u.Location(pinLat, pinLon)
	u.Venue(pinLat, pinLon, venueTitle, venueStreet)
	u.Contact(cardPhone, cardName, 0)
	u.Document([]byte("%PDF-1.4"), fileName, "application/pdf", fileCaption)
	u.Photo([]byte("\xff\xd8\xff"), photoWords)
	u.Voice([]byte("OggS"), 4)
	srv.Bot().Inject(fmt.Sprintf(`{"message":{"message_id":"no number","from":{"id":%d,"first_name":%q},"text":%q}}`, u.ID(), brokenName, typed))
	deadline(t, time.Minute, "every update taken", func() bool { return srv.Pending() == 0 })
	u.Send("STATUS")
	u.WaitFor("tulis kata rahasia")
	u.Send(codeWord)
	u.WaitFor("Nomor Anda")
}

// atTheDesk is an officer's work on the case: everything is opened, revealed, searched for and answered. It returns
// the secrets of the officer's browser.
func atTheDesk(t *testing.T, desk, link string, u *telegramtest.User) []string {
	t.Helper()
	c := newClerk(t, desk)
	c.open("/welcome").send("/welcome", "token", link, "password", deskWord, "again", deskWord)
	other := newClerk(t, desk)
	other.open("/signin").send("/signin", "name", "siti", "password", wrongWord)
	c.open("/queue").send("/find", "q", ownNumber)
	c.open("/queue").send("/find", "q", passportNo)
	c.sees(caseCode.FindString(c.page))
	c.open("/asides").sees("Telegram")
	code := ""
	for _, m := range u.FromBot() {
		if found := caseCode.FindString(m.Text); found != "" {
			code = found
		}
	}
	at := "/case/" + code
	c.open(at).sees(corrected, code)
	c.send(at + "/claim")
	for _, field := range []string{"name", "phone", "ids", "pin", "word"} {
		c.open(at).send(at+"/reveal", "purpose", "identify", "field", field)
	}
	c.open(at).sees(fullName, "+85511998877", passportNo, codeWord)
	c.send(at+"/call", "via", "phone")
	c.sees("tel:+85511998877")
	c.send(at+"/outcome", "outcome", "no_answer", "note", callNote)
	c.open(at).send(at+"/note", "note", officerNote)
	c.open(at).send(at+"/class", "class", "P2", "reason", classReason)
	if strings.Contains(c.page, `action="`+at+`/claim"`) { // some outcomes give the case back
		c.send(at + "/claim")
	}
	c.send(at+"/reply", "text", officerSays, "risky", "1").sees(officerSays)
	c.open(at + "/print").sees(code)
	secrets := cookies(t, c.http, desk)
	if len(secrets) == 0 {
		t.Fatal("the officer has no session")
	}
	c.open(at).send(at+"/close", "as", "referred", "summary", closeWords)
	c.open(at).sees(closeWords)
	return secrets
}

// everywhere collects what could be read by somebody who is not at the desk: the files and the live content of
// Redis, what the program printed, and what it answers to a monitor.
func everywhere(t *testing.T, p *program, control string) map[string]string {
	t.Helper()
	ctx := t.Context()
	server, err := store.StartServer(ctx, p.data, store.ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close(context.WithoutCancel(ctx)) }()
	rdb, err := store.Dial(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(rdb.Set(ctx, control, control, time.Hour).Err())
	// A compressed file would hide from the search what it holds.
	must(rdb.ConfigSet(ctx, "rdbcompression", "no").Err())
	saved := rdb.LastSave(ctx).Val()
	deadline(t, 30*time.Second, "a second since the last snapshot", func() bool { return time.Now().Unix() > saved })
	must(rdb.BgSave(ctx).Err())
	deadline(t, time.Minute, "the snapshot is written", func() bool { return rdb.LastSave(ctx).Val() > saved })

	out := map[string]string{}
	var keys, values strings.Builder
	for scan := rdb.Scan(ctx, 0, "*", 500).Iterator(); scan.Next(ctx); {
		key := scan.Val()
		keys.WriteString(key + "\n")
		var v any
		switch rdb.Type(ctx, key).Val() {
		case "string":
			v = rdb.Get(ctx, key).Val()
		case "hash":
			v = rdb.HGetAll(ctx, key).Val()
		case "list":
			v = rdb.LRange(ctx, key, 0, -1).Val()
		case "set":
			v = rdb.SMembers(ctx, key).Val()
		case "zset":
			v = rdb.ZRangeWithScores(ctx, key, 0, -1).Val()
		case "stream":
			v = rdb.XRange(ctx, key, "-", "+").Val()
		}
		fmt.Fprintf(&values, "%v\n", v)
	}
	out["key names"], out["values"] = keys.String(), values.String()
	must(filepath.WalkDir(p.data, func(path string, d fs.DirEntry, err error) error {
		out["file names"] += path[len(p.data):] + "\n"
		if err != nil || !d.Type().IsRegular() {
			return nil // the server removes files of its own at any time
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		name := d.Name()
		switch {
		case strings.HasSuffix(name, ".rdb") && filepath.Dir(path) == p.data:
			name = "the snapshot"
		case strings.Contains(path, "appendonly"):
			name = "the append-only file"
		}
		out[name] += string(b)
		return nil
	}))
	out["standard output"], out["standard error"] = p.text(&p.out), p.text(&p.err)
	_, out["/metrics"] = get(t, p.Metrics)
	_, out["/readyz"] = get(t, p.Chat+"/readyz")
	for _, pid := range append(redisServers(t, p.data), p.cmd.Process.Pid) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		must(err)
		out["command lines"] += string(b) + "\n"
	}
	must(rdb.Del(ctx, control).Err())
	return out
}
