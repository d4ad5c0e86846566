package intake

import (
	"fmt"
	"testing"

	"pulang/flows"
)

// BARU begins another report, and no other hour: the five wrong codes that a contact has in one are counted through it.
func TestNewReportForgetsNoWrongCodes(t *testing.T) {
	k := newTalk(t, New(testConfig(plain{})))
	no := false
	k.known = &no
	tried := 0
	for n := range 40 {
		if n%4 == 3 {
			k.send(flows.Input{Kind: flows.KindText, Text: "BARU"})
		}
		turn := k.send(flows.Input{Kind: flows.KindText, Text: fmt.Sprintf("/gabung K7M-689-6A%d", n%10)})
		for _, r := range turn.Replies {
			for _, p := range r.Parts {
				if p.ID == "join.unknown" {
					tried++
				}
			}
		}
	}
	if tried != wrongLimit {
		t.Errorf("%d wrong codes within %d minutes, %d are allowed", tried, k.n, wrongLimit)
	}
}
