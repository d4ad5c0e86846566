package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pulang/bot/store"
)

// keysCmd changes the key that wraps the data keys. The index key, which names contacts, stays for the store's life.
type keysCmd struct {
	Rotate keysRotate `cmd:"" help:"Gives the store a new wrapping key while it is served; safe to run again after a kill. The index key is never changed."`
	Retire keysRetire `cmd:"" help:"Takes the former wrapping key out of the key file, when nothing is wrapped by it any more."`
}

// keysFollow is how long serving processes may take to read a changed key file. A killed one counts as serving for
// its first 45 seconds.
const keysFollow = 90 * time.Second

type keysRotate struct{}

// Run adds a key, waits until every serving process has it, and wraps every data key anew.
func (keysRotate) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		if err := st.store.Record(ctx, "", auditRow("keys_rotate", "begin")); err != nil {
			return fmt.Errorf("keys rotate: nothing is done without an audit row: %w", err)
		}
		told := 0
		r, err := st.store.RotateKeys(ctx, keysFollow, func(_, rewrapped int) {
			if rewrapped-told >= 50_000 {
				told = rewrapped
				fmt.Fprintf(io.err, "%d data keys wrapped anew\n", rewrapped)
			}
		})
		if err != nil {
			return errors.Join(explainedRotation(err, "keys rotate"), st.store.Record(context.WithoutCancel(ctx), "", auditRow("keys_rotate", "stopped")))
		}
		if err := st.store.Record(ctx, "", auditRow("keys_rotate", fmt.Sprintf("key %08x", r.Key))); err != nil {
			return fmt.Errorf("keys rotate: %w", err)
		}
		if !r.Began && r.Rewrapped == 0 {
			fmt.Fprintf(io.out, "nothing left to do: key %08x wraps all %d data keys; 'hotline keys retire' ends the rotation\n", r.Key, r.Seen)
			return nil
		}
		fmt.Fprintf(io.out, "key %08x wraps all %d data keys; %d were wrapped anew\n", r.Key, r.Seen, r.Rewrapped)
		fmt.Fprintln(io.out, "keep a new copy of the key file now: the former copy does not open what is stored from here on")
		fmt.Fprintln(io.out, "then run 'hotline keys retire'; the index key is not changed, it names what is stored")
		return nil
	})
}

type keysRetire struct{}

// Run removes the former keys.
func (keysRetire) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		r, err := st.store.RetireKeys(ctx, keysFollow)
		if err != nil {
			return explainedRotation(err, "keys retire")
		}
		if len(r.Former) == 0 {
			fmt.Fprintf(io.out, "nothing to retire: key %08x is the only one\n", r.Key)
			return nil
		}
		if err := st.store.Record(ctx, "", auditRow("keys_retire", fmt.Sprintf("%d removed", len(r.Former)))); err != nil {
			return fmt.Errorf("keys retire: done, but without its audit row: %w", err)
		}
		fmt.Fprintf(io.out, "removed; key %08x wraps all %d data keys\n", r.Key, r.Seen)
		fmt.Fprintln(io.out, "backups made before the rotation open only with the former copy of the key file: keep it for as long as them")
		return nil
	})
}

// explainedRotation says what a stopped rotation means.
func explainedRotation(err error, what string) error {
	var far *store.StragglerError
	if errors.As(err, &far) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: stopped, nothing is lost and it goes on where it was: %w", what, err)
}
