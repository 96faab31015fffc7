import { html } from '../html.js';

const WIDTH = 100;
const HEIGHT = 24;

/**
 * The line through values, and the ground below one without gaps. Where there are
 * no values it breaks off: nothing is told of what nobody measured. Pure.
 * @param {readonly (number | null | undefined)[]} values
 * @param {boolean} [zero] whether it begins at 0 rather than at the least value
 * @returns {{line: string, area: string}} paths in 100 × 24
 */
export function sparkPaths(values, zero = true) {
  const known = values.filter((value) => typeof value === 'number' && Number.isFinite(value)).map(Number);
  if (known.length === 0) return { line: '', area: '' };
  const least = zero ? Math.min(0, ...known) : Math.min(...known);
  const most = Math.max(...known);
  const span = most - least || 1;
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
  const y = (/** @type {number} */ value) => HEIGHT - 1 - ((value - least) / span) * (HEIGHT - 2);
  /** Points without a gap between them. @type {[string, string][][]} */
  const pieces = [];
  let gap = true;
  values.forEach((value, at) => {
    const none = typeof value !== 'number' || !Number.isFinite(value);
    if (!none && gap) pieces.push([]);
    if (!none) pieces.at(-1)?.push([(at * step).toFixed(1), y(value).toFixed(1)]);
    gap = none;
  });
  const joined = pieces.map((points) => points.map((point) => point.join(' ')).join('L'));
  // One alone is a short stroke, so that it is seen.
  const line = joined.map((piece, at) => `M${piece}${pieces[at]?.length === 1 ? 'h1' : ''}`).join('');
  const [whole = [], ...others] = pieces;
  const [first, last] = [whole[0], whole.at(-1)];
  // Ground below pieces would make columns of them.
  const solid = whole.length > 1 && others.length === 0 && first && last;
  const area = solid ? `M${first[0]} ${HEIGHT}L${joined[0]}L${last[0]} ${HEIGHT}Z` : '';
  return { line, area };
}

/**
 * A trend without axes: an ornament beside figures that say the same.
 * @param {object} props
 * @param {readonly (number | null)[]} props.values
 * @param {string} [props.label] for those who hear the page; without one it is silent
 * @param {string} [props.tone] a colour of the theme, such as `bad`
 */
export function Spark({ values, label, tone }) {
  const { line, area } = sparkPaths(values);
  const about = label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': 'true' };
  return html`
    <svg
      class=${`spark ${tone ? `tone-${tone}` : ''}`}
      viewBox="0 0 100 24"
      preserveAspectRatio="none"
      focusable="false"
      ...${about}
    >
      <path class="area" d=${area} />
      <path d=${line} />
    </svg>
  `;
}
