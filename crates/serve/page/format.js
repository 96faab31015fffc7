// Figures for people, in the words of the command line. Pure: no clock, no page.

/** What stands where there is no figure. */
export const NONE = '–';
/** Keeps a number and its unit on one line. */
const NBSP = '\u00a0';

/**
 * A text from outside in which nothing turns the order of letters around it: such marks
 * are told by their numbers, as in the terminal. Letters that run to the left stay.
 * @param {string} text
 */
export const plain = (text) =>
  text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (mark) => `\\u{${mark.charCodeAt(0).toString(16)}}`);

const digits = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
/** From here on no figure is anything but a mistake: it is told in as little room as can be. */
export const ABSURD = 1e15;

/**
 * A figure by its power of ten: `3.2e289`.
 * @param {number} value
 */
export const exponent = (value) => value.toExponential(1).replace('e+', 'e');

const whole = {
  format: (/** @type {number} */ value) => (Math.abs(value) < ABSURD ? digits.format(value) : exponent(value)),
};
const cents = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** @typedef {number | null | undefined} Figure */

/**
 * @param {Figure} value
 * @returns {value is number}
 */
const known = (value) => typeof value === 'number' && Number.isFinite(value);

/**
 * One digit after the point below 100, and none above.
 * @param {number} value
 */
const short = (value) => (Math.abs(value) < 99.95 ? value.toFixed(1) : whole.format(value));

/**
 * In the last unit that the figure reaches; rounded, it stays below the next.
 * @param {number} value
 * @param {readonly (readonly [number, string])[]} units
 */
function scaled(value, units) {
  const size = Math.abs(value);
  const found = units.findIndex(([factor], at) => {
    const next = units[at + 1];
    return next && size < next[0] - factor * 0.5;
  });
  const at = found < 0 ? units.length - 1 : found;
  const [factor, unit] = /** @type {readonly [number, string]} */ (units[at]);
  return `${short(value / factor)}${NBSP}${unit}`;
}

/** Milliseconds. */
export const MINUTE = 60e3;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Machines tell of memory and traffic in MiB; so many bytes are one. */
export const MIB = 1_048_576;

/**
 * Milliseconds: `850 ns`, `1.2 ms`, `12.3 s`, `5.0 min`, `3.4 h`, `2.1 d`.
 * Minutes begin at 90 s, hours at 90 min, days at 48 h.
 * @param {Figure} ms
 */
export function duration(ms) {
  if (!known(ms)) return NONE;
  const size = Math.abs(ms);
  if (size === 0) return `0${NBSP}ms`;
  if (size < 0.95e-6) return `<1${NBSP}ns`;
  if (size < 1.5 * MINUTE) {
    return scaled(ms, [
      [1e-6, 'ns'],
      [1e-3, 'µs'],
      [1, 'ms'],
      [1e3, 's'],
    ]);
  }
  if (size < 90 * MINUTE) return `${short(ms / MINUTE)}${NBSP}min`;
  if (size < 2 * DAY) return `${short(ms / HOUR)}${NBSP}h`;
  if (size < 730 * DAY) return `${short(ms / DAY)}${NBSP}d`;
  return `${short(ms / DAY / 365.25)}${NBSP}y`;
}

/** @type {readonly (readonly [number, string])[]} */
const MANY = [
  [1e6, 'M'],
  [1e9, 'G'],
  [1e12, 'T'],
];
/** From here on figures are told as millions and more. */
const LARGE = /** @type {const} */ ({ count: 9_999_500, tokens: 999_500, usd: 999_999.995 });

/** @param {number} n */
const many = (n) => (Math.abs(n) < ABSURD ? scaled(n, MANY) : exponent(n));

/**
 * How many: `1,234`; from ten million on `12.3 M`.
 * @param {Figure} n
 */
export function count(n) {
  if (!known(n)) return NONE;
  if (Math.abs(n) >= LARGE.count) return many(n);
  return Number.isInteger(n) || Math.abs(n) >= 99.95 ? whole.format(n) : n.toFixed(1);
}

/**
 * Tokens: `9,840`; from a million on `7.9 M`.
 * @param {Figure} n
 */
export function tokens(n) {
  return known(n) && Math.abs(n) >= LARGE.tokens ? many(n) : count(n);
}

/**
 * To the last digit: `12,345,678`.
 * @param {Figure} n
 */
