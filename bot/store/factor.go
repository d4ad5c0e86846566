package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"pulang/bot"
	"pulang/flows/casework"
)

var (
	factorSetScript   = newScript("factor_set")
	factorUseScript   = newScript("factor_use")
	factorAskScript   = newScript("factor_ask")
	factorResetScript = newScript("factor_reset")
)

// factorPlace is what a sealed second factor is bound to, factorAsked what a request to reset it is.
func factorPlace(id, fid string) string { return keyAccount(id) + "|factor|" + fid }
func factorAsked(id, rid string) string { return keyAccount(id) + "|reset|" + rid }

// Factor reads an account's second factor; the zero Factor when it has none, or when there is no such account.
func (s *Store) Factor(ctx context.Context, name string) (bot.Factor, error) {
	id := s.accountID(name)
	got, err := s.rdb.HMGet(ctx, keyAccount(id), "fid", "factor", "rid", "reset").Result()
	if err != nil {
		return bot.Factor{}, fmt.Errorf("second factor: %w", err)
	}
	var f bot.Factor
	if text(got[0]) == "" {
		return f, nil
	}
	if err := s.openFactor(ctx, factorPlace(id, text(got[0])), text(got[1]), &f); err != nil {
		return bot.Factor{}, err
	}
	f.ID = text(got[0])
	if text(got[2]) != "" {
		var r bot.FactorReset
		if err := s.openFactor(ctx, factorAsked(id, text(got[2])), text(got[3]), &r); err != nil {
			return bot.Factor{}, err
		}
		if r.Until.After(s.clock()) {
			r.ID, f.Reset = text(got[2]), &r
		}
	}
	return f, nil
}

func (s *Store) openFactor(ctx context.Context, place, sealed string, into any) error {
	err := s.openLineJSON(ctx, StaffLine, "accounts", place, sealed, into)
	if err != nil {
		return fmt.Errorf("second factor: %w", err)
	}
	return nil
}

// SetFactor gives an account that has none its second factor. step is the one whose code confirmed it; it is used by
// that. bot.ErrConflict when the account has one already.
func (s *Store) SetFactor(ctx context.Context, name, secret string, since time.Time, step int64, audit ...bot.Audit) error {
	id, fid := s.accountID(name), ulid.Make().String()
	sealed, err := s.sealLineJSON(ctx, StaffLine, "accounts", factorPlace(id, fid), bot.Factor{Secret: secret, Since: since})
	if err != nil {
		return fmt.Errorf("second factor: %w", err)
	}
	return s.factorRun(ctx, factorSetScript, id, []any{fid, sealed, step}, audit)
}

// UseFactor uses the code of one step of 30 seconds, once for all processes: a step that was used, and every earlier
// one, gives bot.ErrConflict, and so does a factor that was reset meanwhile.
func (s *Store) UseFactor(ctx context.Context, name string, f bot.Factor, step int64, audit ...bot.Audit) error {
	return s.factorRun(ctx, factorUseScript, s.accountID(name), []any{f.ID, step}, audit)
}

// AskFactorReset asks to take the second factor away; a request without Until takes the one that stands back.
// bot.ErrConflict when there is nothing to reset or take back, or somebody asks already.
func (s *Store) AskFactorReset(ctx context.Context, name string, r bot.FactorReset, audit ...bot.Audit) error {
	id, rid := s.accountID(name), ulid.Make().String()
	if r.Until.IsZero() {
		return s.factorRun(ctx, factorAskScript, id, []any{"", "", s.clock().UnixMilli(), 0}, audit)
	}
	sealed, err := s.sealLineJSON(ctx, StaffLine, "accounts", factorAsked(id, rid), r)
	if err != nil {
		return fmt.Errorf("second factor: %w", err)
	}
	return s.factorRun(ctx, factorAskScript, id, []any{rid, sealed, s.clock().UnixMilli(), r.Until.UnixMilli()}, audit)
}

// ResetFactor confirms a request: the second factor and the password end, and so does every session. by is the admin who
// confirms, "" for the command line. bot.ErrRefused when by asked for it, is the account's owner, or when who asked is no
// admin any more; bot.ErrNotFound when nobody asks.
func (s *Store) ResetFactor(ctx context.Context, name, by string, audit ...bot.Audit) error {
	f, err := s.Factor(ctx, name)
	if err != nil {
		return err
	}
	if f.Reset == nil {
		return fmt.Errorf("second factor: no reset was asked for: %w", bot.ErrNotFound)
	}
	asked := f.Reset.By
	if foldName(by) == foldName(asked) || by != "" && foldName(by) == foldName(name) {
		return fmt.Errorf("second factor: a reset needs two persons: %w", bot.ErrRefused)
	}
	if asked != "" {
		if a, err := s.Account(ctx, asked); err != nil || a.Disabled || a.Role != casework.RoleAdmin {
			return fmt.Errorf("second factor: who asked is no admin any more: %w", bot.ErrRefused)
		}
	}
	// The password goes first: whoever knew it must not be the one who enrols the next app.
	a, err := s.Account(ctx, name)
	if err != nil {
		return err
	}
	a.Hash, a.SignedOutAt = "", s.clock()
	if err := s.SaveAccount(ctx, a, bot.Audit{}); err != nil {
		return err
	}
	if err := s.factorRun(ctx, factorResetScript, s.accountID(name), []any{f.Reset.ID, s.clock().UnixMilli()}, audit); err != nil {
		return err
	}
	return s.EndSessions(ctx, name)
}

// factorRun runs a script over an account: its token and audit rows come after args. 0 is bot.ErrConflict.
func (s *Store) factorRun(ctx context.Context, sc *script, id string, args []any, audit []bot.Audit) error {
	rows, err := s.auditRows(ctx, StaffLine, audit...)
	if err != nil {
		return fmt.Errorf("second factor: %w", err)
	}
	ok, err := s.run(ctx, sc, []string{keyAccount(id), lineKey(StaffLine)}, append(append(args, s.nextToken()), rows...)...).Bool()
	if err != nil {
		return fmt.Errorf("second factor: %w", err)
	}
	if !ok {
		return fmt.Errorf("second factor: %s: %w", strings.TrimPrefix(sc.name, "factor_"), bot.ErrConflict)
	}
	return nil
}
