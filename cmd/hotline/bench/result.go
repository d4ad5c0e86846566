package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Result is what one run measured, or the medians of several.
type Result struct {
	Target   string  `json:"target"`
	By       string  `json:"by"` // webhook or polling
	Fsync    string  `json:"fsync"`
	Citizens int     `json:"citizens"`
	AtOnce   int     `json:"at_once"`
	Rate     float64 `json:"rate,omitempty"` // messages a second that were asked for; absent in a closed loop
	Replicas int     `json:"replicas"`
	Runs     int     `json:"runs"`

	Messages  int     `json:"messages"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"messages_per_second"`
	// Reply is from a message's delivery (with a rate: from when it was due) to its reply, Ack to the answer of the
	// webhook. Milliseconds.
	Reply Percentiles `json:"reply_ms"`
	Ack   Percentiles `json:"ack_ms"`
	// CPU per message in milliseconds: of the target's processes, of Redis, of the driver.
	CPU       float64 `json:"cpu_ms_per_message"`
	RedisCPU  float64 `json:"redis_cpu_ms_per_message"`
	DriverCPU float64 `json:"driver_cpu_ms_per_message"`
	// PeakRSS is the most memory that one process of the target had resident since its start, in MiB.
	PeakRSS float64 `json:"peak_rss_mib"`
	// Reads and Writes are Redis' socket reads and writes per message: how often it was talked to.
	Reads    float64 `json:"redis_reads_per_message"`
	Writes   float64 `json:"redis_writes_per_message"`
	BytesIn  float64 `json:"redis_bytes_in_per_message"`
	BytesOut float64 `json:"redis_bytes_out_per_message"`
	// Missing counts messages without a reply, Doubled replies that came twice, More further messages after a reply.
	Missing int `json:"missing"`
	Doubled int `json:"doubled"`
	More    int `json:"more"`
	// Refused counts deliveries that the bot did not take and got again.
	Refused int `json:"refused"`
	// Cases is the number of cases on the queue after the run (this program only), the warm-up's included.
	Cases int `json:"cases,omitempty"`
	// StartMS is from the start of the target's process to its asking for updates.
	StartMS float64 `json:"start_ms,omitempty"`
}

// Percentiles of a latency in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func percentiles(all []time.Duration) Percentiles {
	if len(all) == 0 {
		return Percentiles{}
	}
	slices.Sort(all)
	at := func(q float64) float64 {
		return float64(all[min(len(all)-1, int(math.Ceil(q*float64(len(all))))-1)].Microseconds()) / 1e3
	}
	return Percentiles{P50: at(0.5), P95: at(0.95), P99: at(0.99), Max: at(1)}
}

// result is what the crowd has seen.
func (c *crowd) result(took time.Duration) Result {
	r := Result{Seconds: took.Seconds(), Messages: c.lat.sent, Missing: c.lat.missing, Refused: c.lat.refused,
		Reply: percentiles(c.lat.replies), Ack: percentiles(c.lat.acks), More: int(c.stray.Load()), Runs: 1}
	r.PerSecond = float64(len(c.lat.replies)) / took.Seconds()
	for _, p := range c.people {
		p.mu.Lock()
		r.Doubled += p.doubled
		r.More += p.more
		p.mu.Unlock()
	}
	return r
}

func (r *Result) describe(o Options) {
	r.Target, r.By, r.Fsync, r.Citizens, r.AtOnce, r.Rate, r.Replicas = o.Target, "webhook", o.Fsync, o.Citizens, o.AtOnce, o.Rate, o.Replicas
	if o.Polling {
		r.By = "polling"
	}
}

// spent puts what was spent between two moments into the result, per message.
func (r *Result) spent(before, after usage) {
	n := float64(max(r.Messages, 1))
	per := func(name string) float64 { return (after.redis[name] - before.redis[name]) / n }
	r.CPU = float64((after.cpu - before.cpu).Microseconds()) / 1e3 / n
	r.DriverCPU = float64((after.driver - before.driver).Microseconds()) / 1e3 / n
	r.RedisCPU = 1e3 * (per("used_cpu_user") + per("used_cpu_sys"))
	r.PeakRSS = float64(after.rss) / (1 << 20)
	r.Reads, r.Writes = per("total_reads_processed"), per("total_writes_processed")
	r.BytesIn, r.BytesOut = per("total_net_input_bytes"), per("total_net_output_bytes")
}

