package whatsapptest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.mau.fi/whatsmeow"
)

const chatHost = "web.whatsapp.com"

// Use points a client at this server: websocket, pairing and media. Call it before Connect.
func (s *Server) Use(cli *whatsmeow.Client) {
	h := s.HTTPClient()
	cli.SetWebsocketHTTPClient(h)
	cli.SetPreLoginHTTPClient(h)
	cli.SetMediaHTTPClient(h)
}

// HTTPClient is a client for which WhatsApp's hosts are this server and no others exist.
func (s *Server) HTTPClient() *http.Client { return &http.Client{Transport: s.Transport()} }

// Transport is the round tripper of HTTPClient, for programs that wrap one around it.
func (s *Server) Transport() http.RoundTripper {
	return &redirect{host: s.http.Listener.Addr().String(), stray: func(url string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.strays = append(s.strays, url)
	}}
}

// Strays lists the addresses that clients asked for and that are not WhatsApp's. The requests have failed.
func (s *Server) Strays() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.strays...)
}

// Address is what Redirect needs in another process: where the server is, and its root key.
func (s *Server) Address() string {
	root := trusted().root
	return s.http.Listener.Addr().String() + "/" + hex.EncodeToString(root[:])
}

// Redirect makes the transport of a client in another process than the server's, and has whatsmeow in this process
// trust that server. Call it before the first connection.
func Redirect(address string) (http.RoundTripper, error) {
	host, key, _ := strings.Cut(address, "/")
	root, err := hex.DecodeString(key)
	if err != nil || len(root) != 32 {
		return nil, errors.New("not an address of a whatsapptest server")
	}
	trust([32]byte(root))
	return &redirect{host: host}, nil
}

// redirect sends requests for WhatsApp's hosts to the test server, and fails all others.
type redirect struct {
	host  string
	stray func(url string)
}

// Every request has a connection of its own: an idle one would outlive the test, and a websocket takes its along.
var loopback = &http.Transport{DisableKeepAlives: true}

func (r *redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != chatHost && !isMediaHost(req.URL.Host) {
		if r.stray != nil {
			r.stray(req.URL.String())
		}
		return nil, fmt.Errorf("dial %s: not a host of WhatsApp", req.URL.Host)
	}
	here := req.Clone(req.Context())
	here.Host = req.URL.Host
	here.URL.Scheme, here.URL.Host = "http", r.host
	return loopback.RoundTrip(here)
}
