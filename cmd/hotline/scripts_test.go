package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pulang/bot/telegram/telegramtest"
	"pulang/bot/whatsapp/whatsapptest"
)

// exchange is what a person writes in a conversation of flows/intake/testdata, and what the bot answers.
type exchange struct{ says, answer string }

// typedPart reads a conversation up to the first thing in it that is no typed message.
func typedPart(t *testing.T, file string) (out []exchange) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "["):
			return out
		case strings.HasPrefix(line, "> "):
			out = append(out, exchange{says: line[2:]})
		case strings.HasPrefix(line, "<") && len(out) > 0:
			out[len(out)-1].answer += strings.TrimPrefix(line[1:], " ") + "\n"
		}
	}
	return out
}

var (
	caseCodes = regexp.MustCompile(`\b[A-Z0-9]{4}-[A-Z0-9]{4}\b`)
	joinCodes = regexp.MustCompile(`\b[A-Z0-9]{3}-[A-Z0-9]{3}-[A-Z0-9]{3}\b`)
	queues    = regexp.MustCompile(`(Antrean sekarang|Queue now): \d+`)
	spaces    = regexp.MustCompile(`\s+`)
)

// plainly leaves of a text what is the same in every run and on every channel.
func plainly(s string) string {
	s = queues.ReplaceAllString(s, "QUEUE")
	s = joinCodes.ReplaceAllString(caseCodes.ReplaceAllString(s, "CODE"), "JOIN")
	return strings.TrimSpace(spaces.ReplaceAllString(s, " "))
}

// asInTestdata is the example mission with the numbers and addresses of the conversations.
func asInTestdata(t *testing.T) string {
	t.Helper()
	path := exampleFile(t)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := string(raw)
	for _, x := range [][2]string{
		{`"No. 1, Street 466, Phnom Penh"`, `"Jl. Contoh 1"`}, {`"Senin-Jumat 08.00-16.00"`, `"08.00-16.00"`}, {`"+855 12 813 282"`, `"+855 00 000 000"`},
	} {
		if !strings.Contains(s, x[0]) {
			t.Fatalf("the example mission has no %s any more", x[0])
		}
		s = strings.ReplaceAll(s, x[0], x[1])
	}
	if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The same conversations that the flow is tested with pass over the wire, on both messengers of one running service,
// and are answered with the same words: what adapters, store, relay and rendering do to them is nothing.
func TestConversationsOnBothMessengers(t *testing.T) {
	files, err := filepath.Glob("../../flows/intake/testdata/*.txt")
	if err != nil || len(files) < 25 {
		t.Fatal(len(files), err)
	}
	tg, wa := telegramtest.New(t), whatsapptest.New(t)
	phone := wa.Account("+62 811 0000 001")
	p, desk, _ := whatsAppServe(t, wa, map[string]string{"HOTLINE_MISSION": asInTestdata(t), "TELEGRAM_TOKEN": tg.Token(), "TELEGRAM_API_URL": tg.URL()})
	linkAtTheDesk(t, hire(t, p, desk, "rini", "admin"), p.env["HOTLINE_DATA"], phone)

	var all sync.WaitGroup
	turns := make(chan struct{}, 16) // conversations at once
	played := 0
	for i, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		script := typedPart(t, file)
		if len(script) == 0 || otherSetting[name] || os.Getenv("PULANG_SOAK") != "1" && !typical[name] {
			continue
		}
		played++
		user := tg.User("id")
		citizen := wa.Citizen("+62 812 1" + string([]byte{byte('0' + i/10), byte('0' + i%10)}) + "0 000")
		talk := func(channel string, say func(string), heard func() string) {
			turns <- struct{}{}
			defer func() { <-turns }()
			want := ""
			for _, x := range script {
				say(x.says)
				want += x.answer + " "
				for end := time.Now().Add(60 * time.Second); plainly(heard()) != plainly(want); wait(t.Context(), 20*time.Millisecond) {
					if time.Now().After(end) {
						got, file := plainly(heard()), plainly(want)
						same := 0
						for same < min(len(got), len(file)) && got[same] == file[same] {
							same++
						}
						t.Errorf("%s on %s, after %q: …%q, in the file …%q", name, channel, x.says, got[same:], file[same:])
						return
					}
				}
			}
		}
		all.Go(func() {
			talk("Telegram", func(s string) { user.Send(s) }, func() string {
				var b strings.Builder
				for _, m := range user.FromBot() {
					b.WriteString(m.Text + "\n")
				}
				return b.String()
			})
		})
		all.Go(func() {
			talk("WhatsApp", func(s string) { citizen.WaitAccepted(citizen.Say(phone, s)) }, func() string {
				var b strings.Builder
				for _, m := range citizen.Messages() {
					b.WriteString(m.Text + "\n")
				}
				return b.String()
			})
		})
	}
	all.Wait()
	if least := map[bool]int{true: 40, false: len(typical)}[os.Getenv("PULANG_SOAK") == "1"]; played < least {
		t.Errorf("%d conversations were played, not %d", played, least)
	}
	if odd := append(wa.Oddities(), wa.Strays()...); len(odd) > 0 {
		t.Errorf("WhatsApp would not understand: %v", odd)
	}
}

// typical are played in every test run, all of them with PULANG_SOAK=1.
var typical = map[string]bool{
	"03_all_in_one_breath": true, "05_danger_in_words": true, "13_language": true, "30_self_harm": true, "38_first_words_english_danger": true,
	"54_first_message_stop": true,
}

// otherSetting are conversations that depend on what is not so here: other missions' numbers, nobody who answers a
// check code, a messenger that cannot delete, a case that knows of the danger told by a secret word (and withdraws the
// permission that came before it), a store that gives a leader the code of the group at once, another clock.
var otherSetting = map[string]bool{
	"36_duress_word": true, "32_uncertain_place": true, "33_commands": true, "50_abroad": true, "59_first_message_check": true,
	"60_first_message_delete": true, "68_abroad_and_inside": true, "69_leader_asks_for_the_code": true, "73_morning_or_evening_english": true,
}
