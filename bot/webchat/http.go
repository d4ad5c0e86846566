package webchat

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"pulang/bot"
	"pulang/bot/headers"
	"pulang/flows"
)

const (
	// maxBody leaves room for MaxRunes percent-encoded.
	maxBody = 64 << 10
	// patience is how long a message over the limit waits for its turn before it is handed back.
	patience  = 3 * time.Second
	heartbeat = 15 * time.Second
	// maxData is longer than a button's data ever is.
	maxData = 128
	// smallest is what a message without words counts in bytes.
	smallest = 128
)

// routes is everything that this handler answers; the rest is 404.
func (c *Channel) routes() {
	b := c.o.Base
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+b+"{$}", c.page)
	mux.HandleFunc("POST "+b+"send", c.send)
	mux.HandleFunc("GET "+b+"events", c.events)
	mux.HandleFunc("GET "+b+"exit", c.exit)
	mux.HandleFunc("POST "+b+"exit", c.exit)
	mux.HandleFunc("POST "+b+"back", c.back)
	mux.HandleFunc("POST "+b+"end", c.end)
	c.mux = mux
}

// ServeHTTP answers a browser. A form of another site changes nothing (RFC 6265bis SameSite and Fetch Metadata).
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// page allows its own script and style beside this; a person may send where they are.
	headers.SetPage(w.Header(), "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"geolocation=(self), camera=(), microphone=(), payment=(), usb=()")
	http.NewCrossOriginProtection().Handler(c.mux).ServeHTTP(w, r)
}

// page shows the conversation so far. A browser that follows a link from another site sends no Strict cookie: it is
// sent round once, so that its conversation is found.
func (c *Channel) page(w http.ResponseWriter, r *http.Request) {
	cookie := c.cookie(r)
	if cookie == "" && r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><meta charset=utf-8><title>…</title><meta http-equiv=refresh content=\"0;url=%s%s\">",
			c.o.Base, c.query(r))
		return
	}
	c.show(w, r, http.StatusOK, cookie, draft{})
}

// send takes one message: typed text, a button's data, or a position. It answers when the message is stored, and
// never before.
func (c *Channel) send(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		c.refuse(w, r, http.StatusRequestEntityTooLarge, draft{Notice: "web.too_long"})
		return
	}
	ip := c.o.ClientIP(r)
	if d := c.limits.wait("ip "+ip, ipPerSecond, ipBurst, 0); d > 0 {
		c.busy(w, r, d)
		return
	}
	cookie, s := c.cookie(r), (*session)(nil)
	if cookie != "" {
		s = c.session(r, cookie)
	}
	if s == nil || s.nothing() { // a cookie is easily made up: what counts is whether anything was said
		if d := c.limits.wait("new "+ip, newPerSecond, newBurst, 0); d > 0 {
			c.busy(w, r, d)
			return
		}
	}
	if s == nil {
		cookie = c.newID(32)
	} else if d := c.limits.wait("who "+address(cookie), sessionPerSecond, sessionBurst, patience); d > patience {
		c.busy(w, r, d)
		return
	} else if d > 0 {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return
		}
	}
	in, shown, id, problem := c.read(r)
	if problem != "" {
		c.refuse(w, r, http.StatusUnprocessableEntity, draft{Notice: problem, Text: r.PostForm.Get("text")})
		return
	}
	for _, of := range []struct {
		key             string
		perSecond, once int
	}{{"bytes ip " + ip, ipBytes, ipBytesOnce}, {"bytes who " + address(cookie), sessionBytes, sessionBytesOnce}} {
		if d := c.limits.take(len(in.Text)+smallest, of.key, float64(of.perSecond), of.once, 0); d > 0 {
			c.busy(w, r, d)
			return
		}
	}
	if s == nil {
		s = c.session(r, cookie)
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-r.Context().Done():
		return
	}
	if in.Kind == flows.KindTap {
		shown.Text = s.label(r.PostForm.Get("data"))
	}
	shown.ID, shown.Mine, shown.At, shown.pending = id, true, c.o.Clock(), true
	said := s.before(id)
	s.put(shown)
	news := s.subscribe(math.MaxInt)
	defer s.unsubscribe(news)
	// The browser may give up waiting; what it sent is handled all the same, and a repeat has no second effect.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 20*time.Second)
	defer cancel()
	err := c.o.Handler.Handle(ctx, bot.Message{
		UpdateID: "w" + address(cookie)[:12] + ":" + id, Line: c.o.Line, From: c.contact(cookie), Input: in,
		Can: flows.Can{Buttons: true, AskPlace: byScript(r), Delete: true},
	})
	s.settle(id, err == nil)
	if err != nil {
		c.o.Log.Warn("message not stored", "channel", Name, "line", c.o.Line, "kind", in.Kind, "err", err)
		w.Header().Set("Retry-After", "2")
		c.refuse(w, r, http.StatusServiceUnavailable, draft{Notice: "web.not_stored", Text: in.Text, ID: r.PostForm.Get("id")})
		return
	}
	s.cover(false)
	if c.hasLeft(r) {
		c.setLeft(w, false)
	}
	if in.Kind == flows.KindTap {
		s.use(r.PostForm.Get("data"), said)
	}
	c.sessions.trim()
	c.setCookie(w, cookie, cookieDays*24*60*60)
	if byScript(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	for until := time.After(c.lookAfter); ; {
		if s.answered(said) {
			break
		}
		select {
		case <-news:
			continue
		case <-until:
		case <-r.Context().Done():
		}
		break
	}
	http.Redirect(w, r, c.o.Base+c.query(r)+"#end", http.StatusSeeOther)
}

