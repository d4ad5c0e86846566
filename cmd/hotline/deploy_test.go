package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"pulang/bot/store"
)

const deployDir = "../../deploy/"

func deployed(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(deployDir + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// node is a map of YAML; at walks down by keys ("a", "b") and gives nil where there is nothing.
type node = map[string]any

func at(v any, path ...string) any {
	for _, key := range path {
		m, ok := v.(node)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func text(v any, path ...string) string {
	s, _ := at(v, path...).(string)
	return s
}

func list(v any, path ...string) []any {
	l, _ := at(v, path...).([]any)
	return l
}

// documents reads every document of a YAML file; a key that stands twice is an error of the reader.
func documents(t testing.TB, name string) []node {
	t.Helper()
	var out []node
	for dec := yaml.NewDecoder(strings.NewReader(deployed(t, name))); ; {
		var n node
		err := dec.Decode(&n)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, n)
	}
}

// manifests are all Kubernetes objects, the example of the secrets included.
func manifests(t testing.TB) []node {
	t.Helper()
	var out []node
	named := list(documents(t, "kubernetes/kustomization.yaml")[0], "resources")
	files, err := filepath.Glob(deployDir + "kubernetes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		if name == "kustomization.yaml" {
			continue
		}
		if name != "secrets.example.yaml" && !slices.Contains(named, any(name)) {
			t.Errorf("kustomization.yaml leaves out %s", name)
		}
		out = append(out, documents(t, "kubernetes/"+name)...)
	}
	return out
}

// workload is something that runs pods.
type workload struct {
	name       string
	object     node
	pod        any
	containers []any
}

func workloads(t testing.TB) []workload {
	t.Helper()
	var out []workload
	for _, m := range manifests(t) {
		pod := at(m, "spec", "template")
		if text(m, "kind") == "CronJob" {
			pod = at(m, "spec", "jobTemplate", "spec", "template")
		}
		if pod != nil {
			out = append(out, workload{text(m, "metadata", "name"), m, pod, list(pod, "spec", "containers")})
		}
	}
	return out
}

// Every setting that a deployment names is one of the program's, and the ports are those of its listeners.
func TestDeployedSettingsExist(t *testing.T) {
	t.Parallel()
	help, _, code := runHotline(t, environment(t, t.TempDir()), "", "--help")
	if code != 0 {
		t.Fatal(code)
	}
	names := map[string]string{} // where each is used
	add := func(where string, names2 ...string) {
		for _, n := range names2 {
			names[n] = where
		}
	}
	env := regexp.MustCompile(`(?m)^\s*(?:ENV )?((?:HOTLINE|TELEGRAM|WHATSAPP|WEBCHAT|REDIS)[A-Z_]*)=`)
	for _, file := range []string{"Dockerfile", "environment.example", "hotline.service"} {
		for _, m := range env.FindAllStringSubmatch(strings.ReplaceAll(deployed(t, file), "\n#", "\n"), -1) {
			add(file, m[1])
		}
	}
	for _, s := range at(documents(t, "compose.yaml")[0], "services").(node) {
		if settings, ok := at(s, "environment").(node); ok {
			for name := range settings {
				add("compose.yaml", name)
			}
		}
	}
	delete(names, "HOTLINE_HOST") // compose.yaml's own, for Caddy
	for _, m := range manifests(t) {
		if text(m, "kind") == "ConfigMap" && text(m, "metadata", "name") == "hotline" {
			for name := range at(m, "data").(node) {
				add("config.yaml", name)
			}
		}
	}
	for _, w := range workloads(t) {
		for _, c := range w.containers {
			for _, e := range list(c, "env") {
				add(w.name, text(e, "name"))
			}
		}
	}
	for _, f := range []string{"service-down.md", "new-bot.md", "whatsapp-banned.md", "restore.md"} {
		for _, m := range regexp.MustCompile("`((?:HOTLINE|TELEGRAM|WHATSAPP|WEBCHAT|REDIS)_[A-Z_]+)`").FindAllStringSubmatch(deployed(t, "runbooks/"+f), -1) {
			add(f, m[1])
		}
	}
	if len(names) < 12 {
		t.Fatalf("only %d settings were found: %v", len(names), names)
	}
	for name, where := range names {
		if !regexp.MustCompile(`\b` + strings.TrimSuffix(name, "_FILE") + `\b`).MatchString(help) {
			t.Errorf("%s sets %s, which `hotline --help` does not know", where, name)
		}
	}

	ports := map[string]string{}
	for _, m := range regexp.MustCompile(`127\.0\.0\.1:(\d+)"\s+([A-Z][a-z /,]+)`).FindAllStringSubmatch(help, -1) {
		ports[strings.Fields(m[2])[0]] = m[1]
	}
	want := []string{"8080", "8081", "9090"}
	for _, p := range want {
		if !strings.Contains(help, "127.0.0.1:"+p) {
			t.Errorf("no listener of the program is on %s by default", p)
		}
	}
	docker := deployed(t, "Dockerfile")
	if !strings.Contains(docker, "EXPOSE "+strings.Join(want, " ")+"\n") {
		t.Error("the Dockerfile exposes other ports than the listeners'")
	}
	for _, p := range want {
		if !strings.Contains(docker, "LISTEN=0.0.0.0:"+p) {
			t.Errorf("no listener in the image is on %s", p)
		}
	}
	caddy := deployed(t, "Caddyfile")
	if !strings.Contains(caddy, "reverse_proxy hotline:8080") || !strings.Contains(caddy, "reverse_proxy hotline:8081") || strings.Contains(caddy, "9090") {
		t.Error("Caddy does not lead to the two listeners, or leads to the metrics")
	}
}

// What is published is what has to be: the desk and the metrics only on loopback, nothing runs as root or may write to
// its own files.
func TestComposeIsClosed(t *testing.T) {
	t.Parallel()
	c := documents(t, "compose.yaml")[0]
	services := at(c, "services").(node)
	for name, s := range services {
		if at(s, "read_only") != true || !slices.Contains(list(s, "cap_drop"), any("ALL")) || !slices.Contains(list(s, "security_opt"), any("no-new-privileges:true")) {
			t.Errorf("%s may write to its root, keeps capabilities, or may gain some", name)
		}
		for _, p := range list(s, "ports") {
			if name != "caddy" && !strings.HasPrefix(p.(string), "127.0.0.1:") {
				t.Errorf("%s publishes %v beyond this machine", name, p)
			}
		}
		for _, secret := range list(s, "secrets") {
			if at(c, "secrets", secret.(string), "file") == nil {
				t.Errorf("%s uses the secret %v, which is no file", name, secret)
			}
		}
		for _, n := range list(s, "networks") {
			if _, ok := at(c, "networks").(node)[n.(string)]; !ok {
				t.Errorf("%s is on the network %v, which there is not", name, n)
			}
		}
		settings, _ := at(s, "environment").(node)
		for key, value := range settings {
			if strings.HasSuffix(key, "_FILE") && !slices.Contains(list(s, "secrets"), any(strings.TrimPrefix(value.(string), "/run/secrets/"))) {
				t.Errorf("%s: %s=%v is none of its secrets", name, key, value)
			}
		}
	}
	if at(services["redis"], "ports") != nil || at(c, "networks", "store", "internal") != true {
		t.Error("Redis can be reached from outside")
	}
	for _, line := range strings.Split(deployed(t, "Dockerfile"), "\n") {
		if from, ok := strings.CutPrefix(line, "FROM "); ok && strings.Contains(from, "/") {
			t.Errorf("an image with a registry's name: %s", from)
		}
	}
	if !strings.Contains(deployed(t, "Dockerfile"), "USER 65532:65532") || !strings.Contains(deployed(t, "Dockerfile"), "FROM scratch\n") {
		t.Error("the image runs as root, or holds more than the program")
	}
}

// Every pod is as closed as Kubernetes' "restricted" asks, every selector finds its pods, and every port has a name.
func TestManifestsFitTogether(t *testing.T) {
	t.Parallel()
	pods := map[string]map[string]bool{} // ports by the name label
	kinds := map[string]int{}
	for _, w := range workloads(t) {
		label := text(w.pod, "metadata", "labels", "app.kubernetes.io/name")
		pods[label] = map[string]bool{}
		if sel := at(w.object, "spec", "selector", "matchLabels", "app.kubernetes.io/name"); sel != nil && sel != label {
			t.Errorf("%s selects %v and makes %s", w.name, sel, label)
		}
		if at(w.pod, "spec", "automountServiceAccountToken") != false || at(w.pod, "spec", "securityContext", "runAsNonRoot") != true ||
			text(w.pod, "spec", "securityContext", "seccompProfile", "type") != "RuntimeDefault" {
			t.Errorf("%s: token, root or seccomp", w.name)
		}
		volumes := map[string]bool{}
		for _, v := range list(w.pod, "spec", "volumes") {
			volumes[text(v, "name")] = true
		}
		for _, v := range list(w.object, "spec", "volumeClaimTemplates") {
			volumes[text(v, "metadata", "name")] = true
		}
		for _, c := range w.containers {
			if strings.Contains(text(c, "image"), "/") {
				t.Errorf("%s: an image with a registry's name", w.name)
			}
			if at(c, "securityContext", "allowPrivilegeEscalation") != false || at(c, "securityContext", "readOnlyRootFilesystem") != true ||
				!slices.Contains(list(c, "securityContext", "capabilities", "drop"), any("ALL")) {
				t.Errorf("%s: privileges, root file system or capabilities", w.name)
			}
			if at(c, "resources", "requests", "memory") == nil || at(c, "resources", "limits", "memory") == nil {
				t.Errorf("%s: no resources", w.name)
			}
			for _, m := range list(c, "volumeMounts") {
				if !volumes[text(m, "name")] {
					t.Errorf("%s mounts %s, which there is not", w.name, text(m, "name"))
				}
			}
			for _, p := range list(c, "ports") {
				pods[label][text(p, "name")] = true
			}
		}
	}
	if !pods["hotline"]["public"] || !pods["hotline"]["desk"] || !pods["hotline"]["metrics"] || !pods["redis"]["redis"] {
		t.Fatalf("the pods have the ports %v", pods)
	}
	services := map[string]map[string]bool{}
	for _, m := range manifests(t) {
		kind, name := text(m, "kind"), text(m, "metadata", "name")
		kinds[kind]++
		if ns := text(m, "metadata", "namespace"); ns != "hotline" && kind != "Namespace" {
			t.Errorf("%s %s is in the namespace %q", kind, name, ns)
		}
		switch kind {
		case "Service":
			of := pods[text(m, "spec", "selector", "app.kubernetes.io/name")]
			services[name] = map[string]bool{}
			for _, p := range list(m, "spec", "ports") {
				services[name][text(p, "name")] = true
				if !of[text(p, "targetPort")] {
					t.Errorf("the service %s leads to the port %s, which its pods do not have", name, text(p, "targetPort"))
				}
			}
		case "PodDisruptionBudget":
			if pods[text(m, "spec", "selector", "matchLabels", "app.kubernetes.io/name")] == nil {
				t.Errorf("the budget %s is for no pod", name)
			}
		case "Secret":
			for key, v := range at(m, "stringData").(node) {
				if v != "" {
					t.Errorf("the example of the secrets has one, %s", key)
				}
			}
		}
	}
	for _, kind := range []string{"Namespace", "Deployment", "StatefulSet", "CronJob", "Service", "Ingress", "Secret", "NetworkPolicy", "PodDisruptionBudget"} {
		if kinds[kind] == 0 {
			t.Errorf("there is no %s", kind)
		}
	}
	for _, m := range manifests(t) {
		if text(m, "kind") != "Ingress" {
			continue
		}
		for _, r := range list(m, "spec", "rules") {
			for _, p := range list(r, "http", "paths") {
				if s, port := text(p, "backend", "service", "name"), text(p, "backend", "service", "port", "name"); !services[s][port] || s == "metrics" {
					t.Errorf("an ingress leads to %s %s", s, port)
				}
			}
		}
	}
	// The desk's ingress asks for a certificate.
	if !strings.Contains(deployed(t, "kubernetes/ingress.yaml"), `auth-tls-verify-client: "on"`) {
		t.Error("the desk's ingress takes everybody")
	}
}

// redisDirectives are the settings of a redis.conf, one a line.
func redisDirectives(conf string) []string {
	var out []string
	for line := range strings.Lines(conf) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// clusterConf is the redis.conf of the Kubernetes manifests.
func clusterConf(t testing.TB) string {
	for _, m := range manifests(t) {
		if text(m, "kind") == "ConfigMap" && text(m, "metadata", "name") == "redis" {
			return text(m, "data", "redis.conf")
		}
	}
	t.Fatal("no redis.conf in the manifests")
	return ""
}

// The two copies of the settings differ only in where the server listens and keeps its data; and they have what spares
// an own redis-server memory and work.
func TestRedisSettingsAreTheSame(t *testing.T) {
	t.Parallel()
	place := func(s string) bool {
		return slices.Contains([]string{"port", "unixsocket", "unixsocketperm", "dir", "aclfile"}, strings.Fields(s)[0])
	}
	a, b := slices.DeleteFunc(redisDirectives(deployed(t, "redis.conf")), place), slices.DeleteFunc(redisDirectives(clusterConf(t)), place)
	if !slices.Equal(a, b) || len(a) < 7 {
		t.Errorf("redis.conf has\n%v\nthe manifests\n%v", a, b)
	}
	for lean := store.LeanSettings(); len(lean) > 0; lean = lean[2:] {
		if want := strings.TrimPrefix(lean[0], "--") + " " + lean[1]; !slices.Contains(a, want) {
			t.Errorf("redis.conf lacks %q", want)
		}
	}
}

// rules is alerts.yaml, strictly.
type rules struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

func alertRules(t testing.TB) rules {
	t.Helper()
	var r rules
	dec := yaml.NewDecoder(strings.NewReader(deployed(t, "alerts.yaml")))
	dec.KnownFields(true)
	if err := dec.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

// dashboardExprs are the queries of dashboard.json.
func dashboardExprs(t testing.TB) []string {
	t.Helper()
	var d struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr string }
		}
		Templating struct{ List []struct{ Query string } }
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(deployed(t, "dashboard.json"))))
	if err := dec.Decode(&d); err != nil {
		t.Fatal(err)
	}
	var out []string
	ids := map[int]bool{}
	for i, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q: id, title or place", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, q := range d.Panels[:i] {
			a, b := p.GridPos, q.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%q lies over %q", p.Title, q.Title)
			}
		}
		for _, target := range p.Targets {
			out = append(out, target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		out = append(out, v.Query)
	}
	return out
}

