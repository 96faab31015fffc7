// The common part of charts over time: uPlot in a box, with the theme's
// colours, a legend of its own, a cursor that keys move, and a cursor that all
// charts of a view share.

import { html, useEffect, useRef, useState } from '../html.js';
import { inUnit } from '../format.js';
import { setRange, useTheme } from '../state.js';
import uPlot from './uplot.js';
import { figureLabels, logSplits, steps, timeLabel, timeLabels } from './axes.js';
import { colour, faded } from './colours.js';

/** @typedef {(number | null | undefined)[]} Values */
/**
 * @typedef {object} Drawn one series, as it is painted
 * @property {string} label
 * @property {Values} values what is told
 * @property {Values} [painted] what is painted, where that differs, as in stacks
 * @property {string} tone a colour of the theme
 * @property {number[]} [dash]
 * @property {boolean} [fill]
 * @property {any} [paths] of uPlot
 * @property {import('../format.js').Unit | undefined} [unit] else the chart's
 */
/** @typedef {{at: number, label: string}} Mark a moment, in seconds since 1970 */
/**
 * @typedef {object} Chart
 * @property {readonly number[]} x seconds since 1970, evenly apart
 * @property {readonly Drawn[]} series
 * @property {import('../format.js').Unit | undefined} unit
 * @property {string} label for those who hear the page
 * @property {number} height pixels
 * @property {string | undefined} sync charts of the same share their cursor
 * @property {boolean} log
 * @property {readonly Mark[]} marks
 * @property {boolean} bars whether points stand for the stretch after them
 * @property {number | undefined} most the axis goes that far at least
 */

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** @param {readonly number[]} x */
const stepOf = (x) => (x.length > 1 ? Number(x[1]) - Number(x[0]) : 60);

/** @param {{chart: Chart}} props */
export function Plot({ chart }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const latest = useRef(chart);
  latest.current = chart;
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const [spoken, speak] = useState('');
  const { shade } = useTheme();
  // What cannot be changed in a chart that stands makes another.
  const shape = JSON.stringify([
    shade,
    chart.unit,
    chart.height,
    chart.sync,
    chart.log,
    chart.bars,
    chart.most,
    stepOf(chart.x),
    chart.series.map(({ label, tone, dash, fill }) => [label, tone, dash, fill]),
  ]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(options(latest, element.clientWidth || 300, setAt), dataOf(chart), element);
    plot.current = made;
    // The page's own letters may come later than the first picture.
    const watcher = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height: latest.current.height });
    });
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
      setAt(null);
    };
  }, [shape]);
  useEffect(() => {
    plot.current?.setData(dataOf(chart));
  }, [chart]);
  // What is painted first is on top, and told last.
  const listed = chart.bars ? [...chart.series].reverse() : chart.series;
  const told = at !== null && at < chart.x.length ? at : null;
  /** @param {any} event */
  const key = (event) => {
    const made = plot.current;
    const last = chart.x.length - 1;
    if (made === null || last < 0) return;
    if (event.key === 'Escape') {
      made.setCursor({ left: -10, top: -10 });
      speak('');
      event.currentTarget.blur();
      return;
    }
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[/** @type {string} */ (event.key)];
    const next =
      event.key === 'Home'
        ? 0
        : event.key === 'End'
          ? last
          : step === undefined
            ? null
            : told === null
              ? last
              : told + step;
    if (next === null) return;
    event.preventDefault();
    const there = Math.min(Math.max(next, 0), last);
    const middle = chart.bars ? stepOf(chart.x) / 2 : 0;
    made.setCursor({ left: made.valToPos(Number(chart.x[there]) + middle, 'x'), top: chart.height / 3 });
    setAt(there);
    speak(
      `${timeLabel(Number(chart.x[there]), stepOf(chart.x))}: ${listed.map((one) => `${one.label} ${figure(chart, one, there)}`).join(', ')}`,
    );
  };
  return html`
    <div
      class="chart"
      role="group"
      tabindex="0"
      aria-roledescription="chart"
      aria-label=${`${chart.label}. Arrow keys move along it, Escape leaves.`}
      onKeyDown=${key}
    >
      <div class="legend" aria-hidden="true">
        ${listed.map(
          (one) => html`
            <span class="key" key=${one.label}>
              <${Swatch} tone=${one.tone} dash=${one.dash} solid=${chart.bars} />
              <bdi class="name" title=${one.label}>${one.label}</bdi>
              ${told !== null && html`<span class="value">${figure(chart, one, told)}</span>`}
            </span>
          `,
        )}
        ${told !== null && html`<span class="at">${timeLabel(Number(chart.x[told]), stepOf(chart.x))}</span>`}
      </div>
      <div class="plot" ref=${box} style=${{ height: `${chart.height}px` }}></div>
      <div class="hidden" aria-live="polite">${spoken}</div>
    </div>
  `;
}

