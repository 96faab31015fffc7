import { Spark } from '../charts/spark.js';
import { count, counted, duration, percent } from '../format.js';
import { html, useMemo } from '../html.js';
import { Framed, Listed } from '../parts/frame.js';
import { Stat } from '../parts/stat.js';
import { liveName } from '../live.js';
import { link, useAnswer, useLive, useRange } from '../state.js';
import { Calls, Latency } from './charts.js';
import { Absent, Callers, Classes, Failures } from './one.js';
import { alongside, failureRatio, outcome, ratio, spent, values } from './series.js';
import { Durations } from './tiles.js';

export const title = 'Tools';

/** @typedef {import('../types.d.ts').Tool} Tool */

const BUCKETS = 120;
/** A trend is asked for of so many: the others take too little time to matter. */
const TRENDS = 12;
const TREND_BUCKETS = 40;

/** @param {{route: import('../route.js').Route}} props */
export default function View({ route }) {
  const name = route.rest.join('/');
  return name === '' ? html`<${All} />` : html`<${One} key=${name} name=${name} />`;
}

function All() {
  const { query } = useRange();
  const asked = useAnswer('tools', query && { ...query, limit: 1000 });
  const timeline = useAnswer('timeline', query && { ...query, kind: 'tool_call', buckets: BUCKETS });
  const live = useLive(['tool', 'model', 'cache', 'agent']);
  const found = asked.answer?.tools;
  const whole = alongside(asked.answer, timeline.answer)?.tools;
  const rows = useMemo(
    () => (found ? rowsOf(found.tools, live.families['tool'] ?? []) : []),
    [found, live.families['tool']],
  );
  return html`
    <${Framed} asked=${asked}>
      <${Stats} found=${found} timeline=${timeline.answer?.timeline} />
      <div class="row two">
        <${Latency}
          id="latency"
          title="Latency of all tools"
          asked=${timeline}
          spread=${whole?.duration_ms}
          sync="tools"
        />
        <${Calls} id="calls" title="Calls" asked=${timeline} whole=${whole?.calls} sync="tools" />
      </div>
      <${Listed}
        ready=${found !== undefined}
        height=${360}
        caption="Tools"
        columns=${COLUMNS}
        rows=${rows}
        sort=${{ key: 'share', down: true }}
        empty="No tool calls in this time."
        note=${found && notes(asked.answer)}
      />
    <//>
  `;
}

/** @param {{found: any, timeline: any}} props */
function Stats({ found, timeline }) {
  const calls = found ? outcome(found.calls) : null;
  const spread = found?.duration_ms;
  return html`
    <div class="stats">
      <${Stat}
        label="Calls"
        value=${count(calls?.all)}
        note=${found ? counted(found.tools.length, 'tool') : ''}
        spark=${values(timeline, (bucket) => bucket.count)}
      />
      <${Stat}
        label="Error rate"
        value=${percent(calls?.failing)}
        note=${found ? counted(found.calls.failed, 'failure') : ''}
        spark=${values(timeline, failureRatio)}
      />
      <${Durations} spread=${spread} timeline=${timeline} />
      <${Stat}
        label="Time in tools"
        value=${duration(spread?.sum)}
        note=${spread ? `longest ${duration(spread.max)}` : ''}
        spark=${values(timeline, spent('sum'))}
      />
    </div>
  `;
}

/**
 * @param {readonly Tool[]} tools
 * @param {readonly import('../live.js').Series[]} series of the last five minutes
 */
function rowsOf(tools, series) {
  const all = tools.reduce((sum, tool) => sum + (tool.duration_ms?.sum ?? 0), 0);
  const byTime = [...tools].sort((a, b) => (b.duration_ms?.sum ?? 0) - (a.duration_ms?.sum ?? 0));
  const drawn = new Set(byTime.slice(0, TRENDS).map((tool) => tool.name));
  const now = new Map(series.map((one) => [one.name, Number(one['count'])]));
  const known = tools.map((tool) => ({
    name: tool.name,
    now: now.get(liveName(tool.name)) ?? 0,
    count: outcome(tool.calls).all,
    failed: tool.calls.failed,
    failing: outcome(tool.calls).failing,
    p50: tool.duration_ms?.p50 ?? null,
    p95: tool.duration_ms?.p95 ?? null,
    p99: tool.duration_ms?.p99 ?? null,
    time: tool.duration_ms?.sum ?? null,
    share: ratio(tool.duration_ms?.sum, all),
    trend: drawn.has(tool.name),
  }));
  const names = new Set(tools.map((tool) => liveName(tool.name)));
  const none = { failed: null, failing: null, p50: null, p95: null, p99: null, time: null, share: null, trend: false };
  const fresh = [...now].filter(([name, calls]) => calls > 0 && !names.has(name));
  return [...known, ...fresh.map(([name, calls]) => ({ ...none, name, now: calls, count: null }))];
}

