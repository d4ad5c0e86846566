package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
	tg "github.com/go-telegram/bot"
)

// maxAnswer bounds an answer of the Bot API: a hundred updates of at most 64 KiB each.
const maxAnswer = 16 << 20

// notAPI describes an answer that came from something else than a Bot API server: a proxy, a captive portal.
const notAPI = "the answer is not the Bot API's"

// api is the wire to one Bot API server. The library builds the requests of the set-up; what every message needs is
// written here (post), because the library sends a form through a pipe where a few bytes of JSON do. What an answer
// means is read here, once, because the library's own errors hold response bodies, and with them what people wrote.
type api struct {
	bot    *tg.Bot
	base   *url.URL
	token  string
	client *http.Client
	scrub  *strings.Replacer
}

func newAPI(base, token string, transport http.RoundTripper) (*api, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("address of the Bot API server")
	}
	a := &api{base: u, token: token, scrub: scrubber(token)}
	// A redirect would carry the token, which is part of the path, to somebody else.
	a.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	b, err := tg.New(token,
		tg.WithSkipGetMe(), // a start must not depend on Telegram being reachable
		tg.WithServerURL(base),
		tg.WithHTTPClient(0, a),
		tg.WithErrorsHandler(func(error) {}), // its default writes to the log, response bodies included
	)
	if err != nil {
		return nil, errors.New(a.scrub.Replace(err.Error()))
	}
	a.bot = b
	return a, nil
}

// newTransport keeps as many idle connections to the one host as sends may be under way: the default of two makes
// nearly every message pay for a new TLS connection.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = 256
	t.ResponseHeaderTimeout = 0 // a long poll waits for its headers; every call has its own deadline
	return t
}

// scrubber removes the token, and its secret half alone, in every spelling that a URL may give it.
func scrubber(token string) *strings.Replacer {
	var pairs []string
	for _, s := range []string{token, url.PathEscape(token), url.QueryEscape(token)} {
		pairs = append(pairs, s, "***")
	}
	if _, secret, ok := strings.Cut(token, ":"); ok && len(secret) >= 8 {
		pairs = append(pairs, secret, "***")
	}
	return strings.NewReplacer(pairs...)
}

// callError is why a call came to nothing. It holds neither the token nor anything that a person wrote.
type callError struct {
	Method string
	// Code is the Bot API's error_code, else the HTTP status of an answer that was not the Bot API's; 0 when there
	// was no answer.
	Code        int
	Description string
	RetryAfter  time.Duration
	MigrateTo   int64
	// Written is true when the request had left: without an answer it may or may not have been carried out.
	Written bool
	cause   error // only a context's error
}

func (e *callError) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("telegram: %s: %d %s", e.Method, e.Code, e.Description)
	}
	return fmt.Sprintf("telegram: %s: %s", e.Method, e.Description)
}

// Unwrap returns the context's error when that was the reason.
func (e *callError) Unwrap() error { return e.cause }

// says reports whether Telegram's description has these words. It is the only place where some reasons stand.
func (e *callError) says(words string) bool {
	return strings.Contains(strings.ToLower(e.Description), words)
}

// trace is what one call learns on its way through Do.
type trace struct {
	ok     bool
	result json.RawMessage
	err    *callError
}

type traceKey struct{}

// call makes one call through the library and returns the raw result. Its error is a *callError.
func (a *api) call(ctx context.Context, method string, f func(ctx context.Context) error) (json.RawMessage, error) {
	t := &trace{}
	err := f(context.WithValue(ctx, traceKey{}, t))
	switch {
	case t.err != nil:
		return nil, t.err
	case t.ok:
		// What the library could not read of a result does not undo that the call was carried out.
		return t.result, nil
	case err == nil:
		return nil, &callError{Method: method, Description: "no request was made"}
	}
	return nil, &callError{Method: method, Description: a.clean(err.Error()), cause: contextError(err)}
}

// updates fetches one batch. The elements stay raw: one that cannot be read must not spoil the others.
func (a *api) updates(ctx context.Context, offset int64, wait time.Duration) ([]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+20*time.Second)
	defer cancel()
	var list []json.RawMessage
	result, err := a.post(ctx, "getUpdates", map[string]any{
		"offset": offset, "limit": 100, "timeout": int(wait.Seconds()), "allowed_updates": allowedUpdates,
	})
	if err != nil {
		return nil, err
	}
	if err := decode(result, &list); err != nil {
		return nil, &callError{Method: "getUpdates", Description: "the result is not a list"}
	}
	return list, nil
}

