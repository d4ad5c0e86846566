// Package child runs a program beside this one, mostly this program itself: starts it, hears what it says until it is
// ready, and stops it.
package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// readyFor is how long a child may take until it has said what it is waited for.
	readyFor = time.Minute
	// stopFor is how long a child may take to end in an orderly way.
	stopFor = 30 * time.Second
	// mostKept bounds what is kept of a child's words, in bytes.
	mostKept = 1 << 20
)

// Process is a child that was started. What it writes is kept for the error when it ends early.
type Process struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	out  strings.Builder
	said chan string   // every line, until nobody listens
	read chan struct{} // closed once all that it wrote is kept
	done chan struct{}
	err  error // how it ended, once done is closed
}

// Start starts a program with these arguments, in this directory, with this environment and nothing of ours. It is in a
// process group of its own: a Ctrl-C reaches only us, and we stop it. It does not outlive us either.
func Start(program string, args, env []string, dir string) (*Process, error) {
	p := &Process{said: make(chan string, 64), read: make(chan struct{}), done: make(chan struct{})}
	p.cmd = exec.Command(program, args...) //nolint:gosec // our own file, or redis-server
	p.cmd.Env, p.cmd.Dir = env, dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	p.cmd.WaitDelay = 5 * time.Second // a server that the child started may hold its output open
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	go p.listen(r)
	go func() {
		p.err = p.cmd.Wait()
		_ = w.Close()
		<-p.read // its last words are known before its end is
		close(p.done)
	}()
	return p, nil
}

func (p *Process) listen(r io.Reader) {
	defer close(p.read)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, mostKept)
	for lines.Scan() {
		p.mu.Lock()
		if p.out.Len() < mostKept {
			p.out.WriteString(lines.Text() + "\n")
		}
		p.mu.Unlock()
		select {
		case p.said <- lines.Text():
		default:
		}
	}
	_, _ = io.Copy(io.Discard, r) // a line that is too long must not block the child
}

// Hear gives enough every line that the child writes, to standard output or error, until it returns true. It is an
// error when the child ends before, or takes a minute; the child then goes on and is the caller's to stop.
func (p *Process) Hear(ctx context.Context, enough func(line string) bool) error {
	timeout := time.NewTimer(readyFor)
	defer timeout.Stop()
	for {
		select {
		case line := <-p.said:
			if enough(line) {
				return nil
			}
		case <-p.done:
			for len(p.said) > 0 { // what it said before it ended counts
				if enough(<-p.said) {
					return nil
				}
			}
			return p.Ended()
		case <-timeout.C:
			return fmt.Errorf("%s was not ready within a minute", filepath.Base(p.cmd.Path))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// PID is the child's process number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended says with which last words the child ended; nil while it runs.
func (p *Process) Ended() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
	return fmt.Errorf("%s ended: %s", filepath.Base(p.cmd.Path), lines[len(lines)-1])
}

// Stop ends the child in an orderly way, and if that takes too long at once. The error is how it ended, nil when with
// exit code 0. A child that has ended already is no error of itself.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-time.After(stopFor):
		_ = p.cmd.Process.Kill()
		<-p.done
		return errors.Join(fmt.Errorf("%s did not stop", filepath.Base(p.cmd.Path)), p.err)
	}
}
