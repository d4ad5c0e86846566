package whatsapp

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/gabriel-vasile/mimetype"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/util/cbcutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"

	"pulang/bot"
	"pulang/flows"
)

// MaxFile is the largest file that is fetched.
const MaxFile = 20 << 20

// Errors of Open.
var (
	ErrFileTooBig = errors.New("the file is larger than 20 MB: it can be seen in WhatsApp only")
	ErrFileGone   = errors.New("whatsapp does not have this file any more")
)

// fileRef is where a file is and how it is opened. Nothing is downloaded before an officer asks: the reference is
// kept, sealed like everything on the case, and WhatsApp's copy expires by itself. The address that the sender wrote
// is not part of it: only a path on WhatsApp's own hosts is.
type fileRef struct {
	Type string `json:"t"` // image, video, audio, document
	Path string `json:"p"`
	Key  []byte `json:"k"`
	Enc  []byte `json:"e"`
	Sum  []byte `json:"s"`
}

// kindOf are the library's media types, by ours.
var kindOf = map[string]whatsmeow.MediaType{
	"image": whatsmeow.MediaImage, "video": whatsmeow.MediaVideo, "audio": whatsmeow.MediaAudio, "document": whatsmeow.MediaDocument,
}

const refVersion = "w1."

// downloadable is what the messages with a file have in common.
type downloadable interface {
	GetDirectPath() string
	GetMediaKey() []byte
	GetFileEncSHA256() []byte
	GetFileSHA256() []byte
	GetFileLength() uint64
	GetMimetype() string
}

// reference makes the Ref of a file; empty when the message does not tell enough to open it.
func reference(kind string, d downloadable) string {
	r := fileRef{Type: kind, Path: d.GetDirectPath(), Key: d.GetMediaKey(), Enc: d.GetFileEncSHA256(), Sum: d.GetFileSHA256()}
	if r.check() != nil {
		return ""
	}
	b, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	return refVersion + base64.RawURLEncoding.EncodeToString(b)
}

func (r fileRef) check() error {
	if !strings.HasPrefix(r.Path, "/") || len(r.Path) > 1024 || strings.ContainsAny(r.Path, "#\\ \r\n\t") ||
		len(r.Key) != 32 || len(r.Enc) != 32 || len(r.Sum) != 32 || kindOf[r.Type] == "" {
		return errors.New("not a reference to a file")
	}
	return nil
}

func parseRef(s string) (r fileRef, err error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(s, refVersion))
	if err != nil || !strings.HasPrefix(s, refVersion) || json.Unmarshal(b, &r) != nil {
		return r, errors.New("not a reference to a file")
	}
	return r, r.check()
}

// media reads a message with a file and its caption; nil when it has none. Sizes and types are the sender's claims.
func media(m *waE2E.Message) (*flows.Media, string) {
	file := func(kind, type_ string, d downloadable) *flows.Media {
		out := &flows.Media{Kind: kind, Ref: reference(type_, d), MIME: short(d.GetMimetype(), 100)}
		if n := d.GetFileLength(); n < 1<<40 {
			out.Bytes = int64(n)
		}
		return out
	}
	switch {
	case m.GetImageMessage() != nil:
		x := m.GetImageMessage()
		return file("photo", "image", x), words(x.GetCaption())
	case m.GetAudioMessage() != nil:
		x := m.GetAudioMessage()
		out := file("audio", "audio", x)
		if x.GetPTT() {
			out.Kind = "voice"
		}
		out.Seconds = int(min(x.GetSeconds(), 1<<20))
		return out, ""
	case m.GetVideoMessage() != nil, m.GetPtvMessage() != nil:
		x := m.GetVideoMessage()
		if x == nil {
			x = m.GetPtvMessage()
		}
		out := file("video", "video", x)
		out.Seconds = int(min(x.GetSeconds(), 1<<20))
		return out, words(x.GetCaption())
	case m.GetDocumentMessage() != nil:
		x := m.GetDocumentMessage()
		out := file("document", "document", x)
		out.Name, out.Document = short(x.GetFileName(), maxName), true
		return out, words(x.GetCaption())
	case m.GetStickerMessage() != nil:
		return file("sticker", "image", m.GetStickerMessage()), ""
	}
	return nil, ""
}

// Open fetches a file that a person sent, by the Ref of its flows.Media, decrypts it, and checks that it is the file
// that was sent. It works on every replica: it needs no connection to WhatsApp but the media host. The error is
// bot.ErrNotFound when the file cannot be had any more.
func (c *Channel) Open(ctx context.Context, ref string) (io.ReadCloser, error) {
	r, _, err := c.File(ctx, ref)
	return r, err
}

