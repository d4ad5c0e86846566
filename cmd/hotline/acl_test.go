package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// methodCommands are the methods of the client that are not named like their command.
var methodCommands = map[string]string{
	"ZRangeArgs": "zrange", "ZRangeArgsWithScores": "zrange", "ZRangeWithScores": "zrange", "ZRangeByScoreWithScores": "zrangebyscore",
	"ScriptLoad": "script|load", "ConfigGet": "config|get", "ConfigSet": "config|set", "SetNX": "set", "SetArgs": "set", "HRandFieldWithValues": "hrandfield",
	"FlushDB": "flushdb", "ZAddArgs": "zadd", "ClientID": "client|id", "ACLDryRun": "acl|dryrun", "RestoreReplace": "restore",
}

// ownOnly are commands that the program sends only to a redis-server that it has started itself, on a private socket.
var ownOnly = map[string]string{
	"config|set": "the demo's wave, own.go of a restore",
	"shutdown":   "the orderly stop of the own server",
	"flushall":   "demo --fresh",
	"flushdb":    "demo --fresh",
	"dump":       "a restore reads from a server of its own",
	"pttl":       "a restore reads from a server of its own",
}

// usedCommands are the Redis commands in the scripts and in the Go code, each with a place where it is used.
func usedCommands(t *testing.T) map[string]string {
	t.Helper()
	used := map[string]string{}
	lua, err := filepath.Glob("../../bot/store/lua/*.lua")
	if err != nil || len(lua) < 20 {
		t.Fatal(err, len(lua))
	}
	call := regexp.MustCompile(`redis\.p?call\('([A-Z]+)'`)
	for _, path := range lua {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(b, []byte("redis.call(")) + bytes.Count(b, []byte("redis.pcall(")); n != len(call.FindAll(b, -1)) {
			t.Errorf("%s calls a command by something else than its name in capitals", path)
		}
		for _, m := range call.FindAllSubmatch(b, -1) {
			used[strings.ToLower(string(m[1]))] = path
		}
	}
	methods := map[string]bool{}
	for _, of := range []reflect.Type{reflect.TypeFor[redis.UniversalClient](), reflect.TypeFor[redis.Pipeliner]()} {
		for m := range of.Methods() {
			methods[m.Name] = true
		}
	}
	for _, other := range []string{"Do", "Exec", "Close", "Pipeline", "Pipelined", "TxPipeline", "AddHook", "Process", "Len", "Watch", "Discard", "PoolStats"} {
		delete(methods, other)
	}
	for _, dir := range []string{"../../bot/store", "."} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				c, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := c.Fun.(*ast.SelectorExpr)
				if ok && strings.HasPrefix(sel.Sel.Name, "TxPipeline") {
					used["multi"], used["exec"] = path, path
				}
				if !ok || len(c.Args) == 0 || !methods[sel.Sel.Name] || !isContext(c.Args[0]) || !isClient(sel.X) {
					return true
				}
				name, ok := methodCommands[sel.Sel.Name]
				if !ok {
					name = strings.ToLower(sel.Sel.Name)
				}
				used[name] = path
				return true
			})
		}
	}
	return used
}

// isContext tells a context by its name: ctx, last, try, or context.Background().
func isContext(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "ctx" || e.Name == "last" || e.Name == "try" || e.Name == "c"
	case *ast.CallExpr:
		sel, ok := e.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		id, ok := sel.X.(*ast.Ident)
		return ok && id.Name == "context"
	}
	return false
}

// isClient tells a client or a pipeline by its name; the store has methods of the same names.
func isClient(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name != "s" && e.Name != "st" && e.Name != "w" && e.Name != "t" && e.Name != "whatsapp"
	case *ast.SelectorExpr:
		return e.Sel.Name != "store" && e.Sel.Name != "Store" && e.Sel.Name != "channel"
	}
	return true
}

// operatorOnly are commands of backup, restore and drill, which have a user of their own: it may copy the whole store.
var operatorOnly = map[string]string{"sync": "the copy", "replconf": "the copy", "restore": "restore", "hlen": "its counts",
	"hrandfield": "its sample"}

// aclFor is deploy/users.acl with one password for both users.
func aclFor(t *testing.T, password string) string {
	t.Helper()
	b, err := os.ReadFile("../../deploy/users.acl")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(password))
	acl := string(b)
	for _, place := range []string{"SHA256-OF-THE-SERVICE-PASSWORD", "SHA256-OF-THE-OPERATOR-PASSWORD"} {
		if strings.Count(acl, "#"+place) != 1 {
			t.Fatalf("users.acl has no place %s", place)
		}
		acl = strings.Replace(acl, place, hex.EncodeToString(sum[:]), 1)
	}
	return acl
}

// The Redis users of deploy/users.acl may do what the program does, and nothing else.
func TestRedisUserHasWhatIsUsed(t *testing.T) {
	users := map[string][]string{}
	for line := range strings.Lines(aclFor(t, "x")) {
		f := strings.Fields(line)
		users[f[1]] = f[2:]
	}
	// As default nobody comes in, but Redis itself loads its append-only file: what that user may not is left out of it.
	if !slices.Equal(users["default"], []string{"off", "resetpass", "~*", "&*", "+@all"}) || len(users) != 3 {
		t.Errorf("the users are %v", users)
	}
	service, operator := commandsOf(t, users["hotline"]), commandsOf(t, users["operator"])
	// What the client sends by itself when it connects, and to a server that is part of a Sentinel or Cluster.
	connects := []string{"hello", "auth", "select", "ping", "wait", "readonly", "role", "cluster|slots", "cluster|shards", "cluster|nodes", "command"}
	used := usedCommands(t)
	used["sync"], used["replconf"] = "copy.go", "copy.go" // said on a connection of its own
	for name, where := range used {
		if ownOnly[name] != "" {
			continue
		}
		if !service[name] && operatorOnly[name] == "" {
			t.Errorf("%s uses %s, which the user hotline of deploy/users.acl may not: add +%s there, for both users", where, strings.ToUpper(name), name)
		}
		if !operator[name] {
			t.Errorf("%s uses %s, which the user operator of deploy/users.acl may not: add +%s there", where, strings.ToUpper(name), name)
		}
	}
	for who, allowed := range map[string]map[string]bool{"hotline": service, "operator": operator} {
		for name := range allowed {
			switch {
			case used[name] == "" && !slices.Contains(connects, name):
				t.Errorf("%s may %s, which nothing uses: take it out of deploy/users.acl", who, name)
			case ownOnly[name] != "":
				t.Errorf("%s may %s, which is for an own server only (%s)", who, name, ownOnly[name])
			case who == "hotline" && operatorOnly[name] != "":
				t.Errorf("the service may %s, which is for operators only", name)
			}
		}
		for _, name := range []string{"flushall", "flushdb", "keys", "debug", "config|set", "shutdown", "script|flush", "replicaof", "module", "acl"} {
			if allowed[name] {
				t.Errorf("%s may %s", who, name)
			}
		}
	}
}

// commandsOf are the commands that the rules of a user allow.
func commandsOf(t *testing.T, rules []string) map[string]bool {
	t.Helper()
	allowed := map[string]bool{}
	for _, r := range rules {
		if name, ok := strings.CutPrefix(r, "+"); ok {
			if strings.HasPrefix(name, "@") {
				t.Errorf("users.acl gives a whole category, %s", r)
			}
			allowed[name] = true
		}
	}
	if !slices.Contains(rules, "-@all") {
		t.Error("users.acl begins with every command")
	}
	return allowed
}
