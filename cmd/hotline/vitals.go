package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/flows/casework"
)

// vitalsGrain is how old numbers of the store may be: several scrapers cost no more than one.
const vitalsGrain = 2 * time.Second

// vitals shows, when it is scraped, how the installation is doing. Every process shows the same, because it reads the
// store; so queries take the max over processes, never the sum.
type vitals struct {
	store    vitalsStore
	missions []string
	accounts map[string]map[string]string // channel by line and account
	log      *slog.Logger

	mu      sync.Mutex
	at      time.Time
	last    []prometheus.Metric
	failing bool
}

// vitalsStore is what the vitals need of the store.
type vitalsStore interface {
	Vitals(ctx context.Context, now time.Time, accounts map[string][]string) (map[string]store.LineVitals, error)
	StaffVitals(ctx context.Context, now time.Time) (accounts, sessions int, err error)
	RedisVitals(ctx context.Context) (store.RedisVitals, error)
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hotline_"+name, help, labels, nil)
}

var (
	descStoreUp = desc("store_up", "1 while the store can be read.")

	descOpen     = desc("open_cases", "Cases that wait for a human act, by class; settled ones are not among them.", "mission", "class")
	descOverdue  = desc("overdue_cases", "Cases whose human act is late, by class.", "mission", "class")
	descWaiting  = desc("oldest_unanswered_seconds", "How long the person waits who has waited longest for a human; 0 when nobody does.", "mission")
	descUnread   = desc("unread_p1_cases", "Cases of class P1 that nobody has opened since they became P1.", "mission")
	descUnreadAt = desc("oldest_unread_p1_seconds", "How long the oldest unread P1 waits; 0 when there is none.", "mission")
	descP1       = desc("oldest_p1_seconds", "How long the oldest P1 waits that no officer holds; 0 when there is none.", "mission")
	descClaimed  = desc("claimed_cases", "Cases that an officer holds.", "mission")
	descLater    = desc("later_cases", "Cases with a later attempt.", "mission")
	descSettled  = desc("settled_cases", "Open cases on which no human act is due.", "mission")

	descOut      = desc("outbox_contacts", "People with a message waiting to leave, by its most urgent lane.", "line", "channel", "lane")
	descOutAge   = desc("outbox_oldest_seconds", "Age of the oldest message that is the next of its person, by lane; 0 when none waits.", "line", "channel", "lane")
	descSending  = desc("outbox_sending_contacts", "People to whom a message is being sent.", "line", "channel")
	descDead     = desc("dead_letters", "Messages that could not be sent and wait for staff.", "line")
	descDeadAge  = desc("dead_letters_oldest_seconds", "How long the oldest dead letter waits for staff; 0 when there is none.", "line")
	descHeld     = desc("held_rows", "Messages held back until they are safe to send.", "line")
	descHeldAge  = desc("held_rows_oldest_seconds", "How long the oldest message is held; 0 when none is.", "line")
	descAside    = desc("set_aside_updates", "Updates put aside that wait for staff.", "line")
	descAsideAge = desc("set_aside_updates_oldest_seconds", "How long the oldest update put aside waits for staff; 0 when there is none.", "line")
	descTimer    = desc("timers_overdue_seconds", "How late the earliest timer is that no process has taken; 0 when none is late.", "line")

	descAccounts = desc("staff_accounts", "Accounts of the desk.")
	descSessions = desc("staff_sessions", "Sessions of the desk that are alive.")

	descRedisNodes    = desc("redis_primaries", "Redis primaries.")
	descRedisReplicas = desc("redis_replicas", "Connected replicas of all primaries.")
	descRedisUsed     = desc("redis_memory_used_bytes", "Memory that Redis uses, all primaries.")
	descRedisLimit    = desc("redis_memory_limit_bytes", "maxmemory of Redis, or the machine's memory where none is set, all primaries.")
	descRedisShare    = desc("redis_memory_used_ratio", "Used memory by its limit, of the fullest primary.")
	descRedisAOF      = desc("redis_append_only_ok", "1 while the append-only file is on and its last write and rewrite succeeded, on every primary.")
	descRedisRDB      = desc("redis_snapshot_ok", "1 while the last snapshot succeeded, on every primary.")
	descRedisAOFSize  = desc("redis_append_only_bytes", "Size of the append-only files.")
	descRedisEvicted  = desc("redis_evicted_keys_total", "Keys thrown away for want of memory: always 0 with the settings that the program demands.")

	allVitals = []*prometheus.Desc{descStoreUp, descOpen, descOverdue, descWaiting, descUnread, descUnreadAt, descP1, descClaimed, descLater,
		descSettled, descOut, descOutAge, descSending, descDead, descDeadAge, descHeld, descHeldAge, descAside, descAsideAge, descTimer,
		descAccounts, descSessions, descRedisNodes, descRedisReplicas, descRedisUsed, descRedisLimit, descRedisShare, descRedisAOF,
		descRedisRDB, descRedisAOFSize, descRedisEvicted}

	laneNames = [bot.Lanes]string{"safety", "officer", "bot", "status", "broadcast"}
)

// Describe names the gauges.
func (v *vitals) Describe(c chan<- *prometheus.Desc) {
	for _, d := range allVitals {
		c <- d
	}
}

