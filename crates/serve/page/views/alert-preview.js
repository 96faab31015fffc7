// What a rule would find among the live series, as crates/model/src/alert has it. Pure.

/** @typedef {import('./alert-rule.js').Form} Form */

/** Values this near are equal. */
const NEAR = 0.001;

/**
 * The series that a rule watches, with the figure and whether the condition
 * holds; those it holds for first.
 * @param {Form} form
 * @param {any[]} series of `/api/v1/live`
 * @returns {{name: string, source: string, value: number, unit: string | undefined, holds: boolean}[]}
 */
export function matches(form, series) {
  const threshold = Number(form.number);
  const every = form.metric_name.trim() === '*';
  const found = [];
  for (const one of series) {
    if (!every && one.name !== form.metric_name.trim()) continue;
    if (form.source.trim() && one.source !== form.source.trim()) continue;
    const value = figure(form, one);
    if (value === null) continue;
    found.push({ name: one.name, source: one.source ?? '', value, unit: one.unit ?? undefined, holds: holds(form.op, value, threshold) });
  }
  return found.sort((a, b) => Number(b.holds) - Number(a.holds));
}

/**
 * @param {Form} form
 * @param {any} series
 * @returns {number | null}
 */
function figure(form, series) {
  const { stat } = form;
  // Of a cache, the mean of its look-ups is the share of hits.
  const ratio = form.family === 'cache' ? series.avg : series.failed / series.count;
  const value = stat === 'ratio' ? ratio : stat === 'rate' ? series.rate_per_second : series[stat];
  const values = series.values ?? series.count;
  const enough = values >= Math.max(Number(form.least) || 1, 1);
  return enough && Number.isFinite(value) ? value : null;
}

/**
 * @param {string} op
 * @param {number} value
 * @param {number} threshold
 */
export function holds(op, value, threshold) {
  if (!Number.isFinite(threshold)) return false;
  switch (op) {
    case '>':
      return value > threshold;
    case '>=':
      return value >= threshold;
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
    case '==':
      return Math.abs(value - threshold) < NEAR;
    default:
      return Math.abs(value - threshold) >= NEAR;
  }
}
