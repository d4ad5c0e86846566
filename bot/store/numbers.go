package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pulang/bot"
)

var (
	scriptNumberAsk  = newScript("number_ask")
	scriptNumberShow = newScript("number_show")

	scriptChannelTell = newScript("channel_tell")
)

const (
	// numberAskFor is how long what was asked of a number stands; numberShowFor how long its outcome is shown.
	numberAskFor, numberShowFor = 15 * time.Minute, 15 * time.Minute
	// channelForgotten is how long after its last word a process is left out of the list.
	channelForgotten = 10 * time.Minute
)

// keyChannels is a HASH per line: "account process" to the sealed bot.ChannelState (JSON) of that process; associated
// data: key name, "channel". A day after the last word of any process.
func keyChannels(line string) string { return lineKey(line) + "channels" }

// keyNumberAsk is a STRING per account for as long as what an admin asked is in force: its id, a space and the sealed
// bot.NumberAsk (JSON). keyNumberShow is a STRING that lives no longer than the code in it: the sealed bot.NumberShow.
// Associated data: key name, "number".
func keyNumberAsk(line, account string) string  { return lineKey(line) + "number:ask:" + account }
func keyNumberShow(line, account string) string { return lineKey(line) + "number:show:" + account }

// TellChannel says how a channel account is doing in this process; open pages hear of it when it changed.
func (s *Store) TellChannel(ctx context.Context, c bot.ChannelState, changed bool) error {
	key := keyChannels(c.Line)
	sealed, err := s.sealLineJSON(ctx, c.Line, "channel", key, c)
	if err != nil {
		return fmt.Errorf("channel state: %w", err)
	}
	tell := ""
	if changed {
		tell = c.Line
	}
	err = s.run(ctx, scriptChannelTell, []string{lineKey(c.Line)}, dash(c.Account)+" "+dash(c.Process), sealed, tell).Err()
	if err != nil {
		return fmt.Errorf("channel state: %w", err)
	}
	return nil
}

// ChannelStates reads what the processes last said of a line's channels; those that are silent for long are left out.
func (s *Store) ChannelStates(ctx context.Context, line string) ([]bot.ChannelState, error) {
	if _, err := s.line(line); err != nil {
		return nil, err
	}
	key := keyChannels(line)
	all, err := s.rdb.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, fmt.Errorf("channel states: %w", err)
	}
	var out []bot.ChannelState
	for field, sealed := range all {
		var c bot.ChannelState
		err := s.openLineJSON(ctx, line, "channel", key, sealed, &c)
		if err != nil {
			return nil, fmt.Errorf("channel states: %w", err)
		}
		if s.clock().Sub(c.At) > channelForgotten {
			if err := s.rdb.HDel(ctx, key, field).Err(); err != nil {
				return nil, fmt.Errorf("channel states: %w", err)
			}
			continue
		}
		out = append(out, c)
	}
	return out, nil
}

// AskNumber asks something of whichever process has the number of that account, with its audit row. What was asked
// before is over; an ask without Do only ends that.
func (s *Store) AskNumber(ctx context.Context, line, account string, a bot.NumberAsk, audit bot.Audit) error {
	if _, err := s.line(line); err != nil {
		return err
	}
	rows, err := s.auditRows(ctx, line, audit)
	if err != nil {
		return err
	}
	ask := ""
	if a.Do != "" {
		sealed, err := s.sealLineJSON(ctx, line, "number", keyNumberAsk(line, account), a)
		if err != nil {
			return fmt.Errorf("ask number: %w", err)
		}
		ask = a.ID + " " + string(sealed)
	}
	args := append([]any{account, ask, numberAskFor.Milliseconds(), line, s.nextToken()}, rows...)
	if err := s.run(ctx, scriptNumberAsk, []string{lineKey(line)}, args...).Err(); err != nil {
		return fmt.Errorf("ask number: %w", err)
	}
	return nil
}

// Number reads what is asked of the number of that account, and how far it has come; zero values for nothing.
func (s *Store) Number(ctx context.Context, line, account string) (ask bot.NumberAsk, show bot.NumberShow, err error) {
	if _, err := s.line(line); err != nil {
		return ask, show, err
	}
	f, err := s.rdb.MGet(ctx, keyNumberAsk(line, account), keyNumberShow(line, account)).Result()
	if err != nil {
		return ask, show, fmt.Errorf("number: %w", err)
	}
	_, sealed, found := strings.Cut(text(f[0]), " ")
	if !found {
		return ask, show, nil
	}
	err = s.openLineJSON(ctx, line, "number", keyNumberAsk(line, account), sealed, &ask)
	if err != nil {
		return ask, show, fmt.Errorf("number: %w", err)
	}
	if sealed := text(f[1]); sealed != "" {
		err := s.openLineJSON(ctx, line, "number", keyNumberShow(line, account), sealed, &show)
		if err != nil {
			return ask, show, fmt.Errorf("number: %w", err)
		}
	}
	if show.Ask != ask.ID {
		show = bot.NumberShow{}
	}
	return ask, show, nil
}

// ShowNumber says how far the request has come; bot.ErrConflict when another one is in force by now, or none. A code
// is gone from the store when it ends. An audit row without What is not written.
func (s *Store) ShowNumber(ctx context.Context, line, account string, show bot.NumberShow, audit bot.Audit) error {
	if show.Ask == "" {
		return errors.New("show number: no request")
	}
	rows, err := s.auditRows(ctx, line, audit)
	if err != nil {
		return err
	}
	sealed, err := s.sealLineJSON(ctx, line, "number", keyNumberShow(line, account), show)
	if err != nil {
		return fmt.Errorf("show number: %w", err)
	}
	life := numberShowFor
	if !show.Until.IsZero() {
		life = max(show.Until.Sub(s.clock()), time.Second)
	}
	args := append([]any{account, show.Ask, sealed, life.Milliseconds(), line, s.nextToken()}, rows...)
	n, err := s.run(ctx, scriptNumberShow, []string{lineKey(line)}, args...).Int()
	if err != nil {
		return fmt.Errorf("show number: %w", err)
	}
	if n == 0 {
		return bot.ErrConflict
	}
	return nil
}
