package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestUnderstandPrintsOneObjectALine(t *testing.T) {
	in := "min tolong gw di bavet pasport dipegang bos ga bs kluar\n\nhalo kak\nhttps://maps.app.goo.gl/Xy12 <b>&\n"
	var out bytes.Buffer
	if err := runUnderstand(strings.NewReader(in), &out, ""); err != nil {
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
	if err := runUnderstand(strings.NewReader("yg kedua\n"), &out, "safety_now"); err != nil {
		t.Fatal(err)
	}
	if out.String() != "{\"safety_now\":\"watched\"}\n" {
		t.Errorf("got %s", out.String())
	}
	if err := runUnderstand(strings.NewReader(""), &out, "no_such_step"); err == nil {
		t.Error("a step that does not exist must be an error")
	}
}
