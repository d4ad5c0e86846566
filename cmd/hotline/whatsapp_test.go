package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rsc.io/qr"

	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/whatsapp/whatsapptest"
)

// inProcess runs the program here, where the network towards WhatsApp is the test's.
type inProcess struct {
	env      map[string]string
	out, err lockedText
}

type lockedText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (p *inProcess) run(ctx context.Context, args ...string) int {
	return run(ctx, args, &streams{in: strings.NewReader(""), out: &p.out, err: &p.err, env: func(k string) string { return p.env[k] }})
}

// scanShown has the phone scan the code that is drawn.
func scanShown(t *testing.T, phone *whatsapptest.Account) {
	t.Helper()
	whatsappShow = func(qr string) {
		go func() {
			if err := phone.Scan(qr); err != nil {
				t.Error(err)
			}
		}()
	}
	t.Cleanup(func() { whatsappShow = nil })
}

// whatsAppServe runs `serve` in this process, with WhatsApp on and towards the test's server.
func whatsAppServe(t *testing.T, srv *whatsapptest.Server, more map[string]string) (p *inProcess, desk string, stop func()) {
	t.Helper()
	needed.Program(t, "redis-server")
	whatsappNet = srv.HTTPClient().Transport
	t.Cleanup(func() { whatsappNet = nil })
	data := filepath.Join(t.TempDir(), "data")
	// kong reads the process's environment.
	env := map[string]string{
		"HOTLINE_DATA": data, "HOTLINE_MISSION": exampleFile(t), "WHATSAPP": "on", "WHATSAPP_VERSION": "builtin", "WHATSAPP_RATE": "500",
		"HOTLINE_LISTEN": "127.0.0.1:0", "HOTLINE_DESK_LISTEN": "127.0.0.1:0", "HOTLINE_METRICS_LISTEN": "127.0.0.1:0",
		"REDIS_URL": "", "TELEGRAM_TOKEN": "", "WEBCHAT": "off",
	}
	maps.Copy(env, more)
	for k, v := range env {
		t.Setenv(k, v)
	}
	p = &inProcess{env: env}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- p.run(ctx, "serve") }()
	stop = sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("serve ended with %d", code)
		}
		if t.Failed() {
			t.Log(p.out.String(), p.err.String())
		}
	})
	t.Cleanup(stop)
	deadline(t, 60*time.Second, "the addresses", func() bool { return strings.Contains(p.out.String(), "metrics") })
	for line := range strings.Lines(p.out.String()) {
		if m := address.FindStringSubmatch(line); m != nil && m[1] == "desk" {
			desk = m[2]
		}
	}
	return p, desk, stop
}

// hire adds an account and signs it in.
func hire(t *testing.T, p *inProcess, desk, name, role string) *clerk {
	t.Helper()
	add := &inProcess{env: p.env}
	if code := add.run(t.Context(), "staff", "add", name, "--role", role); code != 0 {
		t.Fatal(add.err.String())
	}
	_, token, _ := strings.Cut(strings.TrimSpace(add.out.String()), "#")
	c := newClerk(t, desk)
	c.open("/welcome").send("/welcome", "token", token, "password", deskWord, "again", deskWord)
	return c
}

// The number is linked and unlinked on the command line, before and after the service runs.
func TestWhatsAppCommands(t *testing.T) {
	srv := whatsapptest.New(t)
	phone := srv.Account("+62 811 0000 001")
	whatsappNet = srv.HTTPClient().Transport
	t.Cleanup(func() { whatsappNet = nil })
	scanShown(t, phone)
	t.Setenv("HOTLINE_DATA", filepath.Join(t.TempDir(), "data"))
	t.Setenv("WHATSAPP_VERSION", "builtin")
	for _, k := range []string{"HOTLINE_MISSION", "WHATSAPP_STORE"} {
		t.Setenv(k, "")
	}
	p := &inProcess{env: map[string]string{}}
	if code := p.run(t.Context(), "whatsapp", "link"); code != 0 || !strings.Contains(p.out.String(), "Linked +"+phone.Number()) {
		t.Fatalf("link: %d %s", code, p.err.String())
	}
	if code := p.run(t.Context(), "whatsapp", "status"); code != 0 || !strings.Contains(p.out.String(), "linked: +"+phone.Number()) {
		t.Fatalf("status: %d %s", code, p.err.String())
	}
	if code := p.run(t.Context(), "whatsapp", "unlink"); code != 0 || len(phone.Devices()) != 0 {
		t.Fatalf("unlink: %d %s", code, p.err.String())
	}
	if code := p.run(t.Context(), "whatsapp", "status"); code != 1 {
		t.Errorf("status without a number: %d", code)
	}
}

