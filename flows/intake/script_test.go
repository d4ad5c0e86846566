package intake

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pulang/flows"
	"pulang/flows/lexicon"
)

var update = flag.Bool("update", false, "rewrite the conversations in testdata from what the bot says now")

// TestConversations plays the conversations of testdata. In a file, "> words" and "[…]" are what happens, and below
// each the bot's answer: "< text", "+ effect", "~ why it says nothing". Lines with # are for the reader.
//
//	> words                      the citizen writes
//	[tap step:value]             presses a button of this conversation
//	[tap scope/step:value]       presses a button of another one
//	[pin lat lon], [live lat lon], [move lat lon], [voice], [photo words], [sticker], [document], [card +62…], [own +62…]
//	[edit n words]               corrects the n-th message
//	[wait 13h]                   time passes
//	[timer name]                 a timer is due
//	[blocked], [unblocked]
//	[case safety=safe stage=arrived closed=true join=ABCD]   what officers do to the case meanwhile
//	[case reporter=false]                                    an officer recorded that the reporter may be told
//	[rescue], [rescue held], [rescue 2h]  an officer starts the rescue packet: a message may leave now, only behind the
//	                                      person's next one, in two hours
//	[group known], [group unknown]        what the store answers to a group's code
//	[can delete], [can nothing]           what the messenger is able to do
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 25 {
		t.Errorf("only %d conversations", len(files))
	}
	flow := New(testConfig(lexicon.Default()))
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, flow, string(raw))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(raw) {
				t.Errorf("%s: the bot speaks otherwise (-update writes it down):\n%s", file, firstDifference(string(raw), got))
			}
		})
	}
}

// play runs a script and returns it with the bot's side written anew.
func play(t *testing.T, flow *Flow, script string) string {
	k := newTalk(t, flow)
	var out strings.Builder
	for _, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		if strings.HasPrefix(line, "<") || strings.HasPrefix(line, "+ ") || strings.HasPrefix(line, "~ ") {
			continue
		}
		if line == "" && strings.HasSuffix(out.String(), "\n\n") {
			continue
		}
		out.WriteString(line + "\n")
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		turn, spoke := k.line(line)
		if !spoke {
			continue
		}
		for _, r := range turn.Replies {
			for _, l := range strings.Split(render(r), "\n") {
				out.WriteString(strings.TrimRight("< "+l, " ") + "\n")
			}
		}
		if turn.Quiet != "" {
			out.WriteString("~ " + turn.Quiet + "\n")
		}
		for _, e := range turn.Effects {
			out.WriteString("+ " + k.describe(e) + "\n")
		}
	}
	return out.String()
}

