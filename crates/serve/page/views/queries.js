import { count, counted, duration, percent } from '../format.js';
import { html } from '../html.js';
import { Framed, Listed } from '../parts/frame.js';
import { Stat } from '../parts/stat.js';
import { Loading } from '../parts/states.js';
import { useAnswer, useRange } from '../state.js';
import { Calls, Latency } from './charts.js';
import { alongside, outcome, values } from './series.js';
import { Durations } from './tiles.js';

export const title = 'Queries';

/** @typedef {import('../types.d.ts').Queries} Queries */
/** @typedef {import('../types.d.ts').Between} Between */
/** @typedef {import('../parts/table.js').Column} Column */

const BUCKETS = 120;

export default function View() {
  const { query } = useRange();
  const asked = useAnswer('queries', query && { ...query, limit: 1000 });
  const timeline = useAnswer('timeline', query && { ...query, kind: 'query', buckets: BUCKETS });
  const found = /** @type {Queries | undefined} */ (asked.answer?.queries);
  const whole = alongside(asked.answer, timeline.answer)?.queries;
  return html`
    <${Framed} asked=${asked}>
      <${Stats} found=${found} timeline=${timeline.answer?.timeline} />
      <div class="row two">
        <${Latency}
          id="latency"
          title="Time to an answer"
          asked=${timeline}
          spread=${whole?.duration_ms}
          sync="queries"
        />
        <${Calls}
          id="calls"
          title="Queries"
          asked=${timeline}
          one="query"
          many="queries"
          whole=${whole?.outcomes}
          sync="queries"
        />
      </div>
      ${found ? html`<${Tables} found=${found} />` : html`<div class="card"><${Loading} height=${320} /></div>`}
    <//>
  `;
}

/** Where only sketches are known, a stretch. @param {Between | null | undefined} many */
function between(many) {
  if (!many) return '–';
  return many.at_least === many.at_most ? count(many.at_least) : `${count(many.at_least)}–${count(many.at_most)}`;
}

/** @param {{found: Queries | undefined, timeline: any}} props */
function Stats({ found, timeline }) {
  const spread = found?.duration_ms;
  const failing = found ? outcome(found.outcomes).failing : null;
  const limits = found?.limits;
  return html`
    <div class="stats">
      <${Stat}
        label="Queries"
        value=${count(found?.total)}
        note=${found && found.abandoned > 0 ? `${count(found.abandoned)} abandoned` : ''}
        spark=${values(timeline, (bucket) => bucket.count)}
      />
      <${Stat}
        label="Failed"
        value=${percent(failing)}
        note=${found ? counted(found.outcomes.failed, 'failure') : ''}
      />
      <${Durations} spread=${spread} timeline=${timeline} />
      <${Stat}
        label="Slow"
        value=${between(found?.slow)}
        note=${limits ? `over ${duration(limits.slow_ms)}; ${between(found.very_slow)} over ${duration(limits.very_slow_ms)}` : ''}
      />
      <${Stat}
        label="Highly complex"
        value=${between(found?.complexity?.high)}
        note=${limits && found.complexity?.score ? `over ${limits.high_complexity}; mean ${found.complexity.score.mean.toFixed(2)}` : ''}
      />
    </div>
  `;
}

/** @type {Column[]} */
const AGENTS = [
  { key: 'agent', label: 'Agent type', unit: 'name' },
  { key: 'count', label: 'Queries', unit: 'count' },
  { key: 'share', label: 'Share', unit: 'ratio', bar: (row) => row.share },
  { key: 'failing', label: 'Error rate', unit: 'ratio' },
  { key: 'p50', label: 'p50', unit: 'ms' },
  { key: 'p95', label: 'p95', unit: 'ms' },
  { key: 'p99', label: 'p99', unit: 'ms' },
  { key: 'mean_tool_calls', label: 'Tool calls', unit: 'number', format: (value) => figure(value, 1) },
  { key: 'mean_graphql_queries', label: 'GraphQL queries', unit: 'number', format: (value) => figure(value, 2) },
  { key: 'mean_complexity', label: 'Complexity', unit: 'number', format: (value) => figure(value, 2) },
];

/** @param {number | null} value @param {number} digits */
function figure(value, digits) {
  return typeof value === 'number' ? value.toFixed(digits) : '–';
}

/** @type {Column[]} */
const DAYS = [
  { key: 'date', label: 'Day (UTC)', unit: 'text' },
  { key: 'total', label: 'Queries', unit: 'count', bar: true },
  { key: 'failing', label: 'Error rate', unit: 'ratio' },
  { key: 'p50', label: 'p50', unit: 'ms' },
  { key: 'p95', label: 'p95', unit: 'ms' },
];

/** @param {string} label @returns {Column[]} */
const tallies = (label) => [
  {
    key: 'name',
    label,
    unit: 'name',
    format: (value) => (typeof value === 'string' ? value.replaceAll('_', ' ') : value),
  },
  { key: 'count', label: 'Queries', unit: 'count', bar: true },
];

/** @param {{outcomes: import('../types.d.ts').Outcomes, duration_ms: import('../types.d.ts').Spread | null}} of */
function told({ outcomes, duration_ms: spread }) {
  return {
    failing: outcome(outcomes).failing,
    p50: spread?.p50 ?? null,
    p95: spread?.p95 ?? null,
    p99: spread?.p99 ?? null,
  };
}

/** @param {{found: Queries}} props */
function Tables({ found }) {
  const agents = found.agents.map((agent) => ({ ...agent, ...told(agent) }));
  const days = found.days.map((day) => ({ ...day, ...told(day) }));
  return html`
    <${Listed}
      caption="By type of agent"
      columns=${AGENTS}
      rows=${agents}
      sort=${{ key: 'count', down: true }}
      empty="No queries in this time."
      note="Tool calls, GraphQL queries and complexity are means of a query."
    />
    <div class="row two start">
      <${Listed}
        caption="By day"
        columns=${DAYS}
        rows=${days}
        sort=${{ key: 'date', down: true }}
        empty="No queries in this time."
      />
      <div class="stack">
        <${Tally} caption="What failed" label="Error" rows=${found.errors} empty="Nothing failed in this time." />
        <${Tally}
          caption="What they were about"
          label="Entity"
          rows=${found.entities}
          empty="No entities were recorded."
        />
        <${Tally}
          caption="Why an agent was chosen"
          label="Reason"
          rows=${found.selection_reasons}
          empty="No choices were recorded."
        />
      </div>
    </div>
  `;
}

/** @param {{caption: string, label: string, rows: readonly any[], empty: string}} props */
function Tally({ caption, label, rows, empty }) {
  return html`
    <${Listed}
      caption=${caption}
      columns=${tallies(label)}
      rows=${rows}
      sort=${{ key: 'count', down: true }}
      empty=${empty}
    />
  `;
}
