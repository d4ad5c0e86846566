package main

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

// metrics are what /metrics shows. Labels are closed sets: never an id, a place, a person or a text.
type metrics struct {
	registry *prometheus.Registry
	handled  *prometheus.CounterVec
	took     *prometheus.HistogramVec
	sent     *prometheus.CounterVec
	sending  *prometheus.HistogramVec
}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hotline_messages_total",
			Help: "Messages of citizens, by channel, kind and whether they were stored."}, []string{"channel", "kind", "result"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hotline_message_seconds",
			Help:    "From receipt of a message to its being stored.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"channel"}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hotline_sends_total",
			Help: "Sends to a messenger, by channel and result."}, []string{"channel", "result"}),
		sending: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hotline_send_seconds",
			Help: "Time of one send.", Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 25}}, []string{"channel"}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "hotline_build_info", Help: "Always 1."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.handled, m.took, m.sent, m.sending, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// channelUp shows whether a channel that only one process serves has its line here.
func (m *metrics) channelUp(channel, line string, up func() bool) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "hotline_channel_up",
		Help:        "1 while this process has the channel's line.",
		ConstLabels: prometheus.Labels{"channel": channel, "line": line}}, func() float64 {
		if up() {
			return 1
		}
		return 0
	}))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: 10 * time.Second})
}

// kinds are the input kinds that may be a label.
var kinds = map[flows.Kind]bool{flows.KindText: true, flows.KindTap: true, flows.KindLocation: true, flows.KindMedia: true,
	flows.KindContact: true, flows.KindTimer: true, flows.KindBlocked: true, flows.KindUnblock: true}

// countedHandler counts what passes through Handle on its way to the hotline.
type countedHandler struct {
	*bot.Hotline
	m *metrics
}

// Handle counts and passes on.
func (c countedHandler) Handle(ctx context.Context, msg bot.Message) error {
	began := time.Now()
	err := c.Hotline.Handle(ctx, msg)
	kind, result := "other", "stored"
	if kinds[msg.Input.Kind] {
		kind = string(msg.Input.Kind)
	}
	if err != nil {
		result = "refused"
	}
	c.m.handled.WithLabelValues(msg.From.Channel, kind, result).Inc()
	c.m.took.WithLabelValues(msg.From.Channel).Observe(time.Since(began).Seconds())
	return err
}

// countedChannel counts what a channel sends.
type countedChannel struct {
	bot.Channel
	m *metrics
}

// Pause keeps the channel's own pace; zero for a channel that has none.
func (c countedChannel) Pause() time.Duration {
	if p, ok := c.Channel.(bot.Pacer); ok {
		return p.Pause()
	}
	return 0
}

// Idle is the channel's own; false for one that every process can send on.
func (c countedChannel) Idle() bool {
	i, ok := c.Channel.(bot.Idler)
	return ok && i.Idle()
}

// Send counts and passes on.
func (c countedChannel) Send(ctx context.Context, r bot.Row) (string, error) {
	began := time.Now()
	id, err := c.Channel.Send(ctx, r)
	result := "sent"
	if err != nil {
		result = "failed"
	}
	c.m.sent.WithLabelValues(c.Name(), result).Inc()
	c.m.sending.WithLabelValues(c.Name()).Observe(time.Since(began).Seconds())
	return id, err
}

// queueReader is what the queue's gauges need of the store.
type queueReader interface {
	Queue(ctx context.Context, mission string, now time.Time, limit int) (bot.QueuePage, error)
}

// queueGauges reads the queue when it is scraped: cases by class, the age of the oldest waiting P1, and what lies in
// the letter boxes. Sums over all missions, so that a small mission's single case is not published.
type queueGauges struct {
	queue    queueReader
	missions []string
}

var (
	descCases = prometheus.NewDesc("hotline_open_cases", "Open cases by class.", []string{"class"}, nil)
	descRows  = prometheus.NewDesc("hotline_rows", "Outgoing rows that did not leave, by state.", []string{"state"}, nil)
	descP1    = prometheus.NewDesc("hotline_oldest_p1_seconds", "How long the oldest waiting P1 waits; 0 when none does.", nil, nil)
)

// Describe names the gauges.
func (q queueGauges) Describe(c chan<- *prometheus.Desc) { c <- descCases; c <- descRows; c <- descP1 }

// Collect reads them. When the store does not answer there are none.
func (q queueGauges) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	now := time.Now()
	total, dead, held, aside, oldest := map[casework.Class]int{}, 0, 0, 0, 0.0
	for _, m := range q.missions {
		p, err := q.queue.Queue(ctx, m, now, 1)
		if err != nil {
			return
		}
		for class, n := range p.Total {
			total[class] += n
		}
		dead, held, aside = dead+p.Dead, held+p.Held, aside+p.Aside
		if !p.OldestP1.IsZero() {
			oldest = max(oldest, now.Sub(p.OldestP1).Seconds())
		}
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, class := range []casework.Class{casework.P1, casework.P2, casework.P3, casework.P4} {
		gauge(descCases, float64(total[class]), string(class))
	}
	gauge(descRows, float64(dead), "failed")
	gauge(descRows, float64(held), "held")
	gauge(descRows, float64(aside), "aside")
	gauge(descP1, oldest)
}
