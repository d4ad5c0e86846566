package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"pulang/bot/whole"
)

// keyFile is the key file's JSON.
type keyFile struct {
	Version int             `json:"version"`
	Data    json.RawMessage `json:"data"`  // Tink keyset in clear
	Index   []byte          `json:"index"` // 32 bytes
}

const keyFileVersion = 1

// fileState tells a file from what stands in its place later.
type fileState struct {
	inode    uint64
	size     int64
	modified time.Time
}

func stateOf(st os.FileInfo) fileState {
	f := fileState{size: st.Size(), modified: st.ModTime()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		f.inode = sys.Ino
	}
	return f
}

// ReadKeyring reads a key file. Its errors name the file and never its content; fs.ErrNotExist when there is none.
func ReadKeyring(path string) (*Keyring, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s: others may read it (mode %04o): chmod 600 it", path, st.Mode().Perm())
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	bad := fmt.Errorf("key file %s: not a key file of this program", path)
	var f keyFile
	if json.Unmarshal(raw, &f) != nil || f.Version != keyFileVersion || len(f.Index) != 32 {
		return nil, bad
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.Data)))
	if err != nil {
		return nil, bad
	}
	k, err := newKeyring(h, f.Index)
	if err != nil {
		return nil, bad
	}
	k.file, k.have = path, stateOf(st)
	k.looked.Store(int64(time.Since(began)))
	return k, nil
}

// refresh reads the key file again when it has changed, and tells whether it did.
func (k *Keyring) refresh() (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := int64(time.Since(began))
	st, err := os.Stat(k.file)
	if err != nil {
		return false, fmt.Errorf("key file: %w", err)
	}
	if stateOf(st) != k.have {
		read, err := ReadKeyring(k.file)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(read.index, k.index) {
			return false, fmt.Errorf("key file %s: it has another index key now, which no store can take over", k.file)
		}
		k.have = read.have
		k.now.Store(read.now.Load())
		k.looked.Store(at)
		return true, nil
	}
	k.looked.Store(at)
	return false, nil
}

// Write creates the key file, mode 0600, and flushes it to the disk before it returns: what is sealed with a key
// that a power cut took away is lost. fs.ErrExist when the file is there already.
func (k *Keyring) Write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	tmp, err := k.writeBeside(path, k.now.Load().handle)
	if err != nil {
		return err
	}
	defer os.Remove(tmp) //nolint:errcheck // a leftover is harmless beside the real one
	if err := os.Link(tmp, path); err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	return whole.SyncDir(filepath.Dir(path))
}

// writeBeside writes a whole key file next to path, from where it is put into place: a reader sees all of it or none.
func (k *Keyring) writeBeside(path string, h *keyset.Handle) (tmp string, err error) {
	var ks bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&ks)); err != nil {
		return "", fmt.Errorf("key file: %w", err)
	}
	raw, err := json.MarshalIndent(keyFile{Version: keyFileVersion, Data: ks.Bytes(), Index: k.index}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("key file: %w", err)
	}
	tmp, err = whole.Beside(path, func(w io.Writer) error { _, err := w.Write(append(raw, '\n')); return err })
	if err != nil {
		return "", fmt.Errorf("key file: %w", err)
	}
	return tmp, nil
}

// change puts other wrapping keys into the key file: edit gets those of the file as it is now, not as we last read
// it, and returns nil to leave them. The file keeps its owner, for the service may be another user than whoever
// rotates. Two changes at once wait for each other.
func (k *Keyring) change(edit func(*wrapping) (*keyset.Handle, error)) error {
	if k.file == "" {
		return errors.New("these keys do not come from a key file")
	}
	path, err := filepath.EvalSymlinks(k.file)
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path)) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	defer dir.Close()                                                     //nolint:errcheck // gives the lock back
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil { //nolint:gosec // a descriptor is small
		return fmt.Errorf("key file: %w", err)
	}
	if _, err := k.refresh(); err != nil {
		return err
	}
	h, err := edit(k.now.Load())
	if err != nil || h == nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	tmp, err := k.writeBeside(path, h)
	if err != nil {
		return err
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		if err := os.Chown(tmp, int(sys.Uid), int(sys.Gid)); err != nil {
			return errors.Join(fmt.Errorf("key file: %w", err), os.Remove(tmp))
		}
	}
	if err := whole.Put(tmp, path); err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	_, err = k.refresh()
	return err
}

// keyringFor finds the keys of a store: the key file when there is one, a new one only for an empty store.
func keyringFor(path string, empty bool) (*Keyring, error) {
	k, err := ReadKeyring(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if !empty {
		return nil, &KeyError{Path: path, Missing: true}
	}
	if k, err = NewKeyring(); err != nil {
		return nil, err
	}
	err = k.Write(path)
	if err == nil || errors.Is(err, fs.ErrExist) { // another process was quicker
		return ReadKeyring(path)
	}
	return k, err
}

// addKey adds a wrapping key that wraps nothing yet, unless the file has more than one already.
func (k *Keyring) addKey() (added bool, err error) {
	err = k.change(func(w *wrapping) (*keyset.Handle, error) {
		if len(w.ids) > 1 {
			return nil, nil
		}
		added = true
		m := keyset.NewManagerFromHandle(w.handle)
		if _, err := m.Add(aead.AES256GCMKeyTemplate()); err != nil {
			return nil, fmt.Errorf("draw keys: %w", err)
		}
		return m.Handle()
	})
	return added, err
}

// promote makes the newest key the one that wraps.
func (k *Keyring) promote() error {
	return k.change(func(w *wrapping) (*keyset.Handle, error) {
		if w.primary == w.newest() {
			return nil, nil
		}
		m := keyset.NewManagerFromHandle(w.handle)
		if err := m.SetPrimary(w.newest()); err != nil {
			return nil, err
		}
		return m.Handle()
	})
}

// drop takes keys out of the file; the one that wraps stays.
func (k *Keyring) drop(ids []uint32) error {
	return k.change(func(w *wrapping) (*keyset.Handle, error) {
		m := keyset.NewManagerFromHandle(w.handle)
		for _, id := range w.ids {
			if !slices.Contains(ids, id) || id == w.primary {
				continue
			}
			if err := m.Delete(id); err != nil {
				return nil, err
			}
		}
		return m.Handle()
	})
}
