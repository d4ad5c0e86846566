package webchat

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/locales"
)

// echo is a hotline that answers each message once, with buttons, like the real one.
type echo struct {
	mu   sync.Mutex
	ch   *Channel
	got  []bot.Message
	seen map[string]bool
	down bool
	text string
}

func (e *echo) Handle(ctx context.Context, m bot.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down {
		return errors.New("store is down")
	}
	if e.seen[m.UpdateID] {
		return nil
	}
	e.seen[m.UpdateID] = true
	e.got = append(e.got, m)
	text := e.text
	if text == "" {
		text = fmt.Sprintf("reply %d", len(e.got))
	}
	_, err := e.ch.Send(ctx, bot.Row{ID: fmt.Sprintf("row%d", len(e.got)), To: m.From, Out: bot.Outgoing{
		Text:     text + "\n\n1. Aman\n2. Diawasi",
		Buttons:  []bot.Button{{Label: "1. Aman", Data: "v1:aa:safety_now:safe"}, {Label: "2. Diawasi", Data: "v1:aa:safety_now:watched"}},
		AskPlace: "Kirim lokasi"}})
	return err
}

func (e *echo) messages() []bot.Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]bot.Message(nil), e.got...)
}

type receipts struct{ c chan string }

func (r receipts) Receipt(_ context.Context, _ string, _ bot.Contact, id string, s bot.RowState, _ time.Time) error {
	r.c <- id + " " + string(s)
	return nil
}

type browser struct {
	t *testing.T
	*http.Client
	url string
}

func start(t *testing.T, change func(*Options)) (*echo, browser, string) {
	t.Helper()
	cat, err := locales.New()
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{seen: map[string]bool{}}
	o := Options{Line: "kh", Handler: e, Catalogue: cat, Service: "Pelindungan WNI", SourceURL: "https://example.org/source"}
	if change != nil {
		change(&o)
	}
	if e.ch, err = New(o); err != nil {
		t.Fatal(err)
	}
	e.ch.lookAfter, e.ch.receiptAfter = 50*time.Millisecond, 50*time.Millisecond
	srv := httptest.NewServer(e.ch)
	t.Cleanup(func() { e.ch.Close(); srv.Close() })
	return e, newBrowser(t, srv.URL), srv.URL
}

func newBrowser(t *testing.T, u string) browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, u}
}

func (b browser) do(req *http.Request) (*http.Response, string) {
	b.t.Helper()
	r, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return r, string(body)
}

func (b browser) get(path string) (*http.Response, string) {
	b.t.Helper()
	req, _ := http.NewRequest(http.MethodGet, b.url+path, nil)
	return b.do(req)
}

func (b browser) post(path string, form url.Values, header ...string) (*http.Response, string) {
	b.t.Helper()
	req, _ := http.NewRequest(http.MethodPost, b.url+path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

func (b browser) say(id, text string) (*http.Response, string) {
	b.t.Helper()
	return b.post("/send", url.Values{"id": {id}, "text": {text}})
}

var formID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// The whole conversation without JavaScript: the page's own forms are enough.
func TestFormsAlone(t *testing.T) {
	e, b, _ := start(t, nil)
	r, page := b.get("/")
	if r.StatusCode != 200 || len(r.Cookies()) != 0 {
		t.Fatalf("first page: %d, cookies %v; want 200 and no cookie before anything was said", r.StatusCode, r.Cookies())
	}
	id := formID.FindStringSubmatch(page)[1]
	r, _ = b.post("/send", url.Values{"id": {id}, "text": {"/start"}})
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("start: %d", r.StatusCode)
	}
	_, page = b.get("/")
	if !strings.Contains(page, "reply 1") || strings.Contains(page, `dir="auto">/start`) {
		t.Fatalf("after start the reply must be there, the command not:\n%s", page)
	}
	if strings.Contains(page, "reply 1\n\n1. Aman") {
		t.Error("the choices stand as buttons and should not be repeated as lines")
	}
	form := regexp.MustCompile(`<form method="post" action="/send" class="say">.*?value="v1:aa:safety_now:safe"`).FindString(page)
	id = formID.FindStringSubmatch(form)[1]
	if r, _ = b.post("/send", url.Values{"id": {id}, "data": {"v1:aa:safety_now:safe"}}); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("tap: %d", r.StatusCode)
	}
	_, page = b.get("/")
	got := e.messages()
	if len(got) != 2 || got[1].Input.Kind != flows.KindTap || *got[1].Input.Tap != (flows.Tap{Scope: "aa", Step: "safety_now", Value: "safe"}) {
		t.Fatalf("tap arrived as %+v", got[1].Input)
	}
	if i, j := strings.Index(page, `dir="auto">1. Aman`), strings.Index(page, "reply 2"); i < 0 || j < i {
		t.Errorf("the page shows the chosen answer, then the reply; got positions %d, %d", i, j)
	}
	if got[0].From.Channel != "webchat" || got[0].From.Account != "kh" || len(got[0].From.Address) != 32 || got[0].From != got[1].From {
		t.Errorf("contact %+v", got[0].From.Address)
	}
}

