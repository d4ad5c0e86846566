package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// mostSocketPath is the longest path that every system takes for a unix socket.
const mostSocketPath = 100

// socketFor is where the server of a data directory listens: in the directory itself, or, when that path is too long
// for a socket, in a short private directory, whose name is noted in the data directory for every later process.
func socketFor(dir string) (string, error) {
	path := filepath.Join(dir, "redis.sock")
	if len(path) <= mostSocketPath {
		return path, nil
	}
	note := filepath.Join(dir, "redis.sock.dir")
	short, err := os.ReadFile(note) //nolint:gosec // in our own data directory
	if os.IsNotExist(err) {
		base := os.TempDir()
		if len(base) > 60 {
			base = "/tmp"
		}
		sum := sha256.Sum256([]byte(dir))
		short = []byte(filepath.Join(base, "hotline-"+strconv.Itoa(os.Getuid())+"-"+hex.EncodeToString(sum[:6])))
		err = os.WriteFile(note, short, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("directory for the socket: %w", err)
	}
	if err := os.Mkdir(string(short), 0o700); err != nil && !os.IsExist(err) {
		return "", fmt.Errorf("directory for the socket: %w", err)
	}
	return filepath.Join(string(short), "redis.sock"), private(string(short))
}

// private refuses a directory that another user made or may enter: who owns the socket reads every write.
func private(dir string) error {
	st, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("directory for the socket: %w", err)
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !st.IsDir() || !ok || int(sys.Uid) != os.Getuid() {
		return fmt.Errorf("directory %s is not this user's own", dir)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("directory %s is open to other users: chmod 700 it", dir)
	}
	return nil
}