// post makes a call whose parameters are JSON and returns the raw result. Its error is a *callError.
func (a *api) post(ctx context.Context, method string, params any) (json.RawMessage, error) {
	body, err := jsonv2.Marshal(params)
	if err != nil {
		return nil, &callError{Method: method, Description: "the request could not be built"}
	}
	req := &http.Request{
		Method: http.MethodPost, URL: a.methodURL(method), Host: a.base.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
		// With it net/http sends the request again when an idle connection turns out to be dead before a byte was written.
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}
	t := &trace{}
	if _, err := a.exchange(req.WithContext(ctx), method, t); err != nil {
		return nil, t.err
	}
	return t.result, nil
}

// methodURL is the address of a method. The token needs no escaping: see tokenForm.
func (a *api) methodURL(method string) *url.URL {
	u := *a.base
	u.Path += "/bot" + a.token + "/" + method
	return &u
}

// Do sends a request of the library and reads the whole answer, so that the reason of a failure is known from the
// wire and not from an error's text. It satisfies tg.HttpClient.
func (a *api) Do(req *http.Request) (*http.Response, error) {
	method := path.Base(req.URL.Path)
	t, _ := req.Context().Value(traceKey{}).(*trace)
	if t == nil {
		t = &trace{}
	}
	if req.Body != nil && req.GetBody == nil {
		// The library streams through a pipe. A body of known length can be sent again by net/http when an idle
		// connection turns out to be dead before a byte was written.
		body, err := io.ReadAll(req.Body)
		req.Body.Close()
		if err != nil {
			t.err = &callError{Method: method, Description: "the request could not be built"}
			return nil, t.err
		}
		req.ContentLength = int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Body, _ = req.GetBody()
	}
	return a.exchange(req, method, t)
}

// exchange sends a request, reads the whole answer and notes in t what it means.
func (a *api) exchange(req *http.Request, method string, t *trace) (*http.Response, error) {
	fail := func(e callError) (*http.Response, error) {
		e.Method, e.Description = method, a.clean(e.Description)
		t.err = &e
		return nil, &e
	}
	written := false
	// The transport itself: a redirect, which the client would have to be kept from following, is an answer like another.
	res, err := a.client.Transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		WroteRequest: func(i httptrace.WroteRequestInfo) { written = i.Err == nil },
	})))
	if err != nil {
		return fail(callError{Description: reason(err), Written: written, cause: contextError(err)})
	}
	defer res.Body.Close()
	body, err := readAnswer(res)
	if err != nil {
		return fail(callError{Description: reason(err), Written: true, cause: contextError(err)})
	}
	var env struct {
		OK          bool            `json:"ok"`
		Result      json.RawMessage `json:"result"`
		ErrorCode   int             `json:"error_code"`
		Description string          `json:"description"`
		Parameters  struct {
			RetryAfter int   `json:"retry_after"`
			MigrateTo  int64 `json:"migrate_to_chat_id"`
		} `json:"parameters"`
	}
	if len(body) > maxAnswer || decode(body, &env) != nil {
		if res.StatusCode == http.StatusOK {
			return fail(callError{Description: notAPI, Written: true})
		}
		// A proxy's page, not Telegram's word.
		return fail(callError{Code: res.StatusCode, Description: notAPI, Written: true})
	}
	if !env.OK {
		if env.ErrorCode == 0 {
			env.ErrorCode = res.StatusCode
		}
		return fail(callError{
			Code: env.ErrorCode, Description: env.Description, Written: true,
			RetryAfter: time.Duration(env.Parameters.RetryAfter) * time.Second, MigrateTo: env.Parameters.MigrateTo,
		})
	}
	t.ok, t.result, t.err = true, env.Result, nil
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// readAnswer reads the body; one of known and usual length at once.
func readAnswer(res *http.Response) ([]byte, error) {
	if n := res.ContentLength; n > 0 && n < 64<<10 {
		body := make([]byte, n)
		_, err := io.ReadFull(res.Body, body)
		return body, err
	}
	return io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
}

// asBefore makes decode read JSON as encoding/json does, in a third of the time.
var asBefore = jsonv1.DefaultOptionsV1()

func decode(raw []byte, into any) error { return jsonv2.Unmarshal(raw, into, asBefore) }

// clean makes a text fit for a log: no token, one line, not long.
func (a *api) clean(s string) string {
	s = strings.Join(strings.Fields(a.scrub.Replace(s)), " ")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// reason is a network error without the URL, whose path holds the token.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "given up: the program is stopping"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before an answer came"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

func contextError(err error) error {
	for _, c := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, c) {
			return c
		}
	}
	return nil
}
