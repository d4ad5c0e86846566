package desk

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// Every address is in the table with an act; every role gets through exactly where the one table of casework says
// so; who is not signed in gets nowhere.
func TestRoutesAndRoles(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	code := caseCode(3)
	fill := strings.NewReplacer("{code}", code, "{file}", "desk.css", "{row}", "x", "{id}", "x", "{name}", "sri", "{$}", "", "{line}", "kh")
	known := map[casework.Act]bool{}
	for _, a := range casework.Acts {
		known[a] = true
	}
	sessions := map[string]*browser{"": w.browser()}
	for _, r := range roleNames {
		sessions[r] = w.as(r)
	}
	for _, rt := range w.d.routes {
		if rt.act != open && !known[rt.act] {
			t.Fatalf("%s: unknown act %q", rt.pattern(), rt.act)
		}
		path := fill.Replace(rt.path)
		for who, b := range sessions {
			if path == "/live" && who != "" && casework.May(casework.Role(who), rt.act) {
				continue // a stream without end: see TestLive
			}
			if path == "/signout" || path == "/account/password" || path == "/lang" {
				if who != "" {
					continue // ends or changes the session under test; they need no more than to be signed in
				}
			}
			var res *http.Response
			req, _ := http.NewRequest(rt.method, w.srv.URL+path, strings.NewReader(""))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Sec-Fetch-Site", "same-origin")
			c := *b.c
			c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			res, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			refused := res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusUnauthorized ||
				res.StatusCode == http.StatusSeeOther && res.Header.Get("Location") == "/signin"
			allowed := rt.act == open || who != "" && casework.May(casework.Role(who), rt.act)
			if path == "/signout" {
				allowed = false
			}
			if path == "/welcome" && rt.method == "POST" {
				continue // 403 there means that the link is spent, for everybody
			}
			if strings.HasPrefix(path, "/signin/") {
				continue // the second page of the sign-in: whoever has not been on the first begins there
			}
			if path == "/signin" && rt.method == "POST" {
				continue // 401 there means a wrong password
			}
			if refused == allowed {
				t.Errorf("%s as %q: %d %s, allowed %v", rt.pattern(), who, res.StatusCode, res.Header.Get("Location"), allowed)
			}
			if res.StatusCode >= 500 {
				t.Errorf("%s as %q: %d\n%s", rt.pattern(), who, res.StatusCode, w.log())
			}
		}
	}
	for _, p := range []string{"/nothing", "/case", "/case/XXXX-XXXX", "/case/" + code + "/nothing", "/static/../desk.go", "/metrics"} {
		if b := sessions["supervisor"].get(p); b.last.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", p, b.last.StatusCode)
		}
	}
	if w.audited("denied", "") == 0 {
		t.Error("refusals are not audited")
	}
}

// An account sees the cases of its own missions only.
func TestOtherMission(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	a := w.f.accounts["sri"]
	a.Missions = []string{"mm"}
	w.f.accounts["sri"] = a
	b := w.browser()
	b.post("/signin", "name", "sri", "password", password).want(403, "belum ditugaskan")
	b.get("/queue").want(403)
	b.get("/case/" + caseCode(1)).want(404)
	b.post("/case/"+caseCode(1)+"/note", "note", "x").want(404)

	// Whatever the role: without a mission here, nothing of a mission is shown, done or broken.
	for _, role := range casework.Roles {
		name := string(role)
		a := w.f.accounts[name]
		a.Missions = []string{"mm"}
		w.f.accounts[name] = a
		b := w.browser()
		b.post("/signin", "name", name, "password", password)
		for _, rt := range w.d.routes {
			if !rt.ofMission() || !casework.May(role, rt.act) {
				continue
			}
			p := strings.NewReplacer("{code}", caseCode(1), "{line}", "kh", "{id}", "case-1", "{row}", "kh", "{name}", "sri", "{file}", "desk.css").Replace(rt.path)
			if rt.method == "GET" {
				b.get(p)
			} else {
				b.post(p)
			}
			if s := b.last.StatusCode; s != http.StatusForbidden && s != http.StatusNotFound {
				t.Errorf("%s as %s: %d", rt.pattern(), role, s)
			}
		}
	}
}

