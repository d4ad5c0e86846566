package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pulang/bot/needed"
)

// What an operator puts beside the deployment, secrets, backups and the authority's key, is neither in the image's build
// nor in the repository.
func TestOperatorsFilesStayOut(t *testing.T) {
	t.Parallel()
	docker, git := deployed(t, "Dockerfile.dockerignore"), ""
	if b, err := os.ReadFile("../../.gitignore"); err != nil {
		t.Fatal(err)
	} else {
		git = string(b)
	}
	for _, name := range []string{"deploy/secrets", "deploy/backups", "deploy/.env", "desk-ca.key"} {
		if !strings.Contains(deployed(t, "compose.yaml"), name) {
			t.Errorf("compose.yaml speaks of no %s", name)
		}
		if !regexp.MustCompile(`(?m)^(\*\*/\*\.key|` + regexp.QuoteMeta(name) + `)$`).MatchString(docker) {
			t.Errorf("%s goes into the image's build", name)
		}
		if !regexp.MustCompile(`(?m)^(\*\.key|/` + regexp.QuoteMeta(name) + `/?)$`).MatchString(git) {
			t.Errorf("%s can be committed", name)
		}
	}
}

// Every `docker compose` reads compose.yaml, which does without the public name in none of them: it stands in a file that
// they all read, not before the first command.
func TestComposeCommandsKnowTheName(t *testing.T) {
	t.Parallel()
	body := deployed(t, "compose.yaml")
	if strings.Contains(body, "HOTLINE_HOST=bantuan.example.org docker compose") || !strings.Contains(body, "> deploy/.env") {
		t.Error("the public name is known to one command only")
	}
	if regexp.MustCompile(`run --rm tools`).MatchString(body) {
		t.Error("cron has no terminal: docker compose run --rm -T tools")
	}
}

// A runbook asks for nothing that no deployed user may do, and Redis has twice its memory to rewrite its file in.
func TestRedisFullCanBeMended(t *testing.T) {
	t.Parallel()
	if strings.Contains(deployed(t, "runbooks/redis-full.md"), "CONFIG SET") {
		t.Error("neither user of users.acl may CONFIG SET")
	}
	if got := text(documents(t, "compose.yaml")[0], "services", "redis", "mem_limit"); got != "4g" {
		t.Errorf("Redis, with maxmemory 2gb, has %s in compose", got)
	}
}

// The drop-in of redis.conf for Debian's redis-server@.service fits that unit: it lets the shell run, gives the directory,
// and its line cuts off what a killed server left half written there.
func TestRedisDropIn(t *testing.T) {
	t.Parallel()
	needed.Program(t, "redis-server")
	dropIn := regexp.MustCompile(`(?m)^#   (\[Service\]|[A-Z]\w+=.*)$`).FindAllStringSubmatch(deployed(t, "redis.conf"), -1)
	settings, line := "", ""
	for _, m := range dropIn {
		settings += m[1] + "\n"
		if l, ok := strings.CutPrefix(m[1], "ExecStartPre=-/bin/sh -c '"); ok {
			line = strings.TrimSuffix(l, "'")
		}
	}
	for _, want := range []string{"[Service]\n", "WorkingDirectory=/var/lib/redis-hotline\n", "StateDirectory=redis-hotline\n", "ExecPaths=/usr/bin /bin\n"} {
		if !strings.Contains(settings, want) {
			t.Errorf("the drop-in lacks %q:\n%s", want, settings)
		}
	}
	if _, err := exec.LookPath("redis-check-aof"); err != nil || line == "" {
		t.Fatalf("no line %q, or no redis-check-aof: %v", line, err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "appendonlydir"), 0o700); err != nil {
		t.Fatal(err)
	}
	whole := "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
	half := "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n*3\r\n$3\r\nSE"
	incr := filepath.Join(dir, "appendonlydir", "appendonly.aof.1.incr.aof")
	for path, body := range map[string]string{incr: whole + half, filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest"): "file appendonly.aof.1.incr.aof seq 1 type i\n"} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if left, _ := os.ReadFile(incr); err != nil || string(left) != whole {
		t.Errorf("%v\n%s\nleft: %q", err, out, left)
	}
}

// What an alert asks for every week is started by something, wherever the hotline runs.
func TestDrillIsStarted(t *testing.T) {
	t.Parallel()
	if !strings.Contains(deployed(t, "hotline-drill.service"), "ExecStart=/usr/local/bin/hotline drill restore /var/backups/hotline\n") ||
		!strings.Contains(deployed(t, "hotline-drill.timer"), "OnCalendar=weekly\n") {
		t.Error("systemd starts no drill")
	}
	if !strings.Contains(deployed(t, "compose.yaml"), "tools drill restore /backups") {
		t.Error("compose.yaml speaks of no drill")
	}
	found := false
	for _, w := range workloads(t) {
		for _, c := range w.containers {
			found = found || w.name == "drill" && len(list(c, "args")) == 3 && list(c, "args")[0] == "drill"
		}
	}
	if !found {
		t.Error("the cluster starts no drill")
	}
	// A Redis of one's own lets the operator's user copy it, not the service's.
	for _, unit := range []string{"hotline-backup.service", "hotline-drill.service"} {
		if !regexp.MustCompile(`EnvironmentFile=/etc/hotline/environment\nEnvironmentFile=-/etc/hotline/operator.environment\n`).MatchString(deployed(t, unit)) {
			t.Errorf("%s cannot be given the operator's user", unit)
		}
	}
}

// The ends of the audit log outlive a pod: they are kept on a volume, not in an empty directory.
func TestAuditHeadsOutliveAPod(t *testing.T) {
	t.Parallel()
	for _, w := range workloads(t) {
		if w.name != "hotline" {
			continue
		}
		heads := ""
		for _, e := range list(w.containers[0], "env") {
			if text(e, "name") == "HOTLINE_AUDIT_HEADS" {
				heads = text(e, "value")
			}
		}
		for _, v := range list(w.pod, "spec", "volumes") {
			if at(v, "emptyDir") != nil && strings.HasPrefix(heads, "/"+text(v, "name")+"/") || heads == "" {
				t.Fatalf("the ends are kept in %q", heads)
			}
		}
	}
}
