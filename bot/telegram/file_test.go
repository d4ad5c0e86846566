package telegram

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/telegram/telegramtest"
)

var ogg = append([]byte("OggS\x00\x02"), make([]byte, 6000)...)

func TestFile(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := b.srv.User("id")
	u.Voice(ogg, 3)
	b.poll(t)
	b.hot.wait(t, "the voice message", func() bool { return len(b.hot.got) == 1 })
	r, kind, size, err := b.File(context.Background(), b.hot.got[0].Input.Media.Ref)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	r.Close()
	if err != nil || !bytes.Equal(got, ogg) || size != int64(len(ogg)) || !strings.Contains(kind, "ogg") {
		t.Errorf("%d bytes of %d, %s, %v", len(got), size, kind, err)
	}
	if _, _, _, err := b.File(context.Background(), "unknown"); !errors.Is(err, ErrFileGone) {
		t.Error(err)
	}
	if _, err := b.Open(context.Background(), "unknown"); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
	if r, err := b.Open(context.Background(), b.hot.got[0].Input.Media.Ref); err != nil {
		t.Error(err)
	} else {
		r.Close()
	}
	b.srv.Fail("getFile", 1, 1, telegramtest.Fault{Code: 500})
	if _, _, _, err := b.File(context.Background(), "x"); err == nil || errors.Is(err, ErrFileGone) {
		t.Error(err)
	}
}

func TestFilesThatAreTooBig(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	u := b.srv.User("id")
	u.Document(make([]byte, MaxFile+1), "x.bin", "", "")
	b.poll(t)
	b.hot.wait(t, "the document", func() bool { return len(b.hot.got) == 1 })
	if _, _, _, err := b.File(context.Background(), b.hot.got[0].Input.Media.Ref); !errors.Is(err, ErrFileTooBig) {
		t.Error(err)
	}
	d := &download{r: bytes.NewReader(make([]byte, 100)), body: io.NopCloser(nil), left: 50}
	if _, err := io.ReadAll(d); !errors.Is(err, ErrFileTooBig) {
		t.Error(err)
	}
}

func TestHostilePaths(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for _, path := range []string{"../x", "a/../../x", "/etc/passwd", "a//b", "."} {
		if _, _, _, err := b.download(context.Background(), path); err == nil || errors.Is(err, ErrFileGone) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A redirect would carry the token, which is part of the path, elsewhere.
func TestNoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	r := &redirecting{}
	b := newBench(t, func(o *Options) { o.Transport = r })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := b.Send(ctx, b.row(b.srv.User("id"), "x")); err == nil {
		t.Error("sent?")
	}
	if _, _, _, err := b.download(ctx, "photos/x"); err == nil {
		t.Error("downloaded?")
	}
	if r.calls != 2 {
		t.Errorf("%d requests", r.calls)
	}
}

type redirecting struct{ calls int }

func (r *redirecting) RoundTrip(req *http.Request) (*http.Response, error) {
	r.calls++
	_, _ = io.Copy(io.Discard, orEmpty(req.Body))
	h := http.Header{"Location": {"https://example.org" + req.URL.Path}}
	return &http.Response{StatusCode: 307, Status: "307", Header: h, Body: io.NopCloser(strings.NewReader("")), Request: req, ProtoMajor: 1, ProtoMinor: 1}, nil
}

func orEmpty(r io.Reader) io.Reader {
	if r == nil {
		return strings.NewReader("")
	}
	return r
}
