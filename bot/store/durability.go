package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// DurabilityError says why a Redis may lose what it acknowledged, one line a problem.
type DurabilityError struct{ Problems []string }

func (e *DurabilityError) Error() string { return strings.Join(e.Problems, "\n") }

// CheckDurability asks Redis, in a Cluster every primary, whether its settings keep what it acknowledges, and
// returns a *DurabilityError when they do not or when it will not say. accept (--accept-data-loss) lets weaker
// settings pass; it does not pass over a Redis that cannot be asked because it does not answer.
func (s *Store) CheckDurability(ctx context.Context, accept bool) error {
	return CheckDurability(ctx, s.rdb, accept)
}

// CheckDurability is the check of (*Store).CheckDurability on a client. Where a failover may happen (see Failover) the
// replicas that answer are asked as well, since each may be the next primary.
func CheckDurability(ctx context.Context, rdb redis.UniversalClient, accept bool) error {
	var mu sync.Mutex
	var problems []string
	failover := Failover(rdb)
	ask := func(ctx context.Context, c *redis.Client) error {
		found, err := durability(ctx, c, failover)
		where := ""
		if failover {
			where = nodeName(ctx, c) + ": "
		}
		mu.Lock()
		defer mu.Unlock()
		for _, p := range found {
			problems = append(problems, where+p)
		}
		return err
	}
	maybe := func(ctx context.Context, c *redis.Client) error {
		_ = ask(ctx, c) // a replica that is down promises nothing
		return nil
	}
	var err error
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		if err = c.ForEachMaster(ctx, ask); err == nil {
			err = c.ForEachSlave(ctx, maybe)
		}
	case *redis.Client:
		if err = ask(ctx, c); err == nil && failover {
			err = eachReplica(ctx, c, maybe)
		}
	default:
		err = fmt.Errorf("cannot ask a %T for its settings", rdb)
	}
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	if len(problems) == 0 || accept {
		return nil
	}
	slices.Sort(problems)
	return &DurabilityError{Problems: problems}
}

// nodeName is where a node listens, as an operator knows it.
func nodeName(ctx context.Context, c *redis.Client) string {
	if a := c.Options().Addr; a != failoverClient {
		return a
	}
	port := "?"
	if info, err := c.Info(ctx, "server").Result(); err == nil {
		port = infoField(info, "tcp_port")
	}
	return "primary on port " + port
}

// eachReplica calls f with a client for every replica that a primary knows.
func eachReplica(ctx context.Context, primary *redis.Client, f func(context.Context, *redis.Client) error) error {
	info, err := primary.Info(ctx, "replication").Result()
	var re redis.Error
	if errors.As(err, &re) {
		return nil // this user may not know
	}
	if err != nil {
		return err
	}
	for _, m := range replicaLine.FindAllStringSubmatch(info, -1) {
		o := *primary.Options()
		o.Network, o.Addr, o.Dialer = "tcp", net.JoinHostPort(m[1], m[2]), nil
		c := redis.NewClient(&o)
		err := f(ctx, c)
		if err = errors.Join(err, c.Close()); err != nil {
			return err
		}
	}
	return nil
}

var replicaLine = regexp.MustCompile(`(?m)^slave\d+:ip=([^,]+),port=(\d+),state=online`)

// infoField is a field of INFO; empty when it has none.
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// wanted are the settings under which nothing acknowledged is lost. everysec may lose the last second at a power
// cut, and a citizen was told by then that the report had arrived.
var wanted = []struct{ name, value, why string }{
	{"appendonly", "yes", "what is acknowledged is lost when Redis ends"},
	{"appendfsync", "always", "what is acknowledged in the last second or more is lost at a power cut"},
	{"maxmemory-policy", "noeviction", "cases are thrown away when the memory is full"},
}

// mostLag is how many seconds a replica may be silent and still count as one that has the writes.
const mostLag = 10

