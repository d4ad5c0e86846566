package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pulang/bot"
)

func TestAuditChain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		for i := range 1203 {
			must(t, s.Record(ctx, "kh", bot.Audit{At: time.Unix(int64(i), 0), Who: "Sari", What: "open", Code: fmt.Sprint(i)}))
		}
		if r, err := s.VerifyAudit(ctx, "kh"); err != nil || r.Broken != 0 || r.Rows != 1203 || r.Chained != 0 {
			t.Fatalf("before the first seal: %+v, %v", r, err)
		}
		if n, err := s.SealAudit(ctx, "kh"); err != nil || n != 1203 {
			t.Fatalf("sealed %d, %v", n, err)
		}
		must(t, s.Record(ctx, "kh", bot.Audit{Who: "Sari", What: "reveal", At: time.Unix(2000, 0)}))
		if r, err := s.VerifyAudit(ctx, "kh"); err != nil || r.Broken != 0 || r.Rows != 1204 || r.Chained != 1203 {
			t.Fatalf("after it: %+v, %v", r, err)
		}
		if n, err := s.SealAudit(ctx, "kh"); err != nil || n != 1 {
			t.Fatalf("sealed %d more, %v", n, err)
		}
		rows, err := s.AuditLog(ctx, "kh", 3)
		if err != nil || len(rows) != 3 || rows[0].What != "reveal" || rows[2].Code != "1201" {
			t.Fatalf("newest three: %+v, %v", rows, err)
		}
	})
}

// Appends are made while the chain is: none is chained twice or passed over, and only one process chains.
func TestAuditChainWhileAppending(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	done := make(chan error, 8)
	for range 4 {
		go func() {
			for range 200 {
				if err := s.Record(ctx, "kh", bot.Audit{Who: "Sari", What: "open"}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		go func() {
			for range 50 {
				if _, err := s.SealAudit(ctx, "kh"); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		must(t, <-done)
	}
	_, err := s.SealAudit(ctx, "kh")
	must(t, err)
	if r, err := s.VerifyAudit(ctx, "kh"); err != nil || r.Broken != 0 || r.Rows != 800 || r.Chained != 800 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// R: audit tampering. 200 edits, removals, swaps and insertions at random, each found, each at its place.
func TestAuditTampering(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	const n = 60
	for i := range n {
		must(t, s.Record(ctx, "kh", bot.Audit{Who: "Sari", What: "open", Code: fmt.Sprint(i)}))
	}
	_, err := s.SealAudit(ctx, "kh")
	must(t, err)
	head, err := s.AuditHead(ctx, "kh")
	must(t, err)
	rows := s.rdb.LRange(ctx, keyAudit("kh"), 0, -1).Val()
	chain := s.rdb.LRange(ctx, keyAuditChain("kh"), 0, -1).Val()
	put := func(key string, list []string) {
		s.rdb.Del(ctx, key)
		for _, v := range list {
			s.rdb.RPush(ctx, key, v)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		bad := append([]string(nil), rows...)
		i := rnd.IntN(n)
		first := i
		var did string
		switch round % 4 {
		case 0:
			did = "edit"
			b := []byte(bad[i])
			b[rnd.IntN(len(b))] ^= byte(1 + rnd.IntN(255))
			bad[i] = string(b)
		case 1:
			did = "removal"
			bad = append(bad[:i], bad[i+1:]...)
		case 2:
			did = "swap"
			j := (i + 1 + rnd.IntN(n-1)) % n
			bad[i], bad[j] = bad[j], bad[i]
			first = min(i, j)
		case 3:
			did = "insertion"
			bad = append(bad[:i], append([]string{rows[rnd.IntN(n)]}, bad[i:]...)...)
			if bad[i] == rows[i] { // a copy put before itself shows one row later
				first = i + 1
			}
		}
		put(keyAudit("kh"), bad)
		r, err := s.VerifyAudit(ctx, "kh")
		must(t, err)
		if r.Broken != int64(first)+1 {
			t.Fatalf("round %d: %s at %d found at %d (%s)", round, did, first+1, r.Broken, r.Why)
		}
	}
	// What is cut off together with its links shows against a head that was kept elsewhere.
	put(keyAudit("kh"), rows[:n-5])
	put(keyAuditChain("kh"), chain[:n-5])
	if r, err := s.VerifyAudit(ctx, "kh"); err != nil || r.Broken != 0 {
		t.Fatalf("a shorter log is a log: %+v, %v", r, err)
	}
	if r, err := s.VerifyAudit(ctx, "kh", head); err != nil || r.Broken != n-4 || r.Why != "cut" {
		t.Fatalf("against the kept head: %+v, %v", r, err)
	}
}
