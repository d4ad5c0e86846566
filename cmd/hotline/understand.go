package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"pulang/flows"
	"pulang/flows/lexicon"
)

// understandCmd shows what the hotline takes from messages: for consular officers who extend the word lists, and
// for measuring them.
type understandCmd struct {
	Step string `help:"Read the messages as answers to this step, for example safety_now." placeholder:"STEP"`
}

// Run reads standard input and writes standard output.
func (c understandCmd) Run(ctx context.Context, s *Settings, io *streams) error {
	words, err := s.lexicon()
	if err != nil {
		return err
	}
	return runUnderstand(interruptibly(ctx, io.in), io.out, words, c.Step)
}

// runUnderstand reads messages from in, one a line, and writes for each one JSON object of what lex takes from it.
// An empty line gives {}. A step that does not exist is an error.
func runUnderstand(in io.Reader, out io.Writer, lex *lexicon.Lexicon, step string) error {
	if step != "" && !lexicon.KnownStep(flows.StepID(step)) {
		return usagef("--step: unknown step %q", step)
	}
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(printed{w})
	enc.SetEscapeHTML(false)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		r := lex.Read(lines.Text(), lexicon.Context{Step: flows.StepID(step), At: time.Now(), Country: "KH"})
		if r.Location != nil && reflect.DeepEqual(*r.Location, lexicon.Place{Kind: r.Location.Kind, Sure: r.Location.Sure}) {
			r.Location = nil // a short map link: kept on the case, but nothing is known from it
		}
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("understand: %w", err)
		}
	}
	err := errors.Join(lines.Err(), w.Flush())
	if err != nil {
		return fmt.Errorf("understand: %w", err)
	}
	return nil
}
