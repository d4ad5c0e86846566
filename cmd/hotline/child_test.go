package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"pulang/bot/whatsapp"
	"pulang/bot/whatsapp/whatsapptest"
)

// childAt is set in a child process that is to be the program itself, with WhatsApp's network led to the test's server.
const childAt = "HOTLINE_TEST_WHATSAPP"

// TestMain is the program instead of the tests in such a child: the binary that users get knows of no other WhatsApp
// than WhatsApp's.
func TestMain(m *testing.M) {
	at := os.Getenv(childAt)
	if at == "" {
		os.Exit(m.Run())
	}
	var err error
	if whatsappNet, err = whatsapptest.Redirect(at); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitUsage)
	}
	whatsappOptions = func(o *whatsapp.Options) { o.Pause, o.Typing = -1, -1 }
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}))
}
