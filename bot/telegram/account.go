package telegram

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

// Me asks Telegram who the token belongs to and returns the bot's username. The error is ErrToken when Telegram
// refuses the token.
func (c *Channel) Me(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var me *models.User
	_, err := c.api.call(ctx, "getMe", func(ctx context.Context) (err error) {
		me, err = c.api.bot.GetMe(ctx)
		return err
	})
	if err != nil {
		return "", tokenError(err)
	}
	if me == nil || strconv.FormatInt(me.ID, 10) != c.account {
		return "", errors.New("telegram: getMe answered for another bot than the token's")
	}
	c.username.Store(&me.Username)
	return me.Username, nil
}

// tokenError makes ErrToken of the answers that a wrong token gets: 401, and 404 when even its form is wrong.
func tokenError(err error) error {
	var e *callError
	if errors.As(err, &e) && (e.Code == http.StatusUnauthorized || e.Code == http.StatusNotFound) && e.Description != notAPI {
		return fmt.Errorf("%w: %w", ErrToken, err)
	}
	return err
}

// commandForm is what Telegram allows as a command's name.
var commandForm = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// SetMyCommands registers the bot's menu for private chats, per language and for everybody else. The menu is a
// convenience: an entry, or a whole menu, that Telegram does not take is logged and left out, and no error, because
// people can type every command.
func (c *Channel) SetMyCommands(ctx context.Context) error {
	byLang := map[string][]Command{}
	for lang, list := range c.commands {
		byLang[lang] = list
	}
	if _, ok := byLang[""]; !ok && len(byLang["id"]) > 0 {
		byLang[""] = byLang["id"]
	}
	for lang, list := range byLang {
		p := &tg.SetMyCommandsParams{Scope: &models.BotCommandScopeAllPrivateChats{}, LanguageCode: lang}
		for _, cmd := range list {
			if about := []rune(cmd.Description); len(about) > 256 {
				cmd.Description = string(about[:256])
			}
			if !commandForm.MatchString(cmd.Name) || strings.TrimSpace(cmd.Description) == "" {
				c.log.Error("not a command that Telegram takes", "lang", lang, "command", cmd.Name)
				continue
			}
			p.Commands = append(p.Commands, models.BotCommand{Command: cmd.Name, Description: cmd.Description})
		}
		err := c.insist(ctx, "setMyCommands", func(ctx context.Context) error {
			_, err := c.api.bot.SetMyCommands(ctx, p)
			return err
		})
		var e *callError
		if errors.As(err, &e) && e.Code == http.StatusBadRequest {
			c.log.Error("Telegram does not take the bot's menu", "lang", lang, "telegram", e.Description)
			continue
		}
		if err != nil {
			return tokenError(err)
		}
	}
	return nil
}

// insist makes a call of the set-up, which several replicas may make at once: a 429 is waited for, three times.
func (c *Channel) insist(ctx context.Context, method string, f func(context.Context) error) error {
	for try := 1; ; try++ {
		callCtx, cancel := context.WithTimeout(ctx, 20*time.Second)
		_, err := c.api.call(callCtx, method, f)
		cancel()
		var e *callError
		if err == nil || try == 4 || !errors.As(err, &e) || e.Code != http.StatusTooManyRequests {
			return err
		}
		if !sleep(ctx, max(e.RetryAfter, time.Second)) {
			return err
		}
	}
}
