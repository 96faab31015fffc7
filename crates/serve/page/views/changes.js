// What changed, in words. Pure.

import { duration, money, percent } from '../format.js';

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