// line does what one line of a script says. The bool is false for lines that only change the surroundings.
func (k *talk) line(line string) (flows.Turn, bool) {
	k.t.Helper()
	if words, ok := strings.CutPrefix(line, "> "); ok {
		return k.say(words), true
	}
	body, ok := strings.CutPrefix(strings.TrimSuffix(line, "]"), "[")
	if !ok {
		k.t.Fatalf("what is %q?", line)
	}
	verb, rest, _ := strings.Cut(body, " ")
	switch verb {
	case "tap":
		scope := k.state.Scope
		if s, r, ok := strings.Cut(rest, "/"); ok {
			scope, rest = s, r
		}
		step, value, _ := strings.Cut(rest, ":")
		return k.send(flows.Input{Kind: flows.KindTap, Tap: &flows.Tap{Scope: scope, Step: flows.StepID(step), Value: flows.Value(value)}}), true
	case "pin", "live", "move":
		var l flows.Location
		if _, err := fmt.Sscan(rest, &l.Lat, &l.Lon); err != nil {
			k.t.Fatal(err)
		}
		l.HasPoint, l.Kind = true, map[string]string{"pin": "pin", "live": "live", "move": "live"}[verb]
		in := flows.Input{Kind: flows.KindLocation, Location: &l, Edit: verb == "move"}
		if in.Edit {
			in.ID = "live"
		}
		return k.send(in), true
	case "voice", "photo", "sticker", "document", "video", "other":
		return k.send(flows.Input{Kind: flows.KindMedia, Text: rest, Media: &flows.Media{Kind: verb, Ref: "ref"}}), true
	case "card", "own":
		return k.send(flows.Input{Kind: flows.KindContact, Contact: &flows.Card{Phone: rest, Name: "Budi", Own: verb == "own"}}), true
	case "edit":
		n, words, _ := strings.Cut(rest, " ")
		return k.send(flows.Input{Kind: flows.KindText, ID: "m" + n, Text: words, Edit: true}), true
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			k.t.Fatal(err)
		}
		k.now = k.now.Add(d)
	case "timer":
		return k.send(flows.Input{Kind: flows.KindTimer, Timer: rest}), true
	case "blocked":
		return k.send(flows.Input{Kind: flows.KindBlocked}), true
	case "unblocked":
		return k.send(flows.Input{Kind: flows.KindUnblock}), true
	case "group":
		known := rest == "known"
		k.known = &known
	case "rescue":
		v := *k.view
		v.Rescue, v.RescueAt = slices.Clone(flows.RescueSteps), k.now
		k.view = &v
		k.env.MaySend, k.env.SendAt = rest == "", time.Time{}
		if d, err := time.ParseDuration(rest); err == nil {
			k.env.SendAt = k.now.Add(d)
		}
		return k.send(flows.Input{Kind: flows.KindTimer, Timer: "rescue"}), true
	case "can":
		k.env.Can.Delete = rest == "delete"
		if rest == "nothing" {
			k.env.Can = flows.Can{}
		}
	case "app":
		return k.send(flows.Input{Kind: flows.KindText, Text: "/start", Lang: rest}), true
	case "case":
		if k.view == nil {
			k.t.Fatal("there is no case yet")
		}
		v := *k.view
		for _, f := range strings.Fields(rest) {
			name, value, _ := strings.Cut(f, "=")
			switch name {
			case "safety":
				v.Safety = flows.Value(value)
			case "stage":
				v.Stage = value
			case "closed":
				v.Closed, _ = strconv.ParseBool(value)
			case "join":
				v.JoinCode = value
			case "reporter":
				v.Reporter, _ = strconv.ParseBool(value)
			default:
				k.t.Fatalf("what is %q?", f)
			}
		}
		k.view = &v
	default:
		k.t.Fatalf("what is %q?", line)
	}
	return flows.Turn{}, false
}

// describe writes an effect as a diplomat would.
func (k *talk) describe(e flows.Effect) string {
	switch e := e.(type) {
	case flows.OpenCase:
		return fmt.Sprintf("case %s opened, %d earlier messages", e.Code, len(e.Heard))
	case flows.Record:
		a := e.Answer
		var b strings.Builder
		fmt.Fprintf(&b, "record %s", e.Step)
		for _, v := range a.Values {
			fmt.Fprintf(&b, " %s", v)
		}
		if a.Norm != "" {
			fmt.Fprintf(&b, " = %s", strings.ReplaceAll(a.Norm, "\n", " / "))
		}
		if l := a.Location; l != nil {
			if l.HasPoint {
				fmt.Fprintf(&b, " at %.3f,%.3f", l.Lat, l.Lon)
			}
			if l.Place != "" {
				fmt.Fprintf(&b, " (%s, %s, %s)", l.Place, l.Province, l.Country)
			} else if l.Country != "" {
				fmt.Fprintf(&b, " (%s)", l.Country)
			}
		}
		if len(a.Values) == 0 && a.Norm == "" && a.Text != "" {
			fmt.Fprintf(&b, " %q", a.Text)
		}
		if a.Skipped {
			b.WriteString(" skipped")
		}
		if a.Review {
			b.WriteString(" (an officer should read it)")
		}
		return b.String()
	case flows.Signal:
		return "signal " + e.Name
	case flows.Mute:
		if e.On {
			return "nothing unprompted any more"
		}
		return "messages may leave again"
	case flows.Wake:
		if e.At.IsZero() {
			return "timer " + e.Timer + " off"
		}
		return fmt.Sprintf("timer %s in %s", e.Timer, e.At.Sub(k.now))
	case flows.DeleteChat:
		return "delete the chat"
	case flows.JoinGroup:
		return "join group " + e.Code
	case flows.CheckOfficer:
		return "check officer " + e.Code
	}
	return fmt.Sprintf("%T", e)
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwas: %s\nnow: %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines, now %d", len(w), len(g))
}
