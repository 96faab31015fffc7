import { ask } from '../api.js';
import { Heatmap, clock } from '../charts/heatmap.js';
import { DAYS, busiest, grid, hourly } from '../charts/heatmap-grid.js';
import { DAY, ago, count, counted, time } from '../format.js';
import { html, useEffect, useMemo, useRef, useState } from '../html.js';
import { Figure } from '../parts/figure.js';
import { Empty, Loading, Problem } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { link, setQuery, useAnswer, useNames, useRange } from '../state.js';
import { Discovery, useDiscovered } from './discovery.js';
import { useRows } from './kept.js';
import { between, quoted, within } from './window.js';

/** @typedef {import('../charts/heatmap-grid.js').Stretch} Stretch */

export const title = 'Agents';

/** What a heatmap may count: type of event, one, many. */
const WORK = /** @type {const} */ ({
  tool_call: ['tool call', 'tool calls'],
  llm_call: ['model call', 'model calls'],
  session_start: ['session', 'sessions'],
});
/** Sessions do not name an agent. */
const OF_AGENTS = ['tool_call', 'llm_call'];
/** Days that are asked for at most: beyond, one sees no difference. */
const MOST_DAYS = 90;
/** Seconds between two times that SQL is asked. */
const EVERY = 60;

/** @param {{route: import('../route.js').Route}} props */
export default function View({ route }) {
  const range = useRange();
  const { answer, error, loading, stale, reload } = useAnswer('agents', range.query && { ...range.query, limit: 1000 });
  const chosen = route.query['agent'] ?? null;
  const more = useSessions(range);
  const found = useDiscovered();
  const rows = useMemo(() => merged(answer?.agents?.agents ?? [], more.rows), [answer, more.rows]);

  if (error && !answer) return html`<${Problem} error=${error} retry=${reload} />`;
  if (loading) return html`<div class="view"><${Loading} height=${240} /><${Loading} height=${420} /></div>`;
  if (rows.length === 0 && range.range === 'all' && found.known && !found.any) return html`<${Empty} />`;
  // Where agents are looked up and do nothing yet.
  const onlyLoaded = rows.some((row) => row.loads > 0) && rows.every((row) => row.calls + row.llm === 0);
  return html`<div class=${`view${stale ? ' stale' : ''}`}>
    ${error && html`<${Problem} error=${error} retry=${reload} since=${stale} />`}
    <${Usage} range=${range} agents=${rows} chosen=${chosen} what=${route.query['what']} />
    <${Discovery} found=${found} wanted=${route.query['show'] === 'discovery'} />
    <section class="card flush">
      <${Table}
        caption="Agents"
        columns=${columns(more.rows === null && !more.error, range, onlyLoaded)}
        rows=${rows}
        id=${(/** @type {any} */ row) => row.agent}
        sort=${{ key: onlyLoaded ? 'loads' : 'calls', down: true }}
        empty="No agent worked in this time."
        note=${more.error ? 'Sessions could not be asked for: ' + more.error.message : 'Events hold hashes of names; agents are called by the names of definitions on this machine (tacho agents index). Failures, error rate and latency are of their tool calls alone.'}
      />
    </section>
  </div>`;
}

/**
 * @param {boolean} waiting sessions, which SQL counts, are not there yet
 * @param {import('../state.js').Range} range
 * @param {boolean} loading whether definitions were loaded and nothing else was done
 * @returns {import('../parts/table.js').Column[]}
 */
function columns(waiting, range, loading) {
  const later = waiting ? { format: () => '…' } : {};
  return [
    { key: 'agent', label: 'Agent', unit: 'name', link: (row) => link('sessions', [], { agent: row.agent }) },
    ...(loading ? [{ key: 'loads', label: 'Loads', unit: /** @type {const} */ ('count'), bar: true }] : []),
    { key: 'calls', label: 'Tool calls', unit: 'count', bar: !loading },
    { key: 'failed', label: 'Failed', unit: 'count' },
    { key: 'ratio', label: 'Error rate', unit: 'ratio' },
    { key: 'p95', label: 'p95', unit: 'ms' },
    { key: 'llm', label: 'Model calls', unit: 'count' },
    { key: 'tokens', label: 'Tokens', unit: 'count' },
    { key: 'cost', label: 'Cost', unit: 'usd' },
    { key: 'sessions', label: 'Sessions', unit: 'count', ...later },
    {
      key: 'tools',
      label: 'Tools',
      unit: 'text',
      sortable: false,
      format: (_value, row) => html`<a href=${toolsOf(row.agent, range)}>by tool</a>`,
    },
    {
      key: 'last',
      label: 'Last seen',
      unit: 'text',
      align: 'right',
      format: (at) => html`<span title=${time(at, { precise: true })}>${ago(at)}</span>`,
    },
  ];
}

