package bench

import (
	"context"
	"time"
)

// Script is what a citizen says: the whole intake of this program, from the greeting to the confirmation.
func Script() []string {
	var out []string
	for _, s := range script {
		out = append(out, s.text)
	}
	return out
}

// Meter reads what a program and its Redis spend, for a driver that speaks another protocol than this package's.
type Meter struct {
	t      *target
	r      *server
	before usage
}

// NewMeter begins a measurement of processes and the Redis at that address.
func NewMeter(ctx context.Context, url string, pids ...int) (*Meter, error) {
	m := &Meter{t: &target{pids: pids}, r: &server{url: url}}
	err := m.r.dial()
	if err == nil {
		m.before, err = readUsage(ctx, m.t, m.r)
	}
	if err != nil {
		m.r.close()
	}
	return m, err
}

// Result ends the measurement. o says what was driven, replies and acks are what was waited for, missing how many
// replies did not come.
func (m *Meter) Result(ctx context.Context, o Options, took time.Duration, replies, acks []time.Duration, missing int) (Result, error) {
	defer m.r.close()
	after, err := readUsage(ctx, m.t, m.r)
	if err != nil {
		return Result{}, err
	}
	r := Result{Seconds: took.Seconds(), Messages: len(replies) + missing, Missing: missing, Reply: percentiles(replies), Ack: percentiles(acks), Runs: 1,
		PerSecond: float64(len(replies)) / took.Seconds()}
	r.describe(o)
	r.spent(m.before, after)
	return r, nil
}
