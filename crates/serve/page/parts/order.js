// The order of rows. Pure.

/**
 * Rows in order; what has no figure comes last, whichever way.
 * @template R
 * @param {readonly R[]} rows
 * @param {(row: R) => unknown} value
 * @param {boolean} down
 * @returns {R[]}
 */
export function sorted(rows, value, down) {
  const way = down ? -1 : 1;
  return [...rows].sort((left, other) => {
    const [a, b] = [value(left), value(other)];
    const [noA, noB] = [a === null || a === undefined, b === null || b === undefined];
    if (noA || noB) return Number(noA) - Number(noB);
    if (typeof a === 'number' && typeof b === 'number') return way * (a - b);
    return way * String(a).localeCompare(String(b), 'en', { numeric: true });
  });
}

/** @typedef {{key: string, down?: boolean}} Sort */

/**
 * An order as an address has it: `calls`, the largest first `-calls`.
 * @param {Sort} sort
 */
export function orderText({ key, down }) {
  return `${down ? '-' : ''}${key}`;
}

/**
 * @param {string | undefined} text
 * @param {readonly string[]} keys those there are
 * @returns {Sort | null} `null`: it names none of them
 */
export function orderOf(text, keys) {
  const down = text?.startsWith('-') ?? false;
  const key = down ? text?.slice(1) : text;
  return key !== undefined && keys.includes(key) ? { key, down } : null;
}

/**
 * What a table is called in an address: `Latest failures` is `latest-failures`.
 * @param {string} caption
 */
export function slug(caption) {
  return caption
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);
}