/**
 * Which tools an agent used in this time, as a statement that one can go on from.
 * @param {string} agent
 * @param {import('../state.js').Range} range
 */
function toolsOf(agent, range) {
  const q =
    `select tool, count(*) as calls, count(*) filter (where not success) as failed,\n` +
    `  percentile_cont(0.95) within group (order by duration_ms) as p95_ms\n` +
    `from tool_calls\nwhere agent = ${quoted(agent)}${within(range).replaceAll(' AND ', '\n  and ')}\ngroup by tool\norder by calls desc`;
  return link('sql', [], { q });
}

/**
 * What the question does not tell: sessions.
 * @param {import('../state.js').Range} range
 */
function useSessions(range) {
  const query =
    range.query === null
      ? null
      : `SELECT agent, count(DISTINCT session_id) AS sessions FROM events WHERE agent IS NOT NULL ` +
        `AND event_type NOT IN ('query', 'agent_selection')${within(range)} GROUP BY agent`;
  return useRows(query, { every: EVERY });
}

/**
 * @param {any[]} agents
 * @param {any[] | null} figures
 */
function merged(agents, figures) {
  const by = new Map((figures ?? []).map((row) => [row.agent, row.sessions]));
  return agents.map((one) => {
    const calls = one.tool_calls.succeeded + one.tool_calls.failed + one.tool_calls.unknown;
    const told = one.tool_calls.succeeded + one.tool_calls.failed;
    return {
      agent: one.agent,
      calls,
      failed: one.tool_calls.failed,
      ratio: told > 0 ? one.tool_calls.failed / told : null,
      llm: one.llm_calls.succeeded + one.llm_calls.failed + one.llm_calls.unknown,
      cost: one.cost_usd,
      loads: one.loads,
      last: one.last,
      p95: one.tool_call_ms?.p95,
      tokens: one.tokens ? one.tokens.input + one.tokens.output : undefined,
      sessions: by.get(one.agent),
    };
  });
}

/** What is counted unless another is chosen. */
const USUAL = 'tool_call';

/** @param {{range: import('../state.js').Range, agents: any[], chosen: string | null, what: string | undefined}} props */
function Usage({ range, agents, chosen, what = USUAL }) {
  const called = useNames();
  const kind = /** @type {keyof typeof WORK} */ (Object.hasOwn(WORK, what) ? what : USUAL);
  const counted_ = chosen && !OF_AGENTS.includes(kind) ? USUAL : kind;
  const { stretches, error, retry, cut } = useStretches(counted_, chosen, range);
  const found = useMemo(() => stretches && grid(stretches), [stretches]);
  const [one, many] = WORK[counted_];
  const peak = found && busiest(found);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const sentence = found
    ? peak
      ? `Busiest on ${DAYS[peak.day]}s at ${clock(peak.hour)}: ${counted(peak.cell.count, one, many)} of ${count(found.total)}${cut ? `, in the last ${MOST_DAYS} days` : ''}. Times are of ${zone}.`
      : `No ${many} in this time.`
    : '';
  const rows = () =>
    (found?.cells ?? []).flatMap((cells, day) =>
      cells.map((cell, hour) => ({ day, hour, when: `${DAYS[day]} ${clock(hour)}`, ...cell })),
    );
  return html`<${Figure}
    id="usage"
    title="When agents work"
    sentence=${sentence}
    columns=${[
      {
        key: 'when',
        label: 'Weekday and hour',
        unit: 'text',
        value: (/** @type {any} */ row) => row.day * 24 + row.hour,
      },
      { key: 'count', label: many.charAt(0).toUpperCase() + many.slice(1), unit: 'count' },
      { key: 'failed', label: 'Failed', unit: 'count' },
    ]}
    rows=${rows}
  >
    <div class="controls">
      <label class="field inline">Agent
        <select class="input" value=${chosen ?? ''} onChange=${(/** @type {any} */ event) => setQuery({ agent: event.currentTarget.value || null })}>
          <option value="">All agents</option>
          ${chosen && !agents.some((row) => row.agent === chosen) && html`<option value=${chosen}>${called(chosen).slice(0, 60)}</option>`}
          ${agents.slice(0, 200).map((row) => html`<option key=${row.agent} value=${row.agent}>${called(row.agent).slice(0, 60)}</option>`)}
        </select>
      </label>
      <label class="field inline">What
        <select class="input" value=${counted_} onChange=${(/** @type {any} */ event) => setQuery({ what: event.currentTarget.value === USUAL ? null : event.currentTarget.value })}>
          ${Object.entries(WORK)
            .filter(([key]) => !chosen || OF_AGENTS.includes(key))
            .map(
              ([key, [, many]]) =>
                html`<option key=${key} value=${key}>${many.charAt(0).toUpperCase() + many.slice(1)}</option>`,
            )}
        </select>
      </label>
    </div>
    ${error ? html`<${Problem} error=${error} retry=${retry} />` : found ? html`<${Heatmap} grid=${found} label=${`${many} by weekday and hour`} one=${one} many=${many} />` : html`<${Loading} height=${216} />`}
  </${Figure}>`;
}

