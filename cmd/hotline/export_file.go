package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	stdio "io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"pulang/bot"
	"pulang/bot/desk"
	"pulang/bot/store"
	"pulang/bot/whole"
	"pulang/cmd/hotline/export"
	"pulang/flows/casework"
	"pulang/locales"
)

// exporter is the account that a command names, proven by its password: it may do the act, and works for the mission.
func exporter(ctx context.Context, s *Settings, st *opened, io *streams, name string, m *bot.Mission, act casework.Act) (bot.Account, error) {
	a, err := st.store.Account(ctx, strings.TrimSpace(name))
	if err != nil && !errors.Is(err, bot.ErrNotFound) {
		return a, fmt.Errorf("account: %w", err)
	}
	ok := err == nil // who guesses names is asked for a password as well
	lines := bufio.NewReader(interruptibly(ctx, io.in))
	pw, err := io.secret("HOTLINE_STAFF_PASSWORD")
	if err != nil {
		return a, err
	}
	if pw == "" {
		if pw, err = askFor(ctx, io, lines, "Password of "+name); err != nil {
			return a, usagef("no password: type it, or set HOTLINE_STAFF_PASSWORD_FILE")
		}
	}
	wait, err := st.store.Throttle(ctx, "cli:account:"+strings.ToLower(name), 5, time.Minute)
	if err != nil {
		return a, err
	}
	if wait > 0 {
		return a, fmt.Errorf("too many wrong passwords: try again in %s", wait.Round(time.Second))
	}
	if ok {
		if ok, err = desk.PasswordFits(pw, a); err != nil {
			return a, err
		}
	}
	if ok {
		if ok, err = secondFactor(ctx, s, st, io, lines, a); err != nil {
			return a, err
		}
	}
	switch {
	case !ok:
		row := auditRow("denied", "export")
		return a, errors.Join(errors.New("the account, its password or its code is wrong"), st.store.Record(ctx, m.Code, row))
	case !casework.May(a.Role, act) && act == casework.ActAllowExport:
		return a, fmt.Errorf("the role %s may not allow or refuse an export: it is a supervisor's or an admin's act", a.Role)
	case !casework.May(a.Role, act):
		return a, fmt.Errorf("the role %s may not export: it is a supervisor's act", a.Role)
	case len(a.Missions) > 0 && !slices.Contains(a.Missions, m.Code):
		return a, fmt.Errorf("the account does not work for the mission %s", m.Code)
	}
	return a, nil
}

// secondFactor asks for the code of an account that has an authenticator app; a code is good for one thing, here or at
// the desk. Where the desk asks for one, an account that has none yet signs in there first.
func secondFactor(ctx context.Context, s *Settings, st *opened, io *streams, lines *bufio.Reader, a bot.Account) (bool, error) {
	f, err := st.store.Factor(ctx, a.Name)
	switch {
	case err != nil:
		return false, err
	case f.Secret == "" && (s.SecondFactor == "off" || st.mode == store.ModeDemo):
		return true, nil
	case f.Secret == "":
		return false, fmt.Errorf("%s has no authenticator app yet: sign in at the desk once", a.Name)
	}
	code, err := askFor(ctx, io, lines, "Code of the authenticator app")
	if err != nil {
		return false, usagef("no code: type the one that the authenticator app of %s shows", a.Name)
	}
	// Counted together with the tries at the desk.
	if wait, err := st.store.Throttle(ctx, desk.CodesKey(a.Name), desk.CodesADay, 24*time.Hour); err != nil || wait > 0 {
		return false, errors.Join(errors.New("too many codes were tried today"), err)
	}
	step, ok := desk.CodeStep(f.Secret, code, time.Now())
	if !ok {
		return false, nil
	}
	err = st.store.UseFactor(ctx, a.Name, f, step)
	if errors.Is(err, bot.ErrConflict) {
		return false, errors.New("the code was used already: wait for the next one")
	}
	return err == nil, err
}

// signed makes an audit row that of the account; the account of the machine stays in it.
func signed(row *bot.Audit, a bot.Account) {
	row.Session, row.Who, row.Role = row.Who, a.Name, string(a.Role)
}

