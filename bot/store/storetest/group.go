package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot/needed"
)

// Node is one process of a Group: a redis-server with the settings that the hotline asks for, or a sentinel.
type Node struct {
	Addr   string
	Dir    string
	Client *redis.Client // to this node and no other, MaxRetries -1

	t    testing.TB
	args []string
	cmd  *exec.Cmd
}

// Group is a Redis of several processes on loopback, with Sentinel or as a Cluster.
type Group struct {
	URL       string // REDIS_URL
	Nodes     []*Node
	Sentinels []*Node
	t         testing.TB
}

// downAfter is after what silence a primary is replaced. A loaded machine is silent for a second now and then, and one whose
// disk is busy for two.
const downAfter = 4 * time.Second

// Sentinel starts one primary, two replicas and three sentinels and waits until they know each other.
func Sentinel(t testing.TB) *Group {
	t.Helper()
	needed.Program(t, "redis-server")
	g := &Group{t: t}
	for i := range 3 {
		var more []string
		if i > 0 {
			more = []string{"--replicaof", "127.0.0.1 " + port(g.Nodes[0].Addr)}
		}
		g.Nodes = append(g.Nodes, startNode(t, more...))
	}
	var addrs []string
	for range 3 {
		s := startSentinel(t, g.Nodes[0].Addr)
		g.Sentinels = append(g.Sentinels, s)
		addrs = append(addrs, s.Addr)
	}
	g.URL = groupURL("redis+sentinel", addrs, "master_name=hotline")
	Until(t, "the sentinels know each other and both replicas", func() bool {
		for _, s := range g.Sentinels {
			m, err := s.Client.Do(context.Background(), "sentinel", "master", "hotline").Result()
			f, _ := m.([]any)
			has := map[string]string{}
			for i := 0; i+1 < len(f); i += 2 {
				has[fmt.Sprint(f[i])] = fmt.Sprint(f[i+1])
			}
			if m2, ok := m.(map[any]any); ok {
				for k, v := range m2 {
					has[fmt.Sprint(k)] = fmt.Sprint(v)
				}
			}
			if err != nil || has["num-slaves"] != "2" || has["num-other-sentinels"] != "2" {
				return false
			}
		}
		return g.Nodes[0].followers() == 2
	})
	return g
}

// Cluster starts a Cluster of three primaries with replicas and waits until all of them agree on it. The primary of
// the line kh has two replicas: after a failover there is still one.
func Cluster(t testing.TB) *Group {
	t.Helper()
	needed.Program(t, "redis-server")
	ctx := context.Background()
	g := &Group{t: t}
	of := []int{0, 1, 2, 0, 1, 2, 0} // the primary of each node; the last is the line's
	var addrs []string
	for range of {
		n := startNode(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-require-full-coverage", "no",
			"--cluster-node-timeout", strconv.Itoa(int(downAfter.Milliseconds())), "--cluster-migration-barrier", "9",
			"--cluster-replica-validity-factor", "0") // a replica that was away is better than none
		g.Nodes, addrs = append(g.Nodes, n), append(addrs, n.Addr)
	}
	g.URL = groupURL("redis+cluster", addrs)
	for i, n := range g.Nodes {
		// Each its own epoch: nodes that all begin with none settle it among themselves, one by one.
		g.must(n.Client.Do(ctx, "cluster", "set-config-epoch", i+1).Err())
		if i < 3 {
			g.must(n.Client.ClusterAddSlotsRange(ctx, i*16384/3, (i+1)*16384/3-1).Err())
		}
		if i > 0 {
			g.must(n.Client.ClusterMeet(ctx, "127.0.0.1", port(g.Nodes[0].Addr)).Err())
		}
	}
	all := func(f func(*Node) bool) func() bool {
		return func() bool {
			for _, n := range g.Nodes {
				if !f(n) {
					return false
				}
			}
			return true
		}
	}
	Until(t, "every node knows every other", all(func(n *Node) bool {
		s, err := n.Client.ClusterNodes(ctx).Result()
		return err == nil && strings.Count(s, "\n") == len(of) && !strings.Contains(s, "handshake")
	}))
	slot, err := g.Nodes[0].Client.ClusterKeySlot(ctx, "{kh}:").Result()
	g.must(err)
	of[6] = int(slot) * 3 / 16384
	for i, n := range g.Nodes[3:] {
		id, err := g.Nodes[of[i+3]].Client.Do(ctx, "cluster", "myid").Text()
		g.must(err)
		g.must(n.Client.ClusterReplicate(ctx, id).Err())
	}
	Until(t, "the Cluster stands", all(func(n *Node) bool {
		info, err := n.Client.ClusterInfo(ctx).Result()
		nodes, err2 := n.Client.ClusterNodes(ctx).Result()
		return err == nil && err2 == nil && strings.Contains(info, "cluster_state:ok") && strings.Count(nodes, "slave") == len(of)-3
	}))
	Until(t, "the replicas follow", func() bool {
		n := 0
		for _, p := range g.Nodes[:3] {
			n += p.followers()
		}
		return n == len(of)-3
	})
	return g
}

