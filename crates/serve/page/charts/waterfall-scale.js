// Time on a waterfall: instants to places and back, with idle stretches folded
// if one likes, and what the axis says. Pure: no DOM.

/** @typedef {{from: number, to: number}} Span ms */
/** A piece of the scale: time `from`…`to` is at `at`…`at + length`. @typedef {Span & {at: number, length: number, idle: boolean}} Piece */
/** @typedef {{pieces: Piece[], length: number, from: number, to: number}} Scale */

/** A folded idle stretch is so much of what is left wide. */
const FOLDED = 0.015;

/**
 * A scale over a window. With `fold`, stretches in which nothing runs are
 * narrow if they are long beside the rest.
 * @param {Span} window
 * @param {Span[]} busy
 * @param {boolean} fold
 * @returns {Scale}
 */
export function scale(window, busy, fold) {
  const whole = Math.max(window.to - window.from, 0);
  if (!fold || whole === 0) {
    const length = whole || 1;
    const piece = { from: window.from, to: window.from + length, at: 0, length, idle: false };
    return { pieces: [piece], length, from: window.from, to: window.from + length };
  }
  const gaps = idle(window, busy);
  const working = whole - gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  const width = Math.max(working, 1) * FOLDED;
  /** @type {Piece[]} */
  const pieces = [];
  let at = 0;
  let from = window.from;
  const push = (/** @type {number} */ to, /** @type {boolean} */ isIdle) => {
    if (to <= from) return;
    const length = isIdle ? width : to - from;
    pieces.push({ from, to, at, length, idle: isIdle });
    at += length;
    from = to;
  };
  for (const gap of gaps) {
    // One that is no wider than it would be folded stays as it is.
    if (gap.to - gap.from <= width * 2) continue;
    push(gap.from, false);
    push(gap.to, true);
  }
  push(window.to, false);
  return { pieces, length: at, from: window.from, to: window.to };
}

/**
 * Where nothing runs.
 * @param {Span} window
 * @param {Span[]} busy
 * @returns {Span[]}
 */
export function idle(window, busy) {
  const spans = busy.filter((span) => span.to >= window.from && span.from <= window.to);
  spans.sort((a, b) => a.from - b.from);
  /** @type {Span[]} */
  const gaps = [];
  let at = window.from;
  for (const span of spans) {
    if (span.from > at) gaps.push({ from: at, to: span.from });
    at = Math.max(at, span.to);
  }
  if (at < window.to) gaps.push({ from: at, to: window.to });
  return gaps;
}

/**
 * Where an instant is, 0 to `scale.length`; before and after the scale: its ends.
 * @param {Scale} scale
 * @param {number} time
 */
export function place(scale, time) {
  const { pieces } = scale;
  if (time <= scale.from) return 0;
  if (time >= scale.to) return scale.length;
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (time < pieces[middle].to) high = middle;
    else low = middle + 1;
  }
  const piece = pieces[low];
  return piece.at + ((time - piece.from) / (piece.to - piece.from)) * piece.length;
}

/**
 * The instant at a place.
 * @param {Scale} scale
 * @param {number} at
 */
export function instant(scale, at) {
  const piece = scale.pieces.find((piece) => at < piece.at + piece.length) ?? scale.pieces.at(-1);
  if (!piece) return scale.from;
  const share = Math.min(Math.max((at - piece.at) / piece.length, 0), 1);
  return piece.from + share * (piece.to - piece.from);
}

/**
 * What is in sight, as an address has it: milliseconds since the beginning, so
 * that it is the same whether idle stretches are folded or not.
 * @param {{low: number, high: number}} view
 * @param {Scale} scale
 */
export function zoomText({ low, high }, scale) {
  // To the nanosecond.
  const told = (/** @type {number} */ at) => String(Number((instant(scale, at) - scale.from).toFixed(6)));
  return `${told(low)}..${told(high)}`;
}

/**
 * @param {string | undefined} text
 * @param {Scale} scale
 * @returns {{low: number, high: number} | null} null: all of it
 */
