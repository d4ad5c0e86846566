package main

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics shows of this process; vitals.go has what it shows of the whole installation. Labels are
// closed sets: codes of missions and lines, names of channels, classes, lanes, states, reasons. Never an id, a place,
// a person, an account or a text.
type metrics struct {
	registry *prometheus.Registry

	messages  *prometheus.CounterVec
	delay     *prometheus.HistogramVec
	ack       *prometheus.HistogramVec
	asides    *prometheus.CounterVec
	lost      *prometheus.CounterVec
	commits   *prometheus.CounterVec
	commit    prometheus.Histogram
	reply     *prometheus.HistogramVec
	sends     *prometheus.CounterVec
	send      *prometheus.HistogramVec
	sendFails *prometheus.CounterVec
	alerts    *prometheus.CounterVec
	timerLate prometheus.Histogram
	redis     prometheus.Histogram
	redisLost prometheus.Counter
	auditOK   *prometheus.GaugeVec
	lastIn    *prometheus.GaugeVec
	lastOut   *prometheus.GaugeVec
	leads     *prometheus.GaugeVec

	traffic traffic
}

var (
	// Half a millisecond to a quarter of a minute: from a commit on a good disk to what a citizen would call silence.
	quick = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15}
	// For what waits for a messenger or for a person's own network.
	slow = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
)

func newMetrics(version string) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	plain := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		messages: counter("hotline_messages_total", "What citizens sent, by kind and what became of it: stored, or refused (it comes again).",
			"line", "channel", "kind", "result"),
		delay: histogram("hotline_message_delay_seconds", "From the time that the messenger gives a message to its being stored.", slow, "channel"),
		ack: histogram("hotline_ack_seconds", "From receipt of a message: stage committed, until it is durable in Redis; stage acknowledged, until the messenger was told.",
			quick, "channel", "stage"),
		asides:    counter("hotline_set_aside_total", "Updates that could not be handled and were put aside for staff.", "line", "channel"),
		lost:      counter("hotline_lost_total", "What was acknowledged and is not in Redis any more: kind acknowledged, known by what this process keeps; kind number, known by the messenger's count.", "line", "kind"),
		commits:   counter("hotline_commits_total", "Commits by result: ok, repeat (was done before), conflict (somebody was quicker, decided again), code (drawn again), lease, error.", "result"),
		commit:    plain("hotline_commit_seconds", "Time of one commit, the wait for other commits of its pipeline included.", quick),
		reply:     histogram("hotline_reply_seconds", "From receipt of a message to its reply being with the messenger.", slow, "channel"),
		sends:     counter("hotline_sends_total", "Sends to a messenger by result: sent, failed.", "line", "channel", "result"),
		send:      histogram("hotline_send_seconds", "Time of one send.", slow, "channel"),
		sendFails: counter("hotline_send_errors_total", "Failed sends by reason; rate is the messenger's 429.", "line", "channel", "why"),
		alerts:    counter("hotline_alerts_total", "Alerts to staff by result: sent, failed.", "line", "result"),
		timerLate: plain("hotline_timer_late_seconds", "How late timers were taken.", slow),
		redis:     plain("hotline_redis_round_trip_seconds", "One round trip to Redis, a pipeline counted once.", quick),
		redisLost: prometheus.NewCounter(prometheus.CounterOpts{Name: "hotline_redis_errors_total", Help: "Round trips to Redis that ended without an answer."}),
		auditOK:   gauge("hotline_audit_chain_ok", "1 while the audit log goes on from the end that is kept outside Redis, and what was looked at is as it was written; 0 until the next start once it is not.", "line"),
		lastIn:    gauge("hotline_channel_last_in_timestamp_seconds", "When this process last stored a message of the channel.", "line", "channel"),
		lastOut:   gauge("hotline_channel_last_out_timestamp_seconds", "When this process last sent a message on the channel.", "line", "channel"),
		leads:     gauge("hotline_channel_leader", "1 while this process serves the channel; with webhooks every process does.", "line", "channel"),
	}
	build := gauge("hotline_build_info", "Always 1.", "version", "goversion")
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(m.messages, m.delay, m.ack, m.asides, m.lost, m.commits, m.commit, m.reply, m.sends, m.send, m.sendFails,
		m.alerts, m.timerLate, m.redis, m.redisLost, m.auditOK, m.lastIn, m.lastOut, m.leads, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, result := range commitResults {
		m.commits.WithLabelValues(result)
	}
	return m
}

// channel makes the series of a channel exist from the start, so that a rate is not missed for want of a zero.
func (m *metrics) channel(line, channel string) {
	for _, result := range []string{"sent", "failed"} {
		m.sends.WithLabelValues(line, channel, result)
		m.alerts.WithLabelValues(line, result)
	}
	m.sendFails.WithLabelValues(line, channel, "rate")
	m.asides.WithLabelValues(line, channel)
}

// roundTrip is the store's measure of Redis.
func (m *metrics) roundTrip(took time.Duration, err error) {
	m.redis.Observe(took.Seconds())
	if err != nil {
		m.redisLost.Inc()
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: 10 * time.Second})
}
