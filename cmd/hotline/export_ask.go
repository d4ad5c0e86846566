package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pulang/bot"
	"pulang/cmd/hotline/export"
	"pulang/flows/casework"
)

type exportAsk struct {
	Kind    export.Kind `arg:"" enum:"operational,nominal,splp,waiver,shelter,manifest" help:"operational (the queue, with names), nominal (daftar nominatif), splp (who needs a travel document), waiver (overstay fines), shelter (who sleeps where) or manifest (who flies, with the handover on arrival)."`
	Mission string      `placeholder:"CODE" help:"The mission (with one mission: that one)."`
	Reason  string      `required:"" placeholder:"TEXT" help:"What the file is for: it stands in the file and in the audit log."`
	As      string      `required:"" placeholder:"NAME" help:"Your account; the password is asked for, or taken from HOTLINE_STAFF_PASSWORD."`
	exportDays
}

// Validate ends what cannot be meant before anything is opened.
func (c *exportAsk) Validate() error { return errors.Join(c.validate(), reasonGiven(c.Reason)) }

// Run keeps the request.
func (c *exportAsk) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		m, err := oneMission(st.missions, c.Mission)
		if err != nil {
			return err
		}
		a, err := exporter(ctx, s, st, io, c.As, m, casework.ActExport)
		if err != nil {
			return err
		}
		ask := bot.ExportAsk{ID: officerCode(), Mission: m.Code, Kind: string(c.Kind), From: c.From.String(), To: c.To.String(), Reason: strings.TrimSpace(c.Reason),
			By: a.Name, At: time.Now().UTC()}
		row := auditRow("export_request", "")
		signed(&row, a)
		if err := st.store.AskExport(ctx, ask, row); err != nil {
			return err
		}
		fmt.Fprintln(io.out, ask.ID)
		fmt.Fprintf(io.err, "Another person approves it within 24 hours, on the desk's page of exports or by 'hotline export approve %s --as NAME'.\n", ask.ID)
		return nil
	})
}

// exportAnswer is what allowing, refusing and taking back have in common.
type exportAnswer struct {
	Request string `arg:"" help:"The request's number."`
	As      string `required:"" placeholder:"NAME" help:"Your account; the password is asked for, or taken from HOTLINE_STAFF_PASSWORD."`
}

type exportAllow struct{ exportAnswer }

// Run allows the request.
func (c *exportAllow) Run(ctx context.Context, s *Settings, io *streams) error {
	return c.answer(ctx, s, io, true)
}

type exportRefuse struct{ exportAnswer }

// Run refuses the request.
func (c *exportRefuse) Run(ctx context.Context, s *Settings, io *streams) error {
	return c.answer(ctx, s, io, false)
}

type exportWithdraw struct{ exportAnswer }

// Run takes the request back: from then on nobody approves or writes it.
func (c *exportWithdraw) Run(ctx context.Context, s *Settings, io *streams) error {
	return c.about(ctx, s, io, casework.ActExport, func(st *opened, m *bot.Mission, a bot.Account, id string) (bot.ExportAsk, error) {
		row := auditRow("export_withdraw", "")
		signed(&row, a)
		ask, err := st.store.WithdrawExport(ctx, m.Code, id, a.Name, time.Now(), row)
		if err == nil {
			_, err = fmt.Fprintln(io.out, "Taken back: nobody can approve or write it any more.")
		}
		return ask, err
	})
}

func (c *exportAnswer) answer(ctx context.Context, s *Settings, io *streams, allow bool) error {
	return c.about(ctx, s, io, casework.ActAllowExport, func(st *opened, m *bot.Mission, a bot.Account, id string) (bot.ExportAsk, error) {
		row := auditRow("export_approve", "")
		if !allow {
			row = auditRow("export_refuse", "")
		}
		signed(&row, a)
		ask, err := st.store.DecideExport(ctx, m.Code, id, a.Name, allow, time.Now(), row)
		switch {
		case err != nil:
		case allow:
			_, err = fmt.Fprintf(io.out, "%s may write it once until %s: %s of %s\n", ask.By, stamp(ask.Until, m), ask.Kind, ask.Mission)
		default:
			_, err = fmt.Fprintln(io.out, "Refused.")
		}
		return ask, err
	})
}

// about does something with the request that the command names, as an account that may do the act.
func (c *exportAnswer) about(ctx context.Context, s *Settings, io *streams, act casework.Act,
	do func(st *opened, m *bot.Mission, a bot.Account, id string) (bot.ExportAsk, error),
) error {
	id := strings.ToUpper(strings.TrimSpace(c.Request))
	return withStore(ctx, s, io, func(st *opened) error {
		ask, err := st.store.Export(ctx, id)
		if err != nil {
			return exportTrouble(id, ask, err)
		}
		m, err := oneMission(st.missions, ask.Mission)
		if err != nil {
			return err
		}
		a, err := exporter(ctx, s, st, io, c.As, m, act)
		if err != nil {
			return err
		}
		if ask, err = do(st, m, a, id); err != nil {
			return exportTrouble(id, ask, err)
		}
		return nil
	})
}

// exportTrouble says what to do about a request that cannot be used.
func exportTrouble(id string, ask bot.ExportAsk, err error) error {
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return fmt.Errorf("no request %s of yours waits: it has lapsed, or is somebody else's; 'hotline export list' shows them", id)
	case errors.Is(err, bot.ErrOwnExport):
		return fmt.Errorf("request %s is your own: another person has to approve it", id)
	case errors.Is(err, bot.ErrExportState):
		return fmt.Errorf("request %s: %s", id, map[string]string{
			bot.ExportAsked: "nobody has approved it yet", bot.ExportAllowed: "it is approved already", bot.ExportRefused: "it was refused",
			bot.ExportTaken: "its file was written; ask again for another one", bot.ExportWithdrawn: "it was taken back by who asked for it",
		}[ask.State])
	}
	return err
}

type exportList struct{}

// Run lists the requests.
func (exportList) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		all, err := st.store.Exports(ctx, time.Now())
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(io.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "REQUEST\tSTATE\tMISSION\tKIND\tBY\tANSWERED BY\tUNTIL\tREASON")
		for _, a := range all {
			i := slices.IndexFunc(st.missions, func(m *bot.Mission) bool { return m.Code == a.Mission })
			if i < 0 {
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.State, a.Mission, a.Kind, a.By, a.Second, stamp(a.Until, st.missions[i]), a.Reason)
		}
		return w.Flush()
	})
}
