// The grid of a heatmap: when things happened, by weekday and hour of the viewer's clock.
// Pure: no DOM, no clock of its own.

/** @typedef {{from: string, count: number, failed: number}} Stretch a stretch of time, an hour or shorter */
/** @typedef {{count: number, failed: number}} Cell */
/** @typedef {{cells: Cell[][], most: number, total: number, failed: number}} Grid seven rows from Monday on, 24 columns */

export const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const HOURS = 24;

/**
 * Adds stretches up by local weekday and hour. A stretch whose beginning is no
 * time is left out.
 * @param {Stretch[]} stretches
 * @returns {Grid}
 */
export function grid(stretches) {
  const cells = DAYS.map(() => Array.from({ length: HOURS }, () => ({ count: 0, failed: 0 })));
  for (const stretch of stretches) {
    const at = new Date(stretch.from);
    if (Number.isNaN(at.getTime())) continue;
    // JavaScript's week begins on Sunday.
    const cell = cells[(at.getDay() + 6) % 7][at.getHours()];
    cell.count += stretch.count;
    cell.failed += stretch.failed;
  }
  const all = cells.flat();
  const sum = (/** @type {keyof Cell} */ key) => all.reduce((sum, cell) => sum + cell[key], 0);
  return {
    cells,
    most: Math.max(...all.map((cell) => cell.count)),
    total: sum('count'),
    failed: sum('failed'),
  };
}

/**
 * The upper bounds of up to `steps` strengths, so that each has about as many
 * hours: one busy hour does not make all others pale. Rounded to figures that
 * people read.
 * @param {Grid} grid
 * @param {number} [steps]
 * @returns {number[]} rising; the last is at least the largest count
 */
export function bounds(grid, steps = 5) {
  const counts = grid.cells
    .flat()
    .map((cell) => cell.count)
    .filter((count) => count > 0);
  counts.sort((a, b) => a - b);
  if (counts.length === 0) return [];
  /** @type {number[]} */
  const found = [];
  for (let step = 1; step <= steps; step += 1) {
    const at = Math.ceil((counts.length * step) / steps) - 1;
    const bound = roundUp(counts[Math.max(at, 0)]);
    if (bound > (found.at(-1) ?? 0)) found.push(bound);
  }
  return found;
}

/**
 * Which strength a count has: 0 for none, `most` for the strongest there is,
 * also where there are fewer strengths.
 * @param {number} count
 * @param {number[]} bounds
 * @param {number} [most]
 */
export function strength(count, bounds, most = 5) {
  if (count <= 0) return 0;
  const at = bounds.findIndex((bound) => count <= bound);
  const step = at < 0 ? bounds.length : at + 1;
  return Math.round((step * most) / Math.max(bounds.length, 1));
}

/**
 * The busiest hour of the week.
 * @param {Grid} grid
 * @returns {{day: number, hour: number, cell: Cell} | null} null where nothing happened
 */
export function busiest(grid) {
  if (grid.most === 0) return null;
  for (let day = 0; day < DAYS.length; day += 1) {
    const hour = grid.cells[day].findIndex((cell) => cell.count === grid.most);
    if (hour >= 0) return { day, hour, cell: grid.cells[day][hour] };
  }
  return null;
}

/**
 * The windows to ask a timeline for, so that no stretch is longer than an hour.
 * @param {number} from ms
 * @param {number} to ms
 * @param {number} most stretches an answer may have
 * @returns {{from: number, to: number}[]}
 */
export function hourly(from, to, most = 500) {
  const HOUR = 3_600_000;
  // One to spare: a window that begins within an hour touches one more.
  const length = (most - 2) * HOUR;
  const begin = Math.floor(from / HOUR) * HOUR;
  /** @type {{from: number, to: number}[]} */
  const windows = [];
  for (let at = begin; at < to && from < to; at += length) {
    windows.push({ from: Math.max(at, from), to: Math.min(at + length, to) });
  }
  return windows;
}

/**
 * Two figures of precision, rounded up; small numbers as they are.
 * @param {number} count
 */
function roundUp(count) {
  if (count < 20) return Math.ceil(count);
  const unit = 10 ** (Math.floor(Math.log10(count)) - 1);
  return Math.ceil(count / unit) * unit;
}
