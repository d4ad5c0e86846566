package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"debug/elf"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/telegram/telegramtest"
)

const deployPassword = "sandi-uji-redis"

// deployedRedis starts a redis-server with a redis.conf of the deployment, its places replaced by the test's own, and
// returns its socket and a client that may do everything.
func deployedRedis(t *testing.T, conf string, args ...string) (socket string, admin *redis.Client) {
	t.Helper()
	needed.Program(t, "redis-server")
	dir, err := os.MkdirTemp("", "d") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	// A container's own directory is not on this machine; the working directory takes its place.
	conf = regexp.MustCompile(`(?m)^dir .*$`).ReplaceAllString(conf, "")
	acl := aclFor(t, deployPassword) + "user tester on >" + deployPassword + " ~* &* +@all\n"
	for name, body := range map[string]string{"users.acl": acl, "redis.conf": conf} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args = append([]string{filepath.Join(dir, "redis.conf")}, args...)
	cmd := exec.Command("redis-server", append(args, "--port", "0", "--unixsocket", socket, "--aclfile", filepath.Join(dir, "users.acl"))...)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	redis.SetLogger(quiet{})
	admin = redis.NewClient(&redis.Options{Network: "unix", Addr: socket, Username: "tester", Password: deployPassword, MaxRetries: -1, DisableIdentity: true})
	t.Cleanup(func() { _ = admin.Close() })
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := admin.Ping(t.Context()).Err()
		if err == nil {
			return socket, admin
		}
		select {
		case <-ended:
			t.Fatalf("redis-server ended:\n%s", said.String())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("redis-server does not answer: %v", err)
		}
	}
}

// Redis as deployed, on one machine, in compose and in Kubernetes: it starts, asks for a password, and passes the
// program's own check.
func TestDeployedRedisPassesTheCheck(t *testing.T) {
	t.Parallel()
	// A transaction that a killed server left half written is cut off before the next one starts.
	const mended = "m=/data/appendonlydir/appendonly.aof.manifest; [ ! -e $m ] || yes | redis-check-aof --fix $m; exec redis-server /etc/redis/redis.conf"
	shell := list(documents(t, "compose.yaml")[0], "services", "redis", "command")
	if len(shell) != 3 || shell[0] != "sh" || !strings.HasPrefix(strings.ReplaceAll(shell[2].(string), "$$", "$"), mended+" ") {
		t.Fatalf("compose starts %v", shell)
	}
	if raw, err := os.ReadFile("../../deploy/kubernetes/redis.yaml"); err != nil || !strings.Contains(string(raw), "- '"+mended+"'") {
		t.Errorf("the cluster's Redis starts another way: %v", err)
	}
	_, after, _ := strings.Cut(shell[2].(string), "; exec ")
	composed := strings.Fields(strings.ReplaceAll(after, `""`, "-"))
	for i, a := range composed {
		composed[i] = strings.TrimSuffix(a, "-")
	}
	for name, run := range map[string]struct {
		conf string
		args []string
	}{
		"machine": {conf: deployed(t, "redis.conf")}, "compose": {deployed(t, "redis.conf"), without(composed[2:], "--aclfile")},
		"kubernetes": {conf: clusterConf(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			socket, _ := deployedRedis(t, run.conf, run.args...)
			nobody := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: -1, Protocol: 2})
			defer nobody.Close()
			if err := nobody.Get(t.Context(), "x").Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
				t.Errorf("without a password: %v", err)
			}
			rdb, err := store.Dial("unix://hotline:" + deployPassword + "@" + socket)
			if err != nil {
				t.Fatal(err)
			}
			defer rdb.Close()
			if err := store.CheckDurability(t.Context(), rdb, false); err != nil {
				t.Errorf("the program refuses the Redis it recommends: %v", err)
			}
			for _, forbidden := range [][]any{{"FLUSHALL"}, {"KEYS", "*"}, {"CONFIG", "SET", "appendonly", "no"}, {"SYNC"}, {"GET", "elsewhere"}} {
				if err := rdb.Do(t.Context(), forbidden...).Err(); err == nil || !strings.Contains(err.Error(), "NOPERM") {
					t.Errorf("%v: %v", forbidden, err)
				}
			}
		})
	}
}

// without drops these options and their values.
func without(args []string, options ...string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		if slices.Contains(options, args[i]) {
			i++
			continue
		}
		out = append(out, args[i])
	}
	return out
}

