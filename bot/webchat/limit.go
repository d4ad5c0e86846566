package webchat

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What one person and one network address may do. Many people share an address in a shelter or a compound, so its
// limits are wide. A message over the limit is handed back to be sent again, never swallowed. Everything that is said is
// kept, and a store that is full refuses everybody, on every channel: hence the limits in bytes, far above what people
// type, and that on new conversations, above the busiest hour that was ever reported.
const (
	sessionPerSecond, sessionBurst = 1, 30
	sessionBytes, sessionBytesOnce = 256, 64 << 10 // a second, at once
	ipPerSecond, ipBurst           = 20, 400
	ipBytes, ipBytesOnce           = 4 << 10, 1 << 20
	newPerSecond, newBurst         = 0.2, 120
	maxBuckets                     = 20_000
	// sessionStreams and ipStreams bound the streams that are held open for one conversation and for one address: each costs
	// memory, and a descriptor that Telegram's webhook on the same listener would lack. More pages than that ask again.
	sessionStreams, ipStreams = 8, 400
)

// limits counts by a key in memory; when too many keys are known, those that are full again are forgotten.
type limits struct {
	clock   func() time.Time
	mu      *sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimits(clock func() time.Time) limits {
	return limits{clock: clock, mu: &sync.Mutex{}, buckets: map[string]*rate.Limiter{}}
}

// wait takes one token of key and says how long to wait before going on. Above patience it takes none: the message is
// to be handed back. When memory is short it forgets and lets pass: a person in need counts more than a counter.
func (l limits) wait(key string, perSecond float64, burst int, patience time.Duration) time.Duration {
	return l.take(1, key, perSecond, burst, patience)
}

// take is wait for n tokens, of which burst has room for at least as many.
func (l limits) take(n int, key string, perSecond float64, burst int, patience time.Duration) time.Duration {
	now := l.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			l.forget(now)
		}
		b = rate.NewLimiter(rate.Limit(perSecond), burst)
		l.buckets[key] = b
	}
	r := b.ReserveN(now, n)
	d := r.DelayFrom(now)
	if d > patience {
		r.CancelAt(now)
	}
	return d
}

// forget drops the buckets that are full; if that is not enough, all of them.
func (l limits) forget(now time.Time) {
	for k, b := range l.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(l.buckets, k)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}

// remoteIP is the connection's address; for IPv6 its /64, which is what one subscriber has.
func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return network(host)
}

func network(host string) string {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	if ip = ip.Unmap(); ip.Is6() {
		p, _ := ip.WithZone("").Prefix(64)
		return p.String()
	}
	return ip.String()
}

// streams counts the open event streams of each address.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

// begin counts one more; false when there are as many as may be.
func (s *streams) begin(ip string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[ip] >= ipStreams {
		return false
	}
	if s.open == nil {
		s.open = map[string]int{}
	}
	s.open[ip]++
	return true
}

func (s *streams) end(ip string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[ip]--; s.open[ip] <= 0 {
		delete(s.open, ip)
	}
}