// Primary is the node that has the key's slot, or of a Sentinel the primary; nil while there is none.
func (g *Group) Primary(key string) *Node {
	for _, n := range g.Nodes {
		if n.cmd == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		role, err := n.Client.Do(ctx, "role").Slice()
		if err == nil && len(role) > 0 && role[0] == "master" && len(g.Sentinels) == 0 {
			err = n.Client.Get(ctx, key).Err() // MOVED by all but the one
			if err == redis.Nil || err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") {
				err = nil
			}
		}
		cancel()
		if err == nil && len(role) > 0 && role[0] == "master" {
			return n
		}
	}
	return nil
}

// Replicas are the nodes that follow a primary.
func (g *Group) Replicas(of *Node) (all []*Node) {
	s, err := of.Client.Info(context.Background(), "replication").Result()
	g.must(err)
	for _, n := range g.Nodes {
		if strings.Contains(s, "port="+port(n.Addr)+",") {
			all = append(all, n)
		}
	}
	return all
}

func (g *Group) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func startNode(t testing.TB, more ...string) *Node {
	t.Helper()
	dir := tempDir(t)
	for range 20 {
		p := freePort()
		n := &Node{Addr: "127.0.0.1:" + p, Dir: dir, t: t, args: append([]string{"redis-server", "--port", p, "--bind", "127.0.0.1",
			"--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction",
			"--min-replicas-to-write", "1", "--min-replicas-max-lag", "10", "--repl-diskless-sync-delay", "0",
			"--repl-ping-replica-period", "1", "--logfile", filepath.Join(dir, "log")}, more...)}
		if n.launch() {
			return n
		}
	}
	t.Fatal("redis-server does not start")
	return nil
}

func startSentinel(t testing.TB, primary string) *Node {
	t.Helper()
	for range 20 {
		dir, p := tempDir(t), freePort()
		conf := filepath.Join(dir, "sentinel.conf")
		ms := int(downAfter.Milliseconds())
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nlogfile %s\nsentinel monitor hotline 127.0.0.1 %s 2\n"+
			"sentinel down-after-milliseconds hotline %d\nsentinel failover-timeout hotline 6000\nsentinel parallel-syncs hotline 2\n",
			p, dir, filepath.Join(dir, "log"), port(primary), ms)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		n := &Node{Addr: "127.0.0.1:" + p, Dir: dir, t: t, args: []string{"redis-server", conf, "--sentinel"}}
		if n.launch() {
			return n
		}
	}
	t.Fatal("the sentinel does not start")
	return nil
}

// launch starts the process for the first time; false when its port was taken meanwhile.
func (n *Node) launch() bool {
	redis.SetLogger(silent{})
	n.Client = redis.NewClient(&redis.Options{Addr: n.Addr, MaxRetries: -1, DialTimeout: 2 * time.Second, ReadTimeout: 5 * time.Second})
	n.t.Cleanup(func() { _ = n.Client.Close(); n.Kill() })
	n.Start()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if id, err := n.Client.Do(context.Background(), "config", "get", "dir").Slice(); err == nil && len(id) > 0 {
			return true
		}
		if n.Client.Ping(context.Background()).Err() == nil {
			return true // a sentinel has no such setting
		}
		if syscall.Kill(n.cmd.Process.Pid, 0) != nil {
			return false
		}
	}
	return false
}

// Start starts the node (again) on its data; it does not wait for it.
func (n *Node) Start() {
	n.t.Helper()
	n.cmd = exec.Command(n.args[0], n.args[1:]...) //nolint:gosec,noctx // redis-server, ended by Kill
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	go func(c *exec.Cmd) { _ = c.Wait() }(n.cmd)
}

// Kill ends the node with SIGKILL.
func (n *Node) Kill() {
	if n.cmd != nil {
		_ = n.cmd.Process.Kill()
		n.cmd = nil
	}
}

// Freeze stops the node in its tracks, as a machine does that hangs; Thaw lets it go on.
func (n *Node) Freeze() { _ = n.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (n *Node) Thaw() { _ = n.cmd.Process.Signal(syscall.SIGCONT) }

// followers is how many replicas are in step with this node.
func (n *Node) followers() int {
	s, err := n.Client.Info(context.Background(), "replication").Result()
	if err != nil {
		return -1
	}
	return strings.Count(s, "state=online")
}

func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// reserved are names that other test processes find taken, one for each port of this one.
var reserved struct {
	sync.Mutex
	names []net.Listener
}

// freePort is a port that is free together with the one 10,000 above it, where a Cluster's nodes speak to each other. It
// is this process's to its end: a node that is down for a while finds nobody else's server on it.
func freePort() string {
	reserved.Lock()
	defer reserved.Unlock()
	for {
		p := 12000 + rand.IntN(9000) // below what the system gives out by itself
		name, err := net.Listen("unix", "@pulang-storetest-"+strconv.Itoa(p))
		if err != nil {
			continue
		}
		reserved.names = append(reserved.names, name)
		a, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(p))
		if err != nil {
			continue
		}
		b, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(p+10000))
		_ = a.Close()
		if err == nil {
			_ = b.Close()
			return strconv.Itoa(p)
		}
	}
}

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

func groupURL(scheme string, addrs []string, more ...string) string {
	q := url.Values{"addr": addrs[1:]}
	for _, m := range more {
		k, v, _ := strings.Cut(m, "=")
		q.Set(k, v)
	}
	return scheme + "://" + addrs[0] + "?" + q.Encode()
}

// Until waits for a condition for at most three minutes: a failover on a loaded machine takes its time.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}