export function zoomOf(text, scale) {
  const [from = NaN, to = NaN] = (text ?? '').split('..').map((part) => (part === '' ? NaN : Number(part)));
  if (!(to > from)) return null;
  const [low, high] = [place(scale, scale.from + from), place(scale, scale.from + to)];
  return high > low && (low > 0 || high < scale.length) ? { low, high } : null;
}

/** Steps that people think in, ms. */
const STEPS = [
  ...[0.001, 0.01, 0.1, 1, 10, 100].flatMap((unit) => [unit, 2 * unit, 5 * unit]),
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1e3),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 6e4),
  ...[1, 2, 3, 6, 12, 24, 48, 168, 720].map((hours) => hours * 36e5),
];

/**
 * The marks of the axis between two places of the scale: at round distances
 * from the beginning and where work begins again, none within a folded stretch,
 * none too near to the one before.
 * @param {Scale} scale
 * @param {number} low place
 * @param {number} high place
 * @param {number} most marks
 * @returns {{at: number, offset: number}[]} the place, and ms since the beginning
 */
export function ticks(scale, low, high, most) {
  const span = high - low;
  if (!(span > 0) || most < 1) return [];
  const step = STEPS.find((step) => span / step <= most) ?? span / most;
  const gap = (span / most) * 0.7;
  /** @type {{at: number, offset: number}[]} */
  const marks = [];
  const folded = scale.pieces.some((piece) => piece.idle);
  const mark = (/** @type {number} */ offset) => {
    const at = place(scale, scale.from + offset);
    const before = marks.at(-1);
    if (!before || at - before.at >= gap) marks.push({ at, offset });
  };
  for (const piece of scale.pieces) {
    if (piece.idle || piece.at + piece.length < low || piece.at > high) continue;
    const from = Math.max(piece.from, piece.from + (low - piece.at));
    // Where work begins again after a fold is worth a mark, round or not.
    if (folded && piece.at >= low) mark(piece.from - scale.from);
    const to = Math.min(piece.to, piece.from + (high - piece.at));
    // Not `-0`: what rounds up to nothing is the beginning.
    const first = Math.max(Math.ceil((from - scale.from) / step - 1e-9), 0);
    for (let n = first; n * step <= to - scale.from + 1e-9 && n < first + 4 * most; n += 1) mark(n * step);
  }
  return marks;
}

/**
 * What a mark says: `2 min 15 s`, `125.2 s`, `3 ms`; as exact as its step.
 * @param {number} offset ms
 * @param {number} step ms
 */
export function says(offset, step) {
  if (offset === 0) return '0';
  if (offset >= 6e4 && step >= 1e3) {
    const whole = Math.round(offset / 1e3);
    const parts = [
      [Math.floor(whole / 3600), 'h'],
      [Math.floor(whole / 60) % 60, 'min'],
      [whole % 60, 's'],
    ];
    return parts
      .filter(([n]) => n)
      .map(([n, unit]) => `${n} ${unit}`)
      .join(' ');
  }
  const [size, unit] = offset >= 1e3 ? [1e3, 's'] : offset >= 1 ? [1, 'ms'] : [1e-3, 'µs'];
  const digits = Math.min(Math.max(Math.ceil(-Math.log10(step / size) - 1e-9), 0), 9);
  return `${Number((offset / size).toFixed(digits))} ${unit}`;
}

/**
 * A view of the scale, nearer or farther, around a place; never outside it.
 * @param {{low: number, high: number}} view
 * @param {number} factor below 1: nearer
 * @param {number} around place
 * @param {number} length of the scale
 */
export function zoom(view, factor, around, length) {
  const least = length / 1e6;
  const span = Math.min(Math.max((view.high - view.low) * factor, least), length);
  const share = (around - view.low) / (view.high - view.low || 1);
  return clamp(around - share * span, span, length);
}

/**
 * A view moved by a share of itself.
 * @param {{low: number, high: number}} view
 * @param {number} share
 * @param {number} length of the scale
 */
export function pan(view, share, length) {
  const span = view.high - view.low;
  return clamp(view.low + share * span, span, length);
}

/**
 * @param {number} low
 * @param {number} span
 * @param {number} length
 */
function clamp(low, span, length) {
  const at = Math.min(Math.max(low, 0), Math.max(length - span, 0));
  return { low: at, high: at + span };
}
