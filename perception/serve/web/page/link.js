// The connection to the daemon: its state once a second, and the stream of results. Both come
// back by themselves.

const every = 1000; // ms, between questions for the state
const patience = 3000; // ms, for an answer

export class Link extends EventTarget {
  constructor() {
    super();
    this.lost = 0; // since when, Date.now(); 0 while there is a connection
    this.seen = 0; // when the daemon last answered
    this.skew = 0; // the daemon's clock less ours, ms
    this.stream = null;
    this.streaming = false;
    this.ask();
    this.listen();
  }

  // now is the daemon's time.
  now() { return Date.now() + this.skew; }

  tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  async ask() {
    try {
      const r = await fetch('/v1/status', { signal: AbortSignal.timeout(patience), cache: 'no-store' });
      if (!r.ok) throw new Error(await r.text());
      const status = await r.json();
      this.clock(r.headers.get('Date'));
      this.seen = Date.now();
      if (this.lost) {
        this.tell('back', { since: this.lost });
        this.lost = 0;
      }
      this.tell('status', status);
    } catch (e) {
      if (!this.lost) {
        this.lost = this.seen || Date.now();
        this.tell('lost', { since: this.lost, why: e.message });
      }
    }
    setTimeout(() => this.ask(), every);
  }

  // clock notes the difference of the clocks, where it is more than the header's rounding.
  clock(date) {
    const d = Date.parse(date) + 500 - Date.now();
    this.skew = Math.abs(d) > 1500 ? d : 0;
  }

  listen() {
    const s = new EventSource('/v1/results');
    this.stream = s;
    s.onopen = () => { this.streaming = true; };
    for (const name of ['header', 'result', 'event']) {
      s.addEventListener(name, (m) => this.tell(name, JSON.parse(m.data)));
    }
    s.onerror = () => { // a refusal would end an EventSource for good
      this.streaming = false;
      s.close();
      setTimeout(() => this.listen(), every);
    };
  }
}