// The headers of every answer.
func TestHeaders(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.URL = "https://desk.example.org" })
	w.f.seed()
	// The cookie is Secure here, so a plain client never sends it back: ask the handler directly.
	ask := func(method, path, body string, cookies ...*http.Cookie) *http.Response {
		r := httptest.NewRequest(method, "https://desk.example.org"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		rec := httptest.NewRecorder()
		w.d.ServeHTTP(rec, r)
		return rec.Result()
	}
	res := ask("POST", "/signin", "name=officer&password="+strings.ReplaceAll(password, " ", "+"))
	if len(res.Cookies()) != 1 {
		t.Fatalf("%d cookies", len(res.Cookies()))
	}
	c := res.Cookies()[0]
	if c.Name != "__Host-desk" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 {
		t.Errorf("cookie %+v", c)
	}
	nonces := map[string]bool{}
	for _, path := range []string{"/queue", "/case/" + caseCode(1), "/nothing", "/board", "/account"} {
		h := ask("GET", path, "", c).Header
		csp := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self' 'nonce-", "style-src 'self';", "img-src 'self' data:", "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: CSP lacks %s", path, part)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", path, csp)
		}
		nonce := regexp.MustCompile(`'nonce-(\w+)'`).FindStringSubmatch(csp)[1]
		if nonces[nonce] {
			t.Error("a nonce came twice")
		}
		nonces[nonce] = true
		for k, v := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age=63072000"} {
			if h.Get(k) != v {
				t.Errorf("%s: %s is %q", path, k, h.Get(k))
			}
		}
	}
	if v := ask("POST", "/signout", "", c).Header.Get("Clear-Site-Data"); !strings.Contains(v, "cookies") {
		t.Errorf("Clear-Site-Data %q", v)
	}
	if res := ask("GET", "/queue", "", c); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after sign-out: %d", res.StatusCode)
	}
}

// Requests that another site makes change nothing (the matrix of Sec-Fetch-Site and Origin).
func TestCrossSite(t *testing.T) {
	w := newWorld(t)
	w.f.make(person{n: 1, ago: time.Minute, safety: "safe", says: []string{"halo"}})
	b := w.as("officer")
	path := "/case/" + caseCode(1)
	b.get(path).submit(path + "/claim").want(200)
	for _, rt := range w.d.routes {
		if rt.method != "POST" {
			continue
		}
		for _, h := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}}} {
			p := strings.NewReplacer("{code}", caseCode(1), "{row}", "x", "{id}", "x", "{name}", "sri").Replace(rt.path)
			req, _ := http.NewRequest("POST", w.srv.URL+p, strings.NewReader("note=x&text=x&name=x"))
			req.Header = h.Clone()
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if b.do(req); b.last.StatusCode != http.StatusForbidden || !strings.Contains(b.body, "situs lain") {
				t.Errorf("%s with %v: %d", rt.path, h, b.last.StatusCode)
			}
		}
	}
	if n := len(w.f.cases[caseCode(1)].entries); n != 2 {
		t.Errorf("%d entries", n)
	}
	b.get(path).want(200) // still signed in
}

