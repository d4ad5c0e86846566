package whatsapptest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/util/cbcutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"google.golang.org/protobuf/proto"
)

// The hosts of encrypted media.
const (
	mediaHost  = "mmg.whatsapp.net"
	secondHost = "media-sin6-1.cdn.whatsapp.net"
)

func isMediaHost(host string) bool { return host == mediaHost || host == secondHost }

func mediaConnection() node {
	return node{Tag: "media_conn", Attrs: attrs{"auth": "test", "ttl": 3600, "auth_ttl": 3600, "max_buckets": 12}, Content: []node{
		{Tag: "host", Attrs: attrs{"hostname": mediaHost}},
		{Tag: "host", Attrs: attrs{"hostname": secondHost}},
	}}
}

// mediaFaults are how the media hosts behave.
type mediaFaults struct {
	status, times int
	padding       int
	downloads     int
}

// FailMedia answers the next requests to the media hosts with a status: 404 and 410 are media that have expired.
func (s *Server) FailMedia(times, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.medias.status, s.medias.times = status, times
}

// SwellMedia adds bytes to every download, whatever the message says of its length.
func (s *Server) SwellMedia(extra int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.medias.padding = extra
}

// Downloads is how many media were fetched.
func (s *Server) Downloads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.medias.downloads
}

// serveMedia takes uploads at /mms/<type>/<token> and serves them at the path that it answers.
func (s *Server) serveMedia(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.medias.times > 0 {
		s.medias.times--
		status := s.medias.status
		s.mu.Unlock()
		http.Error(w, http.StatusText(status), status)
		return
	}
	s.mu.Unlock()
	if r.Method == http.MethodPost {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 100<<20))
		sum := sha256.Sum256(data)
		token := base64.URLEncoding.EncodeToString(sum[:])
		if err != nil || !strings.HasPrefix(r.URL.Path, "/mms/") || !strings.HasSuffix(r.URL.Path, "/"+token) || r.URL.Query().Get("auth") != "test" {
			http.Error(w, "bad upload", http.StatusBadRequest)
			return
		}
		path := s.keep(data)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{
			"url": "https://" + mediaHost + path, "direct_path": path, "handle": token,
		})
		return
	}
	s.mu.Lock()
	data, ok := s.blobs[r.URL.Path]
	extra := s.medias.padding
	if ok {
		s.medias.downloads++
	}
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(data)
	_, _ = io.Copy(w, io.LimitReader(zeroes{}, int64(extra)))
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// keep stores a sealed blob and returns the direct path, which has a query as WhatsApp's have.
func (s *Server) keep(data []byte) string {
	sum := sha256.Sum256(data)
	path := "/v/t62.7118-24/" + base64.RawURLEncoding.EncodeToString(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[path] = data
	return path + "?ccb=11-4"
}

// attachment is what a message says about a sealed blob.
type attachment struct {
	url, path        *string
	key, sum, encSum []byte
	length           *uint64
	mime             *string
}

// attach seals content as the kind of media demands, and stores it.
func (s *Server) attach(content []byte, kind whatsmeow.MediaType, mime string) attachment {
	key := random(32)
	keys := hkdfutil.SHA256(key, nil, []byte(kind), 112)
	iv, cipherKey, macKey := keys[:16], keys[16:48], keys[48:80]
	data, err := cbcutil.Encrypt(cipherKey, iv, bytes.Clone(content))
	must(err)
	mac := hmac.New(sha256.New, macKey)
	mac.Write(iv)
	mac.Write(data)
	data = append(data, mac.Sum(nil)[:10]...)
	sum, encSum := sha256.Sum256(content), sha256.Sum256(data)
	path := s.keep(data)
	return attachment{
		url: proto.String("https://" + mediaHost + path), path: &path, key: key, sum: sum[:], encSum: encSum[:],
		length: proto.Uint64(uint64(len(content))), mime: &mime,
	}
}

// Image sends a picture with a caption, which may be empty.
func (c *Citizen) Image(to *Account, content []byte, caption string, opts ...Option) string {
	a := c.srv.attach(content, whatsmeow.MediaImage, http.DetectContentType(content))
	return c.Send(to, &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
		URL: a.url, DirectPath: a.path, MediaKey: a.key, FileSHA256: a.sum, FileEncSHA256: a.encSum, FileLength: a.length,
		Mimetype: a.mime, Caption: &caption,
	}}, opts...)
}

