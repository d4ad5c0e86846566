package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pulang/bot/needed"
	"pulang/bot/store"
)

// Every bad setting ends with one line that says what to do, and the contract's exit code; never with a stack trace.
func TestBadSettings(t *testing.T) {
	mission := exampleFile(t)
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	broken := write("broken.toml", "code = [", 0o600)
	unknownKey := write("unknown.toml", "colour = \"red\"\n", 0o600)
	empty := write("empty.txt", "\n", 0o600)
	openKeys := write("keys.json", "{}", 0o644)
	wordDir := filepath.Join(dir, "words")
	if err := os.Mkdir(wordDir, 0o700); err != nil {
		t.Fatal(err)
	}
	write("words/words.txt", "paspor: krompyang\npaspor krompyang\n", 0o600)
	emptyDir := filepath.Join(dir, "nothing")
	if err := os.Mkdir(emptyDir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	token := "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, c := range []struct {
		args string
		env  []string
		code int
		say  string // part of the line
	}{
		{"bogus", nil, 2, "bogus"},
		{"", nil, 2, "expected one of"},
		{"demo --bogus", nil, 2, "--bogus"},
		{"serve extra", nil, 2, "extra"},
		{"serve", nil, 2, "HOTLINE_MISSION"},
		{"serve", []string{"HOTLINE_MISSION=/nonexistent"}, 2, "mission example"},
		{"serve", []string{"HOTLINE_MISSION=" + broken}, 2, "broken.toml"},
		{"serve", []string{"HOTLINE_MISSION=" + unknownKey}, 2, "colour"},
		{"serve", []string{"HOTLINE_MISSION=" + emptyDir}, 2, "toml"},
		{"serve", []string{"HOTLINE_MISSION=" + mission, "HOTLINE_WORDS=" + wordDir}, 2, "words.txt, line 2"},
		{"demo", []string{"HOTLINE_WORDS=" + wordDir}, 2, "words.txt, line 2"},
		{"chat", []string{"HOTLINE_WORDS=" + wordDir}, 2, "words.txt, line 2"},
		{"understand --words " + wordDir, nil, 2, "words.txt, line 2"},
		{"understand --words " + emptyDir, nil, 2, "no word list"},
		{"understand --words /nonexistent", nil, 2, "/nonexistent"},
		{"serve", []string{"HOTLINE_LISTEN=8080"}, 2, "HOTLINE_LISTEN"},
		{"serve", []string{"HOTLINE_LISTEN=localhost:99999"}, 2, "HOST:PORT"},
		{"serve", []string{"HOTLINE_URL=ftp://secret-host/"}, 2, "https://"},
		{"serve", []string{"HOTLINE_TRUSTED_PROXIES=10.0.0.0/99"}, 2, "network"},
		{"serve", []string{"WEBCHAT=perhaps"}, 2, "on or off"},
		{"serve", []string{"HOTLINE_REDIS_WAIT=many"}, 2, "REPLICAS,TIME"},
		{"serve", []string{"HOTLINE_MISSION=" + mission, "HOTLINE_REDIS_WAIT=1", "HOTLINE_DATA=" + filepath.Join(dir, "w")}, 2, "REDIS_URL"},
		{"serve", []string{"WHATSAPP=perhaps"}, 2, "on or off"},
		{"serve", []string{"WHATSAPP=on", "WHATSAPP_VERSION=newest"}, 2, "WHATSAPP_VERSION"},
		{"serve", []string{"WHATSAPP=on", "WHATSAPP_STORE=mysql://x:hunter2@h/"}, 2, "postgres://"},
		{"whatsapp link --phone 0812", nil, 2, "international"},
		{"whatsapp status", nil, 1, ""},
		{"whatsapp unlink", nil, 1, "no number is linked"},
		{"serve", []string{"HOTLINE_LOG_LEVEL=loud"}, 2, "debug"},
		{"serve", []string{"TELEGRAM_TOKEN=nonsense"}, 2, "BotFather"},
		{"serve", []string{"TELEGRAM_TOKEN=" + token, "TELEGRAM_TOKEN_FILE=" + empty}, 2, "keep one"},
		{"serve", []string{"TELEGRAM_TOKEN_FILE=/nonexistent"}, 2, "TELEGRAM_TOKEN_FILE"},
		{"serve", []string{"TELEGRAM_TOKEN_FILE=" + empty}, 2, "empty"},
		{"serve", []string{"TELEGRAM_WEBHOOK_URL=https://example.org/hook"}, 2, "TELEGRAM_TOKEN"},
		{"serve", []string{"TELEGRAM_TOKEN=" + token, "TELEGRAM_WEBHOOK_URL=https://example.org/hook"}, 2, "TELEGRAM_WEBHOOK_SECRET"},
		{"serve", []string{"TELEGRAM_TOKEN=" + token, "TELEGRAM_WEBHOOK_URL=https://example.org/hook", "TELEGRAM_WEBHOOK_SECRET=short"}, 2, "16"},
		{"serve", []string{"TELEGRAM_TOKEN=" + token, "TELEGRAM_WEBHOOK_URL=https://example.org/", "TELEGRAM_WEBHOOK_SECRET=0123456789abcdef"}, 2, "path"},
		{"serve", []string{"REDIS_URL=mysql://x:hunter2@h/"}, 2, "redis://"},
		{"serve", []string{"REDIS_URL=redis://x:hunter2@127.0.0.1:1/"}, 1, "REDIS_URL"},
		{"serve", []string{"HOTLINE_LISTEN=" + l.Addr().String()}, 1, "HOTLINE_LISTEN"},
		{"serve", []string{"PATH=/nonexistent"}, 1, "redis-server"},
		{"demo", []string{"HOTLINE_DESK_LISTEN=" + l.Addr().String()}, 1, "HOTLINE_DESK_LISTEN"},
		{"chat --lang fr", nil, 2, "--lang"},
		{"understand --step nonsense", nil, 2, "nonsense"},
		{"flow graph --format dot", nil, 2, "--format"},
		{"staff add siti --role king", nil, 2, "--role"},
		{"staff add siti", nil, 2, "--role"},
		{"case show hello", nil, 2, "K7M4-692L"},
		{"case erase hello --reason x", nil, 2, "K7M4-692L"},
		{"case erase K7M4-692L", nil, 2, "--reason"},
		{"queue list --json", nil, 2, "HOTLINE_DATA"},
		{"check", []string{"HOTLINE_KEYS=" + openKeys}, 1, ""},
	} {
		name := strings.Join(append(strings.Fields(c.args), c.env...), " ")
		t.Run(name, func(t *testing.T) {
			env := environment(t, filepath.Join(t.TempDir(), "data"), "HOTLINE_MISSION="+mission)
			if c.env == nil && c.args == "serve" {
				env = append(env, "HOTLINE_MISSION=")
			}
			out, errs, code := runHotline(t, append(env, c.env...), "", strings.Fields(c.args)...)
			if code != c.code {
				t.Errorf("exit %d, want %d\n%s%s", code, c.code, out, errs)
			}
			if c.args == "check" {
				if !strings.Contains(out, "FAIL  keys") || errs != "" {
					t.Errorf("%q %q", out, errs)
				}
				return
			}
			if !strings.HasPrefix(errs, "hotline: ") || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, c.say) {
				t.Errorf("want one line with %q, got %q", c.say, errs)
			}
			for _, secret := range []string{"hunter2", token, "secret-host", "goroutine", ".go:"} {
				if strings.Contains(errs, secret) {
					t.Errorf("%q is in %q", secret, errs)
				}
			}
		})
	}
}