// The whole program under the deployed Redis with the deployed users: a person is interviewed, an officer works on the
// case, a backup is made and tried, and Redis refused nothing. Its metrics have every series that the alerts and the
// dashboard ask for, and its probes answer where the manifests look for them.
func TestDeployed(t *testing.T) {
	t.Parallel()
	socket, admin := deployedRedis(t, deployed(t, "redis.conf"))
	srv := telegramtest.New(t)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	url := filepath.Join(dir, "redis.url")
	if err := os.WriteFile(url, []byte("unix://hotline:"+deployPassword+"@"+socket+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := []string{"HOTLINE_MISSION=" + exampleFile(t), "WEBCHAT=on", "HOTLINE_KEYS=" + filepath.Join(dir, "keys", "keys.json"),
		"TELEGRAM_TOKEN=" + srv.Token(), "TELEGRAM_API_URL=" + srv.URL(), "REDIS_URL_FILE=" + url}
	p := startHotline(t, data, []string{"serve"}, settings...)
	do := func(env []string, want string, args ...string) string {
		t.Helper()
		out, errs, code := runHotline(t, env, "", args...)
		if code != 0 || !strings.Contains(out, want) {
			t.Fatalf("%v: %d, without %q\n%s%s", args, code, want, out, errs)
		}
		return out
	}
	link := do(p.env, "/welcome#", "staff", "add", "siti", "--role", "supervisor")
	_, token, _ := strings.Cut(strings.TrimSpace(link), "#")
	u := srv.User("id")
	interview(t, srv, u)
	atTheDesk(t, p.Desk, token, u)
	u.WaitFor(officerSays)
	chat := newChat(t, p.Chat) // the officer has closed the first case
	chat.say("tolong saya di Poipet, paspor ditahan bos")
	chat.until("Aman")
	code := caseCode.FindString(do(p.env, `"class"`, "queue", "list", "--json"))
	do(p.env, code, "case", "show", code, "--json")
	do(p.env, "siti", "staff", "list")
	if out := do(p.env, "PASS  store", "check"); !strings.Contains(out, "PASS  durability") || strings.Contains(out, "WARN  keys") {
		t.Errorf("check says\n%s", out)
	}
	do(p.env, "PASS", "audit", "verify")

	operator := append(slices.Clone(p.env), "REDIS_URL_FILE=", "REDIS_URL=unix://operator:"+deployPassword+"@"+socket)
	do(operator, "verified", "backup", filepath.Join(dir, "backups"))
	do(operator, "PASS  audit chain", "drill", "restore", filepath.Join(dir, "backups"))
	do(operator, "key", "keys", "rotate")

	// The probe asks the service that has the same settings.
	listen := append(slices.Clone(p.env), "HOTLINE_LISTEN="+strings.TrimPrefix(p.Chat, "http://"))
	do(listen, "ok", "probe")
	do(listen, "telegram kh ok", "probe", "ready")
	if out, errs, exit := runHotline(t, append(slices.Clone(p.env), "HOTLINE_LISTEN=127.0.0.1:1"), "", "probe"); exit != 1 || out != "" || strings.Count(errs, "\n") != 1 {
		t.Errorf("a probe of nothing: %d %q %q", exit, out, errs)
	}
	for _, w := range workloads(t) {
		for _, c := range w.containers {
			for _, kind := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
				path := text(c, kind, "httpGet", "path")
				if path == "" {
					if text(c, "image") == "hotline" {
						t.Errorf("%s has no %s", w.name, kind)
					}
					continue
				}
				if code, body := get(t, p.Chat+path); code != 200 || text(c, kind, "httpGet", "port") != "public" {
					t.Errorf("%s of %s at %s: %d %s", kind, w.name, path, code, body)
				}
			}
		}
	}
	if test := fmt.Sprint(list(documents(t, "compose.yaml")[0], "services", "hotline", "healthcheck", "test")); test != "[CMD /hotline probe live]" {
		t.Errorf("compose asks by %s", test)
	}

	_, body := get(t, p.Metrics)
	all := samples(t, body)
	checkLabels(t, all)
	seriesExist(t, all)

	if exit := p.stop(syscall.SIGTERM); exit != 0 {
		t.Errorf("an orderly stop ends with %d", exit)
	}
	if log := p.text(&p.err); strings.Contains(log, "NOPERM") {
		t.Errorf("Redis refused something:\n%s", log)
	}
	denied, err := admin.Do(t.Context(), "ACL", "LOG").Slice()
	if err != nil || len(denied) != 0 {
		t.Errorf("Redis refused %v %v", denied, err)
	}
}

var (
	metricName = regexp.MustCompile(`\b(?:hotline|process|go)_[a-z0-9_]+`)
	matcher    = regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"([^"]*)"`)
)

