package child

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start("/bin/sh", []string{"-c", script}, []string{"PATH=" + os.Getenv("PATH"), "SAID=of its own"}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

// A child is heard on both its outputs, has no environment but the one it is given, and ends when it is told to.
func TestHearAndStop(t *testing.T) {
	t.Setenv("SAID", "of the parent's")
	p := start(t, `trap 'exit 0' TERM; echo "one $SAID"; echo two >&2; echo three; while :; do sleep 0.01; done`)
	var heard []string
	if err := p.Hear(t.Context(), func(line string) bool { heard = append(heard, line); return len(heard) == 3 }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(heard) // the outputs are two
	if !slices.Equal(heard, []string{"one of its own", "three", "two"}) {
		t.Errorf("heard %q", heard)
	}
	if g, err := syscall.Getpgid(p.PID()); err != nil || g != p.PID() {
		t.Errorf("process group %d of %d: %v", g, p.PID(), err)
	}
	if err := p.Ended(); err != nil {
		t.Errorf("it runs, and: %v", err)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("stop again: %v", err)
	}
}

// Who waits for a child that ends learns its last words at once; one that waits no longer is let go.
func TestEndsEarly(t *testing.T) {
	p := start(t, `echo first; echo 'no such setting' >&2; exit 2`)
	err := p.Hear(t.Context(), func(string) bool { return false })
	if err == nil || !strings.HasSuffix(err.Error(), "ended: no such setting") {
		t.Errorf("hear: %v", err)
	}
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "exit status 2") {
		t.Errorf("stop: %v", err)
	}
	p = start(t, `trap 'exit 0' TERM; while :; do sleep 0.01; done`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Hear(ctx, func(string) bool { return false }); err != context.Canceled {
		t.Errorf("hear: %v", err)
	}
	if _, err := Start("/nothing/of/this/name", nil, nil, t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "start name: ") {
		t.Errorf("start: %v", err)
	}
}

// However the end of a child and the reading of its words fall together: what it said before it ended is heard, and its
// last words are in the error.
func TestLastWords(t *testing.T) {
	for range 200 {
		p := start(t, `echo ready; echo 'disk full' >&2; exit 2`)
		<-p.Done()
		if err := p.Ended(); err == nil || !strings.HasSuffix(err.Error(), "ended: disk full") {
			t.Fatalf("ended: %v", err)
		}
		if err := p.Hear(t.Context(), func(line string) bool { return line == "ready" }); err != nil {
			t.Fatalf("hear: %v", err)
		}
	}
}

// A server that outlives the child and holds its output does not hold up its end.
func TestGrandchild(t *testing.T) {
	p := start(t, `sleep 60 & echo $!; exit 0`)
	var pid int
	if err := p.Hear(t.Context(), func(line string) (ok bool) {
		n, err := strconv.Atoi(line)
		pid = n
		return err == nil
	}); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it ends by itself in a minute
	select {
	case <-p.Done():
	case <-time.After(time.Minute):
		t.Error("it has not ended")
	}
}
