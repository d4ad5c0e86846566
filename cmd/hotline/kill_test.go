package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/telegram/telegramtest"
	"pulang/flows"
	"pulang/locales"
)

// The proof that nothing is lost and nothing doubled: the whole program, a real redis-server, a Bot API server on the
// wire, and SIGKILL at random instants while people write. Full counts with PULANG_SOAK=1, a tenth otherwise.

// victim is a `hotline serve` that is killed and started again on the same data.
type victim struct {
	t    *testing.T
	env  []string
	args []string // of serve
	dir  string
	cmd  *exec.Cmd
	out  *os.File
	end  chan struct{} // closed when the process has ended
}

func newVictim(t *testing.T, srv *telegramtest.Server, env ...string) *victim {
	t.Helper()
	bin := hotlineBinary(t)
	dir := t.TempDir()
	mission := filepath.Join(dir, "mission.toml")
	if err := os.WriteFile(mission, []byte(bot.ExampleMission()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, dir: filepath.Join(dir, "data"), out: out, cmd: exec.Command(bin)}
	v.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), "HOTLINE_DATA=" + v.dir, "HOTLINE_MISSION=" + mission,
		"TELEGRAM_TOKEN=" + srv.Token(), "TELEGRAM_API_URL=" + srv.URL(),
		"HOTLINE_LISTEN=127.0.0.1:0", "HOTLINE_DESK_LISTEN=127.0.0.1:0", "HOTLINE_METRICS_LISTEN=127.0.0.1:0",
	}, env...)
	t.Cleanup(v.bury)
	return v
}

func (v *victim) start() {
	v.t.Helper()
	v.cmd = exec.Command(v.cmd.Path, append([]string{"serve"}, v.args...)...)
	v.cmd.Env, v.cmd.Stdout, v.cmd.Stderr = v.env, v.out, v.out
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	v.end = make(chan struct{})
	go func(cmd *exec.Cmd, end chan struct{}) { _ = cmd.Wait(); close(end) }(v.cmd, v.end)
}

// bury leaves nothing running, and of a failed test the program's last words.
func (v *victim) bury() {
	v.kill()
	if pid := v.redisPID(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if v.t.Failed() {
		log, _ := os.ReadFile(v.out.Name())
		v.t.Logf("the program's last words:\n%s", log[max(0, len(log)-8000):])
	}
}

// kill ends the program with SIGKILL; its redis-server goes on.
func (v *victim) kill() {
	if v.end != nil {
		_ = v.cmd.Process.Kill()
		<-v.end
	}
}

// revive starts the program again if it has ended by itself (its redis-server was killed while it was coming up), as
// a service manager does.
func (v *victim) revive() {
	select {
	case <-v.end:
		v.start()
	default:
	}
}

// redisPID is the process of the victim's own redis-server, 0 when there is none.
func (v *victim) redisPID() int {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		name, err := os.ReadFile(filepath.Join(p, "comm"))
		if err != nil || strings.TrimSpace(string(name)) != "redis-server" {
			continue
		}
		if cwd, err := os.Readlink(filepath.Join(p, "cwd")); err == nil && cwd == v.dir {
			pid, _ := strconv.Atoi(filepath.Base(p))
			return pid
		}
	}
	return 0
}

// open opens the victim's store beside it, as a subcommand does.
func (v *victim) open() *store.Store {
	v.t.Helper()
	ctx := v.t.Context()
	srv, err := store.StartServer(ctx, v.dir, store.ServerOptions{})
	if err != nil {
		v.t.Fatal(err)
	}
	rdb, err := store.Dial(srv.URL())
	if err != nil {
		v.t.Fatal(err)
	}
	s, err := store.Open(ctx, store.Options{
		Client: rdb, KeyFile: filepath.Join(v.dir, "keys.json"), Lines: []store.Line{{Code: "kh"}},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = s.Close(); _ = rdb.Close(); _ = srv.Close(context.WithoutCancel(ctx)) })
	return s
}

// script is what each person types: answers, words that answer nothing, and a change of mind. Its last part is told
// apart by number, so that nothing can stand for something else.
var script = []string{
	"tolong saya, paspor ditahan bos", "1", "1", "Bavet", "1", "0", "catatan satu", "1", "3", "catatan dua",
	"STATUS", "catatan tiga", "UBAH", "KEMBALI", "catatan empat", "catatan lima", "LEWATI", "catatan enam", "STATUS",
	"catatan tujuh",
}

func TestKilledProgramLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program many times")
	}
	people, kills := 10, 20
	if os.Getenv("PULANG_SOAK") == "1" {
		people, kills = 100, 200
	}
	for _, way := range []string{"polling", "webhook"} {
		for _, what := range []string{"program", "redis-server"} {
			t.Run(way+"/"+what, func(t *testing.T) { killing(t, way, what, people, kills) })
		}
	}
}