// File is Open with the type of the file as its content shows it.
func (c *Channel) File(ctx context.Context, ref string) (io.ReadCloser, string, error) {
	r, err := parseRef(ref)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", bot.ErrNotFound, err)
	}
	b, err := c.download(ctx, r)
	switch {
	case errors.Is(err, ErrFileGone), errors.Is(err, ErrFileTooBig):
		return nil, "", fmt.Errorf("%w: %w", bot.ErrNotFound, err)
	case err != nil:
		return nil, "", fmt.Errorf("whatsapp file: %w", err)
	}
	return io.NopCloser(bytes.NewReader(b)), mimetype.Detect(b).String(), nil
}

// mediaHost is where WhatsApp keeps files. It is never taken from a message.
const mediaHost = "mmg.whatsapp.net"

func (c *Channel) download(ctx context.Context, r fileRef) ([]byte, error) {
	sep := "?"
	if strings.Contains(r.Path, "?") {
		sep = "&"
	}
	url := "https://" + mediaHost + r.Path + sep + "hash=" + base64.URLEncoding.EncodeToString(r.Enc) + "&mms-type=" + r.Type + "&__wa-mms="
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, ErrFileGone
	}
	req.Header.Set("Origin", "https://web.whatsapp.com")
	req.Header.Set("Referer", "https://web.whatsapp.com/")
	res, err := c.media.Do(req)
	if err != nil {
		return nil, errors.New("the media host does not answer") // the error would hold the address
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return nil, ErrFileGone
	default:
		return nil, fmt.Errorf("the media host answers %d", res.StatusCode)
	}
	sealed, err := io.ReadAll(res.Body)
	if errors.Is(err, ErrFileTooBig) {
		return nil, ErrFileTooBig
	}
	if err != nil {
		return nil, errors.New("the file did not come whole")
	}
	return r.open(sealed)
}

// open decrypts a file: AES-CBC under keys expanded from the message's, the last ten bytes an HMAC.
func (r fileRef) open(sealed []byte) ([]byte, error) {
	const macLen = 10
	damaged := errors.New("the file is not the one that was sent")
	if len(sealed) <= macLen || sha256.Sum256(sealed) != [32]byte(r.Enc) {
		return nil, damaged
	}
	keys := hkdfutil.SHA256(r.Key, nil, []byte(kindOf[r.Type]), 112)
	iv, key, macKey := keys[:16], keys[16:48], keys[48:80]
	body, mac := sealed[:len(sealed)-macLen], sealed[len(sealed)-macLen:]
	h := hmac.New(sha256.New, macKey)
	h.Write(iv)
	h.Write(body)
	if !hmac.Equal(h.Sum(nil)[:macLen], mac) {
		return nil, damaged
	}
	b, err := cbcutil.Decrypt(key, iv, body)
	if err != nil || sha256.Sum256(b) != [32]byte(r.Sum) {
		return nil, damaged
	}
	return b, nil
}

// mediaClient reaches WhatsApp's media hosts and nothing else: no other host, no redirect, no private network, no
// body over MaxFile.
func mediaClient(base http.RoundTripper) *http.Client {
	if base == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, Control: publicOnly}).DialContext
		base = t
	}
	return &http.Client{
		Transport: guarded{base}, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// publicOnly refuses connections into the house, whatever the name service says.
func publicOnly(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := a.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return errors.New("not a public address")
	}
	return nil
}

// guarded lets requests to WhatsApp's hosts through and bounds what comes back.
type guarded struct{ base http.RoundTripper }

// RoundTrip refuses every other host.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	host := r.URL.Hostname()
	if r.URL.Scheme != "https" || r.URL.User != nil || r.URL.Port() != "" && r.URL.Port() != "443" ||
		host != "whatsapp.net" && !strings.HasSuffix(host, ".whatsapp.net") && !strings.HasSuffix(host, ".fbcdn.net") {
		return nil, errors.New("not a media host of WhatsApp")
	}
	res, err := g.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if res.ContentLength > MaxFile+16 {
		_ = res.Body.Close()
		res.Body, res.ContentLength = io.NopCloser(tooBig{}), -1
		return res, nil
	}
	res.Body = &bounded{res.Body, MaxFile + 32}
	return res, nil
}

type tooBig struct{}

func (tooBig) Read([]byte) (int, error) { return 0, ErrFileTooBig }

// bounded is a body that ends with ErrFileTooBig after so many bytes.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrFileTooBig
	}
	return n, err
}
