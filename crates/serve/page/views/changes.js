// What changed, in words. Pure.

import { duration, money, percent } from '../format.js';

/** @type {Record<string, [string, (value: number) => string]>} */
const FIGURES = {
  median_ms: ['median latency', duration],
  failure_ratio: ['failure rate', percent],
  hit_ratio: ['hit rate', percent],
  cost_usd: ['cost a day', money],
};

/** @param {string} figure */
export function figureName(figure) {
  return FIGURES[figure]?.[0] ?? figure;
}

/** @param {string} figure @param {number} value */
export function figureText(figure, value) {
  return FIGURES[figure]?.[1](value) ?? String(value);
}
