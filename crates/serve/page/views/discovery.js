// How definitions of agents are found, fetched and read: on the page of the agents,
// and on the overview where nothing else was done.

import { Bars } from '../charts/bars.js';
import { count, counted, duration, percent, tokens } from '../format.js';
import { html, useEffect, useMemo, useRef } from '../html.js';
import { Listed } from '../parts/frame.js';
import { Stat } from '../parts/stat.js';
import { Empty, Loading, Problem } from '../parts/states.js';
import { link, useAnswer, useRange } from '../state.js';
import { targetOf } from '../verdict.js';
import { HitRate, Timed } from './charts.js';
import { figuresOf } from './discovery-figures.js';
import { alongside, hitRatio, peak, ratio, stretch, total, values } from './series.js';

/** @typedef {import('../types.d.ts').Timeline} Timeline */

const BUCKETS = 120;
/** The operation that goes through the agent cache. */
const FETCH = 'get_agent';
const SYNC = 'discovery';

/** What was found and loaded in this time, and whether there is any of it. */
export function useDiscovered() {
  const { query } = useRange();
  const asked = useAnswer('discovery', query && { ...query, format: 'csv' });
  const loaded = useAnswer('token_savings', query);
  const figures = useMemo(() => (asked.answer === null ? null : figuresOf(asked.answer)), [asked.answer]);
  const loads = loaded.answer?.token_savings ?? null;
  const any = (figures?.all['count'] ?? 0) > 0 || (loads?.total_agents_loaded ?? 0) > 0;
  return { asked, figures, loads, any, known: figures !== null && loads !== null };
}

/**
 * @param {{found: ReturnType<typeof useDiscovered>, wanted?: boolean}} props
 *   wanted: whoever looks has come for this, so that it is said where there is none
 */
