package store

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestScriptsNameKnownKeys: every key that a script builds from the line's prefix begins as one of keys.go does.
func TestScriptsNameKnownKeys(t *testing.T) {
	known := map[string]bool{}
	for _, k := range []string{
		keyConv("kh", ""), keySeen("kh", ""), keyRequests("kh"), keyResult("kh", ""), keyCase("kh", ""), keyTimeline("kh", ""),
		keyRowStates("kh", ""), keyViewers("kh", ""), keyCodes("kh"), keyBlind("kh"), lineKey("kh") + "queue:",
		keySeq("kh", ""), keyEvents("kh", ""), keyTimers("kh"), keyTimersTaken("kh"), keyTimersLast("kh"), keyRows("kh"),
		keyWaiting("kh", ""), keyHeldBy("kh", ""), keyHeld("kh"), keyDead("kh"), lineKey("kh") + "out:",
		keyLease("kh", ""), keyAsides("kh"), keyAside("kh"), keyAudit("kh"), keyAuditChain("kh"), keyAuditBegins("kh"), keyAuditLease("kh"), keyOfficers("kh"),
		keyNumberAsk("kh", ""), keyNumberShow("kh", ""), keyChannels("kh"), keyForget("kh"), keyErasures("kh"), keyAged("kh"),
		keyBroadcasts("kh"), keyBroadcasting("kh"),
		keyNumbers("kh"), keyMissing("kh", ""),
	} {
		known[strings.TrimPrefix(k, "{kh}:")] = true
	}
	built := regexp.MustCompile(`\bP \.\. '([^']*)'`)
	for _, sc := range scripts {
		for _, m := range built.FindAllStringSubmatch(sc.source, -1) {
			if !known[m[1]] {
				t.Errorf("%s.lua builds a key %q that keys.go does not have", sc.name, m[1])
			}
		}
	}
	// What follows "queue:" and "out:" in scripts is written out in keys.go.
	for _, k := range []struct{ got, want string }{
		{keyQueue("kh", "m", "P1"), "{kh}:queue:m:P1"}, {keyQueueAway("kh", "m", "P1"), "{kh}:queue:m:away:P1"},
		{keyQueueLater("kh", "m"), "{kh}:queue:m:later"},
		{keyQueueClaimed("kh", "m"), "{kh}:queue:m:claimed"}, {keyQueueSettled("kh", "m"), "{kh}:queue:m:settled"},
		{keyQueueClosing("kh", "m", "P1"), "{kh}:queue:m:closing:P1"}, {keyQueuePromised("kh", "m", "P1"), "{kh}:queue:m:promised:P1"},
		{keyQueueFemale("kh", "m", "P1"), "{kh}:queue:m:female:P1"}, {keyLane("kh", "a", "0"), "{kh}:out:a:0"},
		{keyLeased("kh", "a"), "{kh}:out:a:leased"}, {keyParked("kh", "a"), "{kh}:out:a:parked"},
		{keyQueueOffered("kh", "m"), "{kh}:queue:m:offered"},
		{keyFreeze("kh", "a"), "{kh}:out:a:freeze"}, {keyTakeLast("kh", "a"), "{kh}:out:a:last"},
		{keyBeat("kh", "a"), "{kh}:beat:a"}, {keyMark(), "{staff}:mark"},
	} {
		if k.got != k.want {
			t.Errorf("%s, the scripts say %s", k.got, k.want)
		}
	}
}

// TestScriptsSayWhatTheyTake: KEYS, ARGV and the result stand at the head of every script that is run, and no script
// uses what miniredis or Redis 7.0 lacks.
func TestScriptsSayWhatTheyTake(t *testing.T) {
	entries, err := luaFiles.ReadDir("lua")
	if err != nil {
		t.Fatal(err)
	}
	run := map[string]bool{}
	for _, sc := range scripts {
		run[sc.name+".lua"] = true
		for _, word := range []string{"-- KEYS ", "-- Gives "} {
			if !strings.Contains(sc.source, word) {
				t.Errorf("%s.lua does not say %s", sc.name, word)
			}
		}
		if strings.Contains(sc.source, "ARGV[") && !strings.Contains(sc.source, "-- ARGV ") {
			t.Errorf("%s.lua does not say its ARGV", sc.name)
		}
		for _, lib := range []string{"cmsgpack", "struct.", "bit.", "redis.setresp", "math.random", "KEYS *"} {
			if strings.Contains(sc.source, lib) {
				t.Errorf("%s.lua uses %s", sc.name, lib)
			}
		}
	}
	fragments := []string{"audit.lua", "blind.lua", "drop.lua", "fields.lua", "number.lua", "place.lua", "seen_as.lua", "set_timers.lua", "waiting.lua"}
	for _, e := range entries {
		if name := e.Name(); !run[name] && !slices.Contains(fragments, name) {
			t.Errorf("%s is no script and no fragment", name)
		}
	}
}