// What the store refuses ends the start with one line and exit code 1.
func TestRefusedStores(t *testing.T) {
	needed.Program(t, "redis-server")
	mission := exampleFile(t)
	one := func(t *testing.T, env []string, want string, args ...string) {
		t.Helper()
		_, errs, code := runHotline(t, env, "", args...)
		if code != 1 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) {
			t.Errorf("exit %d, %q; want 1 and one line with %q", code, errs, want)
		}
	}
	t.Run("another key file", func(t *testing.T) {
		data := filepath.Join(t.TempDir(), "data")
		p := startHotline(t, data, []string{"serve"}, "HOTLINE_MISSION="+mission)
		one(t, p.env, "another hotline", "serve")
		p.stop(15)
		keys, err := store.NewKeyring()
		if err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(t.TempDir(), "other.json")
		if err := keys.Write(other); err != nil {
			t.Fatal(err)
		}
		one(t, append(p.env, "HOTLINE_KEYS="+other), "HOTLINE_KEYS", "serve")
		one(t, append(p.env, "HOTLINE_KEYS="+filepath.Join(t.TempDir(), "gone.json")), "HOTLINE_KEYS", "serve")
		one(t, p.env, "real", "demo")
	})
	t.Run("weak settings", func(t *testing.T) {
		url := startRedis(t, "--appendonly", "yes", "--appendfsync", "everysec")
		env := environment(t, filepath.Join(t.TempDir(), "data"), "HOTLINE_MISSION="+mission, "REDIS_URL="+url)
		one(t, env, "appendfsync", "serve")
		out, _, code := runHotline(t, env, "", "check")
		if code != 1 || !strings.Contains(out, "FAIL  durability") {
			t.Errorf("check: %d %s", code, out)
		}
		p := startHotline(t, filepath.Join(t.TempDir(), "data"), []string{"serve", "--accept-data-loss"}, "HOTLINE_MISSION="+mission, "REDIS_URL="+url)
		one(t, append(p.env, "REDIS_URL="+url), "another hotline", "serve", "--accept-data-loss")
	})
}

