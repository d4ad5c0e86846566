package bench

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// The driver shares the machine's cores with what it measures, so it speaks the little HTTP/1.1 that it needs by
// itself: net/http on both of its sides costs as much as the bot.

// head is what is read of a request's or an answer's head.
type head struct {
	first  []byte // the first line; valid until the next read
	length int    // -1 for a chunked body
	kind   []byte // Content-Type
	close  bool
}

var errWire = errors.New("not HTTP/1.1 as the driver speaks it")

// maxBody bounds what is read of one body.
const maxBody = 8 << 20

// wire is one connection's reading side with its buffers.
type wire struct {
	*bufio.Reader
	line, kind, body []byte
}

func newWire(r io.Reader) *wire { return &wire{Reader: bufio.NewReaderSize(r, 8<<10)} }

// head reads up to the empty line.
func (w *wire) head() (h head, err error) {
	line, err := w.ReadSlice('\n')
	if err != nil {
		return h, err
	}
	w.line = append(w.line[:0], bytes.TrimRight(line, "\r\n")...)
	h.first = w.line
	for {
		line, err = w.ReadSlice('\n')
		if err != nil {
			return h, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return h, nil
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return h, errWire
		}
		value = bytes.TrimSpace(value)
		switch {
		case len(name) == 14 && bytes.EqualFold(name, []byte("content-length")):
			if h.length, err = strconv.Atoi(string(value)); err != nil || h.length < 0 || h.length > maxBody {
				return h, errWire
			}
		case len(name) == 17 && bytes.EqualFold(name, []byte("transfer-encoding")):
			h.length = -1
		case len(name) == 12 && bytes.EqualFold(name, []byte("content-type")):
			w.kind = append(w.kind[:0], value...)
			h.kind = w.kind
		case len(name) == 10 && bytes.EqualFold(name, []byte("connection")):
			h.close = bytes.EqualFold(value, []byte("close"))
		}
	}
}

// content reads the body that belongs to h; it is valid until the next read.
func (w *wire) content(h head) ([]byte, error) {
	w.body = w.body[:0]
	if h.length >= 0 {
		err := w.take(h.length)
		return w.body, err
	}
	for {
		line, err := w.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		size, _, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil || n+uint64(len(w.body)) > maxBody {
			return nil, errWire
		}
		if err := w.take(int(n)); err != nil {
			return nil, err
		}
		if line, err = w.ReadSlice('\n'); err != nil { // the end of the chunk, or of the body
			return nil, err
		}
		if n == 0 {
			if len(bytes.TrimRight(line, "\r\n")) > 0 {
				return nil, errWire // trailers
			}
			return w.body, nil
		}
	}
}

// take appends the next n bytes to the body.
func (w *wire) take(n int) error {
	at := len(w.body)
	if cap(w.body) < at+n {
		grown := make([]byte, at, 2*(at+n))
		copy(grown, w.body)
		w.body = grown
	}
	w.body = w.body[:at+n]
	_, err := io.ReadFull(w.Reader, w.body[at:])
	return err
}
