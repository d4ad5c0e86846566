package main

import (
	"context"
	"errors"
	"fmt"
	stdio "io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pulang/bot"
	"pulang/cmd/hotline/export"
	"pulang/flows/casework"
	"pulang/locales"
)

// exportCmd takes case data out of the store. What names people needs two: one asks, another allows it, and within a day
// the first one writes it, once.
type exportCmd struct {
	Write   exportWrite  `cmd:"" default:"withargs" help:"Writes a set (statistics, operational, nominal, waiver, shelter) to a file."`
	Case    exportCase   `cmd:"" help:"One case as a copy for the person whom it is about, as JSON and as text."`
	Request exportAsk    `cmd:"" help:"Asks for a set that names people; another person has to approve it. Prints the request's number."`
	Approve exportAllow  `cmd:"" help:"Approves somebody else's request, for a day."`
	Refuse  exportRefuse `cmd:"" help:"Refuses somebody else's request."`
	List    exportList   `cmd:"" help:"Lists the requests of the last days."`
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
	Kind     export.Kind `arg:"" enum:"statistics,operational,nominal,waiver,shelter" help:"statistics, operational, nominal, waiver or shelter."`
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

type exportAsk struct {
	Kind    export.Kind `arg:"" enum:"operational,nominal,waiver,shelter" help:"operational, nominal, waiver or shelter."`
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

// exportAnswer is what allowing and refusing have in common.
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

func (c *exportAnswer) answer(ctx context.Context, s *Settings, io *streams, allow bool) error {
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
		a, err := exporter(ctx, s, st, io, c.As, m, casework.ActAllowExport)
		if err != nil {
			return err
		}
		row := auditRow("export_approve", "")
		if !allow {
			row = auditRow("export_refuse", "")
		}
		signed(&row, a)
		ask, err = st.store.DecideExport(ctx, m.Code, id, a.Name, allow, time.Now(), row)
		if err != nil {
			return exportTrouble(id, ask, err)
		}
		if allow {
			_, err = fmt.Fprintf(io.out, "%s may write it once until %s: %s of %s\n", ask.By, stamp(ask.Until, m), ask.Kind, ask.Mission)
		} else {
			_, err = fmt.Fprintln(io.out, "Refused.")
		}
		return err
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
			bot.ExportTaken: "its file was written; ask again for another one",
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
