// Words on axes. Pure, but for the time zone of whoever looks.

import { inUnit } from '../format.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY = 86_400;

/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');
/** @param {Date} at */
const day = (at) => `${at.getDate()} ${MONTHS[at.getMonth()]}`;
/** @param {Date} at @param {boolean} seconds */
const clock = (at, seconds) =>
  `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ''}`;

/**
 * Labels of an axis of time: clock times, and the day where it changes.
 * @param {readonly number[]} splits seconds since 1970
 * @param {number} step seconds between two
 * @returns {string[]}
 */
export function timeLabels(splits, step) {
  let before = '';
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    if (step >= 300 * DAY) return String(at.getFullYear());
    if (step >= DAY) {
      const year = String(at.getFullYear());
      const turned = before !== '' && before !== year;
      before = year;
      return turned ? `${day(at)} ${year}` : day(at);
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
  const date = `${['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][at.getDay()]} ${day(at)}`;
  return step >= DAY ? date : `${date} ${clock(at, step < 60)}`;
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
  return splits.map((value) => {
    if (value === 0) return unit === 'usd' ? '$0' : '0';
    if (unit === 'ratio') return `${plain(value * 100, step * 100)}\u00a0%`;
    if (unit === 'percent') return `${plain(value, step)}\u00a0%`;
    if (unit === 'usd') return `$${plain(value, step)}`;
    if (unit === 'count' || unit === 'tokens' || unit === undefined) return compact(value);
    // `200.0 ms` says no more than `200 ms`.
    return told(value).replace(/\.0(?=\D)/, '');
  });
}

/** @param {number} value @param {number} step */
function plain(value, step) {
  const digits = step > 0 && step < 1 ? Math.min(Math.ceil(-Math.log10(step) - 1e-9), 6) : 0;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number} value */
function compact(value) {
  for (const [factor, unit] of /** @type {const} */ ([
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ])) {
    if (Math.abs(value) >= factor) return `${Number((value / factor).toPrecision(4))}\u00a0${unit}`;
  }
  return String(Number(value.toPrecision(4)));
}
