package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"pulang/bot/needed"
)

// The whole program before a real browser, as a newcomer has it: `hotline demo`, a citizen in one browser, an officer
// in another.

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always has a JSON form, and that is a JavaScript literal
	return string(b)
}

// says types a message into the chat and sends it.
func (p *tab) says(text string) {
	p.t.Helper()
	p.Write("#text", text)
	p.Do(chromedp.Click(chromedp.CSS("#say button.main"), chromedp.NodeVisible))
	p.Until(`[...document.querySelectorAll('#log .mine:not(.wait) .t')].some(n => n.textContent === ` + quoted(text) + `)`)
}

// taps presses the button with this label below the newest question, once there is one.
func (p *tab) taps(label string) {
	p.t.Helper()
	p.Until(`[...document.querySelectorAll('#log form:last-of-type button')].some(b => !b.disabled && b.textContent.replace(/^[0-9]+\. /, '') === ` + quoted(label) + ` && (b.id = 'tap', true))`)
	p.Do(chromedp.Click(chromedp.ID("tap"), chromedp.NodeVisible))
	p.Until(`!document.getElementById('tap')`)
}

// asks waits until the newest message of the hotline holds these words.
func (p *tab) asks(words string) {
	p.t.Helper()
	p.Until(`[...document.querySelectorAll('#log .m:not(.mine) .t')].at(-1)?.textContent.includes(` + quoted(words) + `)`)
}

// signIn uses the demo's one-time link.
func (p *tab) signIn() {
	p.t.Helper()
	p.Until(`location.pathname !== '/welcome' || document.querySelector('#token').value !== ''`)
	if value[string](p, "location.hash") != "" {
		p.t.Error("the link's secret is still in the address bar")
	}
	p.Press("form[action='/welcome'] button")
	p.Until(`location.pathname === '/queue'`)
}

// redisServers are the redis-server processes that work in a data directory.
func redisServers(t *testing.T, data string) []int {
	t.Helper()
	var pids []int
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range procs {
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil || !strings.HasPrefix(string(name), "redis-server") {
			continue
		}
		if cwd, err := os.Readlink(filepath.Join(dir, "cwd")); err == nil && cwd == data {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			pids = append(pids, pid)
		}
	}
	return pids
}

