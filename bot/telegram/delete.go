package telegram

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	tg "github.com/go-telegram/bot"
)

// delete removes messages on both sides. Telegram skips ids that it does not know, and refuses a whole list because
// of one message that is too old; such a list is halved until the rest is gone. Ids that are not Telegram's (of taps)
// are passed over.
func (c *Channel) delete(ctx context.Context, chat int64, handles []string) error {
	var ids []int
	for _, h := range handles {
		for s := range strings.SplitSeq(h, ",") {
			if id, err := strconv.Atoi(s); err == nil && id > 0 {
				ids = append(ids, id)
			}
		}
	}
	for len(ids) > 0 {
		n := min(len(ids), 100)
		if err := c.deleteList(ctx, chat, ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

func (c *Channel) deleteList(ctx context.Context, chat int64, ids []int) error {
	_, err := c.api.call(ctx, "deleteMessages", func(ctx context.Context) error {
		_, err := c.api.bot.DeleteMessages(ctx, &tg.DeleteMessagesParams{ChatID: chat, MessageIDs: ids})
		return err
	})
	var e *callError
	if err == nil || !errors.As(err, &e) || e.Code != http.StatusBadRequest || e.says("chat not found") {
		return err
	}
	if len(ids) == 1 {
		return nil // too old, or gone: nothing more can be done
	}
	if err := c.deleteList(ctx, chat, ids[:len(ids)/2]); err != nil {
		return err
	}
	return c.deleteList(ctx, chat, ids[len(ids)/2:])
}
