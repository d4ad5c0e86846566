package main

import (
	"context"
	"io"
)

// interruptible reads until ctx ends. A signal does not wake a read of a terminal or a pipe, which would wait on for a
// line that nobody writes any more.
type interruptible struct {
	ctx  context.Context //nolint:containedctx // io.Reader has none
	in   io.Reader
	got  chan heard
	rest heard
}

// heard is the outcome of a read.
type heard struct {
	bytes []byte
	err   error
}

func interruptibly(ctx context.Context, in io.Reader) *interruptible {
	return &interruptible{ctx: ctx, in: in}
}

// listen reads on until ctx or the input ends.
func (r *interruptible) listen() {
	for {
		b := make([]byte, 64<<10)
		n, err := r.in.Read(b)
		select {
		case r.got <- heard{b[:n], err}:
		case <-r.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Read gives context.Canceled once ctx has ended. The first one begins to read: what is never asked takes nothing from
// anybody else who reads the terminal.
func (r *interruptible) Read(p []byte) (int, error) {
	if r.got == nil {
		r.got = make(chan heard)
		go r.listen()
	}
	if len(r.rest.bytes) == 0 && r.rest.err == nil {
		select {
		case r.rest = <-r.got:
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
	n := copy(p, r.rest.bytes)
	if r.rest.bytes = r.rest.bytes[n:]; len(r.rest.bytes) > 0 {
		return n, nil
	}
	return n, r.rest.err
}
