package whatsapp

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

// ErrReplaced means that another process connected as the same device: give up the lease and do not fight for it.
var ErrReplaced = errors.New("another process uses this WhatsApp device")

// lookAtLine is how often the line is looked at; deafAfter is how long it may be up without a single event before it
// is built anew.
var lookAtLine, deafAfter = 10 * time.Second, time.Hour

const (
	lookForDevice = 3 * time.Second
	loginWithin   = 30 * time.Second
	// lived is how long a connection has to last to be called a success.
	lived = 10 * time.Second
)

// session is one device for as long as it is linked and this process may use it.
type session struct {
	c      *Channel
	dev    *devices
	client *whatsmeow.Client
	own    string // our number

	life context.Context // of events and of everything in the background
	end  context.CancelFunc

	cut      context.CancelFunc // of the line; the supervisor's
	events   chan any           // what the supervisor has to know
	loggedIn atomic.Bool        // Connected came, and nothing since has ended it
	refusing atomic.Bool        // a message was refused: no other may overtake it
	ordered  atomic.Int64
	last     atomic.Int64
	lines    atomic.Int64 // connections so far
	recent   recent
	lost     lost
	calls    calls
	unheard  unheard
}

// refused tells the supervisor that a message was not accepted.
type refused struct{}

// Serve connects the line's number and keeps it connected until ctx ends (nil), or until another process takes the
// device (ErrReplaced). Without a linked number it waits for one. The caller holds the line's lease: two processes
// on one device destroy each other's keys.
func (c *Channel) Serve(ctx context.Context) error {
	defer c.state(Standby, time.Time{})
	for ctx.Err() == nil {
		if !c.waitForDevice(ctx) {
			return nil
		}
		err := c.session(ctx)
		switch {
		case errors.Is(err, ErrReplaced):
			return err
		case errors.Is(err, ErrLocked):
			c.state(Locked, time.Time{})
		case err != nil && ctx.Err() == nil:
			c.log.Error("whatsapp", "err", clean(err))
		}
		c.pause(ctx, lookForDevice, c.notNow)
	}
	return nil
}

// waitForDevice waits until the number is linked; false when ctx ended.
func (c *Channel) waitForDevice(ctx context.Context) bool {
	for ctx.Err() == nil {
		all, err := List(ctx, c.o.Store)
		switch {
		case err != nil && ctx.Err() == nil:
			c.state(Connecting, time.Time{})
			c.log.Error("whatsapp", "err", err)
		case linked(all, c.o.Number):
			return true
		default:
			c.state(Unlinked, time.Time{})
		}
		c.pause(ctx, lookForDevice, c.linkNow)
	}
	return false
}

// session runs one device. nil means: look again whether one is linked.
func (c *Channel) session(ctx context.Context) error {
	dev, err := openDevices(ctx, c.o.Store, masked{log: c.log})
	if err != nil {
		return err
	}
	defer dev.close() //nolint:errcheck // nothing is under way any more
	d, err := dev.device(ctx, c.o.Number)
	if err != nil || d == nil {
		return err
	}
	// Without the map a message to a person with two phones reaches one of them only.
	if err := dev.container.LIDMap.FillCache(ctx); err != nil {
		return plain(err)
	}
	if err := dev.tidy(ctx); err != nil {
		return err
	}
	if err := c.o.Version.apply(ctx, c.o.Transport); err != nil {
		c.log.Warn("whatsapp version", "err", err)
	}
	s := &session{c: c, dev: dev, own: d.ID.User, events: make(chan any, 64)}
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	s.client = newClient(d, c, s.full)
	s.client.BackgroundEventCtx = s.life
	s.client.AddEventHandlerWithSuccessStatus(s.on)
	c.current.Store(s)
	var beside sync.WaitGroup
	beside.Go(s.repeatUnheard)
	beside.Go(s.keepTidy)
	defer func() {
		c.current.Store(nil)
		s.loggedIn.Store(false)
		s.client.Disconnect()
		s.end()
		s.lost.stop()
		beside.Wait()
		// What a handler still does it does on the open store.
		s.settle()
	}()
	return s.supervise(ctx)
}

// newClient sets a client up for at-least-once: see receive.go.
func newClient(d *store.Device, c *Channel, full func()) *whatsmeow.Client {
	guard(d)
	cli := clientOf(d, masked{log: c.log, full: full}, c.o.Transport)
	cli.SetMediaHTTPClient(c.media)
	return cli
}

