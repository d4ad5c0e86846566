package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/whatsapp/whatsapptest"
	"pulang/flows/casework"
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

// The whole way over the wire: the number is linked by QR, a citizen's encrypted words and pin become a case on the
// queue, an officer's reply arrives decrypted, and the desk sees that it was delivered and read.
func TestWhatsApp(t *testing.T) {
	withoutRedis(t)
	srv := whatsapptest.New(t)
	phone := srv.Account("+62 811 0000 001")
	whatsappNet = srv.HTTPClient().Transport
	t.Cleanup(func() { whatsappNet = nil })
	scanShown(t, phone)

	data := filepath.Join(t.TempDir(), "data")
	// kong reads the process's environment.
	env := map[string]string{
		"HOTLINE_DATA": data, "HOTLINE_MISSION": exampleFile(t), "WHATSAPP": "on", "WHATSAPP_VERSION": "builtin", "WHATSAPP_RATE": "500",
		"HOTLINE_LISTEN": "127.0.0.1:0", "HOTLINE_DESK_LISTEN": "127.0.0.1:0", "HOTLINE_METRICS_LISTEN": "127.0.0.1:0",
		"REDIS_URL": "", "TELEGRAM_TOKEN": "", "WEBCHAT": "off",
	}
	for k, v := range env {
		t.Setenv(k, v)
	}
	p := &inProcess{env: env}
	if code := p.run(t.Context(), "whatsapp", "link"); code != 0 || !strings.Contains(p.out.String(), "Linked +"+phone.Number()) {
		t.Fatalf("link: %d %s", code, p.err.String())
	}
	if code := p.run(t.Context(), "whatsapp", "status"); code != 0 || !strings.Contains(p.out.String(), "linked: +"+phone.Number()) {
		t.Fatalf("status: %d %s", code, p.err.String())
	}

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- p.run(ctx, "serve") }()
	stop := sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("serve ended with %d", code)
		}
		if t.Failed() {
			t.Log(p.out.String(), p.err.String())
		}
	})
	t.Cleanup(stop)
	deadline(t, 60*time.Second, "the line", phone.Connected)

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

	list := &inProcess{env: env}
	var entry struct {
		Code, Channel string
		Safety        string `json:"safety_now"`
		Location      struct {
			Kind     string
			Lat, Lon float64
		}
	}
	deadline(t, 20*time.Second, "the case on the queue", func() bool {
		list = &inProcess{env: env}
		return list.run(t.Context(), "queue", "list", "--json") == 0 && json.Unmarshal([]byte(list.out.String()), &entry) == nil && entry.Location.Lat != 0
	})
	if entry.Channel != "whatsapp" || entry.Safety != "safe" || entry.Location.Kind != "pin" || entry.Location.Lat != 11.07 {
		t.Errorf("on the queue: %+v", entry)
	}

	// The officer's reply, as the desk commits it.
	st := openBeside(t, data)
	f, err := st.Open(t.Context(), "kh", entry.Code, time.Now(), bot.Audit{At: time.Now(), Who: "siti", What: "open", Code: entry.Code})
	if err != nil {
		t.Fatal(err)
	}
	c, ver, err := st.LoadCase(t.Context(), "kh", f.Case.ID)
	if err != nil {
		t.Fatal(err)
	}
	row := bot.Row{ID: "01OFFICER", Line: "kh", CaseID: c.ID, Lane: bot.LaneOfficer, Kind: casework.KindOfficer, State: bot.RowQueued,
		CreatedAt: time.Now(), By: "siti", Out: bot.Outgoing{Text: "Kami jemput jam tujuh."},
		To: bot.Contact{Channel: c.Contacts[0].Channel, Account: c.Contacts[0].Account, Address: c.Contacts[0].Address}}
	done, err := st.Commit(t.Context(), bot.Change{Line: "kh", Request: "reply-1", Case: c, CaseVer: ver, Rows: []bot.Row{row},
		Entries: []bot.Entry{{ID: row.ID, At: row.CreatedAt, Kind: "out", Text: row.Out.Text, By: "siti", Row: row.ID, Channel: "whatsapp"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range done.Mine { // this process has no line: the one that has takes the row
		r.State = bot.RowQueued
		if _, err := st.Finish(t.Context(), "kh", time.Now(), []bot.Sent{{Row: r}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	got := budi.WaitFor("Kami jemput")
	state := func() bot.RowState {
		f, err := st.Open(t.Context(), "kh", entry.Code, time.Now(), bot.Audit{At: time.Now(), Who: "siti", What: "open", Code: entry.Code})
		if err != nil {
			t.Fatal(err)
		}
		return f.Rows[row.ID].State
	}
	deadline(t, 20*time.Second, "delivered", func() bool { return state() == bot.RowDelivered })
	budi.Read(phone, got.ID)
	deadline(t, 20*time.Second, "read", func() bool { return state() == bot.RowRead })

	stop()
	for _, secret := range []string{budi.Number(), budi.LID().User, "jemput"} {
		if strings.Contains(p.err.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if odd := append(srv.Oddities(), srv.Strays()...); len(odd) > 0 {
		t.Errorf("WhatsApp would not understand: %v", odd)
	}
}

// openBeside opens the store of a running service, as a subcommand does.
func openBeside(t *testing.T, data string) *store.Store {
	t.Helper()
	v := &victim{t: t, dir: data}
	return v.open()
}
