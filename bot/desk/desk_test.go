package desk

import (
	"context"
	"flag"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"pulang/bot"
	"pulang/flows/casework"
	"pulang/flows/places"
	"pulang/locales"
)

var preview = flag.String("preview", "", "serve the desk with invented cases at this address until interrupted")

// gaz returns the point of a gazetteer place.
func gaz(name string) ([2]float64, bool) {
	p, ok := places.Default().ByName(name)
	return [2]float64{p.Lat, p.Lon}, ok
}

const password = "kuda laut biru lima"

// quickHash is the hash of password at a cost that tests can pay often.
var quickHash = sync.OnceValue(func() string {
	h, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 1024, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		panic(err)
	}
	return h
})

// world is a desk over a fake store, with a clock that tests move.
type world struct {
	t    testing.TB
	f    *fake
	d    *Desk
	srv  *httptest.Server
	mu   sync.Mutex
	now  time.Time
	logs strings.Builder
	sent []bot.Leased
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

type lockedLog struct{ w *world }

func (l lockedLog) Write(b []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.logs.Write(b)
}

// roles of the accounts: each role's account bears the role's name.
var roleNames = []string{"viewer", "officer", "supervisor", "admin", "auditor"}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 7, 5, 22, 0, time.UTC)}
	m, err := bot.ParseMission([]byte(bot.ExampleMission()))
	if err != nil {
		t.Fatal(err)
	}
	m.Code, m.Prefix = "kh", "K7"
	cat, err := locales.New()
	if err != nil {
		t.Fatal(err)
	}
	w.f = newFake(w.clock, m.Rules())
	o := Options{
		Queue: w.f, Staff: w.f, Channels: w.f, Sessions: fakeSessions{w.f}, Catalogue: cat, Missions: []*bot.Mission{m}, Clock: w.clock,
		Log: slog.New(slog.NewTextHandler(lockedLog{w}, nil)), Source: "https://example.org/source",
		Upkeep: func(context.Context) ([]bot.Upkeep, error) {
			return []bot.Upkeep{{What: "backup", At: w.clock().Add(-20 * time.Minute), Old: 2 * time.Hour}, {What: "drill", Old: 8 * 24 * time.Hour},
				{What: "verify", At: w.clock().Add(-30 * time.Hour), Old: 8 * 24 * time.Hour, Failed: w.clock().Add(-time.Hour)}}, w.f.fail
		},
		OneFactor: true, // the second has tests of its own
		Dispatch:  func(l []bot.Leased) { w.mu.Lock(); w.sent = append(w.sent, l...); w.mu.Unlock() },
	}
	for _, c := range change {
		c(&o)
	}
	for _, r := range append(append([]string{}, roleNames...), "petugas b", "sri") {
		role := casework.Role(r)
		if !casework.ValidRole(role) {
			role = casework.RoleOfficer
		}
		w.f.accounts[r] = bot.Account{Name: r, Role: role, Lang: "id", Hash: quickHash(), Created: w.now, Code: "ABC234"}
	}
	w.d = New(o)
	w.d.snapshots.keep = 0 // tests change the store behind the desk
	w.srv = httptest.NewServer(w.d)
	t.Cleanup(w.srv.Close)
	return w
}

// browser is a browser without JavaScript: cookies, forms, redirects.
type browser struct {
	w    *world
	c    *http.Client
	last *http.Response
	body string // with its entities read
	raw  string
	path string
}

func (w *world) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{w: w, c: &http.Client{Jar: jar}}
}

// as signs in as the account that bears the role's name.
func (w *world) as(name string) *browser {
	w.t.Helper()
	b := w.browser()
	b.post("/signin", "name", name, "password", password)
	if b.last.StatusCode != 200 || strings.HasPrefix(b.path, "/signin") {
		w.t.Fatalf("sign in as %s: %d at %s\n%s", name, b.last.StatusCode, b.path, b.text())
	}
	return b
}

