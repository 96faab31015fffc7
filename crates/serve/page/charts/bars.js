import { html, useMemo } from '../html.js';
import uPlot from './uplot.js';
import { Plot } from './plot.js';
import { stacked } from './stack.js';

const paths = uPlot.paths.bars?.({ size: [0.82, 60], align: 1, radius: 0 });
/** @type {never[]} */
const NO_MARKS = [];

/**
 * Bars over time, those of several series on top of each other. Dragging over
 * it looks at that stretch.
 * @param {object} props
 * @param {readonly number[]} props.x seconds since 1970 at which stretches begin, evenly apart
 * @param {readonly {label: string, values: readonly (number | null | undefined)[], tone?: string}[]} props.series the lowest first
 * @param {import('../format.js').Unit} [props.unit]
 * @param {string} [props.label] for those who hear the page
 * @param {number} [props.height] pixels, 180 unless told otherwise
 * @param {string} [props.sync] charts of the same share their cursor
 * @param {readonly import('./plot.js').Mark[]} [props.marks]
 */
export function Bars({ x, series, unit, label, height = 180, sync, marks = NO_MARKS }) {
  const chart = useMemo(() => {
    const sums = stacked(series.map(({ values }) => values));
    const drawn = series.map((one, at) => ({
      label: one.label,
      values: [...one.values],
      painted: sums[at] ?? [],
      tone: one.tone ?? `series-${(at % 6) + 1}`,
      paths,
    }));
    const about = label ?? series.map((one) => one.label).join(', ');
    // The highest is painted first, and the lower ones over it.
    return {
      x,
      series: drawn.reverse(),
      unit,
      label: about,
      height,
      sync,
      log: false,
      marks,
      bars: true,
      most: undefined,
    };
  }, [x, series, unit, label, height, sync, marks]);
  return html`<${Plot} chart=${chart} />`;
}
