package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/needed"
)

// program is a running `hotline`, as a user has it: its own process, its own data directory, ports of its own.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	env  []string
	data string
	// Chat, Desk, Metrics are the printed addresses; Desk of a demo bears the one-time link.
	Chat, Desk, Metrics string

	mu       sync.Mutex
	out, err strings.Builder
	done     chan struct{}
	code     int
}

// environment is what every test process gets: nothing of the machine's own settings.
func environment(t *testing.T, data string, more ...string) []string {
	t.Helper()
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(data), "TMPDIR=" + os.TempDir(), "HOTLINE_DATA=" + data,
		"HOTLINE_LISTEN=127.0.0.1:0", "HOTLINE_DESK_LISTEN=127.0.0.1:0", "HOTLINE_METRICS_LISTEN=127.0.0.1:0",
	}, more...)
}

// exampleFile writes the example mission and returns its path.
func exampleFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mission.toml")
	if err := os.WriteFile(path, []byte(bot.ExampleMission()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startHotline starts the program with these arguments, on the data directory, and returns when it has printed its
// addresses. It is stopped at the end of the test.
func startHotline(t *testing.T, data string, args []string, env ...string) *program {
	t.Helper()
	p := &program{t: t, data: data, env: environment(t, data, env...), done: make(chan struct{})}
	p.cmd = exec.Command(hotlineBinary(t), args...)
	p.cmd.Env, p.cmd.Dir = p.env, filepath.Dir(data)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	var copies sync.WaitGroup
	copies.Go(func() { p.read(stdout, &p.out, ready) })
	copies.Go(func() { p.read(stderr, &p.err, nil) })
	go func() {
		defer close(p.done)
		copies.Wait()
		_ = p.cmd.Wait()
		p.code = p.cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("standard output:\n%s\nstandard error:\n%s", p.text(&p.out), p.text(&p.err))
		}
	})
	select {
	case <-ready:
	case <-p.done:
		t.Fatalf("ended with %d before its addresses: %s", p.code, p.text(&p.err))
	case <-time.After(3 * time.Minute):
		t.Fatal("no addresses within three minutes")
	}
	return p
}

var address = regexp.MustCompile(`(chat|public|desk|[Mm]etrics)\s+(http://\S+)`)

// read keeps what the program says; ready is closed with the last address.
func (p *program) read(from io.Reader, to *strings.Builder, ready chan struct{}) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		to.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		m := address.FindStringSubmatch(lines.Text())
		if m == nil || ready == nil {
			continue
		}
		switch strings.ToLower(m[1]) {
		case "chat", "public":
			p.Chat = strings.TrimSuffix(m[2], "/")
		case "desk":
			p.Desk = m[2]
		case "metrics":
			p.Metrics = m[2]
			close(ready)
			ready = nil
		}
	}
}

func (p *program) text(b *strings.Builder) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return b.String()
}

// stop signals the program and returns its exit code.
func (p *program) stop(sig syscall.Signal) int {
	p.t.Helper()
	_ = p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
	case <-time.After(2 * time.Minute):
		_ = p.cmd.Process.Kill()
		p.t.Errorf("the program did not stop within two minutes of %v", sig)
	}
	return p.code
}

// run runs the program to its end beside this one, on the same data and settings.
func (p *program) run(args ...string) (out, err string, code int) {
	return runHotline(p.t, p.env, "", args...)
}

// runHotline runs the program to its end.
func runHotline(t *testing.T, env []string, input string, args ...string) (out, errs string, code int) {
	t.Helper()
	bin := hotlineBinary(t) // built by the first caller, which takes its own time
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	var o, e strings.Builder
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, strings.NewReader(input), &o, &e
	_ = cmd.Run()
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// chatBrowser is a browser at the web chat, without JavaScript.
type chatBrowser struct {
	t    *testing.T
	http *http.Client
	url  string
	n    int
}

func newChat(t *testing.T, url string) *chatBrowser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &chatBrowser{t: t, http: &http.Client{Jar: jar, Timeout: 2 * time.Minute}, url: url}
}

// say posts a message; the page that comes back holds the conversation.
func (c *chatBrowser) say(text string) string {
	c.t.Helper()
	c.n++
	r, err := c.http.PostForm(c.url+"/send", url.Values{"id": {fmt.Sprintf("message-%04d", c.n)}, "text": {text}})
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		c.t.Fatalf("send: %d %v", r.StatusCode, err)
	}
	return string(b)
}

