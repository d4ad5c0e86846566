package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pulang/bot/needed"
	"pulang/bot/store"
	"pulang/bot/whatsapp/whatsapptest"
	"pulang/cmd/hotline/bench"
)

// What `hotline bench` measures over Telegram, over WhatsApp: citizens walk the whole intake, one message outstanding
// each, against the program as a child process, on a server in this one that speaks WhatsApp's protocol. The driver
// encrypts for every citizen, so it takes more of the machine than Telegram's. The pace that spares a real number is
// off. PULANG_SOAK=1 is 500 citizens, 64 at once; HOTLINE_TEST_BENCH=CITIZENS/AT-ONCE another load. It is a test and no
// command, so that the program does not carry WhatsApp's other side.
func TestBenchWhatsApp(t *testing.T) {
	needed.Program(t, "redis-server")
	o := bench.Options{Target: bench.TargetServe, Citizens: 16, AtOnce: 4, Fsync: "everysec", Replicas: 1}
	if os.Getenv("PULANG_SOAK") == "1" {
		o.Citizens, o.AtOnce = 500, 64
	}
	if v := os.Getenv("HOTLINE_TEST_BENCH"); v != "" {
		if _, err := fmt.Sscanf(v, "%d/%d", &o.Citizens, &o.AtOnce); err != nil {
			t.Fatal("HOTLINE_TEST_BENCH: want CITIZENS/AT-ONCE, as 2000/64")
		}
	}
	url := startRedis(t, append([]string{"--appendonly", "yes", "--appendfsync", o.Fsync}, store.LeanSettings()...)...)
	srv := whatsapptest.New(t)
	phone := srv.Account("+62 811 0000 001")
	v := whatsappVictim(t, srv, "REDIS_URL="+url, "WHATSAPP_RATE=100000")
	v.args = []string{"--accept-data-loss"} // with everysec it is refused otherwise
	v.pair(phone)
	v.start()
	deadline(t, time.Minute, "the line", phone.Connected)

	var mu sync.Mutex
	var replies, acks []time.Duration
	walk := func(from, n int) time.Duration {
		replies, acks = nil, nil
		var left atomic.Int64
		left.Store(int64(n))
		var all sync.WaitGroup
		began := time.Now()
		for range min(n, o.AtOnce) {
			all.Go(func() {
				for i := left.Add(-1); i >= 0; i = left.Add(-1) {
					c := srv.Citizen(fmt.Sprintf("+62 813 %08d", from+int(i)))
					for _, text := range bench.Script() {
						if text == "/start" {
							text = "halo"
						}
						at := time.Now()
						id := c.Say(phone, text)
						ack := make(chan time.Duration, 1)
						go func() {
							defer func() { ack <- time.Since(at) }() // also when it fails
							c.WaitAccepted(id)
						}()
						c.Wait(func(whatsapptest.Received) bool { return true })
						reply, acked := time.Since(at), <-ack
						mu.Lock()
						replies, acks = append(replies, reply), append(acks, acked)
						mu.Unlock()
					}
				}
			})
		}
		all.Wait()
		return time.Since(began)
	}
	walk(0, min(o.AtOnce, o.Citizens/4)) // warms caches, connections and prekeys; it is not measured
	if t.Failed() {
		return
	}
	m, err := bench.NewMeter(t.Context(), url, v.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	took := walk(100_000, o.Citizens)
	if t.Failed() {
		return
	}
	r, err := m.Result(t.Context(), o, took, replies, acks, o.Citizens*bench.Messages-len(replies))
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	r.By = "WhatsApp"
	if err := bench.WriteTable(&table, r); err != nil {
		t.Fatal(err)
	}
	t.Logf("soak: %s", table.String())
	if r.Messages != o.Citizens*bench.Messages || r.Missing != 0 || r.CPU <= 0 || r.PeakRSS < 1 || r.Reads <= 0 {
		t.Errorf("not measured: %+v", r)
	}
}