// Hostile words on every page: never markup, never a changed order of the line, never an invisible character.
func TestHostileText(t *testing.T) {
	w := newWorld(t)
	payloads := []string{
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `'"--><b>`, `javascript:alert(1)`,
		`</textarea><script>alert(1)</script>`, `</title><script>alert(1)</script>`, `{{.Session}}`, `{{template "layout"}}`, `${alert(1)}`,
		`<a href="javascript:alert(1)">x</a>`, `<iframe srcdoc="<script>alert(1)</script>">`, `<style>*{display:none}</style>`,
		`<form action=https://evil.example><input name=q>`, `<base href=//evil.example>`, `<meta http-equiv=refresh content=0>`,
		`<math><mtext><script>alert(1)</script>`, `<details open ontoggle=alert(1)>`, "<scr\x00ipt>alert(1)</scr\x00ipt>", `&lt;script&gt;alert(1)&lt;/script&gt;`,
		`<!--`, `]]>`, `<![CDATA[<script>alert(1)</script>]]>`, `\u003cscript\u003e`, "`-alert(1)-`", `' onmouseover='alert(1)`, `" autofocus onfocus="alert(1)`,
		"\u202Egnirts desrever", "\u2066isolate\u2069", "zero\u200bwidth\u200cjoin\u200der", "\ufeffbom", "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301b", "\u200f\u200emarks",
		"tag\U000E0041\U000E0042", "line\u2028sep\u2029para", "bell\x07esc\x1b[31m", strings.Repeat("𝕳", 5000), strings.Repeat("A", 6000), "=1+1", "@SUM(1)", "soft\u00adhyphen", "\u3164hangul filler",
	}
	for _, tag := range []string{"object", "embed", "link", "video", "audio", "body", "input", "marquee", "isindex", "keygen", "select", "template", "noscript", "xmp", "plaintext", "frameset", "applet", "button", "table", "svg", "math", "canvas", "dialog", "slot", "portal", "picture", "source", "track", "map", "area"} {
		payloads = append(payloads, "<"+tag+" onload=alert(1) src=x style=color:red>", "</"+tag+"><"+tag+" id=main>")
	}
	if len(payloads) < 100 {
		t.Fatalf("%d payloads", len(payloads))
	}
	const chunk = 35
	for n := 0; n*chunk < len(payloads); n++ {
		says := payloads[n*chunk : min(len(payloads), (n+1)*chunk)]
		c := w.f.make(person{n: n + 1, ago: time.Hour, safety: "watched", needs: []flows.Value{"sick"}, place: says[0], says: says, name: says[len(says)-1], word: says[1], signal: "threatened"})
		for i, p := range says {
			c.Apply(flows.Record{Step: flows.StepExtra, Answer: flows.Answer{Text: p, At: w.clock()}}, w.clock(), w.f.rules)
			c.Apply(flows.Record{Step: flows.StepLocation, Answer: flows.Answer{Text: p, At: w.clock(), Location: &flows.Location{Kind: p, Text: p, Place: p, Province: p, Country: p}}}, w.clock(), w.f.rules)
			c.Apply(flows.Signal{Name: fmt.Sprintf("signal_%d", i), Words: p}, w.clock(), w.f.rules)
		}
		c.Answers["later_step"] = flows.Answer{Values: []flows.Value{flows.Value(says[0])}, Text: says[1]}
		media := bot.Entry{ID: newID(w.clock()), At: w.clock(), Kind: "in", Channel: says[2], Input: &flows.Input{Kind: flows.KindMedia, Media: &flows.Media{Kind: says[0], Name: says[0], MIME: says[1]}}}
		card := bot.Entry{ID: newID(w.clock()), At: w.clock(), Kind: "in", Input: &flows.Input{Kind: flows.KindContact, Contact: &flows.Card{Phone: says[0], Name: says[1]}}}
		tap := bot.Entry{ID: newID(w.clock()), At: w.clock(), Kind: "in", Input: &flows.Input{Kind: flows.KindTap, Tap: &flows.Tap{Step: flows.StepID(says[0]), Value: flows.Value(says[1])}}}
		ev := bot.Entry{ID: newID(w.clock()), At: w.clock(), Kind: "event", Text: says[0], Args: flows.Args{"Reason": says[1]}}
		w.f.put(c, media, card, tap, ev)
		w.f.asides = append(w.f.asides, bot.Aside{ID: newID(w.clock()), At: w.clock(), Channel: says[0], Why: says[1], Raw: []byte(strings.Join(says, "\n"))})
		row := bot.Row{ID: newID(w.clock()), CaseID: c.ID, State: bot.RowHeld, Why: says[0], By: says[1], Kind: says[2], Out: bot.Outgoing{Text: says[3]}, CreatedAt: w.clock()}
		w.f.rows[row.ID] = &row
	}
	allowed := regexp.MustCompile(`(?i)^/?(html|head|meta|title|link|script|body|a|div|strong|header|span|nav|ul|li|form|label|input|button|small|main|footer|h1|h2|h3|ol|section|p|q|bdi|b|fieldset|legend|select|option|table|tbody|thead|tr|th|td|caption|textarea|details|summary|pre|time|em|svg|rect|circle|text|path|polyline|br)$`)
	tag := regexp.MustCompile(`<(/?[a-zA-Z!][^\s>/]*)([^>]*)>`)
	quoted := regexp.MustCompile(`"[^"]*"`) // between quotes stands text: html/template escapes the quotes in it
	handler := regexp.MustCompile(`(?i)\son\w+\s*=|javascript:|srcdoc|style\s*=`)
	hidden := regexp.MustCompile("[\u202A-\u202E\u2066-\u2069\u200B\u200E\u200F\uFEFF\u00AD\u3164\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\U000E0000-\U000E007F]")
	b := w.as("supervisor")
	pages := []string{"/queue", "/scheduled", "/mine", "/registered", "/letters", "/asides", "/board", "/new"}
	for n := 1; (n-1)*chunk < len(payloads); n++ {
		pages = append(pages, "/case/"+caseCode(n), "/case/"+caseCode(n)+"?edit=extra", "/case/"+caseCode(n)+"/print")
		b.get("/case/" + caseCode(n)).submit("/case/" + caseCode(n) + "/claim")
		for _, f := range []string{"name", "ids", "pin", "word"} {
			b.post("/case/"+caseCode(n)+"/reveal", "field", f, "purpose", "other").want(200)
		}
	}
	look := func(where string) {
		t.Helper()
		for _, m := range tag.FindAllStringSubmatch(b.raw, -1) {
			if !allowed.MatchString(m[1]) && !strings.EqualFold(m[1], "!doctype") {
				t.Errorf("%s: <%s%.40s>", where, m[1], m[2])
			}
			if handler.MatchString(quoted.ReplaceAllString(m[2], `""`)) {
				t.Errorf("%s: <%s%.80s>", where, m[1], m[2])
			}
		}
		if n := strings.Count(b.raw, "<script"); n != 1 {
			t.Errorf("%s: %d scripts", where, n)
		}
		if i := hidden.FindStringIndex(html.UnescapeString(b.raw)); i != nil {
			t.Errorf("%s: an invisible character stands in the page: %q", where, html.UnescapeString(b.raw)[max(0, i[0]-20):min(len(b.body), i[1]+20)])
		}
		if strings.Contains(b.raw, "ZgotmplZ") {
			t.Errorf("%s: a refused value", where)
		}
	}
	for _, p := range pages {
		b.get(p).want(200)
		look(p)
	}
	for _, a := range w.f.asides {
		b.post("/asides/" + a.ID + "/raw").want(200)
		look("/asides/raw")
	}
	b.get("/case/"+caseCode(1)).want(200, "karakter tersembunyi")
	// What officers write is no safer.
	for _, p := range payloads {
		b.post("/case/"+caseCode(1)+"/note", "note", p)
		b.post("/case/"+caseCode(1)+"/reply", "text", p, "risky", "1")
		b.post("/find", "q", p)
		look("/find")
	}
	b.get("/case/" + caseCode(1)).want(200)
	look("after notes")
}

