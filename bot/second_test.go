package bot_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pulang/bot/store"
	"pulang/bot/store/storetest"
	"pulang/flows"
)

// What was written without a signal reaches the messenger in one second, and its clock counts whole ones: whatever a
// person writes is answered as if it had come minute by minute.
func TestMessagesOfOneSecond(t *testing.T) {
	files, err := filepath.Glob("../flows/intake/testdata/*.txt")
	if err != nil || len(files) < 25 {
		t.Fatal(len(files), err)
	}
	l := newLine(t, storetest.Open(t, storetest.Redis(t, "--appendonly", "no").Client, store.Options{}))
	numbers := regexp.MustCompile(`\b[A-Z0-9]{4}-[A-Z0-9]{4}\b|\b[A-Z0-9]{3}-[A-Z0-9]{3}-[A-Z0-9]{3}\b|(Antrean sekarang|Queue now): \d+`)
	start := time.Now().Truncate(time.Second).Add(-2 * time.Hour)
	seed := rand.Uint64()
	if was := os.Getenv("PULANG_SEED"); was != "" {
		if _, err := fmt.Sscan(was, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PULANG_SEED=%d", seed)
	var all sync.WaitGroup
	turns := make(chan struct{}, 8)
	for i, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		typed, _, _ := strings.Cut("\n"+string(raw), "\n[")
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			var told [4][]string
			dice := rand.New(rand.NewPCG(seed, uint64(i)))
			for kind := range told { // a minute apart, in one second, now and then in one
				who, at, n := fmt.Sprintf("%d%d", kind+1, i), start, 0
				for line := range strings.SplitSeq(typed, "\n") {
					words, ok := strings.CutPrefix(line, "> ")
					if !ok {
						continue
					}
					n++
					switch {
					case kind == 0:
						at = at.Add(time.Minute)
					case kind > 1:
						at = at.Add(time.Duration(dice.IntN(2)) * time.Second)
					}
					in := flows.Input{Kind: flows.KindText, Text: words, At: at}
					if err := l.hot.Handle(t.Context(), l.message(who, fmt.Sprint(who, "u", n), in)); err != nil {
						t.Error(err)
						return
					}
				}
				snap, err := l.store.Load(t.Context(), "kh", l.message(who, "", flows.Input{}).From, "look")
				if err != nil {
					t.Error(err)
					return
				}
				if snap.Case == nil {
					continue
				}
				for _, e := range l.file(who).Entries {
					switch {
					case e.Kind == "in":
						told[kind] = append(told[kind], "> "+e.Input.Text)
					case e.Text != "":
						told[kind] = append(told[kind], "< "+numbers.ReplaceAllString(e.Text, "X"))
					}
				}
				c := snap.Case
				told[kind] = append(told[kind], fmt.Sprint("permission ", c.Permission, ", safety ", c.Safety, ", windows ", c.Windows, ", class ", c.Triage.Class))
			}
			for kind, y := range told {
				x := told[0]
				if slices.Equal(x, y) {
					continue
				}
				for len(x) > 1 && len(y) > 1 && x[0] == y[0] {
					x, y = x[1:], y[1:]
				}
				t.Errorf("%s: minute by minute\n%s\nin one second or two (%d)\n%s", filepath.Base(file), strings.Join(x[:min(6, len(x))], "\n"), kind, strings.Join(y[:min(6, len(y))], "\n"))
			}
		})
	}
	all.Wait()
}
