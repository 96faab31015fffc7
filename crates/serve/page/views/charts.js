// Charts that several views show, each with its sentence and its table.

import { Bars } from '../charts/bars.js';
import { Line } from '../charts/line.js';
import { counted, duration, inUnit, money, percent } from '../format.js';
import { html, useMemo } from '../html.js';
import { Figure } from '../parts/figure.js';
import { Loading, Problem } from '../parts/states.js';
import { failureRatio, hitRatio, isWide, peak, ratio, stretch, times, total, twin, values } from './series.js';

/** @typedef {import('../types.d.ts').Timeline} Timeline */
/** @typedef {import('../types.d.ts').Spread} Spread */
/** @typedef {import('../state.js').Asked} Asked */
/**
 * @typedef {object} Props
 * @property {string} id
 * @property {string} title
 * @property {Asked} asked a timeline
 * @property {string} [sync]
 * @property {number} [height]
 */

const HEIGHT = 180;
/** Chart, legend and axis of a figure, for its placeholder. */
const AROUND = 22;

/**
 * A figure over a timeline, or what stands there meanwhile. `beside` is what
 * `draw` uses besides the timeline.
 * @param {Props & {none: string, beside?: unknown, draw: (timeline: Timeline, x: number[]) => {sentence: any, twin: {columns: any, rows: any}, chart: any} | null}} props
 */
export function Timed({ id, title, asked, height = HEIGHT, none, beside, draw }) {
  const timeline = /** @type {Timeline | null} */ (asked.answer?.timeline ?? null);
  const drawn = useMemo(() => (timeline ? draw(timeline, times(timeline)) : null), [timeline, beside]);
  if (timeline === null && asked.error) return html`<${Problem} error=${asked.error} retry=${asked.reload} />`;
  if (timeline === null) {
    return html`<${Figure} id=${id} title=${title}><${Loading} height=${height + AROUND} /><//>`;
  }
  if (drawn === null) {
    return html`<${Figure} id=${id} title=${title} sentence=${none}>${null}<//>`;
  }
  return html`
    <${Figure}
      id=${id}
      title=${title}
      sentence=${drawn.sentence}
      columns=${drawn.twin.columns}
      rows=${drawn.twin.rows}
      stale=${asked.stale !== null}
    >
      ${drawn.chart}
    <//>
  `;
}

/**
 * p50, p95 and p99 over time.
 * @param {Props & {spread?: Spread | null}} props spread: of the whole time
 */
export function Latency({ id, title, asked, sync, height = HEIGHT, spread }) {
  const draw = (/** @type {Timeline} */ timeline, /** @type {number[]} */ x) => {
    const lists = /** @type {const} */ (['p50', 'p95', 'p99']).map((key) => ({
      key,
      label: key,
      unit: /** @type {const} */ ('ms'),
      tone: key,
      values: values(timeline, (bucket) => bucket[key]),
    }));
    const worst = peak(x, lists[1]?.values ?? []);
    if (worst === null) return null;
    const log = isWide(lists.map((list) => list.values));
    const all = spread
      ? `p50 is ${duration(spread.p50)}, p95 ${duration(spread.p95)}, p99 ${duration(spread.p99)}; p95`
      : 'p95';
    return {
      sentence: `${all} was highest on ${worst.when}: ${duration(worst.value)}.${log ? ' Logarithmic axis.' : ''}`,
      twin: twin(x, lists),
      chart: html`<${Line} x=${x} series=${lists} unit="ms" label=${title} height=${height} sync=${sync} log=${log} />`,
    };
  };
  return html`<${Timed}
    id=${id}
    title=${title}
    asked=${asked}
    height=${height}
    draw=${draw}
    beside=${spread}
    none="No durations were recorded in this time."
  />`;
}

/**
 * How many, and how many of them failed.
 * @param {Props & {one: string, many: string}} props what is counted
 */
export function Calls({ id, title, asked, sync, height = HEIGHT, one, many }) {
  const draw = (/** @type {Timeline} */ timeline, /** @type {number[]} */ x) => {
    const count = values(timeline, (bucket) => bucket.count);
    const failed = values(timeline, (bucket) => bucket.failed);
    const fine = values(timeline, (bucket) => bucket.count - bucket.failed);
    const [all, wrong] = [total(count) ?? 0, total(failed) ?? 0];
    const known = total(values(timeline, (bucket) => bucket.count - bucket.unknown)) ?? 0;
    if (all === 0) return null;
    const worst = peak(
      x,
      values(timeline, (bucket) => (bucket.failed > 0 ? bucket.failed : null)),
    );
    const when = worst ? `, the most on ${worst.when} (${counted(worst.value, 'failure')})` : '';
    const bad =
      wrong === 0 ? 'none failed' : `${counted(wrong, 'failed', 'failed')} (${percent(ratio(wrong, known))})${when}`;
    return {
      sentence: `${counted(all, one, many)}, ${bad}; by ${stretch(timeline)}.`,
      twin: twin(x, [
        { key: 'count', label: many, unit: 'count', values: count },
        { key: 'failed', label: 'failed', unit: 'count', values: failed },
        { key: 'ratio', label: 'error rate', unit: 'ratio', values: values(timeline, failureRatio) },
      ]),
      chart: html`
        <${Bars}
          x=${x}
          series=${[
            { label: wrong === 0 ? many : known === all ? 'succeeded' : 'not failed', values: fine, tone: 'series-1' },
            { label: 'failed', values: failed, tone: 'bad' },
          ]}
          unit="count"
          label=${title}
          height=${height}
          sync=${sync}
        />
      `,
    };
  };
  return html`<${Timed}
    id=${id}
    title=${title}
    asked=${asked}
    height=${height}
    draw=${draw}
    none=${`No ${many} in this time.`}
  />`;
}

