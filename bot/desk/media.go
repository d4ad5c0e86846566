package desk

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
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

// What a picture may cost to decode. A progressive JPEG keeps all its coefficients, five times what its pixels take, and
// may go over them as often as it likes: 11 KB that ask for 200 rounds took 4 seconds, 20 MB would take hours, in which
// nobody can open a picture. Cameras use about ten rounds.
const (
	maxDecoded = 256 << 20 // bytes of memory
	maxScans   = 100
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
		select {
		case q.d.pictures <- struct{}{}: // one at a time
		case <-q.r.Context().Done():
			return q.r.Context().Err()
		}
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
	cfg, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, errNoPicture
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width*cfg.Height > maxPixels {
		return nil, errTooLarge
	}
	each, scans := pixelBytes(cfg), 1
	if format == "jpeg" {
		var coefficients int
		scans, coefficients = jpegCost(b)
		each += coefficients
	}
	if cfg.Width*cfg.Height*each > maxDecoded || scans > maxScans {
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

// pixelBytes is how much memory a decoded pixel takes at most.
func pixelBytes(cfg image.Config) int {
	switch cfg.ColorModel {
	case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	return 4
}

// jpegCost is how often a JPEG goes over its picture, and how many bytes of coefficients it keeps for each pixel; 0 when it is
// not progressive. Components with fewer samples than pixels keep less. What only looks like a marker does not count: in
// a thumbnail, or in the film that telephones put behind a picture.
func jpegCost(b []byte) (scans, coefficients int) {
	for i := 2; i+4 <= len(b); {
		marker := b[i+1]
		if b[i] != 0xFF || marker == 0xFF || marker == 0 || marker >= 0xD0 && marker <= 0xD8 {
			i++ // fill bytes, and what stands between segments
			continue
		}
		length := int(b[i+2])<<8 | int(b[i+3])
		f := b[i+4 : max(i+4, min(len(b), i+2+length))]
		switch {
		case marker == 0xD9: // the end
			return scans, coefficients
		case marker == 0xDA:
			scans++
		case marker == 0xC2 && len(f) >= 6:
			most, all := 1, 0
			for c := 6; c+2 < len(f); c += 3 {
				samples := int(f[c+1]>>4) * int(f[c+1]&15)
				most, all = max(most, samples), all+samples
			}
			coefficients = (4*all + most - 1) / most
		}
		i += 2 + length
	}
	return scans, coefficients
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
