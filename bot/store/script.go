package store

import (
	"context"
	"crypto/sha1" //nolint:gosec // Redis names scripts by SHA-1
	"embed"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// script is a Lua file. A line "-- include place.lua" in it is replaced by that file.
type script struct {
	name, source, sha string
	// reads is true for a script that writes nothing.
	reads bool
}

// scripts are all scripts of the package, loaded at the start.
var scripts []*script

// newScript reads lua/name.lua. A missing file is a mistake in the build.
func newScript(name string) *script {
	src := readLua(name + ".lua")
	sum := sha1.Sum([]byte(src)) //nolint:gosec // see above
	s := &script{name: name, source: src, sha: hex.EncodeToString(sum[:])}
	scripts = append(scripts, s)
	return s
}

// newReader reads a script that writes nothing.
func newReader(name string) *script {
	s := newScript(name)
	s.reads = true
	return s
}

func readLua(file string) string {
	raw, err := luaFiles.ReadFile("lua/" + file)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "-- include "); ok {
			b.WriteString(readLua(strings.TrimSpace(rest)))
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}

// run runs a script in one round trip; a server that does not know it is given the text. Where a failover may happen
// it waits for the replicas, and for the next primary, as a commit does; elsewhere it never repeats by itself.
func (s *Store) run(ctx context.Context, sc *script, keys []string, args ...any) *redis.Cmd {
	if s.to.patience > 0 || s.to.wait.Replicas > 0 {
		c := &call{ctx: ctx, sc: sc, keys: keys, args: args, unwaited: sc.reads}
		s.to.send([]*call{c}, func(*call) {})
		return c.cmd
	}
	cmd := s.rdb.EvalSha(ctx, sc.sha, keys, args...)
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		cmd = s.rdb.Eval(ctx, sc.source, keys, args...)
	}
	return cmd
}

// loadScripts makes every primary know the scripts, so that the first commit is one round trip too.
func loadScripts(ctx context.Context, rdb redis.UniversalClient) error {
	load := func(ctx context.Context, c *redis.Client) error {
		pipe := c.Pipeline()
		for _, sc := range scripts {
			pipe.ScriptLoad(ctx, sc.source)
		}
		cmds, err := pipe.Exec(ctx)
		for i, cmd := range cmds {
			if cmd.Err() != nil {
				return fmt.Errorf("load script %s: %w", scripts[i].name, cmd.Err())
			}
		}
		return err
	}
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, load)
	case *redis.Client:
		return load(ctx, c)
	}
	return nil // scripts are loaded as they are needed
}