/** @param {{tone: string, dash?: number[] | undefined, solid: boolean}} props */
function Swatch({ tone, dash, solid }) {
  const stroke = `var(--${tone})`;
  return html`
    <svg class="swatch" viewBox="0 0 14 8" aria-hidden="true" focusable="false">
      ${
        solid
          ? html`<rect x="3" width="8" height="8" rx="1" style=${{ fill: stroke }} />`
          : html`<path d="M0 4H14" stroke-width="2" stroke-dasharray=${(dash ?? []).join(' ')} style=${{ stroke }} />`
      }
    </svg>
  `;
}

/**
 * @param {Chart} chart
 * @param {Drawn} one
 * @param {number} at
 */
function figure(chart, one, at) {
  return inUnit(one.unit ?? chart.unit)(one.values[at]);
}

/** @param {Chart} chart @returns {any} */
function dataOf(chart) {
  const painted = chart.series.map((one) => one.painted ?? one.values);
  return [chart.x, ...bridged(chart).map((one) => one.painted ?? one.values), ...painted];
}

/**
 * Lines that have gaps between points. A faint line leads over them, below
 * those with what was measured.
 * @param {Chart} chart
 */
function bridged(chart) {
  return chart.series.filter((one) => !one.paths);
}

/**
 * @param {import('../html.js').Ref<Chart>} latest
 * @param {number} width
 * @param {(at: number | null) => void} setAt
 * @returns {any}
 */
