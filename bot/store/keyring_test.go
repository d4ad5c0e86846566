package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "keys.json")
	if _, err := store.ReadKeyring(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	k, err := store.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Write(path); err != nil {
		t.Fatal(err)
	}
	if err := k.Write(path); !errors.Is(err, fs.ErrExist) {
		t.Fatal("written over:", err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatal(st, err)
	}
	again, err := store.ReadKeyring(path)
	if err != nil || again.Blind("phone", "+62") != k.Blind("phone", "+62") {
		t.Fatal(err)
	}
	if k.Blind("phone", "+62") == k.Blind("nik", "+62") || len(k.Blind("phone", "+62")) != 20 {
		t.Fatal("blind values of two kinds must differ")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*-*")); len(left) > 0 {
		t.Fatal("left:", left)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := store.ReadKeyring(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatal("readable by others:", err)
	}
	if err := os.WriteFile(path, []byte(`{"version":1,"index":"secretsecret"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.ReadKeyring(path); err == nil || strings.Contains(err.Error(), "secret") {
		t.Fatal("broken:", err)
	}
}

func TestMarks(t *testing.T) {
	c := storetest.Mini(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.json")
	open := func(mode, keyFile string) error {
		s, err := store.Open(context.Background(), store.Options{
			Client: c, Mode: mode, KeyFile: keyFile, Lines: []store.Line{{Code: "kh"}},
		})
		if err == nil {
			err = s.Close()
		}
		return err
	}
	if err := open(store.ModeReal, path); err != nil {
		t.Fatal("an empty store:", err)
	}
	if err := open("", path); err != nil {
		t.Fatal("again:", err)
	}
	var me *store.ModeError
	if err := open(store.ModeDemo, path); !errors.As(err, &me) || me.Have != store.ModeReal {
		t.Fatal("a demo on a real store:", err)
	}
	var ke *store.KeyError
	other := filepath.Join(dir, "other.json")
	if err := open(store.ModeReal, other); !errors.As(err, &ke) || !ke.Missing {
		t.Fatal("without its key file:", err)
	}
	if _, err := os.Stat(other); err == nil {
		t.Fatal("a key file was made for a sealed store")
	}
	k, err := store.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Write(other); err != nil {
		t.Fatal(err)
	}
	if err := open(store.ModeReal, other); !errors.As(err, &ke) || ke.Missing {
		t.Fatal("under other keys:", err)
	}
	c.HSet(ctx, "{staff}:mark", "schema", "99")
	var se *store.SchemaError
	if err := open(store.ModeReal, path); !errors.As(err, &se) {
		t.Fatal("a later layout:", err)
	}
	for _, code := range []string{"", "staff", "{kh}", "KH", "a b"} {
		if _, err := store.Open(ctx, store.Options{Client: c, Lines: []store.Line{{Code: code}}}); err == nil {
			t.Errorf("line %q", code)
		}
	}
}

// TestSealedPlaces: what is sealed opens nowhere else, under no other version, and not after a change.
func TestSealedPlaces(t *testing.T) {
	c := storetest.Mini(t)
	s := storetest.Open(t, c, store.Options{})
	for i, p := range []bot.Contact{citizen(1), citizen(2)} {
		ch := turn(p, "u1", bot.Snapshot{})
		code := []string{"K7M4-692Q", "K7M4-692R"}[i]
		ch.State.Case, ch.Case = code, aCase("c"+code, code)
		commit(t, s, ch)
	}
	one, two := "{kh}:case:cK7M4-692Q", "{kh}:case:cK7M4-692R"
	try := func(what string) {
		t.Helper()
		if cs, _, err := s.LoadCase(ctx, "kh", "cK7M4-692Q"); err == nil {
			t.Errorf("%s: opened as %s", what, cs.Code)
		}
	}
	before := c.HGetAll(ctx, one).Val()
	restore := func() {
		for f, v := range before {
			c.HSet(ctx, one, f, v)
		}
	}
	c.HSet(ctx, one, "s", c.HGet(ctx, two, "s").Val())
	try("another's content")
	c.HSet(ctx, one, "k", c.HGet(ctx, two, "k").Val())
	try("another's content and key")
	restore()
	c.HSet(ctx, one, "v", "2")
	try("another version")
	restore()
	b := []byte(before["s"])
	b[len(b)/2] ^= 1
	c.HSet(ctx, one, "s", string(b))
	try("a changed byte")
	restore()
	if _, _, err := s.LoadCase(ctx, "kh", "cK7M4-692Q"); err != nil {
		t.Error(err)
	}
}
