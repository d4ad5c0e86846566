package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pulang/bot"
)

// staffFactor is one of the two persons that it takes to remove an account's authenticator; the other is an admin at the
// desk. Everybody at the command line counts as one person.
type staffFactor struct {
	Name     string `arg:"" help:"Account name."`
	Confirm  bool   `xor:"what" help:"Confirm what an admin asked for at the desk: authenticator, password and sessions end; prints a new one-time link."`
	Withdraw bool   `xor:"what" help:"Take the standing request back."`
}

// Run asks, confirms, or takes back.
func (c *staffFactor) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		a, err := account(ctx, st, c.Name)
		if err != nil {
			return err
		}
		f, err := st.store.Factor(ctx, a.Name)
		if err != nil {
			return fmt.Errorf("staff factor: %w", err)
		}
		asked := f.Reset != nil
		switch {
		case f.Secret == "":
			return fmt.Errorf("staff factor: %q has no authenticator; 'hotline staff reset' makes a new link", a.Name)
		case (c.Confirm || c.Withdraw) && !asked:
			return fmt.Errorf("staff factor: nobody asks to remove the authenticator of %q", a.Name)
		case c.Confirm && f.Reset.By == "":
			return errors.New("staff factor: it was asked for at the command line; an admin has to confirm it on the desk's page Staff ('hotline staff add NAME --role admin' makes one)")
		case !c.Confirm && !c.Withdraw && asked:
			return fmt.Errorf("staff factor: %s; --confirm confirms it, --withdraw takes it back", factorState(f))
		}
		switch {
		case c.Confirm:
			err = st.store.ResetFactor(ctx, a.Name, "", auditRow("factor_reset", a.Name))
		case c.Withdraw:
			err = st.store.AskFactorReset(ctx, a.Name, bot.FactorReset{}, auditRow("factor_reset_withdrawn", a.Name))
		default:
			now := time.Now().UTC()
			err = st.store.AskFactorReset(ctx, a.Name, bot.FactorReset{At: now, Until: now.Add(bot.FactorResetLife)}, auditRow("factor_reset_asked", a.Name))
		}
		switch {
		case errors.Is(err, bot.ErrRefused):
			return errors.New("staff factor: who asked for it is no admin any more; --withdraw, then ask anew")
		case err != nil:
			return fmt.Errorf("staff factor: %w", err)
		case c.Confirm:
			return printLink(ctx, s, io, st, a.Name)
		case c.Withdraw:
			_, err = fmt.Fprintln(io.out, "The request is taken back; the authenticator stays.")
		default:
			_, err = fmt.Fprintf(io.out, "Noted. An admin other than %s confirms it on the desk's page Staff within 24 hours.\n", a.Name)
		}
		return err
	})
}

// factorState says in a few words how an account's authenticator stands.
func factorState(f bot.Factor) string {
	switch {
	case f.Secret == "":
		return "none"
	case f.Reset == nil:
		return "set up"
	case f.Reset.By == "":
		return "removal asked at the command line"
	}
	return "removal asked by " + f.Reset.By
}
