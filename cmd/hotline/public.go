package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// publicMux is the whole of what the public listener answers; everything else is 404.
func (s *service) publicMux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health.live)
	mux.HandleFunc("GET /readyz", s.health.ready)
	mux.HandleFunc("GET /source", s.source)
	for _, t := range s.tgs {
		if t.path != "" {
			mux.Handle(t.path, t.channel.Webhook())
		}
	}
	for i, c := range s.chats {
		base := "/"
		if len(s.chats) > 1 {
			base = "/" + s.missions[i].Code + "/"
		}
		mux.Handle(base, c)
	}
	return mux
}

// serve runs one HTTP server as a part. closing ends its event streams, which would keep it from stopping.
func (s *service) serve(name string, l net.Listener, h http.Handler, closing func()) {
	srv := newServer(h, s.log)
	requests, cut := context.WithCancel(context.Background())
	srv.BaseContext = func(net.Listener) context.Context { return requests }
	srv.RegisterOnShutdown(func() {
		if closing != nil {
			closing()
		}
		time.AfterFunc(grace, cut)
	})
	s.start(name, func(ctx context.Context) error {
		ended := make(chan error, 1)
		go func() { ended <- srv.Serve(l) }()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
		}
		defer cut()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(last); err != nil {
			_ = srv.Close()
		}
		return nil
	})
}

// sourceURL is where this program's source is offered (AGPL-3.0 section 13).
func (s *service) sourceURL() string {
	if s.settings.SourceURL != "" {
		return string(s.settings.SourceURL)
	}
	return s.publicURL + "source"
}

// source says under which licence the program runs, which build it is, and how to get its source.
func (s *service) source(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "Pulang, a chat hotline for stranded citizens. Free software: GNU Affero General Public License, version 3 or later.\n"+
		"https://www.gnu.org/licenses/agpl-3.0.html\n\nRunning version: %s\n\n", version())
	if s.settings.SourceURL != "" {
		fmt.Fprintf(w, "Source: %s\n", s.settings.SourceURL)
		return
	}
	fmt.Fprintf(w, "Everybody who uses this service may have the source of exactly this version. Ask %s for it.\n", s.missions[0].Name)
}

// version is the build's revision as the Go toolchain recorded it.
func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := b.Main.Version
	for _, x := range b.Settings {
		if x.Key == "vcs.revision" {
			v += " " + x.Value
		}
	}
	return v
}
