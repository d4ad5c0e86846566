package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// drillChat is the first of the drill's citizens, drillBot the bot that they write to.
const (
	drillChat = 7_700_000_001
	drillBot  = "5000000001"
)

// drillTelegram is a Bot API server on this machine that can go away: it then ends every connection without an answer,
// and keeps what citizens write, as Telegram does.
type drillTelegram struct {
	url    string
	server *http.Server

	mu           sync.Mutex
	pending      []drillUpdate
	updates      int64
	messages     int64
	sent         map[int64][]string
	since        map[int64]int // replies to a citizen since the last message
	noSend, gone bool
	refused      int
	changed      chan struct{} // closed at every change
}

type drillUpdate struct {
	id   int64
	body json.RawMessage
}

func startDrillTelegram() (*drillTelegram, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &drillTelegram{url: "http://" + l.Addr().String(), updates: 1000, sent: map[int64][]string{}, since: map[int64]int{}, changed: make(chan struct{})}
	t.server = &http.Server{Handler: t, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = t.server.Serve(l) }() // ends with close
	return t, nil
}

func (t *drillTelegram) close() { _ = t.server.Close() }

// wake lets long polls look again. The caller holds the lock.
func (t *drillTelegram) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// set takes sending, or everything, away and gives it back.
func (t *drillTelegram) set(noSend, gone bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noSend, t.gone = noSend, gone
	t.wake()
}

// push is a citizen's message, which waits until it is confirmed.
func (t *drillTelegram) push(chat int64, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.updates++
	t.messages++
	t.since[chat] = 0
	t.pending = append(t.pending, drillUpdate{t.updates, fmt.Appendf(nil,
		`{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Warga","language_code":"id"},"chat":{"id":%d,"first_name":"Warga","type":"private"},"date":%d,"text":%q}}`,
		t.updates, t.messages, chat, chat, time.Now().Unix(), text)})
	t.wake()
}

func (t *drillTelegram) sentTo(chat int64) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.sent[chat])
}

func (t *drillTelegram) sentCount() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, all := range t.sent {
		n += len(all)
	}
	return n
}

func (t *drillTelegram) refusals() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused
}

// settled reports whether everything that was written is confirmed, and everybody was answered since.
func (t *drillTelegram) settled(people int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	answered := 0
	for _, n := range t.since {
		if n > 0 {
			answered++
		}
	}
	return len(t.pending) == 0 && answered == people
}

// ServeHTTP answers the calls of one bot; those that the drill has no use for succeed.
func (t *drillTelegram) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	var p struct {
		Chat    int64  `json:"chat_id"`
		Text    string `json:"text"`
		Offset  int64  `json:"offset"`
		Timeout int    `json:"timeout"`
	}
	_ = json.NewDecoder(r.Body).Decode(&p) // other calls come as forms, and nothing of them matters here
	t.mu.Lock()
	if t.gone || t.noSend && method == "sendMessage" {
		t.refused++
		t.mu.Unlock()
		panic(http.ErrAbortHandler) // the connection ends without a word
	}
	result := "true"
	switch method {
	case "getMe":
		result = `{"id":5000000001,"is_bot":true,"first_name":"Latihan","username":"latihan_bot"}`
	case "getWebhookInfo":
		result = `{"url":"","has_custom_certificate":false,"pending_update_count":0}`
	case "sendMessage":
		t.messages++
		t.sent[p.Chat] = append(t.sent[p.Chat], p.Text)
		t.since[p.Chat]++
		result = fmt.Sprintf(`{"message_id":%d,"from":{"id":5000000001,"is_bot":true,"first_name":"Latihan"},"chat":{"id":%d,"type":"private"},"date":%d,"text":%q}`,
			t.messages, p.Chat, time.Now().Unix(), "…")
	}
	t.mu.Unlock()
	if method == "getUpdates" {
		result = t.poll(r, p.Offset, time.Duration(p.Timeout)*time.Second)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"ok":true,"result":%s}`, result)
}

// poll waits for updates; what lies below the offset is confirmed.
func (t *drillTelegram) poll(r *http.Request, offset int64, wait time.Duration) string {
	end := time.NewTimer(wait)
	defer end.Stop()
	for {
		t.mu.Lock()
		if t.gone {
			t.refused++
			t.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		for len(t.pending) > 0 && t.pending[0].id < offset {
			t.pending = t.pending[1:]
		}
		var all []string
		for _, u := range t.pending[:min(len(t.pending), 100)] {
			all = append(all, string(u.body))
		}
		changed := t.changed
		t.mu.Unlock()
		if len(all) > 0 {
			return "[" + strings.Join(all, ",") + "]"
		}
		select {
		case <-changed:
		case <-end.C:
			return "[]"
		case <-r.Context().Done():
			return "[]"
		}
	}
}
