package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Whoever serves the number is the only one who may link or unlink it: a second connection of the device, even for a
// moment, destroys its keys. Link and Unlink therefore hand over to Serve.

// Errors of Channel.Link and Channel.Unlink.
var (
	ErrNoLine      = errors.New("there is no line to WhatsApp at the moment")
	ErrOtherNumber = errors.New("the linked number is not this line's")
)

// ask is what Serve is asked to do with its number.
type ask struct {
	ctx    context.Context // of whoever asks
	link   *LinkOptions    // nil: unlink
	drop   bool            // unlink here, although WhatsApp cannot be told
	answer chan answer
}

type answer struct {
	number string
	err    error
}

// Link links a number while Serve waits for one. show and showCode are told each new code; phone asks for one to be
// typed on the phone of that number. Errors: ErrLinked, ErrNoScan, ErrOtherNumber (with the number that was unlinked
// again), or that of ctx when Serve is not running here.
func (c *Channel) Link(ctx context.Context, phone string, show func(qr string, valid time.Duration), showCode func(code string)) (string, error) {
	return c.ask(ask{ctx: ctx, answer: make(chan answer, 1), link: &LinkOptions{
		Store: c.o.Store, Number: c.o.Number, Phone: phone, Show: show, ShowCode: showCode, Version: c.o.Version, Log: c.log,
		Transport: c.o.Transport,
	}})
}

// Unlink takes the device off the phone's list and deletes it, while Serve runs. With drop it is deleted here even
// when WhatsApp cannot be told; otherwise that is an error, ErrNoLine among them.
func (c *Channel) Unlink(ctx context.Context, drop bool) error {
	_, err := c.ask(ask{ctx: ctx, drop: drop, answer: make(chan answer, 1)})
	return err
}

func (c *Channel) ask(a ask) (string, error) {
	select {
	case c.asks <- a:
	case <-a.ctx.Done():
		return "", a.ctx.Err()
	}
	r := <-a.answer
	return r.number, r.err
}

// pause waits, and has do answer what is asked meanwhile; it is over early when do says that things have changed.
func (c *Channel) pause(ctx context.Context, d time.Duration, do func(context.Context, ask) (changed bool)) (changed bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			return false
		case a := <-c.asks:
			if do(ctx, a) {
				return true
			}
		}
	}
}

// notNow answers while the device store is not open.
func (c *Channel) notNow(_ context.Context, a ask) bool {
	err := ErrNoLine
	if a.link != nil {
		err = ErrLocked
	}
	a.answer <- answer{err: err}
	return false
}

// linkNow answers while no number is linked: the device store is free, and nobody is connected.
func (c *Channel) linkNow(ctx context.Context, a ask) bool {
	if a.link == nil {
		a.answer <- answer{err: ErrNotLinked}
		return false
	}
	c.state(Linking, time.Time{})
	// It ends with whoever asked, and with Serve.
	life, end := context.WithCancel(a.ctx)
	defer end()
	defer context.AfterFunc(ctx, end)()
	number, err := Link(life, *a.link)
	if err == nil && c.o.Number != "" && number != c.o.Number {
		err = ErrOtherNumber
		if e := Unlink(ctx, c.o.Store, number, true, c.o.Version, c.log, c.o.Transport); e != nil {
			err = fmt.Errorf("%w, and could not be unlinked again: %w", err, e)
		}
	}
	if err == nil {
		c.calm()
	}
	a.answer <- answer{number, err}
	return true
}

// answer does what is asked of a device that is linked; true when there is none afterwards.
func (s *session) answer(ctx context.Context, a ask) bool {
	if a.link != nil {
		a.answer <- answer{err: fmt.Errorf("%w: +%s", ErrLinked, s.own)}
		return false
	}
	err := ErrNoLine
	if s.up() {
		try, end := context.WithTimeout(a.ctx, connectedWithin)
		err = s.client.Logout(try)
		end()
	}
	if err != nil && !a.drop {
		a.answer <- answer{err: clean(err)}
		return false
	}
	s.loggedIn.Store(false)
	s.client.Disconnect()
	s.gone(ctx)
	a.answer <- answer{}
	return true
}
