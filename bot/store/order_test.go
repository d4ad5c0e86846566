package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
)

// TestNoReplyBeforeItIsOnDisk watches the system calls of the own redis-server while a thousand commits are written: no
// reply leaves between a write to the append-only file and the fdatasync that follows it. Killing a process cannot show
// that, because what it has written stays in the machine's memory; a power cut can. With appendfsync everysec the same
// watch finds replies, so it sees what it looks for.
func TestNoReplyBeforeItIsOnDisk(t *testing.T) {
	strace := needed.Program(t, "strace")
	if out, err := exec.CommandContext(t.Context(), strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("this machine does not let a process be watched: %s", out)
	}
	for _, c := range []struct {
		fsync string
		early bool // replies before the disk are expected
	}{{"always", false}, {"everysec", true}} {
		t.Run(c.fsync, func(t *testing.T) {
			t.Parallel()
			dir := shortDir(t)
			calls, command := filepath.Join(dir, "calls"), filepath.Join(dir, "redis")
			server := needed.Program(t, "redis-server")
			extra := ""
			if c.early {
				extra = " --appendfsync everysec"
			}
			script := fmt.Sprintf("#!/bin/sh\nexec %s -y -s 0 -e trace=write,writev,sendto,sendmsg,fdatasync,fsync -o %s %s \"$@\"%s\n", strace, calls, server, extra)
			if err := os.WriteFile(command, []byte(script), 0o700); err != nil { //nolint:gosec // it is run
				t.Fatal(err)
			}
			srv, err := store.StartServer(ctx, filepath.Join(dir, "data"), store.ServerOptions{Exclusive: true, Command: command})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = srv.Close(context.Background()) })
			o, err := redis.ParseURL(srv.URL())
			if err != nil {
				t.Fatal(err)
			}
			o.MaxRetries, o.ReadTimeout, o.WriteTimeout = -1, time.Minute, time.Minute // a server that is watched is slow
			client := redis.NewClient(o)
			t.Cleanup(func() { _ = client.Close() })
			s := storetest.Open(t, client, store.Options{})
			var wg sync.WaitGroup
			const people, each = 8, 125
			for p := range people {
				wg.Go(func() {
					for n := int64(1); n <= each; n++ {
						if err := once(s, p, n); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			writes, syncs, replies, early := readCalls(t, calls)
			t.Logf("%d commits: %d writes to the append-only file, %d syncs, %d replies, %d of them early", people*each, writes, syncs, replies, early)
			switch {
			case writes == 0 || replies == 0: // commits that arrive together share a sync, and their answers may share a write
				t.Error("the watch did not see the commits")
			case c.early && early == 0:
				t.Error("the watch does not see a reply that leaves before the disk has it")
			case !c.early && (early > 0 || syncs < writes):
				t.Errorf("%d replies left before what they acknowledge was on disk", early)
			}
		})
	}
}

// readCalls counts, in what strace wrote, writes to the append-only file, its syncs, replies to clients, and replies that
// left while a write was not synced.
func readCalls(t *testing.T, path string) (writes, syncs, replies, early int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dirty := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		call := lines.Text()
		name, _, _ := strings.Cut(call, "(")
		synced := name == "fdatasync" || name == "fsync"
		switch {
		case strings.Contains(call, "appendonlydir") && synced && strings.HasSuffix(call, " = 0"):
			syncs++
			dirty = false
		case strings.Contains(call, "appendonlydir") && !synced && !strings.Contains(call, "manifest"):
			writes++
			dirty = true
		case strings.Contains(call, "socket:[") || strings.Contains(call, "UNIX"):
			replies++
			if dirty {
				early++
			}
		}
	}
	return writes, syncs, replies, early
}
