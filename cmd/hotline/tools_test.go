package main

import (
	"os"
	"testing"
)

// needTool skips where a program is not installed, and fails in CI, where it has to be.
func needTool(t *testing.T, name string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
}
