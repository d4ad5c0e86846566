package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/whatsapp/whatsapptest"
)

// ownRedis is a redis-server that the test stops and starts again, on a private socket and one data directory.
type ownRedis struct {
	t           *testing.T
	dir, socket string
	cmd         *exec.Cmd
}

func newOwnRedis(t *testing.T) *ownRedis {
	t.Helper()
	needed.Program(t, "redis-server")
	dir, err := os.MkdirTemp("", "r")
	if err != nil {
		t.Fatal(err)
	}
	r := &ownRedis{t: t, dir: dir, socket: filepath.Join(dir, "s")}
	t.Cleanup(func() { r.kill(); _ = os.RemoveAll(dir) })
	r.start()
	return r
}

func (r *ownRedis) url() string { return "unix://" + r.socket }

func (r *ownRedis) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", r.socket, "--dir", r.dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	deadline(r.t, time.Minute, "redis-server", func() bool {
		c, err := net.Dial("unix", r.socket)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func (r *ownRedis) kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

// beside opens the store that a program with these keys uses with this Redis.
func (r *ownRedis) beside(keys string) *store.Store {
	r.t.Helper()
	rdb, err := store.Dial(r.url())
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := store.Open(r.t.Context(), store.Options{Client: rdb, KeyFile: keys, Lines: []store.Line{{Code: "kh"}}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = s.Close(); _ = rdb.Close() })
	return s
}

// With Redis down nothing is acknowledged to WhatsApp; when it is back everything comes again, in order, once.
func TestWhatsAppWhileRedisIsDown(t *testing.T) {
	needed.Program(t, "redis-server")
	t.Parallel()
	people, down := 3, 3*time.Second
	if os.Getenv("PULANG_SOAK") == "1" {
		people, down = 25, 30*time.Second
	}
	r := newOwnRedis(t)
	srv := whatsapptest.New(t)
	phone := srv.Account("+62 811 0000 001")
	v := whatsappVictim(t, srv, "REDIS_URL="+r.url())
	v.pair(phone)
	v.start()
	deadline(t, time.Minute, "the line", phone.Connected)

	all := citizens(srv, people)
	said := map[*whatsapptest.Citizen][]string{}
	say := func(c *whatsapptest.Citizen) string {
		text := fmt.Sprintf("catatan %d", len(said[c]))
		said[c] = append(said[c], text)
		return c.Say(phone, text)
	}
	for range 2 {
		for _, c := range all {
			c.WaitAccepted(say(c))
		}
	}
	r.kill()
	// Whatever is said from here on cannot be stored.
	type message struct {
		from *whatsapptest.Citizen
		id   string
	}
	var held []message
	untouched := func() {
		for _, m := range held {
			if got := m.from.Receipts(m.id); len(got) > 0 {
				t.Fatalf("acknowledged as %q while nothing could be stored", got)
			}
		}
	}
	for end := time.Now().Add(down); time.Now().Before(end); wait(t.Context(), down/10) {
		for _, c := range all {
			held = append(held, message{c, say(c)})
		}
		untouched()
	}
	untouched()
	if n := phone.PendingMessages(); n < len(held) {
		t.Errorf("%d messages wait at WhatsApp, %d were said", n, len(held))
	}
	r.start()
	for _, m := range held {
		deadline(t, 2*time.Minute, "the message accepted", func() bool { v.revive(); return len(m.from.Receipts(m.id)) > 0 })
	}
	deadline(t, time.Minute, "everything acknowledged", func() bool { return phone.PendingMessages() == 0 })

	examineSaid(t, r.beside(filepath.Join(v.dir, "keys.json")), all, said)
	t.Logf("soak: %d messages while Redis was down for %v, none acknowledged, all stored once and in order", len(held), down)
	if n := phone.MostConnections(); n != 1 {
		t.Errorf("%d connections of one device at once", n)
	}
}

// examineSaid compares the stored messages of each person with what they said, in order.
func examineSaid(t *testing.T, s *store.Store, people []*whatsapptest.Citizen, said map[*whatsapptest.Citizen][]string) {
	t.Helper()
	page, err := s.Queue(t.Context(), "kh", time.Now(), 10*len(people))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bot.CaseFile{}
	for _, item := range page.Items {
		f, err := s.Open(t.Context(), "kh", item.Case.Code, time.Now(), bot.Audit{})
		if err != nil {
			t.Fatal(err)
		}
		files[f.Case.Contacts[0].Address] = f
	}
	for _, c := range people {
		var got []string
		for _, e := range files[caseAddress(files, c)].Entries {
			if e.Kind == "in" {
				got = append(got, e.Input.Text)
			}
		}
		if !slices.Equal(got, said[c]) {
			t.Errorf("said %q, stored %q", said[c], got)
		}
	}
}

// Two programs share a Redis and a device store on Postgres. When the one that has the number is killed, the other
// serves after the lease; at WhatsApp there are never two connections of the device.
func TestWhatsAppReplicas(t *testing.T) {
	needed.Program(t, "redis-server")
	t.Parallel()
	people, rounds := 3, 1
	if os.Getenv("PULANG_SOAK") == "1" {
		people, rounds = 10, 6
	}
	devices := whatsapptest.Postgres(t)
	r := newOwnRedis(t)
	srv := whatsapptest.New(t)
	phone := srv.Account("+62 811 0000 001")
	keys := filepath.Join(t.TempDir(), "keys.json")
	env := []string{"REDIS_URL=" + r.url(), "WHATSAPP_STORE=" + devices, "HOTLINE_KEYS=" + keys}
	leader, second := whatsappVictim(t, srv, env...), whatsappVictim(t, srv, env...)
	leader.pair(phone)
	leader.start()
	deadline(t, time.Minute, "the line", phone.Connected)

	all := citizens(srv, people)
	said := map[*whatsapptest.Citizen][]string{}
	say := func() {
		for _, c := range all {
			text := fmt.Sprintf("catatan %d", len(said[c]))
			said[c] = append(said[c], text)
			c.Say(phone, text)
		}
	}
	say()
	for range rounds {
		second.start()
		deadline(t, time.Minute, "the second program", second.serves)
		say()
		logins := len(phone.Logins())
		leader.kill()
		killed := time.Now()
		say()
		deadline(t, 2*time.Minute, "the second program's line", func() bool {
			wait(t.Context(), 100*time.Millisecond)
			if len(phone.Logins()) == logins {
				say()
			}
			return phone.Connected() && len(phone.Logins()) > logins
		})
		t.Logf("soak: the other replica serves %.1f s after the leader was killed", time.Since(killed).Seconds())
		deadline(t, 2*time.Minute, "everything acknowledged", func() bool { return phone.PendingMessages() == 0 })
		leader, second = second, leader
	}
	examineSaid(t, r.beside(keys), all, said)
	if n := phone.MostConnections(); n != 1 {
		t.Errorf("%d connections of one device at once", n)
	}
}

// serves reports whether the program has printed its addresses.
func (v *victim) serves() bool {
	log, _ := os.ReadFile(v.out.Name())
	return strings.Contains(string(log), "metrics   http")
}
