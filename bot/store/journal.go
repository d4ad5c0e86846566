package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"pulang/bot/whole"
)

// journal keeps outside Redis what this process acknowledged: in a small file of the data directory, without any
// content. After a failover, or when an older copy of Redis was put back, each entry is looked for in the store, and
// what is not there is known by time, case and the messenger's number.
type journal struct {
	path string
	log  *slog.Logger

	mu   sync.Mutex
	file *os.File
	size int64
	buf  []byte
	fail bool // the file cannot be written; said once
}

// ack is one acknowledged commit. Contact is the name of its record in Redis, empty for one made at the desk.
type ack struct {
	at                          int64 // Unix milliseconds
	line, contact, digest, code string
	number                      int64
}

const (
	journalFlush = 200 * time.Millisecond
	// mostJournal bounds each of the two files: together some 80,000 commits, more than half a day's.
	mostJournal = 4 << 20
)

// openJournal opens or makes the file. A nil journal keeps nothing.
func openJournal(path string, log *slog.Logger) (*journal, error) {
	if path == "" {
		return nil, nil
	}
	j := &journal{path: path, log: log}
	if err := j.reopen(); err != nil {
		return nil, fmt.Errorf("journal of acknowledged work: %w", err)
	}
	return j, nil
}

func (j *journal) reopen() error {
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	j.file, j.size = f, st.Size()
	return nil
}

// note keeps an acknowledged commit. It is written within journalFlush.
func (j *journal) note(a ack) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.buf = a.append(j.buf)
}

func (a ack) append(b []byte) []byte {
	b = strconv.AppendInt(b, a.at, 10)
	for _, s := range []string{a.line, dash(a.contact), a.digest, dash(a.code)} {
		b = append(append(b, ' '), s...)
	}
	b = strconv.AppendInt(append(b, ' '), a.number, 10)
	return append(b, '\n')
}

// flush writes what was noted. What cannot be written is dropped: the journal is a second witness, never the first.
func (j *journal) flush() {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flushLocked()
}

func (j *journal) flushLocked() {
	if len(j.buf) == 0 || j.file == nil {
		return
	}
	n, err := j.file.Write(j.buf)
	j.size += int64(n)
	j.buf = j.buf[:0]
	if err == nil && j.size > mostJournal {
		err = errors.Join(j.file.Close(), os.Rename(j.path, j.path+".1"), j.reopen())
	}
	if (err != nil) != j.fail {
		j.fail = err != nil
		if j.fail {
			j.log.Error("the journal of acknowledged work is not written: a loss in Redis will be known less exactly", "err", err)
		}
	}
}

// read gives the kept entries, oldest first. A line that was cut by a crash is left out.
func (j *journal) read() ([]ack, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flushLocked()
	return j.readLocked()
}

func (j *journal) readLocked() ([]ack, error) {
	var all []ack
	for _, name := range []string{j.path + ".1", j.path} {
		b, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("journal of acknowledged work: %w", err)
		}
		for line := range bytes.Lines(b) {
			if a, ok := parseAck(string(line)); ok {
				all = append(all, a)
			}
		}
	}
	return all, nil
}

func parseAck(line string) (a ack, ok bool) {
	line, whole := strings.CutSuffix(line, "\n")
	f := strings.Split(line, " ")
	if !whole || len(f) != 6 {
		return a, false
	}
	at, err := strconv.ParseInt(f[0], 10, 64)
	number, err2 := strconv.ParseInt(f[5], 10, 64)
	a = ack{at: at, line: f[1], contact: f[2], digest: f[3], code: f[4], number: number}
	if a.contact == "-" {
		a.contact = ""
	}
	if a.code == "-" {
		a.code = ""
	}
	return a, err == nil && err2 == nil
}

// without takes entries out: they were told.
func (j *journal) without(gone map[string]bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flushLocked()
	all, err := j.readLocked()
	if err != nil {
		return err
	}
	var keep []byte
	for _, a := range all {
		if !gone[a.name()] {
			keep = a.append(keep)
		}
	}
	err = whole.Write(j.path, keep)
	if err == nil {
		if old := os.Remove(j.path + ".1"); old != nil && !errors.Is(old, fs.ErrNotExist) {
			err = old
		}
	}
	return errors.Join(err, j.file.Close(), j.reopen())
}

// name tells one commit from another.
func (a ack) name() string { return a.line + " " + a.contact + " " + a.digest }

func (j *journal) close() {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flushLocked()
	if j.file != nil {
		_ = j.file.Close()
		j.file = nil
	}
}
