package telegram

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	tg "github.com/go-telegram/bot"
)

// maxBody is four times what Telegram allows itself for an update.
const maxBody = 256 << 10

const secretHeader = "X-Telegram-Bot-Api-Secret-Token"

var secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,256}$`)

func (c *Channel) setSecret(secret string) error {
	if !secretForm.MatchString(secret) {
		return errors.New("webhook secret (TELEGRAM_WEBHOOK_SECRET): 16 to 256 characters of A-Z, a-z, 0-9, _ and - are needed")
	}
	sum := sha256.Sum256([]byte(secret))
	c.secret.Store(&sum)
	return nil
}

// RegisterWebhook asks Telegram to deliver to url, with secret in every request. Waiting updates are kept. Telegram
// takes https on port 443, 80, 88 or 8443 only. Every replica may call it.
func (c *Channel) RegisterWebhook(ctx context.Context, url, secret string) error {
	if err := c.setSecret(secret); err != nil {
		return err
	}
	if _, err := c.Me(ctx); err != nil {
		return err
	}
	err := c.insist(ctx, "setWebhook", func(ctx context.Context) error {
		_, err := c.api.bot.SetWebhook(ctx, &tg.SetWebhookParams{
			URL: url, SecretToken: secret, AllowedUpdates: allowedUpdates,
			// Telegram loads twice as many chats as connections: chats that fail must not fill that up.
			MaxConnections: 100,
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("register the webhook: %w", tokenError(err))
	}
	return nil
}

// authentic checks the secret without telling by the time it takes how much of it was right. Twice the header is as
// wrong as none.
func (c *Channel) authentic(r *http.Request) bool {
	want := c.secret.Load()
	got := r.Header.Values(secretHeader)
	if want == nil || len(got) != 1 {
		return false
	}
	sum := sha256.Sum256([]byte(got[0]))
	return subtle.ConstantTimeCompare(sum[:], want[:]) == 1
}

// Webhook takes Telegram's requests. 200 means committed; 503 asks for the update again in a second, where Telegram
// on its own would wait up to two minutes. No answer has a body: Telegram would execute it as a call.
func (c *Channel) Webhook() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received := time.Now()
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if !c.authentic(r) {
			w.Header().Set("Connection", "close") // the body is not read, also not to keep the connection
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		var big *http.MaxBytesError
		switch {
		case errors.As(err, &big):
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		case err != nil:
			again(w) // the connection broke: whether anybody still reads this is open
			return
		}
		p := c.parse(raw)
		if err := c.accept(r.Context(), &p); err != nil {
			c.refused(c.now(), "an update was not accepted, and will come again", err)
			again(w)
			return
		}
		c.works()
		w.WriteHeader(http.StatusOK)
		c.onAck(time.Since(received))
	})
}

func again(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
}
