import { html, useMemo } from '../html.js';
import { Plot } from './plot.js';

/** @type {Record<string, number[]>} */
const DASHES = { solid: [], dashed: [6, 3], dotted: [2, 3] };
/** Quantiles are told apart by more than their strength. @type {Record<string, string>} */
const USUAL = { p95: 'dashed', p99: 'dotted' };
/** @type {never[]} */
const NO_MARKS = [];

/**
 * @typedef {object} LineSeries
 * @property {string} label
 * @property {readonly (number | null | undefined)[]} values one for each x; `null`: there is none
 * @property {string} [tone] a colour of the theme, such as `p95`; else `series-N`
 * @property {'solid' | 'dashed' | 'dotted'} [dash]
 * @property {boolean} [fill] the ground below it
 * @property {import('../format.js').Unit} [unit] else the chart's
 */

/**
 * Lines over time. Dragging over it looks at that stretch.
 * @param {object} props
 * @param {readonly number[]} props.x seconds since 1970, evenly apart
 * @param {readonly LineSeries[]} props.series
 * @param {import('../format.js').Unit} [props.unit] of the axis
 * @param {string} [props.label] for those who hear the page
 * @param {number} [props.height] pixels, 180 unless told otherwise
 * @param {string} [props.sync] charts of the same share their cursor
 * @param {boolean} [props.log]
 * @param {readonly import('./plot.js').Mark[]} [props.marks]
 * @param {number} [props.most] the axis goes that far at least
 */
export function Line({ x, series, unit, label, height = 180, sync, log = false, marks = NO_MARKS, most }) {
  const chart = useMemo(() => {
    const drawn = series.map((one, at) => {
      const tone = one.tone ?? `series-${(at % 6) + 1}`;
      const dash = DASHES[one.dash ?? USUAL[tone] ?? 'solid'];
      // A log axis has no place for 0.
      const painted = log ? one.values.map((value) => (value === 0 ? null : value)) : undefined;
      return { ...one, values: [...one.values], tone, dash, ...(painted ? { painted } : {}) };
    });
    const about = label ?? series.map((one) => one.label).join(', ');
    return { x, series: drawn, unit, label: about, height, sync, log, marks, bars: false, most };
  }, [x, series, unit, label, height, sync, log, marks, most]);
  return html`<${Plot} chart=${chart} />`;
}
