package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestImports keeps the house in order: the core is pure, adapters are siblings that do not know each other, a
// messenger's types and the Redis client stop at their package.
func TestImports(t *testing.T) {
	type pkg struct {
		Dir, ImportPath string
		GoFiles         []string
		Imports         []string
	}
	out, err := exec.Command("go", "list", "-json=Dir,ImportPath,GoFiles,Imports", "pulang/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	// Standard packages that would let the core look at the clock, the machine or the network.
	impure := []string{"net", "os", "context", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog", "syscall"}
	// The only libraries the core may use: pure data and algorithms.
	data := []string{"golang.org/x/text", "github.com/nyaruka/phonenumbers", "github.com/agnivade/levenshtein",
		"github.com/paulmach/orb", "github.com/BurntSushi/toml"}
	siblings := []string{"pulang/bot/telegram", "pulang/bot/whatsapp", "pulang/bot/webchat", "pulang/bot/desk", "pulang/bot/store"}
	only := map[string][]string{ // library: who may import it, besides tests
		"github.com/go-telegram/bot":  {"pulang/bot/telegram", "pulang/cmd/hotline/bench"}, // the yardstick
		"go.mau.fi/whatsmeow":         {"pulang/bot/whatsapp"},
		"github.com/redis/go-redis":   {"pulang/bot/store", "pulang/cmd/hotline"},
		"github.com/alicebob":         {"pulang/bot/store", "pulang/cmd/hotline"},
		"github.com/tink-crypto":      {"pulang/bot/store"},
		"github.com/alecthomas/kong":  {"pulang/cmd/hotline"},
		"github.com/nicksnyder":       {"pulang/locales"},
		"github.com/alexedwards/scs/": {"pulang/bot/desk", "pulang/bot/store", "pulang/cmd/hotline"},
	}
	under := func(path, root string) bool {
		return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, imp := range p.Imports {
			if under(p.ImportPath, "pulang/flows") {
				std := !strings.Contains(strings.Split(imp, "/")[0], ".") && !under(imp, "pulang")
				ok := under(imp, "pulang/flows") ||
					std && !slices.ContainsFunc(impure, func(x string) bool { return imp == x || strings.HasPrefix(imp, "net/") }) ||
					slices.ContainsFunc(data, func(x string) bool { return under(imp, x) })
				if !ok {
					t.Errorf("%s imports %s: the core is pure", p.ImportPath, imp)
				}
			}
			if p.ImportPath == "pulang/locales" && under(imp, "pulang") && imp != "pulang/flows" {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
			if p.ImportPath == "pulang/bot" && slices.ContainsFunc(siblings, func(s string) bool { return under(imp, s) }) {
				t.Errorf("%s imports its adapter %s", p.ImportPath, imp)
			}
			for _, s := range siblings {
				if under(p.ImportPath, s) && slices.ContainsFunc(siblings, func(o string) bool { return o != s && under(imp, o) }) {
					t.Errorf("%s imports its sibling %s", p.ImportPath, imp)
				}
			}
			for lib, who := range only {
				if under(imp, lib) && !slices.ContainsFunc(who, func(w string) bool { return under(p.ImportPath, w) }) {
					t.Errorf("%s imports %s, which stops at %v", p.ImportPath, imp, who)
				}
			}
		}
		if under(p.ImportPath, "pulang/flows") {
			for _, f := range p.GoFiles {
				noClock(t, filepath.Join(p.Dir, f))
			}
		}
		for _, bad := range []string{"utils", "util", "common", "types", "models", "helpers", "internal", "pkg"} {
			if slices.Contains(strings.Split(p.ImportPath, "/"), bad) {
				t.Errorf("%s: name a package for what it holds", p.ImportPath)
			}
		}
	}
}

// noClock refuses time.Now and its kin in the core: time comes in as an argument.
func noClock(t *testing.T, file string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" &&
			slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc"}, s.Sel.Name) {
			t.Errorf("%s: time.%s in the core", file, s.Sel.Name)
		}
		return true
	})
}