// seriesExist fails for a metric of the alerts, the dashboard or a runbook that a running program does not have, and for
// a label or a value of one that is not of the closed set.
func seriesExist(t *testing.T, all []sample) {
	t.Helper()
	have := map[string]bool{}
	for _, s := range all {
		have[s.name] = true
	}
	exprs := map[string]string{}
	for _, g := range alertRules(t).Groups {
		for _, r := range g.Rules {
			exprs[r.Expr] = r.Alert
		}
	}
	for _, e := range dashboardExprs(t) {
		exprs[e] = "the dashboard"
	}
	books, _ := filepath.Glob(deployDir + "runbooks/*.md")
	for _, b := range books {
		for _, name := range regexp.MustCompile("hotline_[a-z0-9_]+").FindAllString(deployed(t, "runbooks/"+filepath.Base(b)), -1) {
			exprs[name] = filepath.Base(b)
		}
	}
	if len(exprs) < 60 {
		t.Errorf("only %d expressions", len(exprs))
	}
	// What a healthy run does not have: a channel that is off, a failed send.
	absent := map[string]bool{}
	for e, where := range exprs {
		for _, name := range metricName.FindAllString(e, -1) {
			if !have[name] && !absent[name] {
				t.Errorf("%s asks for %s, which /metrics does not have", where, name)
				absent[name] = true
			}
		}
		for _, m := range matcher.FindAllStringSubmatch(e, -1) {
			label, values := m[1], strings.Split(m[3], "|")
			allowed, ok := closedLabels[label]
			for _, v := range values {
				switch {
				case strings.HasPrefix(v, "$"):
				case !ok:
					t.Errorf("%s asks for the label %s, which nothing has", where, label)
				case label == "why" && !reasons[v], label == "loop" && v != loopRelay && v != loopTimers,
					allowed != nil && !slices.Contains(allowed, v):
					t.Errorf("%s asks for %s=%q, which nothing has", where, label, v)
				}
			}
		}
	}
}

