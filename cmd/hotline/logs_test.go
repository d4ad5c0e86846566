package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestLogFieldsAreKnown reads the source: a field that is not in `logged` would be written as [redacted] and help
// nobody, and one that bears a person's data must not get there by chance. The message itself is a constant.
func TestLogFieldsAreKnown(t *testing.T) {
	levels := map[string]int{"Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "With": 0} // arguments before the fields
	seen := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(path, "test/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			skip, ok := levels[sel.Sel.Name]
			if !ok || !isLog(sel.X) || len(call.Args) < skip {
				return true
			}
			if skip == 1 && !constantWords(call.Args[0]) {
				t.Errorf("%s: the message of a log line is put together from more than constants", path)
			}
			for i := skip; i+1 < len(call.Args); i += 2 {
				lit, ok := call.Args[i].(*ast.BasicLit)
				if !ok {
					t.Errorf("%s: the name of a log field is not a constant", path)
					continue
				}
				key, _ := strconv.Unquote(lit.Value)
				seen[key] = true
				if _, ok := logged[key]; !ok {
					t.Errorf("%s: the log field %q is not in `logged` (cmd/hotline/logs.go): add it there when it can hold no personal data", path, key)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range logged {
		if !seen[key] {
			t.Errorf("no log line has the field %q", key)
		}
	}
}

// isLog tells a logger by its name: log, c.log, o.Log, a.r.Log.
func isLog(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "log" || e.Name == "Log"
	case *ast.SelectorExpr:
		return e.Sel.Name == "log" || e.Sel.Name == "Log"
	}
	return false
}

// constantWords is a string literal, a variable of the caller's words ("what"), or a sum of them.
func constantWords(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.Ident:
		return e.Name == "what" || e.Name == "over"
	case *ast.BinaryExpr:
		return constantWords(e.X) && constantWords(e.Y)
	}
	return false
}