/**
 * Counts hour by hour: of all from the timeline, of one agent from SQL, and
 * from there, too, where the clock is not whole hours from UTC.
 * @param {string} kind
 * @param {string | null} agent
 * @param {import('../state.js').Range} range
 */
function useStretches(kind, agent, range) {
  const cut = range.to - range.from > MOST_DAYS * DAY;
  const from = cut ? range.to - MOST_DAYS * DAY : range.from;
  const subject = `${kind} ${agent ?? ''} ${range.range} ${range.range === 'custom' ? `${from} ${range.to}` : ''}`;
  const [state, setState] = useState({
    subject: '',
    stretches: /** @type {Stretch[] | null} */ (null),
    error: /** @type {unknown} */ (null),
  });
  const [turn, setTurn] = useState(0);
  const wanted = useRef('');
  wanted.current = subject;
  useEffect(() => {
    if (!range.query) return;
    const abort = new AbortController();
    const found =
      agent !== null || new Date().getTimezoneOffset() % 60 !== 0
        ? bySql(kind, agent, from, range.to, abort.signal)
        : byTimeline(kind, from, range.to, abort.signal);
    found.then(
      (stretches) => wanted.current === subject && setState({ subject, stretches, error: null }),
      (error) => !abort.signal.aborted && setState({ subject, stretches: null, error }),
    );
    return () => abort.abort();
    // The hour that goes on is asked for again with the range's beat.
  }, [subject, Math.floor(range.to / 60_000), range.query === null, turn]);
  const mine = state.subject === subject;
  return {
    stretches: mine ? state.stretches : null,
    error: mine ? state.error : null,
    cut,
    retry: () => setTurn(turn + 1),
  };
}

/**
 * @param {string} kind
 * @param {number} from
 * @param {number} to
 * @param {AbortSignal} signal
 * @returns {Promise<Stretch[]>}
 */
async function byTimeline(kind, from, to, signal) {
  const windows = hourly(from, to);
  const answers = await Promise.all(
    windows.map((window) =>
      ask(
        'timeline',
        { kind, since: new Date(window.from).toISOString(), until: new Date(window.to).toISOString(), buckets: 500 },
        { signal },
      ),
    ),
  );
  return answers.flatMap((answer) => answer.timeline.buckets);
}

/**
 * @param {string} kind
 * @param {string | null} agent
 * @param {number} from
 * @param {number} to
 * @param {AbortSignal} signal
 * @returns {Promise<Stretch[]>}
 */
async function bySql(kind, agent, from, to, signal) {
  const of = agent === null ? '' : ` AND agent = ${quoted(agent)}`;
  const query =
    `SELECT date_bin(INTERVAL '15 minutes', timestamp) AS "from", count(*) AS count, ` +
    `count(*) FILTER (WHERE NOT success) AS failed FROM events WHERE event_type = ${quoted(kind)}${of}` +
    `${between(from, to)} GROUP BY 1`;
  return await ask('sql', { query, limit: 10_000 }, { signal });
}