func (b *browser) do(r *http.Request) *browser {
	b.w.t.Helper()
	res, err := b.c.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	b.last, b.body, b.path = res, html.UnescapeString(string(raw)), res.Request.URL.Path
	b.raw = string(raw)
	return b
}

func (b *browser) get(path string) *browser {
	b.w.t.Helper()
	r, err := http.NewRequest("GET", b.w.srv.URL+path, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(path string, fields ...string) *browser {
	b.w.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequest("POST", b.w.srv.URL+path, strings.NewReader(v.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)
	attr     = regexp.MustCompile(`(name|value)="([^"]*)"`)
)

// submit fills the n-th form (from 0) with that action on the page, hidden fields included, and sends it.
func (b *browser) submit(action string, fields ...string) *browser {
	return b.submitNth(0, action, fields...)
}

func (b *browser) submitNth(n int, action string, fields ...string) *browser {
	b.w.t.Helper()
	for _, m := range formTag.FindAllStringSubmatch(b.body, -1) {
		if m[1] != action {
			continue
		}
		if n > 0 {
			n--
			continue
		}
		var all []string
		for _, in := range inputTag.FindAllString(m[2], -1) {
			var name, value string
			for _, a := range attr.FindAllStringSubmatch(in, -1) {
				if a[1] == "name" {
					name = a[2]
				} else {
					value = a[2]
				}
			}
			all = append(all, name, value)
		}
		return b.post(action, append(all, fields...)...)
	}
	b.w.t.Fatalf("no form %s on %s\n%s", action, b.path, b.text())
	return b
}

var (
	tagsRE  = regexp.MustCompile(`(?s)<script.*?</script>|<[^>]*>`)
	blankRE = regexp.MustCompile(`\s+`)
)

// text is what a reader sees, roughly.
func (b *browser) text() string {
	return strings.TrimSpace(blankRE.ReplaceAllString(tagsRE.ReplaceAllString(b.body, " "), " "))
}

func (b *browser) want(status int, parts ...string) *browser {
	b.w.t.Helper()
	if b.last.StatusCode != status {
		b.w.t.Fatalf("%s %s: status %d, want %d\n%s\n%s", b.last.Request.Method, b.path, b.last.StatusCode, status, b.text(), b.w.log())
	}
	for _, p := range parts {
		if !strings.Contains(b.body, p) {
			b.w.t.Fatalf("%s lacks %q\n%s", b.path, p, b.text())
		}
	}
	return b
}

func (b *browser) lacks(parts ...string) *browser {
	b.w.t.Helper()
	for _, p := range parts {
		if strings.Contains(b.body, p) {
			b.w.t.Fatalf("%s holds %q", b.path, p)
		}
	}
	return b
}

func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs.String()
}

// audited counts the audit rows of an act, optionally of one case.
func (w *world) audited(what, code string) int {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	n := 0
	for _, a := range w.f.audits {
		if a.What == what && (code == "" || a.Code == code) {
			n++
		}
	}
	return n
}

// TestPreview serves the desk with invented cases, for looking at it: go test ./bot/desk -run TestPreview -preview 127.0.0.1:8099
func TestPreview(t *testing.T) {
	if *preview == "" {
		t.Skip("only with -preview ADDRESS")
	}
	w := newWorld(t, func(o *Options) { o.Demo = true; o.URL = "http://" + *preview; o.Clock = time.Now })
	w.f.clock = time.Now
	w.f.seed()
	for _, r := range roleNames {
		_ = w.f.NewLink(context.Background(), r, "preview-"+r, time.Now().Add(24*time.Hour))
		fmt.Printf("%s: %s\n", r, Link("http://"+*preview, "preview-"+r))
	}
	fmt.Printf("password of every account: %s\n", password)
	l, err := net.Listen("tcp", *preview)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: w.d, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-ctx.Done()
	_ = srv.Close()
}