func clientOf(d *store.Device, log masked, transport http.RoundTripper) *whatsmeow.Client {
	cli := whatsmeow.NewClient(d, log)
	// The library reconnects after some ends and not after others; the supervisor does after all of them.
	cli.EnableAutoReconnect = false
	cli.SynchronousAck = true
	// Without the buffer a refused message is lost: its key is used up, and the second copy is taken for an old one.
	cli.EnableDecryptedEventBuffer = true
	cli.ManualHistorySyncDownload = true // other people's chats of the number are none of ours
	cli.AutomaticMessageRerequestFromPhone = true
	cli.UseRetryMessageStore = true // a phone that cannot decrypt asks again, also after a restart
	cli.SetMaxParallelRetryReceiptHandling(1)
	cli.SetForceActiveDeliveryReceipts(true)
	cli.SetMediaHTTPClient(mediaClient(transport))
	if transport != nil {
		h := &http.Client{Transport: transport}
		cli.SetWebsocketHTTPClient(h)
		cli.SetPreLoginHTTPClient(h)
	}
	return cli
}

// up reports whether something can be sent.
func (s *session) up() bool {
	return s.loggedIn.Load() && s.client.IsConnected() && s.client.IsLoggedIn()
}

// next is what the supervisor does after a line has ended.
type next struct {
	wait time.Duration // at least
	end  bool          // the session is over
	err  error
}

// supervise keeps the line up.
func (s *session) supervise(ctx context.Context) error {
	fails := 0
	for ctx.Err() == nil {
		s.c.state(Connecting, time.Time{})
		s.drain()
		s.refusing.Store(false)
		s.ordered.Store(0)
		s.lines.Add(1)
		began := time.Now()
		n := next{}
		if err := s.connect(ctx); err == nil {
			n = s.watch(ctx)
		} else if errors.Is(err, store.ErrDeviceDeleted) {
			return nil
		} else if ctx.Err() == nil {
			s.c.log.Warn("whatsapp: no line", "err", clean(err))
		}
		s.loggedIn.Store(false)
		if n.end || ctx.Err() != nil {
			return n.err
		}
		s.client.Disconnect()
		// What is still in the old line's queue is refused, so that it does not overtake what comes again.
		s.refusing.Store(true)
		s.settle()
		fails++
		if time.Since(began) > lived {
			fails = 1
		}
		wait := n.wait
		if wait > 0 {
			fails = 0
		} else {
			wait = backOff(fails)
		}
		if s.c.pause(ctx, wait, s.answer) {
			return nil
		}
	}
	return nil
}

// connect dials and logs in. It is given up when ctx ends meanwhile, because the lease may then be another's; a line
// that is up outlives ctx for the moment that its handlers need, and ends for good when the next one is up.
func (s *session) connect(ctx context.Context) error {
	line, cut := context.WithCancel(s.life)
	stop := context.AfterFunc(ctx, cut)
	err := s.client.ConnectContext(line)
	stop()
	if err != nil {
		cut()
		return err
	}
	if s.cut != nil {
		s.cut()
	}
	s.cut = cut
	return nil
}

// settle gives handlers that are under way a moment to notice the end of their line.
func (s *session) settle() { time.Sleep(150 * time.Millisecond) }

// backOff is nothing much at first, then doubles from a quarter of a second to a minute, with chance in it.
func backOff(fails int) time.Duration {
	if fails <= 1 {
		return time.Duration(rand.Int64N(int64(100 * time.Millisecond)))
	}
	d := min(250*time.Millisecond<<min(fails-2, 8), time.Minute)
	return d/2 + time.Duration(rand.Int64N(int64(d)))
}

// drain forgets what an earlier line reported.
func (s *session) drain() {
	for {
		select {
		case <-s.events:
		default:
			return
		}
	}
}

// watch looks after one line until it has to be built anew or the session is over.
func (s *session) watch(ctx context.Context) next {
	login := time.NewTimer(loginWithin)
	defer login.Stop()
	look := time.NewTicker(lookAtLine)
	defer look.Stop()
	s.last.Store(time.Now().UnixNano())
	bad := 0
	for {
		select {
		case <-ctx.Done():
			return next{end: true}
		case a := <-s.c.asks:
			if s.answer(ctx, a) {
				return next{end: true}
			}
		case <-login.C:
			s.c.log.Warn("whatsapp: no login in time")
			return next{}
		case <-look.C:
			// Whatever was reported or not: a line that is not there, or that is silent for long, is built anew.
			if s.loggedIn.Load() && !s.up() {
				bad++
			} else {
				bad = 0
			}
			if bad >= 2 || s.loggedIn.Load() && time.Since(time.Unix(0, s.last.Load())) > deafAfter {
				s.c.log.Warn("whatsapp: the line is dead or silent, it is built anew")
				return next{}
			}
		case e := <-s.events:
			if n, over := s.react(ctx, e, login); over {
				return n
			}
		}
	}
}

