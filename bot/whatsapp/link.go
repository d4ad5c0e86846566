package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"
)

// Errors of Link and Unlink.
var (
	ErrLinked    = errors.New("a number is linked already: unlink it first")
	ErrNotLinked = errors.New("no number is linked")
	ErrNoScan    = errors.New("no phone took the code in time")
	ErrOutdated  = errors.New("WhatsApp refuses this client version: update the program, or set WHATSAPP_VERSION")
	ErrPasskey   = errors.New("the phone asks for a passkey, which needs a browser; remove the account's passkey, or link with --phone")
)

// LinkOptions say how a number is linked. Show and ShowCode are called for each new code.
type LinkOptions struct {
	Store string
	// Number is set when another line's number may be in the store already: only this one must not be.
	Number string
	// Phone asks for a code to be typed on the phone of this number instead of a QR code.
	Phone    string
	Show     func(qr string, valid time.Duration)
	ShowCode func(code string)
	Version  Version
	Log      *slog.Logger
	// Transport replaces the network, for tests.
	Transport http.RoundTripper
}

// connectedWithin is how long the phone's "linked" may take to become a login. The library waits for the server to end
// the line first, for ever if that does not happen.
var connectedWithin = 20 * time.Second

const linkTries = 3

// linkSettle is how long the new device stays to hand over its keys and learn the name of the account.
var linkSettle = 5 * time.Second

// Link links this program to the phone that takes the code, and returns the number. No message is accepted
// meanwhile: they wait at WhatsApp for Serve.
func Link(ctx context.Context, o LinkOptions) (string, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	hush()
	nameDevice()
	log := masked{log: o.Log}
	d, err := openDevices(ctx, o.Store, log)
	if err != nil {
		return "", err
	}
	defer d.close() //nolint:errcheck // everything is committed
	if old, err := d.device(ctx, o.Number); err != nil {
		return "", err
	} else if old != nil {
		return "", fmt.Errorf("%w: +%s", ErrLinked, old.ID.User)
	}
	if err := o.Version.apply(ctx, o.Transport); err != nil {
		o.Log.Warn("whatsapp version", "err", err)
	}
	life, end := context.WithCancel(ctx)
	defer end()
	cli := clientOf(d.container.NewDevice(), log, o.Transport)
	cli.BackgroundEventCtx = life
	defer cli.Disconnect()
	connected, failed := make(chan struct{}, 4), make(chan error, 4)
	cli.AddEventHandlerWithSuccessStatus(func(e any) bool {
		switch e := e.(type) {
		case *events.Connected:
			select {
			case connected <- struct{}{}:
			default:
			}
		case *events.PairError:
			select {
			case failed <- fmt.Errorf("linking: %w", clean(e.Error)):
			default:
			}
		case *events.Message:
			return e.Info.IsFromMe // people's messages come again when the service runs
		}
		return true
	})
	codes, err := cli.GetQRChannel(life)
	if err != nil {
		return "", fmt.Errorf("linking: %w", clean(err))
	}
	if err := cli.ConnectContext(life); err != nil {
		return "", fmt.Errorf("linking: no line to WhatsApp: %w", clean(err))
	}
	if err := o.pair(life, cli, codes, failed); err != nil {
		return "", err
	}
	for try := 1; ; try++ {
		select {
		case <-connected:
			sleep(ctx, linkSettle)
			if cli.Store.ID == nil {
				return "", errors.New("linking: the number is not in the store")
			}
			return cli.Store.ID.User, nil
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(connectedWithin):
			if try >= linkTries {
				return "", errors.New("linked, but the first login did not succeed: 'serve' tries again")
			}
			cli.Disconnect()
			if err := cli.ConnectContext(life); err != nil {
				o.Log.Warn("linking", "err", clean(err))
			}
		}
	}
}

// pair shows codes until a phone has taken one.
func (o LinkOptions) pair(ctx context.Context, cli *whatsmeow.Client, codes <-chan whatsmeow.QRChannelItem, failed <-chan error) error {
	asked := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-failed:
			return err
		case item, ok := <-codes:
			if !ok {
				return ErrNoScan
			}
			switch item.Event {
			case whatsmeow.QRChannelEventCode:
				if o.Phone == "" {
					o.Show(item.Code, item.Timeout)
					continue
				}
				if asked {
					continue
				}
				asked = true
				code, err := cli.PairPhone(ctx, o.Phone, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
				if err != nil {
					return fmt.Errorf("linking by code: %w", clean(err))
				}
				o.ShowCode(code)
			case whatsmeow.QRChannelSuccess.Event:
				return nil
			case whatsmeow.QRChannelTimeout.Event:
				return ErrNoScan
			case whatsmeow.QRChannelClientOutdated.Event:
				return fmt.Errorf("linking: %w", ErrOutdated)
			case whatsmeow.QRChannelScannedWithoutMultidevice.Event:
				o.Log.Warn("the phone does not allow linked devices: update WhatsApp on it and scan again")
			case whatsmeow.QRChannelEventPasskeyRequest, whatsmeow.QRChannelEventPasskeyResponse:
				return fmt.Errorf("linking: %w", ErrPasskey)
			case whatsmeow.QRChannelEventError:
				return fmt.Errorf("linking: %w", clean(item.Error))
			default:
				return fmt.Errorf("linking: %s", item.Event)
			}
		}
	}
}

// Unlink takes the device off the phone's list and deletes it here. With force it is deleted here even when WhatsApp
// cannot be told.
func Unlink(ctx context.Context, dsn, number string, force bool, v Version, log *slog.Logger, transport http.RoundTripper) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	hush()
	if all, err := List(ctx, dsn); err != nil {
		return err
	} else if !linked(all, number) {
		return ErrNotLinked // and no empty store is made
	}
	d, err := openDevices(ctx, dsn, masked{log: log})
	if err != nil {
		return err
	}
	defer d.close() //nolint:errcheck // everything is committed
	dev, err := d.device(ctx, number)
	if err != nil {
		return err
	}
	if dev == nil {
		return ErrNotLinked
	}
	if err := v.apply(ctx, transport); err != nil {
		log.Warn("whatsapp version", "err", err)
	}
	own := dev.ID.User // a log-out takes it away
	life, end := context.WithCancel(ctx)
	defer end()
	cli := clientOf(dev, masked{log: log}, transport)
	cli.BackgroundEventCtx = life
	defer cli.Disconnect()
	up := make(chan struct{}, 1)
	cli.AddEventHandlerWithSuccessStatus(func(e any) bool {
		if _, ok := e.(*events.Connected); ok {
			select {
			case up <- struct{}{}:
			default:
			}
		}
		_, isMessage := e.(*events.Message)
		return !isMessage
	})
	err = cli.ConnectContext(life)
	if err == nil {
		select {
		case <-up:
			err = cli.Logout(life)
		case <-time.After(connectedWithin):
			err = errors.New("no login")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	cli.Disconnect()
	if left, look := d.device(ctx, own); look == nil && left == nil {
		return nil
	}
	if err != nil && !force {
		return fmt.Errorf("WhatsApp could not be told: %w; take the device off in the phone's list of linked devices, then use --force", clean(err))
	}
	return d.drop(ctx, own)
}