function options(latest, width, setAt) {
  const chart = latest.current;
  const step = stepOf(chart.x);
  const [text, line] = [colour('muted'), colour('grid')];
  const below = bridged(chart);
  const utc = step >= 86_400;
  return {
    ...(utc ? { tzDate: (/** @type {number} */ seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC') } : {}),
    width,
    height: chart.height,
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      ...(chart.sync ? { sync: { key: chart.sync, setSeries: false } } : {}),
      drag: { x: true, y: false, setScale: false },
      points: {
        show: !chart.bars,
        size: 6,
        width: 0,
        fill: (/** @type {any} */ _u, /** @type {number} */ at) =>
          at > below.length ? colour(chart.series[at - 1 - below.length]?.tone ?? 'accent') : 'transparent',
      },
      // Under a bar means within its stretch.
      ...(chart.bars
        ? {
            dataIdx: (
              /** @type {uPlot} */ u,
              /** @type {number} */ _series,
              /** @type {number} */ _at,
              /** @type {number} */ value,
            ) => Math.min(Math.max(Math.floor((value - Number(u.data[0][0])) / step), 0), u.data[0].length - 1),
          }
        : {}),
    },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: {
        time: true,
        range: (/** @type {uPlot} */ _u, /** @type {number} */ from, /** @type {number} */ to) =>
          from === null ? [0, 1] : [from, chart.bars || from === to ? to + step : to],
      },
      y: {
        distr: chart.log ? 3 : 1,
        range: (/** @type {uPlot} */ _u, /** @type {number} */ least, /** @type {number} */ most) =>
          span(least, most, chart),
      },
    },
    axes: [
      {
        stroke: text,
        font: FONT,
        size: 22,
        gap: 4,
        space: 70,
        grid: { show: false },
        ticks: { show: true, stroke: line, width: 1, size: 4 },
        values: (
          /** @type {uPlot} */ _u,
          /** @type {number[]} */ splits,
          /** @type {number} */ _axis,
          /** @type {number} */ _space,
          /** @type {number} */ incr,
        ) => timeLabels(splits, incr, utc),
      },
      {
        stroke: text,
        font: FONT,
        gap: 6,
        space: 34,
        size: (/** @type {uPlot} */ _u, /** @type {string[] | null} */ labels) =>
          Math.max(34, ...(labels ?? []).map((label) => (label ?? '').length * 6.2 + 14)),
        grid: { show: true, stroke: line, width: 1 },
        ticks: { show: false },
        values: (/** @type {uPlot} */ _u, /** @type {number[]} */ splits) => figureLabels(chart.unit, splits),
        ...(chart.log
          ? {
              splits: (
                /** @type {uPlot} */ _u,
                /** @type {number} */ _axis,
                /** @type {number} */ low,
                /** @type {number} */ high,
              ) => logSplits(chart.unit, low, high),
              filter: (/** @type {uPlot} */ _u, /** @type {number[]} */ splits) => splits,
            }
          : {}),
        ...(steps(chart.unit) ? { incrs: steps(chart.unit) } : {}),
      },
    ],
    series: [
      {},
      ...below.map((one) => ({ stroke: faded(one.tone, 0.35), width: 1, spanGaps: true, points: { show: false } })),
      ...chart.series.map((one) => ({
        label: one.label,
        stroke: one.paths ? undefined : colour(one.tone),
        width: one.paths ? 0 : 1.5,
        ...(one.dash && one.dash.length > 0 ? { dash: one.dash } : {}),
        ...(one.paths ? { fill: colour(one.tone), paths: one.paths } : {}),
        ...(one.fill && !one.paths ? { fill: faded(one.tone, 0.1) } : {}),
        points: one.paths ? { show: false } : { show: true, size: 4, width: 0, fill: colour(one.tone), filter: alone },
      })),
    ],
    hooks: {
      setCursor: [
        (/** @type {uPlot} */ u) =>
          setAt(u.cursor.left !== undefined && u.cursor.left >= 0 ? (u.cursor.idx ?? null) : null),
      ],
      setSelect: [
        (/** @type {uPlot} */ u) => {
          if (u.select.width < 8) return;
          const from = u.posToVal(u.select.left, 'x');
          const to = u.posToVal(u.select.left + u.select.width, 'x');
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          setRange({ from: new Date(from * 1000).toISOString(), to: new Date(to * 1000).toISOString() });
        },
      ],
      draw: [(/** @type {uPlot} */ u) => drawMarks(u, latest.current.marks)],
    },
  };
}

/**
 * The stretch of the axis of figures: from 0, with some room above.
 * @param {number | null} least
 * @param {number | null} most
 * @param {Chart} chart
 * @returns {[number, number]}
 */
function span(least, most, chart) {
  if (chart.log) {
    const low = least !== null && least > 0 ? least : 1;
    const high = most !== null && most > low ? most : low * 10;
    return [low / 1.6, high * 1.6];
  }
  const low = Math.min(0, least ?? 0);
  const full = chart.unit === 'ratio' ? 1 : chart.unit === 'percent' ? 100 : Infinity;
  const high = Math.max(most ?? 0, chart.most ?? 0);
  if (high <= low) return [low, low + (chart.unit === 'count' ? 4 : 1)];
  return [low, Math.max(Math.min(high * 1.08, full, Number.MAX_VALUE), high)];
}

/**
 * Points that no line leads to: a line alone would not show them.
 * @param {uPlot} u
 * @param {number} series
 * @returns {number[] | null}
 */
function alone(u, series) {
  const values = /** @type {Values} */ (u.data[series] ?? []);
  const none = (/** @type {number} */ at) => values[at] === null || values[at] === undefined;
  const found = [];
  for (let at = 0; at < values.length; at += 1) if (!none(at) && none(at - 1) && none(at + 1)) found.push(at);
  return found;
}

/**
 * @param {uPlot} u
 * @param {readonly Mark[]} marks
 */
function drawMarks(u, marks) {
  const { ctx, bbox } = u;
  for (const { at, label } of marks) {
    const x = Math.round(u.valToPos(at, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.save();
    ctx.strokeStyle = colour('warn');
    ctx.fillStyle = colour('warn');
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.font = FONT.replace('11px', `${11 * devicePixelRatio}px`);
    const left = x + 4 * devicePixelRatio + ctx.measureText(label).width < bbox.left + bbox.width;
    ctx.textAlign = left ? 'left' : 'right';
    ctx.textBaseline = 'top';
    ctx.fillText(label, x + (left ? 4 : -4) * devicePixelRatio, bbox.top + 2);
    ctx.restore();
  }
}