func killing(t *testing.T, way, what string, people, kills int) {
	srv := telegramtest.New(t)
	srv.Latency(15 * time.Millisecond) // so that sends are under way when the kill comes
	var env []string
	if way == "webhook" {
		addr := freeAddress(t)
		env = []string{"HOTLINE_LISTEN=" + addr, "TELEGRAM_WEBHOOK_URL=http://" + addr + "/telegram/hook",
			"TELEGRAM_WEBHOOK_SECRET=0123456789abcdef"}
	}
	v := newVictim(t, srv, env...)
	v.start()

	users := make([]*telegramtest.User, people)
	for i := range users {
		users[i] = srv.User("id")
	}
	// Everybody writes on while the program dies and comes back: they do not know.
	var writing sync.WaitGroup
	total := people * len(script)
	pause := time.Duration(kills) * 250 * time.Millisecond / time.Duration(total)
	writing.Go(func() {
		for _, text := range script {
			for _, u := range users {
				u.Send(text)
				wait(t.Context(), pause)
			}
		}
	})
	rnd := rand.New(rand.NewPCG(1, uint64(kills)))
	for range kills {
		wait(t.Context(), time.Duration(rnd.IntN(500))*time.Millisecond)
		if what == "program" {
			v.kill()
			v.start()
		} else if pid := v.redisPID(); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		v.revive()
	}
	writing.Wait()
	deadline(t, 4*time.Minute, "every update taken", func() bool { v.revive(); return srv.Pending() == 0 })
	repeated := examine(t, v.open(), v.revive, users)
	t.Logf("soak: %d kills, %d updates, %d cases, %d replies sent twice", kills, len(users)*len(script), len(users), repeated)
	// 15 ms a send and one message a person at a time: at most these were under way at a kill.
	if repeated > 4*kills {
		t.Errorf("%d replies repeated in %d kills", repeated, kills)
	}
}

// examine compares what the store and the people hold with what was said, and returns how many replies came twice.
func examine(t *testing.T, s *store.Store, revive func(), users []*telegramtest.User) int {
	t.Helper()
	files := map[string]bot.CaseFile{}
	deadline(t, 2*time.Minute, "every reply sent", func() bool {
		revive()
		page, err := s.Queue(t.Context(), "kh", time.Now(), 10*len(users))
		if err != nil {
			return false // redis-server may be on its way up
		}
		for _, item := range page.Items {
			f, err := s.Open(t.Context(), "kh", item.Case.Code, time.Now(), bot.Audit{})
			if err != nil {
				return false
			}
			files[f.Case.Code] = f
			for _, e := range f.Entries {
				if e.Kind == "out" && f.Rows[e.Row].State != bot.RowSent {
					return false
				}
			}
		}
		return len(page.Items) == len(users)
	})
	var like map[flows.StepID]flows.Answer
	replies := 0
	for _, f := range files {
		var said []string
		for _, e := range f.Entries {
			switch e.Kind {
			case "in":
				said = append(said, e.Input.Text)
			case "out":
				replies++
			}
		}
		if !slices.Equal(said, script) {
			t.Errorf("case %s: said %q", f.Case.Code, said)
		}
		if like == nil {
			like = f.Case.Answers
		}
		for step, a := range like {
			if got := f.Case.Answers[step]; !slices.Equal(got.Values, a.Values) || got.Text != a.Text {
				t.Errorf("case %s: %s is %v %q, elsewhere %v %q", f.Case.Code, step, got.Values, got.Text, a.Values, a.Text)
			}
		}
	}
	repeated := -replies
	cat, err := locales.New()
	if err != nil {
		t.Fatal(err)
	}
	disturbed := map[string]bool{} // the one line of an outage is no reply, and is not on the case
	for _, lang := range cat.Langs() {
		disturbed[cat.Text(lang, "down.neutral", nil)] = true
	}
	for _, u := range users {
		for _, m := range u.FromBot() {
			if !disturbed[m.Text] {
				repeated++
			}
		}
	}
	if repeated < 0 {
		t.Errorf("%d replies never came", -repeated)
	}
	return repeated
}

// freeAddress is an address at which nobody listens, for a program that comes and goes there. The system gives out
// ports above these by itself, also to who only dials, and storetest those below.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 10_000 {
		port := 31_000 + (firstPort+givenOut.Add(1))%1_700 // another one each time: two tests never want the same
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		return l.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}

// givenOut counts ports, from a random one on: another run of these tests may be under way on this machine.
var (
	firstPort = rand.Uint32N(1_700)
	givenOut  atomic.Uint32
)

// wait passes time, as people do between two messages.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func deadline(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); wait(t.Context(), 20*time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}
