package desk

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// staffFamilies are the families of keys that are the staff's.
var staffFamilies = []string{"desk", "alert", "because", "call", "class", "closed", "detail", "event", "hold", "late", "outcome",
	"reason", "refused", "send", "signal", "stage"}

// staffTexts reads the staff's texts as a translator sees them.
func staffTexts(t *testing.T) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for _, lang := range []string{"id", "en"} {
		m := map[string]string{}
		if _, err := toml.DecodeFile("../../locales/active."+lang+".toml", &m); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(m, func(key, _ string) bool {
			family, _, _ := strings.Cut(key, ".")
			return !slices.Contains(staffFamilies, family)
		})
		out[lang] = m
	}
	return out
}

// families are the keys that are put together at run time.
func families() []string {
	var keys []string
	add := func(prefix string, ids ...string) {
		for _, id := range ids {
			keys = append(keys, prefix+id)
		}
	}
	add("class.", "P1", "P2", "P3", "P4")
	add("late.", groupIDs()...)
	add("because.", casework.Becauses...)
	add("call.", casework.CallWhys...)
	add("hold.", casework.HoldWhys...)
	add("refused.", casework.RefusedWhys...)
	add("event.", casework.EventIDs...)
	add("alert.", casework.AlertIDs...)
	add("reason.", casework.ReasonIDs()...)
	add("closed.", casework.CloseReasons...)
	for _, s := range casework.Stages {
		add("stage.", string(s.Stage))
		add("detail.", s.Details...)
	}
	for _, o := range casework.OutcomeOrder {
		add("outcome.", string(o))
	}
	for _, r := range casework.Roles {
		add("desk.role.", string(r))
	}
	add("event.", "lease_ended", "damaged")
	add("desk.audit.act.", casework.EventMoved) // of the rules: bot.Hotline writes it
	add("send.", "blocked", "deactivated", "no_chat", "bad_request", "empty", "rate", "down", "unknown", "unauthorised", "store", "stopping", "ended", "gave_up", "damaged")
	add("signal.", casework.SignalDuress, casework.SignalDanger, casework.SignalSafetyLowered, casework.SignalContactLost,
		casework.SignalWrongPerson, casework.SignalWrongNumber, casework.SignalReview, casework.SignalImpostor,
		casework.SignalImpostorCheck, casework.SignalExhausted, casework.SignalDeclined,
		casework.SignalReturned, casework.SignalUnanswered)
	add("signal.", "self_harm", "medical_emergency", "ransom_asked", "threatened", "held", "sexual_violence", "minor", "minor_alone",
		"child", "pregnant", "pregnant_late", "officer_wanted", "erasure_requested", "nationality_other", "pin_in_indonesia", "reopened")
	add("desk.safety.", "danger", "watched", "safe", "none")
	add("desk.banner.", "danger", "watched", "safe", "none")
	add("desk.filter.", "class", "call", "safety", "passport", "channel", "place", "officer", "sim")
	add("desk.filter.call.", "now", "wait", "no")
	add("desk.place.kind.", "pin", "live", "map_link", "coords_text", "place_text", "unknown")
	add("desk.media.", "photo", "voice", "audio", "video", "document", "sticker", "other")
	add("desk.state.", "queued", "held", "sending", "sent", "delivered", "read", "failed", "unknown", "withdrawn")
	add("desk.broadcast.state.", "asked", "lapsed", "running", "queued", "stopping", "stopped", "dropped")
	add("desk.broadcast.not.", casework.NoBroadcastWhys...)
	add("desk.kind.", "reply", "officer", "nudge", "stage", "safety", "again", "broadcast", "alert")
	add("desk.via.", casework.ViaPhone, casework.ViaChat, casework.ViaInPerson)
	add("desk.channel.", "telegram", "whatsapp", "webchat", "simulated", "alert", "redis")
	add("desk.channel.", origins...)
	add("alert.whatsapp_", "logged_out", "banned", "restricted", "outdated", "replaced", "refused")
	add("send.", "restricted")
	for _, act := range []string{bot.NumberLink, bot.NumberCode, bot.NumberUnlink, bot.NumberDrop} {
		add("desk.audit.act.", numberAct+act, numberAct+act+"_done")
	}
	add("desk.audit.act.", numberAct+"stop")
	add("closed.", casework.CloseLinked)
	add("desk.audit.act.", "link_cases", "part_cases", "hold", "hold_lift", "retention", "audit_aged")
	add("desk.channels.state.", "up", "down", "standby", "silent", "unlinked", "linking", "locked", "connecting", "refusing", "banned",
		"outdated", "restricted")
	add("desk.channels.why.", "webhook", "not_stored", "no_answer")
	add("desk.channels.do.", bot.NumberLink, bot.NumberCode, bot.NumberUnlink, bot.NumberDrop)
	add("desk.channels.failed.", "linked", "not_linked", "no_scan", "other_number", "locked", "no_line", "passkey", "outdated", "other")
	add("desk.export.state.", bot.ExportAllowed, bot.ExportRefused, bot.ExportTaken, bot.ExportWithdrawn)
	add("desk.upkeep.", "backup", "drill", "verify")
	add("desk.upkeep.do.", "backup", "drill", "verify")
	add("desk.upkeep.state.", "good", "overdue", "never", "failed")
	add("desk.field.", fields...)
	add("desk.purpose.", purposes...)
	add("desk.template.", replyTemplates...)
	add("desk.template_name.", replyTemplates...)
	add("desk.v.country.", phoneCountries...)
	for _, s := range knownOrder {
		add("desk.step.", string(s))
	}
	for s := range steering {
		if s != flows.StepConfirmYesNo {
			add("desk.step.", string(s))
		}
	}
	add("desk.step.", string(flows.StepSameMatter))
	for s, values := range flows.Menus {
		if s == flows.StepConfirmYesNo {
			continue
		}
		for _, v := range values {
			switch v {
			case flows.Yes, flows.No, flows.None:
				add("desk.v.", string(v))
			case flows.Unknown:
				if s == flows.StepPassportStatus {
					add("desk.v.passport_status.", "unknown")
				} else {
					add("desk.v.", string(v))
				}
			default:
				add("desk.v."+string(s)+".", string(v))
			}
		}
	}
	add("desk.v.", "done")
	add("desk.v.passport_status.", "none", "splp_in_hand")
	return keys
}

