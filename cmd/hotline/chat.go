package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
	"pulang/locales"
)

// chatCmd is the citizen's conversation in the terminal: for translators, trainers and the curious.
type chatCmd struct {
	Lang string `enum:"id,en," default:"" placeholder:"id|en" help:"Language to begin in (default: the mission's)."`
}

// Run talks until the input ends. Nothing leaves this process, nothing is stored.
func (c *chatCmd) Run(ctx context.Context, s *Settings, io *streams) error {
	words, err := s.lexicon()
	if err != nil {
		return err
	}
	cat, err := locales.New()
	if err != nil {
		return err
	}
	m, err := exampleMission()
	if err != nil {
		return err
	}
	t := &talk{flow: newFlow(m, []*bot.Mission{m}, cat, words), mission: m, rules: m.Rules(), cat: cat, lang: c.Lang}
	if t.lang == "" {
		t.lang = m.Lang
	}
	fmt.Fprintln(io.err, "A conversation in this terminal: nothing is kept, nobody reads it. End with Ctrl-D.")
	prompt := ""
	if f, ok := io.in.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			prompt = "> "
		}
	}
	lines := bufio.NewScanner(interruptibly(ctx, io.in))
	lines.Buffer(nil, 1<<20)
	for fmt.Fprint(io.out, prompt); lines.Scan(); fmt.Fprint(io.out, prompt) {
		for _, text := range t.hear(lines.Text(), time.Now()) {
			fmt.Fprintf(io.out, "\n%s\n\n", text)
		}
	}
	if ctx.Err() != nil { // Ctrl-C is an end like Ctrl-D
		fmt.Fprintln(io.out)
		return nil
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("chat: %w", err)
	}
	return nil
}

// talk is one conversation and its case, in memory.
type talk struct {
	flow    bot.Flow
	mission *bot.Mission
	rules   casework.Rules
	cat     *locales.Catalogue
	lang    string
	state   flows.State
	file    *casework.Case
	n       int
}

// hear takes one typed line and returns the answers.
func (t *talk) hear(line string, at time.Time) (out []string) {
	t.n++
	// Without buttons every choice is a numbered line, as for anybody who types.
	in := flows.Input{Kind: flows.KindText, ID: fmt.Sprint(t.n), Text: strings.TrimSpace(line), At: at, Lang: t.lang}
	env := flows.Env{NewCode: casework.NewCode(t.mission.Prefix, [5]byte(random(5))), NewScope: hex.EncodeToString(random(2)),
		Case: casework.View(t.file)}
	turn := t.flow.Next(env, t.state, in)
	t.state = turn.State
	for _, e := range turn.Effects {
		switch e := e.(type) {
		case flows.OpenCase:
			t.file = casework.New("terminal", e.Code, t.mission.Code, t.mission.Code, "terminal", at)
		case flows.Wake, flows.DeleteChat, flows.CheckOfficer:
			// Timers, deletion and officers on duty need a messenger, a clock and a desk.
		default:
			if t.file != nil {
				t.file.Apply(e, at, t.rules)
			}
		}
	}
	if t.file != nil {
		t.file.Rescore(at, t.rules)
	}
	for _, r := range turn.Replies {
		lang := t.state.Lang
		if lang == "" {
			lang = t.lang
		}
		if text := bot.Render(t.cat, lang, r, flows.Can{}).Text; text != "" {
			out = append(out, text)
		}
	}
	return out
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
