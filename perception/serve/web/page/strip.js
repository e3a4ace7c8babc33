// A strip chart: one label's probability over the last minute, with the probabilities at which it
// goes on and off, filled where it is on, and hatched where frames were not evaluated.

import { minute } from './history.js';

const ink = { enter: '#9fb0c0', leave: '#5c6b7a', none: '#39424d', hatch: '#5a6673' };
let hatch = null;

export function fit(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const w = Math.round(canvas.clientWidth * ratio);
  const h = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  return ratio;
}

export function draw(canvas, samples, label, color, now) {
  const ratio = fit(canvas);
  const g = canvas.getContext('2d');
  const { width: w, height: h } = canvas;
  const x = (t) => w - (now - t) / minute * w;
  const y = (p) => h - 2 - p * (h - 4);
  g.clearRect(0, 0, w, h);
  bands(g, samples, label.label, color, now, x, h, ratio);
  line(g, x, y, w, label.enter, ink.enter, []);
  line(g, x, y, w, label.leave, ink.leave, [4 * ratio, 4 * ratio]);
  curve(g, samples, label.label, color, x, y, ratio);
  g.fillStyle = ink.leave;
  for (let s = 15; s < 60; s += 15) g.fillRect(Math.round(x(now - s * 1000)), 0, ratio, 3 * ratio);
}

function line(g, x, y, w, p, color, dash) {
  g.strokeStyle = color;
  g.lineWidth = 1;
  g.setLineDash(dash);
  g.beginPath();
  g.moveTo(0, Math.round(y(p)) + 0.5);
  g.lineTo(w, Math.round(y(p)) + 0.5);
  g.stroke();
  g.setLineDash([]);
}

// bands draws what lasts from one sample to the next; runs of the same are one rectangle.
function bands(g, samples, id, color, now, x, h, ratio) {
  hatch ??= stripes(g, ratio);
  let from = 0;
  const kind = (s) => (s.status !== 'ok' ? 'none' : s.labels[id]?.state === 'on' ? 'on' : '');
  for (let i = 1; i <= samples.length; i++) {
    if (i < samples.length && kind(samples[i]) === kind(samples[from])) continue;
    const k = kind(samples[from]);
    const a = Math.max(0, x(samples[from].t));
    const b = i < samples.length ? x(samples[i].t) : x(now);
    from = i;
    if (k === '' || b < 0) continue;
    g.globalAlpha = k === 'on' ? 0.22 : 1;
    g.fillStyle = k === 'on' ? color : ink.none;
    g.fillRect(a, 0, Math.max(ratio, b - a), h);
    g.globalAlpha = 1;
    if (k === 'none' && b - a > 4 * ratio) {
      g.fillStyle = hatch;
      g.fillRect(a, 0, b - a, h);
    }
  }
}

function stripes(g, ratio) {
  const size = Math.round(8 * ratio);
  const c = document.createElement('canvas');
  c.width = c.height = size;
  const p = c.getContext('2d');
  p.strokeStyle = ink.hatch;
  p.lineWidth = ratio;
  p.beginPath();
  for (const d of [-size, 0, size]) {
    p.moveTo(d, size);
    p.lineTo(d + size, 0);
  }
  p.stroke();
  return g.createPattern(c, 'repeat');
}

// curve joins neighbours that were both evaluated.
function curve(g, samples, id, color, x, y, ratio) {
  g.strokeStyle = color;
  g.lineWidth = 1.75 * ratio;
  g.lineJoin = 'round';
  g.beginPath();
  let pen = false;
  let tip = null;
  for (const s of samples) {
    const p = s.status === 'ok' ? s.labels[id]?.p : undefined;
    // A frame that was left out between two that were not does not end the curve.
    if (p === undefined) {
      if (s.status === '' || s.status === 'black') pen = false;
      tip = null;
      continue;
    }
    const at = [x(s.t), y(p)];
    if (pen) g.lineTo(...at);
    else g.moveTo(...at);
    pen = true;
    tip = at;
  }
  g.stroke();
  if (!tip) return;
  g.fillStyle = color;
  g.beginPath();
  g.arc(Math.min(tip[0], g.canvas.width - 3 * ratio), tip[1], 3 * ratio, 0, 7);
  g.fill();
}
