package webchat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"pulang/bot"
)

// events streams this person's messages to their own open page (Server-Sent Events).
func (c *Channel) events(w http.ResponseWriter, r *http.Request) {
	cookie := c.cookie(r)
	if cookie == "" || r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		w.WriteHeader(http.StatusNoContent) // tells EventSource not to come back
		return
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("after")
	}
	seq, _ := strconv.ParseInt(last, 10, 64)
	s, ip := c.session(r, cookie), c.o.ClientIP(r)
	if s.nothing() && seq <= 0 {
		w.WriteHeader(http.StatusNoContent) // a page listens once something was said; a made-up cookie holds no stream open
		return
	}
	// One stream more than there may be gives what there is and ends: its page hears all the same, a little later.
	var news chan struct{}
	if !s.nothing() && c.streams.begin(ip) {
		defer c.streams.end(ip)
		if news = s.subscribe(sessionStreams); news != nil {
			defer s.unsubscribe(news)
		}
	}
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
	pause := 2000
	if news == nil {
		pause = 5000
	}
	if write("retry: %d\n\n", pause) != nil {
		return
	}
	for lang := c.lang(r); ; {
		ms, anew, last := s.after(seq)
		// With the id of nothing: where no message follows, the page does not ask again for what comes after those it had.
		if anew && write("id: 0\nevent: anew\ndata: {}\n\n") != nil {
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
		if news == nil {
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
	time.AfterFunc(c.receiptAfter, func() {
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
