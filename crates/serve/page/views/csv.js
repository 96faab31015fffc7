// A result as CSV, as the command line writes it (model/render/csv.rs): text is
// guarded against formulas, numbers are not. Pure.

const FORMULA = /^'*[=+\-@\t\r]/;

/**
 * @param {string[]} columns
 * @param {Record<string, unknown>[]} rows
 * @returns {string}
 */
export function csv(columns, rows) {
  const lines = [columns.map(text), ...rows.map((row) => columns.map((column) => cell(row[column])))];
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
  const guarded = FORMULA.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
