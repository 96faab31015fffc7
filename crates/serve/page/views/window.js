// The window that a view looks at, as a statement in SQL has it. Pure.

/** @type {Record<string, string>} */
const UNITS = { m: 'minutes', h: 'hours', d: 'days' };

/**
 * A condition, with ` AND` before it; empty for all of time. One that is
 * relative to now is told by the server's clock: the statement stays the same
 * while time goes on, and so does the place of its answer.
 * @param {{range: string, query: import('../range.js').Params | null}} range
 * @returns {string}
 */
export function within({ range, query }) {
  if (range === 'custom') return between(query?.['since'], query?.['until']);
  const [, amount, unit = ''] = /^(\d+)([mhd])$/.exec(range) ?? [];
  return amount ? ` AND timestamp >= now() - interval '${amount} ${UNITS[unit]}'` : '';
}

/**
 * From one instant until before another; without one, as far as there is any.
 * @param {unknown} since milliseconds, or ISO text
 * @param {unknown} until
 * @returns {string}
 */
export function between(since, until) {
  const told = (/** @type {unknown} */ at) =>
    quoted(new Date(typeof at === 'number' ? at : String(at)).toISOString());
  const from = since === undefined || since === null ? '' : ` AND timestamp >= ${told(since)}`;
  const to = until === undefined || until === null ? '' : ` AND timestamp < ${told(until)}`;
  return from + to;
}

/**
 * A text as SQL quotes it: nothing in it ends it.
 * @param {string} text
 */
export function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`;
}
