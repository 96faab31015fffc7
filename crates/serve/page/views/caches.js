import { Bars } from '../charts/bars.js';
import { count, counted, duration, percent } from '../format.js';
import { html } from '../html.js';
import { Stat } from '../parts/stat.js';
import { Loading, Problem } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { useAnswer, useRange } from '../state.js';
import { HitRate, Timed } from './charts.js';
import { hitRatio, ratio, stretch, total, twin, values } from './series.js';

export const title = 'Caches';

/** @typedef {import('../types.d.ts').Cache} Cache */

const BUCKETS = 120;
/** Caches that are drawn apart. */
const APART = 6;

/**
 * What its hits saved: as long as a miss takes on average, less what they took.
 * @param {Cache} cache
 * @returns {number | null} milliseconds; `null`: nothing says how long they take
 */
function saved(cache) {
  if (!cache.hit_ms || !cache.miss_ms) return null;
  return cache.hits * (cache.miss_ms.mean - cache.hit_ms.mean);
}

export default function View() {
  const { query } = useRange();
  const asked = useAnswer('caches', query && { ...query, limit: 1000 });
  const timeline = useAnswer('timeline', query && { ...query, kind: 'cache', buckets: BUCKETS });
  const found = asked.answer?.caches;
  const caches = /** @type {Cache[]} */ (found?.caches ?? []);
  if (asked.error && !found) return html`<${Problem} error=${asked.error} retry=${asked.reload} />`;
  return html`
    <div class="view">
      ${asked.stale !== null && html`<${Problem} error=${asked.error} retry=${asked.reload} since=${asked.stale} />`}
      <${Stats} caches=${found ? caches : null} timeline=${timeline.answer?.timeline} />
      <div class="row two">
        <${HitRate} id="hits" title="Hit rate of all caches" asked=${timeline} sync="caches" />
        <${LookUps} asked=${timeline} />
      </div>
      <section class="card flush">
        ${
          found
            ? html`<${Table}
                caption="Caches"
                columns=${COLUMNS}
                rows=${rowsOf(caches)}
                sort=${{ key: 'lookups', down: true }}
                empty="No look-ups in this time."
                note="Saved is what hits did not take: the mean of misses less that of hits, times hits."
              />`
            : html`<${Loading} height=${200} />`
        }
      </section>
      ${
        caches.length > 1 &&
        html`
          <div class="row two">
            ${caches.slice(0, APART).map((cache) => html`<${OfOne} key=${cache.name} name=${cache.name ?? 'unknown'} />`)}
          </div>
        `
      }
    </div>
  `;
}

/** @param {{caches: Cache[] | null, timeline: any}} props */
function Stats({ caches, timeline }) {
  const sum = (/** @type {(cache: Cache) => number | null} */ figure) => (caches ? total(caches.map(figure)) : null);
  const [hits, misses] = [sum((cache) => cache.hits), sum((cache) => cache.misses)];
  const lookups = (hits ?? 0) + (misses ?? 0);
  const evictions = sum((cache) => cache.evictions);
  const rejected = sum((cache) => cache.size_rejections);
  return html`
    <div class="stats">
      <${Stat}
        label="Hit rate"
        value=${percent(ratio(hits, lookups))}
        note=${caches ? counted(caches.length, 'cache') : ''}
        spark=${values(timeline, hitRatio)}
      />
      <${Stat}
        label="Look-ups"
        value=${count(caches ? lookups : null)}
        note=${caches ? counted(misses, 'miss', 'misses') : ''}
        spark=${values(timeline, (bucket) => (bucket.hits ?? 0) + (bucket.misses ?? 0))}
      />
      <${Stat} label="Saved" value=${duration(sum(saved))} note="by hits" />
      <${Stat}
        label="Evictions"
        value=${count(evictions)}
        note=${caches && lookups > 0 ? `${percent(ratio(evictions, lookups))} of look-ups` : ''}
      />
      <${Stat} label="Too large to keep" value=${count(rejected)} />
    </div>
  `;
}

/** @param {{asked: import('../state.js').Asked}} props */
function LookUps({ asked }) {
  const draw = (/** @type {import('../types.d.ts').Timeline} */ timeline, /** @type {number[]} */ x) => {
    const hits = values(timeline, (bucket) => bucket.hits);
    const misses = values(timeline, (bucket) => bucket.misses);
    const [hit, missed] = [total(hits) ?? 0, total(misses) ?? 0];
    if (hit + missed === 0) return null;
    return {
      sentence: `${counted(hit, 'hit')}, ${counted(missed, 'miss', 'misses')}; by ${stretch(timeline)}.`,
      twin: twin(x, [
        { key: 'hits', label: 'hits', unit: 'count', values: hits },
        { key: 'misses', label: 'misses', unit: 'count', values: misses },
      ]),
      chart: html`
        <${Bars}
          x=${x}
          series=${[
            { label: 'hits', values: hits, tone: 'series-1' },
            { label: 'misses', values: misses, tone: 'series-3' },
          ]}
          unit="count"
          label="Look-ups"
          sync="caches"
        />
      `,
    };
  };
  return html`<${Timed} id="lookups" title="Look-ups" asked=${asked} draw=${draw} none="No look-ups in this time." />`;
}

/** @param {{name: string}} props */
function OfOne({ name }) {
  const { query } = useRange();
  const timeline = useAnswer('timeline', query && { ...query, kind: 'cache', name, buckets: BUCKETS });
  return html`<${HitRate}
    id=${`hits-of-${encodeURIComponent(name)}`}
    title=${`Hit rate of ${name}`}
    asked=${timeline}
    height=${130}
    sync="caches"
  />`;
}

/** @param {readonly Cache[]} caches */
function rowsOf(caches) {
  return caches.map((cache) => ({
    name: cache.name ?? 'unknown',
    lookups: cache.hits + cache.misses,
    hits: cache.hits,
    misses: cache.misses,
    rate: cache.hit_ratio,
    hit_ms: cache.hit_ms?.mean ?? null,
    miss_ms: cache.miss_ms?.mean ?? null,
    saved: saved(cache),
    evictions: cache.evictions,
    rejected: cache.size_rejections,
  }));
}

/** @type {import('../parts/table.js').Column[]} */
const COLUMNS = [
  { key: 'name', label: 'Cache', unit: 'name' },
  { key: 'lookups', label: 'Look-ups', unit: 'count' },
  { key: 'hits', label: 'Hits', unit: 'count' },
  { key: 'misses', label: 'Misses', unit: 'count' },
  { key: 'rate', label: 'Hit rate', unit: 'ratio', bar: (row) => row.rate },
  { key: 'hit_ms', label: 'Mean hit', unit: 'ms' },
  { key: 'miss_ms', label: 'Mean miss', unit: 'ms' },
  { key: 'saved', label: 'Saved', unit: 'ms' },
  { key: 'evictions', label: 'Evictions', unit: 'count' },
  { key: 'rejected', label: 'Too large', unit: 'count' },
];
