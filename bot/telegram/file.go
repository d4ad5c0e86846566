package telegram

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gabriel-vasile/mimetype"
	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"pulang/bot"
)

// MaxFile is the largest file that the Bot API gives out.
const MaxFile = 20 << 20

// Errors of File.
var (
	ErrFileTooBig = errors.New("the file is larger than Telegram gives to bots (20 MB): it can be seen in Telegram only")
	ErrFileGone   = errors.New("telegram does not have this file any more")
)

// File opens a file that a person sent, by the Ref of its flows.Media. The bytes pass through here because
// Telegram's link holds the token. The type is read from the content, not believed; size is -1 when unknown. The
// caller closes the reader; reading more than MaxFile gives ErrFileTooBig. ctx must live as long as the reader.
func (c *Channel) File(ctx context.Context, ref string) (file io.ReadCloser, contentType string, size int64, err error) {
	var f *models.File
	_, err = c.api.call(ctx, "getFile", func(ctx context.Context) (err error) {
		f, err = c.api.bot.GetFile(ctx, &tg.GetFileParams{FileID: ref})
		return err
	})
	var e *callError
	switch {
	case errors.As(err, &e) && e.Code == http.StatusBadRequest && e.says("too big"):
		return nil, "", 0, ErrFileTooBig
	case errors.As(err, &e) && e.Code == http.StatusBadRequest:
		return nil, "", 0, fmt.Errorf("%w: %w", ErrFileGone, err)
	case err != nil:
		return nil, "", 0, tokenError(err)
	case f == nil || f.FilePath == "":
		return nil, "", 0, ErrFileGone
	case f.FileSize > MaxFile:
		return nil, "", 0, ErrFileTooBig
	}
	file, contentType, size, err = c.download(ctx, f.FilePath)
	if size < 0 && f.FileSize > 0 {
		size = f.FileSize
	}
	return file, contentType, size, err
}

// Open is File for those who need no more than the bytes. A file that Telegram does not give out is bot.ErrNotFound.
func (c *Channel) Open(ctx context.Context, ref string) (io.ReadCloser, error) {
	r, _, _, err := c.File(ctx, ref)
	if errors.Is(err, ErrFileGone) || errors.Is(err, ErrFileTooBig) {
		return nil, fmt.Errorf("%w: %w", bot.ErrNotFound, err)
	}
	return r, err
}

func (c *Channel) download(ctx context.Context, path string) (io.ReadCloser, string, int64, error) {
	fail := func(what string) (io.ReadCloser, string, int64, error) {
		return nil, "", 0, &callError{Method: "file", Description: c.api.clean(what)}
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s == "" || s == "." || s == ".." {
			return fail("a path that is not below the file directory")
		}
		segments[i] = url.PathEscape(s)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api.base.String()+"/file/bot"+c.api.token+"/"+strings.Join(segments, "/"), nil)
	if err != nil {
		return fail("a path that is no address")
	}
	res, err := c.api.client.Do(req)
	if err != nil {
		return fail(reason(err))
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		if res.StatusCode == http.StatusNotFound {
			return nil, "", 0, ErrFileGone
		}
		return fail(res.Status)
	}
	if res.ContentLength > MaxFile {
		res.Body.Close()
		return nil, "", 0, ErrFileTooBig
	}
	head := make([]byte, 3072) // what mimetype looks at
	n, err := io.ReadFull(res.Body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		res.Body.Close()
		return fail(reason(err))
	}
	r := &download{r: io.MultiReader(bytes.NewReader(head[:n]), res.Body), body: res.Body, left: MaxFile}
	return r, mimetype.Detect(head[:n]).String(), res.ContentLength, nil
}

// download is a file on its way. Its errors do not hold the link.
type download struct {
	r    io.Reader
	body io.Closer
	left int64
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if d.left -= int64(n); d.left < 0 {
		return 0, ErrFileTooBig
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = errors.New("telegram file: " + reason(err))
	}
	return n, err
}

func (d *download) Close() error { return d.body.Close() }
