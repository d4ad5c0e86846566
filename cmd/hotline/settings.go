package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/flows/lexicon"
)

// Settings are the flags that every subcommand shares. Each is an environment variable as well.
type Settings struct {
	Data            string    `env:"HOTLINE_DATA" placeholder:"DIR" help:"Data directory: own Redis, keys (default ./data; demo: ./data-demo)."`
	Listen          addr      `env:"HOTLINE_LISTEN" default:"127.0.0.1:8080" help:"Public listener: webhook, web chat, /healthz, /readyz."`
	DeskListen      addr      `env:"HOTLINE_DESK_LISTEN" default:"127.0.0.1:8081" help:"Listener of the staff's desk."`
	MetricsListen   addr      `env:"HOTLINE_METRICS_LISTEN" default:"127.0.0.1:9090" help:"Listener of /metrics (Prometheus)."`
	URL             webURL    `env:"HOTLINE_URL" placeholder:"URL" help:"Public address of the web chat (default: from the listener)."`
	DeskURL         webURL    `env:"HOTLINE_DESK_URL" placeholder:"URL" help:"Public address of the desk (default: from the listener)."`
	SourceURL       webURL    `env:"HOTLINE_SOURCE_URL" placeholder:"URL" help:"Where this program's source is offered to its users (AGPL-3.0 section 13)."`
	Proxies         networks  `name:"trusted-proxies" env:"HOTLINE_TRUSTED_PROXIES" placeholder:"CIDR,…" help:"Networks whose X-Forwarded-For is believed."`
	Missions        string    `name:"mission-file" env:"HOTLINE_MISSION" placeholder:"FILE" help:"Mission file (TOML) or a directory of them; see 'hotline mission example'."`
	Keys            string    `env:"HOTLINE_KEYS" placeholder:"FILE" help:"Key file for personal data at rest (default keys.json in the data directory)."`
	AuditHeads      string    `name:"audit-heads" env:"HOTLINE_AUDIT_HEADS" placeholder:"FILE" help:"Where 'serve' keeps the ends of the audit logs, best on another disk (default audit-heads in the data directory)."`
	Words           string    `name:"words" env:"HOTLINE_WORDS" placeholder:"DIR" help:"Directory of word lists that extend and override the built-in ones."`
	Telegram        webURL    `name:"telegram-api-url" env:"TELEGRAM_API_URL" placeholder:"URL" help:"Bot API server (default Telegram's)."`
	Webhook         webURL    `name:"telegram-webhook-url" env:"TELEGRAM_WEBHOOK_URL" placeholder:"URL" help:"Public webhook URL to register; unset: long polling."`
	WhatsApp        onOff     `name:"whatsapp" env:"WHATSAPP" placeholder:"on|off" help:"The WhatsApp channel (after 'hotline whatsapp link')."`
	WhatsAppVersion string    `name:"whatsapp-version" env:"WHATSAPP_VERSION" default:"auto" placeholder:"VERSION" help:"Version of WhatsApp Web to log in as: auto asks WhatsApp at the start, builtin is the program's, or 2.3000.NNN."`
	WhatsAppRate    float64   `name:"whatsapp-rate" env:"WHATSAPP_RATE" default:"1" placeholder:"N" help:"Messages a second that the number sends at most; faster numbers are banned sooner."`
	Webchat         onOff     `env:"WEBCHAT" placeholder:"on|off" help:"The browser chat (default off; demo: on)."`
	SecondFactor    onOff     `name:"second-factor" env:"HOTLINE_SECOND_FACTOR" placeholder:"on|off" help:"Accounts of the desk must set an authenticator app up at their first sign-in (default on; demo: off)."`
	RedisWait       redisWait `name:"redis-wait" env:"HOTLINE_REDIS_WAIT" placeholder:"N,TIME" help:"Replicas that must have a message within that time before it is acknowledged (default with Sentinel and Cluster 1,1s; else 0)."`
	AcceptLoss      bool      `name:"accept-data-loss" help:"Start although the given Redis may lose acknowledged messages."`
	LogLevel        logLevel  `env:"HOTLINE_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
}

// Own parser types, so that a malformed value ends with one line and exit code 2 before anything is started.
type (
	addr     string
	webURL   string
	networks []netip.Prefix
	onOff    string
	logLevel slog.Level
)

// UnmarshalText reads "host:port"; port 0 lets the system choose.
func (a *addr) UnmarshalText(b []byte) error {
	_, port, err := net.SplitHostPort(string(b))
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is not an address: write HOST:PORT, such as 127.0.0.1:8080", b)
	}
	*a = addr(b)
	return nil
}

// UnmarshalText reads an http or https address.
func (u *webURL) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*u = ""
		return nil
	}
	p, err := url.Parse(string(b))
	// The value is not repeated: somebody may have put a token into it.
	if err != nil || p.Host == "" || p.Scheme != "http" && p.Scheme != "https" || p.User != nil {
		return fmt.Errorf("not a web address: write it like https://bantuan.example.org/")
	}
	*u = webURL(b)
	return nil
}

// UnmarshalText reads networks and single addresses, separated by commas.
func (n *networks) UnmarshalText(b []byte) error {
	*n = nil
	for _, s := range strings.FieldsFunc(string(b), func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(s)
		if a, err2 := netip.ParseAddr(s); err2 == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%q is not a network: write it like 10.0.0.0/8", s)
		}
		*n = append(*n, p.Masked())
	}
	return nil
}

// UnmarshalText reads on or off.
func (o *onOff) UnmarshalText(b []byte) error {
	switch s := strings.ToLower(string(b)); s {
	case "", "on", "off":
		*o = onOff(s)
	case "1", "true", "yes":
		*o = "on"
	case "0", "false", "no":
		*o = "off"
	default:
		return fmt.Errorf("%q: write on or off", b)
	}
	return nil
}

// redisWait is what a write waits for.
type redisWait struct{ *store.Wait }

// UnmarshalText reads "1" or "1,500ms".
func (w *redisWait) UnmarshalText(b []byte) (err error) {
	if w.Wait, err = store.ParseWait(string(b)); err != nil {
		return fmt.Errorf("%q: %w", b, err)
	}
	return nil
}

// UnmarshalText reads a level's name.
func (l *logLevel) UnmarshalText(b []byte) error {
	var v slog.Level
	if err := v.UnmarshalText(bytes.ToUpper(b)); err != nil {
		return fmt.Errorf("%q: write debug, info, warn or error", b)
	}
	*l = logLevel(v)
	return nil
}

// secret reads NAME, or the file that NAME_FILE names; both unset is empty. Its errors never hold the value.
func (io *streams) secret(name string) (string, error) {
	v, file := io.env(name), io.env(name+"_FILE")
	switch {
	case v != "" && file != "":
		return "", usagef("%s and %s_FILE are both set: keep one", name, name)
	case file == "":
		return strings.TrimSpace(v), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", usagef("%s_FILE: %v", name, withoutPath(err))
	}
	if v = strings.TrimSpace(string(b)); v == "" {
		return "", usagef("%s_FILE: the file is empty", name)
	}
	return v, nil
}

// withoutPath is the reason of a file error: "no such file or directory".
func withoutPath(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// dataDir is the data directory, absolute; def is used when none is set. Root is refused in a directory of somebody else's:
// what root makes there, be it a file that Redis rewrites at its next stop, the service could not open any more.
func (s *Settings) dataDir(def string) (string, error) {
	d := s.Data
	if d == "" {
		d = def
	}
	d, err := filepath.Abs(d)
	if err != nil || os.Geteuid() != 0 {
		return d, err
	}
	info, err := os.Stat(d)
	if err != nil {
		return d, nil // whoever needs it there says so
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
		who := fmt.Sprint("#", st.Uid)
		if u, err := user.LookupId(fmt.Sprint(st.Uid)); err == nil {
			who = u.Username
		}
		return "", fmt.Errorf("the data directory %s belongs to %s, and what root writes there that account cannot read: run this as it, sudo -u %s hotline …", d, who, who)
	}
	return d, nil
}

// keyFile is the key file, by default beside the data.
func (s *Settings) keyFile(data string) string {
	if s.Keys != "" {
		return s.Keys
	}
	return filepath.Join(data, "keys.json")
}

// loadMissions reads the mission file or directory; none set is a usage error.
func (s *Settings) loadMissions() ([]*bot.Mission, error) {
	if s.Missions == "" {
		return nil, usagef("no mission file: set HOTLINE_MISSION (print a start with 'hotline mission example > mission.toml')")
	}
	ms, err := bot.LoadMissions(s.Missions)
	if err != nil {
		return nil, usagef("HOTLINE_MISSION: %v", err)
	}
	return ms, nil
}

// extensions are the directories of word lists beside the built-in ones: at most one.
func (s *Settings) extensions() []lexicon.Extension {
	if s.Words == "" {
		return nil
	}
	return []lexicon.Extension{{Dir: os.DirFS(s.Words), Path: s.Words}}
}

// lexicon reads the word lists; one that cannot be read is a usage error that names its file and line.
func (s *Settings) lexicon() (*lexicon.Lexicon, error) {
	l, err := lexicon.Extended(s.extensions()...)
	if err != nil {
		return nil, usagef("HOTLINE_WORDS: %v", err)
	}
	return l, nil
}

// addressOf is the web address of a listener: the configured one, or the one it listens on.
func addressOf(configured webURL, l net.Addr) string {
	if configured != "" {
		return strings.TrimSuffix(string(configured), "/") + "/"
	}
	host, port, err := net.SplitHostPort(l.String())
	if err != nil {
		return "http://" + l.String() + "/"
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}
