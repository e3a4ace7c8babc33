// What is said of the whole: model, provider, board, problems, outputs, events.

import { $, text, attr, rows, el, whole, span, clock } from './dom.js';

const most = 50; // events that are shown

export function head(s, now) {
  pill($('ready'), s.ready, 'ready', 'not ready');
  pill($('healthy'), s.healthy, 'healthy', 'unhealthy');
  say($('model'), [s.model.name, s.model.version].filter(Boolean).join(' '), s.model.graph_sha256.slice(0, 12) || 'no model yet');
  attr($('model'), 'title', s.model.graph_sha256);
  provider(s.provider);
  board(s.board);
  text($('up'), span(now - Date.parse(s.started)));
  attr($('up'), 'title', s.program + ', started ' + s.started);
}

function pill(e, ok, yes, no) {
  text(e, ok ? '✓ ' + yes : '✕ ' + no);
  attr(e, 'class', 'pill ' + (ok ? 'good' : 'bad'));
}

// say writes a value and, smaller, what goes with it.
function say(e, value, more, warn) {
  rows(e, [value, more].filter((v) => v !== undefined), () => el('span'), (c, v) => text(c, v));
  attr(e, 'class', warn ? 'warn' : '');
}

function provider(p) {
  const nodes = Object.entries(p.measured?.nodes || {});
  const total = nodes.reduce((n, [, k]) => n + k, 0);
  const proof = total ? nodes.map(([k, n]) => n + '/' + total + ' nodes ' + k).join(', ') : 'not measured';
  const used = (p.used || '–') + (p.precision ? ' ' + p.precision : '');
  say($('provider'), (p.degraded ? '▲ ' : '') + used + (p.degraded ? ' (degraded)' : ''), proof, p.degraded);
  attr($('provider'), 'title', [p.reason, p.measured?.method, 'ONNX Runtime ' + p.version].filter(Boolean).join('; '));
}

function board(b) {
  const hot = hottest(b);
  const level = b?.level;
  const slow = b?.throttling?.length > 0;
  const warn = slow || Boolean(level && level !== 'normal' && level !== 'cool');
  const words = [level, slow ? 'throttled' : ''].filter(Boolean).join(', ') || (b ? hot?.name || 'no temperature' : 'not read');
  say($('board'), (warn ? '▲ ' : '') + (hot ? hot.celsius.toFixed(0) + ' °C' : '–'), words, warn);
  const list = (b?.zones || []).map((z) => [z.name, z.celsius === null ? '– ' + (z.why || 'no reading') : z.celsius.toFixed(1) + ' °C']);
  if (b?.power_mode) list.push(['power mode', b.power_mode]);
  if (b?.gpu_load != null) list.push(['GPU load', Math.round(100 * b.gpu_load) + ' %']);
  for (const t of b?.throttling || []) list.push(['▲ ' + t.what, t.why]);
  if (!list.length) list.push(['sensors', b ? 'nothing to read' : 'not read']);
  rows($('sensors'), list, () => {
    const li = el('li');
    li.append(el('span'), el('b'));
    return li;
  }, (li, [k, v]) => {
    text(li.firstChild, k);
    text(li.lastChild, v);
  });
}

function hottest(b) {
  return (b?.zones || []).filter((z) => typeof z.celsius === 'number').sort((x, y) => y.celsius - x.celsius)[0];
}

export function problems(list, now) {
  text($('problem-count'), list.length ? String(list.length) : '');
  attr($('problems-panel'), 'data-some', String(list.length > 0));
  rows($('problems'), list.length ? list : [null], () => {
    const li = el('li');
    li.append(el('b'), el('time'), el('p'));
    return li;
  }, (li, p) => {
    attr(li, 'class', p ? '' : 'calm');
    text(li.children[0], p ? '▲ ' + p.part : '✓ none');
    text(li.children[1], p ? span(now - Date.parse(p.since)) : '');
    text(li.children[2], p ? p.what : 'Everything is as it should be.');
    attr(li, 'title', p ? p.what : '');
  });
}

export function outputs(list) {
  rows($('outputs'), list, () => {
    const tr = el('tr');
    tr.append(el('th'), el('td'), el('td'), el('td'));
    return tr;
  }, (tr, o) => {
    attr(tr, 'class', o.error || o.dropped ? 'some' : '');
    attr(tr, 'title', o.error || '');
    [(o.error ? '▲ ' : '') + o.name, whole(o.written), whole(o.dropped), whole(o.waiting)].forEach((v, i) => text(tr.children[i], v));
  });
}

// log adds an event. One that is the newest already, at a later attempt, is not said again.
export function log(at, words, bad, attempt) {
  const newest = $('log').firstElementChild;
  if (attempt > 1 && newest?.title === words) {
    text(newest.lastElementChild, words);
    text(newest.firstElementChild, clock(at));
    attr(newest, 'data-attempt', '×' + attempt);
    return;
  }
  const li = el('li', bad ? 'bad' : '');
  li.title = words;
  li.append(el('time', '', clock(at)), el('span', '', words));
  $('log').prepend(li);
  if (attempt > 1) attr(li, 'data-attempt', '×' + attempt);
  while ($('log').children.length > most) $('log').lastElementChild.remove();
}
