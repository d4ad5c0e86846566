package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/bot/telegram/telegramtest"
)

// fleet are several `hotline serve` on one Redis, each with a data directory of its own, one key file, and before
// their public listeners a proxy as every deployment has one.
type fleet struct {
	t        *testing.T
	url      string // REDIS_URL
	keys     string
	replicas []*victim
	desks    []string
	lines    []store.Line
}

// newFleet makes n replicas; env is what they get besides. None is started.
func newFleet(t *testing.T, srv *telegramtest.Server, redisURL, way string, n int, env ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, url: redisURL, keys: filepath.Join(t.TempDir(), "keys.json"), lines: []store.Line{{Code: "kh"}}}
	var public []string
	for range n {
		public, f.desks = append(public, freeAddress(t)), append(f.desks, freeAddress(t))
	}
	env = append(env, "REDIS_URL="+redisURL, "HOTLINE_KEYS="+f.keys)
	if way == "webhook" {
		env = append(env, "TELEGRAM_WEBHOOK_URL="+proxy(t, public)+"/telegram/hook", "TELEGRAM_WEBHOOK_SECRET=0123456789abcdef")
	}
	for i := range n {
		own := append([]string{"HOTLINE_LISTEN=" + public[i], "HOTLINE_DESK_LISTEN=" + f.desks[i]}, env...)
		f.replicas = append(f.replicas, newVictim(t, srv, own...))
	}
	return f
}

// start starts the first replica, which makes the key file, and when it is ready the others.
func (f *fleet) start() {
	f.t.Helper()
	for i, v := range f.replicas {
		v.start()
		if i == 0 {
			deadline(f.t, time.Minute, "the first replica serves", func() bool { f.revive(); return f.up(0) })
		}
	}
	for i := range f.replicas {
		deadline(f.t, time.Minute, "every replica serves", func() bool { f.revive(); return f.up(i) })
	}
}

func (f *fleet) up(i int) bool {
	r, err := http.Get("http://" + f.desks[i] + "/signin")
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// revive starts again what has ended by itself, as a service manager does.
func (f *fleet) revive() {
	for _, v := range f.replicas {
		if v.end != nil {
			v.revive()
		}
	}
}

// open opens the fleet's store beside it.
func (f *fleet) open() *store.Store {
	f.t.Helper()
	rdb, err := store.Dial(f.url)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = rdb.Close() })
	s, err := store.Open(f.t.Context(), store.Options{Client: rdb, KeyFile: f.keys, Lines: f.lines})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = s.Close() })
	return s
}

// proxy spreads requests over the addresses that take connections. What a replica was killed over it does not repeat.
func proxy(t *testing.T, to []string) string {
	t.Helper()
	var next atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			n := int(next.Add(1))
			for i := range to {
				host := to[(n+i)%len(to)]
				if taken(host) {
					r.SetURL(&url.URL{Scheme: "http", Host: host})
					return
				}
			}
			r.SetURL(&url.URL{Scheme: "http", Host: to[n%len(to)]})
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return "http://" + l.Addr().String()
}

// people write the script, everybody at once, over about that time; the returned function waits for the last word.
// With several bots they write to one after the other.
func people(t *testing.T, srv *telegramtest.Server, n int, over time.Duration, bots ...*telegramtest.Bot) (users []*telegramtest.User, written func()) {
	t.Helper()
	for i := range n {
		u := srv.User("id")
		if len(bots) > 0 {
			u = u.With(bots[i%len(bots)])
		}
		users = append(users, u)
	}
	var writing sync.WaitGroup
	pause := over / time.Duration(n*len(script))
	writing.Go(func() {
		for _, text := range script {
			for _, u := range users {
				u.Send(text)
				wait(t.Context(), pause)
			}
		}
	})
	return users, writing.Wait
}

// Three replicas on one Redis, one of them killed with SIGKILL and started again every five seconds while people
// write: nothing is lost, nothing has its effect twice. Two minutes with PULANG_SOAK=1, a few kills otherwise.
func TestReplicasKilledLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program many times")
	}
	for _, way := range []string{"webhook", "polling"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			crowd, kills, every := 8, 6, 1500*time.Millisecond
			if os.Getenv("PULANG_SOAK") == "1" {
				crowd, kills, every = 100, 24, 5*time.Second
			}
			srv := telegramtest.New(t)
			srv.Latency(15 * time.Millisecond)
			f := newFleet(t, srv, storetest.Redis(t).URL(), way, 3)
			f.start()
			users, written := people(t, srv, crowd, time.Duration(kills)*every)
			for i := range kills {
				wait(t.Context(), every)
				v := f.replicas[i%len(f.replicas)]
				v.kill()
				v.start()
			}
			written()
			deadline(t, 4*time.Minute, "every update taken", func() bool { f.revive(); return srv.Pending() == 0 })
			repeated := examine(t, f.open(), f.revive, users)
			t.Logf("soak: 3 replicas, %d kills, %d updates, %d cases: 0 lost, 0 doubled; %d replies sent twice", kills, crowd*len(script), crowd, repeated)
			if repeated > 4*kills {
				t.Errorf("%d replies repeated in %d kills", repeated, kills)
			}
		})
	}
}

// An officer signed in on one replica is signed in on all; a message that a second replica took shows on the event
// stream of a third; a case that is claimed on one is claimed on all.
func TestDeskOnEveryReplica(t *testing.T) {
	t.Parallel()
	srv := telegramtest.New(t)
	f := newFleet(t, srv, storetest.Redis(t).URL(), "webhook", 3)
	f.start()
	v := f.replicas[0]
	env := append(append([]string{}, v.env...), "HOTLINE_DESK_URL=http://"+f.desks[0])
	link, errs, exit := runHotline(t, env, "", "staff", "add", "siti", "--role", "officer")
	if exit != 0 {
		t.Fatal(errs)
	}
	_, token, _ := strings.Cut(strings.TrimSpace(link), "#")
	c := newClerk(t, "http://"+f.desks[0])
	c.open("/welcome").send("/welcome", "token", token, "password", deskWord, "again", deskWord)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.desks[1]+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	live, err := (&http.Client{Jar: c.http.Jar}).Do(req)
	if err != nil || live.StatusCode != http.StatusOK {
		t.Fatalf("the event stream of another replica: %v %v", live, err)
	}
	defer live.Body.Close()
	events := make(chan string, 64)
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(live.Body); lines.Scan(); {
			if e, ok := strings.CutPrefix(lines.Text(), "event: "); ok && e != "beat" {
				events <- e
			}
		}
	}()
	<-events // the first tells that the watch stands
	u := srv.User("id")
	u.Send("tolong saya, paspor ditahan bos")
	u.WaitFor("aman")
	if e, ok := <-events; !ok || e != "case" && e != "p1" {
		t.Fatalf("the stream of another replica told %q", e)
	}
	on := func(i int) *clerk { return &clerk{t: t, http: c.http, desk: "http://" + f.desks[i]} }
	code := ""
	deadline(t, time.Minute, "the case is on the third replica's queue", func() bool {
		code = caseCode.FindString(on(2).open("/queue").page)
		return code != ""
	})
	at := "/case/" + code
	on(2).open(at).send(at + "/claim")
	if page := on(0).open(at).page; !strings.Contains(page, fmt.Sprintf("action=%q", at+"/release")) {
		t.Errorf("claimed on one replica, and not on another:\n%s", visible(page))
	}
}

// taken tells whether somebody listens at an address.
func taken(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
