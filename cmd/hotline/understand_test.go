package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pulang/flows/lexicon"
)

func TestUnderstandPrintsOneObjectALine(t *testing.T) {
	in := "min tolong gw di bavet pasport dipegang bos ga bs kluar\n\nhalo kak\nhttps://maps.app.goo.gl/Xy12 <b>&\n"
	var out bytes.Buffer
	if err := runUnderstand(strings.NewReader(in), &out, lexicon.Default(), ""); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 4 || lines[1] != "{}" || lines[2] != "{}" || lines[3] != "{}" {
		t.Fatalf("got %q", lines)
	}
	var got struct {
		Passport string `json:"passport_status"`
		Location struct{ Place, Country string }
		Needs    []string `json:"urgent_needs"`
	}
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	if got.Passport != "held_by_employer" || got.Location.Place != "Bavet" || got.Location.Country != "KH" || len(got.Needs) != 1 || got.Needs[0] != "held_or_threatened" {
		t.Errorf("got %s", lines[0])
	}
}

func TestUnderstandReadsTheAnswerToAStep(t *testing.T) {
	var out bytes.Buffer
	if err := runUnderstand(strings.NewReader("yg kedua\n"), &out, lexicon.Default(), "safety_now"); err != nil {
		t.Fatal(err)
	}
	if out.String() != "{\"safety_now\":\"watched\"}\n" {
		t.Errorf("got %s", out.String())
	}
	if err := runUnderstand(strings.NewReader(""), &out, lexicon.Default(), "no_such_step"); err == nil {
		t.Error("a step that does not exist must be an error")
	}
}

// A list of the mission's own is used by understand, and check says that it can be read, or why not.
func TestWordsOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "words.txt")
	if err := os.WriteFile(list, []byte("paspor: krompyang\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := environment(t, filepath.Join(t.TempDir(), "data"), "HOTLINE_MISSION="+exampleFile(t))
	for args, want := range map[string]string{"understand": "{}\n", "understand --words " + dir: "{\"passport_status\":\"never_had\"}\n"} {
		if out, errs, code := runHotline(t, env, "tidak pernah punya krompyang\n", strings.Fields(args)...); out != want || code != 0 {
			t.Errorf("%s: %d %q %q", args, code, out, errs)
		}
	}
	if out, _, _ := runHotline(t, env, "", "check"); !strings.Contains(out, "PASS  words        the built-in lists") {
		t.Error(out)
	}
	if out, _, _ := runHotline(t, append(env, "HOTLINE_WORDS="+dir), "", "check"); !strings.Contains(out, "PASS  words        "+dir+": lists 1, lines 1") {
		t.Error(out)
	}
	if err := os.WriteFile(list, []byte("paspor krompyang\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, code := runHotline(t, append(env, "HOTLINE_WORDS="+dir), "", "check"); !strings.Contains(out, "FAIL  words        word list "+list+", line 1") || code != 1 {
		t.Errorf("%d %s", code, out)
	}
}
