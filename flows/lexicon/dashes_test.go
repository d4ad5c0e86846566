package lexicon

import "testing"

// A number that is copied out of WhatsApp has hyphens and spaces that do not break; a keyboard may set other dashes.
func TestNumberWithOtherDashes(t *testing.T) {
	for _, text := range []string{
		"+62 812\u20113456\u20117890", "nomor saya +62\u00a0812\u20113456\u20117890 ya", "wa: +62 812\u20103456\u20107890", "+62\u202f812\u22123456\u22127890",
		"\u2068+62 812\u20113456\u20117890\u2069", "telepon saya di +62 812\u20133456\u20137890",
	} {
		if got := Default().Read(text, Context{}).Phone; got != "+6281234567890" {
			t.Errorf("%+q: %q", text, got)
		}
	}
	if got := Default().Read("bisa ditelepon jam 9\u201111 malam", Context{}).SafeTime; len(got) != 1 {
		t.Errorf("hours %v", got)
	}
}
