// Words on axes. Pure, but for the time zone of whoever looks.

import { ABSURD, exponent, inUnit } from '../format.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY = 86_400;

/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** @param {Date} at */
const day = (at) => `${at.getDate()} ${MONTHS[at.getMonth()]}`;
/** @param {Date} at @param {boolean} seconds */
const clock = (at, seconds) =>
  `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ''}`;

/**
 * Labels of an axis of time: clock times, and the day where it changes; which
 * uPlot lays out in the time zone it is told.
 * @param {readonly number[]} splits seconds since 1970
 * @param {number} step seconds between two
 * @param {boolean} [utc] in UTC rather than local time
 * @returns {string[]}
 */
export function timeLabels(splits, step, utc = false) {
  let before = '';
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    if (step >= 300 * DAY) return String(utc ? at.getUTCFullYear() : at.getFullYear());
    if (step >= DAY) {
      const year = String(utc ? at.getUTCFullYear() : at.getFullYear());
      const turned = before !== '' && before !== year;
      before = year;
      const date = utc ? `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}` : day(at);
      return turned ? `${date} ${year}` : date;
    }
    const midnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
    return midnight ? day(at) : clock(at, step < 60);
  });
}

/**
 * One point of time under the cursor, as exactly as the points lie apart.
 * @param {number} seconds since 1970
 * @param {number} step seconds between two points
 */
export function timeLabel(seconds, step) {
  const at = new Date(seconds * 1000);
  // Stretches of whole days are those of UTC, wherever whoever looks is.
  if (step >= DAY) return `${DAYS[at.getUTCDay()]} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
  return `${DAYS[at.getDay()]} ${day(at)} ${clock(at, step < 60)}`;
}

/** Where an axis of durations has its lines, milliseconds: what clocks count in. */
const DURATIONS = [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1e3, 1e4, 6e4, 6e5, 3.6e6, 3.6e7, 3.6e8, 3.6e9];

/**
 * Lines of a logarithmic axis.
 * @param {import('../format.js').Unit | undefined} unit
 * @param {number} low above 0
 * @param {number} high
 * @returns {number[]}
 */
export function logSplits(unit, low, high) {
  const from = Math.floor(Math.log10(low));
  const all =
    unit === 'ms'
      ? DURATIONS
      : Array.from({ length: Math.max(Math.ceil(Math.log10(high)) - from + 1, 1) }, (_, at) => 10 ** (from + at));
  return all.filter((value) => value >= low && value <= high);
}

/**
 * Steps between lines of an axis that are round in its unit, the least first;
 * `undefined`: any decimal ones.
 * @param {import('../format.js').Unit | undefined} unit
 * @returns {number[] | undefined}
 */
export function steps(unit) {
  const decimal = (/** @type {number} */ from, /** @type {number} */ to) =>
    Array.from({ length: to - from }, (_, at) => [1, 2, 5].map((n) => n * 10 ** (from + at))).flat();
  if (unit === 'count') return decimal(0, 15);
  if (unit === 'ms') {
    const long = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14_400, 43_200].map((n) => n * 6e4);
    return [...decimal(-6, 4), 2e4, 3e4, ...long];
  }
  return undefined;
}

/**
 * Labels of an axis of figures, in its unit, without digits that say nothing.
 * @param {import('../format.js').Unit | undefined} unit
 * @param {readonly number[]} splits
 * @returns {string[]}
 */
export function figureLabels(unit, splits) {
  const step = splits.length > 1 ? Math.abs(Number(splits[1]) - Number(splits[0])) : 0;
  const told = inUnit(unit);
  const large = splits.some((value) => Math.abs(value) >= 1e6);
  return splits.map((value) => {
    if (value === 0) return unit === 'usd' ? '$0' : '0';
    if (unit === 'ratio') return `${plain(value * 100, step * 100)}\u00a0%`;
    if (unit === 'percent') return `${plain(value, step)}\u00a0%`;
    if (unit === 'usd') return `$${large ? compact(value) : plain(value, step)}`;
    if (unit === 'count' || unit === 'tokens' || unit === undefined) return compact(value);
    // `200.0 ms` says no more than `200 ms`, and `60 s` is `1 min`.
    if (unit === 'ms' && value >= 6e4 && value < 9e4) return `${value / 6e4}\u00a0min`;
    if (unit === 'ms' && value >= 3.6e6 && value < 5.4e6) return `${value / 3.6e6}\u00a0h`;
    return told(value).replace(/\.0(?=\D)/, '');
  });
}

/** @param {number} value @param {number} step */
function plain(value, step) {
  if (Math.abs(value) >= ABSURD) return exponent(value);
  const digits = step > 0 && step < 1 ? Math.min(Math.ceil(-Math.log10(step) - 1e-9), 6) : 0;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number} value */
function compact(value) {
  if (Math.abs(value) >= ABSURD) return exponent(value);
  for (const [factor, unit] of /** @type {const} */ ([
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ])) {
    if (Math.abs(value) >= factor) return `${Number((value / factor).toPrecision(4))}\u00a0${unit}`;
  }
  return String(Number(value.toPrecision(4)));
}
