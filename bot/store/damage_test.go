package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

const (
	damagePeople = 6
	damageEach   = 12
)

// written is a data directory in which people have written, its server gone.
func written(t *testing.T, orderly bool) (dir string, keys *store.Keyring) {
	t.Helper()
	needed.Program(t, "redis-server")
	dir = shortDir(t)
	keys, err := store.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	srv := startServer(t, dir, false)
	s := storetest.Open(t, dial(t, srv), store.Options{Keys: keys})
	for n := int64(1); n <= damageEach; n++ {
		for p := range damagePeople {
			if err := once(s, p, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	if orderly {
		if err := srv.Close(ctx); err != nil {
			t.Fatal(err)
		}
		return dir, keys
	}
	killServers(t, dir)
	gone(t, dir)
	return dir, keys
}

// gone waits until no server holds the directory.
func gone(t *testing.T, dir string) {
	t.Helper()
	storetest.Until(t, "the server has gone", func() bool { return len(servers(t, dir)) == 0 })
}

// copied is a new data directory with the append-only file of another.
func copied(t *testing.T, from string) string {
	t.Helper()
	dir := shortDir(t)
	if err := os.CopyFS(filepath.Join(dir, "appendonlydir"), os.DirFS(filepath.Join(from, "appendonlydir"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func onlyFile(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "appendonlydir", pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v %v", pattern, found, err)
	}
	return found[0]
}

func soaked(few, many int) int {
	if os.Getenv("PULANG_SOAK") != "" {
		return many
	}
	return few
}

// TestAppendOnlyFileCut cuts the append-only file at random offsets, as a power cut or a disk that lies does: the server
// starts, the log says how many bytes were left out, and whatever is there is whole.
func TestAppendOnlyFileCut(t *testing.T) {
	t.Parallel()
	from, keys := written(t, false)
	whole, err := os.Stat(onlyFile(t, from, "*.incr.aof"))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, uint64(time.Now().UnixNano())))
	broken := 0
	for range soaked(12, 100) {
		dir := copied(t, from)
		file := onlyFile(t, dir, "*.incr.aof")
		cut := 1 + rng.Int64N(whole.Size()-1)
		if err := os.Truncate(file, cut); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		srv, err := store.StartServer(ctx, dir, store.ServerOptions{Log: slog.New(slog.NewJSONHandler(&log, nil))})
		if err != nil {
			t.Fatalf("cut at %d of %d: %v", cut, whole.Size(), err)
		}
		st, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if left := cut - st.Size(); left > 0 {
			broken++
			if !strings.Contains(log.String(), fmt.Sprintf(`"kept_bytes":%d,"left_out_bytes":%d`, st.Size(), left)) {
				t.Errorf("cut at %d, %d bytes left out: the log says %q", cut, left, log.String())
			}
		} else if log.Len() > 0 {
			t.Errorf("cut between two writes at %d: %q", cut, log.String())
		}
		c := dial(t, srv)
		s := storetest.Open(t, c, store.Options{Keys: keys})
		var versions int64
		for p := range damagePeople {
			snap, err := s.Load(ctx, "kh", citizen(p), "?")
			if err != nil {
				t.Fatal(err)
			}
			if l := c.LLen(ctx, fmt.Sprintf("{kh}:timeline:c%d", p)).Val(); l != snap.Version || snap.CaseVer != snap.Version {
				t.Errorf("cut at %d: person %d has version %d, case %d, %d entries", cut, p, snap.Version, snap.CaseVer, l)
			}
			versions += snap.Version
		}
		if cut > whole.Size()/2 && versions == 0 {
			t.Errorf("cut at %d of %d: nothing is there", cut, whole.Size())
		}
		if err := once(s, 0, must(s.Load(ctx, "kh", citizen(0), "?")).Version+1); err != nil {
			t.Errorf("cut at %d: nobody can write: %v", cut, err)
		}
		killServers(t, dir)
		gone(t, dir)
	}
	if broken == 0 {
		t.Error("no cut went through a write")
	}
}

func must(s bot.Snapshot, err error) bot.Snapshot {
	if err != nil {
		panic(err)
	}
	return s
}

// TestAppendOnlyFileDamaged flips a bit in the frame of the commands, or anywhere in the part that was rewritten (which
// has a checksum): the server does not start on it, and the error is one line with what to do. That line repairs a
// damaged tail.
func TestAppendOnlyFileDamaged(t *testing.T) {
	t.Parallel()
	from, _ := written(t, false)
	rewritten, _ := written(t, true)
	rng := rand.New(rand.NewPCG(8, uint64(time.Now().UnixNano())))
	text, err := os.ReadFile(onlyFile(t, from, "*.incr.aof"))
	if err != nil {
		t.Fatal(err)
	}
	frame := frames(t, text)
	refused := func(dir, what string) {
		t.Helper()
		srv, err := store.StartServer(ctx, dir, store.ServerOptions{})
		if err == nil {
			_ = srv.Close(context.Background())
			t.Errorf("%s: the server starts on it", what)
			return
		}
		if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "redis-check-aof --fix "+dir) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
		gone(t, dir)
	}
	flip := func(file string, at int) {
		t.Helper()
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b[at] ^= 1 << rng.IntN(7)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	last := ""
	for range soaked(4, 20) {
		last = copied(t, from)
		at := frame[rng.IntN(len(frame))]
		flip(onlyFile(t, last, "*.incr.aof"), at)
		refused(last, fmt.Sprintf("byte %d of %d of the commands", at, len(text)))
	}
	for i := range soaked(4, 20) {
		dir := copied(t, rewritten)
		base := onlyFile(t, dir, "*.base.rdb")
		st, err := os.Stat(base)
		if err != nil {
			t.Fatal(err)
		}
		at := rng.IntN(int(st.Size()))
		if i < 2 {
			at = 4 + 4*i // in its signature, in its version
		}
		flip(base, at)
		refused(dir, fmt.Sprintf("byte %d of %d of the rewritten part", at, st.Size()))
	}
	fix, err := exec.LookPath("redis-check-aof")
	if err != nil {
		t.Log("redis-check-aof is not installed: the repair is left out")
		return
	}
	repair := exec.CommandContext(t.Context(), fix, "--fix", filepath.Join(last, "appendonlydir", "appendonly.aof.manifest"))
	repair.Stdin = strings.NewReader("y\n")
	if out, err := repair.CombinedOutput(); err != nil {
		t.Fatalf("the repair: %v\n%s", err, out)
	}
	_ = startServer(t, last, false)
}

// frames are the offsets of the bytes that begin a command or an argument, where the format says how much follows.
func frames(t *testing.T, b []byte) []int {
	t.Helper()
	var at []int
	line := func(i int) (n, next int) {
		end := bytes.IndexByte(b[i:], '\n')
		if end < 0 {
			t.Fatal("the append-only file is not what it was")
		}
		if _, err := fmt.Sscanf(string(b[i+1:i+end-1]), "%d", &n); err != nil {
			t.Fatal(err)
		}
		return n, i + end + 1
	}
	for i := 0; i < len(b); {
		at = append(at, i)
		args, next := line(i)
		for i = next; args > 0; args-- {
			at = append(at, i)
			n, data := line(i)
			i = data + n + 2
		}
	}
	return at
}
