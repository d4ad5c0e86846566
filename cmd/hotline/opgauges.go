package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pulang/bot/store"
)

// opGauges tells when the last verified backup and the last restore drill were; 0 for never, so that an alarm on
// their age sounds from the first day.
type opGauges struct {
	ops func(context.Context) (map[string]store.Op, error)
}

var (
	descBackup = prometheus.NewDesc("hotline_last_backup_timestamp_seconds", "When the last verified backup was made; 0 for never.", nil, nil)
	descDrill  = prometheus.NewDesc("hotline_last_drill_timestamp_seconds", "When the last restore drill passed; 0 for never.", nil, nil)
)

// Describe names the gauges.
func (opGauges) Describe(c chan<- *prometheus.Desc) { c <- descBackup; c <- descDrill }

// Collect reads them. When the store does not answer there are none.
func (g opGauges) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ops, err := g.ops(ctx)
	if err != nil {
		return
	}
	for desc, what := range map[*prometheus.Desc]string{descBackup: store.OpBackup, descDrill: store.OpDrill} {
		at := 0.0
		if op, ok := ops[what]; ok {
			at = float64(op.At.UnixMilli()) / 1000
		}
		c <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, at)
	}
}
