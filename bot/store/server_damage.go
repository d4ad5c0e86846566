package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// What a redis-server says in its log when its append-only file is not whole (Redis 7, src/aof.c and src/rdb.c). It
// leaves out a broken end by itself and goes on; anything broken before that it refuses.
var (
	truncatedAt = regexp.MustCompile(`Truncating the AOF (\S+) at offset (\d+)`)
	damaged     = regexp.MustCompile(`Bad file format reading the append only file|Error loading data from RDB|Wrong RDB checksum|RDB CRC error|Wrong signature trying to load DB|Internal error in RDB|Short read or OOM loading DB|Unrecoverable error reading the append only file|Unexpected end of file reading the append only file|Fatal error loading the DB|[Tt]erminating server after rdb file reading failure|Error reading the RDB preamble|Can.t handle RDB format version|Out Of Memory allocating|REDIS BUG REPORT START`)
)

// ErrDamaged says that the append-only file is broken before its end, so that the server does not start on it.
var ErrDamaged = errors.New("the append-only file is damaged")

// logged is how long the server's log is: what it says from now on stands behind.
func (s *Server) logged() int64 {
	st, err := os.Stat(s.logFile())
	if err != nil {
		return 0
	}
	return st.Size()
}

// said is what the server has written to its log since then, at most a megabyte of it.
func (s *Server) said(since int64) []byte {
	f, err := os.Open(s.logFile()) //nolint:gosec // in our own data directory
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	if _, err := f.Seek(since, io.SeekStart); err != nil {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(f, 1<<20))
	return b
}

// tellTruncated reports that a broken end of the append-only file was left out. A write that the power cut short was
// never acknowledged; more than that is missing when the disk, or somebody, has cut the file.
func (s *Server) tellTruncated(since int64) {
	said := s.said(since)
	m := truncatedAt.FindSubmatch(said)
	if m == nil {
		return
	}
	at, _ := strconv.ParseInt(string(m[2]), 10, 64)
	s.tellLeftOut(Cut{string(m[1]), at, s.leftOut(at)})
}

func (s *Server) tellLeftOut(c Cut) {
	s.log.Error("the end of the append-only file was broken and has been left out: what was being written last is missing; compare with the newest backup ('hotline audit verify' shows whether the record of acts is whole)",
		"file", filepath.Base(c.File), "kept_bytes", c.Kept, "left_out_bytes", c.LeftOut)
}

// leftOut is how many bytes behind at the file had before the server was started; -1 when that is not known.
func (s *Server) leftOut(at int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tail < at {
		return -1
	}
	return s.tail - at
}

// measureTail remembers how long the newest part of the append-only file is, before a server is started that may cut it.
func (s *Server) measureTail() {
	size := int64(-1)
	if st, err := os.Stat(newestPart(s.dir)); err == nil {
		size = st.Size()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail = size
}

var numbered = regexp.MustCompile(`\.(\d+)\.incr\.aof$`)

func partNumber(path string) int64 {
	m := numbered.FindStringSubmatch(path)
	if m == nil {
		return -1
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// endedAtOnce says why a server that was just started is not there any more, and what repairs it.
func (s *Server) endedAtOnce(since int64) error {
	if said := s.said(since); damaged.Match(bytes.ToValidUTF8(said, nil)) {
		aof := filepath.Join(s.dir, "appendonlydir")
		return fmt.Errorf("%w: restore the newest backup (hotline restore); without one copy %s aside and run: redis-check-aof --fix %s (it cuts off everything behind the damage); the reason stands in %s",
			ErrDamaged, aof, filepath.Join(aof, "appendonly.aof.manifest"), s.logFile())
	}
	return fmt.Errorf("the redis-server of this data directory ended at once; see %s", s.logFile())
}
