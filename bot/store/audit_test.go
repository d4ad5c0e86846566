package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
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

// S22. A thousand edits, removals, swaps, insertions and cuts at random (a tenth of them in a plain run), each found: by a
// verification at its place, by what serve does against the head that it knows, and what is cut off with its links by
// the kept head.
func TestAuditTampering(t *testing.T) {
	rounds := 100
	if os.Getenv("PULANG_SOAK") == "1" {
		rounds = 1000
	}
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
		pipe := s.rdb.TxPipeline()
		pipe.Del(ctx, key)
		for _, v := range list {
			pipe.RPush(ctx, key, v)
		}
		_, err := pipe.Exec(ctx)
		must(t, err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	found := map[string]int{}
	for round := range rounds {
		bad, links := slices.Clone(rows), slices.Clone(chain)
		i := rnd.IntN(n)
		first := i
		var did string
		switch round % 6 {
		case 0:
			did = "edit"
			b := []byte(bad[i])
			b[rnd.IntN(len(b))] ^= byte(1 + rnd.IntN(255))
			bad[i] = string(b)
		case 1:
			did = "removal"
			bad = slices.Delete(bad, i, i+1)
		case 2:
			did = "swap"
			j := (i + 1 + rnd.IntN(n-1)) % n
			bad[i], bad[j] = bad[j], bad[i]
			first = min(i, j)
		case 3:
			did = "insertion"
			i = rnd.IntN(n + 1)
			first = i
			bad = slices.Insert(bad, i, rows[rnd.IntN(n)])
			if i < n && bad[i] == rows[i] { // a copy put before itself shows one row later
				first = i + 1
			}
		case 4:
			did = "cut"
			bad = bad[:i]
		case 5:
			did = "cut with its links"
			bad, links = bad[:i], links[:i]
		}
		put(keyAudit("kh"), bad)
		put(keyAuditChain("kh"), links)
		r, err := s.VerifyAudit(ctx, "kh", head)
		must(t, err)
		if r.Broken != int64(first)+1 {
			t.Fatalf("round %d: %s at %d found at %d (%s)", round, did, first+1, r.Broken, r.Why)
		}
		if did == "cut with its links" {
			if r, err := s.VerifyAudit(ctx, "kh"); err != nil || r.Broken != 0 {
				t.Fatalf("a shorter log is a log where no head was kept: %+v, %v", r, err)
			}
		}
		// What serve does: on from the head that it knows, then through the whole log a batch at a time.
		_, err = s.ContinueAudit(ctx, "kh", head)
		if err == nil {
			_, err = s.VerifyAuditFrom(ctx, "kh", 0)
		}
		found[did]++
		if first == n { // a copy behind all others is a row that is not chained yet: a verification alone finds it, then and later
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.SealAudit(ctx, "kh")
			must(t, err)
			if r, err := s.VerifyAudit(ctx, "kh"); err != nil || r.Broken != n+1 || r.Why != "copied" {
				t.Fatalf("round %d: a copy at the end: %+v, %v", round, r, err)
			}
			continue
		}
		var broken *AuditBroken
		if !errors.As(err, &broken) || broken.Seq != int64(first)+1 {
			t.Fatalf("round %d: %s at %d: serve finds %v", round, did, first+1, err)
		}
	}
	t.Logf("soak: %d changes, all found at their row by a verification and by serve: %v", rounds, found)
}

// The head that is known moves on with the log, over any number of rows, and the rolling look goes round.
func TestAuditGoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		if h, err := s.ContinueAudit(ctx, "kh", AuditHead{}); err != nil || h.Seq != 0 {
			t.Fatalf("an empty log: %+v, %v", h, err)
		}
		var known AuditHead
		for _, more := range []int{1, auditBatch - 1, auditBatch, 203, 0} {
			for range more {
				must(t, s.Record(ctx, "kh", bot.Audit{Who: "Sari", What: "open"}))
			}
			_, err := s.SealAudit(ctx, "kh")
			must(t, err)
			must(t, s.Record(ctx, "kh", bot.Audit{Who: "Sari", What: "open"})) // one that is not chained yet
			known, err = s.ContinueAudit(ctx, "kh", known)
			must(t, err)
			if want, err := s.AuditHead(ctx, "kh"); err != nil || known != want {
				t.Fatalf("%+v, want %+v, %v", known, want, err)
			}
		}
		at, looks := int64(0), 0
		for {
			var err error
			at, err = s.VerifyAuditFrom(ctx, "kh", at)
			must(t, err)
			if looks++; at == 0 {
				break
			}
		}
		if want := int(known.Seq+auditBatch-1) / auditBatch; looks != want {
			t.Errorf("%d looks at %d rows, want %d", looks, known.Seq, want)
		}
		// Another store's chain, or an older copy of this one, does not go through the head.
		other := known
		other.Seq++
		var broken *AuditBroken
		if _, err := s.ContinueAudit(ctx, "kh", other); !errors.As(err, &broken) || broken.Why != "cut" {
			t.Error(err)
		}
		if _, err := s.ContinueAudit(ctx, "mm", known); !errors.As(err, &broken) || broken.Why != "cut" || broken.Seq != 1 {
			t.Error(err)
		}
		other = known
		other.Link = strings.Repeat("0", 64)
		if _, err := s.ContinueAudit(ctx, "kh", other); !errors.As(err, &broken) || broken.Why != "changed" {
			t.Error(err)
		}
	})
}