// A double click, a retry and the back button have one effect; two buttons of one form are two acts.
func TestOneEffect(t *testing.T) {
	e, b, _ := start(t, nil)
	for range 3 {
		b.say("aaaaaaaa1", "tolong")
	}
	for range 2 {
		b.post("/send", url.Values{"id": {"bbbbbbbb1"}, "data": {"v1:aa:urgent_needs:sick"}})
		b.post("/send", url.Values{"id": {"bbbbbbbb1"}, "data": {"v1:aa:urgent_needs:injured"}})
	}
	if n := len(e.messages()); n != 3 {
		t.Fatalf("%d effects, want 3", n)
	}
	if _, page := b.get("/"); strings.Count(page, `dir="auto">tolong`) != 1 {
		t.Error("the message should stand once on the page")
	}
}

// A question that allows more than one choice comes again with the same buttons: pressing one of the first must not
// take them from the second, whichever is there first, nor must the repeat of that press.
func TestButtonsOfTheNextQuestionStay(t *testing.T) {
	_, b, _ := start(t, nil)
	b.say("aaaaaaaa1", "tolong")
	for range 2 {
		b.post("/send", url.Values{"id": {"bbbbbbbb1"}, "data": {"v1:aa:safety_now:safe"}})
		_, page := b.get("/")
		_, second, _ := strings.Cut(page, "reply 2")
		if n := strings.Count(second, `value="v1:aa:safety_now:`); n != 2 {
			t.Fatalf("%d buttons below the second question, want its two:\n%s", n, page)
		}
	}
}

// What could not be stored is not acknowledged, and the person has the text and the id back for the next try.
func TestNotStored(t *testing.T) {
	e, b, _ := start(t, nil)
	e.down = true
	r, page := b.say("aaaaaaaa1", "paspor saya ditahan")
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || len(r.Cookies()) != 0 {
		t.Fatalf("status %d, Retry-After %q", r.StatusCode, r.Header.Get("Retry-After"))
	}
	if !strings.Contains(page, "paspor saya ditahan</textarea>") || !strings.Contains(page, `value="aaaaaaaa1"`) {
		t.Errorf("text and id must come back:\n%s", page)
	}
	r, text := b.post("/send", url.Values{"id": {"aaaaaaaa1"}, "text": {"x"}}, "X-Chat", "1")
	if r.StatusCode != http.StatusServiceUnavailable || strings.Contains(text, "<") {
		t.Errorf("script: %d %q", r.StatusCode, text)
	}
	e.down = false
	if r, _ = b.say("aaaaaaaa1", "paspor saya ditahan"); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("again: %d", r.StatusCode)
	}
}

var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</textarea><svg onload=alert(1)>`, `{{.}} {{printf "%s" .c}}`,
	`javascript:alert(1)`, `<form action=//evil.example><input name=id>`, "a\u202egnp.exe", `'-alert(1)-'`, `<!--`, `]]>`,
}

