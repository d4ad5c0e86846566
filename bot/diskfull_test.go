package bot_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"pulang/bot"
	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
)

// smallDisk is a data directory whose disk can be filled and emptied: a small tmpfs where the test may mount one, else a
// limit on the length of the server's files, which the server meets in the same way.
type smallDisk struct {
	dir, command string // command of the redis-server, "" for the one in PATH
	fill, free   func()
}

func newSmallDisk(t *testing.T) smallDisk {
	t.Helper()
	path := needed.Program(t, "redis-server")
	base, err := os.MkdirTemp("", "full") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	d := smallDisk{dir: filepath.Join(base, "d")}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Mkdir(d.dir, 0o700))
	if err := syscall.Mount("tmpfs", d.dir, "tmpfs", 0, "size=16m"); err == nil {
		t.Cleanup(func() { _ = syscall.Unmount(d.dir, syscall.MNT_DETACH) })
		filler := filepath.Join(d.dir, "filler")
		d.fill = func() {
			f, err := os.Create(filler)
			check(err)
			defer f.Close()
			for block := make([]byte, 1<<16); len(block) > 0; {
				if _, err := f.Write(block); err != nil {
					block = block[:len(block)/2]
				}
			}
		}
		d.free = func() { check(os.Remove(filler)) }
		return d
	}
	t.Log("no tmpfs may be mounted here: the length of the server's files is limited instead")
	limit := filepath.Join(base, "limit")
	d.command = filepath.Join(base, "redis")
	script := fmt.Sprintf("#!/bin/sh\ntrap '' XFSZ\n[ ! -f %[1]s ] || ulimit -f \"$(cat %[1]s)\"\nexec %[2]s \"$@\"\n", limit, path)
	check(os.WriteFile(d.command, []byte(script), 0o700)) //nolint:gosec // it is run
	d.fill = func() {
		files, err := filepath.Glob(filepath.Join(d.dir, "appendonlydir", "*.incr.aof"))
		check(err)
		st, err := os.Stat(files[len(files)-1])
		check(err)
		check(os.WriteFile(limit, []byte(strconv.FormatInt(st.Size()/512+1, 10)), 0o600))
		for _, pid := range holders(t, d.dir) { // the next one has the limit
			check(syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	d.free = func() { check(os.Remove(limit)) }
	return d
}

// holders are the processes that hold the directory's redis.lock, other than this one.
func holders(t *testing.T, dir string) (pids []int) {
	t.Helper()
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/3")
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && to == filepath.Join(dir, "redis.lock") {
			if pid, err := strconv.Atoi(strings.Split(fd, "/")[2]); err == nil && pid != os.Getpid() {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// syncBuffer is a log that two goroutines may write and a test may read.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestDiskFull fills the disk below the own redis-server: nothing is acknowledged that is not stored, people get at most
// one neutral line however often their messages come again, the log says it, and when there is room again everything is
// stored, once and whole, by the same process.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	disk := newSmallDisk(t)
	log := &syncBuffer{}
	srv, err := store.StartServer(t.Context(), disk.dir, store.ServerOptions{Exclusive: true, Command: disk.command, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close(context.Background()) })
	client, err := store.Dial(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	s := storetest.Open(t, client, store.Options{})
	l := newLine(t, s)
	people := 4
	each := 3
	if os.Getenv("PULANG_SOAK") != "" {
		people, each = 20, 10
	}
	for p := range people {
		l.say(fmt.Sprint(p), fmt.Sprint("before", p), "saya di poipet")
	}
	for p := range people { // what they were answered is out and stored
		l.settled(fmt.Sprint(p))
	}
	before := map[int]int{}
	for p := range people {
		before[p] = len(l.phone.got(fmt.Sprint(p)))
	}
	disk.fill()
	long := strings.Repeat("keadaan di sini ", 240) // longer than what is left of a page
	text := func(p, n int) string { return fmt.Sprintf("pesan %d dari %d: %s", n, p, long) }
	update := func(p, n int) bot.Message {
		return l.message(fmt.Sprint(p), fmt.Sprintf("full%d-%d", p, n), flows.Input{Kind: flows.KindText, Text: text(p, n)})
	}
	acked := map[[2]int]bool{}
	refused := 0
	for round := range 2 { // all of it comes again, as a messenger does
		if round > 0 {
			// With appendfsync always the server ends itself when it cannot write; it is started again, and ends again.
			until(t, "the log says that the store is down", func() bool { return strings.Contains(log.String(), "redis-server has gone") })
			until(t, "the server answers again", func() bool { return client.Ping(t.Context()).Err() == nil })
		}
		for n := range each {
			for p := range people {
				if acked[[2]int{p, n}] {
					continue
				}
				if err := l.hot.Handle(t.Context(), update(p, n)); err == nil {
					acked[[2]int{p, n}] = true
				} else {
					refused++
				}
			}
		}
	}
	if refused < people*each {
		t.Fatalf("only %d refused on a full disk, %d acknowledged", refused, len(acked))
	}
	disk.free()
	for n := range each { // in order, as a messenger repeats what was refused
		for p := range people {
			if !acked[[2]int{p, n}] {
				until(t, "stored once there is room", func() bool { return l.hot.Handle(t.Context(), update(p, n)) == nil })
			}
		}
	}
	for p := range people {
		who := fmt.Sprint(p)
		var said []string
		for _, e := range l.file(who).Entries {
			if e.Kind == "in" && strings.HasPrefix(e.Input.Text, "pesan ") {
				said = append(said, e.Input.Text)
			}
		}
		if len(said) != each {
			t.Errorf("person %d said %d things, the case has %d", p, each, len(said))
		}
		for n, s := range said {
			if s != text(p, n) {
				t.Errorf("person %d: thing %d is %.20q", p, n, s)
			}
		}
		down := 0
		for _, r := range l.phone.got(who)[before[p]:] {
			if r.Kind == "down" {
				down++
			}
		}
		if down > 1 && len(acked) == 0 {
			t.Errorf("person %d got %d neutral lines in one outage", p, down)
		}
	}
	t.Logf("%d refused, %d acknowledged while the disk was full", refused, len(acked))
}
