import { Bars } from '../charts/bars.js';
import { count, counted, duration, percent } from '../format.js';
import { html, useMemo } from '../html.js';
import { Framed, Listed } from '../parts/frame.js';
import { Stat } from '../parts/stat.js';
import { link, useAnswer, useRange } from '../state.js';
import { HitRate, Timed, lookUps } from './charts.js';
import { alongside, hitRatio, ratio, stretch, total, values } from './series.js';

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
  const rows = useMemo(() => rowsOf(caches), [found]);
  const whole = useMemo(() => (found ? sums(caches) : null), [found]);
  const drawn = alongside(asked.answer, timeline.answer) && whole;
  const ofAgents = useAnswer('cache_performance', query).answer?.cache_performance;
  return html`
    <${Framed} asked=${asked}>
      <${Stats} caches=${found ? caches : null} whole=${whole} timeline=${timeline.answer?.timeline} />
      <div class="row two">
        <${HitRate} id="hits" title="Hit rate of all caches" asked=${timeline} whole=${drawn} sync="caches" />
        <${LookUps} asked=${timeline} whole=${drawn} />
      </div>
      <${Listed}
        ready=${found !== undefined}
        height=${200}
        caption="Caches"
        columns=${COLUMNS}
        rows=${rows}
        sort=${{ key: 'lookups', down: true }}
        empty="No look-ups in this time."
        note="Saved is what hits did not take: the mean of misses less that of hits, times hits."
      />
      ${
        ofAgents?.total_lookups > 0 &&
        html`<p class="card">
          The agent cache is apart: ${percent(ratio(ofAgents.cache_hits, ofAgents.total_lookups))} of
          ${` ${counted(ofAgents.total_lookups, 'fetch', 'fetches')} of agents were hits. `}
          <a href=${link('agents', [], { show: 'discovery' })}>Agent discovery</a>
        </p>`
      }
      ${
        caches.length > 1 &&
        html`
          <div class="row two">
            ${caches.slice(0, APART).map((cache) => html`<${OfOne} key=${cache.name} cache=${cache} of=${asked.answer} />`)}
          </div>
        `
      }
    <//>
  `;
}

/** @param {readonly Cache[]} caches */
function sums(caches) {
  const sum = (/** @type {(cache: Cache) => number} */ figure) => caches.reduce((sum, cache) => sum + figure(cache), 0);
  return { hits: sum((cache) => cache.hits), misses: sum((cache) => cache.misses) };
}

/** @param {{caches: Cache[] | null, whole: import('./charts.js').LookUps | null, timeline: any}} props */
function Stats({ caches, whole, timeline }) {
  const sum = (/** @type {(cache: Cache) => number | null} */ figure) => (caches ? total(caches.map(figure)) : null);
  const lookups = (whole?.hits ?? 0) + (whole?.misses ?? 0);
  const evictions = sum((cache) => cache.evictions);
  const rejected = sum((cache) => cache.size_rejections);
  return html`
    <div class="stats">
      <${Stat}
        label="Hit rate"
        value=${percent(ratio(whole?.hits, lookups))}
        note=${caches ? counted(caches.length, 'cache') : ''}
        spark=${values(timeline, hitRatio)}
      />
      <${Stat}
        label="Look-ups"
        value=${count(caches ? lookups : null)}
        note=${whole ? counted(whole.misses, 'miss', 'misses') : ''}
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

/** @param {{asked: import('../state.js').Asked, whole: import('./charts.js').LookUps | null}} props */
function LookUps({ asked, whole }) {
  const draw = (/** @type {number[]} */ _x, /** @type {import('../types.d.ts').Timeline} */ timeline) => {
    const { hits, misses, sums, table } = lookUps(timeline);
    if (sums.hits + sums.misses === 0) return null;
    const { hits: hit, misses: missed } = whole ?? sums;
    return {
      sentence: `${counted(hit, 'hit')}, ${counted(missed, 'miss', 'misses')}; by ${stretch(timeline)}.`,
      table,
      as: Bars,
      series: [
        { label: 'hits', values: hits, tone: 'series-1' },
        { label: 'misses', values: misses, tone: 'series-3' },
      ],
      unit: /** @type {const} */ ('count'),
    };
  };
  return html`<${Timed}
    id="lookups"
    title="Look-ups"
    asked=${asked}
    draw=${draw}
    beside=${whole}
    none="No look-ups in this time."
    sync="caches"
  />`;
}

/** @param {{cache: Cache, of: any}} props of: the answer that told of it */
function OfOne({ cache, of }) {
  const { query } = useRange();
  const name = cache.name ?? 'unknown';
  const timeline = useAnswer('timeline', query && { ...query, kind: 'cache', name, buckets: BUCKETS });
  return html`<${HitRate}
    id=${`hits-of-${encodeURIComponent(name)}`}
    title=${`Hit rate of ${name}`}
    asked=${timeline}
    whole=${alongside(of, timeline.answer) && cache}
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