// Guessing: five tries a minute for an account and for an address, the same answer and the same work for a name that
// nobody bears.
func TestSignInThrottle(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.post("/signin", "name", "officer", "password", "salah salah salah").want(401, "Nama akun atau kata sandi salah.")
	wrong := b.text()
	b.post("/signin", "name", "nobody here", "password", "salah salah salah").want(401)
	if strings.ReplaceAll(b.text(), "nobody here", "officer") != wrong {
		t.Error("an unknown name is answered differently")
	}
	for range 3 {
		b.post("/signin", "name", "officer", "password", "salah salah salah").want(401)
	}
	b.post("/signin", "name", "officer", "password", password).want(429, "Terlalu banyak percobaan")
	b.post("/signin", "name", "supervisor", "password", password).want(429)
	if b.last.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.advance(61 * time.Second)
	b.post("/signin", "name", "officer", "password", password).want(200)
	for _, a := range w.f.audits {
		if a.What == "sign_in" && strings.Contains(a.Who, "nobody") {
			t.Error("a name that is no account stands in the audit log: it may have been a password")
		}
	}
	// An unknown account costs a real comparison.
	_, params, _ := argon2idParams(w.d.dummy)
	if params.Memory != 64*1024 || params.Iterations != 3 {
		t.Errorf("dummy %+v", params)
	}
}

func argon2idParams(hash string) (bool, *argon2id.Params, error) {
	return argon2id.CheckHash("x", hash)
}

