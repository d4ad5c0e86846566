package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/mdp/qrterminal/v3"

	"pulang/bot"
	"pulang/bot/whatsapp"
)

// whatsappCmd links the hotline's number. It works before `serve` runs, and beside it while no number is linked.
type whatsappCmd struct {
	Link   whatsappLink   `cmd:"" help:"Links the program to the phone that scans the QR code (WhatsApp > Linked devices)."`
	Status whatsappStatus `cmd:"" help:"Which number is linked, and as which version of WhatsApp Web the program logs in."`
	Unlink whatsappUnlink `cmd:"" help:"Takes the program off the phone's list of linked devices."`
}

// at finds the device store of the line that is meant.
func (whatsappCmd) at(s *Settings, io *streams, mission string) (whatsappLine, error) {
	data, err := s.dataDir("data")
	if err != nil {
		return whatsappLine{}, err
	}
	one := *s
	one.WhatsApp = "on"
	missions := []*bot.Mission{{Code: "-"}} // without a mission file there is one line
	if s.Missions != "" {
		if missions, err = s.loadMissions(); err != nil {
			return whatsappLine{}, err
		}
	}
	lines, err := whatsappLines(&one, io, missions, data)
	if err != nil {
		return whatsappLine{}, err
	}
	if mission == "" && len(lines) == 1 {
		return lines[0], nil
	}
	for _, l := range lines {
		if l.line == mission {
			return l, nil
		}
	}
	return whatsappLine{}, usagef("--mission CODE says which line's number is meant; those with one are: %s", lineCodes(lines))
}

func lineCodes(ls []whatsappLine) string {
	var out []string
	for _, l := range ls {
		out = append(out, l.line)
	}
	return strings.Join(out, ", ")
}

type whatsappLink struct {
	Phone   string `placeholder:"NUMBER" help:"Show a code to type on the phone with this number (international, +62…) instead of a QR code."`
	Mission string `placeholder:"CODE" help:"The line whose number is linked, where there are several."`
}

// Run shows codes until a phone has taken one.
func (c *whatsappLink) Run(ctx context.Context, s *Settings, io *streams) error {
	w, err := whatsappCmd{}.at(s, io, c.Mission)
	if err != nil {
		return err
	}
	if n := bot.NumberDigits(c.Phone); c.Phone != "" && (len(n) < 7 || n[0] == '0') {
		return usagef("whatsapp link: --phone needs the number in international form, such as +62 812 3456 7890")
	}
	number, err := whatsapp.Link(ctx, whatsapp.LinkOptions{
		Store: w.store, Number: w.number, Phone: c.Phone, Version: w.version, Log: newLog(io.err, max(slog.Level(s.LogLevel), slog.LevelWarn)),
		Transport: whatsappNet,
		Show: func(qr string, valid time.Duration) {
			fmt.Fprintf(io.out, "On the hotline's phone: WhatsApp > Linked devices > Link a device, and scan (good for %.0f seconds):\n\n", valid.Seconds())
			qrterminal.GenerateWithConfig(qr, qrterminal.Config{Level: qrterminal.L, Writer: io.out, HalfBlocks: true, QuietZone: 2,
				BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE, BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK})
			fmt.Fprintln(io.out)
			if whatsappShow != nil {
				whatsappShow(qr)
			}
		},
		ShowCode: func(code string) {
			fmt.Fprintf(io.out, "On the phone: WhatsApp > Linked devices > Link a device > Link with phone number instead.\nCode: %s (good for about two minutes)\n", code)
		},
	})
	switch {
	case errors.Is(err, whatsapp.ErrLocked):
		return errors.New("whatsapp link: a running hotline has a linked number in this store already; see 'hotline whatsapp status'")
	case err != nil:
		return fmt.Errorf("whatsapp link: %w", err)
	}
	if w.number != "" && w.number != number {
		fmt.Fprintf(io.err, "hotline: linked +%s, but the mission file names another number: correct whatsapp_number, or unlink\n", number)
	}
	fmt.Fprintf(io.out, "Linked +%s. Set WHATSAPP=on for 'serve'. Open WhatsApp on that phone at least every 14 days, or it unlinks this device.\n", number)
	return nil
}

type whatsappStatus struct{}

// Run says what is linked. The exit code is 1 when nothing is.
func (whatsappStatus) Run(ctx context.Context, s *Settings, io *streams) error {
	data, err := s.dataDir("data")
	if err != nil {
		return err
	}
	one := *s
	one.WhatsApp = "on"
	missions := []*bot.Mission{{Code: "-"}}
	if s.Missions != "" {
		if missions, err = s.loadMissions(); err != nil {
			return err
		}
	}
	lines, err := whatsappLines(&one, io, missions, data)
	if err != nil {
		return err
	}
	none := false
	seen := map[string]bool{}
	for _, l := range lines {
		if seen[l.store] {
			continue
		}
		seen[l.store] = true
		all, err := whatsapp.List(ctx, l.store)
		if err != nil {
			return err
		}
		for _, x := range all {
			fmt.Fprintf(io.out, "linked: +%s (device %d)\n", x.Number, x.Device)
		}
		none = none || len(all) == 0
	}
	fmt.Fprintf(io.out, "WhatsApp Web version: %s\n", lines[0].version.Known())
	if none {
		return errors.New("whatsapp: no number is linked: run 'hotline whatsapp link'")
	}
	return nil
}

type whatsappUnlink struct {
	Mission string `placeholder:"CODE" help:"The line whose number is unlinked, where there are several."`
	Force   bool   `help:"Delete the device here even when WhatsApp cannot be told; then remove it on the phone."`
}

// Run logs out and deletes the device.
func (c *whatsappUnlink) Run(ctx context.Context, s *Settings, io *streams) error {
	w, err := whatsappCmd{}.at(s, io, c.Mission)
	if err != nil {
		return err
	}
	err = whatsapp.Unlink(ctx, w.store, w.number, c.Force, w.version, newLog(io.err, slog.LevelError), whatsappNet)
	switch {
	case errors.Is(err, whatsapp.ErrLocked):
		return errors.New("whatsapp unlink: 'serve' uses this number: stop it first, or take the device off in the phone's list of linked devices")
	case err != nil:
		return fmt.Errorf("whatsapp unlink: %w", err)
	}
	fmt.Fprintln(io.out, "Unlinked.")
	return nil
}
