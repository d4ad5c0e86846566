package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"pulang/bot/needed"
)

var updateImages = flag.Bool("update-images", false, "make the README's pictures anew, from a demo with its whole arrival wave")

const (
	images    = "../../.github/images"
	mostImage = 400 << 10 // bytes
)

// The README's pictures: they are there and small, and with -update-images they are taken anew.
func TestImages(t *testing.T) {
	if *updateImages {
		takeImages(t)
	}
	for _, name := range []string{"chat", "queue", "case"} {
		st, err := os.Stat(filepath.Join(images, name+".png"))
		if err != nil {
			t.Error(err)
		} else if st.Size() > mostImage {
			t.Errorf("%s has %d bytes", st.Name(), st.Size())
		}
	}
}

func takeImages(t *testing.T) {
	needed.Program(t, "redis-server")
	if err := os.MkdirAll(images, 0o755); err != nil {
		t.Fatal(err)
	}
	web := startBrowser(t)
	p := startHotline(t, demoData(t), []string{"demo"})
	deadline(t, 10*time.Minute, "the wave is over", func() bool { return strings.Contains(p.text(&p.err), "arrived in") })

	citizen := web.tab("citizen", p.Chat, true)
	citizen.Do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	citizen.Do(chromedp.Click(chromedp.CSS("#intro button"), chromedp.NodeVisible))
	citizen.asks("Apakah Anda aman")
	citizen.taps("Aman")
	citizen.taps("Saya sendiri")
	citizen.asks("di mana?")
	citizen.says("saya di Poipet, dekat pasar")
	citizen.asks("Tempatnya seperti apa?")
	citizen.taps("Penginapan")
	citizen.asks("Apakah ada yang darurat?")
	citizen.says("tidak ada")
	citizen.asks("Paspor Anda")
	citizen.Do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 5, 300))
	value[bool](citizen, `(document.activeElement.blur(), true)`)
	citizen.shoot("chat")

	officer := web.tab("officer", p.Desk, true)
	officer.Do(chromedp.EmulateViewport(1440, 900))
	officer.signIn()
	officer.Until(`document.querySelectorAll('#list [data-code]').length > 10`)
	officer.Until(`document.querySelector('[data-live-mark]').textContent === document.querySelector('[data-live-mark]').dataset.up`)
	officer.shoot("queue")

	// A case with a number that may ring, and with words of its own.
	officer.Press(`#list .item:has(.call-ok):has(.said) a.code`)
	if value[bool](officer, `!!document.querySelector(".casehead form[action$='/claim']")`) {
		officer.Press(".casehead form[action$='/claim'] button")
	}
	officer.Until(`document.querySelector('#reply textarea') && !document.querySelector('.bar')?.remove()`)
	officer.shoot("case")
}

// shoot writes what is on the screen to the README's pictures.
func (p *tab) shoot(name string) {
	p.t.Helper()
	p.Shoot(filepath.Join(images, name+".png"), false)
}
