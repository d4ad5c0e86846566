package desk

import (
	"strings"
	"testing"
	"time"

	"pulang/flows"
)

// The banner of a captive's case does not say in green that somebody is safe: the answer was the reporter's own. Nor does
// that of anybody whose life is at stake.
func TestBannerOfACaptive(t *testing.T) {
	w := newWorld(t)
	for n, p := range []person{
		{who: "other_person", needs: []flows.Value{"held_or_threatened"}, says: []string{"suami saya disekap"}},
		{who: "self", needs: []flows.Value{"injured"}, says: []string{"kaki saya patah"}},
		{who: "self", says: []string{"halo"}},
	} {
		p.n, p.ago, p.safety, p.pref, p.number = n+1, time.Minute, "safe", "call_anytime", "+85512345678"
		w.f.make(p)
	}
	b := w.as("officer")
	b.get("/case/"+caseCode(1)).want(200, "Pelapor menyatakan dirinya aman", `class="safety amber"`).lacks(">Menyatakan diri aman<")
	b.get("/case/"+caseCode(2)).want(200, ">Menyatakan diri aman<", `class="safety amber"`)
	b.get("/case/"+caseCode(3)).want(200, ">Menyatakan diri aman<", `class="safety green"`)
	if strings.Contains(b.body, "Pelapor menyatakan") {
		t.Error("nobody reports for another")
	}
}
