package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pulang/bot/needed"
)

// What root does beside a stopped service would belong to root, and the service could not start any more.
func TestRootLeavesTheServiceItsFiles(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can be root")
	}
	needed.Program(t, "redis-server")
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(data, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	env := environment(t, data, "HOTLINE_MISSION="+exampleFile(t))
	for _, args := range []string{"serve", "check", "staff list", "backup " + t.TempDir(), "restore " + t.TempDir(), "whatsapp status", "keys rotate", "audit verify"} {
		_, errs, code := runHotline(t, env, "", strings.Fields(args)...)
		if code != 1 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "belongs to nobody") || !strings.Contains(errs, "sudo -u nobody") {
			t.Errorf("%s: %d %q", args, code, errs)
		}
	}
	if left, err := os.ReadDir(data); err != nil || len(left) != 0 {
		t.Errorf("root left %v there, %v", left, err)
	}
}

// Who presses Ctrl-C once, or stops a unit, is heard while the program waits for a line.
func TestASignalEndsWaitingForALine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		code int
	}{{"chat", 0}, {"understand", 1}} {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(c.name+" "+sig.String(), func(t *testing.T) {
				t.Parallel()
				cmd := exec.Command(hotlineBinary(t), c.name)
				cmd.Env = environment(t, filepath.Join(t.TempDir(), "data"))
				var errs bytes.Buffer
				cmd.Stderr = &errs
				in, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				defer in.Close()
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				stuck := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
				defer stuck.Stop()
				// Read whole: what an answer was buffered for is written at the end.
				if _, err := io.WriteString(in, strings.Repeat("saya di poipet\n", 200)); err != nil {
					t.Fatal(err)
				}
				first := make([]byte, 1)
				if _, err := io.ReadFull(out, first); err != nil {
					t.Fatal(err)
				}
				if err := cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				rest, _ := io.ReadAll(out)
				_ = cmd.Wait()
				if got := cmd.ProcessState.ExitCode(); got != c.code || !bytes.HasSuffix(rest, []byte("\n")) {
					t.Errorf("exit %d, want %d; the end is %q", got, c.code, rest[max(0, len(rest)-40):])
				}
				if c.code == 1 && errs.String() != "hotline: understand: interrupted\n" {
					t.Errorf("it says %q", errs.String())
				}
			})
		}
	}
}

// What stops at a full or unwritable place says so, and what to do.
func TestCheckTriesTheDataDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mission := exampleFile(t)
	for name, c := range map[string]struct {
		data, heads, want string
	}{
		"a file":                {file, "", "FAIL  data"},
		"below a file":          {filepath.Join(file, "data"), "", "FAIL  data"},
		"to be made":            {filepath.Join(dir, "new"), "", "PASS  data"},
		"there":                 {dir, "", "PASS  data"},
		"heads below a file":    {dir, filepath.Join(file, "heads"), "FAIL  audit"},
		"heads in no directory": {dir, filepath.Join(dir, "none", "heads"), "PASS  audit"},
	} {
		env := environment(t, c.data, "HOTLINE_MISSION="+mission, "HOTLINE_AUDIT_HEADS="+c.heads)
		out, errs, code := runHotline(t, env, "", "check")
		if !strings.Contains(out, c.want) || errs != "" || (code == 0) != strings.HasPrefix(c.want, "PASS") {
			t.Errorf("%s: %d, want %q in\n%s%s", name, code, c.want, out, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("check made a data directory")
	}
}

// A Redis that is full refuses every message: check says it, and every command what to do.
func TestFullRedisIsSaid(t *testing.T) {
	needed.Program(t, "redis-server")
	socket, admin := deployedRedis(t, deployed(t, "redis.conf"))
	p := startHotline(t, filepath.Join(t.TempDir(), "data"), []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t), "REDIS_URL=unix://hotline:"+deployPassword+"@"+socket)
	out, _, code := runHotline(t, p.env, "", "check")
	if code != 0 || !strings.Contains(out, "PASS  memory") {
		t.Errorf("%d\n%s", code, out)
	}
	if err := admin.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	out, _, code = runHotline(t, p.env, "", "check")
	if code != 1 || !strings.Contains(out, "FAIL  memory") || !strings.Contains(out, "redis-full.md") {
		t.Errorf("%d\n%s", code, out)
	}
	for _, args := range []string{"queue list", "staff add sri --role officer"} {
		_, errs, code := runHotline(t, p.env, "", strings.Fields(args)...)
		if code != 1 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "Redis is full") || strings.Contains(errs, "user_script") {
			t.Errorf("%s: %d %q", args, code, errs)
		}
	}
}

// A directory of backups may be named as it is seen from where one stands.
func TestBackupsNamedFromHere(t *testing.T) {
	needed.Program(t, "redis-server")
	dir := t.TempDir()
	p := startHotline(t, filepath.Join(dir, "data"), []string{"serve"}, "HOTLINE_MISSION="+exampleFile(t))
	here := func(env []string, args ...string) {
		t.Helper()
		cmd := exec.Command(hotlineBinary(t), args...)
		cmd.Env, cmd.Dir = env, dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	here(p.env, "backup", "backups")
	here(p.env, "drill", "restore", "backups")
	here(append(p.env, "HOTLINE_DATA="+filepath.Join(dir, "new"), "HOTLINE_KEYS="+filepath.Join(dir, "data", "keys.json")), "restore", "backups")
}

// While Redis is empty, because its data is being brought back, a timer that makes backups and whoever only looks begin
// no store there: it would be in the way of the restore, and its copy the newest backup.
func TestNothingIsBegunByLooking(t *testing.T) {
	needed.Program(t, "redis-server")
	mission, dir := exampleFile(t), t.TempDir()
	p := startHotline(t, filepath.Join(dir, "data"), []string{"serve"}, "HOTLINE_MISSION="+mission)
	backups := filepath.Join(dir, "backups")
	if _, errs, code := runHotline(t, p.env, "", "backup", backups); code != 0 {
		t.Fatal(errs)
	}
	p.stop(syscall.SIGTERM)
	keys := "HOTLINE_KEYS=" + filepath.Join(dir, "data", "keys.json")
	own := filepath.Join(dir, "new")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	socket, admin := deployedRedis(t, deployed(t, "redis.conf"))
	for name, env := range map[string][]string{
		"own":   environment(t, own, "HOTLINE_MISSION="+mission, keys),
		"given": environment(t, filepath.Join(dir, "other"), "HOTLINE_MISSION="+mission, keys, "REDIS_URL=unix://operator:"+deployPassword+"@"+socket),
	} {
		for _, args := range []string{"backup " + backups, "drill restore " + backups, "audit verify", "audit head", "queue list", "staff list", "keys rotate", "case show K7M4-692L"} {
			_, errs, code := runHotline(t, env, "", strings.Fields(args)...)
			if code != 1 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "hotline restore") {
				t.Errorf("%s, %s: %d %q", name, args, code, errs)
			}
		}
		if _, errs, code := runHotline(t, env, "", "restore", backups); code != 0 {
			t.Errorf("%s: the restore is refused: %s", name, errs)
		}
	}
	if n := admin.DBSize(t.Context()).Val(); n == 0 {
		t.Error("nothing was restored")
	}
	if all, _ := filepath.Glob(filepath.Join(backups, "hotline-*")); len(all) != 1 {
		t.Errorf("the backups are %v", all)
	}
}