export function Discovery({ found, wanted = false }) {
  const { asked, figures, loads, any, known } = found;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!wanted || !known) return;
    // The page has shown its top first, as it does with each view.
    const later = setTimeout(() => {
      heading.current?.focus({ preventScroll: true });
      heading.current?.scrollIntoView();
    });
    return () => clearTimeout(later);
  }, [wanted, known]);
  if (!any && !wanted) return null;
  return html`
    <section class="view" id="discovery" aria-labelledby="discovery-title">
      <h2 class="section anchor" id="discovery-title" tabindex="-1" ref=${heading}>
        <a href=${link('agents', [], { show: 'discovery' })}>Agent discovery</a>
      </h2>
      ${
        asked.error && figures === null
          ? html`<${Problem} error=${asked.error} retry=${asked.reload} />`
          : !known
            ? html`<${Loading} height=${420} />`
            : any
              ? html`<${Found} figures=${figures} loads=${loads} />`
              : html`<${Empty} title="No agent was looked up or loaded in this time">
                  <code>tacho agents list</code> and <code>tacho agents get</code> record it, as does
                  <code>recorder.record_agent_discovery</code> in Rust, and ${' '}<code>{"event_type":"agent_discovery","operation":"get_agent","duration_ms":0.4,"cache_hit":true}</code> sent to this server.
                <//>`
      }
    </section>
  `;
}

/** The same by itself. */
export function Standing() {
  return html`<${Discovery} found=${useDiscovered()} />`;
}

/** @param {{figures: any, loads: any}} props */
function Found({ figures, loads }) {
  const { query } = useRange();
  const ask = (/** @type {object} */ params) => useAnswer('timeline', query && { ...query, ...params, buckets: BUCKETS });
  const all = ask({ kind: 'agent_discovery' });
  const fetched = ask({ kind: 'agent_discovery', name: FETCH });
  const loaded = ask({ kind: 'agent_load' });
  const cache = useAnswer('cache_performance', query);
  const { answer: health } = useAnswer('health', query);
  const whole = alongside(cache.answer, fetched.answer)?.cache_performance;
  const rows = useMemo(
    () => figures.operations.map((/** @type {any} */ one) => ({ ...one, target: targetOf(health, `${one.name} p95`) })),
    [figures, health],
  );
  return html`
    <${Stats}
      figures=${figures}
      loads=${loads}
      cache=${cache.answer?.cache_performance}
      health=${health}
      all=${all.answer?.timeline}
      fetched=${fetched.answer?.timeline}
      loaded=${loaded.answer?.timeline}
    />
    <div class="row two">
      <${HitRate}
        id="agent-cache"
        title="Hit rate of the agent cache"
        asked=${fetched}
        whole=${whole && { hits: whole.cache_hits, misses: whole.cache_misses }}
        height=${150}
        sync=${SYNC}
      />
      <${Loads} asked=${loaded} />
    </div>
    <${Listed}
      caption="Operations"
      columns=${COLUMNS}
      rows=${rows}
      sort=${{ key: 'count', down: true }}
      empty="No agent was looked up in this time."
      note="From cache: where an operation goes through the agent cache. What looks agents up does not tell whether it failed."
    />
  `;
}

/** @param {any} props */
function Stats({ figures, loads, cache, health, all, fetched, loaded }) {
  const p95 = targetOf(health, 'overall p95');
  const hits = targetOf(health, 'cache hit rate');
  const savings = targetOf(health, 'token savings');
  return html`
    <div class="stats">
      <${Stat}
        label="Look-ups"
        value=${count(figures.all.count ?? 0)}
        note=${counted(figures.operations.length, 'operation')}
        spark=${values(all, (bucket) => bucket.count)}
      />
      <${Stat}
        label="p95 of look-ups"
        value=${duration(figures.all.p95)}
        note=${joined(figures.all.p50 === undefined ? '' : `p50 ${duration(figures.all.p50)}`, p95)}
        tone=${toneOf(p95)}
        spark=${values(all, (bucket) => bucket.p95)}
      />
      <${Stat}
        label="Agent cache hits"
        value=${percent(ratio(cache?.cache_hits, cache?.total_lookups ?? 0))}
        note=${joined(cache ? `${count(cache.total_lookups)} fetched` : '', hits)}
        tone=${toneOf(hits)}
        spark=${values(fetched, hitRatio)}
      />
      <${Stat}
        label="Loads"
        value=${count(loads.total_agents_loaded)}
        note=${`${tokens(loads.total_tokens_loaded)} tokens`}
        spark=${values(loaded, (bucket) => bucket.count)}
      />
      ${
        savings &&
        html`<${Stat} label="Token savings" value=${percent(savings.value / 100)} note=${`target ${savings.says}`} tone=${toneOf(savings)} spark=${[]} />`
      }
    </div>
  `;
}

/** @param {string} words @param {ReturnType<typeof targetOf>} target */
const joined = (words, target) => [words, target && `target ${target.says}`].filter(Boolean).join('; ');

/** @param {ReturnType<typeof targetOf>} target */
const toneOf = (target) => (target === null || target.status === 'good' ? undefined : target.status === 'bad' ? 'bad' : 'warn');

/** @param {{asked: import('../state.js').Asked}} props */
function Loads({ asked }) {
  const draw = (/** @type {number[]} */ x, /** @type {Timeline} */ timeline) => {
    const loads = values(timeline, (bucket) => bucket.count);
    const all = total(loads) ?? 0;
    const most = peak(x, loads);
    if (all === 0 || most === null) return null;
    const p95 = values(timeline, (bucket) => bucket.p95);
    return {
      sentence: `${counted(all, 'load')} by ${stretch(timeline)}; the most on ${most.when}: ${count(most.value)}.`,
      table: [
        { key: 'loads', label: 'loads', unit: /** @type {const} */ ('count'), values: loads },
        { key: 'p50', label: 'p50', unit: /** @type {const} */ ('ms'), values: values(timeline, (bucket) => bucket.p50) },
        { key: 'p95', label: 'p95', unit: /** @type {const} */ ('ms'), values: p95 },
      ],
      as: Bars,
      series: [{ label: 'loads', values: loads, tone: 'series-1' }],
      unit: /** @type {const} */ ('count'),
    };
  };
  return html`<${Timed}
    id="agent-loads"
    title="Definitions that were loaded"
    asked=${asked}
    draw=${draw}
    none="No definition was loaded in this time."
    height=${150}
    sync=${SYNC}
  />`;
}

/** @type {import('../parts/table.js').Column[]} */
const COLUMNS = [
  { key: 'name', label: 'Operation', unit: 'name' },
  { key: 'count', label: 'Look-ups', unit: 'count', bar: true },
  { key: 'p50', label: 'p50', unit: 'ms' },
  { key: 'p95', label: 'p95', unit: 'ms' },
  { key: 'p99', label: 'p99', unit: 'ms' },
  { key: 'mean', label: 'Mean', unit: 'ms' },
  {
    key: 'target',
    label: 'Target of p95',
    unit: 'text',
    sortable: false,
    format: (target) =>
      target ? html`<span class=${toneOf(target) ? `tone-${toneOf(target)}` : ''}>${target.says}</span>` : '–',
  },
  { key: 'hits', label: 'From cache', unit: 'ratio', bar: (row) => row.hits ?? null },
];