/** Tokens in and out. @param {Props} props */
export function Tokens({ id, title, asked, sync, height = HEIGHT }) {
  const draw = (/** @type {Timeline} */ timeline, /** @type {number[]} */ x) => {
    const input = values(timeline, (bucket) => bucket.input_tokens);
    const output = values(timeline, (bucket) => bucket.output_tokens);
    const [into, out] = [total(input), total(output)];
    if (into === null && out === null) return null;
    const told = inUnit('tokens');
    return {
      sentence: `${told(into ?? 0)} in, ${told(out ?? 0)} out; by ${stretch(timeline)}.`,
      twin: twin(x, [
        { key: 'input', label: 'tokens in', unit: 'count', values: input },
        { key: 'output', label: 'tokens out', unit: 'count', values: output },
      ]),
      chart: html`
        <${Bars}
          x=${x}
          series=${[
            { label: 'in', values: input, tone: 'series-1' },
            { label: 'out', values: output, tone: 'series-3' },
          ]}
          unit="tokens"
          label=${title}
          height=${height}
          sync=${sync}
        />
      `,
    };
  };
  return html`<${Timed}
    id=${id}
    title=${title}
    asked=${asked}
    height=${height}
    draw=${draw}
    none="No tokens were counted in this time."
  />`;
}

/** What it cost. @param {Props} props */
export function Cost({ id, title, asked, sync, height = HEIGHT }) {
  const draw = (/** @type {Timeline} */ timeline, /** @type {number[]} */ x) => {
    const cost = values(timeline, (bucket) => bucket.cost_usd);
    const all = total(cost);
    const most = peak(x, cost);
    if (all === null || most === null) return null;
    const by = stretch(timeline);
    return {
      sentence: `${money(all)} by ${by}; the most on ${most.when}: ${money(most.value)}.`,
      twin: twin(x, [{ key: 'cost', label: 'cost', unit: 'usd', values: cost }]),
      chart: html`
        <${Bars}
          x=${x}
          series=${[{ label: 'cost', values: cost, tone: 'series-1' }]}
          unit="usd"
          label=${title}
          height=${height}
          sync=${sync}
        />
      `,
    };
  };
  return html`<${Timed}
    id=${id}
    title=${title}
    asked=${asked}
    height=${height}
    draw=${draw}
    none="No costs are known in this time."
  />`;
}

/** Hit rate of caches. @param {Props & {target?: number}} props */
export function HitRate({ id, title, asked, sync, height = HEIGHT }) {
  const draw = (/** @type {Timeline} */ timeline, /** @type {number[]} */ x) => {
    const rates = values(timeline, hitRatio);
    const hits = values(timeline, (bucket) => bucket.hits);
    const misses = values(timeline, (bucket) => bucket.misses);
    const all = (total(hits) ?? 0) + (total(misses) ?? 0);
    if (all === 0) return null;
    const low = peak(
      x,
      rates.map((rate) => (rate === null ? null : -rate)),
    );
    const lowest = low ? `; lowest on ${low.when}: ${percent(-low.value)}` : '';
    return {
      sentence: `${percent(ratio(total(hits), all))} of ${counted(all, 'look-up')} were hits${lowest}.`,
      twin: twin(x, [
        { key: 'rate', label: 'hit rate', unit: 'ratio', values: rates },
        { key: 'hits', label: 'hits', unit: 'count', values: hits },
        { key: 'misses', label: 'misses', unit: 'count', values: misses },
      ]),
      chart: html`
        <${Line}
          x=${x}
          series=${[{ label: 'hit rate', values: rates, tone: 'series-1' }]}
          unit="ratio"
          most=${1}
          label=${title}
          height=${height}
          sync=${sync}
        />
      `,
    };
  };
  return html`<${Timed}
    id=${id}
    title=${title}
    asked=${asked}
    height=${height}
    draw=${draw}
    none="No look-ups in this time."
  />`;
}
