package main

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// clerk is an officer at the desk without JavaScript: pages are read, forms are filled in and sent.
type clerk struct {
	t    *testing.T
	http *http.Client
	desk string // the desk's address, without the last slash
	page string // what is on the screen
	key  string // what the authenticator app shares with the desk
}

func newClerk(t *testing.T, desk string) *clerk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &clerk{t: t, http: &http.Client{Jar: jar, Timeout: 2 * time.Minute}, desk: strings.TrimSuffix(desk, "/")}
}

func (c *clerk) read(r *http.Response, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	c.page = string(b)
}

func (c *clerk) open(path string) *clerk { c.t.Helper(); c.read(c.http.Get(c.desk + path)); return c }

// sees fails the test unless the words are on the screen.
func (c *clerk) sees(words ...string) {
	c.t.Helper()
	for _, w := range words {
		if !strings.Contains(html.UnescapeString(c.page), w) {
			c.t.Fatalf("%q is not on the page:\n%s", w, visible(c.page))
		}
	}
}

var (
	forms  = regexp.MustCompile(`(?s)<form[^>]*\saction="([^"]*)".*?</form>`)
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	tags   = regexp.MustCompile(`(?s)<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

func visible(page string) string {
	return blanks.ReplaceAllString(tags.ReplaceAllString(page, " "), " ")
}

// send fills in the form of the page with this action and these names and values.
func (c *clerk) send(action string, fields ...string) *clerk {
	c.t.Helper()
	for _, m := range forms.FindAllStringSubmatch(c.page, -1) {
		if m[1] != action {
			continue
		}
		v := url.Values{}
		for _, h := range hidden.FindAllStringSubmatch(m[0], -1) {
			v.Set(h[1], html.UnescapeString(h[2]))
		}
		for i := 0; i+1 < len(fields); i += 2 {
			v.Set(fields[i], fields[i+1])
		}
		c.read(c.http.PostForm(c.desk+action, v))
		if action == "/welcome" {
			c.setUp()
		}
		return c
	}
	c.t.Fatalf("no form %s on the page:\n%s", action, visible(c.page))
	return c
}

var shownKey = regexp.MustCompile(`id="key">([A-Z2-7 ]+)<`)

// setUp does what everybody does at the first sign-in: an authenticator app takes the key that is shown, and its code
// confirms it.
func (c *clerk) setUp() {
	c.t.Helper()
	if m := shownKey.FindStringSubmatch(c.page); m != nil {
		c.key = strings.ReplaceAll(m[1], " ", "")
		c.send("/signin/factor", "code", c.code(time.Now()))
	}
}

// code is what the app shows at that moment.
func (c *clerk) code(at time.Time) string {
	c.t.Helper()
	code, err := totp.GenerateCode(c.key, at)
	if err != nil {
		c.t.Fatal(err)
	}
	return code
}

// cookies are the secrets that the browser holds.
func cookies(t *testing.T, h *http.Client, address string) []string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, k := range h.Jar.Cookies(u) {
		out = append(out, k.Value)
	}
	return out
}