/** @type {import('../parts/table.js').Column[]} */
const COLUMNS = [
  { key: 'name', label: 'Tool', unit: 'name', link: (row) => link('tools', [row.name]) },
  { key: 'count', label: 'Calls', unit: 'count' },
  { key: 'now', label: 'Last 5 min', unit: 'count' },
  { key: 'failed', label: 'Failed', unit: 'count' },
  {
    key: 'failing',
    label: 'Error rate',
    unit: 'ratio',
    format: (value) => html`<span class=${value > 0.05 ? 'tone-bad' : ''}>${percent(value)}</span>`,
  },
  { key: 'p50', label: 'p50', unit: 'ms' },
  { key: 'p95', label: 'p95', unit: 'ms' },
  { key: 'p99', label: 'p99', unit: 'ms' },
  {
    key: 'trend',
    label: 'p95 over time',
    align: 'left',
    sortable: false,
    format: (drawn, row) => (drawn ? html`<${Trend} key=${row.name} name=${row.name} />` : ''),
  },
  { key: 'share', label: 'Share of time', unit: 'ratio', bar: (row) => row.share },
];

/** @param {{name: string}} props */
function Trend({ name }) {
  const { query } = useRange();
  const { answer } = useAnswer('timeline', query && { ...query, kind: 'tool_call', name, buckets: TREND_BUCKETS }, {
    every: 120,
  });
  return html`<${Spark} values=${values(answer?.timeline, (bucket) => bucket.p95)} />`;
}

/** @param {any} answer @returns {string[]} */
function notes(answer) {
  const part = answer.tools.tools.length > TRENDS;
  return [
    ...(part ? [`p95 over time is drawn of the ${TRENDS} tools that took the most time.`] : []),
    ...answer.notes.map((/** @type {any} */ one) => one.text),
  ];
}

/** @param {{name: string}} props */
function One({ name }) {
  const { query } = useRange();
  const asked = useAnswer('tools', query && { ...query, name });
  // What all of them took together: one row of the list brings it.
  const others = useAnswer('tools', query && { ...query, limit: 1 });
  const timeline = useAnswer('timeline', query && { ...query, kind: 'tool_call', name, buckets: BUCKETS });
  const found = asked.answer?.tools;
  /** @type {Tool | null} */
  const tool = found?.tools[0] ?? null;
  const whole = alongside(asked.answer, timeline.answer) && tool;
  if (found && tool === null)
    return html`<div class="view"><${Absent} what="tools" name=${name} back=${link('tools')} /></div>`;
  const subject = { kind: /** @type {const} */ ('tool_call'), name };
  return html`
    <${Framed} asked=${asked}>
      <${OneStats} tool=${tool} all=${others.answer?.tools.duration_ms?.sum} timeline=${timeline.answer?.timeline} />
      <div class="row two">
        <${Latency} id="latency" title="Latency" asked=${timeline} spread=${whole?.duration_ms} sync="tool" />
        <${Calls} id="calls" title="Calls" asked=${timeline} whole=${whole?.calls} sync="tool" />
      </div>
      <div class="row two start">
        <${Classes} subject=${subject} />
        <${Callers} subject=${subject} />
      </div>
      <${Failures} subject=${subject} />
    <//>
  `;
}

/** @param {{tool: Tool | null, all: number | undefined, timeline: any}} props */
function OneStats({ tool, all, timeline }) {
  const calls = tool ? outcome(tool.calls) : null;
  const spread = tool?.duration_ms;
  return html`
    <div class="stats">
      <${Stat}
        label="Calls"
        value=${count(calls?.all)}
        note=${tool ? `${counted(tool.calls.failed, 'failure')}` : ''}
        spark=${values(timeline, (bucket) => bucket.count)}
      />
      <${Stat}
        label="Error rate"
        value=${percent(calls?.failing)}
        tone=${(calls?.failing ?? 0) > 0.05 ? 'bad' : undefined}
        note=${tool?.errors[0] ? `most: ${tool.errors[0].name}` : ''}
        spark=${values(timeline, failureRatio)}
      />
      <${Durations} spread=${spread} timeline=${timeline} />
      <${Stat}
        label="Share of tool time"
        value=${percent(ratio(spread?.sum, all ?? 0))}
        note=${spread ? `${duration(spread.sum)} in all` : ''}
        spark=${values(timeline, spent('sum'))}
      />
    </div>
  `;
}