func durability(ctx context.Context, c *redis.Client, failover bool) ([]string, error) {
	var problems []string
	names := make([]string, 0, len(wanted)+2)
	for _, w := range wanted {
		names = append(names, w.name)
	}
	if failover {
		names = append(names, "min-replicas-to-write", "min-replicas-max-lag")
	}
	for i, name := range names {
		got, err := c.ConfigGet(ctx, name).Result()
		var re redis.Error
		if errors.As(err, &re) {
			switch k := firstWord(err); k {
			case "NOAUTH", "WRONGPASS", "redis:":
				return nil, notLetIn(c, k, err)
			default:
				return []string{"Redis does not tell its settings (" + k + "): allow this user CONFIG GET (-config +config|get), " +
					"or start with --accept-data-loss"}, nil
			}
		}
		if err != nil {
			return nil, err
		}
		if i >= len(wanted) {
			n, err := strconv.Atoi(got[name])
			if err != nil || n < 1 || name == "min-replicas-max-lag" && n > mostLag {
				problems = append(problems, fmt.Sprintf("Redis has %s %s, wanted %s: a primary that is cut off takes writes that the next one does not have; "+
					"set it, or start with --accept-data-loss", name, got[name], map[string]string{"min-replicas-to-write": "1 or more",
					"min-replicas-max-lag": fmt.Sprintf("1 to %d", mostLag)}[name]))
			}
			continue
		}
		w := wanted[i]
		if v := got[name]; v != w.value {
			if v == "" {
				v = "unknown"
			}
			problems = append(problems, fmt.Sprintf("Redis has %s %s, wanted %s: %s; set it, or start with --accept-data-loss",
				w.name, v, w.value, w.why))
		}
	}
	return append(problems, defaultUser(ctx, c)...), nil
}

// notLetIn says what to do about a Redis that does not know the user, or about sentinels (kind "redis:") that name no primary.
func notLetIn(c *redis.Client, kind string, err error) error {
	where := "user and password of REDIS_URL"
	if c.Options().Addr == failoverClient {
		where += " (with redis+sentinel:// those of Redis stand in ?username=…&password=…, those of the sentinels before the @)"
	}
	if kind == "redis:" {
		return fmt.Errorf("%w: correct the addresses, or %s", err, where)
	}
	return fmt.Errorf("it does not let this user in (%s): correct %s", kind, where)
}

// replayed are commands that stand in an append-only file, in the transactions that scripts become there.
var replayed = [][]any{{"SET", "{a}:a", "1"}, {"DEL", "{a}:a"}, {"HSET", "{a}:a", "f", "1"}, {"RPUSH", "{a}:a", "1"}, {"SADD", "{a}:a", "1"},
	{"ZADD", "{a}:a", "1", "m"}, {"PEXPIREAT", "{a}:a", "1"}}

// defaultUser asks what the user may do as whom Redis carries out its append-only file. It leaves out of every transaction
// what that user may not, says so in its log only, and starts: all that was acknowledged since the last rewrite is gone.
// A Redis that knows no such question (older than 7.0, or somebody's service) is not held against it.
func defaultUser(ctx context.Context, c *redis.Client) []string {
	for _, command := range replayed {
		said, err := c.ACLDryRun(ctx, "default", command...).Result()
		switch {
		case err != nil && firstWord(err) == "NOPERM":
			return []string{"Redis does not tell what its user default may do (NOPERM): allow this user +acl|dryrun, or start with --accept-data-loss"}
		case err == nil && said != "OK":
			return []string{fmt.Sprintf("the user default of this Redis may not %s: Redis loads its append-only file as that user and leaves out the rest; "+
				"write 'user default off resetpass ~* &* +@all' into its ACL file, or start with --accept-data-loss", command[0])}
		}
	}
	return nil
}

// firstWord is the kind of a Redis error: NOPERM, ERR.
func firstWord(err error) string {
	w, _, _ := strings.Cut(err.Error(), " ")
	return w
}

// rewriteNow writes the append-only file of one server anew and waits until that is done.
func rewriteNow(ctx context.Context, c *redis.Client) error {
	if err := startRewrite(ctx, c); err != nil {
		return err
	}
	for {
		info, err := c.Info(ctx, "persistence").Result()
		if err != nil {
			return err
		}
		if strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0") {
			if !strings.Contains(info, "aof_last_bgrewrite_status:ok") {
				return errors.New("the rewrite of the append-only file did not succeed")
			}
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// startRewrite begins a rewrite. One that runs already began too early and is waited for.
func startRewrite(ctx context.Context, c *redis.Client) error {
	for {
		err := c.BgRewriteAOF(ctx).Err()
		if err == nil || strings.Contains(err.Error(), "unknown command") { // miniredis keeps no file
			return nil
		}
		var re redis.Error
		if !errors.As(err, &re) || !strings.Contains(err.Error(), "in progress") {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}
