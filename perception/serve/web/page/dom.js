// Small helpers. What has not changed is not written, so that nothing flickers.

export const $ = (id) => document.getElementById(id);

export function text(el, s) {
  if (el.textContent !== s) el.textContent = s;
}

export function attr(el, name, value) {
  if (el.getAttribute(name) !== value) el.setAttribute(name, value);
}

// rows makes parent's children fit the list: make() for a new one, fill(el, item) for each.
export function rows(parent, list, make, fill) {
  while (parent.children.length > list.length) parent.lastElementChild.remove();
  while (parent.children.length < list.length) parent.append(make());
  list.forEach((item, i) => fill(parent.children[i], item));
}

export function el(tag, cls, s) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (s !== undefined) e.textContent = s;
  return e;
}

export const copy = (id) => $(id).content.firstElementChild.cloneNode(true);

// whole is a count, with narrow spaces between thousands.
export const whole = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, '\u202f');

// ms is a time in milliseconds, in at most four characters.
export function ms(v) {
  if (v === undefined || !isFinite(v)) return '–';
  if (v < 10) return v.toFixed(2);
  return v < 100 ? v.toFixed(1) : whole(v);
}

// span is how long something lasts, from milliseconds.
export function span(v) {
  const s = Math.max(0, Math.floor(v / 1000));
  if (s < 100) return s + ' s';
  if (s < 6000) return Math.floor(s / 60) + ' min';
  if (s < 360000) return Math.floor(s / 3600) + ' h ' + Math.floor(s / 60) % 60 + ' min';
  return Math.floor(s / 86400) + ' d ' + Math.floor(s / 3600) % 24 + ' h';
}

export const clock = (at) => new Date(at).toTimeString().slice(0, 8);
