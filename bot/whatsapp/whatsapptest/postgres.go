package whatsapptest

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"pulang/bot/needed"
)

// Postgres starts a PostgreSQL server of the test's own for device stores, on a unix socket in a temporary directory,
// and returns its postgres:// URL. It takes initdb and postgres from PATH or from where Debian puts them. Without them
// the test is skipped, and fails where CI=true. The server refuses to run as root, so root's tests run it as nobody.
func Postgres(t testing.TB) string {
	t.Helper()
	bin := postgresBin()
	if bin == "" {
		needed.Missing(t, "PostgreSQL")
	}
	dir, err := os.MkdirTemp("", "pg") // t.TempDir's path may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		const nobody = 65534
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		as.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir, c.SysProcAttr, c.Env = dir, as, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C"}
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := command("initdb", "-D", data, "-U", "hotline", "-A", "trust", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	srv := command("postgres", "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "max_connections=50", "-F")
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Process.Signal(syscall.SIGINT); _ = srv.Wait() }) // connections are ended, not waited for
	for end := time.Now().Add(time.Minute); command("pg_isready", "-q", "-h", dir, "-U", "hotline").Run() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("PostgreSQL does not start")
		}
	}
	u := url.URL{Scheme: "postgres", User: url.User("hotline"), Path: "/postgres", RawQuery: url.Values{"host": {dir}}.Encode()}
	return u.String()
}

// postgresBin is where the newest PostgreSQL of this machine is; empty when there is none.
func postgresBin() string {
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Reverse(debian)
	for _, dir := range append(debian, filepath.SplitList(os.Getenv("PATH"))...) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir
		}
	}
	return ""
}
