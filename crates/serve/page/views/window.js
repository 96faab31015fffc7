// The window that a view looks at, as a statement in SQL has it. Pure.

/**
 * A condition, with ` AND` before it; empty for all of time.
 * @param {{from: number, to: number, range: string}} range
 * @returns {string}
 */
export function within({ from, to, range }) {
  const edges = [];
  if (range !== 'all') edges.push(`timestamp >= '${new Date(from).toISOString()}'`);
  if (range === 'custom') edges.push(`timestamp < '${new Date(to).toISOString()}'`);
  return edges.map((edge) => ` AND ${edge}`).join('');
}

/**
 * A text as SQL quotes it: nothing in it ends it.
 * @param {string} text
 */
export function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`;
}
