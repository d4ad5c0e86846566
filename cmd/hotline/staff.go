package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pulang/bot"
	"pulang/bot/desk"
	"pulang/flows/casework"
)

// staffCmd keeps the accounts of the desk.
type staffCmd struct {
	Add     staffAdd     `cmd:"" help:"Creates an account and prints its one-time link."`
	List    staffList    `cmd:"" help:"Lists the accounts."`
	Disable staffDisable `cmd:"" help:"Closes an account and ends its sessions."`
	Reset   staffReset   `cmd:"" help:"Prints a new one-time link for an account that lost its password, and ends its sessions. The authenticator stays."`
	Factor  staffFactor  `cmd:"" help:"Asks to remove the authenticator of an account that lost its phone; an admin confirms it at the desk. Or confirms what an admin asked for."`
}

// linkLife is how long a one-time link is good for.
const linkLife = 24 * time.Hour

type staffAdd struct {
	Name    string   `arg:"" help:"Account name, for example siti."`
	Role    string   `required:"" enum:"viewer,officer,supervisor,admin,auditor" help:"viewer, officer, supervisor, admin or auditor."`
	Mission []string `placeholder:"CODE" help:"Missions the account works for (default: all)."`
	Female  bool     `help:"People who ask for a woman officer are offered to this account first."`
	Lang    string   `enum:"id,en," default:"" placeholder:"id|en" help:"Language of the desk for this account."`
}

// Run creates the account.
func (c *staffAdd) Run(ctx context.Context, s *Settings, io *streams) error {
	name := strings.TrimSpace(c.Name)
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return usagef("staff add: the name has 1 to 64 characters and no control characters")
	}
	return inStore(ctx, s, io, false, func(st *opened) error {
		for _, m := range c.Mission {
			if !slices.ContainsFunc(st.missions, func(x *bot.Mission) bool { return x.Code == m }) {
				return usagef("staff add: no mission %q; there are: %s", m, codes(st.missions))
			}
		}
		_, err := st.store.Account(ctx, name)
		if err == nil {
			return fmt.Errorf("staff add: there is an account %q already; 'hotline staff reset' prints a new link", name)
		}
		if !errors.Is(err, bot.ErrNotFound) {
			return fmt.Errorf("staff add: %w", err)
		}
		a := bot.Account{Name: name, Role: casework.Role(c.Role), Missions: c.Mission, Female: c.Female, Lang: c.Lang,
			Created: time.Now().UTC(), Code: officerCode()}
		if err := st.store.SaveAccount(ctx, a, auditRow("staff_add", name)); err != nil {
			return fmt.Errorf("staff add: %w", err)
		}
		return printLink(ctx, s, io, st, name)
	})
}

type staffList struct{}

// Run lists the accounts.
func (c *staffList) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		all, err := st.store.Accounts(ctx)
		if err != nil {
			return fmt.Errorf("staff list: %w", err)
		}
		w := tabwriter.NewWriter(io.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tROLE\tMISSIONS\tSTATE\tAUTHENTICATOR\tCREATED")
		for _, a := range all {
			missions, state := strings.Join(a.Missions, ","), "active"
			if missions == "" {
				missions = "all"
			}
			switch {
			case a.Disabled:
				state = "disabled"
			case a.Hash == "":
				state = "invited"
			}
			f, err := st.store.Factor(ctx, a.Name)
			if err != nil {
				return fmt.Errorf("staff list: %w", err)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Name, a.Role, missions, state, factorState(f), a.Created.Format(time.DateOnly))
		}
		return w.Flush()
	})
}

type staffDisable struct {
	Name string `arg:"" help:"Account name."`
}

// Run closes the account.
func (c *staffDisable) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		a, err := account(ctx, st, c.Name)
		if err != nil {
			return err
		}
		a.Disabled = true
		return errors.Join(st.store.SaveAccount(ctx, a, auditRow("staff_disable", a.Name)), st.store.EndSessions(ctx, a.Name))
	})
}

type staffReset struct {
	Name string `arg:"" help:"Account name."`
}

// Run ends the sessions and prints a new link; the old password stops working.
func (c *staffReset) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		a, err := account(ctx, st, c.Name)
		if err != nil {
			return err
		}
		a.Hash, a.Disabled, a.SignedOutAt = "", false, time.Now().UTC()
		if err := st.store.SaveAccount(ctx, a, auditRow("staff_reset", a.Name)); err != nil {
			return fmt.Errorf("staff reset: %w", err)
		}
		if err := st.store.EndSessions(ctx, a.Name); err != nil {
			return fmt.Errorf("staff reset: %w", err)
		}
		return printLink(ctx, s, io, st, a.Name)
	})
}

func account(ctx context.Context, st *opened, name string) (bot.Account, error) {
	a, err := st.store.Account(ctx, strings.TrimSpace(name))
	if errors.Is(err, bot.ErrNotFound) {
		return a, fmt.Errorf("no account %q; 'hotline staff list' shows them", name)
	}
	if err != nil {
		return a, fmt.Errorf("account: %w", err)
	}
	return a, nil
}

// printLink writes a fresh one-time link to standard output, and nothing else, so that a script can take it.
func printLink(ctx context.Context, s *Settings, io *streams, st *opened, name string) error {
	token, until := desk.NewToken(), time.Now().Add(linkLife)
	if err := st.store.NewLink(ctx, name, token, until); err != nil {
		return fmt.Errorf("one-time link: %w", err)
	}
	fmt.Fprintln(io.out, desk.Link(deskAddress(s), token))
	fmt.Fprintf(io.err, "Give this link to %s in person; it works once, until %s.\n", name, until.Format("2006-01-02 15:04"))
	return nil
}

// officerCode is what an officer tells a citizen, who may check it with CEK.
func officerCode() string {
	b := random(6)
	for i := range b {
		b[i] = casework.Alphabet[b[i]&31]
	}
	return string(b)
}

// auditRow is an act of the command line: the account of the machine that ran it.
func auditRow(what, field string) bot.Audit {
	who := "cli"
	if u, err := user.Current(); err == nil {
		who = "cli:" + u.Username
	}
	return bot.Audit{At: time.Now().UTC(), Who: who, What: what, Field: field}
}

func codes(ms []*bot.Mission) string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Code)
	}
	return strings.Join(out, ", ")
}
