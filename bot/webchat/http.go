package webchat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"pulang/bot"
	"pulang/flows"
)

const (
	// maxBody leaves room for MaxRunes percent-encoded.
	maxBody = 64 << 10
	// patience is how long a message over the limit waits for its turn before it is handed back.
	patience = 3 * time.Second
	// lookAfter is how long an answer without JavaScript waits for the bot's reply before the page is shown.
	lookAfter = 1500 * time.Millisecond
	heartbeat = 15 * time.Second
	// receiptAfter lets the relay store that the row was sent before it is told that it arrived.
	receiptAfter = 2 * time.Second
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
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "geolocation=(self), camera=(), microphone=(), payment=(), usb=()")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
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
	cookie := c.cookie(r)
	if cookie == "" {
		if d := c.limits.wait("new "+ip, newPerSecond, newBurst, 0); d > 0 {
			c.busy(w, r, d)
			return
		}
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
	s := c.sessions.get(address(cookie), c.o.Clock())
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
	said := s.last()
	s.put(shown)
	news := s.subscribe()
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
	if in.Kind == flows.KindTap {
		s.use(r.PostForm.Get("data"))
	}
	c.sessions.trim()
	c.setCookie(w, cookie, cookieDays*24*60*60)
	if byScript(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	for until := time.After(lookAfter); ; {
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

// events streams this person's messages to their own open page (Server-Sent Events).
func (c *Channel) events(w http.ResponseWriter, r *http.Request) {
	cookie := c.cookie(r)
	if cookie == "" || r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		w.WriteHeader(http.StatusNoContent) // tells EventSource not to come back
		return
	}
	seq, _ := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if seq == 0 {
		seq, _ = strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	}
	s := c.sessions.get(address(cookie), c.o.Clock())
	news := s.subscribe()
	defer s.unsubscribe(news)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	write := func(format string, a ...any) error {
		// A server's write deadline counts from the request; a stream needs one for each piece. Servers without
		// deadlines (tests) go on without.
		if err := out.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := fmt.Fprintf(w, format, a...); err != nil {
			return err
		}
		return out.Flush()
	}
	if write("retry: 2000\n\n") != nil {
		return
	}
	for lang := c.lang(r); ; {
		ms, anew, last := s.after(seq)
		if anew && write("event: anew\ndata: {}\n\n") != nil {
			return
		}
		for _, m := range ms {
			if write("id: %d\ndata: %s\n\n", m.Seq, c.wire(m, lang)) != nil {
				return
			}
		}
		c.received(r.Context(), s, cookie, last)
		if seq = last; s.isEnded() {
			_ = write("event: anew\ndata: {}\n\n") // another tab: cleared as well, the stream ends either way
			return
		}
		select {
		case <-news:
		case <-beat.C:
			if write(": still here\n\n") != nil {
				return
			}
		case <-c.closing:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// wire is a message as the page's script reads it.
func (c *Channel) wire(m message, lang string) []byte {
	type button struct {
		Label string `json:"label"`
		Data  string `json:"data"`
	}
	v := struct {
		ID      string   `json:"id"`
		Mine    bool     `json:"mine"`
		Text    string   `json:"text"`
		Buttons []button `json:"buttons,omitempty"`
		Place   string   `json:"place,omitempty"`
		Clock   string   `json:"clock"`
	}{ID: m.ID, Mine: m.Mine, Text: c.textOf(m, lang), Place: m.Place, Clock: m.At.In(c.o.Zone).Format("15.04")}
	if !m.Used {
		for _, b := range m.Buttons {
			v.Buttons = append(v.Buttons, button(b))
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("{}") // strings and booleans only: cannot happen
	}
	return b
}

// received tells the outbox, a little later, which rows the browser has.
func (c *Channel) received(ctx context.Context, s *session, cookie string, seq int64) {
	ids := s.arrived(seq)
	if c.o.Receipts == nil || len(ids) == 0 {
		return
	}
	at, who, ctx := c.o.Clock(), c.contact(cookie), context.WithoutCancel(ctx)
	time.AfterFunc(receiptAfter, func() {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		for _, id := range ids {
			if err := c.o.Receipts.Receipt(ctx, c.o.Line, who, id, bot.RowDelivered, at); err != nil {
				c.o.Log.Log(ctx, slog.LevelDebug, "receipt not stored", "channel", Name, "line", c.o.Line, "err", err)
				return
			}
		}
	})
}

// exit covers the conversation on this device and leaves for a neutral page. It changes nothing else, so that a
// plain link is enough.
func (c *Channel) exit(w http.ResponseWriter, r *http.Request) {
	if cookie := c.cookie(r); cookie != "" {
		c.sessions.get(address(cookie), c.o.Clock()).cover(true)
	}
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, c.o.ExitURL, http.StatusSeeOther)
}

// back uncovers the conversation.
func (c *Channel) back(w http.ResponseWriter, r *http.Request) {
	if cookie := c.cookie(r); cookie != "" {
		c.sessions.get(address(cookie), c.o.Clock()).cover(false)
	}
	http.Redirect(w, r, c.o.Base+c.query(r)+"#end", http.StatusSeeOther)
}

// end removes the conversation from this device. The report stays, and the case is told that this way is closed.
func (c *Channel) end(w http.ResponseWriter, r *http.Request) {
	if cookie := c.cookie(r); cookie != "" {
		s := c.sessions.get(address(cookie), c.o.Clock())
		err := c.o.Handler.Handle(r.Context(), bot.Message{
			UpdateID: "w" + address(cookie)[:12] + ":end", Line: c.o.Line, From: c.contact(cookie),
			Input: flows.Input{Kind: flows.KindBlocked, At: c.o.Clock(), Lang: c.lang(r)},
		})
		if err != nil { // the device is cleared all the same: that is what protects the person now
			c.o.Log.Warn("end of chat not stored", "channel", Name, "line", c.o.Line, "err", err)
		}
		s.end()
	}
	c.setCookie(w, "", -1)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	http.Redirect(w, r, c.o.Base+c.query(r), http.StatusSeeOther)
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

func (c *Channel) contact(cookie string) bot.Contact {
	return bot.Contact{Channel: Name, Account: c.o.Line, Address: address(cookie)}
}

func (c *Channel) cookieName() string {
	if c.o.Secure {
		return "__Host-chat"
	}
	return "chat"
}

var goodCookie = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// cookie is the session's secret, or "" when the browser brings none of ours.
func (c *Channel) cookie(r *http.Request) string {
	k, err := r.Cookie(c.cookieName())
	if err != nil || !goodCookie.MatchString(k.Value) {
		return ""
	}
	return k.Value
}

func (c *Channel) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: c.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.o.Secure, SameSite: http.SameSiteStrictMode})
}

// lang is the page's language: the one asked for, or the browser's, or the line's.
func (c *Channel) lang(r *http.Request) string {
	want := r.URL.Query().Get("lang")
	if r.PostForm != nil && r.PostForm.Get("lang") != "" {
		want = r.PostForm.Get("lang")
	}
	if c.o.Catalogue.Has(want) {
		return want
	}
	return c.o.Lang
}

// query carries the chosen language along.
func (c *Channel) query(r *http.Request) string {
	if l := c.lang(r); l != c.o.Lang {
		return "?lang=" + l
	}
	return ""
}
