import { time as instantOf } from '../charts/waterfall-rows.js';
import { NONE, ago, count, counted, duration, money, percent, time } from '../format.js';
import { html, useMemo } from '../html.js';
import { Name } from '../parts/name.js';
import { Stat } from '../parts/stat.js';
import { Empty, Loading, Problem } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { link, setQuery, useAnswer, useNames, useRange } from '../state.js';
import { useRows } from './kept.js';
import { within } from './window.js';

export const title = 'Sessions';

/** Sessions that are listed at first, and when one looks for some; the table draws no more. */
const FEW = 100;
const MOST = 1000;
/** Seconds between two times that SQL is asked. */
const EVERY = 60;

/** @param {{route: import('../route.js').Route}} props */
export default function View({ route }) {
  const range = useRange();
  const called = useNames();
  const agent = route.query['agent'] ?? null;
  const onlyFailed = route.query['failures'] === '1';
  const many = route.query['rows'] === String(MOST);
  const limit = many || onlyFailed ? MOST : FEW;
  const { answer, error, loading, stale, reload } = useAnswer(
    'session_list',
    range.query && { ...range.query, limit, agent },
  );
  const spread = useAnswer('sessions', range.query);
  const agents = useAnswer('agents', range.query && { ...range.query, limit: 200 });
  const workers = useWorkers(range);

  const all = useMemo(() => rows(answer?.session_list?.sessions ?? [], workers), [answer, workers]);
  const shown = useMemo(() => (onlyFailed ? all.filter((row) => row.failed > 0) : all), [all, onlyFailed]);
  if (error && !answer) return html`<${Problem} error=${error} retry=${reload} />`;
  if (loading) return html`<div class="view"><${Loading} height=${92} /><${Loading} height=${480} /></div>`;
  if (all.length === 0 && range.range === 'all' && agent === null) return html`<${Empty} />`;

  const more = answer.session_list.more;
  const failed = all.filter((row) => row.failed > 0).length;
  const known = spread.answer?.sessions;
  // Those that tell no id are counted, and cannot be told one from the other.
  const nameless = agent === null && all.length + more === 0 && known ? Math.max(known.started, known.ended) : 0;
  const cost = all.some((row) => row.cost_usd !== null) ? all.reduce((sum, row) => sum + (row.cost_usd ?? 0), 0) : null;
  // Of one agent's sessions only the listed ones are known.
  const lengths = all.map((row) => row.length);
  const latest = more > 0 ? `of the ${count(all.length)} latest` : undefined;
  return html`<div class=${`view${stale ? ' stale' : ''}`}>
    ${error && html`<${Problem} error=${error} retry=${reload} since=${stale} />`}
    <div class="stats">
      <${Stat}
        label="Sessions"
        value=${count(nameless || all.length + more)}
        note=${all[0] ? `latest ${ago(all[0].last)}` : nameless > 0 ? 'without an id' : ''}
      />
      <${Stat}
        label="With failures"
        value=${percent(all.length ? failed / all.length : null)}
        note=${latest ? `${count(failed)} ${latest}` : counted(failed, 'session')}
      />
      ${
        agent === null
          ? html`<${Stat}
              label="Median length"
              value=${duration(known?.duration_ms?.p50)}
              note=${known?.duration_ms ? `of those that ended; p95 ${duration(known.duration_ms.p95)}` : 'no ends recorded'}
            />`
          : html`<${Stat}
              label="Median length"
              value=${duration(median(lengths))}
              note=${`from beginning to last event${latest ? `, ${latest}` : ''}`}
            />`
      }
      <${Stat} label="Tokens a session" value=${count(mean(all, 'tokens'))} note=${`mean, of model calls${latest ? `, ${latest}` : ''}`} />
      <${Stat}
        label="Cost"
        value=${money(cost)}
        note=${latest ?? (all.length && cost !== null ? `${money(cost / all.length)} a session` : '')}
      />
    </div>
    <section class="card flush">
      <div class="controls in-card">
        <label class="field inline"
          >Agent
          <select
            class="input"
            value=${agent ?? ''}
            onChange=${(/** @type {any} */ event) => setQuery({ agent: event.currentTarget.value || null })}
          >
            <option value="">All agents</option>
            ${agent && !(agents.answer?.agents?.agents ?? []).some((/** @type {any} */ one) => one.agent === agent) && html`<option value=${agent}>${called(agent).slice(0, 60)}</option>`}
            ${(agents.answer?.agents?.agents ?? []).map((/** @type {any} */ one) => html`<option key=${one.agent} value=${one.agent}>${called(one.agent).slice(0, 60)}</option>`)}
          </select>
        </label>
        <label class="check"
          ><input
            type="checkbox"
            checked=${onlyFailed}
            onChange=${(/** @type {any} */ event) => setQuery({ failures: event.currentTarget.checked ? 1 : null })}
          />
          Only with failures</label
        >
      </div>
      <${Table}
        caption=${agent ? 'Sessions in which this agent worked' : 'Sessions'}
        at="sessions"
        columns=${COLUMNS}
        rows=${shown}
        id=${(/** @type {any} */ row) => row.session}
        sort=${{ key: 'last', down: true }}
        more=${onlyFailed ? 0 : more}
        empty=${agent || onlyFailed ? 'No session matches.' : nameless > 0 ? 'The sessions of this time have no id: they are counted, and cannot be listed.' : 'No session in this time.'}
        note=${[
          range.range !== 'all' && all.length > 0 && 'Figures are of this time alone: a session that began before it has more on its own page.',
          more > 0 && onlyFailed ? `Of the ${count(all.length)} latest; ${counted(more, 'earlier session')} ${more === 1 ? 'was' : 'were'} not looked through.` : more > 0 && limit < MOST && html`<button type="button" class="button small" onClick=${() => setQuery({ rows: MOST })}>${`Show up to ${count(MOST)}`}</button>`,
        ]}
      />
    </section>
  </div>`;
}

