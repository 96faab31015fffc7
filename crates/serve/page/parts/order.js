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