// Median is the run in which each figure is the median of the runs; counts of faults are sums.
func Median(runs []Result) Result {
	m := runs[0]
	m.Runs = len(runs)
	of := func(f func(*Result) *float64) {
		v := make([]float64, len(runs))
		for i := range runs {
			v[i] = *f(&runs[i])
		}
		slices.Sort(v)
		*f(&m) = (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	for _, f := range figures {
		of(f)
	}
	m.Missing, m.Doubled, m.More, m.Refused = 0, 0, 0, 0
	for _, r := range runs {
		m.Missing, m.Doubled, m.More, m.Refused = m.Missing+r.Missing, m.Doubled+r.Doubled, m.More+r.More, m.Refused+r.Refused
	}
	return m
}

// figures are what Median takes the median of.
var figures = []func(*Result) *float64{
	func(r *Result) *float64 { return &r.Seconds }, func(r *Result) *float64 { return &r.PerSecond },
	func(r *Result) *float64 { return &r.Reply.P50 }, func(r *Result) *float64 { return &r.Reply.P95 },
	func(r *Result) *float64 { return &r.Reply.P99 }, func(r *Result) *float64 { return &r.Reply.Max },
	func(r *Result) *float64 { return &r.Ack.P50 }, func(r *Result) *float64 { return &r.Ack.P95 },
	func(r *Result) *float64 { return &r.Ack.P99 }, func(r *Result) *float64 { return &r.Ack.Max },
	func(r *Result) *float64 { return &r.CPU }, func(r *Result) *float64 { return &r.RedisCPU },
	func(r *Result) *float64 { return &r.DriverCPU }, func(r *Result) *float64 { return &r.PeakRSS },
	func(r *Result) *float64 { return &r.Reads }, func(r *Result) *float64 { return &r.Writes },
	func(r *Result) *float64 { return &r.BytesIn }, func(r *Result) *float64 { return &r.BytesOut },
	func(r *Result) *float64 { return &r.StartMS },
}

// WriteJSON writes one object a line.
func WriteJSON(w io.Writer, results ...Result) error {
	enc := json.NewEncoder(w)
	for _, r := range results {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// WriteTable writes the results side by side; with two of them a last column says the first divided by the second.
func WriteTable(w io.Writer, results ...Result) error {
	first := results[0]
	load := fmt.Sprintf("%d at once", first.AtOnce)
	if first.Rate > 0 {
		load = fmt.Sprintf("%g messages a second", first.Rate)
	}
	fmt.Fprintf(w, "%d citizens, %s, by %s, appendfsync %s, replicas %d, median of %d\n\n", first.Citizens, load, first.By, first.Fsync,
		first.Replicas, first.Runs)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name, format string, f func(Result) float64) {
		cells := []string{name}
		for _, r := range results {
			cells = append(cells, fmt.Sprintf(format, f(r)))
		}
		if len(results) == 2 {
			ratio := "-"
			if b := f(results[1]); b != 0 {
				ratio = fmt.Sprintf("%.2f", f(results[0])/b)
			}
			cells = append(cells, ratio)
		}
		fmt.Fprintln(tab, strings.Join(cells, "\t")+"\t")
	}
	names := []string{""}
	for _, r := range results {
		names = append(names, r.Target)
	}
	if len(results) == 2 {
		names = append(names, "ratio")
	}
	fmt.Fprintln(tab, strings.Join(names, "\t")+"\t")
	row("messages/s", "%.0f", func(r Result) float64 { return r.PerSecond })
	row("reply p50 ms", "%.1f", func(r Result) float64 { return r.Reply.P50 })
	row("reply p95 ms", "%.1f", func(r Result) float64 { return r.Reply.P95 })
	row("reply p99 ms", "%.1f", func(r Result) float64 { return r.Reply.P99 })
	row("reply max ms", "%.1f", func(r Result) float64 { return r.Reply.Max })
	if slices.ContainsFunc(results, func(r Result) bool { return r.Ack.Max > 0 }) {
		row("ack p50 ms", "%.1f", func(r Result) float64 { return r.Ack.P50 })
		row("ack p99 ms", "%.1f", func(r Result) float64 { return r.Ack.P99 })
	}
	row("CPU ms a message", "%.3f", func(r Result) float64 { return r.CPU })
	row("Redis' CPU ms", "%.3f", func(r Result) float64 { return r.RedisCPU })
	row("driver's CPU ms", "%.3f", func(r Result) float64 { return r.DriverCPU })
	row("peak RSS MiB", "%.0f", func(r Result) float64 { return r.PeakRSS })
	row("Redis reads", "%.2f", func(r Result) float64 { return r.Reads })
	row("Redis writes", "%.2f", func(r Result) float64 { return r.Writes })
	row("bytes to Redis", "%.0f", func(r Result) float64 { return r.BytesIn })
	row("bytes from Redis", "%.0f", func(r Result) float64 { return r.BytesOut })
	row("missing replies", "%.0f", func(r Result) float64 { return float64(r.Missing) })
	row("doubled replies", "%.0f", func(r Result) float64 { return float64(r.Doubled) })
	row("further messages", "%.0f", func(r Result) float64 { return float64(r.More) })
	if first.StartMS > 0 {
		row("start ms", "%.0f", func(r Result) float64 { return r.StartMS })
	}
	return tab.Flush()
}
