package whole

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// names are what stands in the directory, hidden files included.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// A file takes another's place whole, for its owner only; whoever has the old one open goes on reading that.
func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept")
	if err := Write(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := Write(path, []byte("two")); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(old); err != nil || string(b) != "one" {
		t.Errorf("who had it open reads %q: %v", b, err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "two" {
		t.Errorf("it says %q: %v", b, err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if all := names(t, filepath.Dir(path)); len(all) != 1 {
		t.Errorf("there stand %q", all)
	}
}

// What cannot be written, or not be put into its place, leaves nothing behind and changes nothing.
func TestNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kept")
	if err := Write(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no more")
	if _, err := Beside(path, func(w io.Writer) error { _, _ = w.Write(make([]byte, 1<<16)); return broken }); !errors.Is(err, broken) {
		t.Errorf("half of it: %v", err)
	}
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "by a directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(taken, []byte("two")); err == nil {
		t.Error("a directory was replaced")
	}
	if err := Write(filepath.Join(dir, "nowhere", "kept"), nil); err == nil {
		t.Error("written in no directory")
	}
	if all := names(t, dir); len(all) != 2 {
		t.Errorf("there stand %q", all)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "one" {
		t.Errorf("it says %q: %v", b, err)
	}
}
