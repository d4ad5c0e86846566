package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows/casework"
)

// agedLog is a chained log of n rows, a day apart and oldest first; day gives when the n-th was written.
func agedLog(t *testing.T, s *Store, n int) (day func(int) time.Time) {
	t.Helper()
	day = func(i int) time.Time { return deskNow.AddDate(0, 0, i) }
	for i := range n {
		must(t, s.Record(context.Background(), "kh", bot.Audit{At: day(i + 1), Who: "Sari", What: "open", Code: fmt.Sprint(i + 1)}))
	}
	_, err := s.SealAudit(context.Background(), "kh")
	must(t, err)
	return day
}

// unbroken says that the log is as it was written, with so many rows gone by age and so many left.
func unbroken(t *testing.T, s *Store, gone, rows int64, heads ...AuditHead) {
	t.Helper()
	if r, err := s.VerifyAudit(context.Background(), "kh", heads...); err != nil || r.Broken != 0 || r.Gone != gone || r.Rows != rows {
		t.Fatalf("%+v, %v; want %d gone, %d left", r, err, gone, rows)
	}
}

// P3: rows go after their time, to the day, oldest first; the chain goes on from where it was cut, with the numbers that
// rows had, and heads that were kept before, at and after the cut still count.
func TestAuditGoesByAge(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		var heads []AuditHead
		head := func() AuditHead {
			h, err := s.AuditHead(ctx, "kh")
			must(t, err)
			heads = append(heads, h)
			return h
		}
		day := agedLog(t, s, 700)
		before := head()
		must(t, s.Record(ctx, "kh", bot.Audit{At: day(1), Who: "Sari", What: "late"})) // old, but not chained: it stays
		row := bot.Audit{At: day(800), Who: "hotline", What: "audit_aged"}
		if n, err := s.ShortenAudit(ctx, "kh", day(1), row); n != 0 || err != nil {
			t.Fatalf("nothing is older than the first row: %d, %v", n, err)
		}
		unbroken(t, s, 0, 701)
		if n, err := s.ShortenAudit(ctx, "kh", day(601), row); n != 600 || err != nil {
			t.Fatalf("%d went, %v", n, err)
		}
		unbroken(t, s, 600, 102, heads...)
		if now := head(); now != before {
			t.Errorf("the end is %+v, it was %+v", now, before)
		}
		log, err := s.AuditLog(ctx, "kh", 1000)
		if err != nil || len(log) != 102 || log[0].What != "audit_aged" || log[0].Field != "1-600" || log[100].Code != "601" || log[101].What != "late" {
			t.Fatalf("%d rows, %v; the newest %+v", len(log), err, log[0])
		}
		if _, err := s.SealAudit(ctx, "kh"); err != nil {
			t.Fatal(err)
		}
		if h := head(); h.Seq != 702 {
			t.Errorf("the last row has the number %d", h.Seq)
		}
		for _, known := range append(heads, AuditHead{}) { // of before, at and after the cut, and of none
			if h, err := s.ContinueAudit(ctx, "kh", known); err != nil || h.Seq != 702 {
				t.Errorf("from %d on: %+v, %v", known.Seq, h, err)
			}
		}
		if next, err := s.VerifyAuditFrom(ctx, "kh", 3); next != 0 || err != nil {
			t.Errorf("a look at what is left: %d, %v", next, err)
		}

		// All of it may go, and it goes on all the same.
		if n, err := s.ShortenAudit(ctx, "kh", day(900), row); n != 102 || err != nil {
			t.Fatalf("%d went, %v", n, err)
		}
		unbroken(t, s, 702, 1, heads...)
		if _, err := s.SealAudit(ctx, "kh"); err != nil {
			t.Fatal(err)
		}
		if h := head(); h.Seq != 703 {
			t.Errorf("the last row has the number %d", h.Seq)
		}
		unbroken(t, s, 702, 1, heads...)
		if _, err := s.ContinueAudit(ctx, "kh", heads[2]); err != nil {
			t.Error(err)
		}
	})
}

