// The desk works without this file. It adds: live updates, the alarm for an unread P1, the lease kept while a case
// is open, masking again after two idle minutes, the warning before the session ends, and a character count.
// Nothing is stored in the browser. No string is ever turned into markup: pages are parsed by XMLHttpRequest as
// documents (scripts in them never run) and their nodes adopted, so Trusted Types hold without a policy.
(() => {
  'use strict';
  const body = document.body;
  const text = body.dataset;
  const $ = (s, root) => (root || document).querySelector(s);
  const $$ = (s, root) => Array.from((root || document).querySelectorAll(s));
  const signedIn = 'user' in text;

  // A form that was not done is answered with the case: asked for by the form's address it would not be found again.
  const page = location.pathname.match(/^\/(case|offers)\/[^/]+(?=\/)/);
  if (page && text.live === 'case') history.replaceState(null, '', page[0]);

  // One-time link: the secret stands in the fragment, which is never sent; take it and clear the address bar.
  const field = $('[data-fragment]');
  if (field && location.hash.length > 8) {
    field.value = location.hash.slice(1);
    history.replaceState(null, '', location.pathname);
    const pw = $('#password');
    if (pw) pw.focus();
  }

  // A form goes once, however often its button is hit. The key in it makes that true on the server as well.
  document.addEventListener('submit', (e) => {
    const f = e.target;
    if (f.target === '_blank') return;
    if (f.dataset.sent) { e.preventDefault(); return; }
    f.dataset.sent = '1';
    setTimeout(() => { delete f.dataset.sent; }, 8000);
  });
  $$('form[data-auto]').forEach((f) => {
    f.addEventListener('change', () => f.requestSubmit());
    $$('button:not([data-keep])', f).forEach((b) => { b.hidden = true; });
  });

  // Characters of a message, and what of it a lock screen shows.
  const counters = () => $$('textarea[data-count]').forEach((t) => {
    if (t.dataset.bound) return;
    t.dataset.bound = '1';
    const out = document.getElementById(t.dataset.count);
    const peek = t.dataset.peek && document.getElementById(t.dataset.peek);
    const words = (t.dataset.risky || '').split(' ').filter(Boolean);
    const update = () => {
      if (out) out.textContent = [...t.value].length + ' / ' + t.maxLength;
      if (peek) {
        const head = [...t.value].slice(0, 40).join('');
        const risky = words.filter((w) => head.toLowerCase().includes(w));
        $('[data-head]', peek).textContent = head || '…';
        $('[data-words]', peek).textContent = risky.join(', ');
        $('[data-bad]', peek).hidden = !risky.length;
        peek.classList.toggle('risky', risky.length > 0);
      }
    };
    t.addEventListener('input', update);
    update();
  });
  const composer = () => {
    counters();
    $$('select[data-template]').forEach((s) => s.addEventListener('change', () => {
      const t = document.getElementById(s.dataset.template);
      const o = s.selectedOptions[0];
      if (t && o && o.dataset.text) { t.value = o.dataset.text; t.dispatchEvent(new Event('input')); t.focus(); }
    }));
  };
  composer();

  if (!signedIn) return;

  const get = (url, byHand) => new Promise((ok, no) => {
    const x = new XMLHttpRequest();
    x.open('GET', url);
    x.responseType = 'document';
    if (!byHand) x.setRequestHeader('X-Background', '1');
    x.timeout = 15000;
    x.onload = () => (x.status === 200 && x.response ? ok(x.response) : no(x.status));
    x.onerror = x.ontimeout = () => no(0);
    x.send();
  });
  const swap = (doc, id) => {
    const a = document.getElementById(id);
    const b = doc.getElementById(id);
    if (!a || !b) return;
    const open = new Set($$('details[open]', a).map((d) => d.dataset.key).filter(Boolean));
    const n = document.importNode(b, true);
    $$('details', n).forEach((d) => { if (open.has(d.dataset.key)) d.open = true; });
    a.replaceWith(n);
  };
  const polite = (s) => { const p = $('#polite'); if (p) p.textContent = s; };

  // What was typed or chosen in the page and not sent yet. A page that is drawn anew, or whose session is over, keeps it.
  const texts = /^(textarea|text|tel|search|time|date|datetime-local)$/;
  // A form's own address is not enough: there is one for each message that is held.
  const formKey = (f) => [f.getAttribute('action')].concat($$('input[type=hidden]', f).filter((n) => !/^(req|gate|ver|seen)$/.test(n.name))
    .map((n) => n.name + '=' + n.value)).join(' ');
  const typed = () => $$('main form[method=post]').flatMap((f) => Array.from(f.elements)).filter((n) => n.name
    && texts.test(n.type) && n.value.trim() && n.value !== n.defaultValue);
  const chosen = () => $$('main form[method=post] input').filter((n) => /^(radio|checkbox)$/.test(n.type) && n.checked !== n.defaultChecked)
    .concat($$('main form[method=post] select').filter((n) => n.selectedIndex !== Math.max(0, Array.from(n.options).findIndex((o) => o.defaultSelected))));

  // Whoever leaves with something typed into another form than the one that was sent is asked by the browser first.
  let sentForm = null;
  document.addEventListener('submit', (e) => { sentForm = e.target; });
  let dials = 0; // a browser asks before it rings as if the page went
  document.addEventListener('click', (e) => { if (e.target.closest('a[href^="tel:"]')) dials = Date.now(); });
  window.addEventListener('beforeunload', (e) => {
    const rest = Date.now() - dials > 1000 && typed().some((n) => n.form !== sentForm);
    sentForm = null;
    if (!rest) return;
    e.preventDefault();
    $$('form[data-sent]').forEach((f) => { delete f.dataset.sent; }); // stays, and is sent later
  });

  // Session: what a person does counts, what the page does by itself does not.
  let ended = false;
  const door = () => {
    const a = document.createElement('a');
    a.href = '/signin'; a.target = '_blank'; a.rel = 'noopener'; a.className = 'button'; a.textContent = text.signIn;
    return a;
  };
  let active = Date.now();
  let told = Date.now();
  const idleEnd = 20 * 60e3;
  ['pointerdown', 'keydown'].forEach((ev) => document.addEventListener(ev, () => { active = Date.now(); }, { passive: true }));
  const stay = () => fetch('/stay', { method: 'POST', credentials: 'same-origin' }).then((r) => {
    if (r.ok) { told = Date.now(); active = Date.now(); $('#idle').hidden = true; }
  }).catch(() => {});
  const idleCheck = () => {
    if (text.live === 'board') return;
    const box = $('#idle');
    if (active > told && Date.now() - told > 120e3) stay();
    const rest = idleEnd - (Date.now() - told);
    if (rest < 0) {
      if (box.hidden || $('button', box)) { box.textContent = text.idleOver + ' '; box.append(door()); }
      box.hidden = ended; alarm(false);
      $$('[data-secret]').forEach((n) => n.remove());
    } else if (rest < 150e3) {
      if (box.hidden) {
        box.textContent = text.idle + ' ';
        const b = document.createElement('button');
        b.textContent = text.stay; b.addEventListener('click', stay);
        box.append(b); box.hidden = false; beep();
      }
    }
  };
  setInterval(idleCheck, 5000);

  // Revealed fields close again after two idle minutes: the server has forgotten the permission by then.
  if ($('[data-revealed]')) {
    const t = setInterval(() => {
      if (Date.now() - active > 120e3) { clearInterval(t); $$('[data-revealed]').forEach((n) => { n.textContent = '•••'; }); }
    }, 3000);
  }

  // Alarm: a banner always; a sound once the person has touched the page (browsers ask for that).
  let audio = null;
  let sounding = 0;
  document.addEventListener('pointerdown', () => { if (!audio && window.AudioContext) audio = new AudioContext(); }, { once: true });
  document.addEventListener('keydown', () => { if (!audio && window.AudioContext) audio = new AudioContext(); }, { once: true });
  function beep() {
    if (!audio) return;
    [0, 0.22].forEach((at) => {
      const o = audio.createOscillator();
      const g = audio.createGain();
      o.frequency.value = at ? 660 : 880;
      g.gain.setValueAtTime(0.0001, audio.currentTime + at);
      g.gain.exponentialRampToValueAtTime(0.25, audio.currentTime + at + 0.02);
      g.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + at + 0.2);
      o.connect(g).connect(audio.destination);
      o.start(audio.currentTime + at); o.stop(audio.currentTime + at + 0.21);
    });
  }
  function alarm(on) {
    body.classList.toggle('alarm-on', on);
    if (on && !sounding) { beep(); sounding = setInterval(beep, 20e3); }
    if (!on && sounding) { clearInterval(sounding); sounding = 0; }
  }
  const readAlarm = () => alarm(!!$('#counts [data-p1-unread]'));
  readAlarm();

  // The server's clock ticks on.
  const ticks = () => {
    const c = $('#counts [data-clock]');
    if (!c) return;
    const at = Number(c.dataset.clock) + (performance.now() - (Number(c.dataset.base) || (c.dataset.base = performance.now())));
    const d = new Date(at + Number(c.dataset.offset) * 1000);
    const two = (n) => String(n).padStart(2, '0');
    const sep = c.dataset.sep;
    c.firstChild.textContent = two(d.getUTCHours()) + sep + two(d.getUTCMinutes()) + sep + two(d.getUTCSeconds());
  };
  setInterval(ticks, 1000);

  // Live updates. An event says only that something changed; the page asks again through its own address.
  if (!text.live) return;
  const kind = text.live;
  let paused = false;
  let touched = false;
  let wanted = false;
  let busy = false;
  let fresh = null;
  let lastEvent = Date.now();
  const list = () => $('#list');
  const codes = (root) => new Set($$('[data-code]', root).map((n) => n.dataset.code));

  const mark = () => { touched = true; };
  const bindList = () => {
    const l = list();
    if (l) ['pointerdown', 'pointermove', 'keydown', 'focusin'].forEach((ev) => l.addEventListener(ev, mark, { passive: true }));
  };
  bindList();
  window.addEventListener('wheel', mark, { passive: true });
  window.addEventListener('touchmove', mark, { passive: true });

  // A reload waits while the page is being left: it would break off what was just pressed, and of a sign-out the answer
  // that clears this browser.
  let left = 0;
  window.addEventListener('beforeunload', () => { if (Date.now() - dials > 1000) left = Date.now(); });
  const reload = () => { if (Date.now() - left < 5000) setTimeout(reload, 5000); else location.reload(); };

  // The session is over. With nothing typed the page goes; else only the forms with what was typed stay on the screen.
  const over = () => {
    if (ended) return;
    const rest = new Set(typed().map((n) => n.form));
    if (!rest.size) { reload(); return; }
    ended = true;
    if (stream) stream.close();
    alarm(false);
    $('#main').replaceChildren(...rest);
    document.title = text.signIn;
    $$('#counts, .top nav, .top .tools').forEach((n) => n.remove());
    $('#idle').hidden = true;
    $$('button[data-off="1"]').forEach((b) => { b.disabled = false; delete b.dataset.off; });
    const box = $('#lost');
    box.textContent = text.ended + ' ';
    box.append(door());
    box.hidden = false;
  };
  // The page of a case as it is now, with what was typed put back; what has no place any more stands at the top.
  const redraw = () => get(location.pathname + location.search, true).then((doc) => {
    const kept = typed().concat(chosen()).map((n) => [formKey(n.form), n.name, n.type, n.value, n.checked]);
    swap(doc, 'counts'); swap(doc, 'main'); readAlarm(); ticks();
    kept.forEach(([form, name, type, value, checked]) => {
      const box = /^(radio|checkbox)$/.test(type);
      const n = $$('main form[method=post]').filter((f) => formKey(f) === form).flatMap((f) => Array.from(f.elements))
        .find((x) => x.name === name && x.type === type && (box ? x.value === value : !x.options || Array.from(x.options).some((o) => o.value === value)));
      if (!n && texts.test(type)) {
        const p = document.createElement('pre');
        p.className = 'kept'; p.textContent = value;
        $('#newbar').after(p);
      }
      if (!n) return;
      if (box) n.checked = checked; else n.value = value;
      if (n.closest('details')) n.closest('details').open = true;
    });
    composer(); polite(text.updated);
  }).catch((status) => { if (status === 401) over(); else offline(); });

  const bar = (s) => {
    const b = $('#newbar');
    if (!b) return;
    b.replaceChildren();
    b.hidden = !s;
    if (!s) return;
    b.append(s + ' ');
    const go = document.createElement('button');
    go.type = 'button'; go.textContent = text.show; go.addEventListener('click', showFresh);
    b.append(go);
  };
  function showFresh() {
    if (kind === 'case') { if (typed().length) redraw(); else reload(); return; }
    if (!fresh) return;
    const f = document.activeElement;
    const at = f && f.closest && f.closest('[data-code]');
    const code = at && at.dataset.code;
    swap(fresh, 'list'); swap(fresh, 'filters'); swap(fresh, 'showing');
    $$('form[data-auto]').forEach((x) => { if (!x.dataset.bound) { x.dataset.bound = '1'; x.addEventListener('change', () => x.requestSubmit()); $$('button:not([data-keep])', x).forEach((y) => { y.hidden = true; }); } });
    fresh = null; touched = false; bar(''); bindList();
    if (code) { const n = $('[data-code="' + CSS.escape(code) + '"] a'); if (n) n.focus({ preventScroll: true }); }
    polite(text.updated);
  }
  const gate = (root) => { const n = root.getElementById('gate'); return n ? n.value : ''; };

  const refresh = () => {
    if (ended) return;
    if (busy) { wanted = true; return; }
    if (paused) { wanted = true; return; }
    busy = true;
    get(location.pathname + location.search).then((doc) => {
      swap(doc, 'counts'); online(); readAlarm(); ticks();
      if (kind === 'queue') {
        const now = codes(list());
        const next = codes(doc.getElementById('list'));
        let n = 0;
        next.forEach((c) => { if (!now.has(c)) n++; });
        fresh = doc;
        const same = n === 0 && now.size === next.size;
        if (now.size === 0 || !touched) showFresh();
        else if (same && !n) swapQuiet(doc);
        else bar(n ? text.new.replace('#', n) : text.changed);
      } else if (kind === 'case') {
        if (gate(doc) === gate(document)) {
          const was = $$('#timeline li').length;
          swap(doc, 'timeline'); swap(doc, 'safety');
          if (!typed().some((n) => n.closest('#held'))) swap(doc, 'held');
          ['ver', 'seen'].forEach((k) => {
            const v = $('[name=' + k + ']', doc);
            if (v) $$('[name=' + k + ']').forEach((i) => { i.value = v.value; });
          });
          if ($$('#timeline li').length > was) polite(text.updated);
        } else bar(text.caseChanged);
      } else if (kind === 'board') {
        swap(doc, 'main');
      } else if (kind === 'channels') {
        swap(doc, 'channels'); swap(doc, 'progress');
        // A form in which somebody may be typing stays until what it is for has changed.
        const a = $('#number');
        const b = doc.getElementById('number');
        if (a && b && a.dataset.state !== b.dataset.state) swap(doc, 'number');
      }
    }).catch((status) => {
      if (status === 401) { over(); return; }
      if (status === 403 || status === 404) { reload(); return; }
      offline();
    }).finally(() => {
      busy = false;
      if (wanted && !paused) { wanted = false; later(); }
    });
  };
  // Same cases in the list: ages and labels may change in place, nothing moves.
  const swapQuiet = (doc) => {
    const next = doc.getElementById('list');
    $$('[data-code]', list()).forEach((n) => {
      const m = $('[data-code="' + CSS.escape(n.dataset.code) + '"]', next);
      if (m && !n.contains(document.activeElement)) n.replaceWith(document.importNode(m, true));
    });
    fresh = null;
  };
  let timer = 0;
  const later = () => { if (!timer) timer = setTimeout(() => { timer = 0; refresh(); }, 150 + Math.random() * 250); };

  const pause = $('#pause');
  if (pause) {
    pause.hidden = false;
    pause.addEventListener('click', () => {
      paused = !paused;
      pause.setAttribute('aria-pressed', String(paused));
      pause.textContent = paused ? pause.dataset.paused : pause.dataset.running;
      if (!paused) { wanted = false; refresh(); }
    });
  }

  const lost = $('#lost');
  const liveMark = (ok) => { const n = $('#counts [data-live-mark]'); if (n) { n.classList.toggle('off', !ok); n.textContent = ok ? n.dataset.up : n.dataset.down; } };
  function offline() {
    if (lost.hidden) { lost.hidden = false; lost.textContent = text.lost; }
    body.classList.toggle('stale', kind === 'board');
    liveMark(false);
    $$('main form button').forEach((b) => { if (!b.disabled) { b.disabled = true; b.dataset.off = '1'; } });
  }
  function online() {
    lost.hidden = true;
    body.classList.remove('stale');
    liveMark(true);
    $$('button[data-off="1"]').forEach((b) => { b.disabled = false; delete b.dataset.off; });
  }

  // EventSource resumes by itself with Last-Event-ID; where it gives up it is opened anew, later and later.
  let tries = 0;
  let stream = null;
  const connect = () => {
    if (ended) return;
    const es = stream = new EventSource('/live');
    const on = () => { lastEvent = Date.now(); tries = 0; if (lost.hidden) liveMark(true); else online(); };
    es.addEventListener('open', () => { on(); refresh(); });
    ['case', 'p1', 'claim', 'row'].forEach((k) => es.addEventListener(k, () => { on(); later(); }));
    es.addEventListener('channel', () => { on(); if (kind === 'channels') later(); });
    es.addEventListener('beat', on);
    es.addEventListener('out', () => { es.close(); over(); });
    es.addEventListener('error', () => {
      if (es.readyState === EventSource.CLOSED) {
        es.close();
        if (ended) return;
        offline(); later(); // which tells a session that is over from a connection that is lost
        setTimeout(connect, Math.min(30e3, 1000 * 2 ** tries++) * (0.5 + Math.random()));
      }
    });
    window.addEventListener('pagehide', () => es.close());
  };
  connect();
  setInterval(() => { if (!ended && Date.now() - lastEvent > 40e3) offline(); }, 5000);
  // Ages grow without an event.
  setInterval(() => { if (!document.hidden || kind !== 'case') later(); }, 60e3);

  // The lease and the list of viewers live as long as somebody sits before the case.
  const beat = $('[data-heartbeat]');
  if (beat) {
    const go = () => {
      if (ended || Date.now() - active > 15 * 60e3) return;
      fetch(beat.dataset.heartbeat, { method: 'POST', credentials: 'same-origin', headers: { 'X-Background': '1' } }).catch(() => {});
    };
    setInterval(go, 60e3);
  }
})();
