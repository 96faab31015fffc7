// What a result is made of, and what can be drawn of it. Pure.

import { joined, parted } from '../route.js';

/** @typedef {'time'|'number'|'boolean'|'text'|'json'|'empty'} Type */
/** @typedef {{name: string, type: Type, distinct: number}} Column its name is that of no other */
/** @typedef {Record<string, unknown>} Row values by the names of columns */
/** @typedef {{names: string[], rows: Row[]}} Table */
/** @typedef {{label: string, values: (number|null)[]}} Series */
/**
 * @typedef {{kind: 'line'|'bars', x: string, labels: (string|number)[], series: Series[], left: number, added?: true}} Chart
 * `labels` are seconds where `kind` is line; `left` is how many series or bars are not drawn;
 * `added`: where rows are of one instant, a point is their sum
 */

const TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
/** Lines that one can tell apart. */
export const MOST_SERIES = 6;
/** Bars that one can read. */
export const MOST_BARS = 40;

/**
 * A table of the API as it came: columns in their order, of one name numbered,
 * and whole numbers that JavaScript cannot hold as text: none is shown wrong.
 * @param {string} body
 * @returns {Table}
 */
export function parse(body) {
  const exact = (
    /** @type {string} */ _key,
    /** @type {unknown} */ value,
    /** @type {{source?: string}} */ context,
  ) => {
    const large = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
    return large && /^-?\d+$/.test(context?.source ?? '') ? context.source : value;
  };
  const { columns, rows } = JSON.parse(body, /** @type {any} */ (exact));
  const names = apart(columns.map((/** @type {{name: string}} */ column) => column.name));
  return {
    names,
    rows: rows.map((/** @type {unknown[]} */ values) => {
      // Without a prototype: a column may be called like a part of it.
      /** @type {Row} */
      const row = Object.create(null);
      names.forEach((name, at) => (row[name] = values[at]));
      return row;
    }),
  };
}

/**
 * Names of which each is there once: `id`, `id (2)`.
 * @param {string[]} names
 */
function apart(names) {
  const taken = new Set(names);
  /** @type {Set<string>} */
  const given = new Set();
  return names.map((name) => {
    let own = name;
    for (let n = 2; given.has(own) || (own !== name && taken.has(own)); n += 1) own = `${name} (${n})`;
    given.add(own);
    return own;
  });
}

/**
 * The columns of a result, in its order.
 * @param {Table} table
 * @returns {Column[]}
 */
export function columns({ names, rows }) {
  return names.map((name) => {
    const values = rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined);
    return { name, type: type(values), distinct: new Set(values).size };
  });
}

/**
 * @param {unknown[]} values none of them null
 * @returns {Type}
 */
function type(values) {
  if (values.length === 0) return 'empty';
  const all = (/** @type {(value: unknown) => boolean} */ is) => values.every(is);
  if (all((value) => typeof value === 'number')) return 'number';
  if (all((value) => typeof value === 'boolean')) return 'boolean';
  if (all((value) => typeof value === 'string' && TIME.test(value) && !Number.isNaN(seconds(value)))) return 'time';
  if (all((value) => typeof value === 'string')) return 'text';
  const numbers = (/** @type {unknown} */ value) => typeof value === 'number' || /^-?\d+$/.test(String(value));
  return all(numbers) ? 'number' : 'json';
}

/**
 * What may stand on each axis, and what one would look at first.
 * @param {Column[]} columns
 * @returns {{x: Column[], y: Column[], first: Chosen} | null} null: nothing to draw
 */
export function axes(columns) {
  const time = columns.filter((column) => column.type === 'time');
  const text = columns.filter((column) => column.type === 'text' || column.type === 'boolean');
  const y = columns.filter((column) => column.type === 'number');
  const x = [...time, ...text];
  if (x.length === 0 || y.length === 0) return null;
  const by = time.length && text.length ? text[0].name : null;
  return { x, y, first: { x: x[0].name, y: by ? [y[0].name] : y.slice(0, 1).map((one) => one.name), by } };
}

/** @typedef {{x: string, y: string[], by: string | null}} Chosen */

/**
 * What is drawn, as an address has it: only what is not drawn anyway.
 * @param {Chosen} chosen
 * @param {Chosen} first
 */
export function chosenText({ x, y, by }, first) {
  const same = x === first.x;
  return {
    x: same ? null : x,
    y: same && y.join('\n') === first.y.join('\n') ? null : joined(y),
    by: same && by === first.by ? null : (by ?? ','),
  };
}

/**
 * What an address says is drawn; what it says of columns that are not there
 * counts for nothing.
 * @param {Record<string, string>} query
 * @param {{x: Column[], y: Column[], first: Chosen}} may
 * @returns {Chosen}
 */
export function chosenOf(query, { x, y, first }) {
  const across = x.find((column) => column.name === query['x'])?.name ?? first.x;
  const asked = parted(query['y']);
  const there = y.map((column) => column.name).filter((name) => asked.includes(name));
  // To draw none is a choice, too.
  const figures = there.length > 0 || query['y'] === ',' ? there : first.y;
  const by = x.find((column) => column.name === query['by'] && column.type !== 'time' && column.name !== across);
  const usual = across === first.x && query['by'] === undefined ? first.by : null;
  return { x: across, y: figures, by: by?.name ?? usual };
}

