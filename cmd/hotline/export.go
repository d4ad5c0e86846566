package main

import (
	"context"
	"errors"
	"fmt"
	stdio "io"
	"strings"
	"time"

	"pulang/bot"
	"pulang/cmd/hotline/export"
	"pulang/flows/casework"
	"pulang/locales"
)

// exportCmd takes case data out of the store. What names people needs two: one asks, another allows it, and within a day
// the first one writes it, once.
type exportCmd struct {
	Write    exportWrite    `cmd:"" default:"withargs" help:"Writes a set (statistics, operational, nominal, splp, waiver, shelter, manifest) to a file."`
	Case     exportCase     `cmd:"" help:"One case as a copy for the person whom it is about, as JSON and as text."`
	Request  exportAsk      `cmd:"" help:"Asks for a set that names people; another person has to approve it. Prints the request's number."`
	Approve  exportAllow    `cmd:"" help:"Approves somebody else's request, for a day."`
	Refuse   exportRefuse   `cmd:"" help:"Refuses somebody else's request."`
	Withdraw exportWithdraw `cmd:"" help:"Takes your own request back, approved or not, while its file is not written."`
	List     exportList     `cmd:"" help:"Lists the requests of the last days."`
}

// exportDays are the days of a set.
type exportDays struct {
	From localDay `placeholder:"YYYY-MM-DD" help:"First day, by the mission's calendar (default: the first there is)."`
	To   localDay `placeholder:"YYYY-MM-DD" help:"Last day (default: the last there is)."`
}

type localDay struct{ time.Time }

// UnmarshalText reads YYYY-MM-DD.
func (d *localDay) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("%q is not a day: write it like 2026-01-19", b)
	}
	d.Time = t
	return nil
}

func (d localDay) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

func (d *exportDays) validate() error {
	if !d.From.IsZero() && !d.To.IsZero() && d.To.Before(d.From.Time) {
		return errors.New("--to is before --from")
	}
	return nil
}

func reasonGiven(reason string) error {
	if !bot.ExportReasonFits(strings.TrimSpace(reason)) {
		return errors.New("--reason says in 4 to 300 characters what the file is for; it stands in the file and in the audit log")
	}
	return nil
}

type exportWrite struct {
	Kind     export.Kind `arg:"" enum:"statistics,operational,nominal,splp,waiver,shelter,manifest" help:"statistics, operational (the queue), nominal (daftar nominatif), splp (who needs a travel document), waiver (overstay fines), shelter (who sleeps where) or manifest (who flies, with the handover on arrival)."`
	Mission  string      `placeholder:"CODE" help:"The mission (with one mission: that one)."`
	Format   string      `enum:"csv,xlsx" default:"csv" help:"csv or xlsx."`
	Out      string      `required:"" placeholder:"FILE" help:"The file to write; it must not be there yet."`
	Reason   string      `placeholder:"TEXT" help:"What the file is for (of a set that was asked for: its own)."`
	Personal bool        `help:"With names, and with numbers where they may be rung: needs --request and --as."`
	Request  string      `placeholder:"NUMBER" help:"The request that another person approved."`
	As       string      `placeholder:"NAME" help:"Your account; the password is asked for, or taken from HOTLINE_STAFF_PASSWORD."`
	Lang     string      `enum:"id,en" default:"id" help:"Language of the file: id or en."`
	exportDays
	AsOf     time.Time `name:"as-of" placeholder:"TIME" format:"2006-01-02T15:04:05Z07:00" help:"Statistics: what was known then (RFC 3339; default now)."`
	Cutoff   string    `default:"24:00" placeholder:"HH:MM" help:"Statistics: when a day is closed, by the mission's clock."`
	Internal bool      `help:"Statistics: with numbers below 5. Not to be published."`
}

// Validate ends what cannot be meant before anything is opened.
func (c *exportWrite) Validate() error {
	if c.Personal != (c.Request != "") || c.Personal && c.As == "" {
		return errors.New("--personal, --request NUMBER and --as NAME go together: ask with 'hotline export request', let another person approve it, then write it")
	}
	if c.Kind.Names() && !c.Personal {
		return fmt.Errorf("%s names people: it needs --personal with --request and --as (see 'hotline export request --help')", c.Kind)
	}
	if c.Kind == export.Statistics && c.Personal {
		return errors.New("statistics name nobody: leave out --personal")
	}
	if _, err := cutoff(c.Cutoff); err != nil {
		return err
	}
	if c.Personal {
		if c.Reason != "" || !c.From.IsZero() || !c.To.IsZero() {
			return errors.New("--reason, --from and --to are those of the request: leave them out")
		}
		return nil
	}
	return errors.Join(c.validate(), reasonGiven(c.Reason))
}