// Sessions: a fresh token at sign-in, twenty idle minutes, eight hours in all, an end by an admin, an end by a new
// role; a page that refreshes itself keeps nothing alive.
func TestSessionLife(t *testing.T) {
	w := newWorld(t)
	b := w.as("officer")
	w.advance(19 * time.Minute)
	b.get("/queue").want(200)
	for range 4 {
		w.advance(6 * time.Minute)
		r, _ := http.NewRequest("GET", w.srv.URL+"/queue", nil)
		r.Header.Set("X-Background", "1")
		b.do(r)
	}
	b.want(401)
	if b.get("/queue").path != "/signin" {
		t.Fatal("idle for 24 minutes and still signed in")
	}
	b = w.as("officer")
	for range 8*60/15 - 1 {
		w.advance(15 * time.Minute)
		b.get("/mine").want(200)
	}
	w.advance(16 * time.Minute)
	if b.get("/mine").path != "/signin" {
		t.Error("signed in for more than eight hours")
	}

	b = w.as("officer")
	token := func(b *browser) string {
		for _, c := range b.c.Jar.Cookies(b.last.Request.URL) {
			if c.Name == "desk" {
				return c.Value
			}
		}
		return ""
	}
	first := token(b)
	b.post("/signin", "name", "officer", "password", password).want(200)
	if token(b) == first || first == "" {
		t.Error("the token was not rotated at sign-in")
	}
	w.advance(time.Second)
	admin := w.as("admin")
	admin.get("/staff").submit("/staff/officer/signout").want(200)
	if b.get("/queue").path != "/signin" {
		t.Error("the admin ended the session, and it goes on")
	}
	w.advance(time.Second)
	b = w.as("officer")
	w.advance(time.Second)
	admin.get("/staff").submit("/staff/officer/role", "role", "viewer").want(200)
	if b.get("/queue").path != "/signin" {
		t.Error("another role, and the session goes on")
	}
	admin.get("/staff").submit("/staff/officer/enabled").want(200)
	w.browser().post("/signin", "name", "officer", "password", password).want(401)
}

// Nobody keeps the own account changing so that it cannot be closed.
func TestOwnAccountIsNotKeptChanging(t *testing.T) {
	w := newWorld(t)
	b := w.as("officer")
	for i := range langsPerMinute {
		b.post("/lang", "lang", []string{"en", "id"}[i%2]).want(200)
	}
	b.post("/lang", "lang", "en").want(429)
	if n := w.audited("language", ""); n != langsPerMinute {
		t.Errorf("%d changes", n)
	}
	b.post("/lang", "lang", "id").want(200) // it is that already: nothing is written
	w.advance(61 * time.Second)
	b.post("/lang", "lang", "en").want(200)
}

// A one-time link sets a password once; a bad password does not spend it.
func TestOneTimeLink(t *testing.T) {
	w := newWorld(t)
	admin := w.as("admin")
	admin.get("/staff").submit("/staff", "name", "Petugas Baru", "role", "officer").want(200, "/welcome#")
	link := regexp.MustCompile(`/welcome#([\w-]+)`).FindStringSubmatch(admin.body)
	admin.get("/staff").lacks(link[1])
	b := w.browser()
	set := func(pw, again string) *browser {
		return b.post("/welcome", "token", "https://desk.example/welcome#"+link[1], "password", pw, "again", again)
	}
	set("pendek", "pendek").want(422, "15")
	set("PasswordPassword1", "PasswordPassword1").want(422, "pertama kali ditebak")
	set("petugas baru 12345", "petugas baru 12345").want(422)
	set("empat gajah putih", "empat gajah hitam").want(422, "tidak sama")
	set("empat gajah putih", "empat gajah putih").want(200)
	if b.path != "/queue" {
		t.Errorf("led to %s", b.path)
	}
	w.browser().post("/welcome", "token", link[1], "password", "lima gajah putih ya", "again", "lima gajah putih ya").want(403)
	w.browser().post("/signin", "name", "PETUGAS baru", "password", "empat gajah putih").want(200)
	// A link is as good as its hours.
	_ = w.f.NewLink(context.Background(), "sri", "token-token-token", w.clock().Add(time.Hour))
	w.advance(2 * time.Hour)
	w.browser().post("/welcome", "token", "token-token-token", "password", "empat gajah putih", "again", "empat gajah putih").want(403)
	// An admin cannot lock the door from outside.
	admin = w.as("admin")
	admin.post("/staff/admin/role", "role", "viewer").want(403)
	admin.post("/staff/admin/enabled").want(403)
	if a := w.f.accounts["admin"]; a.Role != casework.RoleAdmin || a.Disabled {
		t.Errorf("%+v", a)
	}
}