// Collect reads them, at most once in vitalsGrain. When the store cannot be read there is hotline_store_up 0 and
// nothing else: old numbers would look like good ones.
func (v *vitals) Collect(c chan<- prometheus.Metric) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := time.Now(); now.Sub(v.at) >= vitalsGrain {
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		defer cancel()
		g := gauges{now: now}
		err := v.read(ctx, &g)
		if err != nil {
			g.all = nil
		}
		if failing := err != nil; failing != v.failing {
			v.failing = failing
			if failing {
				v.log.Error("metrics of the store", "err", err)
			} else {
				v.log.Info("metrics of the store go on")
			}
		}
		g.flag(descStoreUp, err == nil)
		v.last, v.at = g.all, now
	}
	for _, m := range v.last {
		c <- m
	}
}

func (v *vitals) read(ctx context.Context, g *gauges) error {
	accounts := map[string][]string{}
	for line, of := range v.accounts {
		for account := range of {
			accounts[line] = append(accounts[line], account)
		}
	}
	lines, err := v.store.Vitals(ctx, g.now, accounts)
	if err != nil {
		return err
	}
	for line, l := range lines {
		v.line(g, line, l)
	}
	for _, m := range v.missions {
		mission(g, m, lines)
	}
	staff, sessions, err := v.store.StaffVitals(ctx, g.now)
	if err != nil {
		return err
	}
	g.number(descAccounts, staff)
	g.number(descSessions, sessions)
	if r, err := v.store.RedisVitals(ctx); err == nil { // a demo without a redis-server has none
		g.number(descRedisNodes, r.Primaries)
		g.number(descRedisReplicas, r.Replicas)
		g.gauge(descRedisUsed, float64(r.Used))
		g.gauge(descRedisLimit, float64(r.Limit))
		g.gauge(descRedisShare, r.Share)
		g.flag(descRedisAOF, r.AppendOK)
		g.flag(descRedisRDB, r.SnapshotOK)
		g.gauge(descRedisAOFSize, float64(r.AppendBytes))
		g.all = append(g.all, prometheus.MustNewConstMetric(descRedisEvicted, prometheus.CounterValue, float64(r.Evicted)))
	}
	return nil
}

func (v *vitals) line(g *gauges, line string, l store.LineVitals) {
	g.number(descDead, l.Dead, line)
	g.age(descDeadAge, l.DeadSince, line)
	g.number(descHeld, l.Held, line)
	g.age(descHeldAge, l.HeldSince, line)
	g.number(descAside, l.Asides, line)
	g.age(descAsideAge, l.AsidesSince, line)
	g.age(descTimer, l.TimerDue, line)
	byChannel := map[string]store.AccountVitals{}
	for account, a := range l.Accounts {
		channel := v.accounts[line][account]
		sum := byChannel[channel]
		sum.Sending += a.Sending
		for lane := range bot.Lanes {
			sum.Waiting[lane] += a.Waiting[lane]
			sum.Since[lane] = earlier(sum.Since[lane], a.Since[lane])
		}
		byChannel[channel] = sum
	}
	for channel, a := range byChannel {
		g.number(descSending, a.Sending, line, channel)
		for lane, name := range laneNames {
			g.number(descOut, a.Waiting[lane], line, channel, name)
			g.age(descOutAge, a.Since[lane], line, channel, name)
		}
	}
}

// mission adds up what a mission has in all lines.
func mission(g *gauges, code string, lines map[string]store.LineVitals) {
	sum := store.QueueVitals{Total: map[casework.Class]int{}, Overdue: map[casework.Class]int{}}
	for _, l := range lines {
		q, ok := l.Missions[code]
		if !ok {
			continue
		}
		for _, c := range casework.Classes {
			sum.Total[c] += q.Total[c]
			sum.Overdue[c] += q.Overdue[c]
		}
		sum.Later, sum.Claimed, sum.Settled, sum.UnreadP1 = sum.Later+q.Later, sum.Claimed+q.Claimed, sum.Settled+q.Settled, sum.UnreadP1+q.UnreadP1
		sum.UnreadP1Since, sum.P1Since = earlier(sum.UnreadP1Since, q.UnreadP1Since), earlier(sum.P1Since, q.P1Since)
		sum.WaitSince = earlier(sum.WaitSince, q.WaitSince)
	}
	for _, c := range casework.Classes {
		g.number(descOpen, sum.Total[c], code, string(c))
		g.number(descOverdue, sum.Overdue[c], code, string(c))
	}
	g.age(descWaiting, sum.WaitSince, code)
	g.number(descUnread, sum.UnreadP1, code)
	g.age(descUnreadAt, sum.UnreadP1Since, code)
	g.age(descP1, sum.P1Since, code)
	g.number(descClaimed, sum.Claimed, code)
	g.number(descLater, sum.Later, code)
	g.number(descSettled, sum.Settled, code)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// gauges gathers what one scrape shows.
type gauges struct {
	now time.Time
	all []prometheus.Metric
}

func (g *gauges) gauge(d *prometheus.Desc, v float64, labels ...string) {
	g.all = append(g.all, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
}

func (g *gauges) number(d *prometheus.Desc, n int, labels ...string) {
	g.gauge(d, float64(n), labels...)
}

func (g *gauges) flag(d *prometheus.Desc, yes bool, labels ...string) {
	v := 0.0
	if yes {
		v = 1
	}
	g.gauge(d, v, labels...)
}

// age is how long ago since was; 0 for none, and for a time that is still to come.
func (g *gauges) age(d *prometheus.Desc, since time.Time, labels ...string) {
	v := 0.0
	if !since.IsZero() {
		v = max(g.now.Sub(since).Seconds(), 0)
	}
	g.gauge(d, v, labels...)
}
