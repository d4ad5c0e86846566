package bot_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pulang/bot"
	"pulang/flows"
	"pulang/flows/casework"
)

var viewNow = time.Date(2026, 1, 20, 14, 5, 0, 0, time.UTC)

func viewed(change func(c *casework.Case)) (map[string]any, string) {
	c := &casework.Case{
		ID: "01", Code: "K7M4-692Q", Line: "kh", Mission: "kh", Origin: "telegram", Lang: "id", Stage: casework.StageReported,
		CreatedAt: viewNow.Add(-time.Hour), DueAt: viewNow.Add(time.Hour), Safety: flows.Safe, Permission: flows.CallWindow,
		Windows: []casework.Window{{From: 14 * 60, To: 15*60 + 30}}, Triage: casework.Triage{
			Class: casework.P3, Score: 35, Reasons: []casework.Reason{{ID: "no_passport", Points: 10}},
		},
		Answers: map[flows.StepID]flows.Answer{
			flows.StepWhoFor:         {Values: []flows.Value{"group"}},
			flows.StepGroupSize:      {Text: "kami 12", Norm: "12"},
			flows.StepContactPref:    {Values: []flows.Value{flows.CallWindow}},
			flows.StepCallbackNumber: {Text: "012 345 678", Norm: "+85512345678"},
			flows.StepUrgentNeeds:    {Values: []flows.Value{"sick"}},
		},
		Locations: []flows.Location{
			{Kind: "place_text", Text: "dekat pasar", At: viewNow.Add(-time.Hour)},
			{Kind: "pin", HasPoint: true, Lat: 13.65, Lon: 102.56, AccuracyM: 65, Place: "Poipet", Country: "KH", At: viewNow},
		},
		Contacts: []casework.Contact{{Channel: "webchat", Address: "x"}},
	}
	change(c)
	file := bot.CaseFile{Case: c, Entries: []bot.Entry{
		{ID: "2", At: viewNow, Kind: "out", Text: "Baik.", Row: "R1"}, {ID: "1", At: viewNow.Add(-time.Hour), Kind: "in"},
	}, Rows: map[string]bot.Row{"R1": {ID: "R1", State: bot.RowDelivered}}}
	b, err := json.Marshal(bot.CaseJSON(file, viewNow, casework.Rules{}))
	if err != nil {
		panic(err)
	}
	v := map[string]any{}
	_ = json.Unmarshal(b, &v)
	return v, string(b)
}

func TestQueueJSONNames(t *testing.T) {
	v, raw := viewed(func(*casework.Case) {})
	want := map[string]any{
		"code": "K7M4-692Q", "mission": "kh", "class": "P3", "score": 35.0, "channel": "webchat", "language": "id",
		"safety_now": "safe", "who_for": "group", "contact_pref": "call_window", "may_call": true, "window_open": true,
		"callback_number": "+85512345678", "group_size": 12.0, "stage": "reported", "created_at": "2026-01-20T13:05:00Z",
		"due_at": "2026-01-20T15:05:00Z", "attempts": 0.0, "shown_because": casework.BecauseDue,
	}
	for k, w := range want {
		if v[k] != w {
			t.Errorf("%s is %v, want %v", k, v[k], w)
		}
	}
	if !strings.Contains(raw, `"safe_time":[["14:00","15:30"]]`) || !strings.Contains(raw, `"reasons":["no_passport"]`) {
		t.Errorf("lists: %s", raw)
	}
	place, _ := v["location"].(map[string]any)
	if place["kind"] != "pin" || place["lat"] != 13.65 || place["accuracy_m"] != 65.0 || place["at"] != "2026-01-20T14:05:00Z" {
		t.Errorf("location: %v", place)
	}
	lines, _ := v["timeline"].([]any)
	if first, _ := lines[0].(map[string]any); len(lines) != 2 || first["id"] != "1" {
		t.Errorf("timeline: %v", lines)
	}
	if last, _ := lines[1].(map[string]any); last["state"] != "delivered" {
		t.Errorf("the sent text's state: %v", last)
	}
}

func TestQueueJSONLeavesOutWhatIsUnknown(t *testing.T) {
	c := &casework.Case{Code: "K7M4-692Q", Mission: "kh", CreatedAt: viewNow, Stage: casework.StageReported, Triage: casework.Triage{Class: casework.P4}}
	b, err := json.Marshal(bot.QueueJSON(bot.QueueItem{Case: c}, viewNow, casework.Rules{}))
	if err != nil {
		t.Fatal(err)
	}
	v := map[string]any{}
	_ = json.Unmarshal(b, &v)
	want := []string{"attempts", "class", "code", "created_at", "may_call", "mission", "reasons", "score", "shown_because", "stage", "window_open"}
	if got := slices.Sorted(maps.Keys(v)); !slices.Equal(got, want) {
		t.Errorf("fields of a case of which nothing is known: %v", got)
	}
}

// Where the gate lets no phone ring there is no number to be rung.
func TestNoNumberWhereNoCall(t *testing.T) {
	for name, change := range map[string]func(c *casework.Case){
		"text only":      func(c *casework.Case) { c.Permission = flows.TextOnly },
		"withdrawn":      func(c *casework.Case) { c.Permission = "" },
		"outside window": func(c *casework.Case) { c.Windows = []casework.Window{{From: 0, To: 60}} },
		"muted":          func(c *casework.Case) { c.Muted = true },
		"closed":         func(c *casework.Case) { c.ClosedAs = "returned" },
	} {
		v, raw := viewed(change)
		if v["may_call"] != false || strings.Contains(raw, "5512345678") || strings.Contains(raw, "345 678") {
			t.Errorf("%s: %s", name, raw)
		}
	}
}

func TestQueueJSONClaim(t *testing.T) {
	c := &casework.Case{Code: "K7M4-692Q", CreatedAt: viewNow}
	v := bot.QueueJSON(bot.QueueItem{Case: c, Claim: &bot.Claim{Officer: "Petugas A", Until: viewNow}}, viewNow, casework.Rules{})
	if v.ClaimedBy != "Petugas A" || !v.ClaimedUntil.Equal(viewNow) || v.ShownBecause != "" {
		t.Errorf("a held case: %+v", v)
	}
}