func TestPasswords(t *testing.T) {
	for pw, want := range map[string]string{
		"kuda laut biru lima": "", "correct horse battery staple": "desk.password.common", "P@ssw0rdP@ssw0rd": "desk.password.common",
		"aaaaaaaaaaaaaaaa": "desk.password.common", "abcabcabcabcabcabc": "desk.password.common", "123456789012345": "desk.password.common",
		"indonesia raya 1945": "desk.password.common", "pendek": "desk.password.short", "sri suka makan bakso enak": "desk.password.name",
		strings.Repeat("kata acak ", 40): "desk.password.long", "qwertyuiopasdfghjkl": "desk.password.common", "bismillahirrahmanirrahim": "desk.password.common",
	} {
		if got := badPassword(pw, "sri"); got != want {
			t.Errorf("%q: %q, want %q", pw, got, want)
		}
	}
}

// With the store away every page says so in one sentence, with an id that stands in the log, and nothing more.
func TestStoreDown(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	b := w.as("supervisor")
	b.get("/case/" + caseCode(3))
	w.f.mu.Lock()
	w.f.fail = errDown
	w.f.mu.Unlock()
	for _, p := range []string{"/queue", "/case/" + caseCode(3), "/letters", "/board", "/signin"} {
		b.get(p).want(503, "tidak terhubung").lacks("refused", "goroutine", ".go:")
	}
	b.post("/case/"+caseCode(3)+"/note", "note", "rahasia pribadi").want(503)
	id := regexp.MustCompile(`pengelola: (\w+)`).FindStringSubmatch(b.body)
	if id == nil || !strings.Contains(w.log(), id[1]) {
		t.Error("the id of the page is not in the log")
	}
	if strings.Contains(w.log(), "rahasia") || strings.Contains(w.log(), caseCode(3)) {
		t.Errorf("the log holds more than it should:\n%s", w.log())
	}
	w.f.mu.Lock()
	w.f.fail = nil
	w.f.mu.Unlock()
	b.get("/queue").want(200)
}

// What was typed into a form that is not done comes back, without JavaScript too: after the session, while the store is
// away, and at the case of which somebody else is the holder by now. A password never does.
func TestTypedComesBack(t *testing.T) {
	w := newWorld(t)
	w.f.seed()
	code := caseCode(3)
	const words = "Keluarganya di <b>Cilacap</b> sudah tahu"
	b := w.as("officer")
	w.f.mu.Lock()
	w.f.fail = errDown
	w.f.mu.Unlock()
	b.post("/case/"+code+"/note", "note", words).want(503, words)
	b.post("/account/password", "old", "rahasia lama", "password", "rahasia baru", "again", "rahasia baru").want(503).lacks("rahasia")
	w.f.mu.Lock()
	w.f.fail = nil
	w.f.mu.Unlock()
	w.advance(25 * time.Minute)
	b.post("/case/"+code+"/note", "note", words).want(401, words, "belum tersimpan")
	b.post("/new", "full_name.text", "Budi Rekaan", "note", words).want(401, words, "Budi Rekaan")
	b.post("/account/password", "old", "rahasia lama", "password", "rahasia baru").want(401).lacks("rahasia")
	if strings.Contains(b.raw, "<b>") {
		t.Error("what was typed came back as markup")
	}
	r, _ := http.NewRequest("POST", w.srv.URL+"/case/"+code+"/note", strings.NewReader("note=kalimat+asing"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.do(r).want(403).lacks("kalimat asing")
	if strings.Contains(w.log(), "Cilacap") {
		t.Error("what was typed is in the log")
	}
}

// The stream carries {event, seq} and nothing else, begins again where it broke off, and ends with the session.
func TestLive(t *testing.T) {
	w := newWorld(t)
	b := w.as("viewer")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", w.srv.URL+"/live", nil)
	r.Header.Set("Last-Event-ID", "41")
	res, err := b.c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if ct := res.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Fatalf("%s", ct)
	}
	lines := bufio.NewScanner(res.Body)
	next := func() string {
		t.Helper()
		for lines.Scan() {
			if s := lines.Text(); strings.HasPrefix(s, "data:") {
				return s
			}
		}
		t.Fatal(lines.Err())
		return ""
	}
	if s := next(); s != `data: {"event":"case","seq":41}` {
		t.Errorf("after a break: %s", s)
	}
	w.f.make(person{n: 1, ago: time.Minute, safety: "danger", says: []string{"tolong saya Sari di Poipet"}})
	if s := next(); s != `data: {"event":"p1","seq":1}` {
		t.Errorf("%s", s)
	}
}

// What a browser loads once: style and script within 60 KB, from nowhere else.
func TestAssets(t *testing.T) {
	total := 0
	_ = fs.WalkDir(staticFiles, "static", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, _ := staticFiles.ReadFile(p)
		var n countWriter
		z := gzip.NewWriter(&n)
		_, _ = z.Write(b)
		_ = z.Close()
		total += int(n)
		for _, bad := range []string{"http://", "https://", "innerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage", "sessionStorage", "@import", "url("} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%s holds %s", p, bad)
			}
		}
		return nil
	})
	if total > 60<<10 {
		t.Errorf("%d bytes", total)
	}
	t.Logf("style and script: %d bytes compressed", total)
	// In a template nothing is put where the template engine does not know how to escape it.
	names, _ := fs.Glob(templateFiles, "templates/*.html")
	for _, n := range names {
		b, _ := templateFiles.ReadFile(n)
		for _, bad := range []string{"style=", " onclick", " onload", "<style", "javascript:", "data-on"} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%s holds %q", n, bad)
			}
		}
	}
}