// demoData is a data directory whose redis-server does not outlive the test, whatever happens to the program.
func demoData(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "demo")
	t.Cleanup(func() {
		for _, pid := range redisServers(t, data) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return data
}

const callback = "+85511998877"

// A person chats, the case appears on the officer's open page, the officer calls, replies and closes; the person sees
// it without a reload. All of that is there after a kill, and a second program or redis-server never is.
func TestLineInTheBrowser(t *testing.T) {
	needed.Program(t, "redis-server")
	web := startBrowser(t)
	data := demoData(t)
	// Addresses that nobody else is given while the program is away.
	p := startHotline(t, data, []string{"demo", "--people", "0"}, "HOTLINE_LISTEN="+freeAddress(t), "HOTLINE_DESK_LISTEN="+freeAddress(t))

	officer := web.tab("officer", p.Desk, true)
	officer.signIn()
	officer.Until(`document.querySelector('#list .empty')`)
	officer.Until(`document.querySelector('[data-live-mark]').textContent === document.querySelector('[data-live-mark]').dataset.up`)
	officer.Stays()

	citizen := web.tab("citizen", p.Chat, true)
	citizen.Do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	citizen.Do(chromedp.Click(chromedp.CSS("#intro button"), chromedp.NodeVisible))
	citizen.asks("Apakah Anda aman")
	citizen.Stays()
	citizen.says("tolong saya, paspor saya diambil bos")
	officer.Until(`document.querySelector('#list [data-code]')`)
	if !officer.Stayed() {
		t.Error("the queue was loaded anew")
	}
	code := value[string](officer, `document.querySelector('#list [data-code]').dataset.code`)
	chat(citizen)
	if said := value[string](citizen, `document.querySelector('#log').innerText`); !strings.Contains(said, code) {
		t.Errorf("the citizen was not told the code %s of the queue", code)
	}
	officer.Until(`document.querySelectorAll('#list [data-code]').length === 1`)

	officer.Press("form[action='/next'] button")
	officer.Until(`document.querySelector('h1 .code').textContent === ` + quoted(code))
	officer.sees("paspor saya diambil bos")
	if value[bool](officer, `document.documentElement.outerHTML.replace(/[^0-9]/g, '').includes('11998877')`) {
		t.Error("the number is in the page before the attempt was recorded")
	}
	officer.Press("#call form[action$='/call'] button[value=phone]")
	officer.Until(`document.querySelector('a[href="tel:` + callback + `"]')`)
	officer.Press("header nav a[href='/queue']")
	officer.Until(`document.querySelector('.bar.warn a[href*="` + code + `"]')`) // the page demands the outcome
	officer.Press(".bar.warn a")
	officer.Do(chromedp.Click(chromedp.CSS("#outcome input[name=outcome][value=no_answer]"), chromedp.NodeVisible))
	officer.Write("#onote", "tidak diangkat, dicoba lagi nanti")
	officer.Press("#outcome button.go")
	officer.Until(`!document.querySelector('#outcome')`)

	answer(officer, "Kami sudah mencoba menelepon Anda.")
	citizen.asks("Kami sudah mencoba menelepon Anda.")
	citizen.says("maaf, tadi HP mati")
	officer.Until(`document.querySelector('#timeline').textContent.includes('tadi HP mati')`)
	if !citizen.Stayed() {
		t.Error("the chat was loaded anew")
	}
	// The delivery state moves on by itself, as far as the browser's receipt.
	officer.Until(`document.querySelector('#timeline .state-delivered')`)

	citizen.Watched()
	killAndComeBack(t, web, p, citizen, officer, code)
}

// chat answers every question up to the confirmation, by taps and by typing.
func chat(citizen *tab) {
	citizen.t.Helper()
	citizen.taps("Aman")
	citizen.taps("Saya sendiri")
	citizen.asks("di mana?")
	citizen.says("Poipet")
	citizen.asks("Tempatnya seperti apa?")
	// Ten choices fill a phone's screen; the question above them is still to be seen.
	citizen.Until(`(r => r.top >= document.querySelector('header').offsetHeight && r.bottom < innerHeight)([...document.querySelectorAll('#log .t')].at(-1).getBoundingClientRect())`)
	citizen.taps("Penginapan")
	citizen.taps("Tidak ada tempat tidur")
	citizen.taps("Selesai")
	citizen.asks("foto paspor")
	citizen.says("3")
	citizen.taps("Sudah lewat (overstay)")
	citizen.taps("Boleh telepon kapan saja")
	citizen.asks("Nomor mana")
	citizen.says("+855 11 998 877")
	citizen.asks("sudah diterima")
	citizen.taps("Nanti")
	citizen.asks("Ketik LANJUT")
}

// answer replies in the chat from the case page.
func answer(officer *tab, text string) {
	officer.t.Helper()
	officer.Write("#replytext", text)
	officer.Press("#reply form[action$='/reply'] button.go")
	officer.Until(`document.querySelector('#timeline').textContent.includes(` + quoted(text) + `)`)
}

// killAndComeBack is the second half: kill -9, the same addresses again.
func killAndComeBack(t *testing.T, web *browser, p *program, citizen, officer *tab, code string) {
	data, before := p.data, redisServers(t, p.data)
	if len(before) != 1 {
		t.Fatalf("%d redis-servers work in the data directory", len(before))
	}
	second := func() {
		t.Helper()
		_, errs, exit := runHotline(t, p.env, "", "demo")
		if exit != 1 || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "hotline: ") {
			t.Errorf("a second demo on the same data: exit %d, %q; want 1 and one line", exit, errs)
		}
		if now := redisServers(t, data); !slices.Equal(now, before) {
			t.Errorf("redis-servers %v, before the second demo %v", now, before)
		}
	}
	second()
	officer.Watched()
	p.stop(syscall.SIGKILL)
	if now := redisServers(t, data); !slices.Equal(now, before) {
		t.Fatalf("redis-servers %v after the kill, before it %v", now, before)
	}
	at := func(p *tab) string { return strings.TrimPrefix(p.Home, "http://") }
	p = startHotline(t, data, []string{"demo", "--people", "0"}, "HOTLINE_LISTEN="+at(citizen), "HOTLINE_DESK_LISTEN="+at(officer))
	if now := redisServers(t, data); !slices.Equal(now, before) {
		t.Errorf("redis-servers %v after the next start, before it %v", now, before)
	}
	second()

	again := web.tab("officer after the kill", p.Desk, true)
	again.signIn()
	again.Page("/case/" + code)
	for _, words := range []string{"paspor saya diambil bos", "tadi HP mati", "Kami sudah mencoba menelepon Anda.", "tidak diangkat, dicoba lagi nanti"} {
		again.sees(words)
	}
	if value[bool](again, `!!document.querySelector(".casehead form[action$='/claim']")`) {
		again.Press(".casehead form[action$='/claim'] button")
	}
	// The citizen's page was open all the time and has found its way back.
	answer(again, "Selamat jalan, tiket Anda sudah ada.")
	citizen.asks("Selamat jalan, tiket Anda sudah ada.")
	if !citizen.Stayed() {
		t.Error("the chat was loaded anew")
	}
	again.Do(chromedp.Click(chromedp.CSS("details[data-key=close] summary"), chromedp.NodeVisible))
	again.Do(chromedp.SetValue(chromedp.ID("as"), "referred"))
	again.Write("#csum", "dirujuk, tiket dibeli keluarga")
	again.Press("#close button")
	again.Until(`document.querySelector('.casehead').textContent.includes('DITUTUP')`)
	again.Page("/queue")
	again.Until(`document.querySelector('#list') && !document.querySelector('#list [data-code="` + code + `"]')`)
	again.Clean()
	citizen.Clean()
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("an orderly stop ends with %d", code)
	}
	deadline(t, time.Minute, "the redis-server stops with the last program that uses it", func() bool { return len(redisServers(t, data)) == 0 })
}

