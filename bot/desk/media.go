package desk

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif"
	"image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/gabriel-vasile/mimetype"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

const (
	maxFile   = 20 << 20
	maxPixels = 32 << 20 // before anything is decoded
)

// Why a picture is not shown: it is none, or it would take too much memory.
var (
	errNoPicture = errors.New("not a picture")
	errTooLarge  = errors.New("picture too large")
)

// media opens a file that the person sent. Looking is audited before the first byte. A picture is decoded and
// written anew, so that neither code in it nor its place data (EXIF) reaches the browser; all else is a download
// that no browser interprets.
func media(q *request) error {
	code, err := q.code()
	if err != nil {
		return err
	}
	ctx := q.r.Context()
	file, err := q.d.Queue.Open(ctx, q.mission.Code, code, q.d.Clock(), bot.Audit{})
	if err != nil {
		return fmt.Errorf("open case: %w", err)
	}
	id := q.r.PostFormValue("entry")
	i := slices.IndexFunc(file.Entries, func(e bot.Entry) bool { return e.ID == id })
	if i < 0 || file.Entries[i].Input == nil || file.Entries[i].Input.Media == nil {
		return bot.ErrNotFound
	}
	e := file.Entries[i]
	if err := q.recordRead(ctx, code, "media", e.ID, q.session.purpose(code)); err != nil {
		return err
	}
	if q.d.Files == nil {
		q.sorry(http.StatusNotFound, "desk.bad.file_gone")
		return nil
	}
	src, err := q.d.Files(ctx, e.Channel, accountOf(file.Case, e.Channel), e.Input.Media.Ref)
	if err != nil {
		q.d.Log.Warn("desk: file", "channel", e.Channel, "err", err)
		q.sorry(http.StatusBadGateway, "desk.bad.file_gone")
		return nil
	}
	defer src.Close()
	b, err := io.ReadAll(io.LimitReader(src, maxFile+1))
	if err != nil {
		q.sorry(http.StatusBadGateway, "desk.bad.file_gone")
		return nil
	}
	if len(b) > maxFile {
		q.sorry(http.StatusRequestEntityTooLarge, "desk.bad.file_large")
		return nil
	}
	return q.serveFile(e.Input.Media, b)
}

func (q *request) serveFile(m *flows.Media, b []byte) error {
	h := q.w.Header()
	const inert = "default-src 'none'; sandbox"
	if m.Kind == "photo" || m.Kind == "sticker" || m.Kind == "document" {
		q.d.pictures <- struct{}{} // one at a time: a picture may take 128 MB while it is decoded
		pic, err := cleanPicture(b)
		<-q.d.pictures
		switch {
		case err == nil:
			h.Set("Content-Security-Policy", inert)
			h.Set("Content-Type", "image/jpeg")
			h.Set("Content-Disposition", `inline; filename="foto.jpg"`)
			h.Set("Content-Length", strconv.Itoa(len(pic)))
			_, _ = q.w.Write(pic)
			return nil
		case errors.Is(err, errTooLarge):
			q.sorry(http.StatusUnprocessableEntity, "desk.bad.file_large")
			return nil
		}
	}
	h.Set("Content-Security-Policy", inert)
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="berkas%s"`, ending(b)))
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = q.w.Write(b)
	return nil
}

// ending is how the name of a downloaded file ends, by its content and never by what its sender called it. What could
// do something when it is opened, or is not known, gets an ending that nothing opens.
func ending(b []byte) string {
	switch e := mimetype.Detect(b).Extension(); e {
	case ".pdf", ".ogg", ".oga", ".mp3", ".m4a", ".aac", ".amr", ".wav", ".mp4", ".3gp", ".mov", ".webm", ".webp", ".heic":
		return e
	}
	return ".bin"
}

// cleanPicture decodes a picture and encodes it as JPEG. Its size is known before it is decoded.
func cleanPicture(b []byte) ([]byte, error) {
	cfg, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, errNoPicture
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width*cfg.Height > maxPixels {
		return nil, errTooLarge
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, errNoPicture
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return out.Bytes(), nil
}

// accountOf is the account of a channel on which the case has its contact.
func accountOf(c *casework.Case, channel string) string {
	for _, k := range c.Contacts {
		if k.Channel == channel {
			return k.Account
		}
	}
	return ""
}