type countWriter int

func (c *countWriter) Write(b []byte) (int, error) { *c += countWriter(len(b)); return len(b), nil }

// Files: opened by an audited form, pictures written anew, all else a download that no browser interprets.
func TestMedia(t *testing.T) {
	var content []byte
	w := newWorld(t, func(o *Options) {
		o.Files = func(_ context.Context, channel, account, ref string) (io.ReadCloser, error) {
			if channel != "telegram" || account != "1" || ref != "file-1" {
				return nil, fmt.Errorf("unexpected %s %s", channel, account)
			}
			return io.NopCloser(strings.NewReader(string(content))), nil
		}
	})
	c := w.f.make(person{n: 1, ago: time.Minute, safety: "safe", says: []string{"ini fotonya"}})
	e := bot.Entry{ID: newID(w.clock()), At: w.clock(), Kind: "in", Channel: "telegram", Input: &flows.Input{Kind: flows.KindMedia, Media: &flows.Media{Kind: "photo", Ref: "file-1", Bytes: 200_000}}}
	w.f.put(c, e)
	path := "/case/" + caseCode(1)
	b := w.as("officer")
	b.get(path).want(200, "[foto, 196 KB]").lacks("file-1")
	content = tinyPNG(t)
	b.submit(path + "/media").want(200)
	if ct := b.last.Header.Get("Content-Type"); ct != "image/jpeg" || !strings.Contains(b.last.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%s %s", ct, b.last.Header.Get("Content-Security-Policy"))
	}
	if strings.Contains(b.raw, "GPS-SECRET") {
		t.Error("place data of the picture went along")
	}
	for _, bad := range []string{"<html><script>alert(1)</script>", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "%PDF-1.4 /JS", "GIF<script>"} {
		content = []byte(bad)
		b.get(path).submit(path + "/media").want(200)
		h := b.last.Header
		if h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: %v", bad, h)
		}
	}
	for name, bomb := range map[string][]byte{"pixels": bombPNG(), "scans": bombJPEG(2000, 1, 400), "coefficients": bombJPEG(5600, 3, 3)} {
		content = bomb
		b.get(path).submit(path + "/media")
		if b.last.StatusCode != 422 {
			t.Errorf("%s: %d for %d bytes", name, b.last.StatusCode, len(bomb))
		}
	}
	content = bombJPEG(2000, 3, 12) // what a camera may send
	b.get(path).submit(path + "/media").want(200)
	if n := w.audited("media", caseCode(1)); n != 9 {
		t.Errorf("%d audit rows for 9 files", n)
	}
}

// A picture that waits for its turn does not wait for a browser that has gone.
func TestPictureGivesUpItsTurn(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	q := &request{d: w.d, w: httptest.NewRecorder(), r: httptest.NewRequestWithContext(ctx, "POST", "/", nil)}
	w.d.pictures <- struct{}{} // somebody else's is being decoded
	ended := make(chan error)
	go func() { ended <- q.serveFile(&flows.Media{Kind: "photo"}, tinyPNG(t)) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
