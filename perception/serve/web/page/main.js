// The live page: a column for each camera, and what is said of the whole.

import { $, text, attr, span, clock } from './dom.js';
import { Link } from './link.js';
import { Camera } from './camera.js';
import * as top from './top.js';

const link = new Link();
const cameras = new Map();
let status = null;
let known = new Map(); // problems: part and what, to tell new ones from old

link.addEventListener('status', (e) => {
  if (!status) top.log(link.now(), 'this page is connected');
  status = e.detail;
  const now = link.now();
  const labels = status.model.labels || [];
  const sources = status.sources || [];
  for (const [name, c] of cameras) {
    if (sources.some((s) => s.name === name)) continue;
    c.close();
    cameras.delete(name);
  }
  for (const s of sources) camera(s.name).update(s, labels, status.problems || [], now);
  attr($('cams'), 'data-n', String(sources.length));
  top.head(status, now);
  top.problems(status.problems || [], now);
  top.outputs(status.outputs || []);
  changes(status.problems || []);
});

function camera(name) {
  let c = cameras.get(name);
  if (!c) {
    $('cams').querySelector('.none')?.remove();
    c = new Camera(name);
    cameras.set(name, c);
    $('cams').append(c.root);
  }
  return c;
}

// changes logs problems that came or went, but for what the cameras' own events tell. A part's
// words may hold a number that counts on.
function changes(list) {
  const next = new Map(list.filter((p) => !/^(lost|stalled):/.test(p.what)).map((p) => [p.part, p]));
  for (const [part, p] of next) {
    const old = link.now() - Date.parse(p.since) > 5000 ? ' (since ' + clock(p.since) + ')' : '';
    if (!known.has(part)) top.log(link.now(), part + ': ' + p.what + old, true);
  }
  for (const part of known.keys()) if (!next.has(part)) top.log(link.now(), part + ': no problem any more');
  known = next;
}

link.addEventListener('result', (e) => {
  const r = e.detail;
  const c = r.source === undefined ? cameras.values().next().value : cameras.get(r.source);
  c?.result(r);
});

link.addEventListener('event', (e) => {
  const { event, time, source, state, reason, attempt, count, ...more } = e.detail;
  if (event === 'camera') {
    if (attempt > 1 && state === 'connecting') return; // what comes of it is an event, too
    top.log(time, source + ' ' + state + (reason ? ': ' + reason : ''), state === 'lost' || state === 'stalled', attempt);
  } else if (event === 'lost') {
    top.log(time, count + ' results did not reach this page: it is too slow', true);
  } else {
    top.log(time, event + ' ' + Object.entries(more).map(([k, v]) => k + ' ' + v).join(', '));
  }
});

link.addEventListener('lost', (e) => top.log(e.detail.since, 'connection to the daemon lost', true));
link.addEventListener('back', () => top.log(Date.now(), 'connection to the daemon is back'));

// connection says whether what is shown can be believed.
function connection() {
  const gone = link.lost > 0;
  document.body.classList.toggle('stale', gone);
  $('banner').hidden = !gone;
  if (gone) {
    text($('banner'), 'No connection to the daemon since ' + clock(link.lost) + ' (' + span(Date.now() - link.lost) + '). What is shown is old. Trying again.');
  }
  text($('link'), gone ? '✕ lost' : !status ? 'connecting' : link.streaming ? '● live' : '▲ no results');
  attr($('link'), 'class', gone || (status && !link.streaming) ? 'warn' : '');
}

const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

function paint() {
  const now = performance.now();
  connection();
  if (!link.lost && !document.hidden) for (const c of cameras.values()) c.paint(now);
  setTimeout(paint, calm.matches ? 1000 : 200);
}
paint();
