package desk

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"halo \u202Edlrow": "halo dlrow", "a\u200bb": "ab", "baris\r\nkedua": "baris\n\nkedua", "e\u0301": "é",
		"👩\u200d👧": "👩\u200d👧", "a\u200db": "ab", "": "", "  tab\tini ": "  tab\tini", "x\x00y\x1b[0m": "xy[0m",
	} {
		if got := clean(in).Text; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if !clean("a\u202Eb").Hidden || clean("biasa").Hidden {
		t.Error("the badge is wrong")
	}
	long := clean(strings.Repeat("x", maxShown+1))
	if len(long.Text) != maxShown || !long.Cut {
		t.Error("not cut")
	}
	zalgo := clean("a" + strings.Repeat("\u0301\u0322", 60))
	marks := 0
	for _, r := range zalgo.Text {
		if unicode.Is(unicode.Mn, r) {
			marks++
		}
	}
	if marks > maxMarks {
		t.Errorf("%d marks", marks)
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"telp 0812 3456 7890 ya":            "telp •••• •••• ••90 ya",
		"lahir 17-08-2001":                  "lahir 17-08-2001",
		"jam 13.00-14.00":                   "jam 13.00-14.00",
		"10 malam, 21.00-22.00 (WIB)":       "10 malam, 21.00-22.00 (WIB)",
		"lahir: (17-08-2001)":               "lahir: (17-08-2001)",
		"jam 21.00-22.00, 0812 3456 7890":   "jam ••.••-••.••, •••• •••• ••90",
		"gaji 3.500.000":                    "gaji •.•••.•00",
		"5 orang, 1 anak":                   "5 orang, 1 anak",
		"paspor C1234567":                   "paspor ••••••67",
		"di 11.556374, 104.928":             "di •.•, 104.928",
		"10°37'33.0\"N":                     "•.•",
		"lihat https://maps.app.goo.gl/abc": "lihat https://•••",
		"kode K7M4-692Q":                    "kode K7M4-692Q",
		"USD 3.650":                         "USD 3.650",
		"+62 812‑3456‑7890":                 "+•• •••‑••••‑••90", // as WhatsApp writes it
		"0812−3456~7890|1":                  "••••−••••~•••0|1",
		"0️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣": "•️⃣•️⃣•️⃣•️⃣•️⃣•️⃣5️⃣6️⃣",
		"1️⃣ 4️⃣": "1️⃣ 4️⃣",
	} {
		if got := mask(in, shown{}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	full := "0812 3456 7890, C1234567, 11.556374"
	if got := mask(full, shown{Phone: true, Pin: true, IDs: true}); got != full {
		t.Errorf("%q", got)
	}
	if got := mask("NIK 3201014107900001 HP 081234567890", shown{IDs: true}); got != "NIK 3201014107900001 HP ••••••••••90" {
		t.Errorf("%q", got)
	}
}

// tinyPNG is a picture with something in it that must not go along.
func tinyPNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	raw := b.Bytes()
	return append(append(append([]byte{}, raw[:33]...), pngChunk("tEXt", []byte("GPS\x00GPS-SECRET"))...), raw[33:]...)
}

// bombPNG claims to be 50,000 by 50,000 points.
func bombPNG() []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	h := binary.BigEndian.AppendUint32(nil, 50_000)
	h = binary.BigEndian.AppendUint32(h, 50_000)
	return append(append(b, pngChunk("IHDR", append(h, 8, 0, 0, 0, 0))...), pngChunk("IDAT", []byte{0})...)
}

func pngChunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	body := append([]byte(kind), data...)
	return binary.BigEndian.AppendUint32(append(b, body...), crc32.ChecksumIEEE(body))
}

// bombJPEG is a progressive JPEG whose every scan is a few bytes that go over all of its blocks: what a picture costs to
// decode has little to do with how long it is.
func bombJPEG(side, components, scans int) []byte {
	segment := func(b []byte, marker byte, data ...byte) []byte {
		return append(binary.BigEndian.AppendUint16(append(b, 0xFF, marker), uint16(len(data)+2)), data...)
	}
	b := segment([]byte("\xFF\xD8"), 0xDB, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	frame := binary.BigEndian.AppendUint16([]byte{8}, uint16(side))
	frame = append(binary.BigEndian.AppendUint16(frame, uint16(side)), byte(components))
	for c := range components {
		frame = append(frame, byte(c+1), 0x11, 0)
	}
	b = segment(b, 0xC2, frame...)
	b = segment(b, 0xC4, append([]byte{0x10, 1, 16: 0}, 0xE0)...) // one code, of one bit: the next 16,384 blocks and more are empty
	n := side/8 + 1
	for s := range scans {
		b = segment(b, 0xDA, 1, byte(s%components+1), 0, 1, 63, 0)
		for range n*n/16_384 + 1 {
			b = append(b, 0, 0) // 15 bits each; what is left over is not looked at
		}
	}
	return append(b, 0xFF, 0xD9)
}

// A telephone's moving picture is a JPEG with a film behind it; what looks like a scan in the film is none, nor what stands in a
// thumbnail.
func TestPictureWithAFilmBehindIt(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	film := make([]byte, 12<<20)
	chance := rand.NewChaCha8([32]byte{1})
	_, _ = chance.Read(film)
	if _, err := cleanPicture(append(b.Bytes(), film...)); err != nil {
		t.Error(err)
	}
}
