package main

import (
	"context"
	"errors"
	"time"

	"pulang/bot"
	"pulang/bot/whatsapp"
)

// An admin links and unlinks a number at the desk, which any replica may serve. The process that has the number's
// lease does it, because nobody else may touch the device; what was asked and what is to be shown go through the
// store, sealed and short-lived.

// askEvery is how often the holder of the lease looks for what was asked.
const askEvery = time.Second

// hear does what is asked of the number, until ctx ends.
func (w *whatsappLine) hear(ctx context.Context, s *service) {
	look := time.NewTicker(askEvery)
	defer look.Stop()
	working, stop := "", func() {} // the request that is being worked on
	defer func() { stop() }()
	for ; ; tick(ctx, look.C) {
		if ctx.Err() != nil {
			return
		}
		ask, show, err := s.store.Number(ctx, w.line, w.channel.Account())
		switch {
		case err != nil:
			continue // the store is away, or the request cannot be read: it ends by itself
		case ask.ID == working:
		default:
			stop()
			working, stop = ask.ID, func() {}
			if ask.ID == "" || show.Step != "" && show.Step != bot.NumberWorking && show.Step != bot.NumberShowQR && show.Step != bot.NumberType {
				continue // taken back, or done by a former holder of the lease
			}
			one, end := context.WithCancel(ctx)
			stop = end
			go func() { defer end(); w.do(one, s, ask) }()
		}
	}
}

// tick waits for c, or for the end of ctx.
func tick(ctx context.Context, c <-chan time.Time) {
	select {
	case <-ctx.Done():
	case <-c:
	}
}

// do works on one request and shows how far it has come.
func (w *whatsappLine) do(ctx context.Context, s *service, ask bot.NumberAsk) {
	show := func(n bot.NumberShow, audit bot.Audit) {
		n.Ask = ask.ID
		for try := range 10 {
			err := s.store.ShowNumber(ctx, w.line, w.channel.Account(), n, audit)
			if err == nil || errors.Is(err, bot.ErrConflict) || ctx.Err() != nil {
				return
			}
			s.log.Warn("number", "line", w.line, "err", err)
			tick(ctx, time.After(time.Duration(try+1)*200*time.Millisecond))
		}
	}
	show(bot.NumberShow{Step: bot.NumberWorking}, bot.Audit{})
	var number string
	var err error
	switch ask.Do {
	case bot.NumberLink, bot.NumberCode:
		phone := ""
		if ask.Do == bot.NumberCode {
			phone = ask.Phone
		}
		number, err = w.channel.Link(ctx, phone,
			func(qr string, valid time.Duration) {
				show(bot.NumberShow{Step: bot.NumberShowQR, QR: qr, Until: time.Now().Add(valid)}, bot.Audit{})
			},
			func(code string) {
				show(bot.NumberShow{Step: bot.NumberType, Code: code, Until: time.Now().Add(codeFor)}, bot.Audit{})
			})
	case bot.NumberUnlink, bot.NumberDrop:
		err = w.channel.Unlink(ctx, ask.Do == bot.NumberDrop)
	default:
		return
	}
	if ctx.Err() != nil {
		return // taken back, or the lease went to another process
	}
	audit := bot.Audit{At: time.Now(), Who: ask.By, What: "number_" + ask.Do + "_done", Field: whatsapp.Name, Result: "ok"}
	end := bot.NumberShow{Step: bot.NumberDone, Number: number}
	if err != nil {
		end.Step, end.Why = bot.NumberFailed, whyNumber(err)
		audit.Result = end.Why
		s.log.Warn("number", "line", w.line, "kind", ask.Do, "why", end.Why, "err", whatsapp.Masked(err))
	}
	show(end, audit)
}

// forgetEvery is how often the device store is told whom to forget.
const forgetEvery = 5 * time.Second

// forget removes from the device store whoever was erased, wherever the erasure was done. It is repeated until it has
// worked: while no number is linked here, the rows wait.
func (w *whatsappLine) forget(ctx context.Context, s *service) {
	look := time.NewTicker(forgetEvery)
	defer look.Stop()
	for ; ctx.Err() == nil; tick(ctx, look.C) {
		people, err := s.store.Forgets(ctx, w.line, whatsapp.Name, w.channel.Account())
		if err != nil {
			continue // the store is away: told elsewhere
		}
		for id, who := range people {
			err := w.channel.Forget(ctx, who.Address)
			if err == nil {
				err = s.store.Forgotten(ctx, w.line, id)
			}
			if err != nil && ctx.Err() == nil {
				s.log.Warn("a person is not erased from the device store yet", "line", w.line, "err", whatsapp.Masked(err))
				break
			}
		}
	}
}

// codeFor is how long a code that is typed on the phone is good.
const codeFor = 2 * time.Minute

// whyNumber is the part of a catalogue key that says why it did not work.
func whyNumber(err error) string {
	switch {
	case errors.Is(err, whatsapp.ErrLinked):
		return "linked"
	case errors.Is(err, whatsapp.ErrNotLinked):
		return "not_linked"
	case errors.Is(err, whatsapp.ErrNoScan):
		return "no_scan"
	case errors.Is(err, whatsapp.ErrOtherNumber):
		return "other_number"
	case errors.Is(err, whatsapp.ErrLocked):
		return "locked"
	case errors.Is(err, whatsapp.ErrNoLine):
		return "no_line"
	case errors.Is(err, whatsapp.ErrPasskey):
		return "passkey"
	case errors.Is(err, whatsapp.ErrOutdated):
		return "outdated"
	}
	return "other"
}
