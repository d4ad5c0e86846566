package desk

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"pulang/bot"
	"pulang/flows/casework"
	"pulang/locales"
)

// Options are what a Desk is made of. Queue, Staff, Sessions, Catalogue and Missions are required.
type Options struct {
	Queue     Queue
	Staff     Staff
	Sessions  scs.CtxStore
	Catalogue *locales.Catalogue
	// Missions are the missions of this installation; the first is shown to an account that names none.
	Missions []*bot.Mission
	// Clock is time.Now when nil.
	Clock func() time.Time
	Log   *slog.Logger
	// URL is the public address of the desk. With https the cookie is Secure and bears the __Host- prefix.
	URL string
	// Demo shows the demo banner, and a one-time link signs in without setting a password.
	Demo bool
	// OneFactor lets accounts without a second factor in by their password alone; false makes them set one up first. An
	// account that has one is asked for it either way.
	OneFactor bool
	// Files opens a file that a channel keeps; nil when no channel can.
	Files func(ctx context.Context, channel, account, ref string) (io.ReadCloser, error)
	// Channels tells how the channels are doing; nil where there is nothing to tell.
	Channels Channels
	// Upkeep tells when the data was last made safe and tried; nil where there is nothing to tell.
	Upkeep func(context.Context) ([]bot.Upkeep, error)
	// ExportRows counts for each request for a file with personal data how many rows it would have now, -1 where that is
	// not known in time; nil where nobody can count.
	ExportRows func(ctx context.Context, m *bot.Mission, asks []bot.ExportAsk) []int
	// Dispatch hands over rows that a commit leased to this process, to be sent at once; nil leaves them to the
	// outbox, where they wait for the end of their lease.
	Dispatch func([]bot.Leased)
	// Alerts are the alert targets by mission: what an officer reports may have to reach others at once.
	Alerts map[string][]bot.Contact
	// Source is where the source code of this program is offered (AGPL-3.0 section 13).
	Source string
	// ClientIP tells the address of the client behind trusted proxies; nil takes the connection's.
	ClientIP func(*http.Request) string
	// Ready says why the desk cannot work at the moment; nil or a nil error means that it can.
	Ready func(context.Context) error
}

// Desk is the staff's web desk. It is an http.Handler.
type Desk struct {
	Options
	sessions  *scs.SessionManager
	missions  map[string]*mission
	handler   http.Handler
	routes    []route
	hashing   chan struct{} // bounds the argon2id work under way: each takes 64 MiB
	pictures  chan struct{} // bounds the pictures that are decoded at once
	dummy     string        // hash that an unknown account is compared with, so that it takes the same time
	live      *live
	snapshots *snapshots
	seconds   seconds
	secure    bool
}

// mission is a mission with what is derived from its file.
type mission struct {
	*bot.Mission
	rules casework.Rules
	zone  *time.Location
}

// New returns the desk. Background work starts with the first open live connection and ends with the last.
func New(o Options) *Desk {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{Options: o, missions: map[string]*mission{}, hashing: make(chan struct{}, 4), pictures: make(chan struct{}, 1)}
	u, err := url.Parse(o.URL)
	d.secure = err == nil && u.Scheme == "https"
	if !d.secure && err == nil && u.Host != "" && !loopback(u.Hostname()) {
		o.Log.Warn("the desk's address is not https: session cookies travel in clear")
	}
	for _, m := range o.Missions {
		rules := m.Rules()
		zone := rules.Zone
		if zone == nil {
			zone = time.FixedZone("", 7*3600)
		}
		d.missions[m.Code] = &mission{Mission: m, rules: rules, zone: zone}
	}
	d.sessions = d.newSessions()
	d.dummy = newDummy()
	d.snapshots = newSnapshots(o.Queue)
	d.live = newLive(o.Queue, o.Log, d.snapshots.changed)
	d.handler = d.mount()
	return d
}

// ServeHTTP serves the desk.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.handler.ServeHTTP(w, r) }

// clientIP is the address by which tries are counted.
func (d *Desk) clientIP(r *http.Request) string {
	if d.ClientIP != nil {
		return d.ClientIP(r)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	// One IPv6 customer has a whole /64: counting single addresses would count nothing.
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return host
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
