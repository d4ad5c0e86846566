package whatsapp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/store"
)

// An encryption session with a person's phone moves on with each message, in and out. whatsmeow reads it, encrypts,
// and writes it back without looking whether a message that came in meanwhile has moved it: the step of that message is
// undone, or a whole new session with it, and from then on one side cannot read the other. Here a session is only
// written over what was read; otherwise the writer is told, and begins again before anything has left.

// errMoved is a session that another message has moved meanwhile. It counts as cancelled for the library, so that a
// phone's request for a copy is not acknowledged.
var errMoved = fmt.Errorf("the encryption session has moved on meanwhile: %w", context.Canceled)

// sessions guards the session table of one device.
type sessions struct {
	store.SessionStore
	// turn is held while a received message is decrypted, while the sessions of a send are compared and written, and
	// from GetSession to PutSession while a phone that has asked for a copy gets one.
	turn chan struct{}

	mu    sync.Mutex
	many  map[string][]byte // as the send under way has read them; sends come one at a time
	one   []byte            // as the copy under way has read it; copies come one at a time, too
	owner string            // whose copy has the turn; empty when none
	late  *time.Timer
}

// longestTurn ends the turn of a copy that was given up between its two steps.
const longestTurn = 3 * time.Second

// guard puts the guard between the client and its store.
func guard(d *store.Device) {
	s := &sessions{SessionStore: d.Sessions, turn: make(chan struct{}, 1)}
	d.Sessions = s
	d.EventBuffer = &decryption{d.EventBuffer, s}
}

// GetManySessions is how a send begins.
func (s *sessions) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	m, err := s.SessionStore.GetManySessions(ctx, addresses)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.many = map[string][]byte{}
	for a, b := range m {
		s.many[a] = bytes.Clone(b)
	}
	return m, err
}

// PutManySessions is the last step of a send before the message leaves.
func (s *sessions) PutManySessions(ctx context.Context, m map[string][]byte) error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.mu.Lock()
	was := s.many
	s.mu.Unlock()
	for address := range m {
		if err := s.unmoved(ctx, address, was[address]); err != nil {
			return err
		}
	}
	return s.SessionStore.PutManySessions(ctx, m)
}

// GetSession is how a decryption begins, and an encryption for a single device.
func (s *sessions) GetSession(ctx context.Context, address string) ([]byte, error) {
	if ctx.Value(decrypting{}) != nil {
		return s.SessionStore.GetSession(ctx, address)
	}
	s.mu.Lock()
	mine := s.owner == address
	s.mu.Unlock()
	if !mine {
		s.turn <- struct{}{}
		s.mu.Lock()
		s.owner, s.late = address, time.AfterFunc(longestTurn, func() { s.release(address) })
		s.mu.Unlock()
	}
	b, err := s.SessionStore.GetSession(ctx, address)
	s.mu.Lock()
	s.one = bytes.Clone(b)
	s.mu.Unlock()
	if err != nil {
		s.release(address)
	}
	return b, err
}

// PutSession ends what GetSession began.
func (s *sessions) PutSession(ctx context.Context, address string, session []byte) error {
	if ctx.Value(decrypting{}) != nil {
		return s.SessionStore.PutSession(ctx, address, session)
	}
	s.mu.Lock()
	mine, was := s.owner == address, s.one
	s.mu.Unlock()
	if !mine { // too late
		return errMoved
	}
	defer s.release(address)
	if err := s.unmoved(ctx, address, was); err != nil {
		return err
	}
	return s.SessionStore.PutSession(ctx, address, session)
}

// release ends the turn of a copy, if it is still going on.
func (s *sessions) release(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == address {
		s.late.Stop()
		s.owner = ""
		<-s.turn
	}
}

func (s *sessions) unmoved(ctx context.Context, address string, was []byte) error {
	now, err := s.SessionStore.GetSession(ctx, address)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(now, was):
		return errMoved
	}
	return nil
}

// decrypting marks the context of a decryption, whose steps are one transaction.
type decrypting struct{}

// decryption keeps other writers off while a received message is decrypted.
type decryption struct {
	store.EventBuffer
	s *sessions
}

// DoDecryptionTxn decrypts.
func (d *decryption) DoDecryptionTxn(ctx context.Context, f func(context.Context) error) error {
	d.s.turn <- struct{}{}
	defer func() { <-d.s.turn }()
	return d.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error {
		return f(context.WithValue(ctx, decrypting{}, true))
	})
}

// moved reports whether a send was given up before the message left because the session had moved.
func moved(err error) bool { return errors.Is(err, errMoved) }
