package whatsapp

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// postgres starts a server of the test's own. It refuses to run as root, so root's tests run it as nobody.
func postgres(t *testing.T) string {
	t.Helper()
	bin := ""
	for _, p := range append([]string{"/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"}, filepath.SplitList(os.Getenv("PATH"))...) {
		if _, err := os.Stat(filepath.Join(p, "initdb")); err == nil {
			bin = p
			break
		}
	}
	if bin == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no postgres on this machine")
		}
		t.Skip("no postgres on this machine")
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := &syscall.SysProcAttr{}
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
	if out, err := command("initdb", "-D", data, "-U", "hotline", "-A", "trust", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	srv := command("postgres", "-D", data, "-p", fmt.Sprint(port), "-c", "listen_addresses=127.0.0.1", "-k", dir, "-F")
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Process.Signal(syscall.SIGINT); _ = srv.Wait() })
	url := fmt.Sprintf("postgres://hotline@127.0.0.1:%d/postgres?sslmode=disable", port)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	until(t, "postgres", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return db.PingContext(ctx) == nil
	})
	return url
}

// On Postgres any replica finds the device, who is who, and what was sent.
func TestPostgres(t *testing.T) {
	url := postgres(t)
	r := newRig(t, func(o *Options) { o.Store = url }).link().start().up()
	budi := r.srv.Citizen("+62 812 0000 002")
	budi.Say(r.number, "satu")
	from := r.keeper.wait(t, 1)[0].From
	r.end()
	r.number.WaitGone()
	budi.Say(r.number, "dua")
	r.start().up() // as another replica would
	if m := r.keeper.wait(t, 2)[1]; m.Input.Text != "dua" || m.From != from {
		t.Fatalf("got %+v", m.Input)
	}
	if _, err := r.send(from, "01R", "jawaban"); err != nil {
		t.Fatal(err)
	}
	budi.WaitFor("jawaban")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.c.Forget(ctx, from.Address); err != nil {
		t.Fatal(err)
	}
	for table, col := range map[string]string{"hotline_people": "jid", "whatsmeow_lid_map": "lid", "whatsmeow_sessions": "their_id", "whatsmeow_retry_buffer": "chat_jid"} {
		var n int
		q := "SELECT COUNT(*) FROM " + table + " WHERE " + col + " LIKE '" + budi.LID().User + "%' OR " + col + " LIKE '" + budi.Number() + "%'"
		if err := r.c.current.Load().dev.db.QueryRowContext(ctx, q).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s still knows the person: %d %v", table, n, err)
		}
	}
	if all, err := List(ctx, url); err != nil || len(all) != 1 {
		t.Errorf("%v %v", all, err)
	}
}