var templateKey = regexp.MustCompile(`T "([a-z0-9_.]+)"`)

// usedKeys are the keys written out in templates and code.
func usedKeys(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	names, _ := fs.Glob(templateFiles, "templates/*.html")
	for _, n := range names {
		b, _ := templateFiles.ReadFile(n)
		for _, m := range templateKey.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
		}
	}
	files, _ := os.ReadDir(".")
	prefix := regexp.MustCompile(`^(desk|event|late|class|hold|send|refused)\.[a-z0-9_.]*[a-z0-9_]$`)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && prefix.MatchString(s) && s != "desk.css" && s != "desk.js" {
					used[s] = true
				}
			}
			return true
		})
	}
	// The acts of the audit log are those that the code writes.
	acts := regexp.MustCompile(`(?:[aA]udit\("|\.What = "|What, a\.Purpose = "|recordRead\(ctx, code, ")([a-z_]+)"`)
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".go") && !strings.HasSuffix(f.Name(), "_test.go") {
			b, _ := os.ReadFile(f.Name())
			for _, m := range acts.FindAllStringSubmatch(string(b), -1) {
				used["desk.audit.act."+m[1]] = true
			}
		}
	}
	// The command line writes acts of its own.
	byHand := regexp.MustCompile(`auditRow\("([a-z_]+)"`)
	commands, _ := filepath.Glob("../../cmd/hotline/*.go")
	if len(commands) == 0 {
		t.Fatal("the commands are elsewhere")
	}
	for _, name := range commands {
		b, _ := os.ReadFile(name)
		for _, m := range byHand.FindAllStringSubmatch(string(b), -1) {
			used["desk.audit.act."+m[1]] = true
		}
	}
	return used
}

// Both languages have every text that the desk asks for, with the same placeholders, and none that nobody asks for.
func TestTexts(t *testing.T) {
	texts := staffTexts(t)
	used := usedKeys(t)
	for _, k := range families() {
		used[k] = true
	}
	for lang, m := range texts {
		for k := range used {
			if m[k] == "" {
				t.Errorf("%s: no text %q", lang, k)
			}
		}
		for k := range m {
			if !used[k] {
				t.Errorf("%s: nobody asks for %q", lang, k)
			}
		}
	}
	placeholder := regexp.MustCompile(`{{\.\w+}}`)
	for k, id := range texts["id"] {
		a, b := placeholder.FindAllString(id, -1), placeholder.FindAllString(texts["en"][k], -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s: placeholders %v and %v", k, a, b)
		}
	}
	if a, b := slices.Sorted(maps.Keys(texts["id"])), slices.Sorted(maps.Keys(texts["en"])); !slices.Equal(a, b) {
		t.Error("the two files have different keys")
	}
}

// What is sent to a citizen from a template asks for nothing secret, and begins with words that may stand on a lock
// screen.
func TestTemplatesAreHarmless(t *testing.T) {
	for lang, m := range staffTexts(t) {
		for _, id := range replyTemplates {
			text := m["desk.template."+id]
			if w := riskyHead(text); id != "splp" && len(w) > 0 {
				t.Errorf("%s %s begins with %v", lang, id, w)
			}
			for _, word := range []string{"NIK", "kirim uang", "transfer", "password"} {
				if strings.Contains(text, word) {
					t.Errorf("%s %s holds %q", lang, id, word)
				}
			}
		}
	}
}
