package bench

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// How an update reaches the bot: as JSON, by a connection that is kept alive.

// appendUpdate writes what Telegram sends for a typed message, in its own order of fields.
func appendUpdate(b []byte, id int64, p *person, text string, at time.Time) []byte {
	b = append(b, `{"update_id":`...)
	b = strconv.AppendInt(b, id, 10)
	b = append(b, `,"message":{"message_id":`...)
	b = strconv.AppendInt(b, int64(p.n), 10)
	b = append(b, `,"from":{"id":`...)
	b = strconv.AppendInt(b, p.chat, 10)
	b = append(b, `,"is_bot":false,"first_name":"Warga","username":"warga_`...)
	b = strconv.AppendInt(b, p.chat, 10)
	b = append(b, `","language_code":"id"},"chat":{"id":`...)
	b = strconv.AppendInt(b, p.chat, 10)
	b = append(b, `,"first_name":"Warga","type":"private"},"date":`...)
	b = strconv.AppendInt(b, at.Unix(), 10)
	b = append(b, `,"text":`...)
	b = strconv.AppendQuote(b, text) // the script is plain ASCII
	if text[0] == '/' {
		b = append(b, `,"entities":[{"offset":0,"length":`...)
		b = strconv.AppendInt(b, int64(len(text)), 10)
		b = append(b, `,"type":"bot_command"}]`...)
	}
	return append(b, "}}"...)
}

// appendTap writes what Telegram sends for a pressed button.
func appendTap(b []byte, id int64, p *person, data string) []byte {
	return fmt.Appendf(b, `{"update_id":%d,"callback_query":{"id":"%d","from":{"id":%d,"is_bot":false,"first_name":"Warga","username":"warga_%d","language_code":"id"},`+
		`"message":{"message_id":%d,"from":{"id":5000000001,"is_bot":true,"first_name":"bench","username":"bench_bot"},"chat":{"id":%d,"first_name":"Warga","type":"private"},`+
		`"date":%d,"text":"…"},"chat_instance":"%d","data":%q}}`, id, id, p.chat, p.chat, p.n, p.chat, time.Now().Unix(), p.chat, data)
}

// line is one connection to each replica's webhook, used by one goroutine.
type line struct {
	c            *crowd
	conns        []*conn
	update, head []byte
}

type conn struct {
	net.Conn
	wire *wire
}

// post delivers the update; false when the bot did not take it.
func (l *line) post(ctx context.Context, i int) (bool, error) {
	for fresh := false; ; fresh = true {
		if l.conns[i] == nil {
			var d net.Dialer
			nc, err := d.DialContext(ctx, "tcp", l.c.targets[i])
			if err != nil {
				return false, fmt.Errorf("the bot's webhook: %w", err)
			}
			l.conns[i] = &conn{nc, newWire(nc)}
			fresh = true
		}
		status, err := l.exchange(l.conns[i], l.c.targets[i])
		if err == nil {
			return status/100 == 2, nil
		}
		_ = l.conns[i].Close()
		l.conns[i] = nil
		if fresh || ctx.Err() != nil {
			return false, fmt.Errorf("the bot's webhook: %w", err)
		}
	}
}

func (l *line) exchange(c *conn, host string) (status int, err error) {
	b := append(l.head[:0], "POST "...)
	b = append(b, l.c.path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(l.update)), 10)
	if l.c.o.Secret != "" {
		b = append(b, "\r\nX-Telegram-Bot-Api-Secret-Token: "...)
		b = append(b, l.c.o.Secret...)
	}
	b = append(b, "\r\n\r\n"...)
	b = append(b, l.update...)
	l.head = b
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err = c.Write(b); err != nil {
		return 0, err
	}
	h, err := c.wire.head()
	if err != nil {
		return 0, err
	}
	f := bytes.Fields(h.first)
	if len(f) < 2 {
		return 0, errWire
	}
	if status, err = strconv.Atoi(string(f[1])); err != nil {
		return 0, errWire
	}
	_, err = c.wire.content(h)
	return status, err
}

func (l *line) close() {
	for _, c := range l.conns {
		if c != nil {
			_ = c.Close()
		}
	}
}