// Each alert has a severity, a summary and a runbook that speaks of it; and the table of runbooks is complete.
func TestAlertsLeadToRunbooks(t *testing.T) {
	t.Parallel()
	table := deployed(t, "runbooks/README.md")
	files, err := filepath.Glob(deployDir + "runbooks/*.md")
	if err != nil || len(files) < 8 {
		t.Fatal(err, files)
	}
	seen := map[string]bool{}
	for _, g := range alertRules(t).Groups {
		for _, r := range g.Rules {
			if seen[r.Alert] || r.Expr == "" || r.Annotations["summary"] == "" || r.Labels["severity"] != "page" && r.Labels["severity"] != "warn" {
				t.Errorf("%s: twice, or without expression, summary or severity", r.Alert)
			}
			seen[r.Alert] = true
			book := r.Annotations["runbook"]
			if book == "" || filepath.Base(book) != book || !strings.Contains(deployed(t, "runbooks/"+book), r.Alert) {
				t.Errorf("%s: its runbook %q does not speak of it", r.Alert, book)
			}
			if !regexp.MustCompile(`\(` + regexp.QuoteMeta(book) + `\).*\b` + r.Alert + `\b`).MatchString(table) {
				t.Errorf("the table of runbooks does not lead from %s to %s", r.Alert, book)
			}
		}
	}
	named := regexp.MustCompile(`\bHotline[A-Z]\w+`)
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	for _, f := range files {
		name := filepath.Base(f)
		body := deployed(t, "runbooks/"+name)
		for _, a := range named.FindAllString(body, -1) {
			if !seen[a] {
				t.Errorf("%s speaks of the alert %s, which there is not", name, a)
			}
		}
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(f), m[1])); err != nil {
				t.Errorf("%s leads to %s: %v", name, m[1], err)
			}
		}
		if name == "README.md" {
			continue
		}
		if !strings.Contains(table, "("+name+")") {
			t.Errorf("the table leaves out %s", name)
		}
		for _, part := range []string{"**You notice it**", "**It is over**"} {
			if !strings.Contains(body, part) {
				t.Errorf("%s does not say %s", name, part)
			}
		}
	}
}