export function integer(n) {
  return known(n) ? whole.format(n) : NONE;
}

/**
 * A size: `312 B`, `3.4 MB` (powers of 1000).
 * @param {Figure} n
 */
export function bytes(n) {
  if (!known(n)) return NONE;
  if (Math.abs(n) < 999.5) return `${whole.format(n)}${NBSP}B`;
  return scaled(n, [
    [1e3, 'kB'],
    [1e6, 'MB'],
    [1e9, 'GB'],
    [1e12, 'TB'],
    [1e15, 'PB'],
  ]);
}

/**
 * US dollars: `$1,234.56`; below 10 cents `$0.0012`, from a million on `$1.2 M`.
 * @param {Figure} usd
 */
export function money(usd) {
  if (!known(usd)) return NONE;
  const size = Math.abs(usd);
  const sign = usd < 0 ? '-' : '';
  if (size !== 0 && size < 0.00005) return `${sign}<$0.0001`;
  if (size !== 0 && size < 0.1) return `${sign}$${size.toFixed(4)}`;
  if (size >= LARGE.usd) return `${sign}$${many(size)}`;
  return `${sign}$${cents.format(size)}`;
}

/**
 * A ratio of 0..=1: `97.3 %`. What is nearly none or all is not told as that:
 * `<0.1 %`, `>99.9 %`.
 * @param {Figure} ratio
 */
export function percent(ratio) {
  if (!known(ratio)) return NONE;
  if (ratio > 0 && ratio < 0.0005) return `<0.1${NBSP}%`;
  if (ratio < 1 && ratio >= 0.9995) return `>99.9${NBSP}%`;
  const percents = ratio * 100;
  return `${Math.abs(percents) < ABSURD ? percents.toFixed(1) : exponent(percents)}${NBSP}%`;
}

/**
 * Per second: `12.3 /s`; below one in ten seconds, per minute or hour.
 * @param {Figure} perSecond
 */
export function rate(perSecond) {
  if (!known(perSecond)) return NONE;
  const size = Math.abs(perSecond);
  if (size === 0) return `0${NBSP}/s`;
  if (size >= 0.1) return `${short(perSecond)}${NBSP}/s`;
  if (size * 60 >= 0.1) return `${short(perSecond * 60)}${NBSP}/min`;
  return `${short(perSecond * 3600)}${NBSP}/h`;
}

/** @typedef {string | number | Date | null | undefined} Time ISO text, or milliseconds since 1970 */

/**
 * Milliseconds since 1970; `null`: it is no time.
 * @param {Time} ts
 * @returns {number | null}
 */
export function instant(ts) {
  if (ts === null || ts === undefined || ts === '') return null;
  const ms = ts instanceof Date ? ts.getTime() : typeof ts === 'number' ? ts : Date.parse(ts);
  return Number.isFinite(ms) ? ms : null;
}

/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');

/**
 * Local time: `2026-11-28 14:03`; precise: with seconds and milliseconds.
 * @param {Time} ts
 * @param {{precise?: boolean}} [options]
 */