/** @type {import('../parts/table.js').Column[]} */
const COLUMNS = [
  { key: 'session', label: 'Session', unit: 'name', link: (row) => link('trace', ['session', row.session]) },
  {
    key: 'first',
    label: 'Started',
    unit: 'text',
    align: 'left',
    format: (at) => html`<span title=${time(at, { precise: true })}>${time(at)}</span>`,
  },
  {
    key: 'last',
    label: 'Ended',
    unit: 'text',
    align: 'right',
    format: (at) => html`<span title=${time(at, { precise: true })}>${ago(at)}</span>`,
  },
  { key: 'length', label: 'Length', unit: 'ms', bar: true },
  { key: 'workers', label: 'Agents', unit: 'name', format: (value) => html`<${Name} text=${value} none=${NONE} />` },
  { key: 'tool_calls', label: 'Tool calls', unit: 'count' },
  { key: 'llm_calls', label: 'Model calls', unit: 'count' },
  {
    key: 'failed',
    label: 'Failed',
    unit: 'count',
    format: (n) =>
      n > 0
        ? html`<span class="tone-bad failed-mark"
            ><span class="mark bad" aria-hidden="true"></span>${`${count(n)} failed`}</span
          >`
        : html`<span class="muted">none</span>`,
  },
  { key: 'tokens', label: 'Tokens', unit: 'count' },
  { key: 'cost_usd', label: 'Cost', unit: 'usd' },
];

/**
 * @param {any[]} sessions
 * @param {Map<string, string>} workers
 */
function rows(sessions, workers) {
  return sessions.map((one) => ({
    ...one,
    length: Math.max((instantOf(one.last) ?? 0) - (instantOf(one.first) ?? 0), 0),
    workers: one.agent ?? workers.get(one.session) ?? null,
  }));
}

/**
 * How many agents worked where there was not just one.
 * @param {import('../state.js').Range} range
 */
function useWorkers(range) {
  const query =
    range.query === null
      ? null
      : `SELECT session_id, count(DISTINCT agent) AS agents FROM events WHERE session_id <> ''${within(range)} ` +
        `GROUP BY session_id HAVING count(DISTINCT agent) > 1`;
  const { rows } = useRows(query, { every: EVERY });
  return useMemo(() => new Map((rows ?? []).map((row) => [row.session_id, `${row.agents} agents`])), [rows]);
}

/** @param {number[]} list @returns {number | null} null: of none */
function median(list) {
  const rising = [...list].sort((a, b) => a - b);
  const [low, high] = [rising[(rising.length - 1) >> 1], rising[rising.length >> 1]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/**
 * @param {any[]} rows
 * @param {string} key
 */
function mean(rows, key) {
  const known = rows.map((row) => row[key]).filter((value) => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}
