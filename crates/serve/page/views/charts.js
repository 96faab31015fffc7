// Charts that several views show, each with its sentence and its table. What a
// sentence says of the whole time is what the figures above it say: of the same
// answer, where the view has one and it is `alongside` the timeline.

import { Bars } from '../charts/bars.js';
import { Line } from '../charts/line.js';
import { counted, duration, money, percent, tokens } from '../format.js';
import { html, useMemo } from '../html.js';
import { Figure } from '../parts/figure.js';
import { Loading, Problem } from '../parts/states.js';
import { ahead, failureRatio, hitRatio, isWide, outcome, peak, ratio, stretch, times, total, twin, values } from './series.js';

/** @typedef {import('../types.d.ts').Timeline} Timeline */
/** @typedef {import('../types.d.ts').Spread} Spread */
/** @typedef {import('../types.d.ts').Outcomes} Outcomes */
/** @typedef {import('../state.js').Asked} Asked */
/** @typedef {import('../format.js').Unit} Unit */
/**
 * @typedef {object} Drawing
 * @property {string} sentence
 * @property {Parameters<typeof twin>[1]} table
 * @property {typeof Line | typeof Bars} as
 * @property {readonly any[]} series of the chart
 * @property {Unit} unit of its axis
 * @property {boolean} [log]
 * @property {number} [most]
 */
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
 * A figure over one timeline or several, or what stands there meanwhile.
 * @param {object} props
 * @param {string} props.id
 * @param {any} props.title
 * @param {string} [props.name] the title for those who hear the page, where it is no text
 * @param {Asked | readonly Asked[]} props.asked
 * @param {string} [props.sync]
 * @param {number} [props.height]
 * @param {string} props.none said where there is nothing to draw
 * @param {unknown} [props.beside] what `draw` uses besides timelines
 * @param {(x: number[], ...timelines: Timeline[]) => Drawing | null} props.draw null: nothing
 */
export function Timed({ id, title, name = title, asked, sync, height = HEIGHT, none, beside, draw }) {
  const all = /** @type {readonly Asked[]} */ (Array.isArray(asked) ? asked : [asked]);
  const timelines = all.map((one) => /** @type {Timeline | null} */ (one.answer?.timeline ?? null));
  // Each comes in its own time: some may still be of another range.
  const there = timelines.every((one) => one !== null && one.bucket_seconds === timelines[0]?.bucket_seconds);
  const drawn = useMemo(() => {
    if (!there) return null;
    const known = /** @type {Timeline[]} */ (timelines);
    const x = times(known[0]);
    const drawing = draw(x, ...known);
    if (drawing === null) return null;
    const { sentence, table, as: Chart, ...rest } = drawing;
    const chart = html`<${Chart} x=${x} label=${name} height=${height} sync=${sync} ...${rest} />`;
    return { sentence, chart, ...twin(x, table) };
  }, [there, ...timelines, beside]);
  const failed = all.find((one) => one.error !== null && one.answer === null);
  if (failed) return html`<${Problem} error=${failed.error} retry=${failed.reload} />`;
  if (!there) {
    return html`<${Figure} id=${id} title=${title} name=${name}><${Loading} height=${height + AROUND} /><//>`;
  }
  return html`
    <${Figure}
      id=${id}
      title=${title}
      name=${name}
      sentence=${(drawn?.sentence ?? none) + ahead(timelines)}
      columns=${drawn?.columns}
      rows=${drawn?.rows}
      stale=${all.some((one) => one.stale !== null)}
    >
      ${drawn?.chart ?? null}
    <//>
  `;
}

/**
 * p50, p95 and p99 over time.
 * @param {Props & {spread?: Spread | null}} props spread: of the whole time
 */
export function Latency({ spread, ...rest }) {
  const draw = (/** @type {number[]} */ x, /** @type {Timeline} */ timeline) => {
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
    const sentence = `${all} was highest on ${worst.when}: ${duration(worst.value)}.${log ? ' Logarithmic axis.' : ''}`;
    return { sentence, table: lists, as: Line, series: lists, unit: /** @type {const} */ ('ms'), log };
  };
  return html`<${Timed} ...${rest} draw=${draw} beside=${spread} none="No durations were recorded in this time." />`;
}

/**
 * How many, and how many of them failed.
 * @param {Props & {one?: string, many?: string, whole?: Outcomes | null | undefined}} props
 *   one, many: what is counted, calls unless told; whole: how all of the time ended
 */