// askFor asks on the terminal for what nobody else may see. Where the input is no terminal it is its next line.
func askFor(ctx context.Context, io *streams, lines *bufio.Reader, what string) (string, error) {
	fmt.Fprintf(io.err, "%s: ", what)
	defer fmt.Fprintln(io.err)
	if f, ok := io.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		shown, err := term.GetState(int(f.Fd()))
		if err != nil {
			return "", err
		}
		typed := make(chan heard, 1)
		go func() {
			b, err := term.ReadPassword(int(f.Fd()))
			typed <- heard{b, err}
		}()
		select {
		case got := <-typed:
			return string(got.bytes), got.err
		case <-ctx.Done(): // a read goes on until a line; the terminal shows again what is typed
			return "", errors.Join(ctx.Err(), term.Restore(int(f.Fd()), shown))
		}
	}
	line, err := lines.ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line != "" {
		return line, nil
	}
	return "", err
}

// mayWrite finds out before anything is used up whether the file can be made. A file that is there is never replaced:
// it may be the only copy of something.
func mayWrite(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return usagef("--out: the file is there already; name another one")
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return usagef("--out: %v", withoutPath(err))
	}
	if !dir.IsDir() {
		return usagef("--out: not in a directory")
	}
	return nil
}

// keepFile writes a file that only this account of the machine can read. It stands under its name whole, after account
// has written down that it was made, or not at all.
func keepFile(path string, write func(stdio.Writer) error, account func() error) error {
	tmp, err := whole.Beside(path, write)
	if err != nil {
		return withoutPath(err)
	}
	if err := account(); err != nil {
		return errors.Join(fmt.Errorf("nothing is exported without an audit row: %w", err), withoutPath(os.Remove(tmp)))
	}
	return withoutPath(whole.Put(tmp, path))
}

// exportCase gives a person what is held of them (UU 27/2022 art. 7, GDPR art. 15), after an officer made sure who asks.
type exportCase struct {
	Code     string `arg:"" help:"Case code, for example K7M4-692L."`
	Mission  string `placeholder:"CODE" help:"Only of this mission."`
	Out      string `required:"" placeholder:"FILE" help:"The JSON file to write; the text goes beside it with .txt at its end."`
	Reason   string `required:"" placeholder:"TEXT" help:"Who asked and how, for the audit log: no names, no numbers."`
	Verified string `required:"" enum:"in_person,document,code_word,video" help:"How the officer made sure that it is the person: in_person, document, code_word or video."`
	Lang     string `enum:"id,en," default:"" placeholder:"id|en" help:"Language of the text (default: the person's)."`
}

// Validate ends a mistyped code or an empty reason before anything is opened.
func (c *exportCase) Validate() error {
	return errors.Join(validCode(c.Code), reasonGiven(c.Reason))
}

// Run writes both files.
func (c *exportCase) Run(ctx context.Context, s *Settings, ios *streams) error {
	code, _ := casework.ParseCode(c.Code)
	text := strings.TrimSuffix(c.Out, ".json") + ".txt"
	for _, path := range []string{c.Out, text} {
		if err := mayWrite(path); err != nil {
			return err
		}
	}
	return withStore(ctx, s, ios, func(st *opened) error {
		ms, err := chosen(st.missions, c.Mission)
		if err != nil {
			return err
		}
		cat, err := locales.New()
		if err != nil {
			return err
		}
		now := time.Now()
		for _, m := range ms {
			f, err := st.store.Open(ctx, m.Code, code, now, bot.Audit{})
			if errors.Is(err, bot.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("export: %w", err)
			}
			row := auditRow("export_case", c.Verified)
			row.Code, row.Purpose = code, strings.TrimSpace(c.Reason)
			if err := perDay(ctx, st, m, row); err != nil {
				return err
			}
			set := &export.Set{Mission: m, Lang: c.Lang, Texts: cat, Now: now}
			if set.Lang == "" {
				set.Lang = f.Case.Lang
			}
			p := export.CopyOf(f, m.Name, now, m.Rules())
			err = keepFile(text, func(w stdio.Writer) error { return p.WriteText(w, set) }, func() error { return st.store.Record(ctx, m.Code, row) })
			if err == nil {
				err = keepFile(c.Out, p.WriteJSON, func() error { return nil })
			}
			if err != nil {
				return fmt.Errorf("export: %w", err)
			}
			_, err = fmt.Fprintln(ios.out, "Two files written, one to read and one for machines.")
			return err
		}
		return fmt.Errorf("no case %s on this installation", code)
	})
}
