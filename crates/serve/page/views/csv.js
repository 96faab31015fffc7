// A result as CSV, as the command line writes it (model/render/csv.rs): text is
// guarded against formulas, numbers are not. Here, where large ones are text,
// nor is text that is but a number. Pure.

const FORMULA = /^'*[=+\-@\t\r]/;
/** What no spreadsheet takes for more than a number. */
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/**
 * @param {readonly {name: string}[]} columns
 * @param {readonly Record<string, unknown>[]} rows
 * @returns {string}
 */
export function csv(columns, rows) {
  const names = columns.map(({ name }) => name);
  const lines = [names.map(text), ...rows.map((row) => names.map((name) => cell(row[name])))];
  return lines.map((line) => line.join(',') + '\n').join('');
}

/**
 * No value is nothing at all, an empty text two quotes.
 * @param {unknown} value
 */
export function cell(value) {
  if (value === null || value === undefined) return '';
  if (value === '') return '""';
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return text(typeof value === 'string' ? value : JSON.stringify(value));
}

/** @param {string} value */
function text(value) {
  const guarded = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/**
 * The cells of each line of a CSV, as RFC 4180 has it.
 * @param {string} source
 * @returns {string[][]}
 */
export function parsed(source) {
  /** @type {string[][]} */
  const lines = [];
  /** @type {string[]} */
  let line = [];
  // A cell in quotes or without, and what ends it.
  for (const [, quoted, plain = '', end] of source.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    if (end === '' && line.length === 0 && quoted === undefined && plain === '') break;
    line.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    lines.push(line);
    line = [];
    if (end === '') break;
  }
  return lines;
}
