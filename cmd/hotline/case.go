package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// caseCmd reads single cases. Reading one writes an audit row, as opening it on the desk does.
type caseCmd struct {
	Show caseShow `cmd:"" help:"One case with its timeline."`
}

type caseShow struct {
	Code    string `arg:"" help:"Case code, for example K7M4-692Q."`
	JSON    bool   `name:"json" help:"As JSON."`
	Mission string `placeholder:"CODE" help:"Only of this mission."`
}

// Validate ends a mistyped code before anything is opened.
func (c *caseShow) Validate() error {
	if _, ok := casework.ParseCode(c.Code); !ok {
		return errors.New("the case code is mistyped: it has eight symbols, such as K7M4-692Q")
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
			enc := json.NewEncoder(io.out)
			enc.SetEscapeHTML(false)
			if !c.JSON {
				enc.SetIndent("", "  ")
			}
			return enc.Encode(v)
		}
		return fmt.Errorf("no case %s on this installation", code)
	})
}
