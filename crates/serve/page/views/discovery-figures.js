// The answer to `discovery` in CSV, which has figures to their last digit: in JSON
// they are rounded to a hundredth of a millisecond, and most look-ups take less. Pure.

import { parsed } from './csv.js';

/** @typedef {Record<string, number | null>} Figures `count`, `p50`, `p95`, `p99`, `mean`, `hits` */

/** What the table calls the figures of the answer. @type {Record<string, string>} */
const KEYS = { operations: 'count', count: 'count', p50_ms: 'p50', p95_ms: 'p95', p99_ms: 'p99', avg_ms: 'mean', hit_ratio: 'hits' };

/**
 * @param {string} text section, name, metric and value in each line
 * @returns {{all: Figures, operations: ({name: string} & Record<string, any>)[]}} all: of all operations together
 */
export function figuresOf(text) {
  /** @type {Map<string, Figures>} */
  const by = new Map();
  for (const [, name = '', metric = '', value = ''] of parsed(text).slice(1)) {
    const key = Object.hasOwn(KEYS, metric) ? KEYS[metric] : undefined;
    if (key === undefined) continue;
    const figures = by.get(name) ?? {};
    figures[key] = value === '' || !Number.isFinite(Number(value)) ? null : Number(value);
    by.set(name, figures);
  }
  const all = by.get('') ?? {};
  by.delete('');
  return { all, operations: [...by].map(([name, figures]) => ({ ...figures, name })) };
}
