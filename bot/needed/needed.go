// Package needed says what happens to a test on a machine that lacks a program: it is skipped, and fails where CI=true,
// because CI must not go without it.
package needed

import (
	"os"
	"os/exec"
	"testing"
)

// Program is the path of the first of these programs that is in PATH; without any of them the test ends here.
func Program(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, names[0])
	return ""
}

// Missing ends a test that has found no such program.
func Missing(t testing.TB, name string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed, and CI must not go without it", name)
	}
	t.Skipf("%s is not installed: this test is left out", name)
}