// Every command of a runbook exists, with its flags; every file that it or a unit names is here.
func TestRunbookCommandsExist(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(deployDir + "runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	env := environment(t, t.TempDir())
	command := regexp.MustCompile("(?m)(?:^\\s*|`)hotline ([a-z][^`\n]*)")
	path := regexp.MustCompile(`\bdeploy/[A-Za-z0-9_./-]*[A-Za-z0-9]`)
	helps := map[string]string{}
	found := 0
	for _, f := range append(files, deployDir+"hotline-backup.service", deployDir+"hotline-drill.service", deployDir+"compose.yaml", deployDir+"hotline.service") {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range command.FindAllStringSubmatch(string(body), -1) {
			var words, flags []string
			for _, w := range strings.Fields(m[1]) {
				switch {
				case strings.HasPrefix(w, "--"):
					name, _, _ := strings.Cut(w, "=")
					flags = append(flags, name)
				case len(flags) == 0 && regexp.MustCompile(`^[a-z-]+$`).MatchString(w) && len(words) < 2:
					words = append(words, w)
				}
			}
			found++
			key := strings.Join(words, " ")
			help, ok := helps[key]
			if !ok {
				out, errs, code := runHotline(t, env, "", append(slices.Clone(words), "--help")...)
				usage, _, _ := strings.Cut(out, "\n")
				// The second word may be an argument: hotline probe [<what>].
				if code != 0 || !strings.Contains(usage+" ", "hotline "+key+" ") && !strings.Contains(usage, "hotline "+words[0]+" [<") {
					t.Errorf("%s: `hotline %s` is no command: %d %s", filepath.Base(f), key, code, errs)
				}
				help = out
				helps[key] = out
			}
			for _, flag := range flags {
				if !strings.Contains(help, flag) {
					t.Errorf("%s: `hotline %s` has no %s", filepath.Base(f), key, flag)
				}
			}
		}
		for _, p := range path.FindAllString(string(body), -1) {
			if strings.HasPrefix(p, "deploy/secrets") || strings.HasPrefix(p, "deploy/backups") || strings.HasPrefix(p, "deploy/.env") || p == "deploy/mission.toml" || p == "deploy/hotline" {
				continue // the operator's own
			}
			if _, err := os.Stat("../../" + p); err != nil {
				t.Errorf("%s names %s, which is not there", filepath.Base(f), p)
			}
		}
	}
	if found < 30 || len(helps) < 12 {
		t.Errorf("only %d commands of %d kinds were found", found, len(helps))
	}
}

// No deployment holds a secret, a machine's own path or a registry's address.
func TestDeployedFilesHoldNothingOfAMachine(t *testing.T) {
	t.Parallel()
	bad := regexp.MustCompile(`/work/|/root/|/home/|[a-z0-9.-]+\.(?:io|com|dev)/[a-z]+/[a-z]+:|\b\d{6,}:[A-Za-z0-9_-]{30,}`)
	err := filepath.WalkDir(deployDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if m := bad.Find(b); m != nil {
			t.Errorf("%s has %q", path, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
