// Package whole writes files that stand under their name whole, and on the disk, or not at all: a reader never sees half
// of one, nor does who comes after a power cut.
package whole

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Write writes a file that only this account of the machine can read (mode 0600), in place of one that is there.
func Write(path string, content []byte) error {
	tmp, err := Beside(path, func(w io.Writer) error { _, err := w.Write(content); return err })
	if err != nil {
		return err
	}
	return Put(tmp, path)
}

// Beside writes such a file next to path, under a hidden name, from where it is put into place. After an error nothing
// is left of it.
func Beside(path string, write func(io.Writer) error) (tmp string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return "", err
	}
	w := bufio.NewWriter(f)
	if err = write(w); err == nil {
		err = errors.Join(w.Flush(), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// Put gives a file its name. Where that fails the file is removed.
func Put(tmp, path string) error {
	if err := os.Rename(tmp, path); err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir has the names in a directory on the disk when it returns. A file system that knows of no such thing, as some
// on a network, is no error: it has its own promises.
func SyncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // where the caller has just written
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