// Chat text is text: in the page, in a handed back draft, and in the stream.
func TestHostileText(t *testing.T) {
	for _, s := range hostile {
		e, b, _ := start(t, nil)
		e.text = s
		b.say("aaaaaaaa1", s)
		_, page := b.get("/")
		e.mu.Lock()
		e.down = true
		e.mu.Unlock()
		_, back := b.say("aaaaaaaa2", s)
		for where, p := range map[string]string{"page": page, "draft": back} {
			if n := strings.Count(p, "<script"); n != 1 {
				t.Errorf("%s: %d script elements for %q", where, n, s)
			}
			for _, bad := range []string{"<img", "<svg", "<form action=//", "<!--"} {
				if strings.Contains(p, bad) {
					t.Errorf("%s: %q became markup for %q", where, bad, s)
				}
			}
		}
	}
}

// No third party, no inline script without the nonce, no frame, nothing kept by caches.
func TestHeaders(t *testing.T) {
	_, b, _ := start(t, nil)
	r, page := b.get("/?lang=en")
	csp := r.Header.Get("Content-Security-Policy")
	nonce := regexp.MustCompile(`script-src 'nonce-([^']+)'`).FindStringSubmatch(csp)
	if nonce == nil || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "default-src 'none'") {
		t.Fatalf("policy %q", csp)
	}
	if !strings.Contains(page, `<script nonce="`+nonce[1]+`">`) || !strings.Contains(page, `<style nonce="`+nonce[1]+`">`) {
		t.Error("script and style must bear the nonce")
	}
	if strings.Contains(page, " style=") || regexp.MustCompile(`\son[a-z]+=`).MatchString(page) {
		t.Error("inline attributes would be blocked by the policy")
	}
	for _, a := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if u := a[1]; !strings.HasPrefix(u, "/") && u != "data:," && u != "https://example.org/source" {
			t.Errorf("foreign address %q", u)
		}
	}
	if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", r.Header)
	}
	if len(page) > 30<<10 {
		t.Errorf("the page has %d bytes, want less than 30 KB", len(page))
	}
	if _, again := b.get("/"); strings.Contains(again, nonce[1]) {
		t.Error("a nonce was used twice")
	}
}

func TestCookie(t *testing.T) {
	for _, secure := range []bool{false, true} {
		_, b, _ := start(t, func(o *Options) { o.Secure = secure })
		r, _ := b.say("aaaaaaaa1", "halo")
		k := r.Cookies()[0]
		want := map[bool]string{false: "chat", true: "__Host-chat"}[secure]
		if k.Name != want || !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Secure != secure || k.Path != "/" || len(k.Value) != 43 {
			t.Errorf("cookie %+v", k)
		}
	}
}