var goodID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// read makes an Input of the form. problem is the key of a sentence that says what to do.
func (c *Channel) read(r *http.Request) (in flows.Input, shown message, id, problem string) {
	f := r.PostForm
	id = f.Get("id")
	if !goodID.MatchString(id) {
		return in, shown, "", "web.reload"
	}
	in = flows.Input{ID: id, At: c.o.Clock(), Lang: c.lang(r)}
	switch data, lat, text := f.Get("data"), f.Get("lat"), strings.TrimSpace(f.Get("text")); {
	case len(data) > maxData:
		return in, shown, "", "web.reload"
	case data != "":
		// Each button of one prompt has the same form id: the data belongs to what was done.
		in.Kind, in.Tap = flows.KindTap, bot.ParseTap(data)
		id += ":" + address(data)[:8]
		in.ID = id
	case lat != "":
		p, ok := point(lat, f.Get("lon"), f.Get("acc"))
		if !ok {
			return in, shown, "", "web.place_error"
		}
		p.At = in.At
		in.Kind, in.Location = flows.KindLocation, &p
		shown.Key = "web.place_sent"
	case text == "":
		return in, shown, "", "web.empty"
	case utf8.RuneCountInString(text) > MaxRunes:
		return in, shown, "", "web.too_long"
	default:
		in.Kind, in.Text = flows.KindText, strings.ToValidUTF8(text, "�")
		if shown.Text = in.Text; in.Text == "/start" {
			shown.Text = ""
		}
	}
	return in, shown, id, ""
}

// point reads a position; not every pair of numbers is one.
func point(lat, lon, acc string) (flows.Location, bool) {
	la, err1 := strconv.ParseFloat(lat, 64)
	lo, err2 := strconv.ParseFloat(lon, 64)
	if err1 != nil || err2 != nil || !(math.Abs(la) <= 90) || !(math.Abs(lo) <= 180) || la == 0 && lo == 0 {
		return flows.Location{}, false
	}
	p := flows.Location{Kind: "pin", HasPoint: true, Lat: la, Lon: lo}
	if a, err := strconv.ParseFloat(acc, 64); err == nil && a > 0 && a < 1e6 {
		p.AccuracyM = a
	}
	return p, true
}

// busy hands a message back that is over the limit, with the time after which to send it again.
func (c *Channel) busy(w http.ResponseWriter, r *http.Request, d time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(d.Seconds()))))
	c.refuse(w, r, http.StatusTooManyRequests, draft{Notice: "web.slow_down", Text: r.PostForm.Get("text"), ID: r.PostForm.Get("id")})
}

// refuse says what went wrong and gives the text back: to a script as a sentence, to a person as the page.
func (c *Channel) refuse(w http.ResponseWriter, r *http.Request, code int, d draft) {
	if byScript(r) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(code)
		fmt.Fprint(w, c.o.Catalogue.Text(c.lang(r), flows.TextID(d.Notice), nil))
		return
	}
	c.show(w, r, code, c.cookie(r), d)
}

func byScript(r *http.Request) bool { return r.Header.Get("X-Chat") == "1" }