func cutoff(s string) (int, error) {
	var h, m int
	if n, err := fmt.Sscanf(s+" ", "%d:%02d ", &h, &m); n != 2 || err != nil || h < 0 || m < 0 || m > 59 || h*60+m < 1 || h*60+m > 24*60 {
		return 0, errors.New("--cutoff is a time such as 17:00, at most 24:00")
	}
	return h*60 + m, nil
}

// Run writes the file: whole and accounted for, or not at all.
func (c *exportWrite) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		m, err := oneMission(st.missions, c.Mission)
		if err != nil {
			return err
		}
		cat, err := locales.New()
		if err != nil {
			return err
		}
		cut, _ := cutoff(c.Cutoff)
		row := auditRow("export", string(c.Kind))
		set := &export.Set{Kind: c.Kind, Personal: c.Personal, Mission: m, Lang: c.Lang, Texts: cat, Now: time.Now(), By: row.Who, Reason: strings.TrimSpace(c.Reason),
			From: c.From.Time, To: c.To.Time, Cutoff: cut, AsOf: c.AsOf, Internal: c.Internal}
		if set.AsOf.IsZero() {
			set.AsOf = set.Now
		}
		if err := mayWrite(c.Out); err != nil {
			return err
		}
		if c.Personal {
			a, err := exporter(ctx, s, st, io, c.As, m, casework.ActExport)
			if err != nil {
				return err
			}
			signed(&row, a)
			set.By = a.Name
			if err := c.approved(ctx, st, set); err != nil {
				return err
			}
		}
		if err := perDay(ctx, st, m, row); err != nil {
			return err
		}
		if c.Personal {
			if err := c.use(ctx, st, set); err != nil {
				return err
			}
		}
		table, err := readSet(ctx, st.store, set)
		if err != nil {
			return err
		}
		row.Purpose, row.Result = set.Reason, fmt.Sprintf("%d rows", len(table.Rows))
		if set.ID != "" {
			row.Field += " " + set.ID
		}
		if c.Personal || c.Internal {
			row.Field += map[bool]string{true: " personal", false: " internal"}[c.Personal]
		}
		err = keepFile(c.Out, func(w stdio.Writer) error { return table.Write(w, export.Format(c.Format)) }, func() error {
			return st.store.Record(ctx, m.Code, row)
		})
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		_, err = fmt.Fprintf(io.out, "%d rows written\n", len(table.Rows))
		return err
	})
}

// approved finds out whether the request may be used, and takes over what it says.
func (c *exportWrite) approved(ctx context.Context, st *opened, set *export.Set) error {
	set.ID = strings.ToUpper(strings.TrimSpace(c.Request))
	ask, err := st.store.Export(ctx, set.ID)
	switch {
	case err == nil && !strings.EqualFold(ask.By, set.By):
		err = bot.ErrNotFound
	case err == nil && (ask.Kind != string(c.Kind) || ask.Mission != set.Mission.Code):
		return usagef("request %s is for: %s --mission %s", set.ID, ask.Kind, ask.Mission)
	case err == nil && ask.State != bot.ExportAllowed:
		err = bot.ErrExportState
	}
	if err != nil {
		return exportTrouble(set.ID, ask, err)
	}
	set.Second, set.Reason = ask.Second, ask.Reason
	return setDays(set, ask)
}

// use takes what was approved: it is not written a second time, nor by two commands at once.
func (c *exportWrite) use(ctx context.Context, st *opened, set *export.Set) error {
	if ask, err := st.store.TakeExport(ctx, set.ID, set.By); err != nil {
		return exportTrouble(set.ID, ask, err)
	}
	return nil
}

// oneMission is the mission that --mission names, or the only one.
func oneMission(all []*bot.Mission, code string) (*bot.Mission, error) {
	if code == "" && len(all) > 1 {
		return nil, usagef("--mission: one of %s", codes(all))
	}
	ms, err := chosen(all, code)
	if err != nil {
		return nil, err
	}
	return ms[0], nil
}

// perDay counts a file against its maker's limit, and refuses it when the limit cannot be read.
func perDay(ctx context.Context, st *opened, m *bot.Mission, row bot.Audit) error {
	wait, err := st.store.Throttle(ctx, "export:"+row.Who, bot.ExportsPerDay, 24*time.Hour)
	if err != nil {
		return fmt.Errorf("export: nothing is written while the limit cannot be counted: %w", err)
	}
	if wait > 0 {
		row.What, row.Result = "denied", "limit"
		return errors.Join(fmt.Errorf("export: %d files in 24 hours are the limit; the next one in %s", bot.ExportsPerDay, wait.Round(time.Minute)),
			st.store.Record(ctx, m.Code, row))
	}
	return nil
}