// Another site's form changes nothing, and another person's browser sees nothing.
func TestStrangers(t *testing.T) {
	e, b, u := start(t, nil)
	b.say("aaaaaaaa1", "rahasia saya")
	for _, path := range []string{"/send", "/end", "/back", "/exit"} {
		r, _ := b.post(path, url.Values{"id": {"aaaaaaaa9"}, "text": {"x"}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		if r.StatusCode != http.StatusForbidden {
			t.Errorf("cross-site %s: %d", path, r.StatusCode)
		}
	}
	if n := len(e.messages()); n != 1 {
		t.Errorf("%d effects", n)
	}
	other := newBrowser(t, u)
	other.say("aaaaaaaa1", "orang lain") // the same id, another person: both count
	if _, page := other.get("/"); strings.Contains(page, "rahasia") || len(e.messages()) != 2 {
		t.Error("two people got mixed up")
	}
	// A link from another site brings no Strict cookie: one hop over our own page finds it.
	req, _ := http.NewRequest(http.MethodGet, u+"/", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	if _, page := newBrowser(t, u).do(req); !strings.Contains(page, "http-equiv=refresh") {
		t.Errorf("no hop: %s", page)
	}
}

// Over the limit a message is handed back, for the person and for the script, and never swallowed.
func TestRateLimit(t *testing.T) {
	now := time.Date(2026, 1, 19, 8, 0, 0, 0, time.UTC)
	e, b, _ := start(t, func(o *Options) { o.Clock = func() time.Time { return now } })
	b.say("first0000", "halo")
	const flood = sessionBurst + 20
	var wg sync.WaitGroup
	var mu sync.Mutex
	handedBack := 0
	for i := range flood {
		wg.Go(func() {
			r, text := b.post("/send", url.Values{"id": {fmt.Sprintf("flood%05d", i)}, "text": {"banjir"}}, "X-Chat", "1")
			if r.StatusCode == http.StatusTooManyRequests {
				if r.Header.Get("Retry-After") == "" || text == "" {
					t.Error("a refusal must say when to come again")
				}
				mu.Lock()
				handedBack++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if stored := len(e.messages()) - 1; stored+handedBack != flood || handedBack < 10 || stored < sessionBurst-1 {
		t.Errorf("of %d messages %d were stored and %d handed back", flood, stored, handedBack)
	}

	l := newLimits(func() time.Time { return now })
	for range 5 {
		l.wait("x", 1, 5, 0)
	}
	if d := l.wait("x", 1, 5, 0); d < 900*time.Millisecond || d > time.Second {
		t.Errorf("the sixth of five waits %v", d)
	}
	now = now.Add(time.Second)
	if d := l.wait("x", 1, 5, 0); d != 0 {
		t.Errorf("a second later it waits %v", d)
	}
}

// Nobody fills the store, which would then refuse everybody: one browser with long messages, and one address with ever new
// browsers.
func TestNobodyFillsTheStore(t *testing.T) {
	now := time.Date(2026, 1, 19, 8, 0, 0, 0, time.UTC)
	e, b, u := start(t, func(o *Options) { o.Clock = func() time.Time { return now } })
	long := strings.Repeat("𝕳", MaxRunes)
	kept := func() (n int) {
		for _, m := range e.messages() {
			n += len(m.Input.Text) + len(fmt.Sprint(m.Input.Tap))
		}
		return n
	}
	for i := range sessionBurst {
		r, page := b.say(fmt.Sprintf("aaaaaaaa%d", i), long)
		if r.StatusCode == http.StatusTooManyRequests && (r.Header.Get("Retry-After") == "" || !strings.Contains(page, long)) {
			t.Error("what was not taken must come back, with when to send it")
		}
	}
	if n := kept(); n < 3*len(long) || n > sessionBytesOnce+10<<10 {
		t.Errorf("one browser at once: %d bytes", n)
	}
	for i := range 100 { // the longest in turns, each browser once
		newBrowser(t, u).say(fmt.Sprintf("aaaaaaaa%d", i), long)
	}
	if n := kept(); n > ipBytesOnce+10<<10 {
		t.Errorf("one address at once: %d bytes", n)
	}
	now = now.Add(time.Hour)
	before := kept()
	for i := range newBurst {
		newBrowser(t, u).say(fmt.Sprintf("aaaaaaaa%d", i), "tolong saya")
	}
	if n := kept() - before; n < newBurst*len("tolong saya") {
		t.Errorf("an hour later %d bytes of %d people", n, newBurst)
	}
	if r, _ := b.post("/send", url.Values{"id": {"aaaaaaaa9"}, "data": {"v1:aa:" + strings.Repeat("x", 60_000) + ":safe"}}); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a button's data of 60 kB: %d", r.StatusCode)
	}
}

func TestManyNewSessionsOfOneAddress(t *testing.T) {
	now := time.Date(2026, 1, 19, 8, 0, 0, 0, time.UTC)
	_, _, u := start(t, func(o *Options) { o.Clock = func() time.Time { return now } })
	last := 0
	var back string
	for i := range newBurst + 1 {
		r, page := newBrowser(t, u).post("/send", url.Values{"id": {fmt.Sprintf("aaaaaaaa%d", i)}, "text": {"tolong saya"}}, "X-Chat", map[bool]string{true: "0", false: "1"}[i == newBurst])
		last, back = r.StatusCode, page
	}
	if last != http.StatusTooManyRequests || !strings.Contains(back, "tolong saya</textarea>") {
		t.Errorf("new person over the limit: %d, and the text must come back", last)
	}
}

// A page that stays open while its conversation is erased shows nothing of it any more, and then asks for none.
func TestErasedConversationLeavesAnOpenPage(t *testing.T) {
	_, b, _ := start(t, nil)
	ask := func(from string) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/events?after=7", nil)
		req.Header.Set("Cookie", fmt.Sprintf("chat=%043d", 1))
		req.Header.Set("Last-Event-ID", from)
		r, err := b.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		said, _ := io.ReadAll(r.Body)
		return r.StatusCode, string(said)
	}
	if code, said := ask(""); code != http.StatusOK || !strings.Contains(said, "id: 0\nevent: anew\n") {
		t.Errorf("%d %q", code, said)
	}
	if code, _ := ask("0"); code != http.StatusNoContent {
		t.Errorf("it asks again: %d", code)
	}
}

// Whoever ends a chat in which nothing was said begins no case by that.
func TestEndOfNothing(t *testing.T) {
	e, b, _ := start(t, nil)
	for i := range 3 {
		b.post("/end", nil, "Cookie", fmt.Sprintf("chat=%043d", i))
	}
	if n := len(e.messages()); n != 0 {
		t.Errorf("%d messages", n)
	}
}

// A cookie is easily made up: a new one with every message begins no more conversations than none at all.
func TestManyMadeUpSessionsOfOneAddress(t *testing.T) {
	now := time.Date(2026, 1, 19, 8, 0, 0, 0, time.UTC)
	e, b, u := start(t, func(o *Options) { o.Clock = func() time.Time { return now } })
	b.say("aaaaaaaa1", "halo")
	for i := range newBurst + 50 {
		newBrowser(t, u).post("/send", url.Values{"id": {"aaaaaaaa1"}, "text": {"halo"}}, "Cookie", fmt.Sprintf("chat=%043d", i))
	}
	if n := len(e.messages()); n != newBurst {
		t.Errorf("%d conversations were begun", n)
	}
	if r, _ := b.say("aaaaaaaa2", "masih di sini"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("who had begun before is refused: %d", r.StatusCode)
	}
}

// events reads one event's data of the person's stream.
func events(t *testing.T, b browser, from string) *bufio.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/events", nil)
	if from != "" {
		req.Header.Set("Last-Event-ID", from)
	}
	r, err := b.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	if r.StatusCode != 200 {
		t.Fatalf("events: %d", r.StatusCode)
	}
	return bufio.NewReader(r.Body)
}

func next(t *testing.T, r *bufio.Reader, prefix string) string {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("waiting for %q: %v", prefix, err)
		}
		if s, ok := strings.CutPrefix(strings.TrimSpace(line), prefix); ok {
			return s
		}
	}
}

// Replies arrive in the open page, are resumed after a broken connection, and are reported as delivered once.
func TestStream(t *testing.T) {
	rc := receipts{make(chan string, 10)}
	e, b, _ := start(t, func(o *Options) { o.Receipts = rc })
	b.say("aaaaaaaa1", "halo")
	s := events(t, b, "")
	if id, mine := next(t, s, "id: "), next(t, s, "data: "); id != "1" || !strings.Contains(mine, `"mine":true`) {
		t.Fatalf("first event %s %s", id, mine)
	}
	if d := next(t, s, "data: "); !strings.Contains(d, "reply 1") || !strings.Contains(d, "v1:aa:safety_now:watched") {
		t.Fatalf("second event %s", d)
	}
	who := e.messages()[0].From
	for range 2 { // the relay repeats a row: it is shown once
		if _, err := e.ch.Send(t.Context(), bot.Row{ID: "officer1", To: who, Out: bot.Outgoing{Text: "Petugas di sini"}}); err != nil {
			t.Fatal(err)
		}
	}
	if d := next(t, s, "data: "); !strings.Contains(d, "Petugas di sini") {
		t.Fatalf("third event %s", d)
	}
	again := events(t, b, "2")
	if id, d := next(t, again, "id: "), next(t, again, "data: "); id != "3" || !strings.Contains(d, "Petugas") {
		t.Fatalf("resumed with %s %s", id, d)
	}
	want := map[string]bool{"row1 delivered": true, "officer1 delivered": true}
	for range 2 {
		select {
		case got := <-rc.c:
			if !want[got] {
				t.Errorf("receipt %q", got)
			}
			delete(want, got)
		case <-time.After(time.Minute):
			t.Fatal("no receipt")
		}
	}
}

// A page that knows more than this process (it was restarted) begins anew instead of waiting for ever.
func TestAfterRestart(t *testing.T) {
	e, b, _ := start(t, nil)
	b.say("aaaaaaaa1", "halo")
	s := events(t, b, "99")
	if next(t, s, "event: ") != "anew" {
		t.Fatal("no fresh start")
	}
	next(t, s, "data: ")
	if d := next(t, s, "data: "); !strings.Contains(d, "halo") {
		t.Fatal(d)
	}
	// Nobody has that page open, and this process never saw the person: the reply waits for them.
	who := e.messages()[0].From
	who.Address = strings.Repeat("0", 32)
	if _, err := e.ch.Send(t.Context(), bot.Row{ID: "r9", To: who, Out: bot.Outgoing{Text: "later"}}); err != nil {
		t.Fatal(err)
	}
	if ms, _, _ := e.ch.sessions.get(who.Address, time.Now()).after(0); len(ms) != 1 {
		t.Fatal("the reply did not wait")
	}
}

// Leaving covers the conversation; only its owner's wish shows it again.
func TestLeave(t *testing.T) {
	_, b, _ := start(t, nil)
	b.say("aaaaaaaa1", "rahasia saya")
	r, _ := b.get("/exit")
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "https://www.google.com/" {
		t.Fatalf("exit: %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	_, page := b.get("/")
	if strings.Contains(page, "rahasia") || strings.Contains(page, "reply 1") {
		t.Fatal("the covered conversation is on the page")
	}
	if r, _ = b.post("/back", nil); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("back: %d", r.StatusCode)
	}
	if _, page = b.get("/"); !strings.Contains(page, "rahasia") {
		t.Fatal("the conversation should be back")
	}
}

// Ending removes it from the device and tells the case that this way is closed.
func TestEnd(t *testing.T) {
	e, b, _ := start(t, nil)
	b.say("aaaaaaaa1", "rahasia saya")
	r, _ := b.post("/end", nil)
	if r.StatusCode != http.StatusSeeOther || !strings.Contains(r.Header.Get("Set-Cookie"), "Max-Age=0") || r.Header.Get("Clear-Site-Data") == "" {
		t.Fatalf("end: %d %v", r.StatusCode, r.Header)
	}
	if _, page := b.get("/"); strings.Contains(page, "rahasia") {
		t.Fatal("still there")
	}
	got := e.messages()
	if last := got[len(got)-1]; last.Input.Kind != flows.KindBlocked || last.From != got[0].From {
		t.Errorf("the case was told %+v", last.Input)
	}
	_, err := e.ch.Send(t.Context(), bot.Row{ID: "x", To: got[0].From, Out: bot.Outgoing{Text: "late"}})
	var se *bot.SendError
	if !errors.As(err, &se) || se.Do != bot.SendGone {
		t.Errorf("a later reply: %v", err)
	}
}

// HAPUS takes the earlier messages off the page.
func TestDelete(t *testing.T) {
	e, b, _ := start(t, nil)
	b.say("aaaaaaaa1", "rahasia saya")
	if _, err := e.ch.Send(t.Context(), bot.Row{ID: "d", To: e.messages()[0].From, Out: bot.Outgoing{Text: "Ok.", Delete: true}}); err != nil {
		t.Fatal(err)
	}
	if _, page := b.get("/"); strings.Contains(page, "rahasia") || !strings.Contains(page, ">Ok.<") {
		t.Error("the page should show only what came after")
	}
}

func TestBadInput(t *testing.T) {
	e, b, _ := start(t, nil)
	for _, f := range []url.Values{
		{}, {"id": {"short"}, "text": {"x"}}, {"id": {"bad id!!!!"}, "text": {"x"}}, {"id": {"aaaaaaaa1"}, "text": {"   "}},
		{"id": {"aaaaaaaa1"}, "text": {strings.Repeat("é", MaxRunes+1)}},
		{"id": {"aaaaaaaa1"}, "lat": {"91"}, "lon": {"0"}}, {"id": {"aaaaaaaa1"}, "lat": {"NaN"}, "lon": {"1"}}, {"id": {"aaaaaaaa1"}, "lat": {"0"}, "lon": {"0"}},
	} {
		if r, page := b.post("/send", f); r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, `role="alert"`) {
			t.Errorf("%d for %.60v", r.StatusCode, f)
		}
	}
	if r, _ := b.post("/send", url.Values{"id": {"aaaaaaaa1"}, "text": {strings.Repeat("x", maxBody+1)}}); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("huge body: %d", r.StatusCode)
	}
	b.post("/send", url.Values{"id": {"aaaaaaaa2"}, "data": {"nonsense"}})
	b.post("/send", url.Values{"id": {"aaaaaaaa3"}, "lat": {"11.0804"}, "lon": {"106.1714"}, "acc": {"25"}})
	got := e.messages()
	if len(got) != 2 || got[0].Input.Tap == nil || got[0].Input.Tap.Step != "" {
		t.Fatalf("%d messages; a button of unknown data is answered as a tap on nothing", len(got))
	}
	if l := got[1].Input.Location; l == nil || l.Kind != "pin" || !l.HasPoint || l.Lat != 11.0804 || l.AccuracyM != 25 {
		t.Errorf("location %+v", l)
	}
	if r, _ := b.get("/anything"); r.StatusCode != http.StatusNotFound {
		t.Errorf("unknown path: %d", r.StatusCode)
	}
}

// Memory stays within its bounds whoever writes how much.
func TestMemory(t *testing.T) {
	e, _, _ := start(t, nil)
	now := time.Now()
	s := e.ch.sessions.get("a", now)
	for i := range 500 {
		s.put(message{ID: fmt.Sprint(i), Text: strings.Repeat("x", 1000)})
	}
	if len(s.log) > Recent || s.bytes > RecentBytes || int64(s.bytes) != e.ch.sessions.bytes.Load() {
		t.Errorf("%d messages, %d bytes, %d in all", len(s.log), s.bytes, e.ch.sessions.bytes.Load())
	}
	for i := range Sessions + 1 {
		e.ch.sessions.get(fmt.Sprint("p", i), now.Add(time.Duration(i)*time.Second)).put(message{ID: "m", Text: "hi", told: i%2 == 0})
	}
	e.ch.sessions.trim()
	if n := len(e.ch.sessions.byAddress); n > Sessions*7/8 {
		t.Errorf("%d sessions left", n)
	}
	if e.ch.sessions.byAddress["p1"] == nil {
		t.Error("an undelivered reply was forgotten before delivered ones")
	}
}

// Whoever makes cookies up, a new one with every request, pushes nobody's conversation out and takes no memory beyond the
// bound, and holds no stream open.
func TestMadeUpCookies(t *testing.T) {
	e, b, _ := start(t, nil)
	b.say("aaaaaaaa1", "halo")
	mine := e.messages()[0].From.Address
	ask := func(path string, n int) int {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.AddCookie(&http.Cookie{Name: "chat", Value: fmt.Sprintf("%043d", n)})
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		w := httptest.NewRecorder()
		e.ch.ServeHTTP(w, r.WithContext(ctx))
		return w.Code
	}
	for i := range Sessions + 2000 {
		ask("/exit", i)
	}
	e.ch.sessions.mu.Lock()
	n, kept := len(e.ch.sessions.byAddress), e.ch.sessions.byAddress[mine] != nil
	e.ch.sessions.mu.Unlock()
	if n > Sessions || !kept {
		t.Errorf("%d sessions, the real one kept: %v", n, kept)
	}
	if code := ask("/events", 1); code != http.StatusNoContent {
		t.Errorf("a stream for a conversation that is none: %d", code)
	}
	if code := ask("/events?after=7", 1); code != http.StatusOK { // it ends by itself, or ask would wait
		t.Errorf("a page whose conversation is gone: %d", code)
	}
}

// One conversation and one address hold no more streams open than a person needs; a stream that ends makes room.
func TestStreamsAreBounded(t *testing.T) {
	_, b, _ := start(t, nil)
	b.say("aaaaaaaa1", "halo")
	open := func(ctx context.Context) *http.Response {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/events", nil)
		r, err := b.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Body.Close() })
		return r
	}
	ctx, leave := context.WithCancel(t.Context())
	for i := range sessionStreams {
		if r := open(ctx); r.StatusCode != http.StatusOK {
			t.Fatalf("stream %d: %d", i, r.StatusCode)
		}
	}
	// One more hears what there is, and is told to come again: nobody is left without an answer.
	one := open(t.Context())
	if said, err := io.ReadAll(one.Body); err != nil || one.StatusCode != http.StatusOK || !strings.Contains(string(said), `"halo"`) || !strings.Contains(string(said), "retry: 5000") {
		t.Errorf("one more: %d %q %v", one.StatusCode, said, err)
	}
	leave()
	held := func() bool {
		line, err := bufio.NewReader(open(t.Context()).Body).ReadString('\n')
		return err == nil && line == "retry: 2000\n"
	}
	for deadline := time.Now().Add(time.Minute); !held(); {
		if time.Now().After(deadline) {
			t.Fatal("the streams that ended make no room")
		}
	}

	var s streams
	for i := range ipStreams {
		if !s.begin("203.0.113.7") {
			t.Fatalf("stream %d is refused", i)
		}
	}
	if s.begin("203.0.113.7") || !s.begin("203.0.113.8") {
		t.Error("an address is counted with another, or not at all")
	}
	s.end("203.0.113.7")
	if !s.begin("203.0.113.7") {
		t.Error("a stream that ended makes no room")
	}
}