// react is the table of what is done about each thing that can happen to a line.
func (s *session) react(ctx context.Context, e any, login *time.Timer) (n next, over bool) {
	c := s.c
	switch e := e.(type) {
	case *events.Connected:
		login.Stop()
		s.loggedIn.Store(true)
		c.state(Up, time.Time{})
		c.calm()
		s.unheard.patient()
		go s.absent()
	case *events.Disconnected:
		return next{}, true
	case *events.KeepAliveTimeout:
		return next{}, e.ErrorCount >= 2
	case refused:
		c.state(Refusing, time.Time{})
		s.awaitStore(ctx)
		return next{}, true
	case *events.StreamReplaced:
		s.client.Disconnect()
		c.alarm(AlarmReplaced, time.Time{})
		return next{end: true, err: ErrReplaced}, true
	case *events.LoggedOut:
		// The library has deleted the device and its sessions. Only a new link helps.
		c.log.Error("whatsapp: the number was unlinked, locked or banned", "reason", int(e.Reason))
		c.alarm(AlarmLoggedOut, time.Time{})
		s.gone(ctx)
		return next{end: true}, true
	case *events.TemporaryBan:
		wait := min(max(e.Expire, time.Minute), 7*24*time.Hour)
		if e.Expire == 0 {
			wait = time.Hour
		}
		until := time.Now().Add(wait)
		c.log.Error("whatsapp: banned for a while", "code", int(e.Code), "for", wait)
		c.state(Banned, until)
		c.alarm(AlarmBanned, until)
		return next{wait: wait}, true
	case *events.ClientOutdated:
		c.state(Outdated, time.Time{})
		c.alarm(AlarmOutdated, time.Time{})
		if err := c.o.Version.apply(ctx, c.o.Transport); err != nil {
			c.log.Warn("whatsapp version", "err", err)
		}
		return next{wait: outdatedWait + time.Duration(rand.Int64N(int64(outdatedWait)))}, true
	case *events.ConnectFailure:
		c.log.Error("whatsapp: refused", "code", int(e.Reason))
		c.alarm(AlarmRefused, time.Time{})
		return next{wait: refusedWait + time.Duration(rand.Int64N(int64(refusedWait)))}, true
	case *events.StreamError:
		c.log.Error("whatsapp: the line ended with an error", "code", mask(e.Code))
		return next{}, true
	}
	return next{}, false
}

// outdatedWait and refusedWait keep a refused login from being repeated at a pace that looks like an attack.
var outdatedWait, refusedWait = 5 * time.Minute, time.Minute

// gone makes sure that the rows of a device that WhatsApp has ended are gone: it must never be used again.
func (s *session) gone(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	// The library does it at this moment, beside the event.
	for range 20 {
		d, err := s.dev.device(ctx, s.own)
		if err == nil && d == nil {
			return
		}
		sleep(ctx, 100*time.Millisecond)
	}
	if err := s.dev.drop(ctx, s.own); err != nil {
		s.c.log.Warn("whatsapp device store", "err", err)
	}
}

// awaitStore waits until messages can be stored again.
func (s *session) awaitStore(ctx context.Context) {
	for wait := 200 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 5*time.Second) {
		sleep(ctx, wait)
		if s.c.o.Ready == nil {
			if wait > time.Second {
				return
			}
			continue
		}
		ask, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := s.c.o.Ready(ask)
		cancel()
		if err == nil {
			return
		}
	}
}

// absent says that nobody is looking: "available" would keep the handset of the number from ringing.
func (s *session) absent() {
	ctx, cancel := context.WithTimeout(s.life, 10*time.Second)
	defer cancel()
	_ = s.client.SendPresence(ctx, types.PresenceUnavailable) // before the first app state there is no name to send
}

// tell passes an event to the supervisor, which is never waited for.
func (s *session) tell(e any) {
	select {
	case s.events <- e:
	default:
	}
}
