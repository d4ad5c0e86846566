package store_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
	"pulang/flows/casework"
)

// BenchmarkTurn is Load and Commit of one message, with a case, an entry each way, a reply, a timer, and Finish of the
// reply: what the store does for one message. 64 people at once. CPU of this process is reported per message.
func BenchmarkTurn(b *testing.B) {
	for _, fsync := range []string{"everysec", "always"} {
		b.Run(fsync, func(b *testing.B) {
			srv := storetest.Redis(b, "--appendfsync", fsync)
			c, err := store.Dial(srv.URL())
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = c.Close() })
			s := storetest.Open(b, c, store.Options{})
			var people, failed atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(32) // × GOMAXPROCS of 2
			before, redisBefore := cpu(), redisCPU(b, c)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				p := int(people.Add(1))
				for n := 1; pb.Next(); n++ {
					if err := benchTurn(s, p, n); err != nil {
						failed.Add(1)
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(cpu()-before)/float64(b.N)/1e3, "cpu-µs/op")
			b.ReportMetric((redisCPU(b, c)-redisBefore)/float64(b.N)*1e6, "redis-µs/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			if failed.Load() > 0 {
				b.Fatal("failed:", failed.Load())
			}
		})
	}
}

func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// redisCPU is the server's CPU in seconds, with that of its children, which write the append-only file anew.
func redisCPU(b *testing.B, c redis.UniversalClient) float64 {
	info, err := c.Info(ctx, "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	sum := 0.0
	for line := range strings.Lines(info) {
		name, v, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children":
			f, _ := strconv.ParseFloat(v, 64)
			sum += f
		}
	}
	return sum
}

func benchTurn(s *store.Store, person, n int) error {
	who, req := citizen(person), fmt.Sprint("u", n)
	now := time.Now()
	snap, err := s.Load(ctx, "kh", who, req)
	if err != nil {
		return err
	}
	r := bot.Row{
		ID: fmt.Sprintf("01J%011d%012d", n, person), Line: "kh", To: who, CaseID: fmt.Sprint("c", person), Lane: bot.LaneBot,
		Kind: "reply", State: bot.RowQueued, CreatedAt: now,
		Out: bot.Outgoing{Text: "Terima kasih. Anda sekarang di mana? Paling mudah: kirim lokasi. Kalau tidak bisa, tulis nama kota.",
			Buttons: []bot.Button{{Label: "Aman", Data: "v1:7f3a:safety_now:safe"}, {Label: "Diawasi", Data: "v1:7f3a:safety_now:watched"}}},
	}
	st := snap.State
	in := flows.Input{Kind: flows.KindText, ID: req, Text: "saya di Bavet dekat pasar", At: now}
	st.Case, st.LastAt, st.Scope = fmt.Sprintf("K7%05d", person), now, "7f3a"
	st.Shown = &flows.Shown{Step: "location", At: now, Buttons: true}
	if st.Answers == nil {
		st.Answers = map[flows.StepID]flows.Answer{}
	}
	steps := []flows.StepID{"safety_now", "who_for", "location", "urgent_needs", "passport_status", "contact_pref"}
	st.Answers[steps[n%len(steps)]] = flows.Answer{Values: []flows.Value{"watched"}, Text: in.Text, From: req, At: now}
	cs := snap.Case
	if cs == nil {
		cs = aCase(r.CaseID, st.Case)
		cs.Contacts, cs.Answers = contactsOf(who), map[flows.StepID]flows.Answer{}
		cs.Triage.Reasons = []casework.Reason{{ID: "watched", Points: 30}, {ID: "passport_held", Points: 20}}
	}
	cs.Answers[steps[n%len(steps)]] = st.Answers[steps[n%len(steps)]]
	cs.LastIn = now
	done, err := s.Commit(ctx, bot.Change{
		Line: "kh", Request: req, Who: &who, State: &st, Version: snap.Version, Case: cs, CaseVer: snap.CaseVer, Wrote: true,
		Entries: []bot.Entry{
			{ID: r.ID + "i", At: now, Kind: "in", Input: &in, Channel: "telegram", Update: req},
			{ID: r.ID, At: now, Kind: "out", Text: r.Out.Text, Row: r.ID, Channel: "telegram"},
		},
		Rows:   []bot.Row{r},
		Timers: []bot.Timer{{Line: "kh", Name: "nudge", Contact: who, At: now.Add(time.Hour)}},
	})
	if err != nil {
		return err
	}
	for len(done.Mine) > 0 {
		row := done.Mine[0]
		row.State, row.ProviderID = bot.RowSent, fmt.Sprint(n)
		if _, err := s.Finish(ctx, "kh", now, []bot.Sent{{Row: row}}, time.Minute); err != nil {
			return err
		}
		done.Mine = done.Mine[1:]
	}
	return nil
}