// linkAtTheDesk is an admin who links the number by the QR code on the channel page.
func linkAtTheDesk(t *testing.T, admin *clerk, data string, phone *whatsapptest.Account) {
	t.Helper()
	deadline(t, 60*time.Second, "the channel", func() bool { return strings.Contains(admin.open("/channels").page, "BELUM DITAUTKAN") })
	admin.send("/channels/link", "by", "link")
	deadline(t, 60*time.Second, "the code", func() bool { return strings.Contains(admin.open("/channels").page, `<svg class="qr"`) })
	// What a camera would read is what the process that has the number shows; the page draws exactly that.
	_, show, err := openBeside(t, data).Number(t.Context(), "kh", "wa-kh")
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(show.QR, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(`viewBox="0 0 %d %d"`, code.Size+8, code.Size+8); !strings.Contains(admin.page, want) || strings.Contains(admin.page, show.QR) {
		t.Errorf("the page does not show the code as a picture of %s", want)
	}
	if err := phone.Scan(show.QR); err != nil {
		t.Fatal(err)
	}
	deadline(t, 60*time.Second, "the link", func() bool { return strings.Contains(admin.open("/channels").page, "sudah tertaut") })
	admin.send("/channels/stop")
	deadline(t, 60*time.Second, "the line", phone.Connected)
}

// The whole way over the wire: the number is linked by QR at the desk, a citizen's encrypted words and pin become a
// case on the queue, an officer's reply arrives decrypted, and the desk shows that it was delivered and read. Files
// open at the desk only, cleaned or as a download, and every look is on record. At the end the number is unlinked.
func TestWhatsApp(t *testing.T) {
	srv := whatsapptest.New(t)
	phone := srv.Account("+62 811 0000 001")
	p, desk, stop := whatsAppServe(t, srv, nil)
	admin := hire(t, p, desk, "rini", "admin")
	linkAtTheDesk(t, admin, p.env["HOTLINE_DATA"], phone)

	budi := srv.Citizen("+62 812 0000 002")
	id := budi.Say(phone, "halo")
	budi.WaitAccepted(id)
	if got := budi.WaitFor("Apakah Anda aman"); !strings.Contains(got.Text, "1. Aman") {
		t.Errorf("no numbered lines: %q", got.Text)
	}
	budi.Say(phone, "1")
	budi.WaitFor("untuk siapa")
	budi.Say(phone, "1")
	budi.WaitFor("di mana")
	budi.Location(phone, 11.07, 106.16)
	budi.WaitFor("1. ")

	var entry struct {
		Code, Channel string
		Safety        string `json:"safety_now"`
		Location      struct {
			Kind     string
			Lat, Lon float64
		}
	}
	deadline(t, 60*time.Second, "the case on the queue", func() bool {
		list := &inProcess{env: p.env}
		return list.run(t.Context(), "queue", "list", "--json") == 0 && json.Unmarshal([]byte(list.out.String()), &entry) == nil && entry.Location.Lat != 0
	})
	if entry.Channel != "whatsapp" || entry.Safety != "safe" || entry.Location.Kind != "pin" || entry.Location.Lat != 11.07 {
		t.Errorf("on the queue: %+v", entry)
	}

	officer := hire(t, p, desk, "siti", "officer")
	at := "/case/" + entry.Code
	officer.open(at).sees("halo", "WhatsApp")
	officer.send(at + "/claim")
	officer.send(at+"/reply", "text", "Kami jemput jam tujuh.").sees("Kami jemput jam tujuh.")
	got := budi.WaitFor("Kami jemput")
	reply := func() string { // the line of the timeline that holds the reply
		_, line, _ := strings.Cut(officer.page[:strings.Index(officer.page, "Kami jemput jam tujuh.")], `id="timeline"`)
		return line[strings.LastIndex(line, "<li"):]
	}
	deadline(t, 60*time.Second, "delivered", func() bool { officer.open(at); return strings.Contains(reply(), ">sampai<") })
	budi.Read(phone, got.ID)
	deadline(t, 60*time.Second, "read", func() bool { officer.open(at); return strings.Contains(reply(), ">dibaca<") })

	openFiles(t, officer, at, budi, phone, srv)

	eraseAndForget(t, p.env["HOTLINE_DATA"], entry.Code, budi)

	admin.open("/channels").send("/channels/unlink", "sure", "1")
	deadline(t, 60*time.Second, "the end", func() bool { return strings.Contains(admin.open("/channels").page, "Nomor sudah dilepas") })
	if len(phone.Devices()) != 0 {
		t.Error("the phone still lists the device")
	}
	rows, err := openBeside(t, p.env["HOTLINE_DATA"]).AuditLog(t.Context(), "kh", 100)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range rows {
		count[r.What+" "+r.Who+" "+r.Result]++
	}
	for what, n := range map[string]int{"number_link rini ": 1, "number_link_done rini ok": 1, "number_unlink rini ": 1, "number_unlink_done rini ok": 1,
		"media siti ": 3, "reply siti ": 1} {
		if count[what] != n {
			t.Errorf("%d audit rows %q, not %d: %v", count[what], what, n, count)
		}
	}

	stop()
	for _, secret := range []string{budi.Number(), budi.LID().User, "jemput", phone.Number()} {
		if strings.Contains(p.err.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if odd := append(srv.Oddities(), srv.Strays()...); len(odd) > 0 {
		t.Errorf("WhatsApp would not understand: %v", odd)
	}
}

// eraseAndForget erases the case beside the running service: its device store forgets the person too.
func eraseAndForget(t *testing.T, data, code string, budi *whatsapptest.Citizen) {
	t.Helper()
	st := openBeside(t, data)
	id, err := st.CaseID(t.Context(), "kh", code)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "whatsapp.db")+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	known := func() (n int) {
		q := "SELECT (SELECT count(*) FROM hotline_people WHERE jid LIKE $1 OR jid LIKE $2) + (SELECT count(*) FROM whatsmeow_sessions WHERE their_id LIKE $1 OR their_id LIKE $2)" +
			" + (SELECT count(*) FROM whatsmeow_contacts WHERE their_jid LIKE $1 OR their_jid LIKE $2)"
		if err := db.QueryRow(q, budi.Number()+"%", budi.LID().User+"%").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if known() == 0 {
		t.Error("the device store does not know the person: the test proves nothing")
	}
	if err := st.Erase(t.Context(), "kh", id); err != nil {
		t.Fatal(err)
	}
	deadline(t, 60*time.Second, "the device store forgets", func() bool { return known() == 0 })
	deadline(t, 60*time.Second, "the word is taken away", func() bool {
		people, err := st.Forgets(t.Context(), "kh", "whatsapp", "wa-kh")
		return err == nil && len(people) == 0
	})
}

// openFiles looks at what a person sent: a picture arrives without what its maker put in beside it, everything else as
// a download that no browser shows, and nothing that has grown too large.
func openFiles(t *testing.T, officer *clerk, at string, budi *whatsapptest.Citizen, phone *whatsapptest.Account, srv *whatsapptest.Server) {
	t.Helper()
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	// The place where it was taken, as a camera writes it: an APP1 segment behind the first marker.
	const exif = "Exif\x00\x00GPS 11.0723 106.1623"
	tagged := slices.Concat(jpg.Bytes()[:2], []byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, []byte(exif), jpg.Bytes()[2:])
	page := []byte("<!doctype html><script>alert(1)</script>")
	budi.WaitAccepted(budi.Image(phone, tagged, "ini tempatnya"))
	budi.WaitAccepted(budi.Document(phone, page, "surat.pdf", "application/pdf", "surat dari bos"))
	entry := regexp.MustCompile(`name="entry" value="([^"]+)"`)
	var ids []string
	deadline(t, 60*time.Second, "the files", func() bool {
		ids = nil
		for _, m := range entry.FindAllStringSubmatch(officer.open(at).page, -1) {
			ids = append(ids, m[1])
		}
		return len(ids) == 2
	})
	if srv.Downloads() != 0 {
		t.Error("downloaded before anybody asked")
	}
	look := func(id string) (*http.Response, []byte) {
		t.Helper()
		r, err := officer.http.PostForm(officer.desk+at+"/media", url.Values{"entry": {id}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if csp := r.Header.Get("Content-Security-Policy"); r.StatusCode == 200 && !strings.Contains(csp, "sandbox") {
			t.Errorf("policy %q", csp)
		}
		return r, b
	}
	r, b := look(ids[0])
	if _, err := jpeg.Decode(bytes.NewReader(b)); err != nil || r.Header.Get("Content-Type") != "image/jpeg" || bytes.Contains(b, []byte("GPS")) {
		t.Errorf("the picture: %s, %v, %q", r.Header.Get("Content-Type"), err, b[:min(len(b), 40)])
	}
	r, b = look(ids[1])
	if d := r.Header.Get("Content-Disposition"); !bytes.Equal(b, page) || r.Header.Get("Content-Type") != "application/octet-stream" ||
		d != `attachment; filename="berkas.bin"` {
		t.Errorf("the page: %s, %s, %q", r.Header.Get("Content-Type"), d, b)
	}
	srv.SwellMedia(30 << 20)
	if r, b = look(ids[1]); r.StatusCode != http.StatusBadGateway || len(b) > 1<<20 {
		t.Errorf("a file that has grown: %d, %d bytes", r.StatusCode, len(b))
	}
}

// openBeside opens the store of a running service, as a subcommand does.
func openBeside(t *testing.T, data string) *store.Store {
	t.Helper()
	v := &victim{t: t, dir: data}
	return v.open()
}