// Voice sends a voice message.
func (c *Citizen) Voice(to *Account, content []byte, seconds uint32, opts ...Option) string {
	a := c.srv.attach(content, whatsmeow.MediaAudio, "audio/ogg; codecs=opus")
	return c.Send(to, &waE2E.Message{AudioMessage: &waE2E.AudioMessage{
		URL: a.url, DirectPath: a.path, MediaKey: a.key, FileSHA256: a.sum, FileEncSHA256: a.encSum, FileLength: a.length,
		Mimetype: a.mime, Seconds: &seconds, PTT: proto.Bool(true),
	}}, opts...)
}

// Video sends a video with a caption, which may be empty.
func (c *Citizen) Video(to *Account, content []byte, caption string, opts ...Option) string {
	a := c.srv.attach(content, whatsmeow.MediaVideo, "video/mp4")
	return c.Send(to, &waE2E.Message{VideoMessage: &waE2E.VideoMessage{
		URL: a.url, DirectPath: a.path, MediaKey: a.key, FileSHA256: a.sum, FileEncSHA256: a.encSum, FileLength: a.length,
		Mimetype: a.mime, Caption: &caption,
	}}, opts...)
}

// Document sends a file; the type is what the sender says it is.
func (c *Citizen) Document(to *Account, content []byte, name, mime, caption string, opts ...Option) string {
	a := c.srv.attach(content, whatsmeow.MediaDocument, mime)
	return c.Send(to, &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
		URL: a.url, DirectPath: a.path, MediaKey: a.key, FileSHA256: a.sum, FileEncSHA256: a.encSum, FileLength: a.length,
		Mimetype: a.mime, FileName: &name, Caption: &caption,
	}}, opts...)
}

// Open fetches and opens an attachment of the program, as the phone does.
func (r *Received) Open() ([]byte, error) {
	var (
		m    whatsmeow.DownloadableMessage
		kind whatsmeow.MediaType
	)
	switch {
	case r.Message.ImageMessage != nil:
		m, kind = r.Message.ImageMessage, whatsmeow.MediaImage
	case r.Message.AudioMessage != nil:
		m, kind = r.Message.AudioMessage, whatsmeow.MediaAudio
	case r.Message.VideoMessage != nil:
		m, kind = r.Message.VideoMessage, whatsmeow.MediaVideo
	case r.Message.DocumentMessage != nil:
		m, kind = r.Message.DocumentMessage, whatsmeow.MediaDocument
	default:
		return nil, fmt.Errorf("message %s has nothing to open", r.ID)
	}
	s := r.From.srv
	path, _, _ := strings.Cut(m.GetDirectPath(), "?")
	s.mu.Lock()
	data := bytes.Clone(s.blobs[path])
	s.mu.Unlock()
	if len(data) <= 10 {
		return nil, fmt.Errorf("no media at %s", path)
	}
	keys := hkdfutil.SHA256(m.GetMediaKey(), nil, []byte(kind), 112)
	iv, cipherKey, macKey := keys[:16], keys[16:48], keys[48:80]
	file, tag := data[:len(data)-10], data[len(data)-10:]
	mac := hmac.New(sha256.New, macKey)
	mac.Write(iv)
	mac.Write(file)
	if !hmac.Equal(mac.Sum(nil)[:10], tag) {
		return nil, fmt.Errorf("the media of %s are not sealed with the message's key", r.ID)
	}
	plain, err := cbcutil.Decrypt(cipherKey, iv, file)
	if sum := sha256.Sum256(plain); err == nil && !bytes.Equal(sum[:], m.GetFileSHA256()) {
		err = fmt.Errorf("the media of %s have another hash than the message says", r.ID)
	}
	return plain, err
}