// The program needs nothing of the machine: alone in an empty directory that it cannot leave, as a user who owns
// nothing but its two volumes, it serves and answers its own probe. That is the image of the Dockerfile without Docker.
func TestRunsAloneAsInItsImage(t *testing.T) {
	t.Parallel()
	docker := deployed(t, "Dockerfile")
	build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .* -o )\S+( \./cmd/hotline)$`).FindStringSubmatch(docker)
	if build == nil || !strings.Contains(build[1], "-trimpath") {
		t.Fatal("the Dockerfile does not build the program")
	}
	bin := hotlineBinary(t)
	if os.Getenv("PULANG_SOAK") == "1" { // other flags: everything is compiled anew
		bin = filepath.Join(t.TempDir(), "hotline")
		cmd := exec.Command("sh", "-c", build[1]+bin+build[2])
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("the build of the Dockerfile: %v\n%s", err, out)
		}
	}
	f, err := elf.Open(bin)
	if err != nil {
		t.Skip("not Linux")
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the program is not static: a scratch image has no loader")
		}
	}
	if os.Getuid() != 0 {
		t.Skip("only root can try an empty root directory")
	}
	socket, _ := deployedRedis(t, deployed(t, "redis.conf"))
	root, err := os.MkdirTemp("", "i")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(root, 0o755)) //nolint:gosec // as in an image: everybody may look, root alone may write
	for _, dir := range []string{"data", "keys", "tmp"} {
		must(os.Mkdir(filepath.Join(root, dir), 0o700))
		must(os.Chown(filepath.Join(root, dir), 65532, 65532))
	}
	program, err := os.ReadFile(bin)
	must(err)
	must(os.WriteFile(filepath.Join(root, "hotline"), program, 0o755)) //nolint:gosec // a program
	mission, _, code := runHotline(t, environment(t, t.TempDir()), "", "mission", "example")
	if code != 0 {
		t.Fatal("no example of a mission file")
	}
	must(os.WriteFile(filepath.Join(root, "mission.toml"), []byte(mission), 0o644)) //nolint:gosec // holds nothing secret
	// The socket is reached by a relay inside the directory.
	inside := filepath.Join(root, "data", "redis.sock")
	relaySocket(t, inside, socket)
	must(os.Chown(inside, 65532, 65532))

	var env []string
	for _, m := range regexp.MustCompile(`(HOTLINE_[A-Z_]+)=(\S+)`).FindAllStringSubmatch(docker[strings.Index(docker, "FROM scratch"):], -1) {
		if !strings.HasSuffix(m[1], "LISTEN") {
			env = append(env, m[1]+"="+m[2])
		}
	}
	env = append(env, "HOTLINE_LISTEN="+freeAddress(t), "HOTLINE_DESK_LISTEN=127.0.0.1:0", "HOTLINE_METRICS_LISTEN=127.0.0.1:0", "WEBCHAT=on",
		"HOTLINE_MISSION=/mission.toml", "REDIS_URL=unix://hotline:"+deployPassword+"@/data/redis.sock")
	alone := func(args ...string) (*exec.Cmd, *strings.Builder) {
		var out strings.Builder
		cmd := exec.Command("/hotline", args...)
		cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, "/", &out, &out
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return cmd, &out
	}
	serve, said := alone("serve")
	must(serve.Start())
	ended := make(chan error, 1)
	go func() { ended <- serve.Wait() }()
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		probe, answer := alone("probe", "ready")
		if probe.Run() == nil {
			if !strings.Contains(answer.String(), "redis ok") {
				t.Errorf("ready: %s", answer)
			}
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, said)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("never ready: %s", answer)
		}
	}
	if st, err := os.Stat(filepath.Join(root, "keys", "keys.json")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v %v", st, err)
	}
	check, verdict := alone("check")
	if err := check.Run(); err != nil || !strings.Contains(verdict.String(), "PASS  store") {
		t.Errorf("check: %v\n%s", err, verdict)
	}
	must(serve.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("an orderly stop: %v\n%s", err, said)
		}
	case <-time.After(60 * time.Second):
		_ = serve.Process.Kill()
		t.Error("it did not stop within a minute")
	}
}

// relaySocket passes connections at one socket on to another.
func relaySocket(t *testing.T, from, to string) {
	t.Helper()
	l, err := net.Listen("unix", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("unix", to)
			if err != nil {
				_ = a.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
				go func() {
					defer way[0].Close()
					defer way[1].Close()
					buf := make([]byte, 32<<10)
					for {
						n, err := way[0].Read(buf)
						if n > 0 {
							if _, err := way[1].Write(buf[:n]); err != nil {
								return
							}
						}
						if err != nil {
							return
						}
					}
				}()
			}
		}
	}()
}

// What the tools of others say of our files, where they are installed.
func TestDeployedFilesByTheirTools(t *testing.T) {
	t.Parallel()
	tool := func(t *testing.T, name string) string {
		t.Helper()
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("%s is not installed", name)
		}
		return path
	}
	t.Run("promtool", func(t *testing.T) {
		if out, err := exec.Command(tool(t, "promtool"), "check", "rules", deployDir+"alerts.yaml").CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("caddy", func(t *testing.T) {
		caddy, dir := tool(t, "caddy"), t.TempDir()
		ca := filepath.Join(dir, "ca.pem")
		if err := os.WriteFile(ca, []byte(testAuthority(t)), 0o600); err != nil {
			t.Fatal(err)
		}
		conf := strings.ReplaceAll(deployed(t, "Caddyfile"), "/etc/caddy/desk-ca.pem", ca)
		if err := os.WriteFile(filepath.Join(dir, "Caddyfile"), []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(caddy, "validate", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "HOTLINE_HOST=bantuan.example.org"}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("systemd-analyze", func(t *testing.T) {
		analyze, dir := tool(t, "systemd-analyze"), t.TempDir()
		for _, unit := range []string{"hotline.service", "hotline-backup.service", "hotline-backup.timer", "hotline-drill.service", "hotline-drill.timer"} {
			body := strings.ReplaceAll(deployed(t, unit), "/usr/local/bin/hotline", hotlineBinary(t))
			if err := os.WriteFile(filepath.Join(dir, unit), []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, unit := range []string{"hotline.service", "hotline-backup.service", "hotline-backup.timer", "hotline-drill.service", "hotline-drill.timer"} {
			out, err := exec.Command(analyze, "verify", "--man=no", filepath.Join(dir, unit)).CombinedOutput()
			if strings.Contains(string(out), "Failed to ") {
				t.Skipf("systemd-analyze cannot run here: %s", out)
			}
			if err != nil || strings.Contains(string(out), unit+":") {
				t.Errorf("%s: %v\n%s", unit, err, out)
			}
		}
		out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=20", filepath.Join(dir, "hotline.service")).CombinedOutput()
		if err != nil {
			t.Errorf("the service is more exposed than 2.0: %v\n%s", err, out[max(0, len(out)-400):])
		}
	})
	t.Run("kustomize", func(t *testing.T) {
		out, err := exec.Command(tool(t, "kubectl"), "kustomize", deployDir+"kubernetes").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "kind: StatefulSet") {
			t.Errorf("%v\n%.500s", err, out)
		}
	})
}

// testAuthority is a certificate authority of no use, in PEM.
func testAuthority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "desk"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