// After a restart of the process the page shows what was said, also an officer's reply that no browser had fetched;
// not what was deleted, and nothing to a browser whose person had left the page.
func TestRestartReadsTheConversationBack(t *testing.T) {
	e1, b, _ := start(t, nil)
	b.say("aaaaaaaa1", "halo")
	var past []bot.Entry
	broken := true
	e2, _, url2 := start(t, func(o *Options) {
		o.Past = func(context.Context, bot.Contact) ([]bot.Entry, error) {
			if broken {
				return nil, errors.New("store is down")
			}
			return past, nil
		}
	})
	b.url = url2 // the same browser, the next process
	past = []bot.Entry{
		{Kind: "in", Channel: Name, Input: &flows.Input{ID: "aaaaaaaa0", Kind: flows.KindText, Text: "sudah dihapus"}},
		{Kind: "out", Channel: Name, Row: "row0", Text: "Chat ini sudah dihapus.", Clear: true},
		{Kind: "in", Channel: Name, Input: &flows.Input{ID: "aaaaaaaa1", Kind: flows.KindText, Text: "halo"}},
		{Kind: "note", Text: "catatan petugas"},
		{Kind: "out", Channel: "telegram", Row: "row8", Text: "di tempat lain"},
		{Kind: "out", Channel: Name, Row: "row9", Text: "Kami di sini.", By: "sriwahyuni"},
	}
	if _, page := b.get("/"); strings.Contains(page, "Kami di sini.") {
		t.Fatal("shown although the store was down")
	}
	// An officer answers before the page has come back: the answer stands behind what is read back then.
	if _, err := e2.ch.Send(t.Context(), bot.Row{ID: "row10", To: e1.messages()[0].From, Out: bot.Outgoing{Text: "Selamat jalan."}}); err != nil {
		t.Fatal(err)
	}
	broken = false
	_, page := b.get("/")
	for _, want := range []string{"halo", "Kami di sini.", "Selamat jalan."} {
		if strings.Count(page, want) != 1 {
			t.Errorf("%q stands %d times on the page", want, strings.Count(page, want))
		}
	}
	for _, hidden := range []string{"sudah dihapus<", "catatan petugas", "di tempat lain", "sriwahyuni"} {
		if strings.Contains(page, hidden) {
			t.Errorf("%q is on the page", hidden)
		}
	}
	b.say("aaaaaaaa2", "terima kasih")
	if _, page = b.get("/"); strings.Index(page, "Kami di sini.") > strings.Index(page, "terima kasih") {
		t.Error("the past stands after the present")
	}
	if n := len(e2.messages()); n != 1 {
		t.Errorf("%d messages handled", n)
	}

	b.get("/exit")
	_, _, url3 := start(t, func(o *Options) {
		o.Past = func(context.Context, bot.Contact) ([]bot.Entry, error) { return past, nil }
	})
	b.url = url3
	if _, page := b.get("/"); strings.Contains(page, "Kami di sini.") {
		t.Error("a restart uncovered what the person had left")
	}
}
