// What was said of a camera's frames in the last minute.

export const minute = 60000; // ms
const silence = 1500; // ms without a result after which nothing is known
const kept = 64; // results to find a picture's by number

export class History {
  constructor() {
    this.samples = []; // {t, status, reason, labels}, oldest first; t is performance.now()
    this.bySeq = new Map();
  }

  add(r) {
    const t = performance.now();
    const labels = {};
    for (const l of r.labels) labels[l.label] = l;
    const last = this.samples.at(-1);
    if (last && t - last.t > silence) this.samples.push(gap(last.t + silence / 3));
    this.samples.push({ t, status: r.status, reason: r.reason || '', labels, seq: r.seq });
    let old = 0;
    while (this.samples[old].t < t - minute - 2000) old++;
    if (old > 100) this.samples.splice(0, old);
    this.bySeq.set(r.seq, r);
    if (this.bySeq.size > kept) this.bySeq.delete(this.bySeq.keys().next().value);
  }

  // all are the samples, and that there are none since the last one if it is long ago.
  all(now) {
    const last = this.samples.at(-1);
    if (last && now - last.t > silence) return [...this.samples, gap(last.t + silence / 3)];
    return this.samples;
  }

  // latest is the newest answer, null when it is too old to say anything: a frame that is left
  // out between two others says nothing, and takes nothing back.
  latest(now) {
    for (let i = this.samples.length - 1; i >= 0 && now - this.samples[i].t <= silence; i--) {
      if (this.samples[i].status === 'ok') return this.samples[i];
    }
    return null;
  }

  // gaps counts all frames of the last minute, and those that were not evaluated by status.
  gaps(now) {
    const n = {};
    let last = null;
    let all = 0;
    for (const s of this.samples) {
      if (s.t < now - minute || s.status === '') continue;
      all++;
      if (s.status === 'ok') continue;
      n[s.status] = (n[s.status] || 0) + 1;
      last = s;
    }
    return { n, last, all };
  }
}

const gap = (t) => ({ t, status: '', reason: 'no results', labels: {} });
