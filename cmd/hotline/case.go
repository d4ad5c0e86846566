package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// caseCmd is about single cases. Reading one writes an audit row, as opening it on the desk does.
type caseCmd struct {
	Show  caseShow  `cmd:"" help:"One case with its timeline."`
	Erase caseErase `cmd:"" help:"Makes one case unreadable for good, in Redis and in WhatsApp's device store. Not undone."`
}

type caseShow struct {
	Code    string `arg:"" help:"Case code, for example K7M4-692L."`
	JSON    bool   `name:"json" help:"As JSON."`
	Mission string `placeholder:"CODE" help:"Only of this mission."`
}

// Validate ends a mistyped code before anything is opened.
func (c *caseShow) Validate() error { return validCode(c.Code) }

func validCode(code string) error {
	if _, ok := casework.ParseCode(code); !ok {
		return errors.New("the case code is mistyped: it has eight symbols, such as K7M4-692L")
	}
	return nil
}

// Run writes the case to standard output.
func (c *caseShow) Run(ctx context.Context, s *Settings, io *streams) error {
	code, _ := casework.ParseCode(c.Code)
	return withStore(ctx, s, io, func(st *opened) error {
		ms, err := chosen(st.missions, c.Mission)
		if err != nil {
			return err
		}
		now := time.Now()
		for _, m := range ms {
			audit := auditRow("open", "")
			audit.Code, audit.Purpose = code, "case show"
			f, err := st.store.Open(ctx, m.Code, code, now, audit)
			if errors.Is(err, bot.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("case: %w", err)
			}
			v := bot.CaseJSON(f, now, m.Rules())
			enc := json.NewEncoder(printed{io.out})
			enc.SetEscapeHTML(false)
			if !c.JSON {
				enc.SetIndent("", "  ")
			}
			return enc.Encode(v)
		}
		return fmt.Errorf("no case %s on this installation", code)
	})
}

// caseErase carries out a person's request to be forgotten (UU 27/2022 art. 8, GDPR art. 17), or the end of the time for
// which cases are kept. Who asked for it stands in the audit log; what the case said does not.
type caseErase struct {
	Code    string `arg:"" help:"Case code, for example K7M4-692L."`
	Reason  string `required:"" placeholder:"TEXT" help:"Why, for the audit log: no names, no numbers."`
	Mission string `placeholder:"CODE" help:"Only of this mission."`
}

// Validate ends a mistyped code or an empty reason before anything is opened.
func (c *caseErase) Validate() error {
	if err := validCode(c.Code); err != nil {
		return err
	}
	if strings.TrimSpace(c.Reason) == "" {
		return errors.New("--reason says why the case is erased; it stands in the audit log")
	}
	return nil
}

// Run erases the case and what was made one with it. The audit row is written first: an erasure that nobody can account
// for is worse than a row about one that did not happen, and a second try is harmless.
func (c *caseErase) Run(ctx context.Context, s *Settings, io *streams) error {
	code, _ := casework.ParseCode(c.Code)
	return withStore(ctx, s, io, func(st *opened) error {
		ms, err := chosen(st.missions, c.Mission)
		if err != nil {
			return err
		}
		for _, m := range ms {
			audit := auditRow("erase", "")
			audit.Code, audit.Purpose = code, c.Reason
			f, err := st.store.Open(ctx, m.Code, code, time.Now(), audit)
			if errors.Is(err, bot.ErrNotFound) {
				continue
			}
			if err == nil {
				err = st.store.Erase(ctx, f.Case.Line, f.Case.ID)
			}
			if errors.Is(err, bot.ErrHeld) {
				return errors.New("case erase: the case is under a legal hold; a supervisor lifts it on the page of the case")
			}
			if errors.Is(err, bot.ErrLinked) {
				return fmt.Errorf("case erase: the case goes on in %s; erase that one and both go, or part them first on its page", f.Case.Into.Code)
			}
			if err != nil {
				return fmt.Errorf("case erase: %w", err)
			}
			_, err = fmt.Fprintln(io.out, "Erased. Backups made before keep what they have until they are thrown away (35 days).")
			return err
		}
		return fmt.Errorf("no case %s on this installation", code)
	})
}
