package places

import "testing"

func TestQuick(t *testing.T) {
	g := Default()
	for _, s := range []string{"bavek", "poypat", "pnompeng", "nompeng", "sianokvil", "siemrieb", "poipeit", "mesod", "maesod", "koh khong", "jinbian", "sigang", "kampung apa ya ini", "金边", "o'smach", "dari kendal", "palu", "poi pet", "bengkok", "kamboja", "thailand"} {
		t.Logf("%s: %+v", s, g.Find(s))
	}
	for _, s := range []string{"10°36'32.4\"N 103°31'48.0\"E", "10°37’33.0”N, 103°30’08.7”E", "11,0829 106,1561", "11.0829,106.1561", "ditagih 11.500 usd sm agen, nambah 104.9", "https://maps.google.com/?q=13.6559,102.5641", "https://www.google.com/maps/place/x/@11.0829,106.1561,17z", "7P25R3FP+XH", "geo:11.0829,106.1561?z=3", "lat 11.08 long 106.15", "16.6489, 98.5187"} {
		t.Logf("%s: %+v", s, Coordinates(s))
	}
}
