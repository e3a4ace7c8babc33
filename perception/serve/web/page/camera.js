// A camera's column.

import { $, text, attr, rows, el, copy, whole, ms, span, clock } from './dom.js';
import { History } from './history.js';
import { Picture } from './picture.js';
import { draw } from './strip.js';

// Colours that people with any kind of colour vision tell apart (after Okabe and Ito).
const palette = ['#f5a524', '#56b4e9', '#f0e442', '#e58ac0', '#2fc99a', '#ff7f50', '#8fa8ff', '#d0d6dc'];
const stageOrder = ['wait', 'mailbox', 'guard', 'fit', 'infer', 'decide', 'publish', 'age'];
const good = { streaming: '●', connecting: '◌', stalled: '▲', lost: '✕', ended: '■' };

export class Camera {
  constructor(name) {
    this.root = copy('cam');
    this.history = new History();
    this.labels = [];
    this.status = null;
    attr(this.root, 'data-source', name);
    attr(this.root, 'aria-label', 'camera ' + name);
    text(this.part('.name'), name);
    this.picture = new Picture(name, this.root, this.history, (id) => this.color(id), () => this.status?.state === 'streaming');
  }

  part(sel) { return this.root.querySelector(sel); }
  color(id) { return palette[Math.max(0, this.labels.findIndex((l) => l.label === id)) % palette.length]; }

  close() {
    this.picture.gone = true;
    this.root.remove();
  }

  result(r) {
    this.history.add(r);
    this.picture.late();
  }

  // down is since when there is no picture, and why. Tries to connect again do not change it.
  down(s, problems) {
    if (s.state === 'streaming') this.out = null;
    else this.out ??= { since: s.since, reason: '' };
    if (!this.out) return;
    const times = problems.filter((p) => p.part === 'source ' + s.name).map((p) => p.since);
    for (const t of [s.since, ...times]) if (Date.parse(t) < Date.parse(this.out.since)) this.out.since = t;
    if (s.reason) this.out.reason = s.reason;
  }

  update(s, labels, problems, now) {
    this.status = s;
    this.down(s, problems);
    attr(this.root, 'data-down', String(s.state === 'lost' || s.state === 'stalled' || Boolean(this.out?.reason)));
    this.labels = labels;
    attr(this.root, 'data-state', s.state);
    text(this.part('.sign'), good[s.state] || '?');
    text(this.part('.state'), s.state);
    text(this.part('.rate'), s.fps.toFixed(1) + ' /s');
    const why = 'since ' + clock(s.since) + ' (' + span(now - Date.parse(s.since)) + ')' + (s.reason ? ' · ' + s.reason : '') +
      (s.width ? ' · ' + s.width + '×' + s.height : '') + ' · ' + s.uri;
    text(this.part('.why'), why);
    attr(this.part('.why'), 'title', why);
    if (s.width) this.part('.view').style.setProperty('--ratio', s.width + ' / ' + s.height);
    const veil = this.part('.veil');
    veil.hidden = !this.out;
    if (this.out) text(veil, 'no picture for ' + span(now - Date.parse(this.out.since)) + '\n' + this.out.reason);
    this.stages(s.stages_ms || {});
    this.counts(s);
    rows(this.part('.labels'), labels, () => copy('label'), (row, l) => {
      attr(row, 'data-label', l.label);
      text(row.querySelector('.id'), l.label.replaceAll('_', ' '));
      text(row.querySelector('.limits'), 'on ≥ ' + l.enter.toFixed(2) + ', off < ' + l.leave.toFixed(2));
      row.style.setProperty('--c', this.color(l.label));
    });
  }

  stages(all) {
    const names = Object.keys(all).sort((a, b) => (stageOrder.indexOf(a) + 99) % 99 - (stageOrder.indexOf(b) + 99) % 99);
    const cells = (list, tag) => (tr, row) => rows(tr, row, () => el(tag), (c, v) => text(c, v));
    rows(this.part('.stages thead'), [['ms', ...names]], () => el('tr'), cells(names, 'th'));
    const lines = [['p50', 'p50'], ['p99', 'p99'], ['max', 'max']].map(([word, key]) => [word, ...names.map((n) => ms(all[n][key]))]);
    rows(this.part('.stages tbody'), lines, () => el('tr'), cells(names, 'td'));
  }

  // counts shows that every frame that was captured is accounted for.
  counts(s) {
    const c = s.counts;
    const parts = ['delivered', 'dropped', 'stale', 'unreadable', 'waiting'];
    const sum = parts.reduce((n, k) => n + c[k], 0);
    const list = [['', 'captured', c.captured], ...parts.map((k, i) => [i ? '+' : sum === c.captured ? '=' : '≠', k, c[k]])];
    rows(this.part('.counts'), list, () => {
      const d = el('div');
      d.append(el('dd'), el('dt'));
      return d;
    }, (d, [sign, word, n]) => {
      attr(d, 'data-sign', sign);
      attr(d, 'class', word + (n ? '' : ' zero') + (sign === '≠' ? ' wrong' : ''));
      text(d.firstElementChild, whole(n));
      text(d.lastElementChild, word);
    });
    const by = Object.entries(s.results || {}).filter(([, n]) => n > 0).map(([k, n]) => whole(n) + ' ' + k).join(' · ');
    text(this.part('.results'), 'results: ' + (by || 'none yet') + ' · ' + whole(s.late) + ' late');
  }

  // paint shows the last minute, several times a second.
  paint(now) {
    const samples = this.history.all(now);
    const latest = this.history.latest(now);
    this.root.querySelectorAll('.label').forEach((row, i) => {
      const l = this.labels[i];
      const a = latest?.labels[l.label];
      const state = a?.state || 'unknown';
      attr(row, 'data-state', state);
      text(row.querySelector('.word'), state);
      text(row.querySelector('.p'), a?.p === undefined ? '–' : a.p.toFixed(2));
      const strip = row.querySelector('.strip');
      attr(strip, 'aria-label', l.label + ' in the last minute; on from ' + l.enter.toFixed(2) + ', off below ' + l.leave.toFixed(2));
      draw(strip, samples, l, this.color(l.label), now);
    });
    this.gaps(now, latest);
  }

  gaps(now, latest) {
    const { n, last, all: some } = this.history.gaps(now);
    const by = Object.entries(n).map(([k, v]) => v + ' ' + k).join(', ');
    const all = (latest ? '' : 'No results now. ') + (by ? '▨ Not evaluated in the last minute: ' + by + ' (' + last.reason + ')' : !some ? 'There were none in the last minute.' : 'Every frame of the last minute was evaluated.');
    text(this.part('.gaps'), all);
    attr(this.part('.gaps'), 'title', all);
    attr(this.part('.gaps'), 'class', 'gaps' + (by || !latest ? ' some' : ''));
  }
}
