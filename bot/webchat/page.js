(() => {
"use strict";
const doc = document, root = doc.documentElement, d = doc.body.dataset, $ = id => doc.getElementById(id);
root.classList.add("on");

// Leave: first the screen, then the page; the server hides the conversation until the person asks for it.
const leave = e => {
  if (e) e.preventDefault();
  root.classList.add("away");
  doc.title = "\u00a0";
  try { fetch(d.base + "exit", {method: "POST", keepalive: true}); } catch { /* offline: leaving counts more */ }
  location.replace(d.exit);
};
$("exit").addEventListener("click", leave);
let presses = [];
addEventListener("keydown", e => {
  if (e.key !== "Escape") return;
  presses = presses.filter(t => e.timeStamp - t < 5000).concat(e.timeStamp);
  if (presses.length >= 3) leave();
});
addEventListener("pageshow", e => { if (e.persisted) { root.classList.add("away"); location.reload(); } });

const log = $("log");
if (!log) return; // covered
const form = $("say"), box = $("text"), state = $("state"), words = $("words").dataset;
let last = Number(d.last), source = null, lost = 0;
const newID = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, "0")).join("");
// Whoever sees the newest message goes on to the next; whoever reads further up is left there.
const atEnd = () => !log.lastElementChild || log.lastElementChild.getBoundingClientRect().top < innerHeight;
// A question whose choices fill the screen begins at the top: choices without the question say nothing.
const toEnd = () => {
  const m = log.lastElementChild;
  if (m) m.scrollIntoView({block: m.offsetHeight > innerHeight - form.offsetHeight - 80 ? "start" : "end"});
};
const byID = id => [...log.children].find(m => m.dataset.id === id);

const bubble = m => {
  const el = $("bubble").content.firstElementChild.cloneNode(true);
  el.dataset.id = m.id;
  if (m.mine) el.classList.add("mine");
  el.querySelector(".sr").textContent = m.mine ? words.you : words.us;
  el.querySelector(".t").textContent = m.text;
  el.querySelector("time").textContent = m.clock || "";
  const before = el.querySelector("time");
  if (m.buttons) {
    const f = doc.createElement("form");
    for (const b of m.buttons) {
      const k = doc.createElement("button");
      k.name = "data"; k.value = b.data; k.textContent = b.label;
      f.append(k);
    }
    el.insertBefore(f, before);
  }
  if (m.place) {
    const k = doc.createElement("button");
    k.type = "button"; k.className = "place"; k.textContent = m.place;
    el.insertBefore(k, before);
  }
  return el;
};

const add = m => {
  const stay = m.mine || atEnd();
  const known = byID(m.id), el = bubble(m);
  // Only the newest question keeps its buttons.
  if (m.buttons) log.querySelectorAll("form").forEach(f => f.remove());
  if (known) known.remove();
  log.append(el);
  if (stay) toEnd();
};

const listen = () => {
  if (source) return;
  source = new EventSource(d.base + "events?after=" + last + "&lang=" + d.lang);
  source.onmessage = e => { last = Number(e.lastEventId); add(JSON.parse(e.data)); };
  source.addEventListener("anew", () => { last = 0; log.replaceChildren(); });
  source.onopen = () => { clearTimeout(lost); if (state.textContent === words.off) state.textContent = ""; };
  source.onerror = () => {
    // Where many share an address a stream may end to come again in 5 seconds: that is no lost connection.
    clearTimeout(lost);
    lost = setTimeout(() => { state.textContent = words.off; }, 8000);
    if (source.readyState === EventSource.CLOSED) { source = null; setTimeout(listen, 5000); }
  };
};

// What was said leaves in order; what could not be stored is sent again with the same id, so it counts once.
const queue = [];
let busy = false;
const pump = async () => {
  if (busy) return;
  busy = true;
  for (let wait = 1000; queue.length;) {
    const m = queue[0];
    let status = 0, text = "", after = 0;
    try {
      const r = await fetch(d.base + "send?lang=" + d.lang, {method: "POST", headers: {"X-Chat": "1"}, body: new URLSearchParams(m.body)});
      status = r.status; after = Number(r.headers.get("Retry-After")) * 1000; text = status < 400 ? "" : await r.text();
    } catch { /* no connection: again */ }
    if (status >= 200 && status < 300) {
      wait = 1000; state.textContent = ""; queue.shift();
      if (m.el) m.el.classList.remove("wait");
      const intro = $("intro"); if (intro) intro.remove();
      doc.body.classList.add("open");
      listen();
    } else if (status === 0 || status === 429 || status >= 500) {
      state.textContent = text || words.wait;
      await new Promise(r => setTimeout(r, Math.max(after, wait)));
      wait = Math.min(wait * 2, 30000);
    } else {
      queue.shift(); state.textContent = text;
      if (m.el) m.el.remove();
      if (m.body.text && !box.value) box.value = m.body.text;
    }
  }
  busy = false;
};
const say = (body, shown) => {
  const id = newID();
  let el = null;
  if (shown) { el = bubble({id, mine: true, text: shown}); el.classList.add("wait"); log.append(el); toEnd(); }
  queue.push({el, body: {id, lang: d.lang, ...body}});
  pump();
};

doc.addEventListener("submit", e => {
  const f = e.target, k = e.submitter;
  if (f === form) {
    e.preventDefault();
    const t = box.value.trim();
    if (t) { say({text: t}, t); box.value = ""; }
    box.focus();
  } else if (k && (k.name === "data" || f.classList.contains("say"))) {
    e.preventDefault();
    f.querySelectorAll("button").forEach(b => { b.disabled = true; });
    if (k.name === "data") { say({data: k.value}); setTimeout(() => f.remove(), 0); } else say({text: k.value});
  }
});
box.addEventListener("keydown", e => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing && matchMedia("(hover:hover)").matches) { e.preventDefault(); form.requestSubmit(); }
});

const here = () => {
  if (!navigator.geolocation) { state.textContent = words.noplace; return; }
  state.textContent = words.asking;
  navigator.geolocation.getCurrentPosition(
    p => { state.textContent = ""; say({lat: p.coords.latitude, lon: p.coords.longitude, acc: p.coords.accuracy}, words.place); },
    () => { state.textContent = words.noplace; },
    {enableHighAccuracy: true, timeout: 20000, maximumAge: 60000});
};
$("here").addEventListener("click", here);
log.addEventListener("click", e => { if (e.target.classList.contains("place")) here(); });

if (d.open === "true") { toEnd(); listen(); }
})();
