// A camera's picture: fetched one after the other, with what the network saw in this very frame.

import { text, attr, ms, clock } from './dom.js';

const pause = 120; // ms between pictures
const calm = 1000; // ms, where motion is to be reduced, and while the page is hidden
const retry = 1000;

export class Picture {
  constructor(name, root, history, colors, wanted) {
    Object.assign(this, { name, history, colors, wanted });
    this.canvas = root.querySelector('.picture');
    this.caption = root.querySelector('.caption');
    this.at = 0; // when the last one came, performance.now()
    this.image = null;
    this.gone = false;
    this.still = window.matchMedia('(prefers-reduced-motion: reduce)');
    attr(this.canvas, 'aria-label', 'picture of ' + name);
    this.next();
  }

  async next() {
    if (this.gone) return;
    if (!this.wanted()) { // there is none
      setTimeout(() => this.next(), pause);
      return;
    }
    let wait = this.still.matches || document.hidden ? calm : pause;
    try {
      const r = await fetch('/v1/frame.jpg?source=' + encodeURIComponent(this.name), { signal: AbortSignal.timeout(4000), cache: 'no-store' });
      if (r.ok) {
        const image = await createImageBitmap(await r.blob());
        this.image?.close();
        this.image = image;
        this.seq = Number(r.headers.get('X-Seq'));
        this.captured = clock(r.headers.get('X-Captured'));
        this.at = performance.now();
        this.draw();
      } else {
        wait = retry;
      }
    } catch {
      wait = retry; // the link says that there is no connection
    }
    setTimeout(() => this.next(), wait);
  }

  // draw shows the picture and the boxes of the same frame. Boxes of another frame would lie.
  draw() {
    if (!this.image) return;
    const { width: w, height: h } = this.image;
    if (this.canvas.width !== w || this.canvas.height !== h) [this.canvas.width, this.canvas.height] = [w, h];
    const g = this.canvas.getContext('2d');
    g.drawImage(this.image, 0, 0);
    const r = this.history.bySeq.get(this.seq);
    this.drawn = Boolean(r);
    this.tags = [];
    if (r) for (const l of r.labels) if (l.where && l.state === 'on') this.mark(g, l);
    const age = r?.live?.age_ms;
    text(this.caption, '#' + this.seq + ' · captured ' + this.captured + (r ? ' · ' + (r.status === 'ok' ? 'boxes of this frame' : r.status) + (age !== undefined ? ' · ' + ms(age) + ' ms to publish' : '') : ' · result not here yet'));
  }

  // late draws again when a picture's result came after it.
  late() { if (this.image && !this.drawn) this.draw(); }

  mark(g, l) {
    const k = Math.max(this.canvas.width / Math.max(1, this.canvas.clientWidth), this.canvas.height / Math.max(1, this.canvas.clientHeight)); // fitted in
    const color = this.colors(l.label);
    g.lineWidth = 2.5 * k;
    g.strokeStyle = color;
    g.font = '600 ' + Math.round(13 * k) + 'px system-ui, sans-serif';
    g.textBaseline = 'bottom';
    l.where.boxes.forEach((b, i) => {
      const [x, y, w, h] = b.xywh;
      g.strokeRect(x, y, w, h);
      if (i > 0) return;
      const s = l.label + ' ' + l.p.toFixed(2);
      const wide = g.measureText(s).width + 8 * k;
      const high = 17 * k;
      const left = Math.min(x, this.canvas.width - wide);
      const top = this.place(left, y > high ? y : y + h + high, wide, high);
      g.fillStyle = color;
      g.fillRect(left - g.lineWidth / 2, top - high, wide, high);
      g.fillStyle = '#0b0e12';
      g.fillText(s, left + 3 * k, top - 1.5 * k);
    });
    const [px, py] = l.where.peak.xy;
    g.beginPath();
    g.moveTo(px - 7 * k, py);
    g.lineTo(px + 7 * k, py);
    g.moveTo(px, py - 7 * k);
    g.lineTo(px, py + 7 * k);
    g.stroke();
  }

  // place is the lower edge for a tag that covers no other: above those that are there.
  place(left, bottom, wide, high) {
    let y = Math.min(this.canvas.height, bottom);
    for (const t of [...this.tags].sort((a, b) => b.y - a.y)) {
      if (left < t.left + t.wide && t.left < left + wide && y > t.y - high && y - high < t.y) y = t.y - high;
    }
    y = Math.max(high, y);
    this.tags.push({ left, wide, y });
    return y;
  }
}
