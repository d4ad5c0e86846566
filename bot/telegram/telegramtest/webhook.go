package telegramtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Delivery is one request that the server made to a webhook.
type Delivery struct {
	Update  int64
	Attempt int
	// Status is the answer's, 0 when there was none.
	Status     int
	RetryAfter string
	Body       string
	At         time.Time
}

// Deliveries lists the requests to the bot's webhook so far.
func (b *Bot) Deliveries() []Delivery {
	b.srv.mu.Lock()
	defer b.srv.mu.Unlock()
	return slices.Clone(b.deliveries)
}

// hook is a webhook that is set.
type hook struct {
	bot       *Bot
	url       string
	secret    string
	allowed   []string
	max       int
	queues    map[int64][]*pending
	loaded    chan struct{} // queues that are being delivered or wait to repeat: twice the connections
	conns     chan struct{}
	client    *http.Client
	ctx       context.Context
	cancel    context.CancelFunc
	errorAt   time.Time
	lastError string
}

func (b *Bot) setWebhook(p Params) response {
	if p["url"] == "" {
		return b.deleteWebhook(p)
	}
	u, err := url.Parse(p["url"])
	if err != nil || u.Host == "" {
		return failure(400, "Bad Request: bad webhook: invalid URL")
	}
	secret := p["secret_token"]
	if len(secret) > 256 || strings.Trim(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return failure(400, "Bad Request: secret token contains unallowed characters")
	}
	s := b.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return failure(502, "Bad Gateway")
	default:
	}
	allowed := b.allowed()
	b.hook.stop()
	n := int(p.Int("max_connections"))
	if n <= 0 {
		n = 40
	}
	h := &hook{
		bot: b, url: p["url"], secret: secret, allowed: allowed, max: n, queues: map[int64][]*pending{},
		loaded: make(chan struct{}, 2*n), conns: make(chan struct{}, n),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}},
	}
	_ = p.JSON("allowed_updates", &h.allowed)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	if p.Bool("drop_pending_updates") {
		b.queue, b.repeats = nil, nil
	}
	if b.poller != nil {
		close(b.poller.replaced)
		b.poller = nil
	}
	b.hook = h
	for _, q := range b.queue {
		h.enqueue(q)
	}
	return success(true)
}

func (b *Bot) deleteWebhook(p Params) response {
	b.srv.mu.Lock()
	defer b.srv.mu.Unlock()
	b.hook.stop()
	b.hook = nil
	if p.Bool("drop_pending_updates") {
		b.queue, b.repeats = nil, nil
	}
	return success(true)
}

func (b *Bot) webhookInfo() response {
	b.srv.mu.Lock()
	defer b.srv.mu.Unlock()
	b.expire()
	info := map[string]any{"url": "", "has_custom_certificate": false, "pending_update_count": len(b.queue)}
	if h := b.hook; h != nil {
		info["url"], info["max_connections"], info["allowed_updates"] = h.url, h.max, h.allowed
		if !h.errorAt.IsZero() {
			info["last_error_date"], info["last_error_message"] = h.errorAt.Unix(), h.lastError
		}
	}
	return success(info)
}

func (h *hook) stop() {
	if h != nil {
		h.cancel()
		h.client.CloseIdleConnections()
	}
}

// enqueue adds an update to its queue; the first of a queue starts its delivery. The server's lock is held.
func (h *hook) enqueue(p *pending) {
	if h == nil || h.ctx.Err() != nil {
		return
	}
	h.queues[p.key] = append(h.queues[p.key], p)
	if len(h.queues[p.key]) == 1 {
		h.bot.srv.running.Add(1)
		go h.deliver(p.key)
	}
}

// deliver works one queue off: one update at a time, the next only after the last was taken or has expired.
func (h *hook) deliver(key int64) {
	s := h.bot.srv
	defer s.running.Done()
	select {
	case h.loaded <- struct{}{}:
		defer func() { <-h.loaded }()
	case <-h.ctx.Done():
		return
	}
	for {
		s.mu.Lock()
		if len(h.queues[key]) == 0 {
			delete(h.queues, key)
			s.mu.Unlock()
			return
		}
		p := h.queues[key][0]
		s.mu.Unlock()
		if !h.insist(p) {
			return
		}
		s.mu.Lock()
		h.queues[key] = h.queues[key][1:]
		if p.copies--; p.copies > 0 && s.nowLocked().Before(p.expires) {
			h.queues[key] = append(h.queues[key], p) // somewhere after the first
		} else {
			h.bot.queue = slices.DeleteFunc(h.bot.queue, func(q *pending) bool { return q == p })
		}
		s.wakeLocked()
		s.mu.Unlock()
	}
}

// insist delivers one update until it is taken or expires; false when the webhook was removed.
func (h *hook) insist(p *pending) bool {
	s := h.bot.srv
	wait := time.Duration(0)
	for attempt := 1; ; attempt++ {
		if s.Now().After(p.expires) {
			return true
		}
		select {
		case h.conns <- struct{}{}:
		case <-h.ctx.Done():
			return false
		}
		status, retry := h.post(p, attempt)
		<-h.conns
		if h.ctx.Err() != nil {
			return false
		}
		if status/100 == 2 {
			return true
		}
		// At once, then after 2, 4, 8 … 60 seconds, unless the program says when.
		pause := wait
		if n, err := strconv.Atoi(retry); err == nil && n > 0 && n <= 3600 {
			pause = time.Duration(n) * time.Second
		}
		wait = min(max(2*wait, 2*time.Second), time.Minute)
		t := time.NewTimer(s.real(pause))
		select {
		case <-t.C:
		case <-h.ctx.Done():
			t.Stop()
			return false
		}
	}
}

func (h *hook) post(p *pending, attempt int) (status int, retry string) {
	s := h.bot.srv
	ctx, cancel := context.WithTimeout(h.ctx, max(s.real(time.Minute), 2*time.Second))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(p.body))
	if err != nil {
		return 0, ""
	}
	req.Header.Set("Content-Type", "application/json")
	if h.secret != "" {
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", h.secret)
	}
	d := Delivery{Update: p.id, Attempt: attempt, At: s.Now()}
	trouble := ""
	res, err := h.client.Do(req)
	if err != nil {
		trouble = "Connection failed"
	} else {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		res.Body.Close()
		d.Status, d.RetryAfter, d.Body = res.StatusCode, res.Header.Get("Retry-After"), string(body)
		if res.StatusCode/100 != 2 {
			trouble = "Wrong response from the webhook: " + res.Status
		}
	}
	s.mu.Lock()
	h.bot.deliveries = append(h.bot.deliveries, d)
	if trouble != "" {
		h.errorAt, h.lastError = s.nowLocked(), trouble
	}
	s.mu.Unlock()
	if d.Status/100 == 2 {
		h.execute(d.Body)
	}
	return d.Status, d.RetryAfter
}

// execute makes the call that an answer's body asks for: a program that echoes what it was sent makes the bot speak.
func (h *hook) execute(body string) {
	var fields map[string]json.RawMessage
	var method string
	if json.Unmarshal([]byte(body), &fields) != nil || json.Unmarshal(fields["method"], &method) != nil || method == "getUpdates" {
		return
	}
	req, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json")
	if p, err := readParams(req); err == nil {
		h.bot.run(req, method, p)
	}
}
