package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// probeCmd asks the service on this machine how it is doing: for containers that hold nothing but this program, and
// so no curl.
type probeCmd struct {
	What string `arg:"" optional:"" enum:"live,ready" default:"live" help:"live asks /healthz, ready asks /readyz of HOTLINE_LISTEN."`
}

// probeTimeout is what an answer may take; /readyz may have to wait for Redis or a messenger.
const probeTimeout = 8 * time.Second

// Run prints the answer. The exit code is 1 unless it is 200.
func (c probeCmd) Run(ctx context.Context, s *Settings, streams *streams) error {
	path := map[string]string{"live": "healthz", "ready": "readyz"}[c.What]
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+nearest(string(s.Listen))+"/"+path, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy of the environment
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no answer at HOTLINE_LISTEN (%s): is the service running with these settings", s.Listen)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("the answer at HOTLINE_LISTEN broke off: %w", err)
	}
	fmt.Fprint(streams.out, strings.TrimRight(string(body), "\n")+"\n")
	if res.StatusCode != http.StatusOK {
		return errReported
	}
	return nil
}

// nearest is how this machine reaches a listener: one on all addresses is asked on loopback.
func nearest(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && ip.Is4() && ip.IsUnspecified():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
