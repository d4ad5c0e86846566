// Package ended is for tests: it tells what still runs after them.
package ended

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// within is how long what is ending may take. goleak itself waits for half a second, which a busy machine needs for
// less; who leaves nothing behind loses no time.
const within = time.Minute

// Main runs the tests of a package, for its TestMain, and fails when a goroutine of theirs runs on; ignore are those
// that may.
func Main(m *testing.M, ignore ...goleak.Option) {
	code := m.Run()
	if code == 0 {
		if err := All(ignore...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// All waits, for a minute at most, until nothing runs but what ignore names; the error says what does.
func All(ignore ...goleak.Option) error {
	for end := time.Now().Add(within); ; {
		err := goleak.Find(ignore...)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}