export function time(ts, { precise = false } = {}) {
  const ms = instant(ts);
  if (ms === null) return NONE;
  const at = new Date(ms);
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (!precise) return `${date}${NBSP}${clock}`;
  const rest = `${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  return `${date}${NBSP}${clock}:${rest}`;
}

let clock = Date.now;

/**
 * What time it is, from now on, for what is told as so long ago.
 * @param {() => number} now milliseconds since 1970
 */
export function keepTime(now) {
  clock = now;
}

/**
 * How long ago: `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`; `now` below 5 s.
 * @param {Time} ts
 * @param {number} [now] milliseconds since 1970
 */
export function ago(ts, now = clock()) {
  const ms = instant(ts);
  if (ms === null) return NONE;
  const past = now - ms;
  const size = Math.abs(past);
  if (size < 5e3) return 'now';
  const [factor, unit] =
    size < 90e3 ? [1e3, 's'] : size < 90 * MINUTE ? [MINUTE, 'min'] : size < 2 * DAY ? [HOUR, 'h'] : [DAY, 'd'];
  const text = `${whole.format(size / Number(factor))}${NBSP}${unit}`;
  return past < 0 ? `in ${text}` : `${text} ago`;
}

/**
 * How a figure compares with an earlier one: `+12 %`, `-3 %`, `3.0 times`,
 * `as before`; with nothing to compare with, `–`.
 * @param {Figure} now
 * @param {Figure} before
 */
export function delta(now, before) {
  if (!known(now) || !known(before) || before === 0) return NONE;
  const ratio = now / before;
  if (ratio >= 2) return `${short(ratio)}${NBSP}times`;
  const percents = Math.round((ratio - 1) * 100);
  if (percents === 0) return 'as before';
  return `${percents > 0 ? '+' : '-'}${Math.abs(percents)}${NBSP}%`;
}

/**
 * A count with its noun: `1 call`, `1,234 calls`.
 * @param {Figure} n
 * @param {string} one
 * @param {string} [many]
 */
export function counted(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** @typedef {'ms' | 'count' | 'bytes' | 'usd' | 'ratio' | 'bytes_per_second' | 'per_second' | 'tokens' | 'percent' | 'number'} Unit */

/**
 * A figure in its unit.
 * @param {Unit | undefined} unit
 * @returns {(value: Figure) => string}
 */
export function inUnit(unit) {
  switch (unit) {
    case 'ms':
      return duration;
    case 'bytes':
      return bytes;
    case 'usd':
      return money;
    case 'ratio':
      return percent;
    case 'percent':
      return (value) => percent(known(value) ? value / 100 : null);
    case 'bytes_per_second':
      return (value) => (known(value) ? `${bytes(value)}/s` : NONE);
    case 'per_second':
      return rate;
    case 'count':
      return count;
    case 'tokens':
      return tokens;
    default:
      return number;
  }
}

/**
 * The figures of a column in one form: where the largest is told as millions,
 * smaller ones are told as thousands rather than to the last digit.
 * @param {Unit | undefined} unit
 * @param {Iterable<unknown>} values
 * @returns {(value: Figure) => string}
 */
export function inColumn(unit, values) {
  const told = inUnit(unit);
  if (unit !== 'count' && unit !== 'tokens' && unit !== 'usd') return told;
  const large = [...values].some((value) => typeof value === 'number' && Math.abs(value) >= LARGE[unit]);
  return large ? (value) => (known(value) ? thousands(unit, value, told) : NONE) : told;
}

/**
 * @param {'count' | 'tokens' | 'usd'} unit
 * @param {number} value
 * @param {(value: Figure) => string} told what is below a thousand
 */
function thousands(unit, value, told) {
  const size = Math.abs(value);
  if (size < 999.5 || size >= ABSURD) return told(value);
  const text = scaled(size, [[1e3, 'k'], ...MANY]);
  return `${value < 0 ? '-' : ''}${unit === 'usd' ? '$' : ''}${text}`;
}

/**
 * How figures are told that are in the unit of whoever measured: durations, sizes
 * and percentages as everywhere, others as they are. A figure is to be taken `times` so many.
 * @param {string | null | undefined} unit as UCUM writes it
 * @returns {{unit: Unit, times: number}}
 */
export function measuredIn(unit) {
  switch (unit) {
    case 's':
      return { unit: 'ms', times: 1e3 };
    case 'ms':
      return { unit: 'ms', times: 1 };
    case 'us':
      return { unit: 'ms', times: 1e-3 };
    case 'ns':
      return { unit: 'ms', times: 1e-6 };
    case 'By':
      return { unit: 'bytes', times: 1 };
    case 'KiBy':
      return { unit: 'bytes', times: 1024 };
    // The machine's own metrics have it without the `By`, as their names do.
    case 'MiB':
    case 'MiBy':
      return { unit: 'bytes', times: MIB };
    case 'GiBy':
      return { unit: 'bytes', times: 1024 * MIB };
    case 'By/s':
      return { unit: 'bytes_per_second', times: 1 };
    case 'MiB/s':
    case 'MiBy/s':
      return { unit: 'bytes_per_second', times: MIB };
    case '%':
      return { unit: 'percent', times: 1 };
    default:
      return { unit: 'number', times: 1 };
  }
}

/**
 * Any figure: whole ones with separators, others with four significant digits.
 * @param {Figure} value
 */
export function number(value) {
  if (!known(value)) return NONE;
  if (Number.isInteger(value) || Math.abs(value) >= 1e4) return whole.format(value);
  return String(Number(value.toPrecision(4)));
}
