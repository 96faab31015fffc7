// Figures of machines, as charts and tables take them. Pure.

import { MIB } from '../format.js';

/**
 * Finds a source's series by name.
 * @param {any[]} series
 * @param {string} source
 */
export function seriesOf(series, source) {
  const found = new Map(series.filter((one) => one.source === source).map((one) => [one.name, one]));
  return (/** @type {string} */ name) => found.get(name);
}

/** What is told of a process: the end of the metric's name. */
const ENDS = /** @type {const} */ (['_cpu_percent', '_memory_mb', '_count']);

/**
 * A row a process, from the metrics of the source `process`.
 * @param {any[]} all the window's
 * @param {any[]} now live ones
 */
export function byProcess(all, now) {
  const of = (/** @type {any[]} */ series) => series.filter((one) => one.source === 'process');
  const live = seriesOf(now, 'process');
  const whole = seriesOf(all, 'process');
  /** @type {Set<string>} */
  const names = new Set();
  for (const { name } of [...of(all), ...of(now)]) {
    const end = ENDS.find((end) => name.endsWith(end));
    if (end && name.length > end.length) names.add(name.slice(0, -end.length));
  }
  const mib = (/** @type {number | undefined} */ value) => (value === undefined ? null : value * MIB);
  return [...names].map((name) => ({
    name,
    count: live(`${name}_count`)?.latest ?? null,
    cpu: live(`${name}_cpu_percent`)?.latest ?? null,
    cpuMean: whole(`${name}_cpu_percent`)?.value?.mean ?? null,
    memory: mib(live(`${name}_memory_mb`)?.latest),
    memoryMost: mib(whole(`${name}_memory_mb`)?.value?.max),
  }));
}
