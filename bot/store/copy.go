package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// BackupFile is one file of a backup.
type BackupFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// copyTo asks Redis, in a Cluster every primary, for all that it holds at one moment, as a replica does that only
// wants the snapshot, and writes that to dir. It needs no access to Redis' own disk, and leaves nothing there.
func (s *Store) copyTo(ctx context.Context, dir string) ([]BackupFile, error) {
	switch c := s.rdb.(type) {
	case *redis.ClusterClient:
		var mu sync.Mutex
		var files []BackupFile
		err := c.ForEachMaster(ctx, func(ctx context.Context, m *redis.Client) error {
			mu.Lock() // one after the other: each of them forks
			defer mu.Unlock()
			f, err := copyServer(ctx, m, filepath.Join(dir, fmt.Sprintf("store-%d.rdb", len(files)+1)))
			files = append(files, f)
			return err
		})
		return files, err
	case *redis.Client:
		f, err := copyServer(ctx, c, filepath.Join(dir, "store.rdb"))
		return []BackupFile{f}, err
	}
	return nil, fmt.Errorf("cannot copy a %T", s.rdb)
}

// copyQuiet is how long a copy may stand still. Redis sends an empty line now and then while it prepares.
const copyQuiet = 2 * time.Minute

func copyServer(ctx context.Context, c *redis.Client, path string) (f BackupFile, err error) {
	o := c.Options()
	conn, err := o.Dialer(ctx, o.Network, o.Addr)
	if err != nil {
		return f, fmt.Errorf("redis: %w", err)
	}
	defer conn.Close()                                          //nolint:errcheck // it ends the copy
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // a read does not look at ctx
	in := bufio.NewReaderSize(quietly{conn}, 1<<16)
	say := func(args ...string) error {
		var b strings.Builder
		fmt.Fprintf(&b, "*%d\r\n", len(args))
		for _, a := range args {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
		}
		_, err := io.WriteString(conn, b.String())
		return err
	}
	ask := func(args ...string) error {
		if err := say(args...); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		if strings.HasPrefix(line, "-") {
			return errors.New("redis: " + strings.TrimSpace(line[1:]))
		}
		return nil
	}
	user, password := o.Username, o.Password
	if o.CredentialsProvider != nil {
		user, password = o.CredentialsProvider()
	}
	switch {
	case user != "":
		err = ask("AUTH", user, password)
	case password != "":
		err = ask("AUTH", password)
	}
	if err == nil {
		err = ask("REPLCONF", "rdb-only", "1")
	}
	if err == nil {
		err = ask("REPLCONF", "capa", "eof")
	}
	if err == nil {
		err = say("SYNC")
	}
	if err != nil {
		return f, copyRefused(err)
	}
	head := ""
	for head == "" { // empty lines keep the connection alive while the server forks
		if head, err = in.ReadString('\n'); err != nil {
			return f, fmt.Errorf("redis: %w", err)
		}
		head = strings.TrimSpace(head)
	}
	if !strings.HasPrefix(head, "$") {
		return f, copyRefused(errors.New("redis: " + strings.TrimPrefix(head, "-")))
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in the directory of the backup
	if err != nil {
		return f, err
	}
	sum := sha256.New()
	f.Name = filepath.Base(path)
	if mark, ok := strings.CutPrefix(head, "$EOF:"); ok {
		f.Bytes, err = copyUntil(io.MultiWriter(out, sum), in, []byte(mark))
	} else {
		var n int64
		if n, err = strconv.ParseInt(head[1:], 10, 64); err == nil {
			f.Bytes, err = io.CopyN(io.MultiWriter(out, sum), in, n)
		}
	}
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return f, fmt.Errorf("copy the store: %w", err)
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return f, nil
}

// copyUntil copies up to the mark, which is the last thing that is sent.
func copyUntil(to io.Writer, from io.Reader, mark []byte) (n int64, err error) {
	if len(mark) != 40 {
		return 0, errors.New("an unknown answer")
	}
	var held []byte
	buf := make([]byte, 1<<16)
	for {
		got, err := from.Read(buf)
		held = append(held, buf[:got]...)
		done := bytes.HasSuffix(held, mark)
		give := max(0, len(held)-len(mark))
		if give > 0 {
			if _, err := to.Write(held[:give]); err != nil {
				return n, err
			}
			n += int64(give)
			held = append(held[:0], held[give:]...)
		}
		if done {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("it ended early: %w", err)
		}
	}
}

// quietly is a connection on which every read has its own time.
type quietly struct {
	conn interface {
		io.Reader
		SetReadDeadline(time.Time) error
	}
}

func (q quietly) Read(p []byte) (int, error) {
	if err := q.conn.SetReadDeadline(time.Now().Add(copyQuiet)); err != nil {
		return 0, err
	}
	return q.conn.Read(p)
}

// copyRefused says what to do when Redis does not give a copy of itself.
func copyRefused(err error) error {
	if strings.Contains(err.Error(), "NOPERM") || strings.Contains(err.Error(), "unknown command") {
		return fmt.Errorf("this Redis gives no copy of itself; allow this user +sync +replconf: %w", err)
	}
	return err
}
