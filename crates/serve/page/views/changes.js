// What changed, over which days, and in words. Pure.

import { DAY, duration, money, percent, time } from '../format.js';

/** With fewer days there is no telling a change from chance. */
const LEAST_DAYS = 7;
/** Looked at in the place of fewer. */
const FORTNIGHT = 14;

/**
 * Over which days changes are looked for: those of the range; where these are
 * too few, the fortnight up to its end.
 * @param {import('../state.js').Range} range
 * @returns {{params: import('../range.js').Params | null, words: string}}
 *   params: null: not known yet
 */
export function over({ range, from, to, query }) {
  if (query === null) return { params: null, words: '' };
  const own = to - from >= LEAST_DAYS * DAY;
  const until = query['until'];
  if (own) {
    const days = Math.round((to - from) / DAY);
    const custom = until ? `from ${time(from)} to ${time(to)}` : `since ${time(from)}`;
    return { params: query, words: range === 'custom' ? custom : `in the last ${days} days` };
  }
  const few = 'this range has too few days to compare';
  if (!until) return { params: { range: `${FORTNIGHT}d` }, words: `in the last ${FORTNIGHT} days; ${few}` };
  const since = new Date(to - FORTNIGHT * DAY).toISOString();
  return { params: { since, until }, words: `in the ${FORTNIGHT} days to ${time(to)}; ${few}` };
}

/** @type {Record<string, [string, (value: number) => string]>} */
const FIGURES = {
  median_ms: ['median latency', duration],
  failure_ratio: ['failure rate', percent],
  hit_ratio: ['hit rate', percent],
  cost_usd: ['cost a day', money],
};

/**
 * `median latency 45.3 ms → 71.0 ms`
 * @param {import('../types.d.ts').Change} change
 */
export function went({ figure, before, after }) {
  const [name, told] = FIGURES[figure] ?? [figure, String];
  return `${name} ${told(before)} → ${told(after)}`;
}
