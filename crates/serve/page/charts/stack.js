// What is stacked. Pure.

/**
 * Sums of series, so that what is painted first covers none of the others.
 * @param {readonly (readonly (number | null | undefined)[])[]} series the lowest first
 * @returns {(number | null)[][]}
 */
export function stacked(series) {
  const length = Math.max(0, ...series.map((values) => values.length));
  /** @type {(number | null)[]} */
  let below = Array.from({ length }, () => null);
  return series.map((values) => {
    below = below.map((sum, at) => {
      const value = values[at];
      return typeof value === 'number' ? (sum ?? 0) + value : sum;
    });
    return below;
  });
}