// A conversation through a pipe: nothing but the bot's words on standard output, and nothing is kept.
func TestChat(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	env := environment(t, data, "REDIS_URL=redis://127.0.0.1:1", "TELEGRAM_TOKEN=x")
	out, errs, code := runHotline(t, env, "halo\n1\n1\nPoipet\n", "chat")
	if code != 0 || !strings.Contains(out, "Apakah Anda aman") || !strings.Contains(out, "Laporan ini untuk siapa") || !strings.Contains(out, "1. Aman") {
		t.Errorf("%d %q %q", code, out, errs)
	}
	if strings.Contains(out, "> ") {
		t.Error("a prompt in a pipe")
	}
	out, _, code = runHotline(t, env, "hello\n", "chat", "--lang", "en")
	if code != 0 || !strings.Contains(out, "Safe") && !strings.Contains(out, "safe") {
		t.Errorf("English: %d %q", code, out)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("chat made a data directory")
	}
}

// What the small commands print.
func TestPrinting(t *testing.T) {
	env := environment(t, filepath.Join(t.TempDir(), "data"))
	for _, c := range []struct{ args, input, want string }{
		{"--help", "", "TELEGRAM_WEBHOOK_SECRET"},
		{"--help", "", "HOTLINE_STAFF_PASSWORD"},
		{"mission example", "", "confirmed_on"},
		{"flow graph", "", "flowchart TD"},
		{"flow graph --format json", "", `"safety_now"`},
		{"understand", "saya di bavet paspor ditahan bos\n\n", "held_by_employer"},
		{"understand --step safety_now", "2\n", "watched"},
	} {
		out, errs, code := runHotline(t, env, c.input, strings.Fields(c.args)...)
		if code != 0 || !strings.Contains(out, c.want) || errs != "" {
			t.Errorf("%s: %d, want %q in %.300q %q", c.args, code, c.want, out, errs)
		}
	}
	out, _, _ := runHotline(t, env, "", "mission", "example")
	path := filepath.Join(t.TempDir(), "m.toml")
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, _ := runHotline(t, append(env, "HOTLINE_MISSION="+path), "", "check"); !strings.Contains(out, "PASS  mission") {
		t.Errorf("the printed example is not accepted: %s %s", out, errs)
	}
}