// Without JavaScript both pages work as pages did before there was any.
func TestLineWithoutScripts(t *testing.T) {
	needed.Program(t, "redis-server")
	web := startBrowser(t)
	p := startHotline(t, demoData(t), []string{"demo", "--people", "0"})

	citizen := web.tab("citizen", p.Chat, false)
	citizen.Write("#text", "tolong saya di Bavet")
	citizen.Press("#say button.main")
	citizen.Until(`document.querySelector('#log .mine .t').textContent === 'tolong saya di Bavet'`)
	citizen.asks("Apakah Anda aman")
	citizen.Press("#log form button[value$=':safe']")
	citizen.asks("Laporan ini untuk siapa")

	page, token, _ := strings.Cut(p.Desk, "#")
	officer := web.tab("officer", page, false)
	officer.Write("#token", token)
	officer.Press("form[action='/welcome'] button")
	officer.Until(`location.pathname === '/queue'`)
	officer.Until(`document.querySelectorAll('#list [data-code]').length === 1`)
	officer.Press("form[action='/next'] button")
	officer.sees("tolong saya di Bavet")
	answer(officer, "Kami sudah membaca pesan Anda.")
	officer.sees("Kami sudah membaca pesan Anda.")

	citizen.Press("noscript a")
	citizen.asks("Kami sudah membaca pesan Anda.")
	answer(officer, "Apakah Anda bersama orang lain?")
	citizen.Press("noscript a") // a second time: a link to where the page already is would load nothing
	citizen.asks("Apakah Anda bersama orang lain?")
	citizen.Clean()
	officer.Clean()
}
