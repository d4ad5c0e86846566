package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Cut is what was cut off the end of a file: Kept bytes are left of it, LeftOut went. Zero when it ended whole.
type Cut struct {
	File          string
	Kept, LeftOut int64
}

// CutHalfTransaction cuts a transaction that was not written to its end off the newest part of the append-only file below
// a redis-server's data directory. It is for a server that is not running.
//
// Redis does that itself where the file ends between two commands. Where it ends within a command, as it does when the
// server was killed while it wrote, Redis 7.0 cuts off that command alone and leaves the first half of the transaction
// (loadSingleAppendOnlyFile, src/aof.c): after one more restart that half is carried out, with the one that comes next.
func CutHalfTransaction(dir string) (Cut, error) {
	path := newestPart(dir)
	if path == "" {
		return Cut{}, nil
	}
	at, size, err := halfTransaction(path)
	if err != nil || at < 0 {
		return Cut{}, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // in a data directory of ours
	if err == nil {
		err = errors.Join(f.Truncate(at), f.Sync(), f.Close())
	}
	if err != nil {
		return Cut{}, fmt.Errorf("append-only file: %w", err)
	}
	return Cut{path, at, size - at}, nil
}

// newestPart is the part of the append-only file that is written to; "" for none.
func newestPart(dir string) string {
	parts, _ := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	path, newest := "", int64(-1)
	for _, p := range parts {
		if n := partNumber(p); n > newest {
			path, newest = p, n
		}
	}
	return path
}

// halfTransaction finds where the transaction begins within which a file ends; -1 for none. What is no append-only file is
// Redis' to refuse.
func halfTransaction(path string) (at, size int64, err error) {
	f, err := os.Open(path) //nolint:gosec // in a data directory of ours
	if err != nil {
		return -1, 0, fmt.Errorf("append-only file: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	st, err := f.Stat()
	if err != nil {
		return -1, 0, fmt.Errorf("append-only file: %w", err)
	}
	r := &aofReader{r: bufio.NewReaderSize(f, 1<<20)}
	at = -1
	for {
		began := r.at
		name, err := r.command()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return at, st.Size(), nil
		case err != nil:
			return -1, st.Size(), nil
		case strings.EqualFold(name, "multi"):
			at = began
		case strings.EqualFold(name, "exec"):
			at = -1
		}
	}
}

// aofReader reads the commands of an append-only file: RESP arrays, and notes behind a # between them.
type aofReader struct {
	r  *bufio.Reader
	at int64
}

var errNoAOF = errors.New("not an append-only file")

// command passes over one command and gives its name when it stands alone, as MULTI and EXEC do.
func (a *aofReader) command() (name string, err error) {
	line, err := a.line()
	if err != nil || line[0] == '#' {
		return "", err
	}
	n, err := a.number(line, '*')
	if err != nil {
		return "", err
	}
	for range n {
		line, err := a.line()
		if err != nil {
			return "", unexpected(err)
		}
		size, err := a.number(line, '$')
		if err != nil {
			return "", err
		}
		if n == 1 && size < 16 {
			word, err := a.r.Peek(size)
			if err != nil {
				return "", unexpected(err)
			}
			name = string(word)
		}
		k, err := a.r.Discard(size + 2)
		a.at += int64(k)
		if err != nil {
			return "", unexpected(err)
		}
	}
	return name, nil
}

func (a *aofReader) line() ([]byte, error) {
	line, err := a.r.ReadSlice('\n')
	a.at += int64(len(line))
	if err != nil && len(line) > 0 {
		err = unexpected(err)
	}
	return line, err
}

func (a *aofReader) number(line []byte, kind byte) (int, error) {
	n, err := strconv.Atoi(string(bytes.TrimRight(line[1:], "\r\n")))
	if line[0] != kind || err != nil || n < 0 {
		return 0, errNoAOF
	}
	return n, nil
}

// unexpected makes of the end of the file one that came too early.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
