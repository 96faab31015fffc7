// One tool or one model: how it went, what failed and how, and who called it.

import { ago, time } from '../format.js';
import { html } from '../html.js';
import { Listed } from '../parts/frame.js';
import { Name } from '../parts/name.js';
import { Problem } from '../parts/states.js';
import { linkEvent, useAnswer, useRange } from '../state.js';
import { ratio } from './series.js';
import { quoted, within } from './window.js';

/** @typedef {import('../parts/table.js').Column} Column */
/** @typedef {{kind: 'tool_call' | 'llm_call', name: string, source?: string | null}} Subject */

/** Failures and callers that are listed. */
const RECENT = 20;
const CALLERS = 50;

/**
 * @param {Subject} subject
 * @param {import('../state.js').Range} range
 */
function condition({ kind, name, source }, range) {
  const from = source ? ` and source = ${quoted(source)}` : '';
  return `event_type = '${kind}' and name = ${quoted(name)}${from}${within(range)}`;
}

/** @type {Column[]} */
const CLASSES = [
  { key: 'error_type', label: 'Error', unit: 'name' },
  { key: 'count', label: 'Failures', unit: 'count', bar: true },
  { key: 'last', label: 'Last', unit: 'text', align: 'right', format: (value) => ago(value) },
];

/**
 * Failures by their class.
 * @param {{subject: Subject}} props
 */
export function Classes({ subject }) {
  const { query } = useRange();
  const asked = useAnswer('errors', query);
  if (asked.error && !asked.answer) return html`<${Problem} error=${asked.error} retry=${asked.reload} />`;
  const groups = asked.answer?.errors.groups ?? [];
  const ours = groups.filter(
    (/** @type {any} */ group) =>
      group.event_type === subject.kind &&
      group.name === subject.name &&
      (!subject.source || group.source === subject.source),
  );
  return html`
    <${Listed}
      caption="Errors by class"
      columns=${CLASSES}
      rows=${ours}
      sort=${{ key: 'count', down: true }}
      empty=${asked.answer ? 'Nothing failed in this time.' : ' '}
    />
  `;
}

/** @type {Column[]} */
const FAILURES = [
  {
    key: 'timestamp',
    label: 'When',
    unit: 'text',
    format: (value) => time(value, { precise: true }),
    link: linkEvent,
  },
  { key: 'error_type', label: 'Error', unit: 'name' },
  { key: 'duration_ms', label: 'Took', unit: 'ms' },
  { key: 'agent', label: 'Agent', unit: 'name' },
];

/**
 * The latest failures, each with the session or trace it was in.
 * @param {{subject: Subject}} props
 */
export function Failures({ subject }) {
  const range = useRange();
  const text = `select timestamp, error_type, duration_ms, agent, session_id, trace_id, id, name from events where ${condition(subject, range)} and success = false order by timestamp desc, id limit ${RECENT}`;
  const asked = useAnswer('sql', range.query && { query: text }, { every: 60 });
  if (asked.error && !asked.answer) return html`<${Problem} error=${asked.error} retry=${asked.reload} />`;
  return html`
    <${Listed}
      caption="Latest failures"
      columns=${FAILURES}
      rows=${asked.answer ?? []}
      id=${(/** @type {any} */ row, /** @type {number} */ at) => `${row.timestamp} ${at}`}
      empty=${asked.answer ? 'Nothing failed in this time.' : ' '}
      note=${asked.answer?.length === RECENT ? `The last ${RECENT}; a click opens the call where it was made.` : null}
    />
  `;
}

/** @type {Column[]} */
const CALLERS_COLUMNS = [
  { key: 'agent', label: 'Agent', unit: 'name' },
  { key: 'calls', label: 'Calls', unit: 'count', bar: true },
  { key: 'failing', label: 'Error rate', unit: 'ratio' },
  { key: 'mean_ms', label: 'Mean', unit: 'ms' },
  { key: 'sessions', label: 'Sessions', unit: 'count' },
];

/**
 * Agents that called it.
 * @param {{subject: Subject}} props
 */
export function Callers({ subject }) {
  const range = useRange();
  const text = `select agent, count(*) as calls, count(*) filter (where success = false) as failed, count(*) filter (where success is not null) as known, avg(duration_ms) as mean_ms, count(distinct session_id) as sessions from events where ${condition(subject, range)} group by agent order by calls desc, agent limit ${CALLERS}`;
  const asked = useAnswer('sql', range.query && { query: text }, { every: 60 });
  if (asked.error && !asked.answer) return html`<${Problem} error=${asked.error} retry=${asked.reload} />`;
  const rows = (asked.answer ?? []).map((/** @type {any} */ row) => ({
    ...row,
    failing: ratio(row.failed, row.known),
  }));
  return html`
    <${Listed}
      caption="Agents that called it"
      columns=${CALLERS_COLUMNS}
      rows=${rows}
      sort=${{ key: 'calls', down: true }}
      empty=${asked.answer ? 'Nobody called it in this time.' : ' '}
    />
  `;
}

/**
 * What stands where something of that name has no figures.
 * @param {{what: string, name: string, back: string}} props
 */
export function Absent({ what, name, back }) {
  return html`
    <div class="card">
      <h2>No calls of <${Name} text=${name} /> in this time</h2>
      <p class="muted">A longer range may hold some; <a href=${back}>all ${what}</a> of this time.</p>
    </div>
  `;
}