export function Calls({ one = 'call', many = 'calls', whole, ...rest }) {
  const draw = (/** @type {number[]} */ x, /** @type {Timeline} */ timeline) => {
    const count = values(timeline, (bucket) => bucket.count);
    const failed = values(timeline, (bucket) => bucket.failed);
    const fine = values(timeline, (bucket) => bucket.count - bucket.failed);
    const known = total(values(timeline, (bucket) => bucket.count - bucket.unknown)) ?? 0;
    const sum = total(count) ?? 0;
    const wrong = total(failed) ?? 0;
    const { all, failing } = outcome(
      whole ?? { succeeded: known - wrong, failed: wrong, unknown: sum - known },
    );
    if (sum === 0) return null;
    const worst = peak(
      x,
      values(timeline, (bucket) => (bucket.failed > 0 ? bucket.failed : null)),
    );
    const most = worst ? `, the most on ${worst.when} (${counted(worst.value, 'failure')})` : '';
    const failures = whole?.failed ?? wrong;
    const bad =
      failures === 0 ? 'none failed' : `${counted(failures, 'failed', 'failed')} (${percent(failing)})${most}`;
    return {
      sentence: `${counted(all, one, many)}, ${bad}; by ${stretch(timeline)}.`,
      table: [
        { key: 'count', label: many, unit: /** @type {const} */ ('count'), values: count },
        { key: 'failed', label: 'failed', unit: /** @type {const} */ ('count'), values: failed },
        { key: 'ratio', label: 'error rate', unit: /** @type {const} */ ('ratio'), values: values(timeline, failureRatio) },
      ],
      as: Bars,
      series: [
        { label: wrong === 0 ? many : known === sum ? 'succeeded' : 'not failed', values: fine, tone: 'series-1' },
        { label: 'failed', values: failed, tone: 'bad' },
      ],
      unit: /** @type {const} */ ('count'),
    };
  };
  return html`<${Timed} ...${rest} draw=${draw} beside=${whole} none=${`No ${many} in this time.`} />`;
}

/**
 * Tokens in and out.
 * @param {Props & {whole?: {input: number, output: number} | null | undefined}} props whole: of all of the time
 */
export function Tokens({ whole, ...rest }) {
  const draw = (/** @type {number[]} */ _x, /** @type {Timeline} */ timeline) => {
    const input = values(timeline, (bucket) => bucket.input_tokens);
    const output = values(timeline, (bucket) => bucket.output_tokens);
    const [into, out] = [total(input), total(output)];
    if (into === null && out === null) return null;
    return {
      sentence: `${tokens(whole?.input ?? into ?? 0)} in, ${tokens(whole?.output ?? out ?? 0)} out; by ${stretch(timeline)}.`,
      table: [
        { key: 'input', label: 'tokens in', unit: /** @type {const} */ ('count'), values: input },
        { key: 'output', label: 'tokens out', unit: /** @type {const} */ ('count'), values: output },
      ],
      as: Bars,
      series: [
        { label: 'in', values: input, tone: 'series-1' },
        { label: 'out', values: output, tone: 'series-3' },
      ],
      unit: /** @type {const} */ ('tokens'),
    };
  };
  return html`<${Timed} ...${rest} draw=${draw} beside=${whole} none="No tokens were counted in this time." />`;
}

/**
 * What it cost.
 * @param {Props & {whole?: number | null | undefined}} props whole: US dollars in all of the time
 */
export function Cost({ whole, ...rest }) {
  const draw = (/** @type {number[]} */ x, /** @type {Timeline} */ timeline) => {
    const cost = values(timeline, (bucket) => bucket.cost_usd);
    const all = total(cost);
    const most = peak(x, cost);
    if (all === null || most === null) return null;
    return {
      sentence: `${money(whole ?? all)} by ${stretch(timeline)}; the most on ${most.when}: ${money(most.value)}.`,
      table: [{ key: 'cost', label: 'cost', unit: /** @type {const} */ ('usd'), values: cost }],
      as: Bars,
      series: [{ label: 'cost', values: cost, tone: 'series-1' }],
      unit: /** @type {const} */ ('usd'),
    };
  };
  return html`<${Timed} ...${rest} draw=${draw} beside=${whole} none="No costs are known in this time." />`;
}

/** Look-ups of caches: which of them were hits. @param {Timeline} timeline */
export function lookUps(timeline) {
  const hits = values(timeline, (bucket) => bucket.hits);
  const misses = values(timeline, (bucket) => bucket.misses);
  return {
    hits,
    misses,
    sums: { hits: total(hits) ?? 0, misses: total(misses) ?? 0 },
    table: [
      { key: 'hits', label: 'hits', unit: /** @type {const} */ ('count'), values: hits },
      { key: 'misses', label: 'misses', unit: /** @type {const} */ ('count'), values: misses },
    ],
  };
}

/** @typedef {{hits: number, misses: number}} LookUps */

/**
 * Hit rate of caches.
 * @param {Props & {whole?: LookUps | null | undefined}} props whole: of all of the time
 */
export function HitRate({ whole, ...rest }) {
  const draw = (/** @type {number[]} */ x, /** @type {Timeline} */ timeline) => {
    const { sums, table } = lookUps(timeline);
    if (sums.hits + sums.misses === 0) return null;
    const rates = values(timeline, hitRatio);
    const low = peak(
      x,
      rates.map((rate) => (rate === null ? null : -rate)),
    );
    const lowest = low ? `; lowest on ${low.when}: ${percent(-low.value)}` : '';
    const { hits, misses } = whole ?? sums;
    return {
      sentence: `${percent(ratio(hits, hits + misses))} of ${counted(hits + misses, 'look-up')} were hits${lowest}.`,
      table: [{ key: 'rate', label: 'hit rate', unit: /** @type {const} */ ('ratio'), values: rates }, ...table],
      as: Line,
      series: [{ label: 'hit rate', values: rates, tone: 'series-1' }],
      unit: /** @type {const} */ ('ratio'),
      most: 1,
    };
  };
  return html`<${Timed} ...${rest} draw=${draw} beside=${whole} none="No look-ups in this time." />`;
}