// What tells of a case under a legal hold stays, with all that was written after it, until the hold is lifted.
func TestAuditOfAHeldCaseStays(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	main, joined := safeCase(1, nil), safeCase(2, nil)
	main.Hold = &casework.Hold{By: "Sari", Reason: "court", At: deskNow}
	joined.Into = &casework.Into{ID: main.ID, Code: main.Code}
	for _, c := range []*casework.Case{main, joined} {
		_, err := s.Commit(ctx, bot.Change{Line: "kh", Request: c.Code, Case: c.Clone()})
		must(t, err)
	}
	at := deskNow
	for _, code := range []string{"gone", joined.Code, "other"} {
		at = at.Add(time.Hour)
		must(t, s.Record(ctx, "kh", bot.Audit{At: at, Who: "Sari", What: "open", Code: code}))
	}
	_, err := s.SealAudit(ctx, "kh")
	must(t, err)
	row := bot.Audit{At: at, Who: "hotline", What: "audit_aged"}
	if n, err := s.ShortenAudit(ctx, "kh", at.AddDate(6, 0, 0), row); n != 1 || err != nil {
		t.Fatalf("%d went while the hold stands, %v", n, err)
	}
	main.Hold = nil
	_, err = s.Commit(ctx, bot.Change{Line: "kh", Request: "lift", Case: main.Clone(), CaseVer: 1})
	must(t, err)
	if n, err := s.ShortenAudit(ctx, "kh", at.AddDate(6, 0, 0), row); n != 2 || err != nil {
		t.Fatalf("%d went when it was lifted, %v", n, err)
	}
	unbroken(t, s, 3, 2)
}

// Whoever can write to Redis and has no key cannot pass off a cut of their own as age, nor have evidence cut.
func TestAgeIsNoExcuse(t *testing.T) {
	s := openDesk(t, startReal(t))
	ctx := context.Background()
	day := agedLog(t, s, 60)
	head, err := s.AuditHead(ctx, "kh")
	must(t, err)
	row := bot.Audit{At: day(90), Who: "hotline", What: "audit_aged"}
	shorten := func(i int) error { _, err := s.ShortenAudit(ctx, "kh", day(i), row); return err }
	must(t, shorten(11))
	older := s.rdb.Get(ctx, keyAuditBegins("kh")).Val()
	must(t, shorten(21))
	unbroken(t, s, 20, 42, head)

	found := func(what string, seq int64, why string) {
		t.Helper()
		if r, err := s.VerifyAudit(ctx, "kh", head); err != nil || r.Broken != seq || r.Why != why {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
		var broken *AuditBroken
		if _, err := s.VerifyAuditFrom(ctx, "kh", 0); !errors.As(err, &broken) || broken.Seq != seq {
			t.Errorf("%s: serve finds %v", what, err)
		}
		if err := shorten(50); !errors.As(err, &broken) {
			t.Errorf("%s: it is shortened all the same, %v", what, err)
		}
	}
	saved := map[string]string{}
	for _, key := range []string{keyAudit("kh"), keyAuditChain("kh"), keyAuditBegins("kh")} {
		saved[key] = s.rdb.Dump(ctx, key).Val()
	}
	back := func() {
		for key, dump := range saved {
			must(t, s.rdb.RestoreReplace(ctx, key, 0, dump).Err())
		}
		unbroken(t, s, 20, 42, head)
	}
	for _, key := range []string{keyAudit("kh"), keyAuditChain("kh")} {
		must(t, s.rdb.LTrim(ctx, key, 5, -1).Err())
	}
	found("cut further", 21, "changed")
	back()
	must(t, s.rdb.Del(ctx, keyAuditBegins("kh")).Err())
	found("no beginning", 1, "changed")
	back()
	must(t, s.rdb.Set(ctx, keyAuditBegins("kh"), older, 0).Err())
	found("an older beginning", 11, "changed")
	back()
	must(t, s.rdb.Set(ctx, keyAuditBegins("kh"), s.rdb.LIndex(ctx, keyAudit("kh"), 0).Val(), 0).Err())
	found("a forged beginning", 1, "foreign")
	back()
	must(t, s.rdb.LSet(ctx, keyAudit("kh"), 7, s.rdb.LIndex(ctx, keyAudit("kh"), 9).Val()).Err())
	found("a row put in another's place", 28, "changed")
	back()
	must(t, shorten(50))
	unbroken(t, s, 49, 14, head)
}