// until asks for the page until it holds want.
func (c *chatBrowser) until(want string) string {
	c.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		r, err := c.http.Get(c.url + "/")
		if err != nil {
			c.t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if strings.Contains(string(b), want) {
			return string(b)
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%q never came; the page:\n%s", want, b)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

var caseCode = regexp.MustCompile(`K7[A-HJ-NP-Z2-9]{2}-[A-HJ-NP-Z2-9]{4}`)

// The demo from the outside: it prints where to go, a person chats, the case is on the queue, it is there after a
// kill and a restart, and a second one on the same data is refused.
func TestDemo(t *testing.T) {
	needed.Program(t, "redis-server")
	data := filepath.Join(t.TempDir(), "demo")
	hostile := []string{"REDIS_URL=redis://127.0.0.1:1", "TELEGRAM_TOKEN=nonsense", "TELEGRAM_WEBHOOK_URL=https://example.org/x", "WHATSAPP=on"}
	p := startHotline(t, data, []string{"demo", "--people", "3"}, hostile...)
	if !strings.Contains(p.Desk, "/welcome#") {
		t.Errorf("no one-time link: %q", p.Desk)
	}
	c := newChat(t, p.Chat)
	c.say("tolong saya di Poipet, paspor ditahan bos. rahasia-4711")
	page := c.until("Aman")
	if code := caseCode.FindString(page); code != "" {
		t.Logf("told the code %s", code)
	}
	find := func() (code string) {
		out, errs, exit := p.run("queue", "list", "--json")
		if exit != 0 {
			t.Fatalf("queue list: %d %s", exit, errs)
		}
		for l := range strings.Lines(out) {
			var v struct {
				Code, Channel string
				Simulated     bool
			}
			if err := json.Unmarshal([]byte(l), &v); err != nil {
				t.Fatalf("%v in %s", err, l)
			}
			if v.Channel == "webchat" && !v.Simulated {
				code = v.Code
			}
		}
		return code
	}
	code := find()
	if code == "" {
		t.Fatal("the chat's case is not on the queue")
	}
	out, errs, exit := p.run("case", "show", code, "--json")
	if exit != 0 || !strings.Contains(out, "rahasia-4711") {
		t.Fatalf("case show: %d %s %s", exit, out, errs)
	}
	if _, errs, exit = runHotline(t, p.env, "", "demo"); exit != 1 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "serves from") {
		t.Errorf("a second demo: %d %q", exit, errs)
	}
	if _, errs, exit = runHotline(t, append(p.env, "REDIS_URL=", "TELEGRAM_TOKEN=", "TELEGRAM_WEBHOOK_URL=", "WHATSAPP=", "HOTLINE_MISSION="+exampleFile(t)), "", "serve"); exit != 1 || strings.Count(errs, "\n") != 1 {
		t.Errorf("serve on a demo's data while it runs: %d %q", exit, errs)
	}
	first := redisPID(t, data)
	p.stop(syscall.SIGKILL)
	if now := redisPID(t, data); now != first {
		t.Errorf("the redis-server ended with the program: %d, %d", first, now)
	}
	p = startHotline(t, data, []string{"demo"}, hostile...)
	if now := redisPID(t, data); now != first {
		t.Errorf("a second redis-server was started: %d, %d", first, now)
	}
	if again := find(); again != code {
		t.Errorf("after kill and restart the case is %q, want %q", again, code)
	}
	if strings.Contains(p.text(&p.err), "rahasia") || strings.Contains(p.text(&p.out), "rahasia") {
		t.Error("a citizen's words are in the log")
	}
	if code := p.stop(syscall.SIGINT); code != 0 {
		t.Errorf("an orderly stop ends with %d", code)
	}
	if _, errs, exit = runHotline(t, append(p.env, "REDIS_URL=", "TELEGRAM_TOKEN=", "TELEGRAM_WEBHOOK_URL=", "WHATSAPP=", "HOTLINE_MISSION="+exampleFile(t)), "", "serve"); exit != 1 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "demo") {
		t.Errorf("serve on a demo's data: %d %q", exit, errs)
	}
	p = startHotline(t, data, []string{"demo", "--fresh", "--people", "0"})
	if again := find(); again != "" {
		t.Errorf("--fresh kept %q", again)
	}
}

// redisPID is the process that holds the data directory's redis.lock.
func redisPID(t *testing.T, data string) int {
	t.Helper()
	want, err := os.Stat(filepath.Join(data, "redis.lock"))
	if err != nil {
		t.Fatal(err)
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*/fd/3")
	for _, d := range dirs {
		// The program itself looks now and then whether the lock is free, and has it open for a moment.
		name, _ := os.ReadFile(filepath.Join(d, "../../comm"))
		if strings.HasPrefix(string(name), "hotline") {
			continue
		}
		if got, err := os.Stat(d); err == nil && os.SameFile(got, want) {
			var pid int
			_, _ = fmt.Sscanf(d, "/proc/%d/", &pid)
			return pid
		}
	}
	return 0
}

// Without a redis-server the demo works as well, and says that nothing is kept.
func TestDemoInMemory(t *testing.T) {
	data := filepath.Join(t.TempDir(), "demo")
	p := startHotline(t, data, []string{"demo", "--people", "2"}, "PATH=/nonexistent")
	if !strings.Contains(p.text(&p.out), "NOTHING IS KEPT") {
		t.Error("no banner")
	}
	c := newChat(t, p.Chat)
	if page := c.say("/start"); !strings.Contains(page, "tidak ada yang disimpan") {
		t.Error("no banner on the page")
	}
	c.until("Apakah Anda aman")
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// The public listener answers an exact list of paths; the desk and the metrics are elsewhere.
func TestListeners(t *testing.T) {
	needed.Program(t, "redis-server")
	p := startHotline(t, filepath.Join(t.TempDir(), "data"), []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t), "WEBCHAT=on")
	for path, want := range map[string]int{
		"/": 200, "/healthz": 200, "/readyz": 200, "/source": 200, "/metrics": 404, "/queue": 404, "/signin": 404, "/welcome": 404,
		"/debug/pprof/": 404, "/static/desk.js": 404, "/.env": 404, "/send": 405, "/telegram": 404, "/healthz/x": 404,
	} {
		if got, body := get(t, p.Chat+path); got != want {
			t.Errorf("public %s: %d, want %d (%.80s)", path, got, want, body)
		}
	}
	if code, body := get(t, p.Chat+"/readyz"); code != 200 || !strings.Contains(body, "redis ok") {
		t.Errorf("readyz: %d %s", code, body)
	}
	if code, body := get(t, p.Metrics); code != 200 || !strings.Contains(body, `hotline_open_cases{class="P1",mission="kh"} 0`) {
		t.Errorf("metrics: %d", code)
	}
	for _, path := range []string{"/healthz", "/metrics", "/send"} {
		if code, _ := get(t, strings.TrimSuffix(p.Desk, "/")+path); code == 200 && path != "/send" {
			t.Errorf("the desk answers %s", path)
		}
	}
	out, errs, exit := p.run("staff", "add", "siti", "--role", "officer")
	if exit != 0 || !strings.HasPrefix(out, "http://") || !strings.Contains(out, "/welcome#") || strings.Count(out, "\n") != 1 {
		t.Errorf("staff add: %d %q %q", exit, out, errs)
	}
	if _, errs, exit = p.run("staff", "add", "siti", "--role", "officer"); exit != 1 || !strings.Contains(errs, "already") {
		t.Errorf("staff add twice: %d %q", exit, errs)
	}
	if out, _, exit = p.run("staff", "list"); exit != 0 || !strings.Contains(out, "siti") || !strings.Contains(out, "invited") {
		t.Errorf("staff list: %d %q", exit, out)
	}
	if out, errs, exit = p.run("staff", "reset", "siti"); exit != 0 || !strings.Contains(out, "/welcome#") {
		t.Errorf("staff reset: %d %q", exit, errs)
	}
	if _, errs, exit = p.run("staff", "disable", "siti"); exit != 0 {
		t.Errorf("staff disable: %d %q", exit, errs)
	}
	if out, _, _ = p.run("staff", "list"); !strings.Contains(out, "disabled") {
		t.Errorf("staff list: %q", out)
	}
	if _, errs, exit = p.run("staff", "disable", "nobody"); exit != 1 || strings.Count(errs, "\n") != 1 {
		t.Errorf("staff disable of nobody: %d %q", exit, errs)
	}
	if out, errs, exit = p.run("check"); exit != 0 || !strings.Contains(out, "PASS  durability") || !strings.Contains(out, "WARN  keys") || !strings.Contains(out, "PASS  store") {
		t.Errorf("check: %d %s %s", exit, out, errs)
	}
	if _, errs, exit = p.run("case", "show", "K7M4-692Q"); exit == 0 || strings.Count(errs, "\n") != 1 {
		t.Errorf("case show of none: %d %q", exit, errs)
	}
}