/**
 * A chart of a result: a line where `x` is time, else bars.
 * @param {Row[]} rows
 * @param {Column[]} columns
 * @param {{x: string, y: string[], by: string|null}} chosen
 * @returns {Chart | null}
 */
export function chart(rows, columns, chosen) {
  const x = columns.find((column) => column.name === chosen.x);
  if (!x || chosen.y.length === 0) return null;
  return x.type === 'time' ? line(rows, chosen) : bars(rows, chosen);
}

/**
 * @param {Row[]} rows
 * @param {{x: string, y: string[], by: string|null}} chosen
 * @returns {Chart | null}
 */
function line(rows, { x, y, by }) {
  /** @type {Map<string, Map<number, number>>} */
  const found = new Map();
  /** @type {Set<number>} */
  const times = new Set();
  let added = false;
  for (const row of rows) {
    const at = seconds(row[x]);
    if (Number.isNaN(at)) continue;
    times.add(at);
    for (const name of y) {
      const value = number(row[name]);
      if (value === null) continue;
      const label = by === null ? name : word(row[by]) + (y.length > 1 ? `, ${name}` : '');
      const points = found.get(label) ?? new Map();
      // The same instant twice is the sum: that is what is left out of a `group by`.
      added ||= points.has(at);
      points.set(at, (points.get(at) ?? 0) + value);
      found.set(label, points);
    }
  }
  if (times.size === 0 || found.size === 0) return null;
  const labels = even([...times].sort((a, b) => a - b));
  const weight = (/** @type {Map<number, number>} */ points) => {
    let sum = 0;
    for (const value of points.values()) sum += Math.abs(value);
    return sum;
  };
  const most = [...found].sort((a, b) => weight(b[1]) - weight(a[1]));
  const series = most.slice(0, MOST_SERIES).map(([label, points]) => ({
    label,
    values: labels.map((at) => points.get(at) ?? null),
  }));
  const chart = { kind: /** @type {const} */ ('line'), x, labels, series, left: most.length - series.length };
  return added ? { ...chart, added } : chart;
}

/** Instants that a line may have. */
const MOST_INSTANTS = 5000;

/**
 * Instants at even distances, where those there are lie at whole multiples of
 * the least distance: what is missing between them is seen to be missing.
 * @param {number[]} times rising
 */
export function even(times) {
  if (times.length < 3) return times;
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 0];
  const step = times.slice(1).reduce((least, time, at) => Math.min(least, time - (times[at] ?? 0)), Infinity);
  const n = (last - first) / step;
  const whole = times.every((time) => Math.abs((time - first) / step - Math.round((time - first) / step)) < 1e-6);
  if (!whole || !(n < MOST_INSTANTS)) return times;
  return Array.from({ length: Math.round(n) + 1 }, (_, at) => first + at * step);
}

/**
 * @param {Row[]} rows
 * @param {{x: string, y: string[]}} chosen
 * @returns {Chart | null}
 */
function bars(rows, { x, y }) {
  const drawn = rows.slice(0, MOST_BARS);
  if (drawn.length === 0) return null;
  return {
    kind: 'bars',
    x,
    labels: drawn.map((row) => word(row[x])),
    series: y.slice(0, MOST_SERIES).map((label) => ({ label, values: drawn.map((row) => number(row[label])) })),
    left: rows.length - drawn.length,
  };
}

/**
 * @param {unknown} value
 * @returns {number} NaN where it is no time
 */
export function seconds(value) {
  if (typeof value !== 'string') return NaN;
  const text = value.replace(' ', 'T');
  // Without an offset it is UTC here, as everywhere in the API.
  const zoned = /T.*(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : text.includes('T') ? `${text}Z` : text;
  return Date.parse(zoned) / 1000;
}

/** @param {unknown} value */
function number(value) {
  const found = typeof value === 'string' ? Number(value) : value;
  return typeof found === 'number' && Number.isFinite(found) ? found : null;
}

/**
 * A value as a word.
 * @param {unknown} value
 * @returns {string}
 */
export function word(value) {
  if (value === null || value === undefined) return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/**
 * Where the server says a statement goes wrong.
 * @param {string} detail
 * @returns {{line: number, column: number} | null}
 */
export function place(detail) {
  const found = /line:?\s*(\d+),?\s*column:?\s*(\d+)/i.exec(detail);
  return found ? { line: Number(found[1]), column: Number(found[2]) } : null;
}

/**
 * The offset of a line and column in a text; the nearest there is.
 * @param {string} text
 * @param {{line: number, column: number}} place
 */
export function offset(text, { line, column }) {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(before + column - 1, text.length);
}

/**
 * Statements used last, newest first, each once.
 * @param {string[]} history
 * @param {string} statement
 * @param {number} [most]
 */
export function remember(history, statement, most = 30) {
  const text = statement.trim();
  if (!text || text.length > 8192) return history;
  return [text, ...history.filter((one) => one !== text)].slice(0, most);
}
